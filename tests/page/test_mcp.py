"""The running app as language models meet it, through the real client of their protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from gradio_client import Client, handle_file
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent, Tool
from PIL import Image

from core.answer import (
    ActorJson,
    AnswerJson,
    CreditJson,
    FaceJson,
    HealthJson,
    MatchJson,
    NoAnswerJson,
    PartsJson,
    VerdictJson,
)
from core.errors import SettingsError
from core.page.gradio_patches import prepare_mcp
from tests.conftest import ASTRONAUT
from tests.readme_blocks import readme_block
from tests.running_app import RunningApp

T = TypeVar("T")
SWEEP = 45  # seconds within which it must be gone, on a busy machine
FORMS = {
    "match": (AnswerJson, FaceJson, MatchJson, VerdictJson, CreditJson, PartsJson, NoAnswerJson),
    "actors": (ActorJson,),
    "health": (HealthJson,),
}


@pytest.fixture(scope="module")
def app(brief_app: RunningApp) -> RunningApp:
    return brief_app


@pytest.fixture(scope="module")
def tools(app: RunningApp) -> dict[str, Tool]:
    return list_tools(f"{app.url}gradio_api/mcp/")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.open(ASTRONAUT).convert("RGB").save(tmp_path / "me.jpg", quality=95)
    return tmp_path / "me.jpg"


def in_session(url: str, ask: Callable[[ClientSession], Awaitable[T]]) -> T:
    async def run() -> T:
        async with (
            streamable_http_client(url) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await ask(session)

    return asyncio.run(run())


def list_tools(url: str) -> dict[str, Tool]:
    found = in_session(url, lambda session: session.list_tools())
    return {tool.name: tool for tool in found.tools}


def call(app: RunningApp, tool: str, **arguments: Any) -> CallToolResult:
    url = f"{app.url}gradio_api/mcp/"
    return in_session(url, lambda session: session.call_tool(tool, arguments))


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def base64_of(picture: Path) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(picture.read_bytes()).decode()}"


def test_a_model_sees_three_tools_and_nothing_of_the_page(
    app: RunningApp, tools: dict[str, Tool]
) -> None:
    assert set(tools) == {"match", "actors", "health"}
    refused = call(app, "show", photo="https://example.org/me.jpg")
    assert refused.isError


@pytest.mark.parametrize("name", FORMS)
def test_a_tools_description_names_every_field_of_its_result(
    name: str, tools: dict[str, Tool]
) -> None:
    told = tools[name].description or ""
    missing = [field for form in FORMS[name] for field in form.__annotations__ if field not in told]
    assert missing == []


def test_match_says_what_it_is_not_and_how_to_send_a_photo(tools: dict[str, Tool]) -> None:
    told, schema = tools["match"].description or "", tools["match"].inputSchema
    assert "for fun" in told
    assert "never an identification" in told
    assert schema["required"] == ["photo"]
    arguments = schema["properties"]
    assert list(arguments) == ["photo", "top_k", "gender", "country", "parts"]
    assert all(argument["description"] for argument in arguments.values())
    photo = arguments["photo"]
    assert photo["type"] == "string"
    assert "http(s) address" in photo["description"]
    assert "base64" in photo["description"]
    assert (arguments["top_k"]["type"], arguments["top_k"]["minimum"]) == ("integer", 1)
    assert arguments["gender"]["enum"] == ["", "women", "men"]


def test_a_photo_as_base64_gives_the_answer_of_the_api(
    app: RunningApp, picture: Path, tmp_path: Path
) -> None:
    result = call(app, "match", photo=base64_of(picture), top_k=2, gender="women")
    assert not result.isError
    answer = json.loads(text_of(result))  # JSON, not Python's way of writing a dictionary
    client = Client(app.url, verbose=False, download_files=tmp_path)
    same = client.predict(handle_file(picture), 2, "women", api_name="/match")
    assert answer["faces"] == same["faces"]
    assert len(answer["faces"][0]["matches"]) == 2


def test_the_gallery_and_the_state_can_be_asked(app: RunningApp) -> None:
    actors = json.loads(text_of(call(app, "actors", gender="women", country="KR")))
    assert {entry["gender"] for entry in actors} == {"women"}
    assert json.loads(text_of(call(app, "health")))["status"] == "ok"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"gender": "robots"}, "'robots' is not one of"),
        ({"country": "ZZ"}, "country is 'ZZ'; this gallery knows"),
        ({"photo": "http://127.0.0.1/me.jpg"}, "the photo cannot be fetched from its address"),
        ({"photo": "me.jpg"}, "provide a url"),
    ],
)
def test_a_wrong_argument_is_an_error_the_model_can_read(
    wrong: dict[str, Any], words: str, app: RunningApp, picture: Path
) -> None:
    result = call(app, "match", **{"photo": base64_of(picture), **wrong})
    assert result.isError
    assert words in text_of(result)


def test_a_models_photo_is_gone_soon_and_asks_nobody(app: RunningApp, picture: Path) -> None:
    app.outside_connections()
    call(app, "match", photo=base64_of(picture))
    assert any(path.suffix in (".jpg", ".jpeg") for path in app.photos.rglob("*"))
    deadline = time.monotonic() + SWEEP
    while kept := [path for path in app.photos.rglob("*") if path.parent.parent == app.photos]:
        assert time.monotonic() < deadline, f"still there: {kept}"
        time.sleep(0.1)
    assert [path for path in app.temporary.rglob("*") if path.is_file()] == []
    assert app.outside_connections() == []
    assert "me.jpg" not in app.log


def test_the_readmes_configuration_leads_to_the_tools(app: RunningApp) -> None:
    configuration = json.loads(readme_block("run: mcp", app.url))
    (server,) = configuration["mcpServers"].values()
    assert "match" in list_tools(server["url"])


def test_without_its_package_the_setting_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(SettingsError, match="LOOKALIKE_MCP is on") as refused:
        prepare_mcp()
    assert 'python -m pip install "gradio[mcp]"' in str(refused.value)
