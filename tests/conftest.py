"""Every process of a test run has a store of its own and trains on one thread.

With several processes (`make test` has one a core) a file stays within one of them, and so do all
tests in which a browser draws globes: two at once would wait for each other.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before anything imports NumPy or torch

import numpy as np
import pytest
import shipped
from browsers import CHROMIUM, FLAGS, ROOT, seen, serving, window

_scratch = tempfile.TemporaryDirectory(prefix="explorer-tests-")
os.environ["EXPLORER_CACHE"] = _scratch.name

GLOBES = (  # where the live picture is drawn: by the processor, so one at a time
    "test_browser", "test_latent_chart", "test_latent_view", "test_sketch", "test_view_browser",
)  # fmt: skip
BROWSER = (*GLOBES, "test_latent_lines", "test_navigation", "test_proxies", "test_words")
# What takes longest, longest first: whoever begins with these has something short to end with.
LONGEST = (
    "globes", "test_navigation", "test_pages", "test_members", "test_words", "test_runs",
    "test_engine", "test_densities", "test_reversal",
)  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fresh", action="store_true", help="train the runs that are shipped, too")


def pytest_configure(config: pytest.Config) -> None:
    shipped.FRESH = config.getoption("--fresh")


def _together(path: str) -> str:
    """The name under which a file's tests stay in one process."""
    name = Path(path).stem
    return "globes" if name in GLOBES else name


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """No browser, no test of it; and where there are several processes, the longest first."""
    for item in items:
        if item.get_closest_marker("browser"):
            assert item.path.stem in BROWSER, "a test of the browser outside its files"
            item.add_marker(pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"))
    if hasattr(config, "workerinput"):
        names = [*LONGEST, ""]
        items.sort(key=lambda i: names.index(n if (n := _together(i.path.name)) in names else ""))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """By file. Not by xdist's own marks of groups, which pytest 9.2 does not hand on to it."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _together(super()._split_scope(nodeid))

    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With a failure in the browser comes what was seen there: it may never be seen again."""
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if report.when == "call" and report.failed and page and item.get_closest_marker("browser"):
        report.sections.append(("The page", seen(page)))
    return report


@pytest.fixture(scope="session", autouse=True)
def _own_store() -> Iterator[None]:
    yield
    _scratch.cleanup()


@pytest.fixture(autouse=True)
def _own_main() -> Iterator[None]:
    """A page under test takes the place of `__main__`, which every new process would run again."""
    ours = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = ours


@pytest.fixture(scope="module")
def pages_engine() -> Iterator[None]:
    """For modules that train on pages: the engine that these share ends with the module."""
    yield
    from ui import runner

    runner.engine().close()
    runner.engine.clear()


@pytest.fixture(scope="module")
def _idle_engine() -> Iterator[None]:
    import core.run.engine
    from core.run.link import own_scheduler
    from ui import runner

    cluster = own_scheduler()  # to which no worker ever comes
    engine = core.run.engine.Engine(runner.store(), cluster.scheduler_address)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "engine", lambda: engine)
        yield
    engine.close()
    cluster.close()


@pytest.fixture
def nothing_trains(_idle_engine: None) -> Iterator[None]:
    """For pages that are not about training: what they begin by themselves waits and is dropped."""
    yield
    from ui import runner

    engine = runner.engine()
    for job in tuple(engine._jobs.values()):
        engine._end(job, "cancelled")


@pytest.fixture(scope="module")
def fitted_once() -> Iterator[None]:
    """For modules that train many runs of few worlds: what reads the same data is fitted once.

    An estimator of scikit-learn with a seed of its own is a function of its settings and its data.
    """
    from core.metrics import probes

    fit, known = probes._fitted, {}

    def fitted(estimator: object, x: np.ndarray, target: np.ndarray) -> object:
        data = hashlib.sha256(x.tobytes() + target.tobytes()).digest()
        asked = repr(estimator), data, x.shape, x.dtype
        if asked not in known:
            known[asked] = fit(estimator, x, target)
        return known[asked]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probes, "_fitted", fitted)
        yield


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, served: every test of the browser visits the same, as visitors do."""
    cache = str(tmp_path_factory.mktemp("cache"))
    with serving(ROOT, EXPLORER_CACHE=cache, EXPLORER_WORKERS="1") as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> "Iterator[object]":
    """One Chromium for all of them."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(request: pytest.FixtureRequest, browser: object) -> "Iterator[object]":
    """A window; flat where a test is marked so, as it is not about the live picture."""
    with window(browser, flat=bool(request.node.get_closest_marker("flat"))) as page:
        yield page
