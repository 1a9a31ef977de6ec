"""Visitors in a process of their own: what they sent and got is then in no other process.

One comes for each line, the name of a method of `Visitor` and its number; says one JSON object.
"""

from __future__ import annotations

import base64
import json
import socket
import sys
import threading
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
from PIL import Image

NEEDLE = 60  # characters or bytes


def backwards(text: Any) -> list[Any]:
    """Some from the middle, from the last to the first: so it is found in no list of needles."""
    middle = len(text) // 2
    return list(reversed(text[middle : middle + NEEDLE]))


class Visitor:
    """One tab, or one caller of the API."""

    def __init__(self, url: str, photo: Path, fns: dict[str, int]) -> None:
        self.api = f"{url}gradio_api/"
        self.photo = photo.with_name(f"{uuid.uuid4().hex}.png")  # known to nobody else
        self.photo.write_bytes(photo.read_bytes())
        self.fns = fns
        self.session = uuid.uuid4().hex
        self.client = httpx.Client(timeout=60)
        self.image = Image.open(self.photo)

    def heartbeat(self) -> None:
        opened = threading.Event()

        def beat() -> None:
            with httpx.stream("GET", f"{self.api}heartbeat/{self.session}", timeout=None) as lines:
                for _ in lines.iter_lines():
                    opened.set()

        threading.Thread(target=beat, daemon=True).start()
        opened.wait(10)

    def upload(self) -> dict[str, Any]:
        sent = {"files": (self.photo.name, self.photo.read_bytes())}
        asked = {"upload_id": uuid.uuid4().hex}
        answer = self.client.post(f"{self.api}upload", files=sent, params=asked)
        return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}

    def join(self, name: str, data: list[Any]) -> str:
        body = {"data": data, "fn_index": self.fns[name], "session_hash": self.session}
        return str(self.client.post(f"{self.api}queue/join", json=body).json()["event_id"])

    def messages(self) -> Any:
        asked = {"session_hash": self.session}
        with self.client.stream("GET", f"{self.api}queue/data", params=asked) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    def ask(self, name: str, data: list[Any]) -> list[Any]:
        self.join(name, data)
        done = [message for message in self.messages() if message["msg"] == "process_completed"]
        assert done[0]["success"], done
        return list(done[0]["output"]["data"])

    def needles(self, kept: Any = None) -> dict[str, Any]:
        """What must not be found afterwards."""
        pixels = np.asarray(self.image)[self.image.height // 2].tobytes()
        found: dict[str, Any] = {
            "size": self.image.size,
            "pixels": backwards(pixels),
            "texts": [backwards(self.photo.stem), backwards(self.frame()["url"])],
        }
        if kept:
            face = kept["faces"][0]
            found["texts"] += [backwards(face[part]) for part in ("embedding", "crop", "framed")]
            found["embedding"] = np.frombuffer(base64.b64decode(face["embedding"]), "<f4").tolist()
        return found

    def frame(self) -> dict[str, str]:
        encoded = base64.b64encode(self.photo.read_bytes()).decode()
        return {"url": f"data:image/png;base64,{encoded}"}

    def tab(self) -> dict[str, Any]:
        """A photo, another filter, a card."""
        self.heartbeat()
        _, kept, _, _ = self.ask("show", [self.upload(), "", ""])
        self.ask("show_again", [kept, "women", ""])
        self.ask("greet", [kept, "women", ""])
        (card,) = self.ask("draw_card", [kept, "", "", [0, 0]])
        found = self.needles(kept)
        found["texts"].append(backwards(card.split("base64,")[1].split('"')[0]))
        return found

    def live(self) -> dict[str, Any]:
        """Two frames of the camera, which stays on."""
        self.heartbeat()
        event = self.join("live", [self.frame()])
        self.stream = self.messages()
        for _ in range(2):
            next(message for message in self.stream if message["msg"] == "process_streaming")
            body = {"data": [self.frame()], "session_hash": self.session, "event_id": event}
            self.client.post(f"{self.api}stream/{event}", json=body)
        next(message for message in self.stream if message["msg"] == "process_streaming")
        return {**self.needles(), "session": self.session}

    def call(self, name: str, data: dict[str, Any]) -> None:
        """As curl does it."""
        event = self.client.post(f"{self.api}call/v2/{name}", json=data).json()["event_id"]
        answer = self.client.get(f"{self.api}call/v2/{name}/{event}").text
        assert "event: complete" in answer, answer

    def match(self, count: str) -> dict[str, Any]:
        """The photo as a file and as base64."""
        photos = self.upload(), self.frame()
        for number in range(int(count)):
            self.call("match", {"photo": photos[number % 2], "top_k": 1})
        return self.needles()

    def health(self, count: str) -> dict[str, Any]:
        for _ in range(int(count)):
            self.call("health", {})
        return {}

    def direct(self, count: str) -> dict[str, Any]:
        """Past the queue."""
        for _ in range(int(count)):
            self.client.post(f"{self.api}run/health", json={"data": []}).raise_for_status()
        return {}

    def python(self) -> dict[str, Any]:
        """With Gradio's own client, which stays open."""
        from gradio_client import Client, handle_file

        self.other = Client(self.api.removesuffix("gradio_api/"), verbose=False)
        self.other.predict(handle_file(self.photo), 1, api_name="/match")
        return self.needles()

    def unfetched(self) -> dict[str, Any]:
        """A result that nobody waits for."""
        self.join("show", [self.upload(), "", ""])
        return {**self.needles(), "session": self.session}

    def failed(self) -> dict[str, Any]:
        """Calls that end in an error."""
        stolen = {"path": f"/etc/{self.photo.name}", "meta": {"_type": "gradio.FileData"}}
        path = self.photo.name
        for name, data in (
            ("show", [stolen, "", ""]),
            ("show", [self.upload(), path, [path]]),
            ("show", [{"path": [path]}, "", ""]),
            ("draw_card", [{"faces": path}, "", "", [path]]),
            ("live", [{"url": f"data:image/png;base64,{path}"}]),
        ):
            self.join(name, data)
            list(self.messages())
        self.client.post(f"{self.api}run/match", json={"data": [stolen, 1, path, path]})
        self.client.get(f"{self.api}custom_component/{path}/client/component/{path}")
        self.client.get(f"{self.api}file={stolen['path']}")
        self.client.get(f"{self.api}upload", params={"upload_id": path})
        return self.needles()

    def cut(self) -> dict[str, Any]:
        """An upload that ends in the middle."""
        place = urlsplit(self.api)
        head = (
            f"POST {place.path}upload?upload_id={self.session} HTTP/1.1\r\nHost: {place.netloc}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 99999999\r\n\r\n"
            f'--x\r\nContent-Disposition: form-data; name="files"; filename="{self.photo.name}"\r\n'
            "Content-Type: image/png\r\n\r\n"
        )
        with socket.create_connection((place.hostname, place.port)) as connection:
            connection.sendall(head.encode() + self.photo.read_bytes())
            connection.shutdown(socket.SHUT_WR)
        return self.needles()


def main() -> None:
    url, photo, fns = sys.argv[1:]
    here = []
    for line in sys.stdin:
        name, *arguments = line.split()
        here.append(Visitor(url, Path(photo), json.loads(fns)))
        print(json.dumps(getattr(here[-1], name)(*arguments)), flush=True)


if __name__ == "__main__":
    main()
