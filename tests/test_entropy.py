"""Manifold entropic metrics against closed forms, their own identities, and other people's code."""

import json

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.stats import ortho_group
from shell import told

from core import entropy, jacobians
from core.entropy import NORMAL, Degenerate

RNG = np.random.default_rng(0)
SCALES = np.array([2.0, 0.5])


def turned(degrees):
    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])


def constant(a, n=3):
    return np.broadcast_to(a, (n, *a.shape)).copy()


def random_jacobians(n=40, high=6, low=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, high, low))


def arc(z):
    """The plane bent to an arc: radius 1 + .15 z_2, angle .8 z_1; orthogonal, not linear."""
    radius, angle = 1.5 + 0.15 * z[..., 1], 0.8 * z[..., 0]
    return torch.stack([radius * angle.sin(), radius * angle.cos()], -1)


# --- closed forms -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("degrees", "expected"), [(0, 0.0), (30, 0.645541), (45, 0.753772), (90, 0.0)]
)
def test_a_rotation_of_the_latents_changes_total_correlation_and_not_entropy(degrees, expected):
    a = np.diag(SCALES) @ turned(degrees)
    found = entropy.total_correlation(constant(a))
    assert found.value == pytest.approx(expected, abs=1e-5) and found.error < 1e-12
    assert found.value == pytest.approx(entropy.linear_total_correlation(a), abs=1e-12)
    normal = stats.multivariate_normal(cov=a @ a.T)
    assert entropy.entropy(constant(a)).value == pytest.approx(normal.entropy(), abs=1e-10)
    assert entropy.linear_entropy(a) == pytest.approx(normal.entropy(), abs=1e-10)


@pytest.mark.parametrize("shape", [(16, 16), (40, 16)], ids=["square", "injective"])
def test_linear_maps_have_their_closed_form(shape):
    a = RNG.normal(size=shape)
    gram = a.T @ a
    expected = 0.5 * (np.log(np.diagonal(gram)).sum() - np.log(np.linalg.eigvalsh(gram)).sum())
    assert entropy.total_correlation(constant(a)).value == pytest.approx(expected, abs=1e-9)
    values, errors = entropy.spectrum(constant(a))
    np.testing.assert_allclose(values, NORMAL + np.log(np.linalg.norm(a, axis=0)), atol=1e-12)
    assert errors.max() < 1e-12


def test_in_the_plane_the_only_pair_is_the_total_correlation():
    a = np.diag(SCALES) @ turned(30)
    pairs, _ = entropy.pairwise(constant(a))
    assert pairs[0, 1] == pairs[1, 0] == pytest.approx(0.645541, abs=1e-5)
    assert np.isnan(np.diagonal(pairs)).all()


def test_orthogonal_columns_that_bend_have_none_and_a_rotation_of_their_latents_has():
    z = torch.from_numpy(np.random.default_rng(1).normal(size=(20_000, 2)))
    j = jacobians.of(arc, z).numpy()
    assert entropy.total_correlation(j).value == pytest.approx(0, abs=1e-12)
    values, errors = entropy.spectrum(j)
    assert values[1] == pytest.approx(NORMAL + np.log(0.15), abs=1e-12)  # the radius
    # E log of the radius, by quadrature over the second latent
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    log_radius = (weights * np.log(1.5 + 0.15 * nodes)).sum() / weights.sum()
    assert abs(values[0] - (NORMAL + np.log(0.8) + log_radius)) < 5 * errors[0] + 1e-9
    turn = torch.from_numpy(turned(30).copy())
    mixed = jacobians.of(lambda w: arc(w @ turn.T), z).numpy()
    assert entropy.total_correlation(mixed).value > 0.5
    assert entropy.entropy(mixed).value == pytest.approx(entropy.entropy(j).value, abs=0.01)


# --- identities -------------------------------------------------------------------------------


def test_entropies_of_parts_are_that_of_the_whole_and_what_they_share():
    j = random_jacobians()
    shared = entropy.mutual_information(j, [0, 2], [1, 3]).value
    parts = entropy.entropy(j, [0, 2]).value + entropy.entropy(j, [1, 3]).value
    assert entropy.entropy(j).value == pytest.approx(parts - shared, abs=1e-10)
    blocks = entropy.total_correlation(j, [[0, 2], [1, 3]]).value
    assert blocks == pytest.approx(shared, abs=1e-10)
    singles = entropy.spectrum(j)[0].sum() - entropy.entropy(j).value
    assert entropy.total_correlation(j).value == pytest.approx(singles, abs=1e-10)


def test_mutual_information_is_that_of_principal_angles():
    from scipy.linalg import subspace_angles

    j = random_jacobians(n=5)
    each = [-np.log(np.sin(subspace_angles(a[:, [0, 2]], a[:, [1, 3]]))).sum() for a in j]
    found = entropy.mutual_information(j, [0, 2], [1, 3])
    assert found.value == pytest.approx(np.mean(each), abs=1e-9)
    assert found.error == pytest.approx(stats.sem(each), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_no_total_correlation_is_negative_and_coarser_blocks_share_less(seed):
    j = random_jacobians(seed=seed)
    fine = entropy.total_correlation(j).value
    coarse = entropy.total_correlation(j, [[0, 1], [2], [3]]).value
    assert fine >= coarse >= 0
    assert entropy.total_correlation(j, [range(4)]).value == pytest.approx(0, abs=1e-12)


def test_it_is_the_contrast_of_independent_mechanism_analysis():
    j = random_jacobians(high=4)
    gram = np.swapaxes(j, 1, 2) @ j
    diagonal = np.log(np.diagonal(gram, axis1=1, axis2=2)).sum(1)
    contrast = 0.5 * (diagonal - np.linalg.slogdet(gram)[1])
    found = entropy.total_correlation(j)
    assert found.value == pytest.approx(contrast.mean(), abs=1e-10)
    assert found.error == pytest.approx(stats.sem(contrast), abs=1e-10)


def test_what_latents_are_called_and_how_they_are_stretched_does_not_matter():
    j, order = random_jacobians(), [2, 0, 3, 1]
    stretch = np.random.default_rng(3).uniform(0.1, 9, size=(len(j), 1, 4))  # of monotone maps
    turn = ortho_group(6, seed=4).rvs()
    known, pairs = entropy.total_correlation(j).value, entropy.pairwise(j)[0]
    for other in (j[:, :, order], j * stretch, turn @ j):
        assert entropy.total_correlation(other).value == pytest.approx(known, abs=1e-10)
    np.testing.assert_allclose(entropy.pairwise(j * stretch)[0], pairs, atol=1e-10)
    named = pairs[np.ix_(order, order)]
    np.testing.assert_allclose(entropy.pairwise(j[:, :, order])[0], named, atol=1e-10)


def test_units_of_the_data_do_matter():
    j = random_jacobians()
    pixel = np.array([10.0, 1, 1, 1, 1, 1])[:, None]
    changed = entropy.total_correlation(pixel * j).value - entropy.total_correlation(j).value
    assert abs(changed) > 0.05


def test_two_decoders_that_agree_share_all_up_to_order_and_the_cap():
    j, order = random_jacobians(), [2, 0, 3, 1]
    same, _ = entropy.cross_pairwise(j, -3 * j[:, :, order])
    np.testing.assert_allclose(same[order, range(4)], 13.8155, atol=1e-3)
    others = same[np.arange(4)[:, None] != np.array(order)]
    assert others.max() < 1


def test_latents_that_are_given_stand_for_the_prior():
    j, z = random_jacobians(n=4000), np.random.default_rng(5).normal(size=(4000, 4))
    exact, sampled = entropy.entropy(j), entropy.entropy(j, latents=z)
    assert sampled.value != exact.value and sampled.error > exact.error
    assert abs(sampled.value - exact.value) < 5 * sampled.error
    expected = np.log(np.linalg.norm(j, axis=1)) - stats.norm.logpdf(z)
    np.testing.assert_allclose(entropy.spectrum(j, z)[0], expected.mean(0), atol=1e-10)


def test_a_partition_names_every_latent_once():
    for blocks in ([[0], [1]], [[0, 1], [1, 2, 3]], [[0, 1, 2, 3, 4]]):
        with pytest.raises(ValueError, match="no partition of 4 latents"):
            entropy.total_correlation(random_jacobians(), blocks)


# --- anybody's decoder ------------------------------------------------------------------------


def vae():
    """A decoder that is not ours: images from three latents, in a layout of its own."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(3, 16), torch.nn.Tanh(), torch.nn.Linear(16, 16),
        torch.nn.Unflatten(1, (1, 4, 4)),
    ).double().eval()  # fmt: skip


def test_a_decoder_of_torch_is_measured_as_finite_differences_have_it():
    decoder, z = vae(), torch.randn(50, 3, generator=torch.Generator().manual_seed(1)).double()
    step = 1e-6
    with torch.no_grad():
        columns = [
            (decoder(z + step * e) - decoder(z - step * e)).flatten(1) / (2 * step)
            for e in torch.eye(3, dtype=torch.float64)
        ]
    j = torch.stack(columns, 2).numpy()
    found = entropy.measure(decoder, z)
    assert found.dimensions == (16, 3) and found.samples == 50
    expected = entropy.total_correlation(j)
    assert found.total_correlation.value == pytest.approx(expected.value, abs=1e-6)
    np.testing.assert_allclose(found.spectrum, entropy.spectrum(j, z.numpy())[0], atol=1e-6)


def test_a_part_of_little_memory_gives_the_same(monkeypatch):
    decoder, z = vae(), torch.randn(20, 3).double()
    whole = jacobians.of(decoder, z)
    monkeypatch.setattr(jacobians, "MEMORY", 3 * 16 * 3 * 8)
    torch.testing.assert_close(jacobians.of(decoder, z), whole)


def test_a_decoder_of_numpy_brings_its_jacobian():
    class Linear:
        a = np.diag(SCALES) @ turned(30)

        def __call__(self, z):
            return z @ self.a.T

        def jacobian(self, z):
            return constant(self.a, len(z))

    z = np.random.default_rng(0).normal(size=(100, 2))
    assert entropy.measure(Linear(), z).total_correlation.value == pytest.approx(0.645541, abs=1e-5)
    with pytest.raises(TypeError, match="needs a method `jacobian`"):
        entropy.measure(lambda z: z, z)


def test_a_decoder_that_mixes_its_batch_up_is_refused():
    with pytest.raises(ValueError, match="for one latent"):
        jacobians.of(lambda z: z.sum(), torch.zeros(4, 2))


BROKEN = {
    "two dimensions": (np.zeros((3, 2)), "shape (samples, D, d), not (3, 2)"),
    "words": (np.full((3, 2, 2), "one"), "Jacobians are numbers"),
    "one sample": (np.ones((1, 2, 2)), "too few"),
    "more latents than dimensions": (np.ones((3, 2, 4)), "cannot be told apart in 2"),
    "not finite": (np.full((3, 2, 2), np.nan), "3 of 3 samples are not finite"),
    "a latent that does nothing": (constant(np.eye(2)[:, :1] * [1, 0]), "latent 1 moves nothing"),
    "rank": (constant(np.ones((4, 2))), "3 of 3 samples have linearly dependent columns"),
}  # fmt: skip


@pytest.mark.parametrize(("array", "words"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_measured_is_refused_in_a_sentence(array, words, tmp_path, capsys):
    with pytest.raises(Degenerate) as refused:
        entropy.read(array)
    assert words in str(refused.value)
    np.save(tmp_path / "j.npy", array)
    status, out, err = told(capsys, "measure", str(tmp_path / "j.npy"))
    assert status == 2 and out == "" and err.count("\n") == 1 and words in err


def test_files_that_are_no_array_are_refused_and_nothing_is_unpickled(tmp_path, capsys):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    np.save(tmp_path / "objects.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    (tmp_path / "words.npy").write_text("no array at all")
    (tmp_path / "empty.npy").write_bytes(b"")
    np.savez(tmp_path / "several.npz", a=np.ones(3))
    for name, words in (
        ("objects.npy", "never done"), ("words.npy", "never done"), ("missing.npy", "no such file"),
        ("several.npz", "several arrays"), ("empty.npy", "cannot be read"),
    ):  # fmt: skip
        status, out, err = told(capsys, "measure", str(tmp_path / name))
        assert (status, out) == (2, "") and words in err and err.count("\n") == 1
    status, out, _ = told(capsys, "measure", "--help")
    assert status == 0 and "JACOBIANS.npy" in out and "--latents" in out
    np.save(tmp_path / "j.npy", random_jacobians(high=4))
    np.save(tmp_path / "z.npy", np.zeros((3, 4)))
    _, _, err = told(
        capsys, "measure", str(tmp_path / "j.npy"), "--latents", str(tmp_path / "z.npy")
    )
    assert "latents have shape (40, 4) beside these Jacobians, not (3, 4)" in err


def test_a_files_decoder_is_measured_as_by_its_own_road_beside_the_linear_ruler(tmp_path, capsys):
    a = turned(20) @ np.diag(SCALES) @ turned(30)
    np.save(tmp_path / "j.npy", constant(a, 10).astype(np.float32))
    status, out, _ = told(capsys, "measure", str(tmp_path / "j.npy"), "--json")
    found = json.loads(out)
    assert status == 0 and (found["samples"], found["D"], found["d"]) == (10, 2, 2)
    assert found["mtc_nats"]["value"] == pytest.approx(0.645541, abs=1e-5)
    assert found["mtc_per_dim"] == pytest.approx(0.645541 / 2, abs=1e-5)
    assert found["entropy_nats"]["value"] == pytest.approx(2 * NORMAL, abs=1e-5)  # |det| = 1
    (pair,) = found["pairs"]
    assert pair["latents"] == [0, 1] and pair["value"] == pytest.approx(0.645541, abs=1e-5)
    marks = {name: each["value"] for name, each in found["linear_ruler_nats"].items()}
    assert marks["PCA"] == pytest.approx(0, abs=1e-6)
    assert 0.1 < marks["random rotation"] < 0.753772 and 0 < marks["Cholesky"] < 0.753772
    status, out, _ = told(capsys, "measure", str(tmp_path / "j.npy"))
    assert status == 0 and "total correlation  0.646 ± 0.000, 0.323 a latent" in out
