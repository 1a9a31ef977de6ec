"""Ask a public list of known weaknesses about every package of the lock file. Needs a network.

In: requirements-lock.txt. Out: the weaknesses, one a line.
Exit status: 0 if every package was looked up and nothing is known, 1 if something is, 2 where the
list could not be asked, of any package: silence is no answer. Needs `pip install pip-audit`.
"""

from __future__ import annotations

import json
import re
import subprocess  # of pip-audit, see below # nosec B404
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run by path, from any folder

from packaging.requirements import Requirement

from core.errors import SettingsError, SourceError
from core.settings import ROOT
from scripts.cli import Parser, path, run, tell

LOCK = ROOT / "requirements-lock.txt"
PINNED = re.compile(r"^([\w.-]+)==([^\s;]+)", re.MULTILINE)


def main() -> int:
    """Exit status 0 if all were looked up and nothing is known of them."""
    parser = Parser(description="Ask a public list of known weaknesses about every package.")
    parser.add_argument("--lock", type=path, default=LOCK, help="default: requirements-lock.txt")
    lock = parser.parse_args().lock
    pinned = dict(PINNED.findall(lock.read_text("utf-8")))
    if not pinned:
        raise SettingsError(f"{lock} pins no package; name a lock file")
    if find_spec("pip_audit") is None:
        raise SettingsError("pip-audit is not installed; pip install pip-audit")
    looked_up = look_up(lock, pinned)
    known = [
        f"{name} {pinned[name]}: {weakness['id']}, mended in"
        f" {', '.join(weakness.get('fix_versions', ())) or 'no version'}"
        for name, weaknesses in sorted(looked_up.items())
        for weakness in weaknesses
    ]
    tell(*known, f"{len(looked_up)} packages looked up, {len(known)} known weaknesses")
    return 1 if known else 0


def look_up(lock: Path, pinned: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """The known weaknesses of each package.

    Raises:
        SourceError: not every package was looked up.
    """
    asked = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--format", "json"]
    options = ["--no-deps", "--disable-pip", "--progress-spinner", "off"]
    done = subprocess.run(  # noqa: S603 - pip-audit, given the owner's own file # nosec B603
        [*asked, *options], capture_output=True, text=True, check=False
    )
    looked_up = _looked_up(done.stdout)
    # Packages for other systems are in the lock, and pip-audit does not ask about them.
    missing = {name for name in pinned if _is_for_here(name, lock)} - looked_up.keys()
    if missing or not looked_up:
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        raise SourceError(
            f"{len(missing) or len(pinned)} of {len(pinned)} packages could not be looked up"
            f" ({reason[:200]}), so nothing is known of them; run this on a machine with a network"
        )
    return looked_up


def _looked_up(text: str) -> dict[str, list[dict[str, Any]]]:
    """Weaknesses by package, of those that were looked up."""
    try:
        entries = json.loads(text)["dependencies"]
        return {entry["name"]: entry["vulns"] for entry in entries if "skip_reason" not in entry}
    except (ValueError, LookupError, TypeError):
        return {}


def _is_for_here(name: str, lock: Path) -> bool:
    line = re.search(rf"^{re.escape(name)}==[^\\\n]*", lock.read_text("utf-8"), re.MULTILINE)
    marker = Requirement(line[0].strip()).marker if line else None
    return marker is None or marker.evaluate()


if __name__ == "__main__":
    run(main)
