"""A loopback stand-in of the Hugging Face Hub, for tests and for trying things by hand.

In: a folder with <org>/<repo>/<file>; besides, Spaces and datasets may be made and written to
(tests/hub_repos.py). As a script, `python -m tests.hub_standin FOLDER` puts a
stand-in AuraFace there if there is none, prints what to set, and serves until Ctrl-C.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.hub_repos import HubRepos
from tests.loopback import LoopbackHandler, LoopbackStandin

ROOT = Path(__file__).resolve().parent.parent
AURAFACE = "fal/AuraFace-v1/glintr100.onnx"
HOOKS = ROOT / "tests" / "audit"
NOWHERE = "http://127.0.0.1:9"  # nothing listens there
RESOLVE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<name>.+)")


@dataclass
class Faults:
    """What goes wrong. May be changed while the server runs."""

    cut_after: int | None = None  # bytes of a body before the connection is closed, once
    cut_always: bool = False  # ... every time
    stall_after: int | None = None  # bytes of a body after which nothing more comes
    tampered: bool = False  # the last byte differs from the published file's
    tampered_etag: bool = False  # ... and the ETag owns up to it
    silent: bool = False  # accepts and never answers
    status: int | None = None  # answers everything with this status
    content_status: int | None = None  # ... every GET of a file
    page: bool = False  # no Hub: a login page answers everything
    away: str | None = None  # no Hub: everything is redirected to this address
    cdn: bool = False  # no fault: a redirect to another host, as the Hub does for large files


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    range: str | None


class HubStandin(LoopbackStandin):
    """Serves a folder until the `with` block ends: `with HubStandin(folder) as hub: hub.url`."""

    def __init__(self, folder: Path, faults: Faults | None = None, port: int = 0) -> None:
        self.folder = folder
        self.faults = faults or Faults()
        self.requests: list[Request] = []
        self.repos = HubRepos()
        self.arrived = threading.Event()  # a body is under way
        self.closing = threading.Event()
        self.lock = threading.Lock()
        super().__init__(_Handler, port)

    def __exit__(self, *error: object) -> None:
        self.closing.set()
        super().__exit__(*error)

    @property
    def downloads(self) -> list[Request]:
        """The requests for contents."""
        return [entry for entry in self.requests if entry.method == "GET" and _is_content(entry)]

    def cut(self, size: int) -> int:
        """How many of `size` bytes of a body are sent before the connection is closed."""
        with self.lock:
            limit = self.faults.cut_after
            if limit is None or limit >= size:
                return size
            if not self.faults.cut_always:
                self.faults.cut_after = None
            return limit


def _is_content(request: Request) -> bool:
    return "/resolve/" in request.path or request.path.startswith("/cdn/")


class _Handler(LoopbackHandler):
    def answer(self) -> None:
        hub, body = self.standin, self.body()
        hub.requests.append(Request(self.command, self.path, self.headers.get("Range")))
        asked = RESOLVE.fullmatch(self.path)
        if hub.faults.silent:
            hub.closing.wait()
            self.close_connection = True
        elif hub.faults.page:
            self._send(200, {"Content-Type": "text/html"}, b"<html>Log in</html>")
        elif hub.faults.away:
            self._send(302, {"Location": hub.faults.away})
        elif hub.faults.status:
            self._send(hub.faults.status, {})
        elif hub.faults.content_status and asked and self.command == "GET":
            self._send(hub.faults.content_status, {})
        elif self.path.startswith("/cdn/"):
            self._send_file(hub.folder / self.path.removeprefix("/cdn/"), {})
        elif asked:
            self._resolve(asked["repo"], asked["revision"], asked["name"])
        elif written := hub.repos.answer(self.command, self.path, self.headers, body, hub.url):
            self._send(written.status, written.headers, written.body)
        else:
            self._send(404, {})

    def _resolve(self, repo: str, revision: str, name: str) -> None:
        hub = self.standin
        path = hub.folder / repo / name
        if not path.is_file():
            unknown = "EntryNotFound" if path.parent.is_dir() else "RepoNotFound"
            self._send(404, {"X-Error-Code": unknown})
            return
        fixed = re.fullmatch(r"[0-9a-f]{40}", revision)
        commit = {"X-Repo-Commit": revision if fixed else hashlib.sha1(repo.encode()).hexdigest()}
        if not hub.faults.cdn:
            self._send_file(path, commit)
            return
        data, etag = self._content(path)
        linked = {"X-Linked-Size": str(len(data)), "X-Linked-ETag": etag}
        away = {"Location": f"http://localhost:{hub.port}/cdn/{repo}/{name}"}
        self._send(302, commit | linked | away)

    def _content(self, path: Path) -> tuple[bytes, str]:
        faults = self.standin.faults
        data = published = path.read_bytes()
        if faults.tampered:
            data = data[:-1] + bytes([data[-1] ^ 1])
        owned_up = data if faults.tampered_etag else published
        return data, f'"{hashlib.sha256(owned_up).hexdigest()}"'

    def _send_file(self, path: Path, headers: dict[str, str]) -> None:
        data, etag = self._content(path)
        headers = headers | {"ETag": etag, "Accept-Ranges": "bytes"}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not wanted:
            self._send(200, headers, data)
            return
        start, end = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
        if start > end:
            self._send(416, {"Content-Range": f"bytes */{len(data)}"})
            return
        span = {"Content-Range": f"bytes {start}-{end}/{len(data)}"}
        self._send(206, headers | span, data[start : end + 1])

    def _send(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        always = {"Content-Length": str(len(body)), "X-HF-Warning": "token; There is no token."}
        for name, value in (headers | always).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(body)

    def _send_body(self, body: bytes) -> None:
        hub = self.standin
        stall = hub.faults.stall_after
        sent = hub.cut(len(body)) if stall is None else min(stall, len(body))
        self.wfile.write(body[:sent])
        self.wfile.flush()
        if body:
            hub.arrived.set()
        if sent < len(body):
            self.close_connection = True
            if stall is not None:
                hub.closing.wait()


def make_standin_recogniser(path: Path, pooling: int = 7) -> Path:
    """An ONNX recogniser with glintr100's input and output; its embeddings depend on the pixels.

    (1, 3, 112, 112) → (1, 512), 1.6 MB; with `pooling` 2 it is 19 MB.
    """
    import onnx
    from onnx import helper, numpy_helper

    side = 112 // pooling
    weights = np.random.default_rng(0).standard_normal((3 * side * side, 512), np.float32)
    nodes = [
        helper.make_node(
            "AveragePool",
            ["input.1"],
            ["pooled"],
            kernel_shape=[pooling, pooling],
            strides=[pooling, pooling],
        ),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "standin",
        [helper.make_tensor_value_info("input.1", onnx.TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("embedding", onnx.TensorProto.FLOAT, [1, 512])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return path


def publish_standin(folder: Path, pooling: int = 7) -> dict[str, str]:
    """Put a stand-in AuraFace into a folder to serve; what a process needs to take it for real."""
    make_standin_recogniser(folder / AURAFACE, pooling)
    return standin_env(folder)


def standin_env(folder: Path) -> dict[str, str]:
    """Environment of a process that takes a published stand-in for AuraFace's own weights."""
    return {"PYTHONPATH": str(HOOKS), "STANDIN_RECOGNISER": str(folder / AURAFACE)}


@contextlib.contextmanager
def client_at(url: str, folder: Path, token: str = "") -> Iterator[None]:
    """The Hub's client of this process asks a stand-in, with this token, and caches in `folder`."""
    import huggingface_hub
    from huggingface_hub import constants

    known = {
        "ENDPOINT": url,
        "HUGGINGFACE_CO_URL_TEMPLATE": url + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_CACHE": str(folder / "hub"),
        "HF_TOKEN_PATH": str(folder / "no-token"),
        "HF_HUB_OFFLINE": False,
        "HF_HUB_DISABLE_XET": True,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in known.items():
            patch.setattr(constants, name, value)
        patch.setenv("NO_PROXY", "*")
        patch.setenv("HF_TOKEN", token)
        huggingface_hub.close_session()
        yield
        huggingface_hub.close_session()


def script_env(tmp_path: Path, url: str = NOWHERE, **env: str) -> dict[str, str]:
    """Environment of a script whose Hub is at `url`; models and Hub cache lie in `tmp_path`."""
    from tests.running_app import clean_env

    return clean_env(tmp_path) | {
        "HF_ENDPOINT": url,
        "HF_HUB_OFFLINE": "0",
        "NO_PROXY": "*",
        "LOOKALIKE_MODELS_DIR": str(tmp_path / "models"),
        **env,
    }


def start_download(
    tmp_path: Path, *arguments: str, url: str = NOWHERE, **env: str
) -> subprocess.Popen[str]:
    """Start `scripts/download_models.py`."""
    return subprocess.Popen(
        [sys.executable, "scripts/download_models.py", *arguments],
        cwd=ROOT,
        env=script_env(tmp_path, url, **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for a started script and read what it wrote."""
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def download_models(
    tmp_path: Path, *arguments: str, url: str = NOWHERE, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run `scripts/download_models.py` to its end."""
    return finish(start_download(tmp_path, *arguments, url=url, **env))


def download_here(
    tmp_path: Path, *arguments: str, url: str = NOWHERE, **env: str
) -> subprocess.CompletedProcess[str]:
    """The same in this process: all but what its libraries write to stderr by themselves."""
    from tests.running_script import run_here

    given = {"LOOKALIKE_MODELS_DIR": str(tmp_path / "models"), **env}
    with client_at(url, tmp_path / "hf"):
        return run_here("download_models", *arguments, cwd=ROOT, env=given)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a script that ended with a set-up fault, checked to be that."""
    assert done.returncode == 2, (done.stdout, done.stderr)
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: "), done.stderr
    return lines[0]


def main() -> None:
    folder = Path(sys.argv[1]).absolute()
    env = standin_env(folder) if (folder / AURAFACE).is_file() else publish_standin(folder)
    with HubStandin(folder) as hub, contextlib.suppress(KeyboardInterrupt):
        settings = {"HF_ENDPOINT": hub.url} | env
        print(" ".join(f"{name}={value}" for name, value in settings.items()), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
