"""Every scenario by name; a new one is a module here, a learner and a page."""

from core.scenarios import (
    auxiliary,
    clusters,
    digits,
    flows,
    infonce,
    infonce_box,
    invariance,
    lejepa,
    pixels,
    probes,
    reversal,
)
from core.scenarios.scenario import Scenario

FILES = (infonce, infonce_box, clusters, reversal, invariance, flows, digits, pixels, probes,
         auxiliary, lejepa)  # fmt: skip
SCENARIOS: dict[str, Scenario] = {file.SCENARIO.name: file.SCENARIO for file in FILES}
