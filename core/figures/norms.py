"""What a norm makes of a turned code."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from core.colours import ramp
from core.figures import words
from core.figures.figure import Figure

HEIGHT, AXIS = 300, 55  # AXIS of it lies under the picture


def turned(degrees: np.ndarray, losses: Mapping[str, np.ndarray]) -> Figure:
    """Loss in nats of a code turned by an angle (a,), above its loss unturned, a line a norm."""
    rows = [
        pd.DataFrame({"angle": degrees, "loss": loss - loss[0], "norm": name})
        for name, loss in losses.items()
    ]
    table = pd.concat(rows)
    shades = dict(zip(losses, ramp(len(losses)), strict=True))
    at = list(range(0, 91, 15))
    axis = words.ticks_at(at, np.asarray(at, dtype=float), list(map(str, at)))
    span = words.span_of([*table["loss"], 0.0])
    x = alt.X("angle:Q", title="angle by which the latents are turned, degrees", axis=axis,
              scale=alt.Scale(domain=[0, 90], nice=False))  # fmt: skip
    y = alt.Y("loss:Q", title="loss above that of the latents themselves, nats",
              scale=alt.Scale(domain=span, nice=False))  # fmt: skip
    scale = alt.Scale(domain=list(shades), range=list(shades.values()))
    lines = alt.Chart(table).mark_line(strokeWidth=2.5)
    colour = alt.Color("norm:N", legend=None, scale=scale)
    # where the lines are farthest apart, beside the picture's right edge
    middle = {name: float(loss[len(degrees) // 2] - loss[0]) for name, loss in losses.items()}
    names = words.beside(middle, shades, y, HEIGHT - AXIS, span)
    chart = alt.layer(lines.encode(x=x, y=y, color=colour), names, height=HEIGHT)
    named = {"angle": "Angle, degrees", "loss": "Loss above the latents' own, nats", "norm": "Norm"}
    return words.finished(chart), table.rename(columns=named)
