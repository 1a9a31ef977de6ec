"""Visitors as locust plays them: each a tab that opens, shows photos, some bad, and closes.

Run by scripts/soak.py, or by hand: `locust -f scripts/page/simulated_visitors.py --host URL`.
"""

from __future__ import annotations

import io
import os
import random
import socket
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from locust import HttpUser, between, constant, task
from PIL import Image

PHOTOS = "SOAK_PHOTOS"  # environment variable: a folder of photos, each with a face
ANSWER_SECONDS = 60
SLOW_STEPS, SLOW_SECONDS = 20, 1.5  # a slow upload: parts, and the pause after each
NO_ANSWER = "event: error"


def photos() -> list[bytes]:
    """The photos that are shown."""
    files = sorted(Path(os.environ[PHOTOS]).rglob("*.jpg"))
    return [file.read_bytes() for file in files[:200]]


def _png(size: tuple[int, int], colour: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


GOOD = photos()
BAD = {  # name: content, and the code of the answer
    "cut.jpg": (GOOD[0][: len(GOOD[0]) // 2], "unreadable"),
    "text.jpg": (b"I am no picture", "unreadable"),
    "page.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unreadable"),
    "large.png": (_png((9000, 9000), "white"), "too_large"),
    "wall.png": (_png((640, 480), "grey"), "no_face"),
}


class Visitor(HttpUser):
    """A tab."""

    weight = 19
    wait_time = between(2, 8)

    def on_start(self) -> None:
        """Open the page."""
        self.client.get("/", name="page")

    @task(7)
    def show_a_photo(self) -> None:
        """A face, and an answer with actors."""
        self._match("me.jpg", random.choice(GOOD), "")  # noqa: S311 - no secret # nosec B311

    @task(2)
    def show_something_else(self) -> None:
        """What is no photo, or shows no face; one sentence says so."""
        name = random.choice(list(BAD))  # noqa: S311 # nosec B311
        self._match(name, *BAD[name])

    @task(1)
    def leave_before_the_answer(self) -> None:
        """The tab is closed while its photo is matched."""
        upload = self._upload("me.jpg", random.choice(GOOD))  # noqa: S311 # nosec B311
        session = uuid.uuid4().hex
        event = {"fn_index": self._event("match"), "session_hash": session,
                 "data": [upload, None, None, None, None]}  # fmt: skip
        self.client.post("/gradio_api/queue/join", json=event, name="join")
        path = f"/gradio_api/queue/data?session_hash={session}"
        with self.client.get(path, stream=True, catch_response=True, name="left") as response:
            next(response.iter_lines(), None)
            response.success()

    def _match(self, name: str, content: bytes, code: str) -> None:
        sent = {"data": [self._upload(name, content), 5, None, None, None]}
        event = self.client.post("/gradio_api/call/match", json=sent, name="call").json()
        path = f"/gradio_api/call/match/{event['event_id']}"
        with self.client.get(
            path, timeout=ANSWER_SECONDS, catch_response=True, name=f"answer {code}".strip()
        ) as response:
            if response.status_code != 200 or NO_ANSWER in response.text:
                response.failure(f"{name}: {response.status_code} {response.text[:200]}")
            elif (f'"{code}"' if code else '"faces"') not in response.text:
                response.failure(f"{name}: {response.text[:200]}")

    def _upload(self, name: str, content: bytes) -> dict[str, Any]:
        self.client.close()  # after the pause the server may be closing it: a browser asks anew
        sent = self.client.post("/gradio_api/upload", files={"files": (name, content)})
        return {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}

    def _event(self, name: str) -> int:
        known = self.client.get("/config", name="config").json()["dependencies"]
        return int(next(one["id"] for one in known if one["api_name"] == name))


class SlowUploader(HttpUser):
    """Somebody on a bad line, who must keep nobody else waiting; every other upload breaks off."""

    fixed_count = 1
    wait_time = constant(1)

    @task
    def upload_slowly(self) -> None:
        """A photo in parts, over half a minute."""
        whole, body = random.random() < 0.5, self._body()  # noqa: S311 # nosec B311
        started = time.monotonic()
        address = urlsplit(self.host)
        line = socket.create_connection((address.hostname, address.port), timeout=ANSWER_SECONDS)
        try:
            step = -(-len(body) // SLOW_STEPS)
            for start in range(0, len(body) if whole else len(body) // 2, step):
                line.sendall(body[start : start + step])
                time.sleep(SLOW_SECONDS)
            answer = line.recv(64) if whole else b""
            fault = None if not whole or b" 200 " in answer else OSError(repr(answer))
        except OSError as error:
            fault = error
        finally:
            line.close()
        self.environment.events.request.fire(
            request_type="RAW",
            name="slow upload" if whole else "upload that breaks off",
            response_time=1000 * (time.monotonic() - started),
            response_length=0,
            exception=fault,
        )

    def _body(self) -> bytes:
        mark = uuid.uuid4().hex
        part = (
            f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="me.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        ).encode() + random.choice(GOOD)  # noqa: S311 # nosec B311
        part += f"\r\n--{mark}--\r\n".encode()
        head = (
            "POST /gradio_api/upload HTTP/1.1\r\n"
            f"Host: {urlsplit(self.host).netloc}\r\nConnection: close\r\n"
            f"Content-Type: multipart/form-data; boundary={mark}\r\n"
            f"Content-Length: {len(part)}\r\n\r\n"
        )
        return head.encode() + part
