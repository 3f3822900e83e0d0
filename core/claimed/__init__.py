"""Every claim that the explorer makes from runs, in the order of its pages."""

from core.claimed import infonce_sphere, laplace_violation, vmf_clusters, vmf_minimisers
from core.claims import Claim

PAGES = (infonce_sphere, vmf_clusters, vmf_minimisers, laplace_violation)
CLAIMS: dict[str, Claim] = {claim.name: claim for page in PAGES for claim in page.CLAIMS}
