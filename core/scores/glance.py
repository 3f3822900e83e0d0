"""What the page on scores shows of a setting: points, correlations, scores and verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Literal

import numpy as np
from pydantic import ValidationError

from core import metrics
from core.scores.reading import SCORES, Reading, read, warnings
from core.scores.worlds import KINDS, Setting, drawn

Array = np.ndarray
Promised = Literal["linear", "orthogonal", "permutation", "monotone", "single"]
Verdict = Literal["fooled", "unfair", ""]
SHOWN = 400  # points of a picture
WIDEST = 24  # codes whose correlations are drawn
DRAWS = 100  # behind an interval
SHUFFLES = 20  # behind a null, as from a shell
AT_ONCE = 100_000  # numbers n m d of which so many shuffles come at once
OF_DCI = 200_000  # numbers n m d that forests, and those of their null, take a few seconds for
OF_FOREST = 3  # shuffles behind a forest's null: each is a fit of its own
HIGH = 0.9  # from which on a score says yes
ASKS: Mapping[str, Promised] = {  # what a score is a promise about
    "linear_r2": "linear",
    "linear_r2_in_sample": "linear",
    "orthogonal_r2": "orthogonal",
    "mcc": "permutation",
    "mcc_spearman": "monotone",
    "mig": "monotone",
    "dci_lasso": "single",
    "dci_forest": "single",
}
UP_TO: Mapping[Promised, str] = {
    "linear": "up to a linear map",
    "orthogonal": "up to an orthogonal map, scale",
    "permutation": "up to permutation, sign, scale",
    "monotone": "up to permutation, monotone maps",
    "single": "each code of one factor",
}


@dataclass(frozen=True, eq=False)
class Glance:
    """Of one setting: drawn factors and the codes matched to the first two, every score."""

    factors: tuple[int, int]  # which are drawn: the first two that have a code
    z: Array  # (SHOWN, 2) at most
    z_hat: Array  # (SHOWN, 2) at most, each code as it is
    partners: tuple[int | None, int | None]  # which codes those are, None where one has none
    correlation: Array  # (d, m) absolute; of the WIDEST codes that matter most
    pairs: tuple[Array, Array]  # matched, indices of rows and columns
    kept: Array  # (m,) which codes the columns are
    codes: int  # of the setting, of which some may not be drawn
    readings: Mapping[str, Reading]
    warnings: tuple[str, ...]


def deserved(setting: Setting) -> dict[Promised, bool]:
    """Up to what the codes of a setting identify its factors, by construction."""
    kind = KINDS[setting.code]
    return {
        "linear": kind.linear(setting),
        "orthogonal": kind.orthogonal(setting),
        "permutation": kind.permutation(setting),
        "monotone": kind.monotone(setting),
        "single": kind.single,
    }


def verdict(value: float, identified: bool) -> Verdict:
    """Whether a score says yes where the answer is no, or no where it is yes."""
    if (value >= HIGH) == identified:
        return ""
    return "unfair" if identified else "fooled"


@lru_cache(maxsize=128)
def glance(setting: Setting) -> Glance:
    """Everything but DCI, which takes its time."""
    z, z_hat = drawn(setting)
    signed, (rows, columns) = metrics.matching(z, z_hat)
    size = np.abs(signed)
    kept = _kept(size, columns)
    place = {int(column): i for i, column in enumerate(kept)}
    partner = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    first, second = sorted(range(setting.d), key=lambda i: (i not in partner, i))[:2]
    partners = partner.get(first), partner.get(second)
    still = np.zeros(len(z))
    seen = np.stack([still if j is None else z_hat[:, j] for j in partners], 1)[:SHOWN]
    return Glance(
        (first, second), z[:SHOWN, [first, second]], seen, partners, size[:, kept],
        (rows, np.array([place[int(column)] for column in columns])), kept, z_hat.shape[1],
        read(z, z_hat, seed=setting.seed, shuffles=shuffles(setting), draws=DRAWS),
        tuple(warnings(z, z_hat)),
    )  # fmt: skip


def shuffles(setting: Setting) -> int:
    """How often the codes of a setting are shuffled: less often where each time takes its time."""
    numbers = setting.n * setting.codes * setting.d
    return SHUFFLES if numbers <= AT_ONCE else metrics.SHUFFLES


def _kept(size: Array, matched: Array) -> Array:
    """The codes that are drawn: all, or the matched ones and then those of most correlation."""
    if size.shape[1] <= WIDEST:
        return np.arange(size.shape[1])
    strength = size.max(0)
    strength[matched] += 1
    return np.sort(np.argsort(-strength, kind="stable")[:WIDEST])


def dci_samples(setting: Setting) -> int:
    """Of how many samples DCI is computed."""
    return min(setting.n, max(20, OF_DCI // (setting.codes * setting.d)))


@lru_cache(maxsize=256)
def dci(setting: Setting) -> dict[str, float]:
    """DCI's disentanglement by both regressors, of as many samples as take a few seconds."""
    z, z_hat = (x[: dci_samples(setting)] for x in drawn(setting))
    return {
        "dci_lasso": metrics.dci(z, z_hat, "lasso").disentanglement,
        "dci_forest": metrics.dci(z, z_hat, "forest").disentanglement,
    }


@lru_cache(maxsize=64)
def dci_readings(setting: Setting) -> dict[str, Reading]:
    """The same with what shuffled codes get, and an interval of the lasso's.

    (A forest's would take a forest for each part that is left out.)
    """
    z, z_hat = (x[: dci_samples(setting)] for x in drawn(setting))
    found, shuffled = {}, {"dci_lasso": SHUFFLES, "dci_forest": OF_FOREST}
    by_regressor = {"dci_lasso": partial(_disentanglement, "lasso"),
                    "dci_forest": partial(_disentanglement, "forest")}  # fmt: skip
    for name, value in dci(setting).items():
        by = by_regressor[name]
        null = metrics.null(by, z, z_hat, shuffled[name], setting.seed)
        between = metrics.left_out(by, z, z_hat) if name == "dci_lasso" else None
        found[name] = Reading(value, tuple(null.tolist()), between)
    return found


def _disentanglement(by: Literal["lasso", "forest"], z: Array, z_hat: Array) -> float:
    return metrics.dci(z, z_hat, by).disentanglement


@lru_cache(maxsize=1024)
def score(setting: Setting, name: str) -> float:
    """One score of a setting (KeyError for a name that is none)."""
    if name in ("dci_lasso", "dci_forest"):
        return dci(setting)[name]
    return SCORES[name](*_centred(setting))


@lru_cache(maxsize=1024)
def by_chance(setting: Setting, name: str) -> float:
    """What shuffled codes of a setting get, a mean over a few shuffles."""
    return float(metrics.null(SCORES[name], *_centred(setting), seed=setting.seed).mean())


def _centred(setting: Setting) -> tuple[Array, Array]:
    """Factors and codes of mean 0, for the score that fits no offset."""
    z, z_hat = drawn(setting)
    return z - z.mean(0), z_hat - z_hat.mean(0)


def over(
    setting: Setting, across: tuple[str, Sequence[float]], up: tuple[str, Sequence[float]],
    name: str, seeds: Sequence[int],
) -> Array:  # fmt: skip
    """A score (up, across), a mean over seeds, where two fields of a setting vary."""
    found = np.empty((len(up[1]), len(across[1])))
    for i, j in np.ndindex(*found.shape):
        changed = {up[0]: up[1][i], across[0]: across[1][j]}
        found[i, j] = np.mean([score(setting.but(**changed, seed=s), name) for s in seeds])
    return found


def noise_grid(
    d: int, codes_a_factor: Sequence[float], codes_a_sample: Sequence[float], seeds: Sequence[int]
) -> tuple[Array, Array]:  # fmt: skip
    """MCC of normal noise (m/d, m/n), a mean over seeds, and the samples n that it takes.

    NaN where no setting has as many samples, or as few.
    """
    shape = len(codes_a_factor), len(codes_a_sample)
    found, samples = np.full(shape, np.nan), np.zeros(shape, int)
    for i, j in np.ndindex(*shape):
        share = codes_a_factor[i]
        samples[i, j] = n = round(max(1, round(share * d)) / codes_a_sample[j])
        try:
            setting = Setting(code="noise", d=d, m_over_d=share, n=n)
        except ValidationError:
            continue
        of_seeds = (setting.but(seed=seed) for seed in seeds)
        found[i, j] = np.mean([score(each, "mcc") for each in of_seeds])
    return found, samples
