"""The log's two forms: lines for people, and objects for programs."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import pytest

from core.log import configure_logging, log, say


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    handlers, level, propagate = list(log.handlers), log.level, log.propagate
    yield
    log.handlers[:], log.propagate = handlers, propagate
    log.setLevel(level)


def lines(form: str) -> list[str]:
    stream = io.StringIO()
    configure_logging(stream, form=form)
    say("index_done", "ko", count=712)
    log.warning("%s is left out", "Evil\x1b[2J/1.jpg\nNext")
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("a match failed")
    return stream.getvalue().splitlines()


def test_text_is_one_plain_line_each() -> None:
    milestone, warning, error, *trace = lines("text")
    assert milestone == "✅ 배우 인덱스 생성 완료: 712명"
    assert warning == "WARNING: Evil\\u001b[2J/1.jpg\\nNext is left out"
    assert (error, trace[-1]) == ("ERROR: a match failed", "ValueError: broken")


def test_json_is_one_object_a_line_with_time_and_level() -> None:
    milestone, warning, error = map(json.loads, lines("json"))
    assert milestone["message"] == "✅ 배우 인덱스 생성 완료: 712명"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", milestone["time"])
    assert [entry["level"] for entry in (milestone, warning, error)] == ["INFO", "WARNING", "ERROR"]
    assert warning["message"] == "Evil\x1b[2J/1.jpg\nNext is left out"
    assert error["exc_info"].endswith("ValueError: broken")
