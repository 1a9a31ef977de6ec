"""The app's own engine: bytes → scored answer, photos → index. Also runs earlier versions."""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image
from serving import serve

from core.faces.photo import Photo
from core.index.enrol import enrol_gallery, index_from_cache
from core.models.install import ensure_models
from core.settings import load_settings
from core.startup import load_engine, open_gallery, start

SETTINGS = load_settings().replaced(model_pack="sface")


class Own:
    """A finder, made when it is first needed."""

    def get_ready(self) -> None:
        """Models, index, and all that the app does before it answers."""
        self.finder = start(SETTINGS)
        self.finder.warm_up()

    def match(self, photo: str) -> int:
        """How many faces were answered."""
        return len(self.finder.find(Path(photo).read_bytes()).faces)

    def frame(self, photo: str) -> int:
        """What a Live frame takes, without the page."""
        pixels = np.asarray(Image.open(io.BytesIO(Path(photo).read_bytes())).convert("RGB"))
        found = self.finder.engine.detect(Photo(pixels, "camera"))
        face = self.finder.engine.embed([found[0].views])
        self.finder.index.actor_similarities(face)
        return len(found)

    def rate(self, photo: str, seconds: float, threads: int) -> float:
        """Matches a second, in so many threads."""
        data = Path(photo).read_bytes()
        end = time.monotonic() + seconds
        counts = [0] * threads

        def work(number: int) -> None:
            while time.monotonic() < end:
                self.finder.find(data)
                counts[number] += 1

        running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        started = time.monotonic()
        for one in running:
            one.start()
        for one in running:
            one.join()
        return sum(counts) / (time.monotonic() - started)

    def load(self) -> None:
        """The models alone."""
        self.engine = load_engine(ensure_models(SETTINGS, "sface"), SETTINGS)
        self.engine.warm_up()

    def build(self, dataset: str, cache: str) -> int:
        """Index of a folder; photos that the cache does not have are embedded. How many."""
        gallery = open_gallery(SETTINGS.replaced(dataset_dir=Path(dataset)))
        return enrol_gallery(self.engine, gallery, Path(cache)).embedded

    def from_cache(self, dataset: str, cache: str) -> int:
        """The same index with no photo and no model; its actors."""
        gallery = open_gallery(SETTINGS.replaced(dataset_dir=Path(dataset)))
        return len(index_from_cache(Path(cache), gallery).index.actors)


if __name__ == "__main__":
    own = Own()
    serve({name: getattr(own, name) for name in dir(own) if not name.startswith("_")})
