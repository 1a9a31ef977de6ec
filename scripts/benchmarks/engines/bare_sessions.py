"""The networks alone: what this project's engine asks of onnxruntime for a photo, asked again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from serving import serve

from core.faces.photo import read_photo
from core.models.install import ensure_models
from core.settings import load_settings
from core.startup import load_engine

SETTINGS = load_settings().replaced(model_pack="sface")


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
        engine.warm_up()
        for model in (engine._network, *engine._recognisers):
            model.session = Recorder(model.session, self._asked)
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


if __name__ == "__main__":
    sessions = Sessions()
    serve({name: getattr(sessions, name) for name in ("record", "match", "decode")})
