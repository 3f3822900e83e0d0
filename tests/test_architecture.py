"""The import rules of the design, read off the source: the file listing is the theory's diagram."""

import ast
import graphlib
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(
    path
    for place in ("app.py", "pages", "ui", "core")
    for path in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
    if path.exists() and "__pycache__" not in path.parts
)
# leaves of core, the more basic first: each may import those before it
LEAVES = (
    "core.laws.spaces",
    "core.laws.law",
    "core.laws.vmf",
    "core.laws.samplers",
    "core.laws.densities",
    "core.laws.coordinates",
    "core.laws.modulation",
    "core.laws.leakage",
    "core.laws.leaning",
    "core.mixing",
    "core.encoder",
    "core.objectives",
    "core.metrics.regression",
    "core.metrics.matching",
    "core.metrics.probes",
    "core.metrics.logistic",
    "core.metrics.significance",
    "core.metrics.degrees",
    "core.metrics.disentanglement",
    "core.metrics.resampling",
    "core.metrics.spectrum",
    "core.metrics.unmixing",
    "core.metrics",
    "core.theory",
    "core.jacobians",
    "core.entropy",
    "core.flows.linear",
    "core.flows.stacked",
    "core.flows.couplings",
    "core.flows.known",
    "core.flows.plane",
    "core.images.world",
    "core.images.worlds",
    "core.images.canvas",
    "core.images.sprites",
    "core.images.scene",
    "core.images.masks",
    "core.images.render",
    "core.images.camera",
    "core.images.convolution",
    "core.images.digits",
    "core.images",
)
MOST_FILES = 14  # of a room
# outside package: the places (a module, or a package with all that is in it) that may import it
ONLY = {
    "torch": ("core.laws.samplers", "core.mixing", "core.encoder", "core.objectives",
              "core.jacobians", "core.flows.stacked", "core.flows.couplings", "core.flows.plane",
              "core.images.canvas", "core.images.sprites", "core.images.scene",
              "core.images.masks", "core.images.render", "core.images.camera",
              "core.images.convolution", "core.learners", "core.papers.pictures.train",
              "core.bench.speeds", "core.bench.floors", "core.run.updates", "core.run.evaluation",
              "core.run.training", "core.run.worker"),
    "plotly": ("core.figures",),
    "altair": ("core.figures",),
    "distributed": ("core.run.engine", "core.run.task", "core.run.link",
                    "core.bench.classroom"),
    "dask": ("core.run.link",),
    "streamlit": ("app", "pages", "ui"),
    "h5py": (),  # optional: asked for where a file needs it
}  # fmt: skip
# module of core: all that it may import of core
MAY_IMPORT = {
    **{leaf: LEAVES[:i] for i, leaf in enumerate(LEAVES)},
    **{
        f"core.run.{name}": tuple(f"core.{each}" for each in may.split())
        for name, may in {
            "evaluation": "run.experiment laws mixing encoder objectives metrics theory",
            "updates.capture": "laws",
            "updates.descent": "run.updates.capture",
            "updates.memory": "",
            "training": "run.experiment run.updates.capture laws",
            "experiment": "scenarios",
            "bounds": "run.crew run.experiment",
            "archive": "run.experiment kept",
            "store": "run.experiment run.archive kept",
            "job": "run.experiment",
            "crew": "",
            "link": "",
            "task": "run.experiment run.job",
            "engine": "run.experiment run.store run.bounds run.job run.crew run.link run.task",
            "worker": "run.updates.capture run.updates.memory run.experiment run.training learners",
        }.items()
    },
    **{
        f"core.papers.{name}": ("core.papers.table", "core.scenarios", "core.lessons")
        for name in ("contrastive", "clusters", "images")
    },
    "core.papers.table": ("core.lessons", "core.scenarios", "core.run.experiment"),
    "core.kept.folder": (),
    "core.kept.arrays": (),
    "core.kept.packing": (),
    "core.datasets.loaded": ("core.images.world",),
    "core.datasets.members": ("core.datasets.loaded",),
    **{
        f"core.datasets.{name}": (
            "core.datasets.loaded",
            "core.datasets.members",
            "core.images.world",
            "core.images.worlds",
            "core.kept.arrays",
        )
        for name in (
            "dsprites",
            "shapes3d",
            "mpi3d",
            "cars3d",
            "smallnorb",
            "ident",
            "kitti",
            "imagenetx",
        )
    },
    "core.datasets.registry": ("core.datasets",),
    "core.datasets.worlds": ("core.datasets", "core.images.world"),
    "core.datasets.subset": ("core.datasets", "core.images.world"),
    "core.decoders.ruler": ("core.entropy",),
    "core.decoders.measurement": ("core.entropy", "core.kept", "core.decoders.ruler"),
    "core.decoders.measure": ("core.entropy", "core.decoders", "core.command", "core.kept"),
    "core.scores.worlds": ("core.scenarios",),
    "core.scores.reading": ("core.metrics",),
    "core.scores.glance": ("core.metrics", "core.scores.reading", "core.scores.worlds"),
    "core.scores.published": ("core.metrics", "core.scenarios", "core.scores.worlds"),
    "core.scores.command": ("core.metrics", "core.scores", "core.kept", "core.legend"),
}

# learner: the scenario that it is of, where that is not in its name, and what it may import of
# learners beside those from pairs
SHARES = {
    **{
        f"core.learners.auxiliary{part}": ("core.scenarios.auxiliary", ("core.learners.auxiliary",))
        for part in ("", ".learner", ".world")
    },
    "core.learners.pictures": ("core.scenarios.pixels", ("core.datasets.subset",)),
    "core.learners.sprite_classes": ("core.scenarios.pixels", ("core.learners.pictures",)),
    "core.learners.pixels": (
        "core.scenarios.pixels",
        ("core.learners.pictures", "core.learners.sprite_classes", "core.datasets.subset"),
    ),
}


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(module, places):
    return any(module == place or module.startswith(place + ".") for place in places)


def is_module(name):
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@cache
def imports(path, top_only=False):
    """Dotted names of the modules that a file imports, wherever in it (or at module level)."""
    tree = ast.parse(path.read_text())
    found = set()
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module_of(path).split(".")
                if path.name != "__init__.py":
                    package = package[:-1]
                package = package[: len(package) - node.level + 1]
                base = ".".join([*package, *([base] if base else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.add(inner if is_module(inner) else base)
    return frozenset(found)


def names(files):
    return [str(path.relative_to(ROOT)) for path in files]


every_file = pytest.mark.parametrize("path", FILES, ids=names(FILES))
CORE = [path for path in FILES if module_of(path).split(".")[0] == "core"]
every_core_file = pytest.mark.parametrize("path", CORE, ids=names(CORE))


def test_there_is_something_to_look_at():
    assert {*LEAVES, *MAY_IMPORT} <= {module_of(path) for path in FILES}
    assert "core.scenarios" in imports(ROOT / "core" / "run" / "experiment.py")
    assert "core.metrics" in imports(ROOT / "core" / "learners" / "pairs.py")


@every_file
def test_imports_point_from_app_to_pages_to_ui_to_core(path):
    layers = ("app", "pages", "ui", "core")
    here = module_of(path).split(".")[0]
    above = layers[: layers.index(here)]
    assert [name for name in imports(path) if within(name, above)] == []


@every_file
def test_outside_packages_are_imported_only_where_they_belong(path):
    here = module_of(path)
    wrong = [
        name for name in imports(path)
        for package, places in ONLY.items()
        if within(name, (package,)) and not within(here, places)
    ]  # fmt: skip
    assert wrong == []


@every_file
def test_pages_do_not_import_pages(path):
    if module_of(path).split(".")[0] == "pages":
        assert [name for name in imports(path) if within(name, ("pages",))] == []


@every_core_file
def test_a_module_of_core_imports_only_the_siblings_it_may(path):
    here = module_of(path)
    siblings = {name for name in imports(path) if within(name, ("core",))} - {"core"}
    if here in MAY_IMPORT:
        allowed = MAY_IMPORT[here]
    elif here == "core.scenarios":
        allowed = ("core.scenarios",)
    elif within(here, ("core.lessons",)):
        allowed = ("core.lessons", "core.scenarios", "core.scores.worlds")
    elif within(here, ("core.scenarios",)):
        # never the registry, which would be a circle
        allowed = (
            "core.scenarios.scenario",
            "core.scenarios.knobs",
            "core.laws.spaces",
            "core.laws.law",
            "core.images.world",
            "core.images.worlds",
            "core.datasets.worlds",
            "core.datasets.registry",
            *((f"{here.rpartition('.')[0]}",) if here.count(".") > 2 else (here,)),
        )
        assert "core.scenarios" not in siblings
    elif within(here, ("core.learners",)):
        scenario, shared = SHARES.get(here, (here.replace("core.learners", "core.scenarios"), ()))
        run = ("core.run.updates", "core.run.evaluation", "core.run.experiment",
               "core.run.training")  # fmt: skip
        allowed = (*LEAVES, scenario, "core.learners.pairs", *shared, *run)
        assert "core.scenarios" not in siblings
    else:
        allowed = ("core",)
    assert [name for name in siblings if not within(name, allowed)] == []


@every_core_file
def test_only_the_worker_reaches_a_learner(path):
    here = module_of(path)
    if not within(here, ("core.run.worker", "core.learners")):
        assert [name for name in imports(path) if within(name, ("core.learners",))] == []


def reached(module, seen):
    """Modules of this repository that importing one brings along at once."""
    if module in seen:
        return seen
    seen.add(module)
    parts = module.split(".")
    if len(parts) > 1:
        reached(".".join(parts[:-1]), seen)
    base = ROOT.joinpath(*parts)
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.exists():
            for name in imports(path, top_only=True):
                if within(name, ("core", "ui", "pages")):
                    reached(name, seen)
    return seen


@every_file
def test_nothing_that_a_page_opens_with_brings_torch(path):
    if module_of(path).split(".")[0] in ("app", "pages", "ui"):
        brought = reached(module_of(path), set())
        assert [name for name in brought if within(name, ONLY["torch"])] == []


HEAVY = (*ONLY["torch"], "core.__main__", "core.bench")  # bench measures the training itself
LIGHT = [m for path in CORE if not within(m := module_of(path), HEAVY)]


ALONE = """
import importlib, json, sys
for name in json.load(sys.stdin):
    importlib.import_module(name)
print(json.dumps(sorted({"torch", "streamlit"} & set(sys.modules))))
"""


def loaded(modules):
    """Which of torch and streamlit a new interpreter has after it imported these modules."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE], input=json.dumps(modules),
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_importing_the_light_side_of_core_does_not_load_torch():
    guilty = [m for m in LIGHT if loaded([m])] if loaded(LIGHT) else []
    assert guilty == []
    assert loaded(["core.laws.samplers"]) == ["torch"]  # that this sees it


def test_no_module_reaches_itself_so_that_any_may_be_imported_first():
    here = {module_of(path): path for path in FILES}
    below = {m: [n for n in imports(path, top_only=True) if n in here] for m, path in here.items()}
    sorter = graphlib.TopologicalSorter(below)
    assert len(tuple(sorter.static_order())) == len(here)  # CycleError names the circle


@every_file
def test_no_file_is_a_drawer_for_odds_and_ends(path):
    assert path.stem not in ("utils", "util", "helpers", "common", "base", "misc")


@pytest.mark.parametrize("top", ["core", "ui", "pages"])
def test_a_room_has_a_few_files(top):
    rooms = [ROOT / top, *(path for path in (ROOT / top).rglob("*") if path.is_dir())]
    for room in rooms:
        if room.name != "__pycache__":
            files = [path for path in room.iterdir() if path.is_file()]
            assert len(files) <= MOST_FILES, (room.name, len(files))


@every_core_file
def test_modules_say_what_they_are(path):
    assert ast.get_docstring(ast.parse(path.read_text())), "a module begins with one sentence"


@every_core_file
def test_randomness_is_an_argument(path):
    """No global seeding: streams come from a generator that is passed."""
    source = path.read_text()
    for call in ("torch.manual_seed(", "np.random.seed(", "random.seed("):
        assert call not in source.replace("torch.Generator().manual_seed(", "")
