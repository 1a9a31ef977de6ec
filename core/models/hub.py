"""The only door to the Hugging Face Hub's model files."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import HubUnreachableError, ModelError
from core.files import sha256_of


@dataclass(frozen=True)
class HubFile:
    """One file of a Hub repository at one revision."""

    repo: str
    revision: str
    name: str

    def __str__(self) -> str:
        """For messages."""
        return f"{self.repo}/{self.name}"


def cached_file(file: HubFile) -> Path | None:
    """A file already in the Hub's cache (a Space's `preload_from_hub`), without asking the Hub."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(file.repo, file.name, revision=file.revision)
    return Path(found).resolve() if isinstance(found, str) else None


def require_answer(file: HubFile, size: int, sha256: str, seconds: float) -> None:
    """Ask the Hub for a file's metadata and check them against what is pinned.

    Raises:
        HubUnreachableError: offline by setting, or no answer within `seconds`.
        ModelError: the Hub answers, but with another file than the pinned one.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    def ask() -> object:
        url = hf_hub_url(file.repo, file.name, revision=file.revision)
        return get_hf_file_metadata(url, timeout=seconds)

    answer = ask_in_time(ask, seconds, lambda error: _refusal(file, error))
    published = (getattr(answer, "size", None), getattr(answer, "etag", None))
    if published != (size, sha256):
        raise ModelError(
            f"{file} on the Hub is not the pinned file (size and hash {published});"
            " it was not downloaded: update Lookalike"
        )


def ask_in_time(
    ask: Callable[[], object], seconds: float, refusal: Callable[[Exception], str]
) -> object:
    """What `ask` gets from the Hub within `seconds`; `refusal` words its failure.

    The real client would try again for some 23 s where there is no network, and a name
    server that does not answer blocks for longer: hence one try, in a thread, with a limit.

    Raises:
        HubUnreachableError: offline by setting, no answer in time, or a refusal.
    """
    from huggingface_hub import is_offline_mode

    _quieten_client()
    if is_offline_mode():
        raise HubUnreachableError(
            "the Hub is not asked: HF_HUB_OFFLINE is set; unset it to download"
        )
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(ask())
        except Exception as error:  # noqa: BLE001 - carried to the caller's thread, raised there
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise HubUnreachableError(f"the Hub did not answer within {seconds:g} s; check the network")
    if isinstance(outcome[0], Exception):
        raise HubUnreachableError(refusal(outcome[0])) from outcome[0]
    return outcome[0]


def _quieten_client() -> None:
    """Its warnings (no token, a download resumed) would stand beside a script's one line."""
    import huggingface_hub  # noqa: F401 - it sets its level on import

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


def _refusal(file: HubFile, error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is None:
        return f"the Hub did not give {file} ({type(error).__name__}); check the network"
    return f"the Hub answered {status} for {file}; try again later, and report it if it stays so"


def download(file: HubFile, folder: Path, size: int) -> Path:
    """Download one file of `size` bytes into `folder`, which the caller owns and removes.

    Raises:
        HubUnreachableError: the Hub fell silent on the way, or refused.
        OSError: the folder cannot be written.
    """
    from huggingface_hub import hf_hub_download

    if shutil.disk_usage(folder).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    _quieten_client()
    with stopped_downloads(str(file)):
        return Path(
            hf_hub_download(
                file.repo,
                file.name,
                revision=file.revision,
                local_dir=folder,
                force_download=True,  # or it copies from its cache, hash unchecked
            )
        )


@contextmanager
def stopped_downloads(what: str) -> Iterator[None]:
    """Turn whatever the client raises on the way into one error; the disk's refusals pass.

    It has two transports (httpx2 and hf_xet), each with errors of its own.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise HubUnreachableError(
            f"the download of {what} stopped ({type(error).__name__}); run it again"
        ) from error


def take_verified(source: Path, target: Path, sha256: str) -> bool:
    """Make `target` a real file with these bytes, if they match: linked where possible."""
    if sha256_of(source) != sha256:
        return False
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return True
