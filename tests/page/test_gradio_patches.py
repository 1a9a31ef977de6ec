"""Each change to Gradio is still needed: a test fails once Gradio itself has mended its fault."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import gradio as gr
import gradio.mcp
import mcp.types
import pytest
from gradio.data_classes import ImageData
from gradio.route_utils import call_process_api
from gradio.utils import MatplotlibBackendMananger, get_upload_folder
from PIL import UnidentifiedImageError

from core.page.gradio_patches import JsonAnswers, photo_input


def test_gradio_readies_matplotlib_for_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    module, readied = ModuleType("matplotlib"), []
    module.get_backend = lambda: "agg"  # type: ignore[attr-defined]
    module.use = readied.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "matplotlib", module)
    with MatplotlibBackendMananger():
        assert readied
    assert "MatplotlibBackendMananger" in call_process_api.__code__.co_names


def test_gradio_decodes_a_photo_before_the_app_can(tmp_path: Path) -> None:
    photo = tmp_path / "notes.jpg"
    photo.write_text("not a picture")
    sent = ImageData(path=str(photo))
    with pytest.raises((gr.Error, UnidentifiedImageError)):
        gr.Image(type="filepath").preprocess(sent)
    assert photo_input().preprocess(sent) == str(photo)


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


def test_gradio_reads_the_folder_for_models_photos_when_it_is_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert get_upload_folder() == str(tmp_path)
    assert str(tmp_path) != gradio.mcp.DEFAULT_TEMP_DIR
