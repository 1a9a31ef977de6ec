"""What the page's events call: plain functions round the one match function."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request

from core.errors import LookalikeError, PhotoError
from core.faces.parts import PARTS, Part
from core.faces.photo import Photo
from core.log import log
from core.lookalike import Judged, LookalikeFinder
from core.page.arguments import ENDPOINTS, FAILED
from core.page.browser_memory import KeptFace, KeptPhoto, keep
from core.page.card_preview import card_html
from core.page.heat import heat_uri
from core.page.language import (
    View,
    country_choices,
    gender_choices,
    read_filter,
    speeches,
    visitor_language,
)
from core.page.live import LiveMemory, live_html
from core.page.portraits import PortraitPictures
from core.page.result import problem_html, result_html, waiting_html
from core.page.sessions import Sessions

ANYWHERE = "0.0.0.0"  # noqa: S104 - compared, not bound # nosec B104
LOOPBACK = ("127.0.0.1", "localhost", "::1", ANYWHERE)


@dataclass(frozen=True, eq=False)
class OnShow:
    """One face of a visitor's photo, compared with one of its matches."""

    judged: Judged[KeptFace]
    match: int  # which of them; -1 where there is none
    told: tuple[Part, ...]  # parts that the page was told to be alike in these two, if it asked


class Handlers:
    """One finder's answers, in the language of whoever asks."""

    def __init__(self, finder: LookalikeFinder, public_url: str = "") -> None:
        """Words and portraits are made ready once.

        Args:
            public_url: where visitors reach the page, for cards and previews; "" if unknown.
        """
        self.finder = finder
        self.public_url = public_url
        self.pictures = PortraitPictures(finder)
        self.sessions = Sessions()
        self.views = {
            lang: View(finder, self.pictures, speech) for lang, speech in speeches(finder).items()
        }

    def view(self, request: gr.Request | Request) -> View:
        """The visitor's language: of the address, else the browser's."""
        wanted = request.query_params.get("lang")
        return self.views[visitor_language(wanted, request.headers.get("accept-language"))]

    def failure(self, endpoint: str | None, request: gr.Request | None) -> str:
        """What is said of an event that failed: to callers of the API in English."""
        if endpoint in ENDPOINTS or request is None:
            return FAILED
        return self.view(request).speech("failed")

    def greet(self, kept: Any, gender: Any, country: Any, request: gr.Request) -> list[Any]:
        """What a page shows as it opens: nothing yet, or what it showed in another language.

        Result, what the browser keeps, whether a card can be, the live mode's first words, the
        filters.
        """
        view, wanted = self.view(request), read_filter(gender, country)
        html = waiting_html(view)
        if kept:
            try:
                html = result_html(
                    view, KeptPhoto.from_json(kept, self.finder.index.dimension), wanted
                )
            except PhotoError:  # of another gallery: the server was started anew
                kept = None
        return [
            html,
            kept or None,
            gr.update(interactive=bool(kept)),
            live_html(view, None),
            gr.update(choices=gender_choices(self.finder, view.speech), value=wanted.gender),
            gr.update(choices=country_choices(self.finder, view.speech), value=wanted.country),
        ]

    def show(self, photo: str | None, gender: str, country: str, request: gr.Request) -> list[Any]:
        """A photo arrived: the result, what the browser keeps of it, and whether a card can be."""
        view = self.view(request)
        if photo is None:
            return [waiting_html(view), None, "", gr.update(interactive=False)]
        try:
            kept = keep(self.finder.faces(photo))
        except PhotoError as error:
            return [problem_html(view, error.code), None, "", gr.update(interactive=False)]
        except LookalikeError as error:
            raise self._failed(view, error) from error
        html = result_html(view, kept, read_filter(gender, country))
        return [html, kept.to_json(), "", gr.update(interactive=True)]

    def show_again(self, kept: Any, gender: str, country: str, request: gr.Request) -> list[Any]:
        """Another filter: the same faces, searched again."""
        view = self.view(request)
        if not kept:
            return [gr.skip(), ""]
        return [result_html(view, self._kept_photo(kept, view), read_filter(gender, country)), ""]

    def draw_card(
        self, kept: Any, gender: str, country: str, chosen: Any, request: gr.Request
    ) -> str:
        """The share card of the face and match that are on show."""
        view = self.view(request)
        if not kept:
            return ""
        shown = self._on_show(kept, gender, country, chosen, view)
        if not shown.judged.matches:
            return ""
        link = _link(request, self.public_url)
        return card_html(view, shown.judged, shown.match, link, shown.told)

    def tell_alike(
        self, kept: Any, gender: str, country: str, chosen: Any, request: gr.Request
    ) -> dict[str, Any] | None:
        """What is alike in the face and match that are on show, for core/page/page.js.

        None where there is nothing to tell it of.
        """
        view = self.view(request)
        if not kept:
            return None
        shown = self._on_show(kept, gender, country, chosen, view)
        if not shown.judged.matches:
            return None
        framed = shown.judged.face.in_frame
        found = self.finder.alike(framed, [shown.judged.matches[shown.match]])
        if not found:
            return None
        told = found[0].told
        heat = heat_uri(framed, found[0]) if told else ""
        return {"told": list(told), "sentence": view.alike(told), "heat": heat}

    def live(self, frame: NDArray[np.uint8] | None, request: gr.Request) -> Any:
        """One frame of the camera, after those of the same visitor."""
        session = request.session_hash
        html, memory = self.name_live(frame, self.sessions.live(session), request)
        self.sessions.keep_live(session, memory)
        return html

    def name_live(
        self, frame: NDArray[np.uint8] | None, memory: LiveMemory | None, request: gr.Request
    ) -> list[Any]:
        """One frame of the camera: who is named now, and the memory for the next one."""
        view, memory = self.view(request), memory or LiveMemory()
        engine = self.finder.engine
        found = () if frame is None else engine.detect(Photo(frame, "camera"))
        face = engine.embed([found[0].views])[0] if found else None
        similarities = None if face is None else self.finder.index.actor_similarities(face[None])[0]
        now = time.monotonic()
        steady = memory.steady.after(face, similarities, now - memory.seen)
        html = live_html(view, steady)
        return [gr.skip() if html == memory.html else html, LiveMemory(steady, html, now)]

    def _kept_photo(self, kept: Any, view: View) -> KeptPhoto:
        try:
            return KeptPhoto.from_json(kept, self.finder.index.dimension)
        except PhotoError as error:
            raise gr.Error(view.speech("failed"), print_exception=False) from error

    def _on_show(self, kept: Any, gender: str, country: str, chosen: Any, view: View) -> OnShow:
        """What the browser says is on show; the first face and match before any choice."""
        faces = self._kept_photo(kept, view).faces
        try:
            face, match, *asked = chosen or (0, 0)
            face, match = int(face), int(match)
            told = [part for name in (asked[0] if asked else ()) for part in PARTS if part == name]
        except (TypeError, ValueError, ArithmeticError) as error:
            raise gr.Error(view.speech("failed"), print_exception=False) from error
        judged = self.finder.judge(faces[face % len(faces)], read_filter(gender, country))
        return OnShow(judged, min(max(match, 0), len(judged.matches) - 1), tuple(told[:2]))

    @staticmethod
    def _failed(view: View, error: LookalikeError) -> gr.Error:
        log.error("a match failed: %s", error)
        return gr.Error(view.speech("failed"), print_exception=False)


def _link(request: gr.Request, public_url: str = "") -> str:
    """The page's address as a card shows it; none where only this machine can reach it."""
    try:
        address = urlsplit(public_url or str(request.headers.get("referer", "")))
    except ValueError:  # a header that is no address
        return ""
    if not address.hostname or address.hostname in LOOPBACK:
        return ""
    return f"{address.netloc}{address.path}".rstrip("/")
