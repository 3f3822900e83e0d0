"""What every page sets up, by the page's name: its scenario with presets, sweeps and tables."""

from core.lessons import infonce_sphere, vmf_clusters
from core.scenarios.scenario import Scenario

LESSONS: dict[str, Scenario] = {
    "infonce_sphere": infonce_sphere.LESSON,
    "vmf_clusters": vmf_clusters.LESSON,
}
