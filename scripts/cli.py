"""What every script shares: one-line errors, exit statuses, the log."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TextIO

from core.errors import GalleryError, LookalikeError
from core.gallery.folders import told
from core.gallery.photos import Gallery
from core.log import configure_logging, printable
from core.settings import Settings, load_settings

INTERRUPTED = 130  # what shells report for Ctrl-C


class Parser(argparse.ArgumentParser):
    """argparse with its fault in one line and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Print one line, not the usage as well."""
        self.exit(2, f"{printable(f'{self.prog}: {message} (see --help)')}\n")


def path(text: str) -> Path:
    """A path given by a person: `~` expanded, relative to where they stand."""
    return Path(text).expanduser().absolute()


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    value = int(text) if text.strip().isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return value


def settings_with(**options: Any) -> Settings:
    """The settings, and in their place the options that were given; None is none.

    Raises:
        SettingsError: a value that cannot be used.
    """
    given = {name: value for name, value in options.items() if value is not None}
    return load_settings().replaced(**given)


def need_folder(dataset: Path) -> None:
    """Refuse a mistyped dataset folder, where the starter gallery would take its place.

    Raises:
        GalleryError: it is no folder.
    """
    if not dataset.is_dir():
        raise GalleryError(f"{dataset} is not a folder; make it, or name another one")


def tell(*lines: str) -> None:
    """Print lines on standard output, each fit for a terminal whatever names are in it."""
    for line in lines:
        print(printable(line), flush=True)


def tell_row(*columns: str) -> None:
    """Print one line of columns, a tab between them."""
    print("\t".join(map(printable, columns)), flush=True)


def passed_over(gallery: Gallery) -> list[str]:
    """Lines: what lies in a gallery's folder and is not matched, by the reason."""
    lines = []
    for reason, files in told(gallery.passed_over):
        lines.append(f"passed over, {reason}: {len(files)}")
        lines += [f"  {file}" for file in files]
    return lines


def complain(text: str) -> None:
    """Print one line on standard error."""
    print(printable(text), file=sys.stderr, flush=True)


def run(main: Callable[[], int], log_to: TextIO | None = None) -> NoReturn:
    """Run a script's main and exit: 2 and one line on stderr for a set-up or usage fault."""
    configure_logging(log_to)
    try:
        sys.exit(main())
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except LookalikeError as error:
        complain(f"error: {error}")
        sys.exit(2)
    except OSError as error:  # another user's folder, a full disk, met where nobody looked
        complain(f"error: {_refusal(error)}")
        sys.exit(2)
    except KeyboardInterrupt:
        complain("stopped; run it again to go on")
        sys.exit(INTERRUPTED)


def _refusal(error: OSError) -> str:
    """What the system refused, and what to do about it."""
    where = " and ".join(str(name) for name in (error.filename, error.filename2) if name)
    remedy = "check the disk and the path"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        remedy = "let the user who runs this read and write it, or name another place"
    return f"{where or 'the system'}: {error.strerror or error}; {remedy}"
