"""Somebody who asks the API as curl does, which costs this process little: upload, call, fetch."""

from __future__ import annotations

import json
from typing import Any

import httpx


def told(http: httpx.Client, content: bytes, name: str, top_k: int = 5) -> dict[str, Any]:
    """What /match says of a file's content: its answer, or its refusal as the page words it.

    Args:
        http: a client whose base is the app's address.
        content: of the file.
        name: that it is uploaded under.
        top_k: matches that are asked for.
    """
    sent = http.post("gradio_api/upload", files={"files": (name, content)}).raise_for_status()
    photo = {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}
    call = {"data": [photo, top_k, "", "", False]}
    event = http.post("gradio_api/call/match", json=call).raise_for_status().json()["event_id"]
    stream = http.get(f"gradio_api/call/match/{event}").raise_for_status().text
    kind, _, data = stream.strip().rpartition("\n\n")[2].partition("\ndata: ")
    value = json.loads(data)
    if kind == "event: complete":
        (answer,) = value
        assert isinstance(answer, dict)
        return answer
    assert kind == "event: error", stream
    return {"error": {"message": value["error"]}}
