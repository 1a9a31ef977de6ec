"""Put on PYTHONPATH of a process under test: notes every address it connects to or looks up."""

import os
import sys
from pathlib import Path

SOCKET_EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname")


def note(event: str, args: tuple[object, ...]) -> None:
    if event in SOCKET_EVENTS:
        with Path(os.environ["AUDIT_LOG"]).open("a", encoding="utf-8") as log:
            log.write(f"{event}\t{args!r}\n")


if "AUDIT_LOG" in os.environ:
    sys.addaudithook(note)
