"""f: shapes, gradients, one member equals a plain network, and where each start begins."""

import numpy as np
import pytest
import torch
from torch import nn

from core.encoder import SLOPE, Centring, make_encoder
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


# --- what is made of data ----------------------------------------------------------------------


def observations(m, n=1500, d_x=5):
    """Correlated columns, not about 0, other ones for every member."""
    noise = torch.Generator().manual_seed(3)
    mixed = torch.randn(m, n, d_x, generator=noise) @ torch.randn(m, d_x, d_x, generator=noise)
    return mixed + torch.randn(m, 1, d_x, generator=noise)


def test_codes_start_apart_each_with_the_deviation_asked_for():
    f, x = encoders([0, 1, 2], "standard", d_x=5, d_hat=4, normalised=False), observations(3)
    before = [weight.detach().clone() for weight in f.weights]
    alike = np.corrcoef(f(x)[0].detach().T)
    assert np.abs(alike - np.eye(4)).max() > 0.3  # as they would have been
    deviation = torch.tensor([0.2, 1.0, 7.0])
    f.start_apart(x, deviation)
    for i, code in enumerate(f(x).detach().double()):
        size = float(deviation[i])
        torch.testing.assert_close(code.mean(0) / size, torch.zeros(4).double(), atol=1e-3, rtol=0)
        spread = torch.cov(code.T, correction=0) / size**2
        torch.testing.assert_close(spread, torch.eye(4).double(), atol=5e-3, rtol=0)
    for was, now in zip(before[:-1], f.weights[:-1], strict=True):  # a change of the last layer
        assert torch.equal(was, now)
    assert all(parameter.requires_grad for parameter in f.parameters())


def test_codes_that_start_apart_turn_as_little_as_they_can():
    """The map is symmetric: codes that are apart already only change their size."""
    f, x = encoders([0], "standard", d_x=5, d_hat=3, normalised=False), observations(1)
    f.start_apart(x, torch.ones(1))
    once = f(x)
    f.start_apart(x, torch.full((1,), 2.0))
    torch.testing.assert_close(f(x), 2 * once, atol=1e-2, rtol=0)


def test_a_member_starts_apart_by_its_own_observations():
    x, deviation = observations(2), torch.tensor([1.0, 3.0])
    together = encoders([4, 9], "standard", d_x=5, normalised=False)
    together.start_apart(x, deviation)
    for i, seed in enumerate((4, 9)):
        alone = encoders([seed], "standard", d_x=5, normalised=False)
        alone.start_apart(x[i : i + 1], deviation[i : i + 1])
        for a, b in zip(alone.parameters(), together.parameters(), strict=True):
            assert torch.equal(a[0], b[i])


def test_centring_takes_the_mean_of_every_column_and_one_deviation_of_all():
    x = observations(2) * torch.tensor([1.0, 50.0])[:, None, None]
    centring = Centring(x)
    seen = centring(x).double()
    torch.testing.assert_close(seen.mean(1), torch.zeros(2, 5).double(), atol=1e-4, rtol=0)
    size = seen.square().mean((1, 2))
    torch.testing.assert_close(size, torch.ones(2).double(), rtol=1e-5, atol=0)
    ratio = x.std(1) / seen.std(1)  # what varies little still does
    torch.testing.assert_close(ratio, ratio[:, :1].expand(-1, 5), rtol=1e-4, atol=0)
    assert not list(centring.parameters())
    assert torch.equal(centring(x)[1], Centring(x[1:])(x[1:])[0])
