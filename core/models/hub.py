"""The only door to the Hugging Face Hub's model files."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import HubUnreachableError, ModelError
from core.files import sha256_of

LOGIN = (
    "log in to the network if it has a login page, or set HTTPS_PROXY or HF_ENDPOINT so that the"
    " Hub is reached"
)
ACCESS = "renew or unset HF_TOKEN, and let a proxy on the way pass the Hub's address"
CHECK_NETWORK = "check the network"
LATER = "try again later, and report it if it stays so"
REMEDIES = {  # by HTTP status
    401: ACCESS,
    403: ACCESS,
    404: "check HF_ENDPOINT, or update Lookalike",
    407: "set HTTPS_PROXY with the proxy's user and password",
    429: "try again later, or set HF_TOKEN to be allowed more",
    511: LOGIN,
}
OWN_CERTIFICATE = (
    "its certificate is not trusted: set SSL_CERT_FILE to that of the proxy on the way, or check"
    " the clock"
)


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
    if not getattr(answer, "commit_hash", None):  # the Hub names the commit of every file
        raise HubUnreachableError(f"in the Hub's place something else answered for {file}; {LOGIN}")
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
        raise HubUnreachableError(
            f"the Hub did not answer within {seconds:g} s; check the network, or raise"
            " LOOKALIKE_HUB_TIMEOUT"
        )
    if isinstance(outcome[0], Exception):
        raise HubUnreachableError(refusal(outcome[0])) from outcome[0]
    return outcome[0]


def _quieten_client() -> None:
    """Its warnings (no token, a download resumed) would stand beside a script's one line."""
    import huggingface_hub  # noqa: F401 - it sets its level on import

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


def _refusal(file: HubFile, error: Exception) -> str:
    if status := _status(error):
        return f"the Hub answered {status} for {file}; {remedy_of(error)}"
    return f"the Hub did not give {file} ({type(error).__name__}); {remedy_of(error)}"


def remedy_of(error: Exception) -> str:
    """What helps against an error of the Hub's client."""
    if status := _status(error):
        return REMEDIES.get(status, LATER)
    if isinstance(error, UnicodeEncodeError):  # a header cannot carry it
        return "set HF_TOKEN to a token of the Hub's, or unset it"
    if type(error).__name__ == "TooManyRedirects" or isinstance(error, ValueError):
        return LOGIN  # a page, where the Hub's JSON was expected
    return OWN_CERTIFICATE if _is_about_certificates(error) else CHECK_NETWORK


def _status(error: Exception) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _is_about_certificates(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


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
        of_the_network = isinstance(error, ConnectionError | TimeoutError | socket.gaierror)
        if isinstance(error, OSError) and error.errno is not None and not of_the_network:
            raise
        remedy = remedy_of(error) if _status(error) else "run it again"
        raise HubUnreachableError(
            f"the download of {what} stopped ({_status(error) or type(error).__name__}); {remedy}"
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
