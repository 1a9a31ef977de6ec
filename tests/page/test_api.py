"""The API of the running app, as it was installed: without the package for language models."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from core.answer import (
    ActorJson,
    AnswerJson,
    FaceJson,
    HealthJson,
    MatchJson,
    NoAnswerJson,
    PartsJson,
    VerdictJson,
)
from tests.conftest import ASTRONAUT, SIX_PEOPLE
from tests.readme_blocks import readme_block
from tests.running_app import RunningApp


@pytest.fixture(scope="module")
def app(starter_app: RunningApp) -> RunningApp:
    return starter_app


@pytest.fixture(scope="module")
def client(app: RunningApp, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(app.url, verbose=False, download_files=tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="module")
def endpoints(client: Client) -> dict[str, Any]:
    """What the API says of itself."""
    info = client.view_api(return_format="dict", print_info=False)
    assert info["unnamed_endpoints"] == {}
    return info["named_endpoints"]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """The astronaut as me.jpg, which the README's lines ask for."""
    Image.open(ASTRONAUT).convert("RGB").save(tmp_path / "me.jpg", quality=95)
    return tmp_path / "me.jpg"


def test_match_endpoint_answers_in_the_documented_form(client: Client) -> None:
    answer = client.predict(handle_file(ASTRONAUT), 3, parts=True, api_name="/match")
    assert set(answer) == set(AnswerJson.__annotations__)
    assert (answer["photo"], answer["pack"]) == ("astronaut.png", "sface")
    (face,) = answer["faces"]
    assert set(face) == set(FaceJson.__annotations__)
    assert set(face["verdict"]) == set(VerdictJson.__annotations__)
    assert face["detection_score"] > 0.9
    assert len(face["matches"]) == 3
    assert all(set(match) == set(MatchJson.__annotations__) for match in face["matches"])
    assert all(set(match["parts"]) == set(PartsJson.__annotations__) for match in face["matches"])
    assert face["matches"][0]["portrait"] is None  # the starter gallery keeps no picture
    assert face["verdict"]["share"] == int(face["matches"][0]["score"])


def test_match_endpoint_says_why_there_is_no_answer(client: Client, tmp_path: Path) -> None:
    blank, text = tmp_path / "blank.png", tmp_path / "notes.jpg"
    Image.new("RGB", (320, 240), "white").save(blank)
    text.write_text("not a picture")
    answers = [client.predict(handle_file(path), api_name="/match") for path in (blank, text)]
    assert [answer["error"]["code"] for answer in answers] == ["no_face", "unreadable"]
    assert all(set(answer) == set(NoAnswerJson.__annotations__) for answer in answers)


def test_every_answer_fits_the_schema_that_the_api_gives_of_it(
    client: Client, endpoints: dict[str, Any], tmp_path: Path
) -> None:
    Image.new("RGB", (320, 240), "white").save(tmp_path / "blank.png")
    asked: list[tuple[str, tuple[Any, ...]]] = [
        ("/match", (handle_file(SIX_PEOPLE),)),
        ("/match", (handle_file(tmp_path / "blank.png"),)),
        ("/actors", ()),
        ("/health", ()),
    ]
    for name, arguments in asked:
        (result,) = endpoints[name]["returns"]
        assert result["type"].get("type") or result["type"]["anyOf"], "an untyped result"
        jsonschema.validate(client.predict(*arguments, api_name=name), result["type"])


def test_three_endpoints_are_told_of_and_each_argument_is_described(
    endpoints: dict[str, Any],
) -> None:
    assert set(endpoints) == {"/match", "/actors", "/health"}
    for name, endpoint in endpoints.items():
        assert endpoint["description"], name
        for parameter in endpoint["parameters"]:
            assert parameter["type"]["description"], parameter["parameter_name"]
            assert "Hello" not in json.dumps(parameter["example_input"])  # Gradio's own example


def test_filters_are_the_gallerys_own_genders_and_countries(client: Client) -> None:
    actors = client.predict(gender="women", country="kr", api_name="/actors")
    assert actors
    assert all(a["gender"] == "women" and "KR" in a["country"] for a in actors)
    answer = client.predict(handle_file(ASTRONAUT), 999, "women", "kr", api_name="/match")
    found = {match["actor"] for match in answer["faces"][0]["matches"]}
    assert found == {entry["actor"] for entry in actors}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"gender": "robots"}, "gender is 'robots'; set it to women or men, or leave it empty"),
        ({"country": "zz"}, "country is 'ZZ'; this gallery knows AT, AU,"),
        ({"gender": "x" * 5000}, f"gender is '{'x' * 59}...; set it to women or men"),
        ({"top_k": 0}, "top_k is 0; set it to 1 or more"),
        ({"top_k": -3}, "top_k is -3; set it to 1 or more"),
    ],
)
def test_a_wrong_argument_is_refused_in_one_sentence(
    wrong: dict[str, Any], words: str, app: RunningApp, client: Client
) -> None:
    with pytest.raises(AppError) as refused:
        client.predict(handle_file(ASTRONAUT), **wrong, api_name="/match")
    assert str(refused.value).startswith(words)
    assert "Traceback" not in app.log


def asked(app: RunningApp, name: str, body: dict[str, Any]) -> str:
    """What a caller without a client reads."""
    answer = httpx.post(f"{app.url}gradio_api/call/{name}", json=body)
    if answer.status_code != 200:
        return answer.text
    event = answer.json()["event_id"]
    return httpx.get(f"{app.url}gradio_api/call/{name}/{event}", timeout=30).text


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("v2/match", {"photo": "me.jpg"}, "photo is 'me.jpg'; send an uploaded file as"),
        ("v2/match", {"photo": {"path": str(ASTRONAUT)}}, "photo is no file that was uploaded"),
        ("v2/match", {"photo": "data:image/png;base64,@"}, "photo is no base64 of a picture"),
        ("v2/match", {"photo": f"data:image/{'a' * 300};base64,AAAA"}, "photo is no base64 of"),
        ("v2/match", {"photo": None, "top_k": "three"}, "top_k is 'three'; set it to a whole"),
        ("v2/match", {"photo": None, "bogus": 1}, "'bogus' is no argument; this endpoint takes"),
        ("v2/match", {}, "photo is missing; this endpoint takes photo, top_k"),
        ("match", {"data": [None]}, "/match takes 5 values, photo, top_k, gender, country, parts"),
        ("match", {"data": None}, "the request is no JSON that this endpoint takes"),
        ("nothing", {"data": []}, "there is no such endpoint; there are /match, /actors, /health"),
        ("v2/nothing", {}, "there is no such endpoint; there are /match, /actors, /health"),
    ],
)
def test_a_wrong_call_is_refused_in_one_sentence(
    name: str, body: dict[str, Any], words: str, app: RunningApp
) -> None:
    before = len(app.lines)
    answer = asked(app, name, body)
    assert words in answer
    assert "null" not in answer
    assert app.lines[before:] == []


def test_what_gradio_says_of_a_choice_that_is_none_reaches_no_visitor(app: RunningApp) -> None:
    """As from a tab that was open while another gallery took this one's place."""
    config = httpx.get(f"{app.url}config").json()
    radios = {one["id"] for one in config["components"] if one["type"] in ("radio", "dropdown")}
    number, inputs = next(
        (event["id"], event["inputs"])
        for event in config["dependencies"]
        if radios & set(event["inputs"]) and event["api_name"] not in ("match", "actors")
    )
    values = ["no such choice" if part in radios else None for part in inputs]
    sent = {"fn_index": number, "session_hash": "old", "data": values}
    httpx.post(f"{app.url}gradio_api/queue/join", json=sent).raise_for_status()
    with httpx.stream("GET", f"{app.url}gradio_api/queue/data?session_hash=old") as stream:
        (told,) = [line for line in stream.iter_lines() if "process_completed" in line]
    assert "list of choices" not in told
    assert "went wrong" in told


def test_base64_is_answered_as_the_file_is(app: RunningApp, client: Client, photo: Path) -> None:
    uri = f"data:image/jpeg;base64,{base64.b64encode(photo.read_bytes()).decode()}"
    (answer,) = json.loads(asked(app, "v2/match", {"photo": uri}).partition("data: ")[2])
    assert answer["faces"] == client.predict(handle_file(photo), api_name="/match")["faces"]


def test_an_address_that_gives_no_photo_is_refused_and_not_logged(
    app: RunningApp, client: Client
) -> None:
    for address in (f"{app.url}private-holiday.jpg", "http://192.168.0.1/private-holiday.jpg"):
        with pytest.raises(AppError, match="cannot be fetched from its address"):
            client.predict(handle_file(address), api_name="/match")
    assert "private-holiday" not in app.log
    assert "Traceback" not in app.log


def test_actors_are_everyone_in_the_gallery_with_names_in_two_languages(client: Client) -> None:
    actors, health = client.predict(api_name="/actors"), client.predict(api_name="/health")
    assert all(set(entry) == set(ActorJson.__annotations__) for entry in actors)
    names = [entry["actor"] for entry in actors]
    assert names == sorted(names)
    assert len(names) == health["actors"]
    assert sum(entry["portraits"] for entry in actors) == health["portraits"]
    (pitt,) = [entry for entry in actors if entry["name"] == "Brad Pitt"]
    assert (pitt["name_ko"], pitt["gender"], pitt["country"]) == ("브래드 피트", "men", ["US"])


def test_health_is_the_same_for_a_load_balancer_and_for_the_api(
    app: RunningApp, client: Client
) -> None:
    answer = httpx.get(f"{app.url}health")
    assert answer.status_code == httpx.head(f"{app.url}health").status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    health = answer.json()
    assert health == client.predict(api_name="/health")
    assert set(health) == set(HealthJson.__annotations__)
    assert (health["status"], health["pack"], health["gallery"]) == ("ok", "sface", "starter")


def test_language_models_are_not_served_unless_the_setting_says_so(app: RunningApp) -> None:
    assert httpx.get(f"{app.url}gradio_api/mcp/").status_code == 404
    assert httpx.get(f"{app.url}config").json()["mcp_server"] is False


def test_the_readmes_python_lines_work(app: RunningApp, photo: Path) -> None:
    code = readme_block("run: python", app.url)
    lines = run_lines([sys.executable, "-c", code], photo.parent)
    assert lines[-1] == "ok"
    assert lines[-2].endswith("actors from Korea")
    assert len([line for line in lines[:-2] if line[-1].isdigit()]) == 3  # name, name, score


def test_the_readmes_curl_lines_work(app: RunningApp, photo: Path) -> None:
    lines = run_lines(["bash", "-ec", readme_block("run: bash", app.url)], photo.parent)
    assert lines[0] == "event: complete"
    (answer,) = json.loads(lines[1].removeprefix("data: "))
    assert answer["photo"] == "me.jpg"
    assert len(answer["faces"][0]["matches"]) == 3
    assert json.loads(lines[-1])["status"] == "ok"


def test_the_readmes_example_has_the_fields_of_a_real_answer(client: Client, photo: Path) -> None:
    example, error = map(json.loads, readme_block("example: answer").splitlines())
    real = client.predict(handle_file(photo), 1, api_name="/match")
    assert list(flattened(example)) == list(flattened(real))
    told, found = (answer["faces"][0]["matches"][0] for answer in (example, real))
    assert told["names"] == found["names"]
    assert told["similarity"] == pytest.approx(found["similarity"], abs=0.005)
    assert told["score"] == pytest.approx(found["score"], abs=1)
    assert set(error) == set(NoAnswerJson.__annotations__)


def run_lines(command: list[str], folder: Path) -> list[str]:
    """What a command prints, without empty lines."""
    env = os.environ | {"PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.strip()]


def flattened(value: Any, path: str = "") -> Iterator[str]:
    """Paths of all fields in order, such as .faces.matches.actor."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{path}.{name}"
            yield from flattened(inner, f"{path}.{name}")
    elif isinstance(value, list) and value:
        yield from flattened(value[0], path)
