"""Flows of digits: images, wavelets, factors, a linear ruler, and what is read of a decoder."""

import numpy as np
import pytest
import torch
from scipy import stats
from shipped import results
from streamlit.testing.v1 import AppTest
from torch.func import jacfwd, vmap
from visits import ENTROPY, opened

from core import entropy
from core.flows.couplings import Flow
from core.flows.linear import Gaussian, haar
from core.laws.samplers import Noise, generator
from core.learners.digits import DRAWN, TRAINED, Images, Learner, World
from core.lessons.digits import ARCHITECTURES
from core.run.evaluation import EVALUATED, HALF
from core.run.experiment import Experiment
from core.run.worker import train_group
from core.scenarios import SCENARIOS
from core.scenarios.digits import CLASSES, LEVELS, SHOWN, SIZE

scenario = SCENARIOS["digits"]
Params = scenario.Params
TINY = {"transforms": 2, "width": 16, "batch": 32, "steps": 6}
KINDS = ("coupling", "wavelet", "basis-only", "factorisation-only", "gin")


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def members(seeds=(0, 1), **params):
    return Experiment(Params(**{**TINY, **params}), "digits", tuple(seeds)).members


def taught(steps=6, seeds=(0, 1), **params):
    one = Learner(members(seeds, **params), "cpu")
    for t in range(steps):
        one.step(t)
    return one


def own(one, i, way):
    """One of member i's ways in float64, of values (n, 64) and digits (n, told)."""
    state = one._own(i, torch.float64)

    def through(value, digit):
        return torch.func.functional_call(one.flow, tuple(state), (value, digit, way))

    return through


def told(one, y):
    return one._told(y).double()


# --- the data ---------------------------------------------------------------------------------


def test_images_are_split_by_the_seed_and_every_one_is_there_once():
    one, same, other = (Images.of(seed) for seed in (0, 0, 1))
    assert one.x.shape == (1797, SIZE) and torch.equal(one.x, same.x)
    assert not torch.equal(one.y, other.y)
    assert torch.equal(one.y.bincount(), other.y.bincount())
    grey = one.x + one.mean
    assert grey.min() >= -1e-6 and grey.max() == pytest.approx(1)
    torch.testing.assert_close(one.x[:TRAINED].mean(0), torch.zeros(SIZE), atol=1e-6, rtol=0)


def test_what_is_drawn_is_trained_on_and_half_of_what_is_scored_is_not():
    world = World(members(noise=0.01), "cpu")
    images = Images.of(0)
    x, y = world.draw(200, Noise([0, 1], "data", "cpu"))
    nearest = torch.cdist(x[0], images.x).argmin(1)
    assert nearest.max() < TRAINED and torch.equal(images.y[nearest], y[0])
    assert torch.cdist(x[0], images.x).min(1).values.mean() == pytest.approx(0.08, abs=0.01)
    x, y = world.evaluation(Noise([0, 1], "evaluation", "cpu"))
    assert x.shape == (2, EVALUATED, SIZE) and y.shape == (2, EVALUATED)
    nearest = torch.cdist(x[0], images.x).argmin(1)
    assert nearest[:HALF].max() < TRAINED <= nearest[HALF:].min()
    assert len(nearest[HALF:].unique()) == len(images.x) - TRAINED


# --- wavelets and the ruler -------------------------------------------------------------------


def test_wavelets_are_orthonormal_and_the_first_are_means_of_quarters():
    rows = haar()
    np.testing.assert_allclose(rows @ rows.T, np.eye(SIZE), atol=1e-12)
    image = np.random.default_rng(0).random((8, 8))
    quarters = image.reshape(2, 4, 2, 4).mean((1, 3)).ravel()
    np.testing.assert_allclose(rows[:4] @ image.ravel(), 4 * quarters)
    blocks = np.repeat(np.repeat(np.random.default_rng(1).random((4, 4)), 2, 0), 2, 1).ravel()
    coefficients = rows @ blocks
    assert np.abs(coefficients[LEVELS[0] + LEVELS[1] :]).max() < 1e-12  # no finest detail
    assert np.abs(coefficients[LEVELS[0] :]).max() > 0.1


def test_the_ruler_is_the_gaussian_of_each_class_and_its_decoders_are_one_density():
    images = Images.of(0)
    x, y = images.x[:TRAINED].double().numpy(), images.y[:TRAINED].numpy()
    ruler = Gaussian(x, y, 0.1)
    rng = np.random.default_rng(0)
    seen = x[:300] + 0.1 * rng.normal(size=(300, SIZE))
    law = stats.multivariate_normal(np.zeros(SIZE), ruler.covariance)
    exact = -law.logpdf(seen - ruler.centres[y[:300]]).mean()
    assert ruler.nll(seen, y[:300]) == pytest.approx(exact, abs=1e-8)
    turn = np.linalg.qr(rng.normal(size=(SIZE, SIZE)))[0]
    decoders = ruler.decoders(haar(), turn)
    correlated = {kind: entropy.linear_total_correlation(a) for kind, a in decoders.items()}
    for a in decoders.values():
        np.testing.assert_allclose(a @ a.T, ruler.covariance, atol=1e-10)
    assert correlated["pca"] == pytest.approx(0, abs=1e-9)
    assert 1 < correlated["haar"] < correlated["cholesky"] < correlated["rotated"]
    # coarse to fine: no coefficient moves a coarser one
    assert np.abs(np.triu(haar() @ decoders["haar"], 1)).max() < 1e-10


def test_baselines_do_not_depend_on_the_flow():
    one, other = (taught(0, architecture=kind).baselines for kind in ("coupling", "wavelet"))
    assert one == other
    assert set(one[0]) == {"pca_mtc_nats", "haar_mtc_nats", "cholesky_mtc_nats",
                           "rotated_mtc_nats", "gaussian_nll"}  # fmt: skip


# --- the maps ---------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", KINDS)
def test_a_flow_goes_back_where_it_came_from_and_knows_its_volume(architecture):
    one = taught(architecture=architecture, learning_rate=0.02)
    x, y = one.x[1, HALF : HALF + 20].double(), told(one, one.y[1, HALF : HALF + 20])
    encode, decode = own(one, 1, "encode"), own(one, 1, "decode")
    z, ladj = encode(x, y)
    torch.testing.assert_close(decode(z, y), x, atol=2e-6, rtol=0)  # the basis is of float32
    j = vmap(jacfwd(lambda each, of: encode(each[None], of[None])[0][0]))(x, y)
    torch.testing.assert_close(torch.linalg.slogdet(j)[1], ladj, atol=1e-5, rtol=0)
    decoder = vmap(jacfwd(lambda each, of: decode(each[None], of[None])[0]))(z, y)
    torch.testing.assert_close(
        decoder @ j, torch.eye(SIZE).double().expand_as(j), atol=1e-5, rtol=0
    )
    # the same road as the learner's own
    found = one._jacobians(1, 20)
    at = vmap(jacfwd(lambda each, of: decode(each[None], of[None])[0]))(
        one.latents[1, :20].double(), told(one, one.digits[1, :20])
    )
    np.testing.assert_allclose(found, at.numpy(), atol=1e-12)


@pytest.mark.parametrize("architecture", KINDS)
def test_factors_leave_coarser_coefficients_alone_and_one_factor_does_not(architecture):
    one = taught(architecture=architecture, learning_rate=0.02)
    basis = one.buffers["basis"][0].double().numpy()
    seen = basis @ one._jacobians(0, 10)  # coefficients by latents
    levels, low, above = one.p.levels, 0, []
    for size in LEVELS:
        above.append(np.abs(seen[:, low : low + size, low + size :]).max(initial=0))
        low += size
    assert (max(above) < 1e-6) == (levels == LEVELS)  # the basis is one of float32
    assert np.abs(seen[:, LEVELS[0] :, : LEVELS[0]]).max() > 1e-3  # coarse ones move fine ones


def test_a_basis_is_what_its_architecture_says():
    bases = {
        kind: taught(0, architecture=kind).buffers["basis"][0].double().numpy() for kind in KINDS
    }
    for basis in bases.values():
        np.testing.assert_allclose(basis @ basis.T, np.eye(SIZE), atol=1e-5)
    np.testing.assert_array_equal(bases["coupling"], np.eye(SIZE))
    np.testing.assert_array_equal(bases["gin"], np.eye(SIZE))
    np.testing.assert_allclose(bases["wavelet"], haar(), atol=1e-6)
    np.testing.assert_array_equal(bases["wavelet"], bases["basis-only"])
    assert np.abs(bases["factorisation-only"] - haar()).max() > 0.1


@pytest.mark.parametrize("architecture", ["coupling", "wavelet"])
def test_every_coordinate_is_changed_by_half_of_the_blocks(architecture):
    p = Params(architecture=architecture)
    flow = Flow(torch.eye(SIZE), p.levels, p.widths, p.blocks, p.told,
                generator(0, "initialisation"))  # fmt: skip
    for size, factor in zip(p.levels, flow.factors, strict=True):
        orders = [order for name, order in factor.named_buffers() if name.endswith("_0")][::2]
        assert len(orders) == p.blocks and len({tuple(o.tolist()) for o in orders}) > 2
        changed = torch.cat([order[size // 2 :] for order in orders])
        assert changed.bincount(minlength=size).tolist() == [p.blocks // 2] * size


def test_blocks_that_keep_volume_do_and_scales_are_the_classes_own():
    stream = generator(0, "initialisation")
    flow = Flow(torch.eye(SIZE), (SIZE,), (16,), 3, CLASSES, stream, preserving=True).double()
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.normal_(0, 0.2, generator=stream)
    digit = torch.eye(CLASSES).double()
    x = torch.randn(CLASSES, SIZE, generator=stream).double()
    z, ladj = flow.encode(x, digit)
    _, log_scale = flow.scales(digit).chunk(2, 1)
    torch.testing.assert_close(ladj, -log_scale.sum(1), atol=1e-9, rtol=1e-9)
    assert ladj.std() > 0.1
    torch.testing.assert_close(flow.decode(z, digit), x, atol=1e-9, rtol=1e-9)
    more = flow.unscaled(z + 1, digit) - flow.unscaled(z, digit)
    torch.testing.assert_close(more, log_scale.exp(), atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("by_class", [True, False])
def test_a_flow_draws_the_digit_that_it_is_told_if_it_is_told(by_class):
    one = taught(by_class=by_class, learning_rate=0.02)
    decode = own(one, 0, "decode")
    z = one.latents[0, :5].double()
    zeros, ones = (decode(z, told(one, torch.full((5,), c))) for c in (0, 1))
    assert (bool((zeros - ones).abs().max() > 1e-3)) == by_class
    rows = CLASSES if by_class else 1
    moving = one.observe().moving
    assert moving["columns"].shape == (2, rows, SHOWN, SIZE)
    assert moving["traversals"].shape == (2, rows, SHOWN, 7, SIZE)
    assert moving["deviations"].shape == (2, rows, SIZE)


@pytest.mark.parametrize("by_class", [True, False])
@pytest.mark.parametrize("width", [32, 64, 96, 192])
def test_flows_are_of_one_size(width, by_class):
    counts = {}
    for kind in KINDS:
        p = Params(architecture=kind, width=width, by_class=by_class, transforms=4)
        flow = Flow(torch.eye(SIZE), p.levels, p.widths, p.blocks, p.told,
                    generator(0, "initialisation"), preserving=kind == "gin")  # fmt: skip
        scales = 0 if flow.scales is None else sum(e.numel() for e in flow.scales.parameters())
        counts[kind] = sum(each.numel() for each in flow.parameters()) - scales
        assert counts[kind] == p.weights
        assert scales <= 2 * SIZE * (CLASSES + 1)
    assert max(counts.values()) < 1.05 * min(counts.values())
    assert Params(by_class=by_class).weights == pytest.approx(0.235e6, rel=0.05)


# --- what is read -----------------------------------------------------------------------------


def test_scores_are_those_of_the_jacobians():
    one = taught(steps=6)
    observed = one.observe()
    scores = one.finish()
    for i in range(2):
        found = entropy.read(one._jacobians(i, 300))
        assert scores[i]["mtc_nats"] == pytest.approx(found.total_correlation.value)
        assert scores[i]["entropy_nats"] == pytest.approx(found.entropy.value)
        top = np.sort(found.spectrum)[::-1][: one.p.core_dim].sum()
        assert scores[i]["core_entropy_nats"] == pytest.approx(top)
        parts = scores[i]["core_entropy_nats"] + scores[i]["detail_entropy_nats"]
        assert parts - scores[i]["mtc_nats"] == pytest.approx(scores[i]["entropy_nats"])
        np.testing.assert_allclose(observed.moving["pairs"][i], np.nan_to_num(found.pairs))
        np.testing.assert_array_equal(observed.moving["top"][i], found.order[:SHOWN])
        mean = one._jacobians(i, 300)[3::CLASSES].mean(0)[:, found.order[:SHOWN]].T
        np.testing.assert_allclose(observed.moving["columns"][i, 3], mean)


def test_reconstruction_is_of_the_first_latents_and_its_weight_acts_only_then():
    assert Params().inactive() == {"recon_weight"}
    assert not Params(objective="ml-rec").inactive()
    for objective in ("ml", "ml-rec"):
        one, other = (taught(3, objective=objective, recon_weight=w) for w in (1.0, 100.0))
        same = all(torch.equal(v, other.parameters[n]) for n, v in one.parameters.items())
        assert same == (objective == "ml")
    one = taught(6, objective="ml-rec", core_dim=5)
    h = one._metrics(one._jacobians(0, 100))
    assert h[0]["core_entropy_nats"] == pytest.approx(h[1][:5].sum())


def test_pictures_are_grey_levels_of_what_the_decoder_gives():
    one = taught(6)
    observed = one.observe()
    latent = int(observed.moving["top"][0, 2])
    z = torch.zeros(7, SIZE).double()
    z[:, latent] = torch.linspace(-3, 3, 7).double()
    x = own(one, 0, "decode")(z, told(one, torch.full((7,), 4))) + one.world.mean[0]
    drawn = observed.moving["traversals"][0, 4, 2]
    assert drawn.dtype == np.uint8
    np.testing.assert_allclose(drawn, (255 * x.detach().numpy()).clip(0, 255), atol=0.6)
    assert observed.z_hat.shape == (2, DRAWN, 2)


@pytest.mark.parametrize("architecture", ["coupling", "gin"])
def test_a_run_can_be_drawn_to_its_end(architecture):
    (result,) = train_group(members((0,), architecture=architecture), device="cpu")
    assert result.sound == len(result.frame_step) and not result.diverged
    small = result.thinned(1, 150)
    assert small.frame_step.tolist() == [TINY["steps"]]
    assert small.moving["entropies"].shape == (1, SIZE) and small.world["pca_entropies"].any()


def test_a_flow_that_was_flattened_has_no_metrics():
    one = taught(1)
    with torch.no_grad():
        for name, value in one.parameters.items():
            value.mul_(torch.nan if name.endswith("bias") else 1.0)
    scores, entropies, pairs = one._metrics(one._jacobians(0, 10))
    assert set(scores.values()) == {None}
    assert np.isnan(entropies).all() and np.isnan(pairs).all()
    one.observe()


# --- the part of the page ---------------------------------------------------------------------


def part_alone():
    """The part without its page."""
    from ui.entropic import digits
    from ui.window import address

    address.declare(*digits.settings(), *address.EVERYWHERE)
    address.sync()
    digits.show()


def visited(**link):
    at = AppTest.from_function(part_alone, default_timeout=60)
    for name, value in link.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def test_the_part_draws_a_shipped_flow_its_digit_and_its_latent():
    at = visited(digits_architecture="wavelet", digits_digit="7", digits_latent="3")
    titles = [each.label for each in at.metric]
    assert "**Total correlation, nats**" in titles and "Negative log-likelihood, nats" in titles
    (before,) = [each.value for each in at.markdown if "from −3 to 3" in each.value]
    assert len(at.dataframe) == 1  # the architectures
    at.slider(key="digits_latent").set_value(5).run()
    (after,) = [each.value for each in at.markdown if "from −3 to 3" in each.value]
    assert not at.exception and after != before  # another latent is drawn


def test_a_link_out_of_range_is_told():
    at = opened(ENTROPY, part="digits", digits_digit="12", digits_width="7")
    assert not at.exception
    told = [warning.value for warning in at.warning]
    assert len(told) == 2 and any("12" in each for each in told) and any("7" in e for e in told)


def test_the_figures_of_claims_are_drawn_from_shipped_runs():
    for name in ("architectures", "cliff", "hidden"):
        at = AppTest.from_string(f"from ui.entropic import digits; digits.own_figure({name!r})")
        at.run()
        assert not at.exception and not [c for c in at.caption if "not stored" in c.value]


@pytest.mark.slow
def test_wavelets_share_less_and_neither_ingredient_is_enough():
    """The paper's comparison, at a fraction of its size and of a shipped run's."""
    found = {}
    for words, setting in ARCHITECTURES.items():
        (result,) = results(Experiment(Params(**setting), "digits", (0,)).members)
        found[words] = result.scores
    plain, wavelet = found["plain coupling"], found["wavelet"]
    assert wavelet["mtc_nats"] < 0.75 * plain["mtc_nats"]
    assert abs(wavelet["nll"] - plain["nll"]) < 1 and plain["nll"] < plain["gaussian_nll"] - 5
    assert found["basis only"]["mtc_nats"] > 0.9 * plain["mtc_nats"]
    assert wavelet["mtc_nats"] < found["factorisation only"]["mtc_nats"]
    assert min(scores["mtc_nats"] for scores in found.values()) > 5
