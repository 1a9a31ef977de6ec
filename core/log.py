"""What the log says, in English and Korean. The five Korean milestones are a fixed contract."""

from __future__ import annotations

import logging
import sys
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


def say(key: str, lang: str, **values: object) -> None:
    """Log one milestone in the owner's language, in the first one where it has no words."""
    phrases = LOG_PHRASES[key]
    log.info(phrases.get(lang, phrases[LANGUAGES[0]]).format(**values))


def configure_logging(stream: TextIO | None = None) -> None:
    """Send the log to `stream` (default: standard output), one plain line each."""
    stream = stream or sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace", line_buffering=True)  # a console without emoji
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_PlainFormatter())
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False


class _PlainFormatter(logging.Formatter):
    """Milestones as they are; warnings and errors say so."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno < logging.WARNING else f"{record.levelname}: {text}"
