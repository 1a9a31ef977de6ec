"""The page as replicas of Ray Serve's ingress.

Each has the middleware, the routes and the folder of visitors' photos that app.py gives it.
Gradio keeps a visitor's upload, queue and answer in the process that they came to. So the visitors
of one address meet one replica, by `ByAddress`, and need no cookie.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray.util
from ray import serve
from ray.serve.config import AutoscalingConfig, RequestRouterConfig
from ray.serve.handle import DeploymentHandle
from ray.serve.request_router import PendingRequest, RequestRouter, RunningReplica
from ray.serve.schema import LoggingConfig

from core.cluster.engines import TOGETHER, Engines, ServedEngine
from core.errors import ClusterError
from core.index.actor_index import ActorIndex
from core.index.kept import Index, load_kept
from core.log import configure_logging
from core.lookalike import LookalikeFinder
from core.models.packs import ModelPack, known_packs
from core.page.gradio_import import import_gradio
from core.page.serving.limits import site_of
from core.page.serving.memory import keep_few_arenas
from core.page.serving.uploads import VisitorFolder, own_folder
from core.settings import Settings

OPEN = 10_000  # requests that a page has open at once: a tab has one all the time
ONGOING = 2.0  # photos an engine is to have at once; one more engine is begun where it has more
LEAST_AT_ONCE, MOST_AT_ONCE = 4, 40  # the most: threads that Gradio has for events
UPSCALE_SECONDS = 5.0  # that too many photos wait before one more engine is begun
CLOSING_SECONDS = 2.0  # that a page is given: an open tab would keep it for ever
NAME = "lookalike"
QUIET = LoggingConfig(enable_access_log=False, log_level="WARNING")  # callers' paths in no log


@dataclass(frozen=True)
class Replicas:
    """How many of each."""

    pages: int = 1
    engines: int = 1  # at least
    most_engines: int = 1


class ByAddress(RequestRouter):
    """The same page for the same address, for as long as it lives; of the others each its share.

    By highest random weight: where a page comes or goes only its own visitors move.
    """

    async def choose_replicas(
        self,
        candidate_replicas: list[RunningReplica],
        pending_request: PendingRequest | None = None,
    ) -> list[list[RunningReplica]]:
        """One replica, whatever it has to do."""
        if pending_request is None or not candidate_replicas:
            return [candidate_replicas]
        host = pending_request.metadata._client.rpartition(":")[0].strip("[]")
        site = site_of(host)
        return [[max(candidate_replicas, key=lambda replica: _weight(site, replica))]]


def _weight(site: str, replica: RunningReplica) -> bytes:
    return hashlib.sha256(f"{site} {replica.replica_id.unique_id}".encode()).digest()


@serve.ingress()
class Page:
    """One replica of the page."""

    async def __init__(  # type: ignore[misc]  # Ray Serve awaits it
        self, pieces: dict[str, Any], engines: DeploymentHandle, at_once: int
    ) -> None:
        """Make all ready, and match once, so that no visitor waits for a first time.

        Args:
            pieces: of a LookalikeFinder, all but its engine; no index: it is in Milvus.
            engines: the deployment of `Engines`.
            at_once: photos that this page asks about at the same time.
        """
        settings = pieces["settings"]
        configure_logging(form=settings.log)
        keep_few_arenas()
        self._folder = VisitorFolder(own_folder(settings.temp_dir))
        self._folder.keep_swept(settings.photo_seconds)
        self._folder.take_all_temporary_files()
        index = pieces.pop("index") or load_kept(settings)
        engine = ServedEngine(engines, pack_of(index), at_once)
        self._finder = LookalikeFinder(engine, index, **pieces)
        # Gradio reads where temporary files go when it is imported.
        import_gradio()
        from core.page.layout import EXAMPLE

        await asyncio.to_thread(self._finder.find, EXAMPLE)

    def __serve_build_asgi_app__(self) -> Any:
        """What Ray Serve serves."""
        from core.page.handlers import Handlers
        from core.page.layout import build_demo
        from core.page.serving.metrics import counted
        from core.page.serving.server import asgi_app

        finder, metrics = counted(self._finder)
        handlers = Handlers(finder, finder.settings.public_url)
        return asgi_app(build_demo(handlers), handlers, metrics)

    def __del__(self) -> None:
        """Visitors' photos go with the page."""
        if folder := getattr(self, "_folder", None):
            folder.close()


def pack_of(index: Index) -> ModelPack:
    """The pack that an index in use was made with."""
    return known_packs()[index.info.pack]


def application(finder: LookalikeFinder, replicas: Replicas) -> serve.Application:
    """Pages on this machine, which has the gallery's portraits, and engines on any."""
    engines = serve.deployment(
        Engines,
        ray_actor_options={"num_cpus": 1},
        max_ongoing_requests=2 * TOGETHER,
        autoscaling_config=AutoscalingConfig(
            min_replicas=replicas.engines,
            max_replicas=max(replicas.engines, replicas.most_engines),
            target_ongoing_requests=ONGOING,
            upscale_delay_s=UPSCALE_SECONDS,
        ),
        logging_config=QUIET,
    )
    pages = serve.deployment(
        Page,
        num_replicas=replicas.pages,
        ray_actor_options={"num_cpus": 0, "resources": {this_machine(): 0.001}},
        max_ongoing_requests=OPEN,
        request_router_config=RequestRouterConfig(request_router_class=ByAddress),
        graceful_shutdown_timeout_s=CLOSING_SECONDS,
        logging_config=QUIET,
    )
    pieces = {
        "index": finder.index if isinstance(finder.index, ActorIndex) else None,
        "settings": finder.settings,
        "notice": finder.notice,
        "people": finder.people,
    }
    pack = finder.index.info.pack
    at_once = math.ceil(2 * ONGOING * replicas.most_engines / replicas.pages)
    asked = engines.bind(pack, finder.settings)
    return pages.bind(pieces, asked, min(max(at_once, LEAST_AT_ONCE), MOST_AT_ONCE))


def this_machine() -> str:
    """The resource by which a cluster knows the machine that this process runs on."""
    return f"node:{ray.util.get_node_ip_address()}"


@contextmanager
def served(finder: LookalikeFinder, replicas: Replicas, host: str, port: int) -> Iterator[None]:
    """Serve the page while the block runs, from when it answers.

    Raises:
        ClusterError: it does not get that far.
    """
    try:
        serve.start(http_options={"host": host, "port": port}, logging_config=QUIET)
    except RuntimeError as error:
        raise ClusterError(
            f"the page cannot be served at {host}:{port}; use another --port, or another --host"
        ) from error
    existing = serve.context._get_global_client().http_config
    if (existing.host, existing.port) != (host, port):
        raise ClusterError(
            f"Ray Serve is at {existing.host}:{existing.port} already; give this --host and --port"
        )
    try:
        try:
            serve.run(application(finder, replicas), name=NAME, route_prefix="/")
        except RuntimeError as error:
            raise ClusterError(
                f"the page cannot be served ({str(error).strip().splitlines()[0]});"
                " ask for fewer --engines, or look into the cluster's logs"
            ) from error
        yield
    finally:
        _stop(finder.settings)


def _stop(settings: Settings) -> None:
    """Take the page from the cluster; what a page that was killed left of visitors goes too."""
    serve.delete(NAME)
    if not serve.status().applications:
        serve.shutdown()
    VisitorFolder(own_folder(settings.temp_dir)).close()
