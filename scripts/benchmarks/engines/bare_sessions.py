"""The networks alone: what this project's engine asks of onnxruntime for a photo, asked again.

One after the other, each with all cores, as onnxruntime does it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from serving import serve

from core.faces.engine import usable_cpus
from core.faces.photo import read_photo
from core.models.install import ensure_models
from core.settings import load_settings
from core.startup import load_engine

# One thread: views of a face in one batch.
SETTINGS = load_settings().replaced(model_pack="sface", threads=1)


class Recorder:
    """A session that notes what it was asked."""

    def __init__(self, session: Any, asked: list[Any]) -> None:
        """`asked` is shared by all sessions of an engine."""
        self._session, self._asked = session, asked

    def run(self, names: Any, feed: Any) -> Any:
        """As the session, noted."""
        copied = {name: np.array(values) for name, values in feed.items()}
        self._asked.append((self._session, names, copied))
        return self._session.run(names, feed)

    def __getattr__(self, name: str) -> Any:
        """All else is the session's."""
        return getattr(self._session, name)


class Sessions:
    """What was asked for each photo."""

    def __init__(self) -> None:
        """An engine with recorders in the place of its sessions."""
        self._asked: list[Any] = []
        self._by_photo: dict[str, list[Any]] = {}
        engine = load_engine(ensure_models(SETTINGS, "sface"), SETTINGS)
        for model in (engine._network, *engine._recognisers):
            model.session = Recorder(_on_all_cores(model.model_file), self._asked)
        self._engine = engine

    def record(self, photo: str, first_face: bool = False) -> int:
        """Note what a photo needs; how many faces it has."""
        self._asked.clear()
        found = self._engine.detect(read_photo(Path(photo)))
        self._engine.embed([face.views for face in (found[:1] if first_face else found)])
        self._by_photo[photo] = list(self._asked)
        return len(found)

    def match(self, photo: str) -> int:
        """The sessions' work; how often one was asked."""
        for session, names, feed in self._by_photo[photo]:
            session.run(names, feed)
        return len(self._by_photo[photo])

    def decode(self, photo: str) -> None:
        """Reading the photo."""
        read_photo(Path(photo).read_bytes())


def _on_all_cores(file: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = usable_cpus()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    sessions = Sessions()
    serve({name: getattr(sessions, name) for name in ("record", "match", "decode")})
