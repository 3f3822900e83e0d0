"""The shell command that gives the same numbers as a page: what `python -m core` reads back."""

from core.run.experiment import Experiment
from core.scenarios.scenario import Value


def command(experiment: Experiment, verb: str = "", tail: str = "") -> str:
    """One line for a shell: every field that is not at its default, what is varied, the seeds.

    `verb` is `run` or `sweep` by itself; `tail` comes last.
    """
    words = ["python -m core", verb or ("sweep" if experiment.vary else "run"), experiment.scenario]
    chosen = experiment.params.chosen()
    for name in type(experiment.params).model_fields:  # a field may be bounded by one before it
        if name in chosen:
            words.append(_set(name, chosen[name]))
    if experiment.vary:
        varied = (f"{n}={','.join(map(spelt, v))}" for n, v in experiment.vary.items())
        words += ["--vary", *varied]
    words += ["--seeds", *map(str, experiment.seeds)]
    return " ".join([*words, *([tail] if tail else [])])


def flag(name: str) -> str:
    """The flag of a field: `--d-x` of `d_x`."""
    return f"--{name.replace('_', '-')}"


def _set(name: str, value: Value) -> str:
    if isinstance(value, bool):
        return flag(name) if value else flag(f"no_{name}")
    return f"{flag(name)} {spelt(value)}"


def spelt(value: Value) -> str:
    """A value's text in a shell or a link: short, and read back the same to the last bit."""
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
