"""What the app counts for Prometheus, where the owner wishes it: never who, only how many."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import gradio as gr
from prometheus_client import (
    GC_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    exposition,
)
from starlette.requests import Request
from starlette.responses import Response

from core.errors import PhotoError
from core.faces.photo import PhotoSource
from core.lookalike import LookalikeFinder, PhotoFaces
from core.page.gradio_patches import time_events, waiting_events

ANSWERED = "answered"
SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # bounds of the histogram
EVENTS = ("match", "show", "live", "draw_card", "tell_alike")  # those that are timed


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        """All at 0."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(GC_COLLECTOR)
        self.photos = Counter(
            "lookalike_photos",
            "Photos looked at, by what came of it: answered, no_face, unreadable, too_large",
            ["outcome"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "lookalike_event_seconds",
            "Seconds an event took, without its wait: match (API), show (page), live (a frame), …",
            ["event"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.waiting = Gauge(
            "lookalike_waiting_events", "Events that wait their turn", registry=self.registry
        )
        for outcome in (ANSWERED, "no_face", "unreadable", "too_large"):
            self.photos.labels(outcome)
        for event in EVENTS:
            self.seconds.labels(event)

    def watch(self, demo: gr.Blocks) -> None:
        """Time the events of a page that is about to be served."""
        time_events(demo, self._took)
        self.waiting.set_function(lambda: waiting_events(demo))

    def _took(self, event: str, seconds: float) -> None:
        if event in EVENTS:
            self.seconds.labels(event).observe(seconds)

    def answer(self, request: Request) -> Response:
        """What Prometheus asks for."""
        encode, kind = exposition.choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self.registry), headers={"content-type": kind})


@dataclass(frozen=True, eq=False)
class CountingFinder(LookalikeFinder):
    """A finder that counts what came of the photos it is given."""

    metrics: Metrics = field(default_factory=Metrics)

    def faces(self, source: PhotoSource) -> PhotoFaces:
        """As of the finder that does not count."""
        try:
            found = super().faces(source)
        except PhotoError as error:
            self.metrics.photos.labels(error.code).inc()
            raise
        self.metrics.photos.labels(ANSWERED).inc()
        return found


def counted(finder: LookalikeFinder) -> tuple[LookalikeFinder, Metrics | None]:
    """The same finder, counting, and its figures, where the owner wishes them."""
    if not finder.settings.metrics:
        return finder, None
    own = {part.name: getattr(finder, part.name) for part in fields(finder)}
    counting = CountingFinder(**own)
    return counting, counting.metrics
