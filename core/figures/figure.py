"""What a figure is: an Altair chart and the table behind it."""

import altair as alt
import pandas as pd

Figure = tuple[alt.LayerChart | alt.FacetChart | alt.Chart, pd.DataFrame]
SQUARE = {"width": 270, "height": 270}
