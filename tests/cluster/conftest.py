"""One cluster of this machine for all tests that need Ray."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Iterator

import pytest
from pydantic.warnings import PydanticDeprecatedSince20

from core.cluster.connect import cluster

CORES = 2  # as it counts them, however many there are


@pytest.fixture(scope="session")
def ray_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Joined, with two engines' worth of cores."""
    pytest.importorskip("ray", reason="needs requirements-ray.txt")
    kept = dict(os.environ)
    with warnings.catch_warnings():  # of its own models, as it is imported
        warnings.simplefilter("ignore", PydanticDeprecatedSince20)
        importlib.import_module("ray.serve")
    with cluster("local", cores=CORES):
        yield
    os.environ.clear()
    os.environ.update(kept)
