"""What differs between segments: the directions that a modulation spans."""

import altair as alt
import numpy as np
import pandas as pd

from core.colours import ROLE
from core.figures import words
from core.figures.figure import Figure

HEIGHT = 300


def directions(values: np.ndarray, needed: int) -> Figure:
    """Singular values (k,) of a modulation as bars, in units of the largest.

    `needed` are the directions that theory asks for: those that no segment tells stand at 0.
    """
    largest = float(values.max(initial=0.0))
    share = np.zeros(needed)
    share[: len(values)] = values[:needed] / (largest if largest > 0 else 1.0)
    names = [str(i + 1) for i in range(needed)]
    table = pd.DataFrame({"direction": names, "share": share})
    table["written"] = [f"{each:.2f}" for each in share]
    x = alt.X("direction:N", title="direction", sort=names, axis=alt.Axis(labelAngle=0))
    y = alt.Y("share:Q", title="singular value, of the largest",
              scale=alt.Scale(domain=[0, 1.1], nice=False))  # fmt: skip
    base = alt.Chart(table)
    bars = base.mark_bar(color=ROLE["z"], cornerRadius=3).encode(x=x, y=y)
    said = base.mark_text(dy=-9, fontSize=12, fill=words.QUIET)
    chart = alt.layer(bars, said.encode(x=x, y=y, text=alt.Text("written:N")), height=HEIGHT)
    shown = table[["direction", "share"]].rename(
        columns={"direction": "Direction", "share": "Singular value, of the largest"}
    )
    return words.finished(chart), shown
