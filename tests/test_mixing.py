"""g is invertible, well conditioned and one member's own: laws, not values."""

import numpy as np
import pytest
import torch

from core.laws.samplers import generator, sphere
from core.mixing import SLOPE, make_mixing, stack

SHAPES = [
    pytest.param(2, 2, 1, id="d=2,1 layer"),
    pytest.param(3, 3, 3, id="d=3,3 layers"),
    pytest.param(5, 5, 5, id="d=5,5 layers"),
    pytest.param(3, 7, 2, id="lift 3 to 7,2 layers"),
    pytest.param(2, 10, 4, id="lift 2 to 10,4 layers"),
    pytest.param(4, 6, 0, id="lift 4 to 6,no layers"),
]
each_shape = pytest.mark.parametrize(("d", "d_x", "layers"), SHAPES)


def double(g):
    return g.to(torch.float64)


def points(n, d, seed=0):
    return sphere(torch.randn(1, n, d, generator=torch.Generator().manual_seed(seed)).double())


@each_shape
def test_inverse_recovers_the_latents(d, d_x, layers):
    g = double(make_mixing(generator(0, "world"), d, d_x, layers))
    z = points(200, d)
    x = g(z)
    assert x.shape == (1, 200, d_x)
    # the lift is orthonormal to float32 only: 1e-6 is its rounding
    torch.testing.assert_close(g.inverse(x), z, atol=1e-6, rtol=0)


@each_shape
def test_forward_is_the_slow_loop(d, d_x, layers):
    g = double(make_mixing(generator(1, "world"), d, d_x, layers))
    z = points(20, d)
    x = g(z)[0].numpy()
    for i in range(20):
        value = [sum(float(z[0, i, a]) * float(g.lift[0, a, b]) for a in range(d))
                 for b in range(d_x)]  # fmt: skip
        for depth, weight in enumerate(g.weights):
            if depth > 0:
                value = [v if v > 0 else 0.2 * v for v in value]
            w = weight[0].T.numpy()  # y = W x
            value = [sum(w[b, a] * value[a] for a in range(d_x)) for b in range(d_x)]
        np.testing.assert_allclose(x[i], value, atol=1e-12)


def test_slope_is_the_papers():
    assert SLOPE == 0.2


@each_shape
def test_matrices_have_unit_columns_and_the_lift_is_isometric(d, d_x, layers):
    g = make_mixing(generator(2, "world"), d, d_x, layers)
    assert len(g.weights) == layers
    for weight in g.weights:  # stored transposed: the columns of W are its rows
        torch.testing.assert_close(weight[0].norm(dim=1), torch.ones(d_x))
    torch.testing.assert_close(g.lift[0] @ g.lift[0].T, torch.eye(d), atol=1e-6, rtol=0)


def test_without_layers_or_lift_x_is_z():
    g = make_mixing(generator(3, "world"), 4, 4, 0)
    z = points(10, 4).float()
    assert torch.equal(g(z), z)


@pytest.mark.parametrize("d", (2, 3, 5, 10), ids=lambda d: f"d={d}")
def test_matrices_are_among_the_best_conditioned_of_random_ones(d):
    draws = np.random.default_rng(0).uniform(-1, 1, (4000, d, d))
    draws /= np.linalg.norm(draws, axis=1, keepdims=True)
    bound = np.quantile(np.linalg.cond(draws), 0.005)
    for seed in range(3):
        g = make_mixing(generator(seed, "world"), d, d, 3)
        assert all(np.linalg.cond(w[0].numpy()) <= bound for w in g.weights)


@each_shape
def test_jacobian_is_nowhere_singular(d, d_x, layers):
    g = double(make_mixing(generator(4, "world"), d, d_x, layers))
    for z in points(30, d, seed=5)[0]:
        jacobian = torch.autograd.functional.jacobian(lambda p: g(p[None, None])[0, 0], z)
        sign, log_volume = torch.linalg.slogdet(jacobian.T @ jacobian)
        assert sign == 1 and log_volume.isfinite()
        # five layers of slope 0.2 shrink a direction by 0.2^4 and conditioning a little more
        assert log_volume > 2 * d * np.log(1e-4)


def test_no_two_latents_share_an_observation():
    g = double(make_mixing(generator(6, "world"), 3, 3, 5))
    z = points(400, 3)
    ratio = torch.pdist(g(z)[0]) / torch.pdist(z[0])
    assert ratio.min() > 1e-4


def test_orientation_of_the_latents_survives_or_flips_everywhere_alike():
    g = double(make_mixing(generator(7, "world"), 3, 3, 3))
    signs = {
        float(torch.linalg.slogdet(
            torch.autograd.functional.jacobian(lambda p: g(p[None, None])[0, 0], z))[0])
        for z in points(50, 3)[0]
    }  # fmt: skip
    assert len(signs) == 1


def test_g_is_a_function_of_its_generators_seed():
    first, again, other = (make_mixing(generator(seed, "world"), 3, 5, 2) for seed in (8, 8, 9))
    z = points(10, 3).float()
    assert torch.equal(first(z), again(z))
    assert not torch.allclose(first(z), other(z), atol=0.1)


def test_a_stack_is_its_members_side_by_side():
    apart = [make_mixing(generator(seed, "world"), 3, 5, 2) for seed in (0, 1, 2)]
    together = stack(apart)
    z = torch.cat([points(30, 3, seed) for seed in range(3)]).float()
    x = together(z)
    for i, g in enumerate(apart):
        one = slice(i, i + 1)
        torch.testing.assert_close(x[one], g(z[one]), atol=1e-6, rtol=0)
        assert torch.equal(together.members([i])(z[one]), g(z[one]))


def test_g_has_nothing_to_learn():
    g = make_mixing(generator(0, "world"), 3, 5, 2)
    assert not any(t.requires_grad for t in (g.lift, *g.weights))
