"""Pixels: factors that are drawn as pictures, found from pairs of them or from their classes.

The worlds are this project's own, in the spirit of the papers' data sets (`core.images.worlds`):
walkers' masks and a lit scene for contrastive learning (Zimmermann et al. 2021, arXiv 2102.08850,
section 4) beside SlowVAE (Klindt et al. 2021, arXiv 2007.10930), sprites for classification
(Reizinger et al. 2025, arXiv 2410.21869, section 5). Where their files are found, published data
sets are worlds as well (`core.datasets.worlds`).
"""

from core.scenarios.pixels.params import (
    CELLS,
    CODES,
    HIGH,
    LOW,
    ORDER,
    PARTITION,
    POOLED,
    STORED,
    Pixels,
)
from core.scenarios.pixels.theory import broken, notices, promise, work
from core.scenarios.scenario import Scenario

__all__ = [
    "CELLS",
    "CODES",
    "HIGH",
    "LOW",
    "ORDER",
    "PARTITION",
    "POOLED",
    "SCENARIO",
    "STORED",
    "Pixels",
    "broken",
]
SCENARIO = Scenario(
    name="pixels",
    title="Pixels",
    Params=Pixels,
    version=2,
    scored=3,
    promise=promise,
    scores=("mcc", "linear_r2"),
    notices=notices,
    work=work,
)
