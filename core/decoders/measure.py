"""Anybody's decoder, from arrays in files: `python -m core measure JACOBIANS.npy`.

Nothing foreign is executed and no pickle is read: a file holds Jacobian samples (n, D, d), made in
the environment in which the decoder runs.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core import entropy
from core.command import link
from core.decoders.measurement import PLACE, Measurement, Shelf
from core.decoders.ruler import Ruler, ruler
from core.entropy import Estimate, Reading
from core.kept.arrays import loaded

PAGE = "manifold_entropy"  # shows what is kept
SHOWN = 20  # latents of a spectrum, in a line each


def document(reading: Reading, beside: Ruler) -> dict[str, Any]:
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
        "linear_ruler_nats": {name: _pair(each) for name, each in beside.marks.items()},
        "linear_spectrum_nats": beside.spectrum.tolist(),
    }


def lines(reading: Reading, beside: Ruler) -> list[str]:
    """The same to be read: entropy, total correlation beside its ruler, spectrum, top pairs."""
    high, low = reading.dimensions
    found = [
        f"{reading.samples:,} samples of {low} latents in {high} dimensions, in nats",
        f"entropy            {_said(reading.entropy)}",
        f"total correlation  {_said(reading.total_correlation)}, "
        f"{reading.per_dimension:.3f} a latent",
        "  of linear decoders whose covariance is its mean JJ': "
        + ", ".join(f"{name} {each.value:.3f}" for name, each in beside.marks.items()),
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
    """Measure a file's Jacobians, print what they say, and keep it. Raises `Degenerate`."""
    parser.add_argument("jacobians", type=Path, metavar="JACOBIANS.npy")
    parser.add_argument("--latents", type=Path, metavar="Z.npy")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    if {"-h", "--help"} & set(arguments):
        parser.print_help()
        return 0
    options = parser.parse_args(arguments)
    z = None if options.latents is None else loaded(options.latents)
    jacobians, z = entropy.checked(loaded(options.jacobians), z)
    reading, beside = entropy.read_checked(jacobians, z), ruler(jacobians)
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    digest = _kept(Measurement(options.jacobians.name, day, reading, beside))
    page = None if digest is None else link(PAGE, **{PLACE: digest})
    if options.json:
        told = {**document(reading, beside), "digest": digest, "link": page}
        print(json.dumps(told, allow_nan=False))
    else:
        told_of = [] if page is None else [f"drawn, while the explorer is served: {page}"]
        print("\n".join([*lines(reading, beside), *told_of]))
    return 0


def _kept(measurement: Measurement) -> str | None:
    """Its digest in the store; None where it cannot be kept, which is said."""
    shelf = Shelf()
    try:
        return shelf.put(measurement)
    except OSError as error:
        why = f"{shelf.files.path} cannot be written ({error.strerror or error})"
    except ValueError as error:
        why = str(error)
    print(f"not kept, so there is no link: {why}", file=sys.stderr)
    return None


def _pair(estimate: Estimate) -> dict[str, float]:
    return {"value": estimate.value, "standard_error": estimate.error}


def _said(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ± {estimate.error:.3f}"
