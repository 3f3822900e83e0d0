"""Exact numbers behind claims on decoders, against formulas, differences and symmetries."""

import numpy as np
import pytest
from scipy import integrate, stats

from core import entropy
from core.claimed.exact import twins
from core.flows import known
from core.flows.known import ARC


@pytest.mark.parametrize("degrees", [0, 17, 45, 90])
def test_a_turned_normal_has_the_total_correlation_of_its_columns(degrees):
    j = known.rotation(np.pi / 6) * [2.0, 0.5] @ known.rotation(np.radians(degrees))
    lengths = np.linalg.norm(j, axis=0)
    assert known.turned(degrees) == pytest.approx(np.log(lengths.prod()), abs=1e-12)  # |J| is 1
    assert known.turned(degrees) == pytest.approx(known.turned(90 - degrees), abs=1e-12)


def test_only_the_ratio_of_units_counts():
    assert known.rescaled(1) == pytest.approx(0, abs=1e-12)
    values = [known.rescaled(factor) for factor in (1, 2, 4, 8)]
    assert values == sorted(values) and values[1] > 0.1
    tilted = known.rotation(np.pi / 6) * [2.0, 0.5]
    both = entropy.linear_total_correlation(7 * np.diag([4.0, 1.0]) @ tilted)
    assert both == pytest.approx(known.rescaled(4), abs=1e-12)


def test_the_arcs_angle_lies_above_its_radius_by_what_integration_gives():
    angle, radius = ARC
    mean = integrate.quad(lambda z: np.log(abs(1 + radius * z)) * stats.norm.pdf(z), -6, 6)[0]
    assert known.arc_apart() == pytest.approx(mean + np.log(angle / radius), abs=1e-6)


def test_sources_under_a_slanted_mixing_are_found_by_ica_and_not_by_right_angles():
    found = twins.unmixed()
    assert found["truth"][0] == pytest.approx(0.5 * np.log(1 / 0.36), abs=1e-9)
    assert found["PCA"] == (pytest.approx(0, abs=1e-9), pytest.approx(0.709, abs=0.01))
    assert found["FastICA"] == (pytest.approx(0.511, abs=0.02), pytest.approx(1, abs=1e-3))


def test_the_network_has_the_jacobian_of_its_differences():
    def through(at):
        return twins.network(at, np.random.default_rng(5))

    z = np.random.default_rng(3).uniform(-1, 1, size=(200, twins.D))
    _, j = through(z)
    for latent in range(twins.D):
        step = 1e-6 * np.eye(twins.D)[latent]
        slope = (through(z + step)[0] - through(z - step)[0]) / 2e-6
        near = np.abs(slope - j[..., latent]).max(1) < 1e-6
        assert near.mean() > 0.95  # the others have a kink between


def test_a_twin_forgives_order_and_bends_and_not_rotations():
    truth, recovered, nearly, rotated = map(twins.twin, twins.KINDS)
    assert recovered.total_correlation == pytest.approx(truth.total_correlation, abs=1e-9)
    assert abs(nearly.total_correlation - truth.total_correlation) > 1e-4
    assert nearly.mcc > 0.99 > 0.8 > rotated.mcc and rotated.linear_r2 == pytest.approx(1)
    capped = -0.5 * np.log(entropy.PARALLEL)
    matched = recovered.cross > capped - 1e-6
    assert (matched.sum(0) == 1).all() and (matched.sum(1) == 1).all()
    assert (np.diagonal(truth.cross) > capped - 1e-6).all() and rotated.cross.max() < 2
    assert abs(rotated.total_correlation - truth.total_correlation) > 0.05
