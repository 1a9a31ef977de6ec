"""Joining a Ray cluster, or beginning one of this machine's cores; Ray tells nobody of it."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import ClusterError
from core.faces.engine import usable_cpus
from core.settings import ROOT

LOCAL = "local"
STORE = 200_000_000  # bytes of Ray's object store in a cluster of this machine
SHARED_MEMORY, ROOM = Path("/dev/shm"), 2  # noqa: S108 - and of stores it must have room for # nosec B108
PROXY_SECONDS = "60"  # Ray Serve gives a page's proxy 5 to begin, and then ends it
GRPC_MESSAGE = 2**31 - 1  # bytes; Ray Serve would take 4 MB, less than a photo's pixels
ANSWER_SECONDS = 10.0  # that a cluster is given to take a connection
WITHOUT_RAY = "Ray is not installed; run python -m pip install -r requirements-ray.txt"


@contextmanager
def cluster(
    address: str, environment: Mapping[str, str] | None = None, cores: int | None = None
) -> Iterator[None]:
    """Part of a cluster while the block runs.

    Args:
        address: "local" for one of this machine's cores alone; "auto" or host:port of one that
            `ray start` began.
        environment: variables that its processes shall have besides.
        cores: how many a cluster of this machine alone has; default: the CPU quota.

    Raises:
        ClusterError: Ray is not installed, or the cluster does not answer.
    """
    ray = _ray()
    try:
        _refuse_nobody(address)
        ray.init(
            address,
            runtime_env=_processes(address, environment or {}),
            logging_level="warning",
            **_size(address, cores or usable_cpus()),
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ClusterError(
            f"the cluster {address} cannot be joined ({_first_line(error)}); begin one with"
            " ray start --head on this machine, or leave the address out"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _refuse_nobody(address: str) -> None:
    """Ray would wait for minutes where nothing answers.

    Raises:
        OSError: nobody listens there.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS).close()


def _ray() -> Any:
    # Read when it is imported, and by the processes of a cluster that begins here.
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_DATA_DISABLE_PROGRESS_BARS="1")
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise ClusterError(WITHOUT_RAY) from error


def _size(address: str, cores: int) -> dict[str, Any]:
    """What a cluster of this machine alone is made of: of what is sent nothing goes to disk.

    Ray would put in a file what finds no room in its store, or finds no shared memory for that.
    """
    if address != LOCAL:
        return {}
    size: dict[str, Any] = {
        "num_cpus": cores,
        "object_store_memory": STORE,
        "include_dashboard": False,
        # Ray would have every other program of this machine go first: beside a busy one the page's
        # proxy did not begin within its minute.
        "_system_config": {"automatic_object_spilling_enabled": False, "worker_niceness": 0},
    }
    if SHARED_MEMORY.is_dir():
        free = shutil.disk_usage(SHARED_MEMORY).free
        if free < ROOM * STORE:
            raise ClusterError(
                f"{SHARED_MEMORY} has room for {free / 1e6:.0f} MB; give it"
                f" {ROOM * STORE / 1e6:.0f} MB (a container: --shm-size)"
            )
        size["object_spilling_directory"] = str(SHARED_MEMORY)
    return size


def _processes(address: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """What its processes are to have: variables, and the app's code, which may have to be sent."""
    variables = {
        "RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH": str(GRPC_MESSAGE),
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": PROXY_SECONDS,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
        **environment,
    }
    if address != LOCAL:
        return {"env_vars": variables, "py_modules": [str(ROOT / "core")]}
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"env_vars": {**variables, "PYTHONPATH": os.pathsep.join(paths)}}


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
