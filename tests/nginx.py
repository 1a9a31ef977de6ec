"""Debian's nginx with TLS and a sub-path in front of an app, as docs/hosting.md has it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.page.app import free_port
from tests.conftest import ROOT

PROGRAM = shutil.which("nginx") or "/usr/sbin/nginx"
MAIN = """
{user} daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; types {{}} default_type application/octet-stream;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {servers}
}}
"""


def documented() -> str:
    """The server block of docs/hosting.md."""
    page = (ROOT / "docs" / "hosting.md").read_text("utf-8")
    found = re.search(r"```nginx\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1]


def make_certificate(folder: Path) -> None:
    """Self-signed, for the address of this machine."""
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *made],
        check=True,
        capture_output=True,
    )


def server(folder: Path, app_port: int, port: int, changed: str = "") -> str:
    """The documented block with this machine's ports and files.

    Args:
        changed: a line more within its location.
    """
    block = documented()
    for theirs, ours in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "server_name example.org": "server_name 127.0.0.1",
        "/etc/ssl/example.org.pem": str(folder / "cert.pem"),
        "/etc/ssl/example.org.key": str(folder / "key.pem"),
        "http://127.0.0.1:7860/": f"http://127.0.0.1:{app_port}/",
        "client_max_body_size 28m;": f"client_max_body_size 8m; {changed}",
    }.items():
        assert theirs in block, theirs
        block = block.replace(theirs, ours)
    return block


@contextmanager
def running_nginx(folder: Path, app_port: int) -> Iterator[tuple[str, str]]:
    """The page's address behind it, and behind one that holds event streams back all the same."""
    folder.mkdir()
    make_certificate(folder)
    ports = free_port(), free_port()
    held = "proxy_ignore_headers X-Accel-Buffering;"
    servers = server(folder, app_port, ports[0]) + server(folder, app_port, ports[1], held)
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # else it could not read root's folders
    config.write_text(MAIN.format(folder=folder, servers=servers, user=user))
    process = subprocess.Popen([PROGRAM, "-e", str(folder / "error.log"), "-c", str(config)])
    try:
        for port in ports:
            _wait_for(port, process)
        yield f"https://127.0.0.1:{ports[0]}/look/", f"https://127.0.0.1:{ports[1]}/look/"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "nginx did not start"
        time.sleep(0.05)
    raise AssertionError("nginx does not answer")
