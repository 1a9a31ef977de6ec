"""The audit counts only what was looked up: a list that cannot be asked is never good news."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.running_app import clean_env
from tests.running_script import Done, run_here

LOCK = """one==1.0 \\
    --hash=sha256:00
two==2.0 ; sys_platform == 'none' \\
    --hash=sha256:01
"""
CLEAN = {"name": "one", "version": "1.0", "vulns": []}
WEAK = {**CLEAN, "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}


def audited(tmp_path: Path, printed: str, monkeypatch: pytest.MonkeyPatch, status: int = 0) -> Done:
    """The script with something in pip-audit's place that prints this."""
    site = tmp_path / "site"
    site.mkdir()
    code = (
        f"import sys\nprint({printed!r})\nprint('no route', file=sys.stderr)\nsys.exit({status})\n"
    )
    (site / "pip_audit.py").write_text(code)
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    lock = tmp_path / "lock.txt"
    lock.write_text(LOCK)
    env = clean_env(tmp_path, PYTHONPATH=str(site))
    return run_here("maintenance/audit_packages", "--lock", lock, cwd=tmp_path, env=env)


def test_every_package_looked_up_and_nothing_known_is_status_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = audited(tmp_path, json.dumps({"dependencies": [CLEAN]}), monkeypatch)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1 packages looked up, 0 known weaknesses\n"


def test_a_known_weakness_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = audited(tmp_path, json.dumps({"dependencies": [WEAK]}), monkeypatch, status=1)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "one 1.0: PYSEC-1, mended in 1.1"


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "No known vulnerabilities found",
        "{}",
        json.dumps({"dependencies": []}),
        json.dumps({"dependencies": [{"name": "one", "skip_reason": "not found"}]}),
    ],
)
@pytest.mark.parametrize("status", [0, 1])
def test_silence_is_no_answer(
    printed: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = audited(tmp_path, printed, monkeypatch, status)
    assert (done.returncode, done.stdout) == (2, "")
    assert "could not be looked up (no route), so nothing is known" in done.stderr
    assert len(done.stderr.splitlines()) == 1
