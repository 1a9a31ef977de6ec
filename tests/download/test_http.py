"""The polite client: who it says it is, how little it asks at once, how it waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.download.http import ATTEMPTS, LONGEST_WAIT, WebClient, retry_after
from core.errors import GoneError, SettingsError, SourceError
from core.settings import Settings
from tests.conftest import ASTRONAUT
from tests.wikimedia_standin import CONTACT, Fault, File, WikimediaStandin, in_seconds

BODY = ASTRONAUT.read_bytes()
NAME = "Photo 1-1.jpg"
MB = 1_000_000


@pytest.fixture
def wikimedia(monkeypatch: pytest.MonkeyPatch) -> Iterator[WikimediaStandin]:
    monkeypatch.setenv("NO_PROXY", "*")
    with WikimediaStandin() as standin:
        standin.add("Ann", File(ASTRONAUT, mime="image/png"))
        yield standin


class Waits(list[float]):
    """Stands in for sleep: remembers for how long."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def client(wikimedia: WikimediaStandin, waits: Waits) -> Iterator[WebClient]:
    client = WebClient(wikimedia.settings(Settings()), sleep=waits)
    yield client
    client.close()


def picture(wikimedia: WikimediaStandin) -> str:
    return f"{wikimedia.url}/original/Photo%201-1.jpg"


def api(wikimedia: WikimediaStandin) -> str:
    return f"{wikimedia.url}/w/api.php"


ASK = {"action": "query", "list": "categorymembers", "cmtitle": "Category:X", "cmlimit": "5"}


@pytest.mark.parametrize("contact", ["", "  ", "me\r\nX-Evil: 1", "나@example.org"])
def test_without_a_usable_contact_nothing_is_asked(contact: str) -> None:
    with pytest.raises(SettingsError, match=r"LOOKALIKE_CONTACT is .*; Wikimedia asks"):
        WebClient(Settings(contact=contact))


def test_each_request_says_who_asks(
    client: WebClient, wikimedia: WikimediaStandin, tmp_path: Path
) -> None:
    client.get_json(api(wikimedia), ASK)
    client.download(picture(wikimedia), tmp_path / "1.png", MB)
    assert {seen.user_agent for seen in wikimedia.requests} == {f"Lookalike/0.1.0 ({CONTACT})"}


def test_a_picture_arrives_whole(
    client: WebClient, wikimedia: WikimediaStandin, tmp_path: Path
) -> None:
    client.download(picture(wikimedia), tmp_path / "1.png", MB)
    assert (tmp_path / "1.png").read_bytes() == BODY
    assert [path.name for path in tmp_path.iterdir()] == ["1.png"]


def test_at_most_two_requests_are_under_way_at_once(
    client: WebClient, wikimedia: WikimediaStandin
) -> None:
    wikimedia.delay = 0.05
    threads = [
        threading.Thread(target=client.get_json, args=(api(wikimedia), ASK)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wikimedia.requests) == 8
    assert wikimedia.most_at_once == 2


def test_it_waits_the_seconds_that_a_429_names(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits
) -> None:
    wikimedia.faults["api"] = [Fault(status=429, headers={"Retry-After": "7"})]
    client.get_json(api(wikimedia), ASK)
    assert waits == [7.0]
    assert len(wikimedia.requests) == 2


def test_it_waits_until_the_date_that_a_503_names(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits
) -> None:
    wikimedia.faults["api"] = [Fault(status=503, headers={"Retry-After": in_seconds(30)})]
    client.get_json(api(wikimedia), ASK)
    assert len(waits) == 1
    assert 25 < waits[0] <= 30


def test_nobody_else_asks_while_a_retry_after_lasts(wikimedia: WikimediaStandin) -> None:
    asleep, awake = threading.Event(), threading.Event()

    def sleep(_: float) -> None:
        asleep.set()
        awake.wait(10)

    client = WebClient(wikimedia.settings(Settings()), sleep=sleep)
    wikimedia.faults["api"] = [Fault(status=429, headers={"Retry-After": "7"})]
    threads = [
        threading.Thread(target=client.get_json, args=(api(wikimedia), ASK)) for _ in range(2)
    ]
    threads[0].start()
    assert asleep.wait(10)
    threads[1].start()
    threads[1].join(0.3)
    assert len(wikimedia.requests) == 1
    awake.set()
    for thread in threads:
        thread.join()
    assert len(wikimedia.requests) == 3
    client.close()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("999999", LONGEST_WAIT),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_and_capped(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_a_busy_server_is_asked_again_at_growing_intervals_and_then_left(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits, status: int
) -> None:
    wikimedia.faults["api"] = [Fault(status=status, times=99)]
    with pytest.raises(SourceError, match=f"status {status}.*run it again later"):
        client.get_json(api(wikimedia), ASK)
    assert len(wikimedia.requests) == ATTEMPTS
    for number, seconds in enumerate(waits):
        assert 0.75 * 2**number <= seconds <= 1.25 * 2**number
    assert len(waits) == ATTEMPTS - 1


def test_a_refusal_that_another_attempt_cannot_cure_is_reported_at_once(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits
) -> None:
    wikimedia.faults["api"] = [Fault(status=403, times=99)]
    with pytest.raises(SourceError, match="answered 403"):
        client.get_json(api(wikimedia), ASK)
    assert waits == []


def test_mediawikis_rate_limit_in_a_good_answer_is_waited_for(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits
) -> None:
    limited = b'{"error": {"code": "ratelimited", "info": "Too often."}}'
    wikimedia.faults["api"] = [Fault(body=limited, headers={"Content-Length": str(len(limited))})]
    assert "error" not in client.get_json(api(wikimedia), ASK)
    assert len(waits) == 1


@pytest.mark.parametrize("body", [b'{"results": {"bin', b"<html>", b"[1]", b""])
def test_json_that_breaks_off_is_asked_for_again(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits, body: bytes
) -> None:
    wikimedia.faults["api"] = [Fault(body=body, headers={"Content-Length": str(len(body))})]
    assert "query" in client.get_json(api(wikimedia), ASK)
    assert len(waits) == 1


def test_a_connection_cut_in_the_middle_of_a_picture_is_tried_again(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits, tmp_path: Path
) -> None:
    wikimedia.faults[NAME] = [Fault(cut=True)]
    client.download(picture(wikimedia), tmp_path / "1.png", MB)
    assert (tmp_path / "1.png").read_bytes() == BODY
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(cut=True, times=99), "gave nothing usable"),
        (Fault(html=True, times=99), "not a picture: text/html"),
    ],
)
def test_what_never_becomes_a_picture_leaves_no_file(
    client: WebClient, wikimedia: WikimediaStandin, tmp_path: Path, fault: Fault, reason: str
) -> None:
    wikimedia.faults[NAME] = [fault]
    with pytest.raises(SourceError, match=reason):
        client.download(picture(wikimedia), tmp_path / "1.png", MB)
    assert len(wikimedia.requests) == ATTEMPTS
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_too_many_bytes_is_refused_once_and_for_all(
    client: WebClient, wikimedia: WikimediaStandin, tmp_path: Path
) -> None:
    with pytest.raises(GoneError, match=r"more than 0\.001 MB"):
        client.download(picture(wikimedia), tmp_path / "1.png", 1000)
    assert len(wikimedia.requests) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [404, 410])
def test_a_picture_that_is_gone_is_not_asked_for_again(
    client: WebClient, wikimedia: WikimediaStandin, tmp_path: Path, status: int
) -> None:
    wikimedia.faults[NAME] = [Fault(status=status, times=99)]
    with pytest.raises(GoneError, match="not there"):
        client.download(picture(wikimedia), tmp_path / "1.png", MB)
    assert len(wikimedia.requests) == 1


def test_a_redirect_is_followed(
    client: WebClient, wikimedia: WikimediaStandin, tmp_path: Path
) -> None:
    away = {"Location": picture(wikimedia)}
    wikimedia.faults[NAME] = [Fault(status=302, headers=away)]
    client.download(picture(wikimedia), tmp_path / "1.png", MB)
    assert (tmp_path / "1.png").read_bytes() == BODY


def test_a_circle_of_redirects_is_reported(
    client: WebClient, wikimedia: WikimediaStandin, tmp_path: Path
) -> None:
    away = {"Location": picture(wikimedia)}
    wikimedia.faults[NAME] = [Fault(status=302, headers=away, times=99)]
    with pytest.raises(SourceError, match="redirects"):
        client.download(picture(wikimedia), tmp_path / "1.png", MB)


def test_a_server_that_is_not_there_is_reported(waits: Waits) -> None:
    client = WebClient(Settings(contact=CONTACT), sleep=waits)
    with pytest.raises(SourceError, match="gave nothing usable"):
        client.get_json("http://127.0.0.1:9/w/api.php", ASK)
    assert len(waits) == ATTEMPTS - 1
    client.close()


def test_a_stopped_client_asks_nothing_more_and_wakes_from_its_waits(
    wikimedia: WikimediaStandin,
) -> None:
    client = WebClient(wikimedia.settings(Settings()))
    wikimedia.faults["api"] = [Fault(status=429, headers={"Retry-After": "60"}, times=99)]
    threading.Timer(0.3, client.stop).start()
    with pytest.raises(SourceError):
        client.get_json(api(wikimedia), ASK)
    assert len(wikimedia.requests) == 1
    client.close()
