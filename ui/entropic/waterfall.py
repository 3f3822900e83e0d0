"""The decoder's coordinate lines over the data, and the entropies that they come to."""

import numpy as np

from core.colours import ROLE
from core.scenarios.flows import Flows
from ui import recovery
from ui.player.view import Chart, LatentView, Lines, Panel, Series

CORE, DETAIL = "z", "z_hat"  # roles: whose colours lines and bars have
NAMES = ("core", "+ detail", "− total corr.", "= entropy")
NOTE = (
    "total correlation: what is shared where lines slant; core: what moves x most, detail: the "
    "rest; lines to ±2 deviations"
)
WIDE = 1.25  # of the picture, in half its height
ROOM = 1.06  # around the points
BAR = 0.36  # half the width of one


def view_of(run: recovery.Run, params: Flows, stale: bool = False) -> LatentView:
    """Points x with the images of the latents' grid, beside the waterfall of their entropies."""
    onto = run.world.get("plane", np.eye(2, dtype=np.float32)).T  # of a torus one circle is drawn
    x = run.world["x"] @ onto
    low, high = x.min(0), x.max(0)
    middle = (low + high) / 2
    unit = ROOM * max((high[0] - low[0]) / 2 / WIDE, (high[1] - low[1]) / 2)
    lines = (run.net_hat @ onto - middle) / unit
    varies = np.ptp(run.net, axis=1).argmax(-1)  # the latent of each line
    core = np.isin(varies, core_first(params, run.moving["spectrum"])[: params.core_dim])
    turned = params.data == "turned"
    return LatentView(
        run=run.name,
        d=2,
        z=(x - middle) / unit,
        z_hat=np.zeros((len(run.steps), 0, 2), np.float32),
        steps=run.steps,
        total=run.total,
        colours=[ROLE["theory"]] * len(x),
        net=np.zeros((0, 0, 2), np.float32),
        net_hat=np.zeros((0, 0, 0, 2), np.float32),
        curved=False,
        lines=[
            Lines(role, lines[:, which])
            for role, which in ((DETAIL, ~core), (CORE, core))
            if which.any()
        ],
        chart=Chart([waterfall(run)]),
        titles=(
            "Data x, and the latents’ coordinate lines"
            if params.size == 2
            else "The plane of one circle, and the latents’ lines",
            "What their entropies come to",
        ),
        alt=_said(run, turned),
        note="; ".join([*([run.end] if run.end else []), NOTE]),
        live=run.live,
        stale=stale,
        moments=[f"turned by {step}°" for step in run.steps] if turned else None,
        follow=recovery.follow(run),
    )


def core_first(params: Flows, spectrum: np.ndarray) -> np.ndarray:
    """The latents (d,), the core first: by training, or by their entropies (k, d) at the end."""
    if params.ordered:
        return np.arange(params.size)
    return np.argsort(-spectrum[-1].astype(float), kind="stable")


def roles(params: Flows, spectrum: np.ndarray) -> list[str]:
    """The colours of the latents, in their order."""
    core = core_first(params, spectrum)[: params.core_dim]
    return [CORE if latent in core else DETAIL for latent in range(params.size)]


def waterfall(run: recovery.Run) -> Panel:
    """H core + H detail - total correlation = H at every frame, each a bar on what is before it."""
    core, detail, shared = (
        levels(run, name) for name in ("core_entropy_nats", "detail_entropy_nats", "mtc_nats")
    )
    ends = [0 * core, core, core + detail, core + detail - shared]
    bars = [(ends[0], ends[1]), (ends[1], ends[2]), (ends[2], ends[3]), (ends[0], ends[3])]
    colours = (ROLE[CORE], ROLE[DETAIL], ROLE["w"], ROLE["theory"])
    known = np.append(np.ravel(ends)[np.isfinite(np.ravel(ends))], [0.0, 1e-3])
    lowest, highest = float(known.min()), float(known.max())
    room = 0.08 * (highest - lowest)
    across = (-0.5, len(bars) - 0.5)
    return Panel(
        "", "", "nats", across, (lowest - room * (lowest < 0), highest + room),
        [
            *(_bar(i, *ends, colours[i]) for i, ends in enumerate(bars)),
            Series("", ROLE["theory"], "dashed", np.array(across), np.zeros(2)),
        ],
        x_names=NAMES,
    )  # fmt: skip


def levels(run: recovery.Run, score: str) -> np.ndarray:
    """A score at each frame (k,); nan where it has none."""
    value = run.scores.get(score)
    last = np.nan if value is None else value
    if score not in run.on_the_way:
        return np.full(len(run.steps), last)
    found = np.array(run.on_the_way[score], float)
    if run.steps[-1] == run.total:  # where it is read at many more latents
        found[-1] = last
    return found


def _bar(i: int, start: np.ndarray, end: np.ndarray, colour: str) -> Series:
    """A rectangle from `start` to `end` (k,) at the i-th place."""
    x = i + BAR * np.array([-1.0, -1.0, 1.0, 1.0, -1.0])
    return Series("", colour, "area", x, np.stack([start, end, end, start, start], 1))


def _said(run: recovery.Run, turned: bool) -> str:
    at = f"turned by {run.steps[-1]} degrees" if turned else f"at step {run.steps[-1]}"
    shared = run.scores.get("mtc_nats")
    amount = "unknown" if shared is None else f"{shared:.3f} nats"
    return f"Data with the coordinate lines of the decoder {at}; total correlation {amount}."
