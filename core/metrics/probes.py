"""What small regressors and classifiers read from a code, held out: half of the points fit it."""

import warnings
from collections.abc import Callable
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from core.metrics.regression import affine_map, centre_and_scale, halves, linear_r2, r2

Array = np.ndarray


def probe_accuracy(code: Array, y: Array, kind: str, fit: int | None = None) -> float:
    """Held-out accuracy of a fresh classifier of y (n,) on the code (n, d_z), standardised.

    `kind` is "linear" (logistic regression) or "mlp" (two hidden layers; not stopped early, which
    on a code that is hard to read ends before it has begun). The first `fit` points fit, half of
    them if None, and the rest score. Who sees nothing scores the share of the largest class.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    size = len(code) // 2 if fit is None else fit
    centre, scale = centre_and_scale(code[:size])
    x = (code - centre) / scale
    probe = (
        LogisticRegression(max_iter=500)
        if kind == "linear"
        else MLPClassifier(
            (64, 64), learning_rate_init=5e-3, batch_size=512, max_iter=40, random_state=0
        )
    )
    return float(_fitted(probe, x[:size], y[:size]).score(x[size:], y[size:]))


def _fitted(estimator: Any, x: Array, target: Array) -> Any:
    """An estimator of scikit-learn, whose rounds are counted on purpose."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(x, target)


def readout_r2(content: Array, code: Array) -> float:
    """Held-out R2 of the content (n, d) read from the code (n, d_z) by a small network."""
    fit, test = halves(len(code))
    return r2(content[test], _readout(code[fit], content[fit])(code[test]))


def readout_r2_by_class(content: Array, code: Array, y: Array) -> tuple[float, float]:
    """The same with a read-out for each class of y (n,), averaged over the classes.

    First scored on its own class, then on each of the others: how far a read-out fitted to one
    carries over.
    """
    fit, test = halves(len(code))
    classes = np.unique(y)
    held_out = [(code[test][y[test] == e], content[test][y[test] == e]) for e in classes]
    own, others = [], []
    for e in classes:
        read = _readout(code[fit][y[fit] == e], content[fit][y[fit] == e])
        scores = [r2(target, read(given)) for given, target in held_out]
        own.append(scores.pop(int(np.flatnonzero(classes == e)[0])))
        others += scores
    return float(np.mean(own)), float(np.mean(others))


def _readout(code: Array, content: Array) -> Callable[[Array], Array]:
    """Regression of the content on the standardised code with one hidden layer, stopped early."""
    from sklearn.neural_network import MLPRegressor

    centre, scale = centre_and_scale(code)
    offset, unit = content.mean(0), content.std()
    network = MLPRegressor(
        hidden_layer_sizes=(64,),
        early_stopping=True,
        learning_rate_init=5e-3,
        batch_size=min(256, max(1, len(code) // 16)),
        max_iter=100,
        random_state=0,
    )
    network = _fitted(network, (code - centre) / scale, (content - offset) / unit)
    return lambda given: network.predict((given - centre) / scale) * unit + offset


def cubic_r2(content: Array, code: Array) -> float:
    """Held-out R2 of the content by least squares on the code's monomials up to the third degree.

    A fast stand-in for `readout_r2` while training.
    """
    return linear_r2(content, _monomials(code))


def least_squares_accuracy(code: Array, y: Array) -> float:
    """Held-out accuracy of the classifier of y (n,) by least squares on one-hot labels.

    A fast stand-in for the linear probe while training.
    """
    fit, test = halves(len(code))
    map_, offset = affine_map(code[fit], np.eye(int(y.max()) + 1)[y[fit]])
    return float(((code[test] @ map_ + offset).argmax(1) == y[test]).mean())


def _monomials(code: Array) -> Array:
    """Products of one to three coordinates of the standardised code, (n, .)."""
    centre, scale = centre_and_scale(code)
    x = (code - centre) / scale
    chosen = (
        list(each)
        for degree in (1, 2, 3)
        for each in combinations_with_replacement(range(x.shape[1]), degree)
    )
    return np.stack([x[:, columns].prod(1) for columns in chosen], 1)
