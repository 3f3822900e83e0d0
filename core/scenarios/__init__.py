"""Every scenario by name; a new one is a file here, a learner and a page."""

from core.scenarios import clusters, infonce, invariance, reversal
from core.scenarios.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    s.name: s for s in (infonce.SCENARIO, clusters.SCENARIO, reversal.SCENARIO, invariance.SCENARIO)
}
