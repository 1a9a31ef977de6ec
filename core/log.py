"""What the log says, in English and Korean. The five Korean milestones are a fixed contract."""

from __future__ import annotations

import json
import logging
import sys
import time
import unicodedata
from typing import TextIO

from core.languages import LANGUAGES

LOG_PHRASES = {
    "download_start": {
        "en": "📥 Downloading InsightFace models",
        "ko": "📥 InsightFace 모델 다운로드 시작",
    },
    "download_hub": {
        "en": "📥 Downloading {title} from the Hugging Face Hub...",
        "ko": "📥 HuggingFace Hub에서 {title} 모델 다운로드 중...",
    },
    "build_embedded": {
        "en": "📦 Making the embedded {title} pack...",
        "ko": "📦 내장 {title} 모델 준비 중...",
    },
    "download_done": {"en": "✅ Models are ready", "ko": "✅ 모델 다운로드 완료!"},
    "model_loading": {"en": "🔮 Loading {title}...", "ko": "🔮 {title} 모델 로딩 중..."},
    "index_done": {
        "en": "✅ Actor index ready: {count} actors",
        "ko": "✅ 배우 인덱스 생성 완료: {count}명",
    },
}

log = logging.getLogger("lookalike")


# Signs that join letters or choose between forms of one are part of honest names.
JOINERS = frozenset("\u200c\u200d")
UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, direction marks, half signs, line ends


def printable(text: str) -> str:
    """A line as a terminal may have it: what would steer it, or break the line, as JSON escapes.

    Names of files and people come from anywhere. A line of JSON stays the same JSON.
    """
    return "".join(
        json.dumps(sign)[1:-1]
        if unicodedata.category(sign) in UNPRINTABLE and sign not in JOINERS
        else sign
        for sign in text
    )


def say(key: str, lang: str, **values: object) -> None:
    """Log one milestone in the owner's language, in the first one where it has no words."""
    phrases = LOG_PHRASES[key]
    log.info(phrases.get(lang, phrases[LANGUAGES[0]]).format(**values))


def configure_logging(stream: TextIO | None = None, *, form: str = "text") -> None:
    """Send the log to `stream` (default: standard output), one line each.

    Args:
        stream: where it goes.
        form: "text", plain lines, or "json", an object a line.
    """
    stream = stream or sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace", line_buffering=True)  # a console without emoji
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_json_formatter() if form == "json" else _PlainFormatter())
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False


class _PlainFormatter(logging.Formatter):
    """Milestones as they are; warnings and errors say so. A line a record, and the traceback."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        text = printable(super().formatMessage(record))
        return text if record.levelno < logging.WARNING else f"{record.levelname}: {text}"


def _json_formatter() -> logging.Formatter:
    """`time` (UTC, ISO 8601), `level` and `message` of each record, and its traceback."""
    from pythonjsonlogger.json import JsonFormatter

    formatter = JsonFormatter(
        "{asctime}{levelname}{message}",
        style="{",
        datefmt="%Y-%m-%dT%H:%M:%SZ",
        rename_fields={"asctime": "time", "levelname": "level"},
        json_ensure_ascii=False,
    )
    formatter.converter = time.gmtime
    return formatter
