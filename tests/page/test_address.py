"""The port and the host the page is served at."""

from __future__ import annotations

import re
import socket

import pytest

from core.errors import SettingsError
from core.page.serving.address import chosen_host, chosen_port, drop_empty, refuse_taken


def test_port_of_the_command_line_comes_before_the_platforms() -> None:
    assert chosen_port("8001", {"PORT": "8002"}) == 8001
    assert chosen_port(None, {"PORT": " 8002 "}) == 8002
    assert chosen_port(None, {"PORT": "", "GRADIO_SERVER_PORT": "8003"}) is None  # Gradio reads it


@pytest.mark.parametrize("wrong", ["abc", "99999", "65536", "0", "-1", "80.5", "8_0", "²", " "])
@pytest.mark.parametrize("name", ["PORT", "GRADIO_SERVER_PORT", "GRADIO_NUM_PORTS", "--port"])
def test_what_is_no_port_is_refused_by_its_name(name: str, wrong: str) -> None:
    asked, environ = (wrong, {}) if name == "--port" else (None, {name: wrong})
    sentence = f"{name} is {wrong!r}; set it to a whole number from 1 to 65535"
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        chosen_port(asked, environ)


def test_where_nothing_can_listen_is_refused_before_anything_is_begun() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"at 127.0.0.1:{port} .*use another --port"):
            refuse_taken("127.0.0.1", port)
    refuse_taken("127.0.0.1", port)
    with pytest.raises(SettingsError, match="or another --host"):
        refuse_taken("nohost.invalid", port)


def test_every_interface_is_for_platforms_that_were_not_told_otherwise() -> None:
    assert chosen_host(None, {}) is None
    assert (
        chosen_host(None, {"PORT": "80"}) == chosen_host(None, {"SPACE_ID": "me/it"}) == "0.0.0.0"
    )
    assert chosen_host(None, {"PORT": "80", "GRADIO_SERVER_NAME": "::1"}) == "::1"
    assert chosen_host("127.0.0.2", {"PORT": "80", "GRADIO_SERVER_NAME": "::1"}) == "127.0.0.2"


def test_gradios_empty_variables_are_dropped_before_it_reads_numbers_in_them() -> None:
    environ = {"GRADIO_SERVER_PORT": "", "GRADIO_ROOT_PATH": "/look", "PORT": ""}
    drop_empty(environ)
    assert environ == {"GRADIO_ROOT_PATH": "/look", "PORT": ""}
