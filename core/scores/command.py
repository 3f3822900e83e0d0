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
LEAST_SIZE = 1e-100  # of a column beside the largest: its square is still a number
LITTLE = 0.05  # informativeness, below which weights are of nothing
ABOUT = """python -m core score Z.npy Z_HAT.npy [--in-sample] [--forest] [--seed N] [--json]

Every score of codes (n, m) against latents (n, d), row for row: beside it what the same codes score
with their rows shuffled (the null: mean and most of twenty shuffles), and 95 % of resampled
samples, with maps, pairs and bins kept (DCI: by the jackknife).
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
    names = [name for name in SCORES if _defined(name, z, z_hat, options.in_sample)]
    found, told = read(z, z_hat, names, options.seed, SHUFFLES), warnings(z, z_hat)
    if options.in_sample:
        told.append("R² in sample is of the points that fit its map: it rises with every code.")
    if z.shape[1] > 1:  # of one latent there is no disentanglement
        found["dci_lasso"] = _by_lasso(z, z_hat, options.seed)
    extra = _dci(z, z_hat, options.forest)
    told += [
        f"DCI ({by}) is of weights that foretell nothing: informativeness "
        f"{extra[f'dci_{by}_informativeness']:.3f}."
        for by in ("lasso", "forest")
        if extra.get(f"dci_{by}_informativeness", 1.0) < LITTLE
    ]
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
    z, z_hat = _scaled(z, latents), _scaled(z_hat, codes)
    if not (np.ptp(z, axis=0) > 0).all():
        raise Unreadable(f"{latents}: a column is constant, so that nothing can be told of it")
    return z, z_hat


def _scaled(x: Array, path: Path) -> Array:
    """A matrix in units of its largest number: every score is the same for it."""
    largest = np.abs(x).max()
    if largest == 0:
        return x
    scaled = x / largest
    size = np.abs(scaled).max(0)
    if ((size > 0) & (size < LEAST_SIZE)).any():
        raise Unreadable(f"{path}: columns differ in size by more than a factor of 1e100")
    return scaled


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


def _defined(name: str, z: Array, z_hat: Array, in_sample: bool) -> bool:
    """Whether a score is asked for and says something of so many columns."""
    if name.endswith("in_sample"):
        return in_sample
    return name != "mig" or z_hat.shape[1] > 1  # a gap to the next code


def _by_lasso(z: Array, z_hat: Array, seed: int) -> Reading:
    """DCI's disentanglement by a lasso, with its null and its interval."""
    null = metrics.null(_lasso, z, z_hat, SHUFFLES, seed)
    return Reading(_lasso(z, z_hat), tuple(null.tolist()), metrics.left_out(_lasso, z, z_hat))


def _lasso(z: Array, z_hat: Array) -> float:
    return metrics.dci(z, z_hat, "lasso").disentanglement


def _dci(z: Array, z_hat: Array, forest: bool) -> dict[str, float]:
    """What else DCI says by a lasso, and all of it by a forest where that is asked for.

    Of one code there is no completeness.
    """
    found: dict[str, float] = {}
    for by in ("lasso", *(("forest",) if forest else ())):
        of = metrics.dci(z, z_hat, by)
        if z.shape[1] > 1 and by == "forest":
            found[f"dci_{by}"] = of.disentanglement
        if z_hat.shape[1] > 1:
            found[f"dci_{by}_completeness"] = of.completeness
        found[f"dci_{by}_informativeness"] = of.informativeness
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


def _title(name: str) -> str:
    """A line's name: the legend's, or DCI's further parts in words."""
    of, _, part = name.removeprefix("dci_").partition("_")
    return f"DCI {part}, {of}" if part else legend.SCORES[name].title


def lines(
    z: Array, z_hat: Array, found: Mapping[str, Reading], extra: Mapping[str, float],
    told: Sequence[str],
) -> list[str]:  # fmt: skip
    """The same to be read."""
    d, m = z.shape[1], z_hat.shape[1]
    columns = f"{d} latent{'s' * (d > 1)} and {m} code{'s' * (m > 1)}"
    said = [f"{len(z):,} samples of {columns}"]
    for name, each in found.items():
        between = ""
        if each.interval is not None:
            between = "   95 % {:.3f} to {:.3f}".format(*each.interval)
        said.append(
            f"{legend.SCORES[name].title:27} {each.value:7.3f}   by chance {each.null_mean:7.3f} "
            f"(at most {each.null_high:.3f} in {SHUFFLES}){between}"
        )
    said += [f"{_title(name):27} {value:7.3f}" for name, value in extra.items()]
    return [*said, *(f"warning: {sentence}" for sentence in told)]
