"""Where the page is served: port and host, of the command line or the platform; behind whom."""

from __future__ import annotations

import socket
from collections.abc import Mapping, MutableMapping

from core.errors import SettingsError
from core.settings import Settings

EVERY_INTERFACE = "0.0.0.0"  # noqa: S104 - in a container, behind its platform's proxy # nosec B104
HOSTED = ("PORT", "SPACE_ID")  # set where a platform's proxy must reach the server
HIGHEST_PORT = 65535
OWN_ADDRESSES = "127.0.0.1,::1"


def chosen_port(asked: str | None, environ: Mapping[str, str]) -> int | None:
    """The port that is asked for, else $PORT; None leaves it to Gradio.

    Args:
        asked: of the command line.
        environ: Gradio reads GRADIO_SERVER_PORT and GRADIO_NUM_PORTS of it, without looking.

    Raises:
        SettingsError: one of them is no port.
    """
    for name in ("GRADIO_SERVER_PORT", "GRADIO_NUM_PORTS"):
        _port(name, environ.get(name))
    return _port("--port", asked) or _port("PORT", environ.get("PORT"))


def drop_empty(environ: MutableMapping[str, str]) -> None:
    """Let Gradio's variables that are empty count as not set, like the app's own."""
    for name in [name for name, text in environ.items() if name.startswith("GRADIO_") and not text]:
        del environ[name]


def chosen_host(asked: str | None, environ: Mapping[str, str]) -> str | None:
    """The host that is asked for, else every interface on a platform; None leaves it to Gradio."""
    host = asked or environ.get("GRADIO_SERVER_NAME")
    if not host and any(environ.get(name) for name in HOSTED):
        return EVERY_INTERFACE
    return host or None


def refuse_taken(host: str, port: int) -> None:
    """Before anything is begun that could not end in a page.

    Raises:
        SettingsError: nothing can listen there.
    """
    try:
        family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
    except OSError as error:
        raise SettingsError(
            f"the page cannot be served at {host}:{port} ({error}); use another --port (or PORT),"
            " or another --host"
        ) from error


def trusted_proxies(settings: Settings) -> str:
    """Whose word on the visitor's address uvicorn is to take, with commas between."""
    return f"{OWN_ADDRESSES},{settings.trusted_proxies}"


def _port(name: str, text: str | None) -> int | None:
    if not text:
        return None
    if text.strip().isascii() and text.strip().isdigit() and 0 < int(text) <= HIGHEST_PORT:
        return int(text)
    raise SettingsError(f"{name} is {text!r}; set it to a whole number from 1 to {HIGHEST_PORT}")
