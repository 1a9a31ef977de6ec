"""What every script shares: one-line errors, exit statuses, the log."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TextIO

from core.errors import LookalikeError
from core.log import configure_logging

INTERRUPTED = 130  # what shells report for Ctrl-C


class Parser(argparse.ArgumentParser):
    """argparse with its fault in one line and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Print one line, not the usage as well."""
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def path(text: str) -> Path:
    """A path given by a person: `~` expanded, relative to where they stand."""
    return Path(text).expanduser().absolute()


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    value = int(text) if text.strip().isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return value


def run(main: Callable[[], int], log_to: TextIO | None = None) -> NoReturn:
    """Run a script's main and exit: 2 and one line on stderr for a set-up or usage fault."""
    configure_logging(log_to)
    try:
        sys.exit(main())
    except LookalikeError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped; run it again to go on", file=sys.stderr)
        sys.exit(INTERRUPTED)
