"""What the part on images of the page on manifold entropies sets up: flows of digits."""

from collections.abc import Mapping
from dataclasses import replace

from core.scenarios import digits
from core.scenarios.scenario import Preset, Value

ARCHITECTURES: Mapping[str, Mapping[str, Value]] = {  # as they are called in the table and claims
    "plain coupling": {},
    "wavelet": {"architecture": "wavelet"},
    "basis only": {"architecture": "basis-only"},
    "factorisation only": {"architecture": "factorisation-only"},
}
RECONSTRUCTED: Mapping[str, Value] = {"objective": "ml-rec"}
PRESERVING: Mapping[str, Value] = {"architecture": "gin"}

PRESETS = (
    Preset("coupling", "Plain coupling", "Blocks over all pixels, fitted by likelihood: most pairs "
           "of latents share something.", ARCHITECTURES["plain coupling"]),
    Preset("wavelet", "Wavelet", "Haar coefficients, fine ones given coarse ones: the heatmap is "
           "nearly empty, but for the coarse corner.", ARCHITECTURES["wavelet"]),
    Preset("basis", "Basis only", "The same basis, all coefficients at once: a basis alone does "
           "not help.", ARCHITECTURES["basis only"]),
    Preset("factorisation", "Factorisation only", "The same factors in a random basis: pairs "
           "share less than without them, and all together hardly less.",
           ARCHITECTURES["factorisation only"]),
    Preset("rec", "Reconstruction", "Ten core latents are to reconstruct the image: the spectrum "
           "falls off a cliff behind them.", RECONSTRUCTED),
    Preset("gin", "Volume kept", "Blocks that keep volume, and a scale for each latent: the scales "
           "tell less than the entropies do.", PRESERVING),
)  # fmt: skip

LESSON = replace(
    digits.SCENARIO,
    presets=PRESETS,
    front=("architecture", "objective", "recon_weight", "core_dim", "by_class"),
    frames=1,
)
