"""Each change to Gradio is still needed: a test fails once Gradio itself has mended its fault."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType

import gradio as gr
import gradio.http_server
import gradio.mcp
import gradio.queueing
import gradio.route_utils
import gradio.routes
import gradio_client.utils
import mcp.types
import pytest
from gradio.data_classes import ImageData, PredictBody
from gradio.queueing import Queue
from gradio.route_utils import FnIndexInferError, call_process_api, get_fn
from gradio.state_holder import SessionState, StateHolder
from gradio.utils import MatplotlibBackendMananger, error_payload
from PIL import UnidentifiedImageError

from core.page.gradio_patches import BriefSession, JsonAnswers, NoNames, photo_input
from core.page.layout import EXAMPLE

# Gradio's blocks and servers leave an event loop to be collected.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_gradio_readies_matplotlib_for_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    module, readied = ModuleType("matplotlib"), []
    module.get_backend = lambda: "agg"  # type: ignore[attr-defined]
    module.use = readied.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "matplotlib", module)
    with MatplotlibBackendMananger():
        assert readied
    assert "MatplotlibBackendMananger" in call_process_api.__code__.co_names


def test_gradio_decodes_a_photo_before_the_app_can(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    photo = tmp_path / "notes.jpg"
    photo.write_text("not a picture")
    sent = ImageData(path=str(photo))
    with pytest.raises((gr.Error, UnidentifiedImageError)):
        gr.Image(type="filepath").preprocess(sent)
    assert photo_input().preprocess(sent) == str(photo)


def test_gradio_reads_a_file_that_nobody_uploaded_and_compresses_base64_anew() -> None:
    sent = ImageData(path=str(EXAMPLE))
    assert Path(gr.Image(type="filepath").preprocess(sent)).stat().st_size
    with pytest.raises(gr.Error, match="no file that was uploaded"):
        photo_input().preprocess(sent)
    uri = f"data:image/jpeg;base64,{base64.b64encode(EXAMPLE.read_bytes()).decode()}"
    read = [
        Path(image.preprocess(ImageData(url=uri))).read_bytes()
        for image in (gr.Image(type="filepath"), photo_input())
    ]
    assert read[0] != read[1] == EXAMPLE.read_bytes()


def test_gradio_answers_an_event_that_fails_with_null() -> None:
    assert error_payload(ValueError("why"), show_error=False) == {"error": None}


def test_gradio_answers_names_that_are_none_with_status_500() -> None:
    with pytest.raises(TypeError):
        gradio_client.utils.construct_args([], (), {"bogus": 1})
    assert "construct_args" in inspect.getsource(gradio.routes.App.create_app)
    assert "except TypeError" not in inspect.getsource(gradio.routes.App.create_app)
    with pytest.raises(FnIndexInferError):
        get_fn(noting(), "nothing", PredictBody(data=[]))


def test_gradio_tells_the_log_of_an_address_that_gives_no_photo() -> None:
    with pytest.raises(Exception) as told:
        asyncio.run(gr.Image().async_move_resource_to_block_cache("http://127.0.0.1:9/me.jpg"))
    assert not isinstance(told.value, gr.Error)


def test_gradio_cannot_be_told_what_a_component_holds() -> None:
    assert set(gr.JSON().api_info()) <= {"type", "description", "title", "additional_description"}
    assert "minimum" not in gr.Number(precision=0).api_info()
    with pytest.raises(TypeError):
        gr.JSON(api_info={"type": "object"})


def test_gradio_writes_a_file_beside_a_subclass(tmp_path: Path) -> None:
    source = tmp_path / "photo_of_ours.py"
    source.write_text("import gradio as gr\n\nclass Photo(gr.Image):\n    EVENTS = ['change']\n")
    spec = importlib.util.spec_from_file_location(source.stem, source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[source.stem] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[source.stem]
    assert source.with_suffix(".pyi").is_file()


def test_gradio_answers_language_models_with_pythons_dictionaries() -> None:
    texts = []
    for kind in (JsonAnswers.__base__, JsonAnswers):
        server = object.__new__(kind)  # of no page
        server.types = mcp.types
        (content,) = server.postprocess_output_data([{"name_ko": None}], "")
        texts.append(content.text)
    assert texts == ["{'name_ko': None}", '{"name_ko": null}']


def noting() -> gr.Blocks:
    with gr.Blocks() as demo:
        text = gr.Textbox()
        gr.Button().click(lambda told: told, text, text)
    return demo


def values_of(session: SessionState) -> list[object]:
    return [config["props"].get("value") for config in session.components if "props" in config]


def test_gradio_notes_each_events_values_for_its_session() -> None:
    demo = noting()
    for session, noted in ((SessionState(demo), True), (BriefSession(demo), False)):
        asyncio.run(demo.process_api(demo.fns[0], ["a face"], state=session))
        assert ("a face" in values_of(session)) is noted


def test_gradio_holds_sessions_that_are_closed() -> None:
    holder = StateHolder()
    holder.set_blocks(noting())
    holder["one"].is_closed = True
    holder.delete_all_expired_state()
    assert list(holder.session_data) == ["one"]


def test_gradio_keeps_the_names_of_photos_whose_files_others_deleted(tmp_path: Path) -> None:
    demo = noting()
    names = {str(tmp_path / "holiday.png")}
    demo.temp_file_sets = [names]
    gradio.route_utils.delete_files_created_by_app(demo, 0)
    assert names
    nothing = NoNames()
    nothing.add("holiday.png")
    nothing.update(["holiday.png"])
    assert nothing == set()


def test_gradio_keeps_an_events_values_and_its_request_until_the_next_one() -> None:
    assert "data" not in inspect.getsource(Queue.process_events).partition("finally:")[2]
    assert "event_batch" in Queue.start_processing.__code__.co_varnames
    assert "._body" not in inspect.getsource(gradio.routes)


def test_gradio_keeps_answers_that_nobody_fetches_and_uploads_that_nobody_watches() -> None:
    assert "pending_messages_per_session" not in inspect.getsource(Queue.clean_events)
    statuses = gradio.route_utils.FileUploadProgress()
    statuses.append("id", "holiday.png", b"a face")
    statuses.set_done("id")
    assert statuses._statuses


def test_gradio_keeps_a_list_of_events_and_shows_it_unless_told_not_to() -> None:
    assert noting()._queue.ANALYTICS_MAX_EVENTS > 0
    assert "enable_monitoring in [True, None]" in inspect.getsource(gr.Blocks.launch)


def test_gradio_writes_what_a_caller_sent_to_the_log() -> None:
    assert "traceback.print_exc()" in inspect.getsource(Queue.process_events)
    assert "file_name={file_name}" in inspect.getsource(gradio.routes)


def test_gradio_waits_for_open_tabs_when_it_closes() -> None:
    source = inspect.getsource(gradio.http_server.Server.close)
    assert "join(timeout=5)" in source
    assert "force_exit" not in source
    assert "kill" not in inspect.getsource(gr.Blocks.close)  # of tunnels


def test_gradio_writes_a_full_disk_and_a_cut_upload_to_the_log_as_faults_of_the_app() -> None:
    upload = inspect.getsource(gradio.routes.App.create_app).partition("async def upload_file")[2]
    handled = upload.partition("startup_events")[0]
    assert "except MultiPartException" in handled
    assert "OSError" not in handled
    assert "ClientDisconnect" not in handled


def test_gradio_lets_a_proxy_hold_its_event_streams_back() -> None:
    assert "X-Accel-Buffering" not in inspect.getsource(gradio.routes)


def test_gradio_counts_no_calls_and_bounds_its_queue_for_all_events_together() -> None:
    sources = inspect.getsource(gradio.routes) + inspect.getsource(gradio.queueing)
    assert "429" not in sources
    assert "len(self) >= self.max_size" in inspect.getsource(Queue.push)
    assert "get_fn(" in inspect.getsource(Queue.push)


def test_gradio_calls_a_tool_from_this_machine_without_the_callers_address() -> None:
    prepare = inspect.getsource(gradio.mcp.GradioMCPServer._prepare_tool_call_args)
    assert "request.headers" in prepare
    assert "client.host" not in prepare
