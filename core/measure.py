"""Anybody's decoder, from arrays in files: `python -m core measure JACOBIANS.npy`.

Nothing foreign is executed and no pickle is read: a file holds Jacobian samples (n, D, d), made in
the environment in which the decoder runs.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core import entropy
from core.entropy import Array, Degenerate, Estimate, Reading

MOST = 1 << 28  # numbers in a file: 2 GB at eight bytes
ROTATIONS = 50  # behind the ruler's last mark
SHOWN = 20  # latents of a spectrum, in a line each


def loaded(path: Path) -> Array:
    """The array of an .npy file. Raises `Degenerate` where it is none of numbers, in a sentence."""
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r")
    except FileNotFoundError:
        raise Degenerate(f"{path}: there is no such file") from None
    except (OSError, ValueError, EOFError) as error:
        raise Degenerate(f"{path}: {_why(error)}") from error
    if not isinstance(array, np.ndarray):
        raise Degenerate(f"{path}: holds several arrays; save one with np.save")
    if array.size > MOST:
        raise Degenerate(
            f"{path}: {array.size:,} numbers are more than {MOST:,}: take fewer samples"
        )
    return array


def _why(error: Exception) -> str:
    if "pickle" in str(error).lower() or "Python objects" in str(error):
        return "is no array of numbers (it would take unpickling, which is never done)"
    return f"cannot be read as .npy ({error})"


def ruler(jacobians: Array) -> dict[str, Estimate]:
    """Total correlations of linear decoders with one covariance, that of the linearised decoder.

    The covariance is the mean of JJ', and its d largest axes are the latents: as they are (PCA, 0),
    turned at random (a mean over rotations and its standard error), and, where D = d, one latent
    after the other by Cholesky's factor.
    """
    _, high, d = jacobians.shape
    values, axes = np.linalg.eigh(np.einsum("nij,nkj->ik", jacobians, jacobians) / len(jacobians))
    principal = axes[:, -d:] * np.sqrt(values[-d:])
    rng = np.random.default_rng(0)
    turned = np.array(
        [
            entropy.linear_total_correlation(principal @ np.linalg.qr(rng.normal(size=(d, d)))[0])
            for _ in range(ROTATIONS)
        ]
    )
    marks = {"PCA": Estimate(entropy.linear_total_correlation(principal), 0.0)}
    if high == d:
        factor = np.linalg.cholesky(principal @ principal.T)
        marks["Cholesky"] = Estimate(entropy.linear_total_correlation(factor), 0.0)
    error = float(turned.std(ddof=1) / np.sqrt(ROTATIONS))
    marks["random rotation"] = Estimate(float(turned.mean()), error)
    return marks


def document(reading: Reading, marks: dict[str, Estimate]) -> dict[str, Any]:
    """All of it for `--json`: nats, each number with its standard error."""
    high, low = reading.dimensions
    return {
        "samples": reading.samples,
        "D": high,
        "d": low,
        "entropy_nats": _pair(reading.entropy),
        "mtc_nats": _pair(reading.total_correlation),
        "mtc_per_dim": reading.per_dimension,
        "spectrum_nats": [
            _pair(Estimate(float(value), float(error)))
            for value, error in zip(reading.spectrum, reading.spectrum_error, strict=True)
        ],
        "order": reading.order.tolist(),
        "pairs": [{"latents": [i, j], **_pair(each)} for i, j, each in reading.top_pairs()],
        "linear_ruler_nats": {name: _pair(each) for name, each in marks.items()},
    }


def lines(reading: Reading, marks: dict[str, Estimate]) -> list[str]:
    """The same to be read: entropy, total correlation beside its ruler, spectrum, top pairs."""
    high, low = reading.dimensions
    found = [
        f"{reading.samples:,} samples of {low} latents in {high} dimensions, in nats",
        f"entropy            {_said(reading.entropy)}",
        f"total correlation  {_said(reading.total_correlation)}, "
        f"{reading.per_dimension:.3f} a latent",
        "  of linear decoders with its covariance: "
        + ", ".join(f"{name} {each.value:.3f}" for name, each in marks.items()),
        "spectrum",
    ]
    for i in reading.order[:SHOWN]:
        each = Estimate(float(reading.spectrum[i]), float(reading.spectrum_error[i]))
        found.append(f"  latent {i:<4} {_said(each)}")
    if low > SHOWN:
        found.append(f"  and {low - SHOWN} latents below")
    found.append("pairs that share most")
    found += [f"  {i} and {j}: {_said(each)}" for i, j, each in reading.top_pairs()]
    return found


def command(arguments: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Measure a file's Jacobians and print what they say. Raises `Degenerate`."""
    parser.add_argument("jacobians", type=Path, metavar="JACOBIANS.npy")
    parser.add_argument("--latents", type=Path, metavar="Z.npy")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    options = parser.parse_args(arguments)
    z = None if options.latents is None else loaded(options.latents)
    jacobians = loaded(options.jacobians)
    reading = entropy.read(jacobians, z)
    marks = ruler(np.asarray(jacobians, float))
    if options.json:
        print(json.dumps(document(reading, marks), allow_nan=False))
    else:
        print("\n".join(lines(reading, marks)))
    return 0


def _pair(estimate: Estimate) -> dict[str, float]:
    return {"value": estimate.value, "standard_error": estimate.error}


def _said(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ± {estimate.error:.3f}"
