"""Visitors of a page over real HTTP, each a thread with a connection of its own."""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from serving import serve

JSON = {"Content-Type": "application/json"}
PATIENCE = 120  # seconds


class Visitor:
    """One who uploads a photo and waits for its matches, again and again; or a Live tab."""

    def __init__(self, url: str, photo: bytes) -> None:
        """Nothing is sent yet."""
        self._place = urlsplit(url).netloc
        self._connection = HTTPConnection(self._place, timeout=PATIENCE)
        self._photo = photo

    def match(self) -> bool:
        """Whether the photo got an answer."""
        answer = self._sent("/gradio_api/upload", *_multipart(self._photo))
        photo = {"path": json.loads(answer)[0], "meta": {"_type": "gradio.FileData"}}
        asked = json.dumps({"data": [photo, 5, "", "", False]}).encode()
        event = json.loads(self._sent("/gradio_api/call/match", asked, JSON))["event_id"]
        self._connection.request("GET", f"/gradio_api/call/match/{event}")
        return b"event: complete" in self._connection.getresponse().read()

    def frames(self, end: float) -> int:
        """A Live tab's frames, each sent when the last one is answered; how many were."""
        session = uuid.uuid4().hex
        beat = HTTPConnection(self._place, timeout=PATIENCE)
        beat.request("GET", f"/gradio_api/heartbeat/{session}")
        beat.getresponse().fp.readline()
        url = f"data:image/jpeg;base64,{base64.b64encode(self._photo).decode()}"
        body: dict[str, Any] = {"data": [{"url": url}], "session_hash": session}
        join = json.dumps({**body, "fn_index": self._live_function()}).encode()
        event = json.loads(self._sent("/gradio_api/queue/join", join, JSON))["event_id"]
        listening = HTTPConnection(self._place, timeout=PATIENCE)
        listening.request("GET", f"/gradio_api/queue/data?session_hash={session}")
        again = json.dumps({**body, "event_id": event}).encode()
        count = 0
        for message in _messages(listening):
            if message != "process_streaming":
                continue
            count += 1
            if time.monotonic() >= end:
                break
            self._sent(f"/gradio_api/stream/{event}", again, JSON)
        self._sent(f"/gradio_api/stream/{event}/close", b"", {})
        listening.close()
        beat.close()
        return count

    def _live_function(self) -> int:
        self._connection.request("GET", "/config")
        config = json.loads(self._connection.getresponse().read())
        return next(
            place
            for place, entry in enumerate(config["dependencies"])
            if any(event == "stream" for _, event in entry["targets"])
        )

    def _sent(self, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        self._connection.request("POST", path, body, headers)
        return self._connection.getresponse().read()


def _messages(connection: HTTPConnection) -> Iterator[str]:
    answer = connection.getresponse()
    while line := answer.readline():
        if line.startswith(b"data:"):
            yield json.loads(line[5:])["msg"]


def _multipart(photo: bytes) -> tuple[bytes, dict[str, str]]:
    edge = uuid.uuid4().hex
    head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="me.jpg"\r\n'
    body = (
        f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + photo + f"\r\n--{edge}--\r\n".encode()
    )
    return body, {"Content-Type": f"multipart/form-data; boundary={edge}"}


def visit(url: str, photo: str, count: int, seconds: float, pace: float = 0.0) -> dict[str, Any]:
    """So many visitors at once; seconds of every answered photo, and how many failed.

    Args:
        url: of the page.
        photo: a file.
        count: of visitors.
        seconds: a photo is begun while they last.
        pace: photos a second, of all together; 0: the next follows at once.
    """
    data = Path(photo).read_bytes()
    waited: list[float] = []
    failed: list[str] = []
    started = time.monotonic()

    def work(number: int) -> None:
        visitor = Visitor(url, data)
        due = started + number / pace if pace else started
        while time.monotonic() - started < seconds:
            time.sleep(max(0.0, due - time.monotonic()))
            due += count / pace if pace else 0.0
            begun = time.monotonic()
            try:
                answered = visitor.match()
            except (OSError, ValueError, LookupError) as error:
                failed.append(repr(error))
                return
            if answered:
                waited.append(time.monotonic() - begun)
            else:
                failed.append("no answer")

    _run([threading.Thread(target=work, args=(number,)) for number in range(count)])
    return {"waited": waited, "failed": failed, "seconds": time.monotonic() - started}


def once(url: str, photo: str) -> bool:
    """One visitor, one photo."""
    return Visitor(url, Path(photo).read_bytes()).match()


def live(url: str, frame: str, seconds: float, photo: str = "", uploads: int = 0) -> dict[str, Any]:
    """Frames a second that one Live tab gets answered, beside so many visitors with a photo."""
    others = threading.Thread(target=visit, args=(url, photo, uploads, seconds))
    if uploads:
        others.start()
    visitor, started = Visitor(url, Path(frame).read_bytes()), time.monotonic()
    count = visitor.frames(started + seconds)
    rate = count / (time.monotonic() - started)
    if uploads:
        others.join()
    return {"rate": rate, "frames": count}


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    serve({"visit": visit, "once": once, "live": live})
