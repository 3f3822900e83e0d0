"""Result -> Altair figure and the table behind it; colours by role, everywhere the same.

Keyed Altair charts do not flicker while a run streams, and load beside the 3-D view's Plotly, where
Streamlit's own Plotly would be a second library to wait for. Theory is dashed, measurement solid or
points.
"""

from core.figures.angles import against_angle, against_factor, cells
from core.figures.bodies import cloud, nets, reach, trade, twist
from core.figures.crowding import crowding
from core.figures.digits import columns, samples, scales, traversal
from core.figures.entropic import pairs, ruler, spectrum
from core.figures.figure import specification
from core.figures.game import Gauge, bistable, gauges, generating, meridian, pursuit
from core.figures.pictures.factors import by_luck, told
from core.figures.pictures.probes import probes, wrongly
from core.figures.proofs import (
    agreement,
    closed_curves,
    foretold,
    matching,
    matrix,
    turned,
)
from core.figures.reading import (
    Along,
    Line,
    from_the_front,
    phase,
    plane,
    readings,
    rotation_curve,
)
from core.figures.relatives.counting import Asked, Measured, against_count, asked
from core.figures.relatives.lejepa import (
    by_degree,
    forgetting,
    observed,
    under_bound,
    unwinding,
)
from core.figures.sweeps import sweep
from core.figures.training import Beside, beside, compare, curves, strip

__all__ = [
    "Along", "Asked", "Beside", "Gauge", "Line", "Measured", "against_angle", "against_count",
    "against_factor", "agreement", "asked", "beside", "bistable", "by_degree", "by_luck", "cells",
    "closed_curves", "cloud", "columns", "compare", "crowding", "curves", "foretold",
    "forgetting", "from_the_front", "gauges", "generating", "matching", "matrix", "meridian",
    "nets", "observed", "pairs", "phase", "plane", "probes", "pursuit", "reach", "readings",
    "rotation_curve", "ruler", "samples", "scales", "specification", "spectrum", "strip",
    "sweep", "told", "trade", "traversal", "turned", "twist", "under_bound", "unwinding",
    "wrongly",
]  # fmt: skip
