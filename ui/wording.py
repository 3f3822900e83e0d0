"""What is said of runs: what they are, what they cost, how far they have come, whence they are."""

import re
from collections.abc import Sequence

from core.run.experiment import Experiment, Result
from core.run.job import Snapshot
from core.scenarios.scenario import knobs_of
from ui import knobs

ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})")
WITHOUT_TRAINERS = {
    "starting": "The trainers are still starting",
    "without a GPU": "No worker of the cluster has a GPU: this run waits until one has",
    "away": "The cluster that trains does not answer: this run waits until it does",
}


def described(experiment: Experiment) -> str:
    """An experiment in a few words: what it varies, and what it changes of the defaults."""
    all_knobs = knobs_of(type(experiment.params))
    varied = " and ".join(all_knobs[name].label for name in experiment.vary)
    fixed = knobs.said(experiment.params, experiment.vary)
    return f"{varied + ' varied' if varied else 'runs'} at {fixed or 'the defaults'}"


def instead(before: Experiment | None) -> str:
    """What is drawn while there is nothing of a setting yet, as a further sentence."""
    return "" if before is None else f" Drawn instead: {described(before)}."


def linked(text: str) -> str:
    """A text whose papers, named as "arXiv 2102.08850", lead to them."""
    return ARXIV.sub(r"[arXiv \1](https://arxiv.org/abs/\1)", text)


def untrained(about: str, before: Experiment | None) -> str:
    """That a server trains nothing, before the command that does."""
    said = f"Not stored: {about}. This server shows what is stored and trains nothing."
    return f"{said}{instead(before)} Where the explorer is installed, this trains it:"


def duration(seconds: float) -> str:
    """A cost in words, no more exact than an estimate is."""
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"about {round(seconds) if seconds < 10 else round(seconds, -1):.0f} s"
    return f"about {round(seconds / 60)} min"


def progress(now: Snapshot, runs: int) -> str:
    """What is going on, in words."""
    done = f"; {len(now.results)} of {runs} runs done" if runs > 1 else ""
    if now.doing == "waiting":
        if now.trainers != "ready":
            return WITHOUT_TRAINERS[now.trainers]
        ahead = f": {now.position} ahead in the queue" if now.position else " for a free trainer"
        if now.position and now.wait is not None:
            ahead += f", {duration(now.wait)}"
        return f"Waiting{ahead}{done if now.results else ''}"
    if now.doing == "making worlds":
        return f"Making the worlds{done}"
    if now.doing == "scoring":
        return f"Scoring the last step{done}"
    return f"Training, step {now.step} of {now.steps}{done}"


def provenance(results: Sequence[Result]) -> str:
    """Where finished runs come from, in a line."""
    facts = [result.provenance for result in results]
    cost = sum(float(fact["cpu_seconds"]) for fact in facts) / len(facts)
    dates = sorted({str(fact["date"]) for fact in facts})
    devices = sorted({str(fact["device"]) for fact in facts})
    where = "" if devices == ["cpu"] else f" on {' and '.join(devices).replace('cpu', 'the CPU')}"
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    runs = f"{len(results)} {'run' if len(results) == 1 else 'runs'}"
    return f":material/check: {runs}, {cost:.1f} CPU-s each{where}, {when}."
