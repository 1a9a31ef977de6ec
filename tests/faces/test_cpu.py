"""Threads follow the CPU quota of the container, not the host's core count."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.faces.engine import usable_cpus


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def cpus(root: Path, group: str = "/", quotas: dict[str, str] | None = None) -> int:
    """`usable_cpus` under a made-up /sys/fs/cgroup; `quotas` maps files to their text."""
    for name, text in (quotas or {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    own = root.parent / "own_cgroup"
    own.write_text(f"0::{group}\n")
    return usable_cpus(root, own)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cgroup"


def test_without_a_quota_all_cores_are_used(root: Path) -> None:
    assert cpus(root) == 8
    assert usable_cpus(root, root / "missing") == 8


def test_cores_the_process_may_not_run_on_do_not_count(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 5, 7}, raising=False)
    assert cpus(root) == 3


def test_version_2_quota_of_the_own_group(root: Path) -> None:
    assert cpus(root, quotas={"cpu.max": "200000 100000\n"}) == 2


@pytest.mark.parametrize(("quota", "expected"), [("150000", 2), ("20000", 1), ("900000", 8)])
def test_part_of_a_core_counts_as_one_and_never_more_than_there_are(
    root: Path, quota: str, expected: int
) -> None:
    assert cpus(root, quotas={"cpu.max": f"{quota} 100000"}) == expected


def test_version_2_maximum_is_no_quota(root: Path) -> None:
    assert cpus(root, quotas={"cpu.max": "max 100000\n"}) == 8


def test_version_2_quota_of_a_nested_group(root: Path) -> None:
    quotas = {"kube/pod/box/cpu.max": "300000 100000", "kube/pod/cpu.max": "max 100000"}
    assert cpus(root, "/kube/pod/box", quotas) == 3


def test_version_2_smallest_quota_on_the_way_to_the_root_counts(root: Path) -> None:
    quotas = {"kube/pod/cpu.max": "500000 100000", "kube/cpu.max": "100000 50000"}
    assert cpus(root, "/kube/pod", quotas) == 2


def test_version_2_quota_of_a_sister_group_does_not_count(root: Path) -> None:
    assert cpus(root, "/kube/pod", {"kube/other/cpu.max": "100000 100000"}) == 8


def test_version_1_quota(root: Path) -> None:
    quotas = {"cpu/cpu.cfs_quota_us": "250000\n", "cpu/cpu.cfs_period_us": "100000\n"}
    assert cpus(root, quotas=quotas) == 3


def test_version_1_minus_one_is_no_quota(root: Path) -> None:
    quotas = {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}
    assert cpus(root, quotas=quotas) == 8


def test_this_machine_gives_at_least_one() -> None:
    assert 1 <= usable_cpus() <= 8
