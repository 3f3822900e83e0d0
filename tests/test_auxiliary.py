"""Auxiliary variables: sources, their modulation, linear ICA, and what runs find."""

import numpy as np
import pytest
import shipped
import torch
from scipy import stats

from core import metrics, theory
from core.laws import modulation as law
from core.laws.samplers import Noise, generator
from core.learners.auxiliary import start
from core.learners.auxiliary.learner import Unmixing
from core.learners.auxiliary.world import World, modulation, statistic
from core.objectives import pair_logistic_loss
from core.run.experiment import Experiment, groups
from core.run.worker import train_group
from core.scenarios import SCENARIOS

scenario = SCENARIOS["auxiliary"]
Params = scenario.Params
SMALL = {"steps": 12, "batch": 64, "width": 16}
LAWS = [
    {"law": "laplace"}, {"law": "gauss"}, {"law": "gauss", "modulated": "location"},
    {"law": "laplace", "modulated": "location"},
]  # fmt: skip
every_law = pytest.mark.parametrize("chosen", LAWS, ids=lambda p: "-".join(p.values()))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def members(seeds=(0,), vary=None, **params):
    asked = Params(**{**SMALL, **params})
    (group,) = groups(Experiment(asked, "auxiliary", tuple(seeds), vary or {}).members)
    return group


def world(seeds=(0,), **params):
    p = Params(**params)
    places = [modulation(p, generator(seed, "world")) for seed in seeds]
    return World([p] * len(seeds), places, "cpu")


# --- linear ICA --------------------------------------------------------------------------------


def modulated(d, segments, seed, n=4000, alike=False):
    """Sources with a scale of their own in every segment, or with one for all; and segments."""
    rng = np.random.default_rng(seed)
    scale = np.exp(rng.uniform(-1, 1, (segments, 1 if alike else d)))
    u = rng.integers(segments, size=n)
    return rng.normal(size=(n, d)) * scale[u], u, rng.normal(size=(d, d))


@pytest.mark.parametrize(("d", "segments"), [(2, 2), (2, 5), (4, 3), (5, 30)])
def test_unmixing_undoes_any_linear_map_of_sources_whose_variances_change(d, segments):
    s, u, mix = modulated(d, segments, d)
    x = s @ mix + 3
    mean, map_ = metrics.unmixing(x, u)
    found = (x - mean) @ map_
    assert metrics.mcc(s, found) > 0.99 > 0.95 > metrics.mcc(s, x)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(found.std(0), 1, atol=1e-9)


def test_unmixing_does_not_depend_on_the_map_that_it_undoes():
    s, u, mix = modulated(3, 6, 0)
    codes = []
    for x in (s, s @ mix):
        mean, map_ = metrics.unmixing(x, u)
        codes.append((x - mean) @ map_)
    correlation, pairs = metrics.matching(*codes)
    np.testing.assert_allclose(np.abs(correlation[pairs]), 1, atol=1e-6)


def test_unmixing_is_a_minimum_of_its_likelihood():
    s, u, mix = modulated(3, 5, 1)
    x = s @ mix
    mean, map_ = metrics.unmixing(x, u)

    def cost(code):
        variances = np.stack([code[u == each].var(0) for each in range(5)])
        return np.bincount(u) / len(u) @ np.log(variances).sum(1)

    found, rng = (x - mean) @ map_, np.random.default_rng(0)
    for size in (1e-2, 1e-1):
        for _ in range(20):
            nudge = np.eye(3) + size * rng.normal(size=(3, 3))
            volume = 2 * np.linalg.slogdet(nudge)[1]
            assert cost(found @ nudge) - volume > cost(found) - 1e-9


def test_sources_that_change_together_are_not_told_apart_and_lost_codes_do_no_harm():
    scores = []
    for seed in range(8):
        s, u, mix = modulated(2, 4, seed, alike=True)
        mean, map_ = metrics.unmixing(s @ mix, u)
        scores.append(metrics.mcc(s, (s @ mix - mean) @ map_))
    assert np.mean(scores) < 0.97
    flat = np.column_stack([s[:, 0], np.full(len(s), 2.0)])
    assert np.isfinite(metrics.unmixing(flat, u)[1]).all()
    assert np.isfinite(metrics.unmixing(s[:4], np.arange(4))[1]).all()  # no segment has enough


# --- laws and modulations ------------------------------------------------------------------------


@every_law
def test_log_likelihoods_are_those_of_scipy(chosen):
    p = Params(**chosen)
    at, s = (
        np.array([[0.5, 2.0], [1.0, 0.3], [1.5, 0.7]]),
        np.random.default_rng(0).normal(size=(9, 2)),
    )
    family = stats.laplace if p.law == "laplace" else stats.norm
    place = {"scale": at} if p.modulated == "scale" else {"loc": at}
    true = family.logpdf(s[:, None], **place).sum(2)
    found = law.log_likelihood(p.law, p.modulated, at, s)
    np.testing.assert_allclose(found - found[:1, :1], true - true[:1, :1], atol=1e-9)


@pytest.mark.parametrize("chosen", LAWS[:3], ids=["laplace", "gauss", "moved"])
def test_natural_parameters_stand_with_the_statistic(chosen):
    """log p(s | u) less lambda(u) q(s) is a number of u and one of s: every double difference 0."""
    p = Params(**chosen)
    at = np.exp(np.random.default_rng(1).normal(size=(4, 2)))
    s = np.random.default_rng(2).normal(size=(30, 2))
    rest = law.log_likelihood(p.law, p.modulated, at, s)
    rest = rest - statistic(p, s) @ law.natural(p.law, p.modulated, at).T
    np.testing.assert_allclose(rest - rest[:1] - rest[:, :1] + rest[:1, :1], 0, atol=1e-9)


@pytest.mark.parametrize(("d", "segments"), [(3, 2), (3, 3), (3, 4), (2, 3), (5, 16)])
def test_the_rank_is_that_of_the_differences(d, segments):
    lam = np.random.default_rng(0).normal(size=(segments, d))
    values = law.spectrum(lam)
    assert law.rank(values) == np.linalg.matrix_rank(lam - lam[0]) == min(d, segments - 1)
    assert law.rank(law.spectrum(np.ones((segments, d)))) == 0
    assert law.rank(law.spectrum(lam[:, :1].repeat(d, 1))) == 1


@pytest.mark.parametrize("segments", [2, 4, 16])
def test_a_free_modulation_gives_every_source_every_place_in_an_order_of_its_own(segments):
    p = Params(d=3, n_segments=segments)
    at = modulation(p, generator(0, "world")).numpy()
    for column in at.T:
        np.testing.assert_allclose(np.sort(column), np.linspace(0, 1, segments), atol=1e-6)
    assert not np.array_equal(at, modulation(p, generator(1, "world")).numpy()) or segments == 2
    shared = modulation(
        Params(d=3, n_segments=segments, modulation="shared"), generator(0, "world")
    )
    assert (shared == shared[:, :1]).all() and len(set(shared[:, 0].tolist())) == segments
    equal = modulation(Params(d=3, n_segments=segments, modulation="equal"), generator(0, "world"))
    assert (equal == 0.5).all()


def test_the_modulation_chosen_is_better_conditioned_than_most():
    p, rng = Params(d=3, n_segments=4), np.random.default_rng(0)

    def condition(places):
        values = law.spectrum(-np.exp((0.5 - places) * np.log(10)))
        return values[0] / values[-1].clip(1e-12)

    chosen = condition(modulation(p, generator(0, "world")).double().numpy())
    usual = [condition(np.argsort(rng.random((4, 3)), 0) / 3) for _ in range(100)]
    assert chosen < 2 and chosen <= np.quantile(usual, 0.1)


@every_law
def test_sources_have_the_moments_of_their_segment(chosen):
    made = world(d=2, n_segments=4, **chosen)
    u, s = made.draw(200_000, Noise([0], "data", "cpu"))
    at, p = made.modulation[0].numpy(), made.p
    counts = np.bincount(u[0].numpy(), minlength=4)
    assert stats.chisquare(counts).pvalue > 1e-4
    deviation = np.sqrt(2) if p.law == "laplace" else 1.0
    for each in range(4):
        part = s[0][u[0] == each].numpy()
        centre = at[each] if p.modulated == "location" else np.zeros(2)
        scale = deviation * (at[each] if p.modulated == "scale" else np.ones(2))
        np.testing.assert_allclose(part.mean(0), centre, atol=0.03 * scale.max())
        np.testing.assert_allclose(part.std(0), scale, rtol=0.03)
        assert abs(np.corrcoef(part.T)[0, 1]) < 0.03


def test_the_contrast_is_largest_over_smallest_scale():
    for contrast in (2.0, 30.0):
        at = world(contrast=contrast).modulation
        assert float(at.max() / at.min()) == pytest.approx(contrast, rel=1e-5)


# --- losses ------------------------------------------------------------------------------------


def test_the_loss_of_pairs_equals_a_slow_loop_and_is_least_at_the_log_ratio():
    rng = np.random.default_rng(0)
    r, u = rng.normal(size=(2, 6, 4)), rng.integers(4, size=(2, 6))
    for member in range(2):
        slow = 0.0
        for i in range(6):
            slow += np.log1p(np.exp(-r[member, i, u[member, i]])) / 6
            slow += sum(np.log1p(np.exp(r[member, i, v])) for v in range(4)) / 24
        found = pair_logistic_loss(torch.from_numpy(r), torch.from_numpy(u))
        assert float(found[member]) == pytest.approx(slow)
    posterior = rng.dirichlet(np.ones(4), size=20_000)
    best = np.log(4 * posterior)
    least = theory.expected_pair_loss(best, posterior)
    assert theory.expected_pair_loss(0 * best, posterior) == pytest.approx(2 * np.log(2))
    for _ in range(5):
        nudged = best + 0.1 * rng.normal(size=best.shape)
        assert theory.expected_pair_loss(nudged, posterior) > least
    assert theory.expected_pair_loss(100 * best[:5], posterior[:5]) is None  # not settled


@pytest.mark.parametrize("method", ["tcl", "gcl"])
def test_a_loss_lies_above_its_floor_and_equal_segments_leave_chance(method):
    known = {"tcl": np.log(16), "gcl": 2 * np.log(2)}[method]
    for modulated_ in ("free", "equal"):
        one = start(members((0, 1), method=method, modulation=modulated_), "cpu")
        for found, baseline in zip(one.finish(), one.baselines, strict=True):
            floor = baseline["loss_floor"]
            assert found["loss"] > floor - 1e-6
            if modulated_ == "equal":
                assert floor == pytest.approx(known, abs=1e-6)
            else:
                assert floor < known - 0.1


# --- learners ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params", [{}, {"method": "gcl", "d": 3}, {"code": "even", "law": "gauss"}]
)
def test_the_head_of_unmixed_codes_says_what_the_network_says(params):
    one = start(members((0, 2), **params), "cpu")
    for t in range(3):
        one.step(t)
    seen = one.observe()
    x = one.g(one.evaluation.drawn)
    with torch.inference_mode():
        says = torch.baddbmm(one.shift, one.f(x), one.head).numpy()
    w, b = seen.moving["w"], seen.moving["b"]
    told = seen.z_hat @ w.transpose(0, 2, 1) + b[:, None]
    np.testing.assert_allclose(told, says, atol=2e-4)
    for i, map_ in enumerate(seen.moving["unmixing"]):
        code = one.evaluation.encode(x)[i]
        np.testing.assert_allclose(
            (code - one.unmixing.means[i]) @ map_, seen.z_hat[i], atol=1e-3)  # fmt: skip


def test_even_codes_are_those_of_the_mirror_image():
    v = torch.randn(1, 50, 2, generator=torch.Generator().manual_seed(0))
    for chosen in ("laplace", "gauss"):
        top = start(members(code="even", law=chosen), "cpu").f[-1]
        assert torch.equal(top(v), top(-v)) and (top(v) >= 0).all()
    assert (start(members(code="free"), "cpu").f[-1](v) < 0).any()


@pytest.mark.parametrize("seed", range(4))
def test_what_is_unmixed_takes_the_order_and_signs_of_what_it_replaces(seed):
    s, u, _ = modulated(3, 6, seed)
    codes = (s * [1, -1, 1])[None]
    ica = Unmixing(1, 3)
    ica.fit(codes, u[None])
    correlation, (old, new) = metrics.matching(codes[0], ica(codes)[0])
    assert (old == new).all() and (correlation[old, new] > 0.9).all()
    ica.fit(np.full_like(codes, np.nan), u[None])
    assert np.isfinite(ica(codes)).all()  # lost codes leave it as it was


def test_codes_keep_their_order_from_look_to_look():
    one = start(members((0,), d=3, n_segments=6, steps=40), "cpu")
    before = one.observe().z_hat
    for t in range(3):
        one.step(t)
    after = one.observe().z_hat
    correlation, (old, new) = metrics.matching(before[0], after[0])
    assert (old == new).all() and (correlation[old, new] > 0).all()


def test_scores_are_those_of_the_half_that_fits_nothing():
    one = start(members((0,)), "cpu")
    (found,) = one.finish()
    q, code = one.q[0], one.codes[0]
    assert found["mcc"] == metrics.mcc(q[4096:], code[4096:])
    assert found["linear_r2"] == metrics.linear_r2(q, code)
    assert found["mcc_low"] <= found["mcc"] <= found["mcc_high"]
    assert abs(found["null_mcc"]) < 0.05 and found["span_r2"] is None
    assert (
        one.baselines[0]["modulation_rank"] == 2 and one.baselines[0]["modulation_condition"] >= 1
    )


@pytest.mark.parametrize(
    ("params", "rank"),
    [
        ({"d": 3, "n_segments": 3}, 2),
        ({"modulation": "shared", "d": 4}, 1),
        ({"modulation": "equal"}, 0),
    ],
)
def test_the_span_of_segments_is_scored_where_it_is_not_all(params, rank):
    one = start(members((0,), **params), "cpu")
    (found,) = one.finish()
    assert one.baselines[0]["modulation_rank"] == rank
    assert one.baselines[0]["modulation_condition"] is None
    lam = one.natural[0]
    if rank:
        inside, outside = metrics.span(lam)
        assert inside.shape[1] == rank
        assert found["span_r2"] == metrics.linear_r2(one.q[0] @ inside, one.codes[0])
        assert found["complement_r2"] == metrics.linear_r2(one.q[0] @ outside, one.codes[0])
    else:
        assert found["span_r2"] is None


COMPANY = {
    "free": members((0, 3), {"contrast": (3.0, 10.0), "head_scale": (0.0, 1.0)}),
    "pairs": members((2, 0, 1), method="gcl", d=3, n_segments=5),
    "pairs of odd sizes": members((0, 2, 1), method="gcl", n_segments=7, batch=50, width=24),
    "odd sizes": members((0, 2, 1), d=3, n_segments=7, batch=50, width=24),
    "even": members((1, 0), law="gauss", code="even", whiten=False, batch=50, width=24),
    "moved": members((4, 1), law="gauss", modulated="location", d=5, n_segments=7),
    "equal": members((0, 1), modulation="equal"),
}


@pytest.mark.parametrize("group", COMPANY.values(), ids=COMPANY)
def test_a_member_alone_is_the_same_member_in_company(group):
    together = train_group(group, device="cpu")
    assert len({tuple(result.loss) for result in together}) == len(group)
    for member, result in zip(group, together, strict=True):
        (alone,) = train_group((member,), device="cpu")
        for name in ("z", "net", "loss", "z_hat", "net_hat"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(result, name), name)
        assert alone.scores.keys() == result.scores.keys()
        for name, score in alone.scores.items():
            assert result.scores[name] == (
                None if score is None else pytest.approx(score, rel=2e-6, abs=1e-9)
            ), name


def test_codes_that_diverged_have_no_scores_and_the_other_member_has_its_own():
    one, healthy = start(members((0, 1)), "cpu"), start(members((0, 1)), "cpu").finish()
    with torch.no_grad():
        for parameter in one.f.parameters():
            parameter[1] = torch.nan
    sound, broken = one.finish()
    assert sound == healthy[0] and broken.keys() == healthy[1].keys()
    assert set(broken.values()) == {None}
    assert all(np.isnan(v[1]) for v in one.observe().scores.values())


# --- what is found -------------------------------------------------------------------------------


def found_by(**params):
    """Scores of three runs."""
    members_ = Experiment(Params(**params), "auxiliary", (0, 1, 2)).members
    return [record.scores for record in shipped.records(members_)]


def test_enough_segments_find_the_sources_and_one_too_few_do_not():
    for params in ({}, {"d": 3, "n_segments": 4}, {"d": 3, "n_segments": 6},
                   {"method": "gcl"}, {"law": "gauss", "code": "even"}):  # fmt: skip
        for found in found_by(**params):
            assert found["mcc"] >= 0.97 and found["mcc_spearman"] >= 0.95
            assert found["mcc"] > found["raw_mcc"] + 0.2
            assert found["mcc"] > found["untrained_mcc"]
    for found in found_by(d=5, n_segments=48):
        assert found["mcc"] >= 0.98
    for found in found_by(d=3, n_segments=3):
        assert found["mcc_spearman"] < 0.9 and found["span_r2"] > 0.94
        assert found["complement_r2"] < found["span_r2"] - 0.05


def test_a_modulation_of_one_direction_tells_that_alone_and_one_of_none_nothing():
    for found in found_by(modulation="shared"):
        assert found["span_r2"] >= 0.98 and found["complement_r2"] < 0.6
        assert found["modulation_rank"] == 1 and found["mcc"] < 0.95
    for method in ("tcl", "gcl"):
        for found in found_by(modulation="equal", method=method):
            assert found["modulation_rank"] == 0 and found["mcc"] < 0.8
            assert found["loss"] == pytest.approx(found["loss_floor"], abs=0.01)


def test_sources_that_move_come_back_up_to_a_linear_map():
    runs = found_by(d=3, law="gauss", modulated="location")
    assert all(found["linear_r2"] >= 0.98 for found in runs)
    assert np.mean([found["mcc"] for found in runs]) < 0.9
