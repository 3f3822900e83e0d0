"""The evaluation set: which of its latents are drawn, watched, fitted and scored."""

import numpy as np
import pytest
import torch

from core import metrics
from core.laws.samplers import sphere
from core.laws.spaces import Box, Sphere
from core.legend import baselines
from core.run.evaluation import (
    COVERED,
    DEGREE_EVERY,
    DRAWN,
    WATCHED,
    Evaluation,
    between,
    by_chance,
)
from core.run.experiment import EVALUATED

HALF = EVALUATED // 2


def identity(x):
    return x


def evaluation(m=2, d=3):
    z = sphere(torch.randn(m, EVALUATED, d, generator=torch.Generator().manual_seed(1)))
    return z.numpy(), Evaluation(Sphere(d), z, identity, identity, d)


def test_half_of_the_watched_are_of_those_that_fit_and_half_of_those_that_are_scored():
    z, seen = evaluation()
    expected = np.concatenate([z[:, :WATCHED], z[:, HALF : HALF + WATCHED]], 1)
    np.testing.assert_array_equal(seen.z_watched, expected)
    np.testing.assert_array_equal(seen.observe().watched, expected)


def test_what_is_drawn_was_not_fitted():
    z, seen = evaluation()
    np.testing.assert_array_equal(seen.z_drawn, z[:, HALF : HALF + DRAWN])
    drawn, curves = seen.look()
    np.testing.assert_array_equal(drawn, seen.z_drawn)
    np.testing.assert_allclose(curves, seen.net, atol=1e-6)
    np.testing.assert_array_equal(seen.features(1), z[1])


def test_the_degree_has_its_turn_and_is_of_the_whole_sphere():
    _, seen = evaluation()
    turns = [seen.observe().covering is not None for _ in range(2 * DEGREE_EVERY)]
    assert turns == [True, False, False] * 2
    _, covering = seen.everything()
    assert covering.shape == (2, COVERED, 3)
    assert np.abs(covering.mean(1)).max() < 0.06  # uniform, whatever the latents' law
    assert seen.degree(covering[0]) == 1 and seen.degree(-covering[0]) == -1
    assert seen.degree(None) is None


def test_where_there_is_no_degree_no_point_is_observed_for_it():
    z, asked = torch.rand(2, EVALUATED, 3), []

    def observed(points):
        asked.append(points.shape[1])
        return points

    seen = Evaluation(Box(3), z, observed, identity, 3)
    assert sum(asked) < EVALUATED + 2 * WATCHED + 2 * (DRAWN + seen.net[0].size)
    assert COVERED not in asked and asked.count(0) == 1
    assert all(seen.observe().covering is None for _ in range(DEGREE_EVERY))
    everything, covering = seen.everything()
    np.testing.assert_array_equal(everything, z.numpy())
    assert covering.shape == (2, 0, 3)
    assert [seen.degree(each) for each in covering] == [None, None]
    assert evaluation()[1].everything()[1].shape[1] == COVERED  # the sphere's has them


def test_every_run_says_what_shuffled_codes_get_and_what_other_samples_would_give():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((400, 2))
    z_hat = z + 0.5 * rng.standard_normal((400, 2))
    found = by_chance(z, z_hat, {"mcc": metrics.mcc, "linear_r2": metrics.linear_r2})
    assert found["null_mcc"] == pytest.approx(metrics.null(metrics.mcc, z, z_hat).mean())
    assert 0.01 < found["null_mcc"] < 0.1 and found["null_linear_r2"] < 0.01
    for name in ("mcc", "linear_r2"):
        ends = between(z, z_hat, name)
        assert ends[f"{name}_low"] < getattr(metrics, name)(z, z_hat) < ends[f"{name}_high"]
    lost = np.full_like(z_hat, np.nan)
    assert by_chance(z, lost, {"mcc": metrics.mcc}) == {"null_mcc": None}
    assert set(between(z, lost, "mcc").values()) == {None}


def test_a_null_is_a_baseline_to_draw_where_it_is_not_negligible():
    scores = {"raw_mcc": 0.5, "null_mcc": 0.03, "untrained_mcc": None}
    assert baselines("mcc", scores) == {"raw_mcc": "raw x"}
    assert "null_mcc" in baselines("mcc", {**scores, "null_mcc": 0.2})
    assert not baselines("v_r2", {"null_v_r2": -0.6})
