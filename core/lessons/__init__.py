"""What every page sets up, by the page's name: its scenario with presets, sweeps and tables.

`nonlinear` is the second scenario on the page on gradient reversal, `digits` that of the page on
manifold entropies, `probes` one on the page on pictures. `SETUPS` has those pages as well that
train nothing.
"""

from core.lessons import (
    auxiliary,
    digits,
    gradient_reversal,
    infonce_box,
    infonce_sphere,
    laplace_violation,
    lejepa,
    manifold_entropy,
    nonlinear,
    pixels,
    probes,
    scores,
    vmf_clusters,
)
from core.scenarios.scenario import Scenario, Setup

LESSONS: dict[str, Scenario] = {
    "infonce_sphere": infonce_sphere.LESSON,
    "infonce_box": infonce_box.LESSON,
    "auxiliary": auxiliary.LESSON,
    "vmf_clusters": vmf_clusters.LESSON,
    "gradient_reversal": gradient_reversal.LESSON,
    "nonlinear": nonlinear.LESSON,
    "laplace_violation": laplace_violation.LESSON,
    "manifold_entropy": manifold_entropy.LESSON,
    "digits": digits.LESSON,
    "pixels": pixels.LESSON,
    "probes": probes.LESSON,
    "lejepa": lejepa.LESSON,
}
SETUPS: dict[str, Setup] = {**LESSONS, "scores": scores.LESSON}
