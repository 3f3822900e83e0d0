"""Scores of anybody's codes: `python -m core score Z.npy Z_HAT.npy`, with what warns of them."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core import legend, metrics
from core.kept.arrays import Unreadable, loaded
from core.scores.reading import SCORES, Reading, read, warnings

SHUFFLES = 20
LEAST = 8  # samples: two halves of a few
ABOUT = """python -m core score Z.npy Z_HAT.npy [--in-sample] [--forest] [--seed N] [--json]

Every score of codes (n, m) against latents (n, d), row for row: beside it what the same codes score
with their rows shuffled (the null: mean and most of twenty shuffles), and 95 % of resampled
samples.
"""
Array = np.ndarray


def command(arguments: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Print the scores of two files. Raises `Unreadable`."""
    parser.add_argument("latents", type=Path, metavar="Z.npy")
    parser.add_argument("codes", type=Path, metavar="Z_HAT.npy")
    parser.add_argument("--in-sample", action="store_true",
                        help="also R² of the points that fit its map")  # fmt: skip
    parser.add_argument("--forest", action="store_true", help="also DCI by a random forest")
    parser.add_argument("--seed", type=int, default=0, help="of shuffles and resampling")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    if {"-h", "--help"} & set(arguments):
        print(ABOUT)
        parser.print_help()
        return 0
    options = parser.parse_args(arguments)
    if options.seed < 0:
        parser.error("--seed: must be 0 or larger")
    z, z_hat = checked(options.latents, options.codes)
    # rows may be sorted by anything: each half is to be a sample of all
    order = np.random.default_rng(options.seed).permutation(len(z))
    z, z_hat = z[order], z_hat[order]
    if not all((np.ptp(half, axis=0) > 0).all() for half in np.array_split(z, 2)):
        raise Unreadable(f"{options.latents}: a column hardly varies: it is constant in one half")
    names = [name for name in SCORES if options.in_sample or not name.endswith("in_sample")]
    found, told = read(z, z_hat, names, options.seed, SHUFFLES), warnings(z, z_hat)
    if options.in_sample:
        told.append("R² in sample is of the points that fit its map: it rises with every code.")
    extra = _dci(z, z_hat, options.forest)
    if options.json:
        print(json.dumps(document(found, extra, told), ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join(lines(z, z_hat, found, extra, told)))
    return 0


def checked(latents: Path, codes: Path) -> tuple[Array, Array]:
    """Two files as matrices of as many rows (`Unreadable` where they are none)."""
    z, z_hat = (_matrix(path) for path in (latents, codes))
    if len(z) != len(z_hat):
        raise Unreadable(f"{latents} has {len(z):,} rows, {codes} has {len(z_hat):,}")
    if len(z) < LEAST:
        raise Unreadable(f"{latents}: {len(z)} rows are fewer than {LEAST}")
    if not (np.ptp(z, axis=0) > 0).all():
        raise Unreadable(f"{latents}: a column is constant, so that nothing can be told of it")
    return z, z_hat


def _matrix(path: Path) -> Array:
    array = loaded(path)
    if array.dtype.kind not in "biuf":
        raise Unreadable(f"{path}: holds {array.dtype}, not real numbers")
    if array.ndim != 2 or array.shape[1] < 1:
        raise Unreadable(f"{path}: is of shape {array.shape}, not (samples, columns)")
    found = np.asarray(array, float)
    if not np.isfinite(found).all():
        raise Unreadable(f"{path}: holds numbers that are not finite")
    return found


def _dci(z: Array, z_hat: Array, forest: bool) -> dict[str, float]:
    """DCI by a lasso, and by a forest where that is asked for; disentanglement by its own name."""
    found: dict[str, float] = {}
    for by in ("lasso", *(("forest",) if forest else ())):
        of = metrics.dci(z, z_hat, by)
        found |= {
            f"dci_{by}": of.disentanglement,
            f"dci_{by}_completeness": of.completeness,
            f"dci_{by}_informativeness": of.informativeness,
        }
    return found


def document(
    found: Mapping[str, Reading], extra: Mapping[str, float], told: Sequence[str]
) -> dict[str, object]:
    """All of it for `--json`."""
    nulls = {f"null_{name}": each.null_mean for name, each in found.items()}
    return {
        "scores": {**{name: each.value for name, each in found.items()}, **nulls, **extra},
        "intervals": {
            name: list(each.interval) for name, each in found.items() if each.interval is not None
        },
        "warnings": list(told),
    }


def lines(
    z: Array, z_hat: Array, found: Mapping[str, Reading], extra: Mapping[str, float],
    told: Sequence[str],
) -> list[str]:  # fmt: skip
    """The same to be read."""
    said = [f"{len(z):,} samples of {z.shape[1]} latents and {z_hat.shape[1]} codes"]
    for name, each in found.items():
        between = ""
        if each.interval is not None:
            between = "   95 % {:.3f} to {:.3f}".format(*each.interval)
        said.append(
            f"{legend.SCORES[name].title:22} {each.value:7.3f}   by chance {each.null_mean:7.3f} "
            f"(at most {each.null_high:.3f} in {SHUFFLES}){between}"
        )
    said += [f"{name.replace('_', ' '):22} {value:7.3f}" for name, value in extra.items()]
    return [*said, *(f"warning: {sentence}" for sentence in told)]
