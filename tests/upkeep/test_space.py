"""A Space through the real Hub client, against a stand-in of the Hub on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest
from PIL import Image

from core.errors import HubUnreachableError, SettingsError
from core.settings import ROOT
from core.upkeep.space import Deployed, Space, deploy, needed_files, planned_space
from tests.hub_repos import READING, WRITING, Repo
from tests.hub_standin import NOWHERE, HubStandin, client_at

# Of the client's own upload by LFS.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
NAME = "me/lookalike"
README = "---\ntitle: Lookalike\ncolorFrom: indigo\n---\n# Lookalike\n"
PATIENT = 10.0  # seconds


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubStandin]:
    with HubStandin(tmp_path / "files") as standin, client_at(standin.url, tmp_path, WRITING):
        yield standin


@pytest.fixture
def app(tmp_path: Path) -> dict[str, Path]:
    """Three small files: two of text, and a picture, which the Hub wants as a large file."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "README.md").write_text(README)
    (folder / "app.py").write_text("print('hello')\n")
    Image.new("RGB", (64, 64), "steelblue").save(folder / "page.png")
    names = {"README.md": "README.md", "core/lookalike.py": "app.py", "docs/page.png": "page.png"}
    return {name: folder / file for name, file in names.items()}


def there(hub: HubStandin) -> Repo:
    return hub.repos.repos[f"spaces/{NAME}"]


def contents(files: dict[str, Path]) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in files.items()}


def test_a_new_space_has_the_files_and_the_variables_after_one_commit(
    hub: HubStandin, app: dict[str, Path]
) -> None:
    variables = {"LOOKALIKE_GALLERY": "me/actors", "LOOKALIKE_TOP_K": "3"}
    done = deploy(Space(NAME, app, variables), PATIENT)
    assert done == Deployed(True, (), tuple(variables))
    made = there(hub)
    assert (made.sdk, made.private, len(made.commits)) == ("gradio", False, 1)
    assert {**made.files, ".gitattributes": b""} == {**contents(app), ".gitattributes": b""}
    assert made.variables == variables
    assert list(hub.repos.blobs.values()) == [app["docs/page.png"].read_bytes()]


def test_run_again_with_nothing_changed_it_commits_and_sets_nothing(
    hub: HubStandin, app: dict[str, Path]
) -> None:
    space = Space(NAME, app, {"LOOKALIKE_TOP_K": "3"})
    deploy(space, PATIENT)
    hub.requests.clear()
    assert deploy(space, PATIENT) == Deployed(False, (), ())
    assert len(there(hub).commits) == 1
    assert not [asked for asked in hub.requests if asked.path.endswith("/commit/main")]
    assert {asked.method for asked in hub.requests if "variables" in asked.path} == {"GET"}


def test_only_what_changed_is_written_and_what_is_gone_is_deleted(
    hub: HubStandin, app: dict[str, Path]
) -> None:
    deploy(Space(NAME, app, {"LOOKALIKE_TOP_K": "3"}), PATIENT)
    there(hub).files["left/over.py"] = b"of an earlier version"
    there(hub).variables["MINE"] = "kept"
    app["core/lookalike.py"].write_text("print('hello again')\n")
    del app["docs/page.png"]
    done = deploy(Space(NAME, app, {"LOOKALIKE_TOP_K": "4"}), PATIENT)
    gone = ("docs/page.png", "left/over.py")
    assert done == Deployed(True, gone, ("LOOKALIKE_TOP_K",))
    second = there(hub).commits[1]
    assert (second["written"], tuple(second["deleted"])) == (["core/lookalike.py"], gone)
    assert there(hub).files.keys() == {*app, ".gitattributes"}
    assert there(hub).variables == {"LOOKALIKE_TOP_K": "4", "MINE": "kept"}


def test_another_apps_space_is_left_alone(hub: HubStandin, app: dict[str, Path]) -> None:
    theirs = {"app.py": b"print('mine')", "README.md": b"---\ntitle: Mine\n---\n"}
    hub.repos.repos[f"spaces/{NAME}"] = Repo(False, "gradio", dict(theirs))
    with pytest.raises(SettingsError, match="is another app's Space"):
        deploy(Space(NAME, app, {"LOOKALIKE_TOP_K": "3"}), PATIENT)
    assert (there(hub).files, there(hub).variables, there(hub).commits) == (theirs, {}, [])


def test_a_new_space_may_be_private(hub: HubStandin, app: dict[str, Path]) -> None:
    deploy(Space(NAME, app, {}, private=True), PATIENT)
    assert there(hub).private


def test_where_a_token_may_make_no_space_one_that_is_there_is_updated(
    hub: HubStandin, app: dict[str, Path]
) -> None:
    """As of somebody who no longer pays."""
    deploy(Space(NAME, app, {}), PATIENT)
    hub.repos.payment = True
    app["core/lookalike.py"].write_text("")
    assert deploy(Space(NAME, app, {}), PATIENT).committed


def refused(name: str, app: dict[str, Path], seconds: float = PATIENT) -> str:
    with pytest.raises(HubUnreachableError) as caught:
        deploy(Space(name, app, {}), seconds)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("token", "fault", "remedy"),
    [
        ("", "there is no token for the Hub", "make one that may write"),
        ("hf_forged", "the Hub answered 401", "make one that may write"),
        (READING, "the Hub answered 403", "the token may not write what is me's: make one"),
    ],
)
def test_a_token_that_will_not_do_is_one_sentence(
    hub: HubStandin,
    app: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    fault: str,
    remedy: str,
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    sentence = refused(NAME, app)
    assert sentence.startswith(fault)
    assert remedy in sentence
    assert f"{hub.url}/settings/tokens" in sentence
    assert hub.repos.repos == {}
    assert token == "" or token not in sentence


def test_a_token_that_may_only_read_cannot_change_a_space_that_is_there(
    hub: HubStandin, app: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(Space(NAME, app, {}), PATIENT)
    monkeypatch.setenv("HF_TOKEN", READING)
    app["core/lookalike.py"].write_text("")
    assert "may not write what is me's" in refused(NAME, app)
    assert len(there(hub).commits) == 1


def test_somebody_elses_name_is_one_sentence(hub: HubStandin, app: dict[str, Path]) -> None:
    assert "may not write what is eve's" in refused("eve/lookalike", app)


def test_a_space_that_has_to_be_paid_for_is_one_sentence(
    hub: HubStandin, app: dict[str, Path]
) -> None:
    hub.repos.payment = True
    assert f"subscribe or pay, at {hub.url}/pricing" in refused(NAME, app)


def test_a_readme_that_the_hub_refuses_is_one_sentence(
    hub: HubStandin, app: dict[str, Path]
) -> None:
    app["README.md"].write_text(README.replace("indigo", "mauve"))
    assert 'refuses README.md (Invalid metadata in README.md. - "colorFrom"' in refused(NAME, app)
    assert there(hub).commits == []


@pytest.mark.parametrize(
    ("faults", "remedy"),
    [
        ({"page": True}, "log in to the network if it has a login page"),
        ({"away": "/elsewhere"}, "log in to the network if it has a login page"),
        ({"status": 404}, "check HF_ENDPOINT"),
        ({"status": 407}, "set HTTPS_PROXY with the proxy's user and password"),
        ({"status": 429}, "try again later"),
        ({"status": 503}, "try again later"),
        ({"silent": True}, "did not answer within 0.5 s"),
    ],
)
def test_what_answers_in_the_hubs_place_has_its_own_remedy(
    hub: HubStandin, app: dict[str, Path], faults: dict[str, object], remedy: str
) -> None:
    for name, value in faults.items():
        setattr(hub.faults, name, value)
    assert remedy in refused(NAME, app, seconds=0.5 if "silent" in faults else PATIENT)


def test_no_hub_at_all_is_one_sentence(app: dict[str, Path], tmp_path: Path) -> None:
    with client_at(NOWHERE, tmp_path, WRITING):
        assert refused(NAME, app).endswith(
            "did not take me/lookalike (ConnectError); check the network"
        )


def test_offline_nothing_is_asked(
    hub: HubStandin, app: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in refused(NAME, app)
    assert hub.requests == []


def test_the_app_goes_there_without_tests_scripts_and_documents() -> None:
    files = needed_files(ROOT)
    beside = {name for name in files if not name.startswith("core/")}
    assert beside == {
        "LICENSE",
        "README.md",
        "app.py",
        "dataset/README.md",
        "dataset/removals.json",
        "dataset/starter_actors.csv",
        "dataset/starter_embeddings.json",
        "docs/page.png",  # which the README shows
        "packages.txt",
        "requirements.txt",
    }
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "core").rglob("*.py")}
    assert modules < files.keys()
    assert "core/page/page.js" in files
    assert not [name for name in files if "__pycache__" in name or "/." in name]


def test_half_a_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(README)
    with pytest.raises(SettingsError, match=r"app\.py is missing; deploy from a whole copy"):
        needed_files(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "lookalike",
        "me/look/alike",
        "me/..",
        "https://x/me/y",
        "me/a b",
        "me/x.git",
        "me/x-",
        "me/.x",
    ],
)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="owner/name"):
        planned_space(name, ROOT, {})


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("LOOKALIKE_COLOUR", "red", "is no setting"),
        ("TOP_K", "3", "is no setting"),
        ("LOOKALIKE_TOP_K", "many", "set it to a whole number"),
        ("LOOKALIKE_GALLERY", "actors", "set it to owner/name"),
        ("LOOKALIKE_PASSWORD", "sesame", "set it as a secret"),
        ("LOOKALIKE_INDEX", "milvus://me:sesame@host:19530", "set it as a secret"),
        ("LOOKALIKE_INDEX", "milvus://me:sesame@host:0", "set it as a secret"),
    ],
)
def test_a_variable_that_would_not_do_is_refused(variable: str, value: str, fault: str) -> None:
    with pytest.raises(SettingsError, match=fault) as caught:
        planned_space(NAME, ROOT, {variable: value})
    assert "sesame" not in str(caught.value)
