"""Every change to Gradio's own objects, each needed with Gradio 6.31; see gradio_import.py too.

tests/page/test_gradio_patches.py fails for the first Gradio that does without one.
"""

from __future__ import annotations

import copy
import errno
import importlib
import json
import logging
import math
import re
import sys
import time
import traceback
import types
import warnings
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import gradio as gr
import gradio.mcp
import gradio.queueing
import gradio.route_utils
import gradio.routes
from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError
from gradio.data_classes import ImageData, PredictBodyInternal
from gradio.route_utils import FnIndexInferError
from gradio.state_holder import SessionState, StateHolder
from gradio.tunneling import CURRENT_TUNNELS
from gradio.utils import get_upload_folder
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from core.errors import PhotoError, SettingsError
from core.log import log
from core.page.arguments import ENDPOINTS, NOT_UPLOADED, check_names, is_upload, picture_of

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
CALL = re.compile(r"/gradio_api/(call|run|api|queue/join)\b")


def photo_input(**options: Any) -> gr.Image:
    """gr.Image that leaves reading the photo to core/faces/photo.py.

    Gradio would decode it first, and answer a bad file in its own words; base64 it would compress
    anew, and of a path without its own mark it would not ask whether it was uploaded. The
    instance is changed, not subclassed: for a subclass Gradio writes a .pyi file beside the source.
    """
    image = gr.Image(type="filepath", **options)

    def preprocess(payload: ImageData | None) -> str | None:
        uploads = Path(get_upload_folder())
        if payload is None:
            return None
        if payload.path and is_upload(payload.path, uploads):
            return payload.path
        try:
            return str(picture_of("" if payload.path else payload.url or "", uploads))
        except PhotoError as error:
            words = NOT_UPLOADED if payload.path else str(error)
            raise gr.Error(words, print_exception=False) from error

    image.preprocess = preprocess  # type: ignore[method-assign]
    return image


def explain_fetching(photo: gr.Image, sentence: str) -> None:
    """Refuse an address that gives no photo in one sentence, without the address in the log.

    Gradio writes the traceback of a failed download to the log, with the address in it.
    """
    fetch = photo.async_move_resource_to_block_cache

    async def fetch_or_refuse(source: str | Path | None) -> str | None:
        try:
            return await fetch(source)
        except Exception as error:
            if _has_no_room(error):
                raise
            raise gr.Error(sentence, print_exception=False) from error

    photo.async_move_resource_to_block_cache = fetch_or_refuse  # type: ignore[assignment,method-assign]


def describe(component: gr.components.Component, schema: dict[str, Any], example: Any) -> None:
    """What the API says of a component; Gradio knows its kind only, not its fields or limits."""
    component.api_info = lambda: schema  # type: ignore[method-assign]
    component.example_inputs = lambda: example  # type: ignore[method-assign]


class JsonAnswers(gradio.mcp.GradioMCPServer):
    """Answers language models with JSON; Gradio would write a dictionary as Python does."""

    def _prepare_tool_call_args(self, name: str, arguments: dict[str, Any]) -> Any:
        """With the caller's address: the tool's call comes from this machine."""
        endpoint, values, headers, function = super()._prepare_tool_call_args(name, arguments)
        request = self.mcp_server.request_context.request
        if request and request.client:
            headers["x-forwarded-for"] = request.client.host
        return endpoint, values, headers, function

    def postprocess_output_data(self, data: Any, root_url: str) -> list[Any]:
        """One text a value; no endpoint of this app answers with files."""
        texts = (json.dumps(value, ensure_ascii=False) for value in data)
        return [self.types.TextContent(type="text", text=text) for text in texts]


def prepare_mcp() -> None:
    """Make the server for language models ready to be launched with the page.

    Raises:
        SettingsError: the package mcp is not installed. It is no requirement of the app: Gradio
            would import it at every start, whether it serves language models or not.
    """
    try:
        importlib.import_module("mcp")
    except ImportError as error:
        raise SettingsError(
            "LOOKALIKE_MCP is on, but the package for it is missing;"
            ' run python -m pip install "gradio[mcp]", or set LOOKALIKE_MCP=0'
        ) from error
    gradio.mcp.GradioMCPServer = JsonAnswers  # type: ignore[misc]


class BriefSession(SessionState):
    """A session that lasts for one event, and notes no value.

    Gradio notes the inputs and outputs of each event there, for links that it offers.
    """

    def __init__(self, blocks: gr.Blocks) -> None:
        """The page as it was built."""
        self.blocks_config = copy.copy(blocks.default_config)
        self.config_values: dict[int, Any] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, Any] = {}
        self.is_closed = False

    def __setitem__(self, key: int, value: Any) -> None:
        """A component as the event changes it."""
        self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None: ...

    def _update_value_in_config(self, key: int, value: Any) -> None: ...


class NoSessions(StateHolder):
    """Holds no session; Gradio keeps 10,000, closed ones and one for each call of the API too."""

    def __getitem__(self, session_id: str) -> BriefSession:
        """A new one."""
        return BriefSession(self.blocks)


class NoNames(set[str]):
    """A set that stays empty: Gradio would keep each photo's name in it, at times for ever."""

    def add(self, name: str) -> None:
        """Note nothing."""

    def update(self, *names: Iterable[str]) -> None:
        """Note nothing."""


def remember_nothing(demo: gr.Blocks) -> None:
    """Let a page that is about to be served keep nothing of an event once it is over.

    The page may have no gr.State. What waits to be fetched is dropped by core/page/sessions.py.
    """
    vars(gradio.routes).update(StateHolder=NoSessions, PredictBodyInternal=_without_request_body)
    demo._queue.ANALYTICS_MAX_EVENTS = 0  # for the page /monitoring, which is off
    for block in demo.blocks.values():
        block.temp_files = NoNames()
    demo.upload_file_set = NoNames()
    demo.temp_file_sets = []
    _empty_inputs(demo)
    _empty_events(demo._queue)


def _without_request_body(**fields: Any) -> PredictBodyInternal:
    """The body of a call; Gradio keeps its request, and with that all its values once more."""
    for name in ("_body", "_json"):
        vars(fields["request"]).pop(name, None)
    return PredictBodyInternal(**fields)


def _empty_inputs(demo: gr.Blocks) -> None:
    """Gradio keeps what an event was called with until its client goes: a camera's last frame."""
    process = demo.process_api

    async def process_and_empty(
        block_fn: Any, inputs: list[Any], *arguments: Any, **options: Any
    ) -> dict[str, Any]:
        try:
            return await process(block_fn, inputs, *arguments, **options)
        finally:
            inputs[:] = [None] * len(inputs)

    demo.process_api = process_and_empty  # type: ignore[method-assign]


def answer_in_words(
    demo: gr.Blocks,
    check: Callable[[str | None, list[Any]], list[Any]],
    failed: Callable[[str | None, gr.Request | None], str],
) -> None:
    """Let a wrong argument, and an event that fails, be answered with one sentence, not with null.

    Args:
        demo: the page.
        check: given the endpoint's name and what was sent, what Gradio is to read; it may raise
            gr.Error.
        failed: given the same name and the request, the sentence of an event that failed.
    """
    process = demo.process_api

    async def process_or_tell(
        block_fn: Any, inputs: list[Any], *arguments: Any, **options: Any
    ) -> dict[str, Any]:
        name = block_fn.api_name
        try:
            inputs[:] = check(name, inputs)
            return await process(block_fn, inputs, *arguments, **options)
        except Exception as error:
            if isinstance(error, gr.Error) and not _is_gradios_own(error):
                raise
            if _has_no_room(error):
                _log_no_room(error)
            else:
                _log_kind()
            words = failed(name, options.get("request"))
            raise gr.Error(words, print_exception=False) from error

    demo.process_api = process_or_tell  # type: ignore[method-assign]


def _is_gradios_own(error: gr.Error) -> bool:
    """Whether a component of Gradio's raised it: in English, of Python's types."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    module = place.tb_frame.f_globals["__name__"] if place else ""
    return str(module).startswith("gradio.")


def time_events(demo: gr.Blocks, took: Callable[[str, float], None]) -> None:
    """Tell the name of each event and how many seconds it took, its wait for a turn left out."""
    process = demo.process_api

    async def process_and_tell(
        block_fn: Any, inputs: list[Any], *arguments: Any, **options: Any
    ) -> dict[str, Any]:
        began = time.perf_counter()
        try:
            return await process(block_fn, inputs, *arguments, **options)
        finally:
            took(str(block_fn.api_name), time.perf_counter() - began)

    demo.process_api = process_and_tell  # type: ignore[method-assign]


def waiting_events(demo: gr.Blocks) -> int:
    """How many events wait for a turn."""
    queues = demo._queue.event_queue_per_concurrency_id.values()
    return sum(len(waiting.queue) for waiting in queues)


def _empty_events(queue: gradio.queueing.Queue) -> None:
    """Gradio's queue holds the last event until there is a next one."""
    process = queue.process_events

    async def process_and_empty(
        events: list[gradio.queueing.Event], *arguments: Any, **options: Any
    ) -> None:
        try:
            await process(events, *arguments, **options)
        finally:
            for event in events:
                event.data = None
                event.request = None  # type: ignore[assignment]

    queue.process_events = process_and_empty  # type: ignore[method-assign]


def close_at_once(demo: gr.Blocks) -> None:
    """Close the server though tabs are open; Gradio waits five seconds for them.

    Its tunnels would end with the interpreter, for which nobody waits.
    """
    processes: list[Any] = [tunnel.proc for tunnel in CURRENT_TUNNELS]
    for process in filter(None, processes):
        process.terminate()
    logging.getLogger("uvicorn.error").disabled = True  # it would count the requests cut short
    if demo.server:
        demo.server.force_exit = True
        demo.server.config.timeout_graceful_shutdown = 1
    demo.close(verbose=False)


class Leftovers:
    """What Gradio keeps of those who do not fetch an answer, or whose upload was cut short."""

    def __init__(self, demo: gr.Blocks) -> None:
        """Of the page that is served."""
        self._demo = demo
        self._uploads = gradio.routes.file_upload_statuses

    @property
    def _queue(self) -> gradio.queueing.Queue:
        return self._demo._queue

    def sessions(self) -> set[str]:
        """Sessions that have anything."""
        queue = self._queue
        return {*list(queue.pending_messages_per_session), *list(queue.pending_event_ids_session)}

    def session_of(self, event_id: str) -> str:
        """The session of an event; Gradio takes the event's id where the caller names none."""
        if event := self._queue.event_ids_to_events.get(event_id):
            return event.session_hash
        waiting = list(self._queue.pending_event_ids_session.items())
        return next((session for session, ids in waiting if event_id in ids), event_id)

    def is_busy(self, session: str) -> bool:
        """Whether an event of it waits its turn, or is being answered."""
        return any(event.alive for event in self._events(session))

    def stop(self, session: str) -> None:
        """End its events; on the server's own loop."""
        for event in self._events(session):
            event.alive = False
            event.data, event.closed, event.run_time = None, True, math.inf
            event.signal.set()

    def drop(self, session: str) -> None:
        """Forget its answers."""
        self._queue.pending_messages_per_session.pop(session, None)
        self._queue.pending_event_ids_session.pop(session, None)

    def uploads(self) -> set[str]:
        """Uploads, by the ids that the browser gave them; each has the photo's name."""
        return {*list(self._uploads._statuses), *list(self._uploads._signals)}

    def drop_upload(self, upload_id: str) -> None:
        """Forget how far it came."""
        self._uploads._statuses.pop(upload_id, None)
        self._uploads._signals.pop(upload_id, None)

    def _events(self, session: str) -> list[gradio.queueing.Event]:
        events = list(self._queue.event_ids_to_events.values())
        return [event for event in events if event.session_hash == session]


def keep_callers_out_of_the_log() -> None:
    """What a caller sent is not logged: Gradio writes it in tracebacks, warnings and a print."""
    quiet = types.SimpleNamespace(**{**vars(traceback), "print_exc": _log_kind})
    for module in (gradio.queueing, gradio.routes, gradio.route_utils):
        vars(module)["traceback"] = quiet
    vars(gradio.routes)["print"] = lambda *_: None
    for name in ("uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        if _without_traceback not in logger.filters:
            logger.addFilter(_without_traceback)
    warnings.filterwarnings("ignore", module=r"gradio\.components\.")


def admit_only(demo: gr.Blocks, admit: Callable[[str, str, int], None]) -> None:
    """Ask before an event is taken, by whichever door: the queue, by name or number, or past it.

    Gradio bounds its queue for all events together, a live mode's too, and knows no address.

    Args:
        demo: the page.
        admit: given the event's name, the caller's address and how many wait in the event's
            queue; it may raise HTTPException.
    """
    find = gradio.route_utils.get_fn

    def find_and_ask(blocks: gr.Blocks, api_name: str | None, body: Any) -> Any:
        function = find(blocks, api_name, body)
        request = getattr(body, "request", None)
        if blocks is demo and request is not None:
            queues = demo._queue.event_queue_per_concurrency_id
            waiting = queues.get(function.concurrency_id)
            address = request.client.host if request.client else ""
            admit(str(function.api_name), address, len(waiting.queue) if waiting else 0)
        return function

    vars(gradio.route_utils)["get_fn"] = find_and_ask


def refuse_names_that_are_none() -> None:
    """Answer a call by name, of arguments that an endpoint does not have, with one sentence.

    Gradio takes them apart with its client's function, whose errors it answers with status 500.
    """
    own = vars(gradio.routes)["client_utils"]

    def construct_args(told: list[Any], given: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
        names = [argument["parameter_name"] for argument in told]
        needed = [entry["parameter_name"] for entry in told if not entry["parameter_has_default"]]
        try:
            check_names(named, names, needed)
        except SettingsError as error:
            raise HTTPException(422, str(error)) from error
        return list(own.construct_args(told, given, named))

    changed = types.SimpleNamespace(**{**vars(own), "construct_args": construct_args})
    vars(gradio.routes)["client_utils"] = changed


def unanswerable() -> dict[Any, Callable[[Request, Exception], Awaitable[Response]]]:
    """Exception handlers for requests that Gradio would answer with status 500 and no word."""

    async def no_endpoint(request: Request, error: Exception) -> Response:
        if not CALL.search(request.url.path):
            raise error
        known = ", ".join(f"/{name}" for name in ENDPOINTS)
        return JSONResponse({"detail": f"there is no such endpoint; there are {known}"}, 404)

    async def no_json(request: Request, error: Exception) -> Response:
        return JSONResponse(
            {"detail": "the request is no JSON that this endpoint takes; see Use via API"}, 422
        )

    async def no_room(request: Request, error: Exception) -> Response:
        if not _has_no_room(error):
            raise error
        _log_no_room(error)
        return JSONResponse({"detail": "the server has no room for a photo now"}, 507)

    async def cut(request: Request, error: Exception) -> Response:
        log.info("an upload was cut short")
        return Response(status_code=400)

    return {
        OSError: no_room,
        ClientDisconnect: cut,
        FnIndexInferError: no_endpoint,
        KeyError: no_endpoint,
        RequestValidationError: no_json,
    }


def _has_no_room(error: BaseException) -> bool:
    """Whether the folder of visitors' photos cannot be written."""
    cause = error.__cause__ or error  # Gradio wraps what a component raises
    return isinstance(cause, OSError) and cause.errno in NO_ROOM


def _log_no_room(error: BaseException) -> None:
    log.error(
        "a photo could not be kept: %s; free some space in %s, or set LOOKALIKE_TEMP_DIR",
        getattr(error.__cause__ or error, "strerror", error),
        get_upload_folder(),
    )


def _log_kind() -> None:
    log.error("an event failed: %s", _kind_and_place(sys.exc_info()[1]))


def _without_traceback(record: logging.LogRecord) -> bool:
    """A logging filter: the kind of an error in the place of its words."""
    if record.exc_info:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        record.msg = f"{record.getMessage().strip()}: {_kind_and_place(error)}"
        record.args, record.exc_info, record.exc_text = (), None, None
    return True


def _kind_and_place(error: BaseException | None) -> str:
    """Such as "ValueError at dropdown.py:140"."""
    frames = traceback.extract_tb(error.__traceback__) if error else []
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
