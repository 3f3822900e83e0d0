"""Every claim that the explorer makes from runs, in the order of its pages."""

from core.claimed import (
    digits,
    gradient_reversal,
    infonce_box,
    infonce_sphere,
    laplace_violation,
    manifold_entropy,
    nonlinear,
    papers,
    reversal_limits,
    scores,
    vmf_clusters,
    vmf_minimisers,
)
from core.claimed.pictures import pixels, probes
from core.claimed.relatives import auxiliary, lejepa
from core.claims.claim import Claim

FILES = (
    infonce_sphere,
    infonce_box,
    auxiliary,
    vmf_clusters,
    vmf_minimisers,
    gradient_reversal,
    reversal_limits,
    nonlinear,
    laplace_violation,
    papers,
    manifold_entropy,
    digits,
    pixels,
    probes,
    lejepa,
    scores,
)
ALL: tuple[Claim, ...] = tuple(claim for file in FILES for claim in file.CLAIMS)
CLAIMS: dict[str, Claim] = {claim.name: claim for claim in ALL}
HOME = (  # what to try first on every page
    "contrastive-learning-recovers",
    "boxes-give-their-axes",
    "segments-tell-sources-apart",
    "classifying-clusters-recovers",
    "laplace-clusters-cost-latents",
    "reversal-goes-blind",
    "one-density-many-total-correlations",
    "pictures-are-found-up-to-a-rotation",
    "whitening-is-enough-for-gaussian-latents",
    "correlated-factors-fake-mcc",
)
