"""What a host may ask of callers: a password, a pace, patience."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from starlette.exceptions import HTTPException

from core.errors import SettingsError
from core.models.install import InstalledPack
from core.page.serving import limits
from core.page.serving.limits import Admission, CallLimit, site_of
from core.settings import Settings
from tests.conftest import ASTRONAUT
from tests.running_app import RunningApp, gallery_env, running_app

PASSWORD = "열려라, 참깨:"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, sface: InstalledPack) -> Iterator[RunningApp]:
    """Three photos a minute for an address, one may wait, and a password; 127.0.0.3 is a proxy."""
    folder = tmp_path_factory.mktemp("limited")
    more = {
        "LOOKALIKE_CALLS_A_MINUTE": "3",
        "LOOKALIKE_WAITING": "1",
        "LOOKALIKE_PASSWORD": PASSWORD,
        "LOOKALIKE_TRUSTED_PROXIES": "127.0.0.3/32",
        "GRADIO_SERVER_NAME": "0.0.0.0",
    }
    with running_app(folder, env=gallery_env(sface.folder.parent, folder / "d", **more)) as running:
        yield running


def caller(app: RunningApp, address: str, *forwarded: str) -> httpx.Client:
    """Somebody at an address of this machine, who says for whom it asks."""
    return httpx.Client(
        base_url=f"{app.url}gradio_api/",
        transport=httpx.HTTPTransport(local_address=address),
        headers=[("x-forwarded-for", name) for name in forwarded],
        auth=("anybody", PASSWORD),
        timeout=60,
    )


def statuses(client: httpx.Client, times: int) -> list[int]:
    with client:
        return [
            client.post("call/v2/match", json={"photo": None}).status_code for _ in range(times)
        ]


def numbers(app: RunningApp) -> dict[str, int]:
    config = httpx.get(f"{app.url}config", auth=("", PASSWORD)).json()
    return {entry["api_name"]: entry["id"] for entry in config["dependencies"]}


def test_an_address_that_asks_too_often_is_told_when_it_may_again_at_every_door(
    app: RunningApp,
) -> None:
    numbered = numbers(app)
    values = [None, 5, "", "", False]
    doors: list[tuple[str, dict[str, Any]]] = [
        ("call/match", {"data": values}),
        ("call/v2/match", {"photo": None}),
        ("run/match", {"data": values}),
        ("run/health", {"data": values, "fn_index": numbered["match"]}),
        ("queue/join", {"data": values, "fn_index": numbered["match"], "session_hash": "me"}),
        ("queue/join", {"data": [], "fn_index": numbered["show"], "session_hash": "me"}),
    ]
    with caller(app, "127.0.0.4") as client:
        for path, body in doors[:3]:
            assert client.post(path, json=body).status_code != 429
        for path, body in doors:
            answer = client.post(path, json=body)
            assert answer.status_code == 429, path
            assert "at most 3 photos a minute are matched for one" in answer.json()["detail"]
            assert 0 < int(answer.headers["retry-after"]) <= 60
        assert client.post("call/health", json={"data": []}).status_code == 200
    assert "Traceback" not in app.log


def test_a_forwarded_address_counts_from_a_trusted_proxy_only(app: RunningApp) -> None:
    stranger = [statuses(caller(app, "127.0.0.5", f"9.9.9.{n}"), 1) for n in range(4)]
    assert stranger == [[200], [200], [200], [429]]
    proxy = [statuses(caller(app, "127.0.0.3", f"8.8.8.{n}"), 1) for n in range(4)]
    assert proxy == [[200]] * 4
    # What a visitor adds stands before what the proxy has seen.
    assert statuses(caller(app, "127.0.0.3", "1.1.1.1", "7.7.7.7"), 3) == [200] * 3
    assert statuses(caller(app, "127.0.0.3", "2.2.2.2", "7.7.7.7"), 1) == [429]


def test_where_too_many_wait_the_others_are_told_that_it_is_busy(
    app: RunningApp, tmp_path: Path
) -> None:
    large = tmp_path / "large.jpg"
    Image.open(ASTRONAUT).convert("RGB").resize((4000, 4000)).save(large)
    with caller(app, "127.0.0.3", "6.6.6.0") as client:
        path = client.post("upload", files={"files": large.read_bytes()}).json()[0]
        answers = [
            client.post(
                "call/v2/match",
                json={"photo": {"path": path}},
                headers={"x-forwarded-for": f"6.6.6.{number}"},
            )
            for number in range(12)
        ]
        busy = [answer for answer in answers if answer.status_code == 503]
        assert answers[0].status_code == 200
        assert busy
        assert busy[0].json() == {"detail": limits.BUSY}
        assert busy[0].headers["retry-after"]
        assert client.post("call/health", json={"data": []}).status_code == 200
        ready = httpx.get(f"{app.url}ready")
        assert ready.status_code == 503
        assert ready.json() == {"ready": False, "reason": "as many photos wait as may"}


def test_nobody_gets_in_without_the_password_but_for_health(app: RunningApp) -> None:
    for path in (
        "",
        "credits",
        "config",
        "gradio_api/info",
        "portraits/0/face.webp",
        "icon-192.png",
    ):
        for auth in (None, ("anybody", "wrong"), (PASSWORD, "")):
            answer = httpx.get(app.url + path, auth=auth)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Basic ")
        assert httpx.get(app.url + path, auth=("anybody", PASSWORD)).status_code != 401
    broken = httpx.get(app.url, headers={"authorization": "Basic %%%"})
    assert broken.status_code == 401
    assert httpx.get(f"{app.url}health").json()["status"] == "ok"


def test_the_python_client_knows_the_password(app: RunningApp, tmp_path: Path) -> None:
    known = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {known}"}
    client = Client(app.url, headers=headers, verbose=False, download_files=tmp_path)
    assert client.predict(handle_file(ASTRONAUT), api_name="/match")["faces"]


def test_an_address_is_forgotten_after_its_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    limit = CallLimit(2)
    assert [limit.seconds_to_wait("1.2.3.4") for _ in range(3)] == [0, 0, 60]
    now[0] += 30
    assert limit.seconds_to_wait("1.2.3.4") == 30
    assert limit.seconds_to_wait("4.3.2.1") == 0
    now[0] += 31
    assert limit.seconds_to_wait("1.2.3.4") == 0
    assert set(limit._calls) == {"1.2.3.4", "4.3.2.1"}
    now[0] += 61
    limit.seconds_to_wait("")
    assert set(limit._calls) == {""}
    assert [CallLimit(0).seconds_to_wait("x") for _ in range(99)] == [0] * 99


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    assert site_of("2001:db8:1:2:3::4") == site_of("2001:db8:1:2::9") != site_of("2001:db8:1:3::9")
    assert site_of("::ffff:1.2.3.4") == site_of("1.2.3.4") == "1.2.3.4"
    assert site_of("testclient") == "testclient"


def test_only_events_that_compute_are_asked_about() -> None:
    admit = Admission(calls_a_minute=1, waiting=5)
    for event in ("live", "greet", "health"):
        for _ in range(3):
            admit(event, "1.2.3.4", waiting=99)
    admit("draw_card", "1.2.3.4", waiting=4)
    with pytest.raises(HTTPException):
        admit("draw_card", "1.2.3.4", waiting=5)


def test_no_limit_is_set_unless_the_owner_does() -> None:
    settings = Settings()
    assert (settings.calls_a_minute, settings.password) == (0, "")
    assert "sesame" not in repr(Settings(password="sesame"))


@pytest.mark.parametrize("wrong", ["*", "me", "10.0.0.0/33", "10.0.0.1,,10.0.0.2"])
def test_proxies_are_named_by_address(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"TRUSTED_PROXIES is .*; set it to addresses"):
        Settings(trusted_proxies=wrong)
