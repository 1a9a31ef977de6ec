"""Importing Gradio is made short, and still must be: a test fails once Gradio does it itself."""

from __future__ import annotations

import importlib.util
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from core.page.gradio_import import without_stubs
from tests.conftest import ROOT

COMPONENT = "from gradio.components import Image\n\nclass Mine(Image):\n    pass\n"


NAME = "gradio.components.mine"


def component_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module, as if of Gradio's own, that has one component, imported."""
    file = tmp_path / "mine.py"
    file.write_text(COMPONENT)
    spec = importlib.util.spec_from_file_location(NAME, file)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, NAME, module)
    spec.loader.exec_module(module)
    return module


def test_gradio_writes_a_stub_beside_each_component_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    component_in(tmp_path, monkeypatch)
    assert (tmp_path / "mine.pyi").exists()


def test_without_stubs_it_writes_none_and_afterwards_all_is_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = inspect.getfile
    with without_stubs():
        module = component_in(tmp_path, monkeypatch)
        assert Path(inspect.getfile(component_in)) == Path(__file__)
    assert not (tmp_path / "mine.pyi").exists()
    assert inspect.getfile is before
    assert isinstance(module.Mine(), module.Mine)


@pytest.mark.parametrize("wanted", [False, True])
def test_the_package_for_language_models_is_imported_if_they_are_served(wanted: bool) -> None:
    code = (
        "import sys\n"
        "from core.page.gradio_import import import_gradio\n"
        "assert 'gradio' not in sys.modules\n"
        f"import_gradio(mcp={wanted})\n"
        "assert sys.modules['matplotlib'] is None\n"
        "print(sys.modules.get('mcp') is not None, 'gradio' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(wanted), "True"]
