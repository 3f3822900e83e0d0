"""What a figure is: an Altair chart and the table behind it."""

from typing import Any

import altair as alt
import pandas as pd

alt.theme.enable("none")  # the default one fixes sizes, which pages choose
# Altair's own check of a chart costs tens of milliseconds at every one; the tests have it on.
alt.utils.schemapi.disable_debug_mode()


def rows(table: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """A table as Vega-Lite takes it, missing numbers as null.

    Figures say the type of what they draw; Altair's own way looks at each column of each layer for
    it, which takes most of the time that a chart costs.
    """
    columns = [[None if value != value else value for value in column]
               for column in (table[name].tolist() for name in table)]  # fmt: skip
    return {"values": [dict(zip(table, row, strict=True)) for row in zip(*columns, strict=True)]}


alt.data_transformers.register("rows", rows)
alt.data_transformers.enable("rows")

Chart = alt.LayerChart | alt.FacetChart | alt.Chart
Figure = tuple[Chart, pd.DataFrame]
SQUARE = {"width": 270, "height": 270}


def specification(chart: Chart) -> dict[str, Any]:
    """A chart as Vega-Lite's specification, its data inside; not checked, as the tests do that."""
    return chart.to_dict(validate=False)
