"""A Hugging Face Space brought to what it should be: the app's files in one commit, its variables.

What is asked of the Hub is asked with the token of its own client (HF_TOKEN, or a login).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import SettingsError
from core.models.hub import ask_in_time, remedy_of
from core.settings import REPO, WHO, Settings, load_settings

# What the app needs; a folder stands for all in it. Scripts, tests and documents stay at home.
NEEDED = (
    "app.py",
    "core",
    "dataset/README.md",
    "dataset/removals.json",
    "dataset/starter_actors.csv",
    "dataset/starter_embeddings.json",
    "LICENSE",
    "packages.txt",
    "README.md",
    "requirements.txt",
)
PICTURE = re.compile(r"!\[[^\]]*\]\(([^):]+)\)")  # of this project, in the README
HIDDEN = re.compile(r"(^|/)(\.|__pycache__)")
SECRET = ("password",)  # settings that everybody could read as a variable
HUBS_OWN = ".gitattributes"  # it says which files are large; the Hub writes it
IN_A_NEW_ONE = {HUBS_OWN, "README.md"}
OURS = "core/lookalike.py"  # in every Space of this app
UPLOAD = 100  # times LOOKALIKE_HUB_TIMEOUT: a commit is given that long
MESSAGE = "Lookalike, as deploy_space.py found it"


@dataclass(frozen=True)
class Space:
    """What a Space is to be."""

    name: str  # owner/name
    files: Mapping[str, Path]  # by path in the Space
    variables: Mapping[str, str]  # environment of the app; everybody can read them
    private: bool = False  # where it is new

    @property
    def size(self) -> int:
        """Of all files, bytes."""
        return sum(path.stat().st_size for path in self.files.values())

    @property
    def address(self) -> str:
        """Of its page on the Hub."""
        return f"{_endpoint()}/spaces/{self.name}"


@dataclass(frozen=True)
class Deployed:
    """What had to be done for it."""

    committed: bool
    deleted: tuple[str, ...]  # files of the Space that are not among the app's
    variables: tuple[str, ...]  # that were set


def planned_space(
    name: str, root: Path, variables: Mapping[str, str], *, private: bool = False
) -> Space:
    """The app of a folder as a Space.

    Raises:
        SettingsError: the name is none, a file is missing, or a variable is no setting, has a
            value that cannot be used, or would tell a secret.
    """
    if not REPO.fullmatch(name):
        raise SettingsError(f"{name!r} is no owner/name; give the Space's, as in me/lookalike")
    for variable, value in variables.items():
        _refuse_variable(variable, value)
    load_settings(variables)
    return Space(name, needed_files(root), variables, private)


def _refuse_variable(variable: str, value: str) -> None:
    setting = variable.removeprefix("LOOKALIKE_").lower()
    if setting not in Settings.model_fields or variable != f"LOOKALIKE_{setting.upper()}":
        raise SettingsError(f"{variable} is no setting; docs/settings.md has them all")
    if setting in SECRET or WHO.search(value):
        raise SettingsError(
            f"{variable} would be a variable that everybody can read; set it as a secret, in the"
            " Space's settings on the Hub"
        )


def needed_files(root: Path) -> dict[str, Path]:
    """The files that the app needs, by path below `root`; with the pictures of its README.

    Raises:
        SettingsError: one is missing.
    """
    pictures = PICTURE.findall((root / "README.md").read_text("utf-8"))
    files: dict[str, Path] = {}
    for name in (*NEEDED, *pictures):
        place = root / name
        found = [path for path in place.rglob("*") if path.is_file()] if place.is_dir() else [place]
        if not place.exists():
            raise SettingsError(f"{place} is missing; deploy from a whole copy of the project")
        files |= {path.relative_to(root).as_posix(): path for path in found}
    return {name: files[name] for name in sorted(files) if not HIDDEN.search(name)}


def deploy(space: Space, seconds: float) -> Deployed:
    """Make or update the Space; what is there already as it should be stays untouched.

    Args:
        space: what it is to be.
        seconds: the Hub is given to answer; a hundred times that for an upload.

    Raises:
        SettingsError: it is another app's.
        HubUnreachableError: no token, no answer in time, or a refusal, with its remedy.
    """
    from huggingface_hub import HfApi

    api = HfApi()

    def ask(question: Callable[[], Any], patience: float = UPLOAD) -> Any:
        return ask_in_time(question, patience * seconds, lambda error: _refusal(space, error))

    ask(api.whoami, 1)  # is it there, is it the Hub, does it know the token?
    ask(
        lambda: api.create_repo(
            space.name,
            repo_type="space",
            space_sdk="gradio",
            exist_ok=True,
            private=space.private or None,
        )
    )
    there = set(ask(lambda: api.list_repo_files(space.name, repo_type="space")))
    if OURS not in there and there - IN_A_NEW_ONE:
        raise SettingsError(
            f"{space.name} is another app's Space, all of which would be deleted; give another name"
        )
    variables = ask(lambda: _set_variables(api, space))
    gone = tuple(sorted(there - space.files.keys() - {HUBS_OWN}))
    return Deployed(ask(lambda: _commit(api, space, gone)), gone, variables)


def _set_variables(api: Any, space: Space) -> tuple[str, ...]:
    """Set those that differ: each restarts a Space that runs."""
    there = api.get_space_variables(space.name)
    new = [
        name
        for name, value in space.variables.items()
        if name not in there or there[name].value != value
    ]
    for name in new:
        api.add_space_variable(space.name, name, space.variables[name])
    return tuple(new)


def _commit(api: Any, space: Space, gone: Iterable[str]) -> bool:
    """Write what has changed and delete what is gone; whether there was a commit.

    The client leaves out files that are there already, and a commit that would be empty.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    before = api.space_info(space.name).sha
    commit = api.create_commit(
        space.name,
        [CommitOperationDelete(name, is_folder=False) for name in gone]
        + [CommitOperationAdd(name, path) for name, path in space.files.items()],
        commit_message=MESSAGE,
        repo_type="space",
    )
    return bool(commit.oid != before)


def _refusal(space: Space, error: Exception) -> str:
    """One sentence and its remedy for whatever the Hub's client raises."""
    from huggingface_hub.errors import LocalTokenNotFoundError

    if isinstance(error, LocalTokenNotFoundError):
        return f"there is no token for the Hub; {_new_token()}"
    cause = error.__cause__
    if isinstance(error, RuntimeError) and isinstance(cause, Exception):
        error = cause  # an upload's
    if isinstance(error, ValueError) and getattr(cause, "response", None) is not None:
        return f"the Hub refuses README.md ({' '.join(str(error).split())}); mend its first lines"
    status = getattr(getattr(error, "response", None), "status_code", None)
    owner = space.name.partition("/")[0]
    remedies = {
        401: _new_token(),
        402: f"Spaces that run are paid for: subscribe or pay, at {_endpoint()}/pricing",
        403: f"the token may not write what is {owner}'s: {_new_token()}",
    }
    remedy = remedies.get(status or 0) or remedy_of(error)
    if status:
        return f"the Hub answered {status} for {space.name}; {remedy}"
    return f"the Hub did not take {space.name} ({type(error).__name__}); {remedy}"


def _new_token() -> str:
    return (
        f"make one that may write, at {_endpoint()}/settings/tokens, then set HF_TOKEN or run"
        " `hf auth login`"
    )


def _endpoint() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)
