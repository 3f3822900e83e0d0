"""What the page on auxiliary variables sets up: presets and sweeps."""

from collections.abc import Mapping
from dataclasses import replace

from core.scenarios import auxiliary
from core.scenarios.scenario import FURTHER, Preset, Sweep, Value

THREE: Mapping[str, Value] = {"d": 3}
FIVE: Mapping[str, Value] = {"d": 5}
FEW: Mapping[str, Value] = {**THREE, "n_segments": 3}
ENOUGH: Mapping[str, Value] = {**THREE, "n_segments": 4}
PAIRS: Mapping[str, Value] = {"method": "gcl"}
EVEN: Mapping[str, Value] = {"code": "even"}
GAUSS: Mapping[str, Value] = {**EVEN, "law": "gauss"}
MOVED: Mapping[str, Value] = {**THREE, "law": "gauss", "modulated": "location"}

PRESETS = (
    Preset("segments", "Segments", "Two sources whose scales change over sixteen segments: to tell "
           "the segments apart is to find the sources, but for their signs.", {}),
    Preset("enough", "Four of three", "Three sources and four segments, one more than sources: as "
           "few as theory asks for.", ENOUGH),
    Preset("few", "Three of three", "Three sources and three segments: their differences span two "
           "directions, which are found; what is at right angles to them is found less well.", FEW),
    Preset("shared", "Shared", "One modulation for all sources: segments tell of the statistics’ "
           "sum and of nothing else.", {"modulation": "shared"}),
    Preset("equal", "Equal", "Every segment is like every other: there is nothing to be learnt.",
           {"modulation": "equal"}),
    Preset("gauss", "Normal", "Normal sources, which no linear ICA of a single segment can tell "
           "apart: their changing scales can.", GAUSS),
    Preset("moved", "Moved", "Normal sources that move and keep their width: R² stays, and every "
           "rotation is as good.", MOVED),
    Preset("pairs", "Pairs", "Generalised contrastive learning: real pairs of x and u against x "
           "with any u. The same sources come back.", PAIRS),
)  # fmt: skip

SWEEPS = (
    Sweep("n_segments", (2, 3, 4, 6, 16), {}),
    Sweep("n_segments", (2, 3, 4, 6, 12), THREE),
    Sweep("n_segments", (5, 6, 8, 16, 48), FIVE),
    Sweep("modulation", ("free", "shared", "equal"), {}),
    Sweep("modulation", ("free", "equal"), PAIRS, further=FURTHER),
    Sweep("contrast", (2.0, 5.0, 10.0, 30.0), {}),
    Sweep("code", ("free", "even"), FEW, further=FURTHER),
    Sweep("head_scale", (0.0, 1.0), EVEN, further=FURTHER),
)

LESSON = replace(
    auxiliary.SCENARIO,
    presets=PRESETS,
    sweeps=SWEEPS,
    front=("d", "n_segments", "modulation", "law", "modulated", "method"),
    frames=24,
)
