"""f: shapes, gradients, one member equals a plain network, and where each start begins."""

import numpy as np
import pytest
import torch
from torch import nn

from core.encoder import SLOPE, make_encoder
from core.laws.samplers import generator, sphere
from core.metrics import degree
from core.mixing import make_mixing

STARTS = ("identity", "standard")
each_start = pytest.mark.parametrize("start", STARTS)


def encoders(seeds, start, d_x=3, d_hat=3, width=16, depth=3, normalised=True):
    streams = [generator(seed, "initialisation") for seed in seeds]
    return make_encoder(streams, d_x, d_hat, width, depth, start, normalised)


def covering(n=2000, d=3):
    return sphere(torch.randn(n, d, generator=torch.Generator().manual_seed(0)))


@each_start
@pytest.mark.parametrize(("d_x", "d_hat"), [(3, 3), (7, 3), (2, 5)])
def test_shape_is_members_samples_and_encoded_dimensions(start, d_x, d_hat):
    f = encoders([0, 1], start, d_x, d_hat)
    assert f(torch.randn(2, 11, d_x)).shape == (2, 11, d_hat)


@each_start
def test_output_has_unit_norm_exactly_when_normalised(start):
    x = torch.randn(2, 50, 3)
    norm = encoders([0, 1], start)(x).norm(dim=-1)
    torch.testing.assert_close(norm, torch.ones(2, 50), atol=1e-6, rtol=0)
    free = encoders([0, 1], start, normalised=False)
    assert (free(x).norm(dim=-1) - 1).abs().max() > 0.1
    torch.testing.assert_close(nn.functional.normalize(free(x), dim=-1), encoders([0, 1], start)(x))


@each_start
@pytest.mark.parametrize("depth", (1, 3, 6))
def test_every_parameter_of_every_member_gets_a_gradient(start, depth):
    f = encoders([0, 1, 2], start, depth=depth)
    target = torch.randn(3, 60, 3, generator=torch.Generator().manual_seed(1))
    (f(torch.randn(3, 60, 3)) * target).sum().backward()
    assert len(list(f.parameters())) == 2 * (depth + 1) + (start == "identity")
    for name, parameter in f.named_parameters():
        largest = parameter.grad.abs().flatten(1).amax(1)
        assert (largest > 0).all(), name


@each_start
def test_a_member_is_a_plain_network(start):
    f = encoders([0, 1, 2], start, d_x=5, d_hat=4, depth=2).double()
    x = torch.randn(3, 20, 5, dtype=torch.float64)
    together = f(x)
    for i in range(3):
        layers = []
        for weight, bias in zip(f.weights, f.biases, strict=True):
            linear = nn.Linear(weight.shape[1], weight.shape[2], dtype=torch.float64)
            linear.weight.data, linear.bias.data = weight[i].T, bias[i, 0]
            layers += [linear, nn.LeakyReLU(0.01)]
        plain = nn.Sequential(*layers[:-1])(x[i])
        if f.skip is not None:
            plain = plain + x[i] @ f.skip[i]
        expected = plain / plain.norm(dim=1, keepdim=True)
        torch.testing.assert_close(together[i], expected, atol=1e-12, rtol=0)


def test_slope_is_pytorchs_default():
    assert SLOPE == nn.LeakyReLU().negative_slope


@each_start
def test_a_member_apart_is_a_copy(start):
    f = encoders([0, 1], start)
    x = torch.randn(2, 9, 3)
    before = f(x)[1]
    apart = f.member(1)
    torch.testing.assert_close(apart(x[1:])[0], before)
    with torch.no_grad():
        apart.weights[0].zero_()
    torch.testing.assert_close(f(x)[1], before)


@each_start
def test_start_depends_on_the_members_own_stream_only(start):
    x = torch.randn(1, 9, 3)
    alone = encoders([4], start)(x)[0]
    crowd = encoders([2, 4, 9], start)(x.expand(3, -1, -1))
    torch.testing.assert_close(alone, crowd[1])
    assert not torch.allclose(crowd[0], crowd[1], atol=0.1)


def test_standard_start_is_pytorchs_uniform_law():
    f = encoders(range(4), "standard", width=64)
    for weight, bias in zip(f.weights, f.biases, strict=True):
        bound = weight.shape[1] ** -0.5
        for tensor in (weight, bias):
            assert tensor.abs().max() <= bound
        # U(-a, a) has standard deviation a / sqrt(3); 5 standard errors of that estimate
        assert float(weight.detach().std()) == pytest.approx(
            bound / np.sqrt(3), rel=5 * np.sqrt(0.2 / weight.numel()) + 0.01
        )
    assert f.skip is None


@pytest.mark.parametrize(("d_x", "d_hat"), [(3, 3), (7, 3), (2, 5)])
def test_identity_start_has_no_biases_and_an_orthogonal_skip(d_x, d_hat):
    f = encoders([0, 1], "identity", d_x, d_hat)
    assert all((bias == 0).all() for bias in f.biases)
    if d_x == d_hat:
        gram = f.skip @ f.skip.mT
        torch.testing.assert_close(gram, torch.eye(d_x).expand(2, -1, -1), atol=1e-6, rtol=0)
    assert (torch.linalg.svdvals(f.skip) < 1 + 1e-5).all()


@pytest.mark.parametrize("c", (1e-3, 0.5, 40.0))
def test_identity_start_makes_h_blind_to_the_length_of_z(c):
    g = make_mixing(generator(0, "world"), 3, 3, 3).to(torch.float64)
    z = covering(100)[None].double()
    f = encoders([0], "identity").double()
    torch.testing.assert_close(f(g(c * z)), f(g(z)), atol=1e-9, rtol=0)
    standard = encoders([0], "standard").double()
    assert not torch.allclose(standard(g(c * z)), standard(g(z)), atol=1e-2)


def starting_degrees(start, seeds):
    z = covering()
    found = []
    for seed in seeds:
        g = make_mixing(generator(seed, "world"), 3, 3, 3)
        with torch.no_grad():
            z_hat = encoders([seed], start, width=64)(g(z[None]))[0]
        found.append(degree(z.numpy(), z_hat.numpy()))
    return found


def test_identity_start_is_unfolded_for_every_seed():
    found = starting_degrees("identity", range(24))
    assert {abs(each) for each in found} == {1}
    assert set(found) == {1, -1}  # the skip reflects about half of the time


def test_standard_start_is_folded():
    found = starting_degrees("standard", range(8))
    assert found.count(0) >= 7
