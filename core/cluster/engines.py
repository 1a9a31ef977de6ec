"""The face engine as replicas of a deployment, and the engine of a page that asks them."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from ray import serve
from ray.exceptions import RayActorError
from ray.serve.exceptions import ReplicaUnavailableError
from ray.serve.handle import DeploymentHandle

from core.faces.engine import Detection, Face, FaceEngine, Views, views_for
from core.faces.photo import Photo
from core.log import log
from core.models.install import ensure_models
from core.models.packs import ModelPack
from core.settings import Settings

TOGETHER = 4  # photos, or visitors' crops, that one call of an engine takes
WAIT = 0.005  # seconds that the first of them waits for others
TRIES = 3  # of a question whose replica died: each but the first is another replica's
ANSWER_SECONDS = 300.0  # as long as a proxy waits
DIED = (RayActorError, ReplicaUnavailableError)

T = TypeVar("T")
U = TypeVar("U")


class Engines:
    """One replica: a face engine of one thread. Photos of several visitors are looked at together.

    What fails for one of them comes back as its answer, and not to the others.
    """

    def __init__(self, pack: str, settings: Settings) -> None:
        """Load a pack; it is made where this machine has none."""
        self._engine = FaceEngine(ensure_models(settings, pack), settings.detection, threads=1)
        self._engine.warm_up()
        self._thread = ThreadPoolExecutor(1)

    @serve.batch(max_batch_size=TOGETHER, batch_wait_timeout_s=WAIT)
    async def find_faces(
        self, asked: list[tuple[Photo, float]]
    ) -> list[tuple[Face, ...] | Exception]:
        """As of `FaceEngine`."""
        return await self._run(self._engine.find_faces_of, asked)

    @serve.batch(max_batch_size=TOGETHER, batch_wait_timeout_s=WAIT)
    async def embed(self, faces: list[Sequence[Views]]) -> list[NDArray[np.float32] | Exception]:
        """As of `FaceEngine`."""
        return await self._run(self._embed_all, faces)

    @serve.batch(max_batch_size=TOGETHER, batch_wait_timeout_s=WAIT)
    async def detect(self, photos: list[Photo]) -> list[tuple[Detection, ...] | Exception]:
        """As of `FaceEngine`."""
        return await self._run(lambda some: [self._engine.detect(one) for one in some], photos)

    def _embed_all(self, faces: Sequence[Sequence[Views]]) -> list[NDArray[np.float32]]:
        rows = self._engine.embed([views for some in faces for views in some])
        ends = np.cumsum([len(some) for some in faces])
        return np.split(rows, ends[:-1])

    async def _run(self, work: Callable[[list[T]], list[U]], batch: list[T]) -> list[U | Exception]:
        """In the engine's thread; one by one where a batch fails."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, _each, work, batch)


def _each(work: Callable[[list[T]], list[U]], batch: list[T]) -> list[U | Exception]:
    try:
        return list(work(batch))
    except Exception as error:  # noqa: BLE001 - goes to whoever asked
        if len(batch) == 1:
            return [error]
        return [answer for one in batch for answer in _each(work, [one])]


class ServedEngine:
    """A page's engine: asks the replicas, and asks again where one died over the question.

    Pixels go through sockets, not through Ray's object store, which could write them to disk.
    """

    def __init__(self, engines: DeploymentHandle, pack: ModelPack, at_once: int) -> None:
        """Of a deployment of `Engines` with this pack."""
        self.pack = pack
        self.at_once = at_once
        self._engines = engines.options(_by_reference=False)

    def find_faces(self, photo: Photo, least: float = 0.0) -> tuple[Face, ...]:
        """All faces of a photo, embedded, the likely subject first; () as of `FaceEngine`."""
        found: tuple[Face, ...] = self._ask("find_faces", (photo, least))
        return found

    def detect(self, photo: Photo) -> tuple[Detection, ...]:
        """Faces without their embeddings."""
        found: tuple[Detection, ...] = self._ask("detect", photo)
        return found

    def embed(self, faces: Sequence[Views]) -> NDArray[np.float32]:
        """Views of N faces → (N, D) unit embeddings."""
        rows: NDArray[np.float32] = self._ask("embed", list(faces))
        return rows

    def views(self, pixels: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> Views:
        """What is embedded of a face; it takes no network, and is done here."""
        return views_for(self.pack, pixels, landmarks)

    def warm_up(self) -> None:
        """Wait until a replica answers: each has run its networks by then."""
        self.find_faces(Photo(np.zeros((64, 64, 3), np.uint8), "nothing"))

    def _ask(self, method: str, argument: Any) -> Any:
        for left in reversed(range(TRIES)):
            try:
                # Within the visitor's request Ray would take the answer for one to a browser.
                answer = contextvars.Context().run(self._ask_once, method, argument)
                break
            except DIED as error:
                if not left:
                    raise
                log.warning("an engine died (%s); another one is asked", type(error).__name__)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _ask_once(self, method: str, argument: Any) -> Any:
        asked = getattr(self._engines, method).remote(argument)
        return asked.result(timeout_s=ANSWER_SECONDS)
