"""A page's numbers as a shell's command, its flags, and a page's address for a shell."""

import argparse
import os
import tomllib
from pathlib import Path
from urllib.parse import urlencode

from core.run.bounds import DEVICES
from core.run.experiment import Experiment
from core.scenarios.scenario import Value

CONFIG = Path(__file__).parents[1] / ".streamlit/config.toml"
EVERYWHERE = ("0.0.0.0", "::")  # where a server may listen, and no browser can go


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


def device_flag(parser: argparse.ArgumentParser) -> None:
    """The flag for what trains, for `Bounds.asked`: the same wherever a shell's command trains."""
    parser.add_argument(
        "--device",
        choices=DEVICES,
        default=None,
        help="what trains (default: EXPLORER_DEVICE, or a GPU where there is one)",
    )


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


def link(page: str, **query: str) -> str:
    """A page's address where this machine serves it: Streamlit's settings, or its defaults."""
    server = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["server"]

    def setting(name: str, variable: str, default: str) -> str:
        return os.environ.get(f"STREAMLIT_SERVER_{variable}") or str(server.get(name, default))

    host, port = setting("address", "ADDRESS", "localhost"), setting("port", "PORT", "8501")
    base = setting("baseUrlPath", "BASE_URL_PATH", "").strip("/")
    at = f"{'localhost' if host in EVERYWHERE else host}:{port}"
    return f"http://{'/'.join(filter(None, (at, base, page)))}?{urlencode(query)}"
