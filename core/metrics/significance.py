"""Whether a probe's accuracy is more than luck: a published test, and two that keep their level.

The published procedure (Reizinger et al. 2025, Figure 3): a binary proxy of a factor, classes
balanced by sub-sampling, ten splits of the same images in 70 and 30 %, a logistic regression of
the code each time, and a t-test of the ten accuracies against a half. The ten splits share their
images, so that their accuracies are no ten independent numbers: the test is too sure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import bdtrc, stdtr, stdtrit

from core.metrics.logistic import logistic, standardised, told

Array = np.ndarray
CHANCE = 0.5  # of two classes of equal size
REPEATS, FITTED = 10, 0.7  # splits, and the share of images that fit
ALPHA, PUBLISHED_TESTS = 0.05, 85  # level, and how many tests of the paper share it
LEVELS = (ALPHA, ALPHA / PUBLISHED_TESTS)
POOL = 20  # times as many of the majority as of the minority, where it is drawn anew
AT_ONCE = 20_000_000  # numbers held at a time
Setting = Literal["fixed", "redrawn"]


@dataclass(frozen=True)
class Resplit:
    """Accuracies of probes that were fitted and tested on several splits of the same images.

    `each` is (..., repeats), each of n_fit images that fitted and n_test that were tested.
    """

    each: Array
    n_fit: int
    n_test: int

    @property
    def shared(self) -> float:
        """What re-splitting adds to the variance of the mean, in variances of one accuracy.

        n_test / n_fit (Nadeau and Bengio 2003, eq. 9), beside 1 / repeats.
        """
        return self.n_test / self.n_fit

    @property
    def mean(self) -> Array:
        """Mean accuracy (...)."""
        return self.each.mean(-1)

    @property
    def published(self) -> Array:
        """P values (...) of the t-test that takes the splits as independent."""
        return t_test(self.each)

    @property
    def corrected(self) -> Array:
        """P values (...) of the t-test of corrected variance."""
        return t_test(self.each, self.shared)

    @property
    def once(self) -> Array:
        """P values (...) of the exact test of the first split alone."""
        return binomial_test(np.rint(self.each[..., 0] * self.n_test), self.n_test)

    def interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Between what the accuracy of a fresh split's mean lies, by the corrected variance."""
        reach = stdtrit(self.each.shape[-1] - 1, (1 + level) / 2)
        reach = reach * _error(self.each, self.shared)
        return self.mean - reach, self.mean + reach


PROCEDURES: Mapping[str, str] = {  # property of `Resplit` -> in words
    "published": "t-test of ten re-splits, as published",
    "corrected": "the same, variance corrected",
    "once": "exact test of one split",
}


def t_test(each: Array, shared: float = 0.0) -> Array:
    """Two-sided p values (...) of Student's t-test that the mean of `each` (..., k) is a half.

    The mean's variance is that of one number times 1/k + `shared`. Of k equal numbers the p value
    is 0, or nan where they are all a half.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (each.mean(-1) - CHANCE) / _error(each, shared)
    return 2 * stdtr(each.shape[-1] - 1, -np.abs(t))


def binomial_test(right: Array, n: int) -> Array:
    """Two-sided p values of the exact test that one in two of n independent answers is right."""
    outer = np.maximum(right, n - right)
    return np.minimum(1.0, 2 * bdtrc(outer - 1, n, CHANCE))


def halved(values: Array, among: Array | None = None) -> Array:
    """The binary proxy (n,) of a factor with an order: above the median, or at most that.

    The median is that of `among` where those are given.
    """
    return values > np.median(values if among is None else among)


def splits(
    y: Array, rng: np.random.Generator, repeats: int = REPEATS, fixed: bool = False
) -> tuple[Array, Array]:
    """Rows that fit (repeats, n_fit) and that test (repeats, n_test), both classes alike in each.

    y (n,) is bool. Each time the majority is sub-sampled anew to the size of the minority, whose
    images are all there every time; only once for all repeats if `fixed`. ValueError where a class
    has too few images for either part.
    """
    classes = [np.flatnonzero(y == label) for label in (False, True)]
    each = min(map(len, classes))
    fit = round(FITTED * each)
    if not 0 < fit < each:
        raise ValueError(f"A class of {each} images cannot be split.")
    if fixed:
        classes = [rng.permutation(rows)[:each] for rows in classes]
    found = [[rng.permutation(rows)[:each] for rows in classes] for _ in range(repeats)]
    order = np.array(found)  # (repeats, 2, each)
    return (order[:, :, :fit].reshape(repeats, -1), order[:, :, fit:].reshape(repeats, -1))


def resplit(
    code: Array, y: Array, rng: np.random.Generator, repeats: int = REPEATS, fixed: bool = False
) -> Resplit:
    """Accuracies (repeats,) of probes of y (n,), bool, on the code (n, d).

    The code is standardised by all of its rows, as published; labels are not asked for that.
    """
    return _probed([(standardised(code), y, splits(y, rng, repeats, fixed))])[0]


def fresh_test(
    code: Array, y: Array, fresh: Array, y_fresh: Array, rng: np.random.Generator
) -> tuple[float, float]:
    """Accuracy on fresh images, and its exact p value, of one probe fitted to all others.

    `code` (n, d) and y (n,) fit, `fresh` (n', d) and y_fresh (n',) test, both balanced by
    sub-sampling and standardised by what fits. ValueError where a class has no image.
    """
    fit, test = (_balanced(each, rng) for each in (y, y_fresh))
    both = np.concatenate([code[fit], fresh[test]])
    centre, scale = code[fit].mean(0), code[fit].std(0)
    x = (both - centre) / np.where(scale > 0, scale, 1.0)
    answers = told(x[None, len(fit) :], *logistic(x[None, : len(fit)], y[None, fit]))[0]
    right = (answers == y_fresh[test]).sum()
    return float(right / len(test)), float(binomial_test(right, len(test)))


def on_noise(
    setting: Setting, data_sets: int = 100, n: int = 400, d: int = 20, seed: int = 0
) -> dict[str, Array]:
    """By procedure the p values (data_sets,) of a code of noise (., d) that knows of no label.

    "fixed" splits one balanced set of n images again and again; "redrawn" keeps the n/2 images of
    the minority, and draws as many of a majority of twenty times the size for every split, as
    proxies of rare factors do.
    """
    rng = np.random.default_rng(seed)
    majority = n // 2 * (POOL if setting == "redrawn" else 1)
    y = np.arange(majority + n // 2) >= majority
    kept: list[Resplit] = []
    some = max(1, AT_ONCE // (REPEATS * n * d))
    for start in range(0, data_sets, some):
        count = min(some, data_sets - start)
        kept += _probed(
            (rng.normal(size=(len(y), d)), y, splits(y, rng, fixed=setting == "fixed"))
            for _ in range(count)
        )
    all_of_them = Resplit(np.stack([one.each for one in kept]), kept[0].n_fit, kept[0].n_test)
    return {name: getattr(all_of_them, name) for name in PROCEDURES}


def rejected(p_values: Array, level: float) -> float:
    """The share of tests whose p value is below a level."""
    return float((p_values < level).mean())


def _error(each: Array, shared: float) -> Array:
    return np.sqrt(each.var(-1, ddof=1) * (1 / each.shape[-1] + shared))


def _balanced(y: Array, rng: np.random.Generator) -> Array:
    """Rows of as many images of either class as the rarer has."""
    classes = [np.flatnonzero(y == label) for label in (False, True)]
    each = min(map(len, classes))
    if not each:
        raise ValueError("A class has no image.")
    return np.concatenate([rng.permutation(rows)[:each] for rows in classes])


def _probed(sets: Iterable[tuple[Array, Array, tuple[Array, Array]]]) -> list[Resplit]:
    """Accuracies of sets of equal size: codes (n, d), labels (n,), rows that fit and that test."""
    parts = [
        (code[fit], y[fit], code[test], y[test]) for code, y, (fit, test) in sets
    ]  # each (repeats, ...)
    x_fit, y_fit, x_test, y_test = (np.concatenate(each) for each in zip(*parts, strict=True))
    right = (told(x_test, *logistic(x_fit, y_fit)) == y_test).mean(1)
    by_set = right.reshape(len(parts), -1)
    return [Resplit(each, y_fit.shape[1], y_test.shape[1]) for each in by_set]
