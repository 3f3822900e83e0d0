"""Every claim that the explorer makes from runs, in the order of its pages."""

from core.claimed import infonce_sphere, vmf_clusters
from core.claims import Claim

CLAIMS: dict[str, Claim] = {
    claim.name: claim for claim in (*infonce_sphere.CLAIMS, *vmf_clusters.CLAIMS)
}
