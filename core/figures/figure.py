"""What a figure is: an Altair chart and the table behind it."""

from typing import Any

import altair as alt
import pandas as pd

alt.theme.enable("none")  # the default one fixes sizes, which pages choose
# Altair's own check of a chart costs tens of milliseconds at every one; the tests have it on.
alt.utils.schemapi.disable_debug_mode()

Chart = alt.LayerChart | alt.FacetChart | alt.Chart
Figure = tuple[Chart, pd.DataFrame]
SQUARE = {"width": 270, "height": 270}


def specification(chart: Chart) -> dict[str, Any]:
    """A chart as Vega-Lite's specification, its data inside; not checked, as the tests do that."""
    return chart.to_dict(validate=False)
