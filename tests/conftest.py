"""Every test run has a store of its own, and trains on one thread."""

import os
import tempfile
from collections.abc import Iterator

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # before anything imports torch
_scratch = tempfile.TemporaryDirectory(prefix="explorer-tests-")
os.environ["EXPLORER_CACHE"] = _scratch.name


@pytest.fixture(scope="session", autouse=True)
def _own_store() -> Iterator[None]:
    yield
    _scratch.cleanup()


@pytest.fixture(scope="module")
def pages_engine() -> Iterator[None]:
    """For modules that open pages: the engine that these share ends with the module."""
    yield
    from ui import runner

    runner.engine().close()
    runner.engine.clear()
