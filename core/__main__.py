"""The same from a shell: `python -m core list | run | sweep | export | bench | gallery |
claims | measure | papers | score`.

Results go to stdout (`--json`: one document), errors to stderr in one line with exit status 2.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from core.command import device_flag, flag, spelt
from core.datasets.loaded import Misread
from core.run.bounds import Bounds, Refused, available
from core.run.crew import on_gpu
from core.run.experiment import Experiment, Member, Result, groups, summary
from core.run.store import Store
from core.scenarios import SCENARIOS
from core.scenarios.scenario import Knob, Params, Scenario, Value, explain, knobs_of

VIEWER = "shell"
MOST_WORKERS = 256  # of a simulated cluster
NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)(e[-+]?\d+)?")


def main(arguments: Sequence[str]) -> int:
    """Run one verb; the exit status."""
    verbs = {"list": _list, "run": _run, "sweep": _sweep, "export": _export, "bench": _bench,
             "gallery": _gallery, "claims": _claims, "measure": _measure,
             "papers": _papers, "score": _score}  # fmt: skip
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    if arguments[0] not in verbs:
        fail(f"{arguments[0]!r} is not one of {', '.join(verbs)}")
    return verbs[arguments[0]](list(arguments[1:]))


def fail(sentence: str) -> NoReturn:
    """Say what is wrong in one line and leave with status 2."""
    print(f"error: {sentence}", file=sys.stderr)
    raise SystemExit(2)


def _list(arguments: list[str]) -> int:
    for scenario in SCENARIOS.values():
        promise = scenario.promise(scenario.Params())
        print(f"{scenario.name}: {scenario.title}. {promise.said}")
        for name, knob in knobs_of(scenario.Params).items():
            print(f"  {flag(name):18} {knob.default!s:9} {_within(knob):18} {knob.help}")
    return 0


def _run(arguments: list[str]) -> int:
    return _answer(*asked("run", arguments))


def _sweep(arguments: list[str]) -> int:
    return _answer(*asked("sweep", arguments))


def _export(arguments: list[str]) -> int:
    """Train here and write the whole evaluation set, so nothing that is stored will do."""
    options, experiment = asked("export", arguments)
    from core.whole import save  # torch

    with _readable(experiment.members):
        save(experiment, options.out, options.bounds.device)
    print(f"{options.out}: {experiment.scenario}, seeds {' '.join(map(str, experiment.seeds))}")
    return 0


def asked(verb: str, arguments: list[str]) -> tuple[argparse.Namespace, Experiment]:
    """What the arguments behind a verb ask for."""
    scenario, options, params = _parse(verb, arguments)
    vary: dict[str, tuple[Value, ...]] = {}
    if verb == "sweep":
        if not options.vary:
            fail("--vary: name a parameter and its values, such as --vary kappa=1,3,10")
        vary = dict(_values(scenario, each) for each in options.vary)
    try:
        return options, Experiment(params, scenario.name, tuple(options.seeds), vary)
    except ValidationError as error:
        fail("--vary: {} {}".format(*explain(error)))
    except ValueError as error:
        fail(str(error))


def _answer(options: argparse.Namespace, experiment: Experiment) -> int:
    """Train what is not stored, print a line per member or one document."""
    cached = set() if options.fresh else set(_stored(experiment))
    if len(cached) == len(experiment.members):
        results = _stored(experiment)
    else:
        train = _train_here if options.inline else _train_by_engine
        results = train(experiment, options.fresh, options.bounds)
    trained = [result for key, result in results.items() if key not in cached]
    rows = [summary(results[m.key], m.key in cached) for m in experiment.members]
    clock = {
        name: round(sum(float(r.provenance[name]) for r in trained), 3)
        for name in ("seconds", "cpu_seconds")
    }
    if options.json:
        devices = sorted({str(r.provenance["device"]) for r in results.values()})
        print(json.dumps({"members": rows, "device": ", ".join(devices), **clock}))
        return 0
    for row, member in zip(rows, experiment.members, strict=True):
        print(_line(member, row))
    print(
        f"{len(trained)} trained in {clock['seconds']:.1f} s "
        f"({clock['cpu_seconds']:.1f} CPU-s), {len(cached)} stored"
    )
    return 0


def _line(member: Member, row: dict) -> str:
    chosen = " ".join(f"{name}={value}" for name, value in member.params.chosen().items())
    scores = " ".join(f"{name}={_number(value)}" for name, value in row["scores"].items())
    return f"{member.scenario} {chosen} seed={member.seed}: {scores}".replace("  ", " ")


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _bench(arguments: list[str]) -> int:
    flags = _OneLineParser(prog="python -m core bench", allow_abbrev=False)
    flags.add_argument("--json", action="store_true", help="one JSON document")
    flags.add_argument("--pages", action="store_true", help="what a touch of a page costs")
    flags.add_argument("--floors", action="store_true", help="what an update could cost at least")
    device_flag(flags)
    flags.add_argument("--cluster", type=int, metavar="N",
                       help="how long a class waits for so many workers (simulated)")  # fmt: skip
    options = flags.parse_args(arguments)
    if options.cluster is not None:
        if not 1 <= options.cluster <= MOST_WORKERS:
            fail(f"--cluster: must be from 1 to {MOST_WORKERS}")
        from core.bench import classroom

        figures = classroom.measure(options.cluster)
    elif options.pages:
        figures = _touches()
    else:
        gpu = on_gpu(_bounds(options.device, here=True).device)
        from core.bench import floors, speeds  # torch

        if options.floors:
            figures = floors.measure("cuda" if gpu else "cpu")
        else:
            figures = speeds.measure_cuda() if gpu else speeds.measure()
    if options.json:
        print(json.dumps(figures, allow_nan=False))
    else:
        for name, value in figures.items():
            print(f"{name:46} {value:.4g}" if isinstance(value, float) else f"{name:46} {value}")
    return 0


def _touches() -> dict[str, float | str | None]:
    """What a touch of each page costs: measured by the pages' side, in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(
            [sys.executable, "-m", "ui.window.touch"],
            cwd=Path(__file__).parents[1], env={**os.environ, "EXPLORER_CACHE": scratch},
            check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    pages = json.loads(done.stdout.splitlines()[-1])
    return {
        f"{page}, {name}": value for page, told in pages.items() for name, value in told.items()
    }


def _gallery(arguments: list[str]) -> int:
    from core import curate

    parser = _OneLineParser(prog="python -m core gallery", allow_abbrev=False)
    parser.add_argument("action", nargs="?")
    device_flag(parser)
    options = parser.parse_args(arguments)
    if options.action == "build":
        problems = curate.build(device=_bounds(options.device, here=True).device)
    elif options.action == "check":
        problems = curate.check()
    else:
        fail("gallery: say build or check")
    for name, size in curate.bill().items():
        print(f"{name:28} {size / 1e6:6.2f} MB")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _claims(arguments: list[str]) -> int:
    from core import verdicts

    parser = _OneLineParser(prog="python -m core claims", allow_abbrev=False)
    return verdicts.command(arguments, parser)


def _measure(arguments: list[str]) -> int:
    from core.decoders import measure
    from core.entropy import Degenerate
    from core.kept.arrays import Unreadable

    parser = _OneLineParser(prog="python -m core measure", allow_abbrev=False)
    try:
        return measure.command(arguments, parser)
    except (Degenerate, Unreadable) as reason:
        fail(str(reason))


def _score(arguments: list[str]) -> int:
    from core.kept.arrays import Unreadable
    from core.scores.command import command

    parser = _OneLineParser(prog="python -m core score", allow_abbrev=False)
    try:
        return command(arguments, parser)
    except Unreadable as reason:
        fail(str(reason))


def _papers(arguments: list[str]) -> int:
    from core.papers.command import command

    parser = _OneLineParser(prog="python -m core papers", allow_abbrev=False)
    return command(arguments, parser)


def _parse(verb: str, arguments: list[str]) -> tuple[Scenario, argparse.Namespace, Params]:
    """The scenario, all that was asked for, and the parameters among it."""
    if arguments and arguments[0] in ("-h", "--help"):
        print(f"python -m core {verb} SCENARIO [FLAGS]; scenarios: {', '.join(SCENARIOS)}")
        raise SystemExit(0)
    if not arguments or arguments[0] not in SCENARIOS:
        named = repr(arguments[0]) if arguments else "nothing"
        fail(f"{named} is not one of {', '.join(SCENARIOS)}")
    scenario = SCENARIOS[arguments[0]]
    called = f"python -m core {verb} {scenario.name}"
    parser = _OneLineParser(prog=called, usage=f"{called} [FLAGS]", allow_abbrev=False)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    if verb == "export":
        parser.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    device_flag(parser)
    if verb != "export":
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--fresh", action="store_true", help="ignore stored results")
        parser.add_argument("--inline", action="store_true", help="train in this process")
    if verb == "sweep":
        parser.add_argument("--vary", nargs="*", default=[], metavar="FIELD=A,B,C")
    for name, knob in knobs_of(scenario.Params).items():
        _add_knob(parser, name, knob)
    if {"-h", "--help"} & set(arguments):
        parser.print_help()
        raise SystemExit(0)
    options = parser.parse_args(_joined(arguments[1:]))
    if not options.seeds:
        fail("--seeds: give at least one")
    if min(options.seeds) < 0:
        fail("--seeds: must be 0 or larger")
    params = _params(scenario, options)
    options.bounds = _bounds(options.device, verb == "export" or options.inline)
    return scenario, options, params


def _bounds(device: str | None, here: bool) -> Bounds:
    try:
        return Bounds.asked(device, here)
    except ValueError as reason:
        fail(str(reason))


def _add_knob(parser: argparse.ArgumentParser, name: str, knob: Knob) -> None:
    """A parameter as a flag: its text is read by the Params model, as that of a link is."""
    about = f"{knob.help} (default: {spelt(knob.default)})".replace("%", "%%")
    if knob.kind is bool:
        parser.add_argument(flag(name), action=argparse.BooleanOptionalAction,
                            default=argparse.SUPPRESS, help=about)  # fmt: skip
    else:
        parser.add_argument(flag(name), dest=name, default=argparse.SUPPRESS,
                            metavar=_within(knob), help=about)  # fmt: skip


def _within(knob: Knob) -> str:
    """What a parameter may be, in words."""
    bounds = () if knob.low is None else (f"{knob.low:g} to {knob.high:g}",)
    free = "text" if knob.kind is str else "yes or no"
    return ", ".join(knob.choices or bounds) or free


def _joined(arguments: Sequence[str]) -> list[str]:
    """`--lam -1e-05` as `--lam=-1e-05`: argparse takes some negative numbers for flags."""
    joined: list[str] = []
    for each in arguments:
        if NEGATIVE.fullmatch(each) and joined and re.fullmatch(r"--[a-z][\w-]*", joined[-1]):
            joined[-1] += f"={each}"
        else:
            joined.append(each)
    return joined


def _params(scenario: Scenario, options: argparse.Namespace) -> Params:
    """The parameters among the options; what the model rejects is said in a link's own words."""
    given = {name: v for name, v in vars(options).items() if name in scenario.Params.model_fields}
    texts = {name: None if str(v).lower() == "none" else v for name, v in given.items()}
    try:
        return scenario.Params.model_validate(texts)
    except ValidationError as error:
        field, reason = explain(error)
        fail(f"{flag(field)}: {reason}")


class _OneLineParser(argparse.ArgumentParser):
    def __init__(self, **settings: Any) -> None:
        super().__init__(add_help=False, **settings)

    def error(self, message: str) -> NoReturn:
        fail(message.removeprefix("argument "))


def _values(scenario: Scenario, text: str) -> tuple[str, tuple[Value, ...]]:
    """`kappa=1,3,10` -> the field and its values, as the Params model will read them."""
    name, equals, values = text.partition("=")
    name = name.replace("-", "_")
    if not equals or name not in scenario.Params.model_fields:
        fail(f"--vary: {text!r} should read FIELD=A,B,C, such as kappa=1,3,10")
    return name, tuple(None if v.lower() == "none" else v for v in values.split(",") if v)


def _train_by_engine(experiment: Experiment, fresh: bool, bounds: Bounds) -> dict[str, Result]:
    """Train in the engine's workers, as a server does."""
    from core.run.engine import Engine

    with tempfile.TemporaryDirectory() as scratch:
        # a fresh run must not find what is stored, and what it gives is stored all the same
        engine = Engine(Store(Path(scratch), gallery=None) if fresh else Store(), bounds=bounds)
        try:
            job = engine.submit(experiment, VIEWER)
            job.wait(viewer=VIEWER)
            if job.status != "done":
                fail(job.error or f"the run was {job.status}")
            results = {result.member.key: result for result in job.results()}
        except Refused as reason:
            fail(str(reason))
        finally:
            engine.close()
    if fresh:
        _keep(results.values())
    return results


def _train_here(experiment: Experiment, fresh: bool, bounds: Bounds) -> dict[str, Result]:
    """Train in this process, group by group."""
    from core.run.worker import keep_memory, train_group  # torch: seconds that `list` does not need

    keep_memory()
    found = {} if fresh else _stored(experiment)
    missing = [member for member in experiment.members if member.key not in found]
    with _readable(missing):
        trained = [result for group in groups(missing) 
                   for result in train_group(group, device=bounds.device)]  # fmt: skip
    _keep(trained)
    return {**found, **{result.member.key: result for result in trained}}


@contextmanager
def _readable(members: Sequence[Member]) -> Iterator[None]:
    """Data that members need and that are not there, or not what they should be, are a sentence."""
    try:
        available(members)
        yield
    except (Refused, Misread) as reason:
        fail(str(reason))


def _stored(experiment: Experiment) -> dict[str, Result]:
    store = Store()
    found = {member.key: store.get(member) for member in experiment.members}
    return {key: result for key, result in found.items() if result is not None}


def _keep(results: Iterable[Result]) -> None:
    store = Store()
    for result in results:
        store.put(result)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
