"""Every page opens, a knob changes a number, and a bad link gets a sentence."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from visits import (
    APP,
    AUXILIARY,
    BOX,
    CLUSTERS,
    ENTROPY,
    HOME,
    LAPLACE,
    LEJEPA,
    PAGES,
    PAPERS,
    PIXELS,
    REVERSAL,
    SPHERE,
    listed,
    metric,
    opened,
    own,
    pictures,
    said,
)

from core.claimed import CLAIMS
from core.claimed import HOME as BEST
from core.claimed.infonce_sphere import CROWDING
from core.lessons import LESSONS
from core.run.experiment import Experiment
from ui import claims, runner

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: Path(page).stem)


pytestmark = pytest.mark.usefixtures("nothing_trains")


@pytest.mark.parametrize("page", [HOME, PAPERS, *PAGES])
def test_a_page_opens_without_an_error(page):
    at = opened(page)
    assert not at.exception
    assert at.title[0].value


@pytest.mark.parametrize(
    ("page", "paper", "parts"),
    [(SPHERE, "2102.08850", ("paper", "home")), (BOX, "2102.08850", ("paper", "home")),
     (AUXILIARY, "1605.06336", ("paper", "home")), (AUXILIARY, "1805.08651", ("paper", "home")),
     (CLUSTERS, "2410.21869", ("paper", "home")), (LAPLACE, "2410.21869", ("paper", "home")),
     (REVERSAL, "2306.03819", ("home",)), (ENTROPY, "2410.19426", ("paper", "home")),
     (PIXELS, "2007.10930", ("paper", "home")), (LEJEPA, "2605.26379", ("paper", "home"))],
)  # fmt: skip
def test_the_papers_are_a_click_away_where_they_are_told_of(page, paper, parts):
    link = f"[arXiv {paper}](https://arxiv.org/abs/{paper})"
    for part in parts:
        at = opened(page, part=part)
        assert any(link in caption.value for caption in at.caption), part


@pytest.mark.parametrize(("page", "reached"), [(SPHERE, 3), (CLUSTERS, 3), (LAPLACE, 0)])
def test_the_first_picture_comes_from_the_gallery(page, reached):
    at = opened(page)
    assert (float(metric(at, "Linear R²")) >= 0.99) == (reached == 3)
    assert pictures(at)
    assert said(at, "3 of 3 seeds reach 0.99" if reached else "Measured: linear R²")


def test_the_first_game_comes_from_the_gallery_and_keeps_its_promise():
    at = opened(REVERSAL)
    assert float(metric(at, "Angle to V⊥").rstrip("°")) <= 2
    assert float(metric(at, "Exact information, nats")) <= 0.002
    assert said(at, "3 of 3 seeds: Angle to V⊥ at most 2°.") and pictures(at)
    at.button(key=own(at, "reversal.preset.align")).click().run()
    assert not at.exception
    assert (
        float(metric(at, "Angle to V").rstrip("°")) <= 2
        and float(metric(at, "Angle to V⊥").rstrip("°")) >= 88
    )


def test_the_first_decoder_is_turned_by_hand_and_the_moons_are_a_click_away():
    at = opened(ENTROPY)
    assert metric(at, "Total correlation, nats") == "0.754" and pictures(at)
    assert said(at, "Measured: total correlation 0.754 nats, 3 seeds.")
    assert at.selectbox(key=own(at, "objective")).disabled  # nothing is trained
    at.button(key=own(at, "flows.preset.moons")).click().run()
    assert not at.exception and "".join(at.query_params["data"]) == "moons"
    assert float(metric(at, "Total correlation, nats")) >= 0.4 and pictures(at)
    assert metric(at, "MCC") == "–"  # nobody knows their latents
    at.button(key=own(at, "flows.preset.arc-rec")).click().run()
    assert float(metric(at, "MCC")) >= 0.99


def test_the_papers_moons_stand_beside_ours():
    (table,) = opened(ENTROPY, part="paper").dataframe
    found = table.value.set_index("two moons")
    assert len(found) == 3 and not (found == "not measured here").any(axis=None)
    here, theirs = found["total corr., here"], found["total corr., paper"]
    assert theirs["likelihood"] == "≈ 1.2" and float(here["likelihood"].split()[0]) >= 0.4
    core = found.loc["likelihood, reconstruction", "core, here"]
    detail = found.loc["likelihood, reconstruction", "detail, here"]
    numbers = [float(text.split(" to ")[0].replace("−", "-")) for text in (core, detail)]
    assert numbers[0] == pytest.approx(0.5, abs=0.2) and numbers[1] == pytest.approx(-2.2, abs=0.3)


OF_PAGE = {SPHERE: ["infonce_sphere"], BOX: ["infonce_box"], AUXILIARY: ["auxiliary"],
           CLUSTERS: ["vmf_clusters"],
           LAPLACE: ["laplace_violation"],
           REVERSAL: ["gradient_reversal", "nonlinear"],
           ENTROPY: ["manifold_entropy", "digits"], PIXELS: ["pixels", "probes"],
           LEJEPA: ["lejepa"]}  # fmt: skip


def test_groups_of_one_quantity_stand_under_each_other():
    claim = CLAIMS["read-outs-through-the-origin-understate-pixels"]
    (rows,) = claims.by_quantity(claim, claims.found(claim)).values()
    assert list(rows) == list(claim.evidence) and all(rows.values())
    several = CLAIMS["too-cold-tears"]  # a degree at first and at the end, and a length
    assert len(claims.by_quantity(several, claims.found(several))) == 3


@each_page
def test_every_claim_of_a_page_is_open_to_a_link_with_its_numbers_and_its_picture(page):
    at = opened(page, part="claims")
    names = [claim.name for claim in CLAIMS.values() if claim.page in OF_PAGE[page]]
    listed = at.radio(key=own(at, "claim.list"))
    assert len(listed.options) == len(names) and listed.value == names[0]
    for name in names:
        at.radio(key=own(at, "claim.list")).set_value(name).run()
        assert not at.exception and not at.error, name
        found = claims.found(CLAIMS[name])
        assert said(at, found.words) and said(at, found.because)
        assert any(c.value.startswith("It holds if") for c in at.caption), name
        tables = sum(text.value.startswith("|") for text in at.markdown)
        drawn = len(at.get("vega_lite_chart")) + len(at.dataframe) + len(pictures(at)) + tables
        assert drawn, name
    assert at.query_params["claim"] == names[-1]
    again = opened(page, claim=names[-1])  # a claim in the link opens their part
    assert again.radio(key=own(again, "claim.list")).value == names[-1]


@each_page
def test_a_claim_opens_its_setting_in_explore(page):
    at = opened(page, part="claims")
    for claim in [c for c in CLAIMS.values() if c.page in OF_PAGE[page]][:4]:
        at.radio(key=own(at, "claim.list")).set_value(claim.name).run()
        at.button(key=own(at, f"open.{claim.name}")).click().run()
        assert not at.exception and at.query_params["part"] == "explore"
        lesson = LESSONS[claim.opens.lesson]
        for field in claim.opens.setting.chosen():
            if own(at, field) in at.session_state:
                assert at.session_state[own(at, field)] == getattr(claim.opens.setting, field)
        assert lesson.name and pictures(at)
        address = own(at, "part.bar")
        at.segmented_control(key=address).set_value("claims").run()
        assert at.radio(key=own(at, "claim.list")).value == claim.name


def test_a_claim_about_bodies_opens_the_part_with_their_knobs():
    at = opened(REVERSAL, claim="linear-erasure-is-read-by-an-mlp")
    at.button(key=own(at, "open.linear-erasure-is-read-by-an-mlp")).click().run()
    assert not at.exception and at.query_params["part"] == "nonlinear"
    assert at.selectbox(key=own(at, "invariance_method")).value == "leace"


@each_page
def test_every_part_tells_what_a_link_asked_for_in_vain(page):
    for part in ("why", "claims", "home"):
        at = opened(page, part=part, nonsense="1")
        assert not at.exception
        (told,) = [warning.value for warning in at.warning]
        assert "nonsense" in told, part


def test_parts_that_are_not_open_are_neither_computed_nor_sent():
    at = opened(CLUSTERS)
    assert pictures(at) and at.select_slider
    at.segmented_control(key=own(at, "part.bar")).set_value("paper").run()
    assert not at.exception and not pictures(at) and not at.metric and not at.select_slider
    assert sum(text.value.startswith("| row") for text in at.markdown) == 3
    at.segmented_control(key=own(at, "part.bar")).set_value("why").run()
    assert not at.exception and not at.dataframe and len(at.get("vega_lite_chart")) == 3


@each_page
def test_a_rerun_reads_no_more_than_it_draws(page):
    at = opened(page)
    before = runner.store().reads
    at.run()
    assert runner.store().reads - before <= 3
    assert not at.exception


def test_the_exact_minimum_jumps_where_the_claim_says():
    at = opened(REVERSAL, claim="a-competing-loss-makes-it-jump")
    jump = next(text.value for text in at.caption if "jumps at λ" in text.value)
    assert 0.3 < float(jump.split("jumps at λ = ")[1].split(". ")[0]) < 0.7


def test_a_knob_that_no_longer_fits_another_takes_the_nearest_value_that_does():
    at = opened(REVERSAL)
    at.select_slider(key=own(at, "n_classes")).set_value(2).run()
    assert not at.exception
    assert (
        at.select_slider(key=own(at, "rank")).value == 1
        and at.select_slider(key=own(at, "n_classes")).value == 2
    )
    assert [w.value for w in at.warning if "Rank of V" in w.value and "1 is used" in w.value]
    at = opened(REVERSAL, n_classes="2", seeds="1")
    assert not at.exception and at.select_slider(key=own(at, "n_classes")).value == 2
    assert at.select_slider(key=own(at, "rank")).value == 1


@pytest.mark.parametrize("name", ["d", "rank", "n_classes", "d_z"])
def test_every_knob_can_be_turned_to_both_ends(name):
    at = opened(REVERSAL, seeds="1")
    options = [value for value in at.select_slider(key=own(at, name)).options if value != "auto"]
    for end in (options[0], options[-1]):
        slider = at.select_slider(key=own(at, name))
        slider.set_value(type(slider.value or 1)(float(end))).run()
        assert not at.exception


def test_a_preset_that_shows_a_seed_leaves_the_next_one_its_first():
    at = opened(REVERSAL)
    at.button(key=own(at, "reversal.preset.stepped")).click().run()
    assert at.session_state[own(at, "show")] == 2
    at.button(key=own(at, "reversal.preset.align")).click().run()
    assert at.session_state[own(at, "show")] == 0 and not at.exception


def test_moves_that_name_no_player_get_a_sentence():
    at = opened(REVERSAL, moves="axe")
    assert not at.exception
    assert any("at most 200 letters e and a" in warning.value for warning in at.warning)
    assert "moves" not in at.query_params


def test_the_second_scenario_of_a_page_has_its_own_knobs_in_the_link():
    at = opened(REVERSAL, invariance_method="ae", lam="0.5")
    assert not at.exception and not at.warning  # its part is the one that the link means
    assert at.selectbox(key=own(at, "invariance_method")).value == "ae"
    assert at.session_state[own(at, "lam")] == 0.5
    assert at.select_slider(key=own(at, "invariance_lam")).value == 1.0
    at.button(key=own(at, "invariance.preset.erase")).click().run()
    assert at.selectbox(key=own(at, "invariance_method")).value == "leace"
    assert at.session_state[own(at, "lam")] == 0.5 and not at.exception


def test_every_method_and_stage_is_shipped():
    from core.curate import shipped
    from core.lessons.nonlinear import METHODS, STAGES

    lesson, wanted = LESSONS["nonlinear"], shipped()
    for setting in (*METHODS.values(), *STAGES.values()):
        params = lesson.Params.model_validate(dict(setting))
        for member in Experiment(params, lesson.name, (0, 1, 2)).members:
            assert member.key in wanted


def test_codes_turned_against_each_other_are_read_as_the_closed_form_says():
    from core import metrics, theory
    from core.claimed.nonlinear import BODIES

    rng, degrees = np.random.default_rng(0), np.array([0.0, 20.0, 60.0])
    pooled, across = theory.turned_bodies(degrees, BODIES)
    for angle, all_bodies, others in zip(np.deg2rad(degrees), pooled, across, strict=True):
        e = rng.integers(BODIES, size=40_000)
        c = rng.normal(size=(40_000, 2))
        cos, sin = np.cos(angle * e), np.sin(angle * e)
        code = np.stack([cos * c[:, 0] - sin * c[:, 1], sin * c[:, 0] + cos * c[:, 1]], 1)
        assert metrics.linear_r2(c, code) == pytest.approx(all_bodies, abs=0.02)
        found = []
        for one in range(BODIES):
            turn, shift = metrics.affine_map(code[e == one], c[e == one])
            found += [metrics.r2(c[e == b], code[e == b] @ turn + shift)
                      for b in range(BODIES) if b != one]  # fmt: skip
        assert np.mean(found) == pytest.approx(others, abs=0.03)


def test_a_stored_setting_shows_its_numbers_at_once():
    at = opened(SPHERE)
    before = metric(at, "Linear R²")
    at.select_slider(key=own(at, "kappa")).set_value(1.0).run()
    assert not at.exception
    assert metric(at, "Linear R²") != before


def test_a_preset_turns_the_knobs_and_the_numbers():
    at = opened(SPHERE)
    at.button(key=own(at, "infonce.preset.cold")).click().run()
    assert not at.exception
    assert at.select_slider(key=own(at, "tau")).value == 0.01
    assert float(metric(at, "Linear R²")) < 0.8
    assert metric(at, "Degree of the map") == "0"


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"kappa": "abc"}, "World concentration in the link should be a number"),
        ({"kappa": "-3"}, "should be greater than or equal to 0.1 (not `-3`); 10 is used instead"),
        ({"d": "1"}, "Latent dimension in the link should be greater than or equal to 2"),
        ({"negatives": "foo"}, "Negatives in the link should be 'views' or 'anchors'"),
        ({"seeds": ""}, "Seeds in the link must be a number from 1 to 8"),
        ({"d": "5", "d_x": "3"}, "must be at least d"),
    ],
    ids=["not a number", "out of range", "d=1", "unknown choice", "empty seeds", "impossible pair"],
)
def test_a_bad_link_gets_a_sentence(link, sentence):
    at = opened(SPHERE, **link)
    assert not at.exception
    assert any(sentence in warning.value for warning in at.warning), [w.value for w in at.warning]


def test_a_refusal_stays_until_a_knob_moves():
    at = opened(SPHERE, kappa="abc")
    at.run()
    assert at.warning
    at.select_slider(key=own(at, "kappa")).set_value(1.0).run()
    assert not at.warning


@pytest.mark.parametrize("name", ["vary", "by", "score", "view", "show", "curve"])
def test_a_link_that_chooses_what_is_not_offered_is_told(name):
    at = opened(SPHERE, **{name: "nonsense"})
    assert not at.exception
    assert any("nonsense" in warning.value for warning in at.warning)


def test_a_sweep_cannot_be_told_apart_by_what_it_varies():
    at = opened(SPHERE, vary="kappa", by="kappa")
    assert any("cannot be the second parameter" in warning.value for warning in at.warning)
    assert listed(at, "For each").value == "nothing"


def test_varying_the_second_parameter_instead_leaves_no_second_one():
    at = opened(SPHERE, vary="kappa", by="d")
    assert not at.warning and listed(at, "For each").value == "d"
    listed(at, "Vary").set_value("d").run()
    assert not at.exception and not at.warning
    assert listed(at, "For each").value == "nothing"


def test_too_large_a_sweep_gets_a_sentence():
    at = opened(SPHERE, vary="tau", by="kappa", seeds="8")
    assert not at.exception
    assert any("more than the 120" in info.value for info in at.info)
    listed(at, "For each").set_value("nothing").run()
    assert not at.exception and not at.info


def test_every_parameter_can_be_varied():
    from core.scenarios.scenario import knobs_of
    from ui.sweep import varied

    settings = {
        "infonce_sphere": ({}, {"d": 20}, {"d_x": 64}, {"conditional": "normal"}),
        "vmf_clusters": ({}, {"d": 20}, {"supervision": "instance", "n_instances": 2}),
    }
    for name, changes in settings.items():
        scenario = LESSONS[name]
        for change in changes:
            params = scenario.Params.model_validate(change)
            for field in knobs_of(scenario.Params):
                for value in varied(scenario, params, field)[field]:
                    params.but(**{field: value})


def test_a_link_may_give_fields_that_are_only_right_together():
    at = opened(SPHERE, d="2", d_x="2", steps="30", seeds="1")
    assert not at.warning


def test_a_link_between_the_ticks_is_taken_as_it_is():
    at = opened(SPHERE, kappa="12.5", steps="20")
    assert not at.warning
    assert at.select_slider(key=own(at, "kappa")).value == 12.5
    assert at.select_slider(key=own(at, "steps")).value == 20


@each_page
def test_every_preset_is_shipped_and_opens(page):
    at, lesson = opened(page), LESSONS[Path(page).stem]
    for preset in lesson.presets:
        at.button(key=own(at, f"{lesson.name}.preset.{preset.name}")).click().run()
        assert not at.exception
        counted = f"{len(preset.seeds)} seeds"
        assert said(at, counted if not preset.compared else "Supervised: labels are classes")


@each_page
def test_the_plain_page_shows_the_same_figure_without_the_component(page):
    at = opened(page, plain="1")
    assert not at.exception
    assert not pictures(at)
    assert len(at.get("plotly_chart")) >= 1


@each_page
def test_presenting_leaves_only_claim_picture_and_numbers(page):
    at = opened(page, present="1")
    assert not at.exception
    assert not at.header
    assert metric(at, "Angle to V⊥" if page == REVERSAL else "Linear R²")


def test_presenting_walks_the_claims_of_a_page_in_their_order_and_round():
    order = [c for c in CLAIMS.values() if c.page == c.opens.lesson == "infonce_sphere"]

    def shows(claim) -> bool:
        assert not at.exception
        return at.session_state[own(at, "claim")] == claim.name and any(
            claims.found(claim).words in text.value for text in at.markdown
        )

    def press(label) -> None:
        next(b for b in at.button if b.label == label).click().run()

    at = opened(SPHERE, present="1", kappa="9")  # no claim's own setting
    press("Next")
    assert shows(order[0])
    press("Next")
    assert shows(order[1])
    press("Previous")
    press("Previous")
    assert shows(order[-1])
    at = opened(SPHERE, present="1", kappa="9")
    press("Previous")
    assert shows(order[-1])


def test_the_maps_picture_is_drawn_from_columns_its_table_has():
    from core import figures

    chart, table = figures.matrix(np.array([[1.5, -0.2], [0.1, 1.0]]))
    spec = chart.to_dict()
    for layer in spec["layer"]:
        used = {c["field"] for c in layer["encoding"].values() if "field" in c}
        assert used <= set(spec["datasets"][layer.get("data", spec.get("data"))["name"]][0])
    assert table["Value"].tolist() == [1.5, -0.2, 0.1, 1.0]


def test_a_page_that_opens_with_its_own_setting_takes_a_link_from_there():
    at = opened(LAPLACE, shape="2")
    assert not at.exception and not at.warning
    assert at.selectbox(key=own(at, "conditional")).value == "gennorm"
    assert at.select_slider(key=own(at, "shape")).value == 2.0
    assert float(metric(at, "Linear R²")) >= 0.99
    other = opened(LAPLACE, conditional="vmf")
    assert other.selectbox(key=own(other, "conditional")).value == "vmf" and not other.warning


def test_where_an_assumption_is_missing_nothing_is_promised_and_no_bound_is_counted():
    for page, setting, missing in (
        (SPHERE, {"marginal_kappa": "20"}, "a uniform marginal"),
        (SPHERE, {"conditional": "laplace", "spread": "0.2"}, "a vMF conditional"),
        (CLUSTERS, {"n_clusters": "3"}, "d + 1 clusters"),
        (CLUSTERS, {"label_noise": "0.8"}, "labels without noise"),
        (REVERSAL, {"kappa_spread": "8"}, "one concentration for all classes"),
        (LAPLACE, {}, "a von Mises-Fisher conditional"),
    ):
        at = opened(page, **setting)
        assert not at.exception
        promises = [c.value for c in at.caption if "romised" in c.value.partition(":")[0]]
        assert any(p.startswith("Nothing is promised here") and missing in p for p in promises)
        assert not any(p.startswith("Promised") for p in promises)
        assert said(at, "Measured: ") and not said(at, "seeds reach")


def test_a_cap_has_no_degree_to_show():
    at = opened(SPHERE, marginal_kappa="20")
    (degree,) = (m for m in at.metric if m.label == "Degree of the map")
    assert (degree.value, degree.delta) == (
        "–", "does not apply: the latents leave part of the sphere bare"
    )  # fmt: skip


def test_latents_that_are_not_uniform_have_a_picture_a_sweep_and_their_claims():
    at = opened(SPHERE, part="uniformity")
    assert not at.exception and len(at.get("vega_lite_chart")) == 3
    for title in ("d = 3, κ = 10, views", "d = 3, κ = 10, anchors", "d = 10, κ = 10, views"):
        assert said(at, title)
    for claim in CROWDING:
        assert said(at, claims.found(claim).words) and claims.found(claim).verdict


def test_home_lists_the_best_claims_with_their_numbers():
    at = opened("pages/home.py")
    links = [link.label for link in at.get("page_link")]
    for name in BEST:
        found = claims.found(CLAIMS[name])
        assert claims.title(CLAIMS[name]) in links
        assert any(c.value and c.value in found.words for c in at.caption)
    assert "{" not in " ".join([*links, *(c.value for c in at.caption)])


def test_too_few_clusters_show_what_comes_back_and_what_does_not():
    at = opened(CLUSTERS, n_clusters="3")
    assert said(at, "span 2 of 3 directions") and said(at, "the labels tell")
    inside, outside = (float(metric(at, f"R² {side} the span")) for side in ("inside", "outside"))
    assert inside > 0.9 > 0.5 > outside
    assert metric(at, "Cluster-vector R²") == "–"
    assert not said(opened(CLUSTERS), "The split.")


def test_one_link_shows_classes_beside_instances():
    at = opened(CLUSTERS, supervision="instance", beside="true")
    assert not at.exception and not at.warning
    assert len(pictures(at)) == len(pictures(opened(CLUSTERS))) + 1
    assert said(at, "Supervised: labels are classes") and said(at, "DIET: labels are instances")
    assert at.button(key=own(at, "clusters.preset.diet")).proto.type == "primary"


def test_the_drawn_counterexamples_are_minimisers():
    """The worlds that the page draws, as the tests of the theory demand it of any."""
    from scipy.special import softmax

    from core import metrics, theory
    from core.claimed.exact import quadrics

    for d, eps in quadrics.EPS.items():
        v = quadrics.clusters(d)
        assert v.shape == (2 * d, d)
        m, psi = theory.c3_counterexample(v, theory.quadrics(v)[0], eps)
        np.testing.assert_allclose(np.linalg.norm(v @ m.T + psi, axis=1), 1, atol=1e-12)
        assert np.linalg.cond(m) > 1.4
        z = np.random.default_rng(0).normal(size=(50, d))
        h = quadrics.KAPPA * z @ np.linalg.inv(m)
        world = softmax(quadrics.KAPPA * z @ v.T, 1)
        assert np.abs(softmax(h @ (v @ m.T + psi).T, 1) - world).max() < 1e-12
        assert metrics.linear_r2(z, h) == pytest.approx(1)


def test_a_gallery_page_is_served_without_torch():
    code = (
        "import sys\n"
        "sys.path += ['tests']\n"
        "from visits import SPHERE, opened\n"
        "at = opened(SPHERE)\n"
        "assert not at.exception and at.metric, at.exception\n"
        "import ui.runner; ui.runner.engine().close()\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(APP).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().endswith("False"), done.stdout + done.stderr
