"""The page on scores: what is shown of a setting, its verdicts, its diagrams, its printed rows."""

import numpy as np
import pytest
from pydantic import ValidationError
from test_drawn import Marks
from test_figures import layers_of, rows
from visits import charted, metric, opened, own, said

from core import figures, metrics
from core.claimed import CLAIMS
from core.claims.drawn import Drawn
from core.figures.reading import LEAST
from core.lessons import SETUPS
from core.scores import glance, published
from core.scores.glance import ASKS, HIGH, UP_TO, deserved, verdict
from core.scores.worlds import KINDS, MOST_NUMBERS, Setting, drawn, notices, words_of
from ui import claims
from ui.scores import phases

PAGE = "pages/scores.py"
PRESETS = SETUPS["scores"].presets


def of(name):
    return Setting.model_validate(dict(next(p for p in PRESETS if p.name == name).params))


# ---- what is shown


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_glance_is_of_the_setting_that_it_is_asked_for(preset):
    setting = of(preset.name)
    z, z_hat = drawn(setting)
    seen = glance.glance(setting)
    assert seen.readings["mcc"].value == pytest.approx(metrics.mcc(z, z_hat))
    assert seen.readings["mcc_spearman"].value == pytest.approx(metrics.mcc_spearman(z, z_hat))
    np.testing.assert_array_equal(seen.z, z[: glance.SHOWN, list(seen.factors)])
    for each in seen.readings.values():
        assert each.interval is not None
        low, high = each.interval
        assert low - 1e-9 <= each.value <= high + 1e-9
    for place, code in enumerate(seen.partners):
        assert code is not None
        np.testing.assert_array_equal(seen.z_hat[:, place], z_hat[: glance.SHOWN, code])
    rows, columns = seen.pairs
    matched = seen.correlation[rows, columns].sum() / setting.d
    assert matched == pytest.approx(seen.readings["mcc"].value)
    assert seen.correlation.shape[1] == min(setting.codes, glance.WIDEST)
    drawn_as = dict(zip(rows.tolist(), seen.kept[columns].tolist(), strict=True))
    assert tuple(drawn_as[factor] for factor in seen.factors) == seen.partners


def test_a_factor_without_a_code_is_drawn_as_nothing():
    seen = glance.glance(Setting(code="undercomplete", m_over_d=0.5))
    assert sorted(seen.partners, key=str) in ([0, None], [None, 0])
    assert (np.ptp(seen.z_hat, axis=0) == 0).sum() == 1


def test_factors_that_have_a_code_are_drawn_first():
    setting = Setting(code="undercomplete", d=5, m_over_d=0.2, seed=1)
    seen = glance.glance(setting)
    assert seen.partners == (0, None) and np.ptp(seen.z_hat[:, 0]) > 0
    z, _ = drawn(setting)
    np.testing.assert_array_equal(seen.z[:, 0], z[: glance.SHOWN, seen.factors[0]])


def test_a_code_that_cannot_have_as_many_dimensions_says_so():
    (notice,) = notices(Setting(code="undercomplete", m_over_d=2.0))
    assert notice.field == "m_over_d" and "1 dimensions here, not 4" in notice.text
    assert notices(Setting(code="copies", m_over_d=2.0)) == ()


@pytest.mark.parametrize(
    ("value", "identified", "said_of_it"),
    [(0.95, False, "fooled"), (0.95, True, ""), (0.5, True, "unfair"), (0.5, False, ""),
     (HIGH, False, "fooled")],
)  # fmt: skip
def test_a_score_is_fooled_or_unfair_by_what_the_codes_deserve(value, identified, said_of_it):
    assert verdict(value, identified) == said_of_it


@pytest.mark.parametrize(
    ("name", "fooled", "unfair"),
    [
        ("faked", {"mcc", "mcc_spearman", "orthogonal_r2"}, set()),
        ("honest", set(), set()),
        ("rotated", set(), set()),
        ("stretched", set(), {"mig"}),
        ("noise", set(), set()),
        ("in-sample", {"linear_r2_in_sample"}, set()),
        ("overcomplete", {"mcc", "mcc_spearman"}, set()),
        ("copies", set(), {"mig"}),
        ("permuted", set(), set()),
    ],
)
def test_presets_show_what_their_words_say(name, fooled, unfair):
    setting = of(name)
    classes = deserved(setting)
    found = {score: verdict(each.value, classes[ASKS[score]])
             for score, each in glance.glance(setting).readings.items()}  # fmt: skip
    assert {score for score, is_ in found.items() if is_ == "fooled"} == fooled
    assert {score for score, is_ in found.items() if is_ == "unfair"} == unfair


@pytest.mark.parametrize("code", KINDS)
@pytest.mark.parametrize("changes", [{}, {"kappa": 1.0}, {"m_over_d": 1.0}, {"d": 4}])
def test_a_code_is_a_rotation_or_of_single_factors_as_it_is_said(code, changes):
    """By brute force: an orthogonal map; how much of a code the best single factor explains."""
    setting = Setting(code=code, n=4000, **changes)
    z, z_hat = drawn(setting)
    exact = metrics.orthogonal_r2(z, z_hat) > 0.9999
    assert exact == KINDS[code].orthogonal(setting)
    bins = (metrics.ranks(z) - 1).astype(int) // 80  # 50 of each factor
    explained = [
        max(1 - sum(column[of_one == b].var() for b in range(50)) / 50 / column.var()
            for of_one in bins.T)
        for column in metrics.ranks(z_hat).T
    ]  # fmt: skip
    assert (min(explained) > 0.9) == (KINDS[code].single or setting.codes == 1)


def test_every_score_says_what_it_is_a_promise_about():
    assert set(ASKS) >= set(glance.SCORES) and set(ASKS.values()) <= set(UP_TO)
    assert set(deserved(Setting())) == set(UP_TO)


@pytest.mark.parametrize(("d", "m_over_d", "n"), [(10, 20.0, 1000), (5, 20.0, 5000)])
def test_what_would_take_longer_than_a_touch_is_refused(d, m_over_d, n):
    with pytest.raises(ValidationError, match="longer than a touch"):
        Setting(code="overcomplete", d=d, m_over_d=m_over_d, n=n)
    most = MOST_NUMBERS // round(m_over_d * d) // d
    assert Setting(code="overcomplete", d=d, m_over_d=m_over_d, n=most).n == most


def test_dci_is_of_as_many_samples_as_take_seconds():
    small, large = Setting(), Setting(d=10, n=10_000)
    assert glance.dci_samples(small) == 1000 and glance.dci_samples(large) == 2000
    z, z_hat = drawn(small)
    assert glance.dci(small)["dci_lasso"] == metrics.dci(z, z_hat).disentanglement
    lasso, forest = glance.dci_readings(small).values()
    assert lasso.value == glance.dci(small)["dci_lasso"] and lasso.interval is not None
    assert lasso.interval[0] <= lasso.value <= lasso.interval[1]
    assert len(lasso.null) == 20 and len(forest.null) == 3 and forest.interval is None
    # a lasso keeps a weight or two of codes that tell nothing, or none: 1, or anything
    assert lasso.null_high == 1 > forest.null_high


@pytest.mark.parametrize(("changes", "times"), [({}, 20), ({"d": 10, "n": 10_000}, 5)])
def test_a_null_is_of_fewer_shuffles_where_each_takes_its_time(changes, times):
    setting = Setting(**changes)
    assert glance.shuffles(setting) == times
    assert {len(each.null) for each in glance.glance(setting).readings.values()} == {times}


def test_a_turn_of_more_than_two_factors_says_that_it_is_many():
    assert words_of(Setting(code="rotated")) == KINDS["rotated"].words
    assert "one turn after another" in words_of(Setting(code="rotated", d=3))
    assert words_of(Setting(code="mixed", d=3)) == KINDS["mixed"].words


# ---- diagrams


def test_a_diagram_is_of_the_settings_that_its_cells_open():
    base = Setting(factors="correlated", code="mixed", n=200)
    grid = glance.over(base, ("rho", (0.0, 0.9)), ("kappa", (1.0, 5.0)), "mcc", (0, 1))
    cell = [metrics.mcc(*drawn(base.but(rho=0.9, kappa=5.0, seed=seed))) for seed in (0, 1)]
    assert grid.shape == (2, 2) and grid[1, 1] == pytest.approx(np.mean(cell))


def test_a_diagram_has_only_correlations_that_factors_can_have():
    assert phases.possible(2) == phases.RHO
    assert min(phases.possible(4)) == -0.2 and phases.possible(4)[-1] == 0.98


def test_noise_has_cells_where_there_are_settings_alone():
    grid, samples = glance.noise_grid(5, (0.4, 20.0), (0.01, 0.5, 1.0), (0, 1))
    assert samples.tolist() == [[200, 4, 2], [10_000, 200, 100]]
    assert np.isnan(grid).tolist() == [[False, True, True], [True, False, False]]
    again = [metrics.mcc(*drawn(Setting(code="noise", d=5, m_over_d=20.0, n=200, seed=s)))
             for s in (0, 1)]  # fmt: skip
    assert grid[1, 1] == pytest.approx(np.mean(again))
    assert grid[1, 2] > grid[1, 1] > grid[0, 0]


def test_cells_carry_what_a_click_opens():
    along = figures.Along("Across", ("0.5", "1"), ("a half", "one"))
    up = figures.Along("Up", ("2", "3"), ("two", "three"))
    chart, table = figures.phase(along, up, np.array([[0.1, np.nan], [0.3, 0.4]]), "MCC", (1, 0))
    data = chart.to_dict()["datasets"] if "datasets" in chart.to_dict() else {}
    rows = next(iter(data.values())) if data else chart.to_dict()["data"]["values"]
    assert {(row["across"], row["up"]) for row in rows} == {("0.5", "2"), ("0.5", "3"), ("1", "3")}
    assert [row["score"] for row in rows if row["here"]] == [0.3]
    assert len(table) == 3 and list(table.columns) == ["Across", "Up", "MCC"]


def test_a_score_below_the_picture_keeps_its_number():
    line = figures.Line("R²", "up to a linear map", "no", -3.0, (-0.9, -0.5), (-4.0, 0.1), "")
    drawn_as = figures.readings([line])
    assert float(drawn_as[1]["Value"][0]) == -3.0
    marks = Marks(drawn_as, "point", shape="triangle-left")
    for layer, field in enumerate(("null_low", "low")):
        (row,) = rows(marks.spec, marks.layers[layer])
        assert (row["number"], row["value"], row["null"]) == ("−3.000", -3.0, -0.7)
        assert marks.at("x", layer=layer)[0].tolist() == [LEAST]
        assert marks.layers[layer]["transform"] == [{"filter": f"datum.{field} < {LEAST}"}]
    told = {each["field"] for each in marks.layers[1]["encoding"]["tooltip"]}
    assert {"value", "null"} < told and not any(field.endswith("_at") for field in told)


def test_only_scores_have_tooltips():
    line = figures.Line("R²", "up to a linear map", "no", 0.5, (0.1, 0.2), (0.4, 0.6), "")
    for layer in layers_of(figures.readings([line])[0].to_dict()):
        silent = layer["mark"].get("tooltip", "") is None
        assert silent != ("tooltip" in layer["encoding"])


def test_a_score_asks_in_fewer_words_where_there_is_little_room():
    line = figures.Line("MCC", "up to permutation", "no", 0.5, (), None, "")
    marks = Marks(figures.readings([line]), "text")
    (row,) = rows(marks.spec, marks.layers[0])
    assert row["label"] == "MCC asks: up to permutation? no"
    assert row["brief"] == "MCC: permutation? no"
    assert "datum.brief" in marks.layers[0]["mark"]["text"]["expr"]


def test_a_random_turn_of_two_independent_factors_scores_as_it_is_said():
    turned = [glance.score(Setting(code="mixed", kappa=1.0, seed=s), "mcc") for s in range(300)]
    assert np.mean(turned) == pytest.approx(phases.TURNED, abs=0.012)


def test_diagrams_say_what_they_are_of():
    at = opened(PAGE, part="phases")
    assert said(at, "MCC says yes to mixtures") and said(at, "MCC of noise is not 0")
    assert captioned(at, "far from a yes") and np.nanmax(phases.noise()[0]) < HIGH
    assert not captioned(at, "at most, the setting in Explore")
    larger = opened(PAGE, part="phases", d="5", n="2000", rho="0.8")
    assert captioned(larger, "samples at most, the setting in Explore 5 and 2,000")


# ---- printed rows


def test_every_printed_mean_lies_within_two_deviations_of_ours():
    assert len(published.CELLS) == 34
    assert [cell.words for cell in published.CELLS if not cell.agrees] == []


def test_rows_of_noise_come_out_within_three_hundredths_with_five_seeds():
    rows = [cell for cell in published.CELLS if cell.experiment == "11"]
    assert len(rows) == 8
    assert max(abs(cell.five - cell.printed) for cell in rows) <= published.NEAR


def test_a_row_that_is_printed_otherwise_does_not_agree():
    cell = next(cell for cell in published.CELLS if cell.words == "noise, n = 1,000")
    other = published.Cell(cell.experiment, cell.words, cell.params, cell.printed + 0.1)
    assert cell.agrees and not other.agrees


# ---- claims


def test_what_is_drawn_has_other_values_for_other_seeds():
    group = Drawn("mcc", {"code": "mixed"}, (0, 1))
    assert group.values() == tuple(
        glance.score(Setting(code="mixed", seed=s), "mcc") for s in (0, 1)
    )
    assert group.values((7,)) == (glance.score(Setting(code="mixed", seed=7), "mcc"),)
    assert len(group.values((1000,))) == 1  # more seeds than the slider offers
    null = Drawn("null_mcc", {"code": "mixed"}, (0,)).values()
    assert null == (glance.by_chance(Setting(code="mixed"), "mcc"),) and null[0] < 0.1


# ---- the page


@pytest.mark.parametrize("part", ["explore", "phases", "claims", "published", "home"])
def test_every_part_opens_without_a_complaint(part):
    at = opened(PAGE, part=part)
    assert not at.exception and not at.error and not at.warning


def test_the_page_opens_with_a_score_that_is_fooled_and_a_preset_that_is_not():
    at = opened(PAGE)
    assert lines(at)["MCC"] == "fooled"
    at.button(key=own(at, "scores.preset.honest")).click().run()
    assert not at.exception and lines(at)["MCC"] == ""
    assert "".join(at.query_params["factors"]) == "independent"
    at.button(key=own(at, "ask_dci")).click().run()
    assert {"DCI-D, lasso", "DCI-D, forest"} <= set(lines(at))


def query(name, **more):
    """The link to a preset."""
    params = next(p for p in PRESETS if p.name == name).params
    return {"factors": "independent", "seed": "0", **{k: str(v) for k, v in params.items()}, **more}


def test_the_caption_is_of_the_picture():
    at = opened(PAGE)
    assert captioned(at, "least to most of 20 scores")
    assert captioned(at, "maps and bins kept") and not captioned(at, "3 shuffles, no interval")
    assert captioned(opened(PAGE, **query("overcomplete")), "3 shuffles, no interval")
    assert not captioned(at, "lies further left") and not captioned(at, "Each factor is one of")
    assert captioned(opened(PAGE, **query("in-sample")), "lies further left")
    copied = query("permuted", factors="copied", rho="0.9")
    assert captioned(opened(PAGE, **copied), "Each factor is one of the codes")


def test_a_preset_that_is_about_dci_opens_with_it():
    at = opened(PAGE, **query("overcomplete"))
    assert {"DCI-D, lasso", "DCI-D, forest"} <= set(lines(at))
    assert not [button for button in at.button if "DCI" in button.label]


def captioned(at, words):
    """Whether these words stand under a picture."""
    return any(words in caption.value for caption in at.caption)


def lines(at):
    """The verdict on every score that is drawn."""
    table = next(table for table in charted(at) if "verdict" in table)
    return dict(zip(table["title"], table["verdict"], strict=True))


@pytest.mark.parametrize("part", ["published", "home"])
def test_the_paper_is_a_click_away(part):
    at = opened(PAGE, part=part)
    assert said(at, "https://arxiv.org/abs/2602.24278") or captioned(at, "org/abs/2602.24278")


def test_a_link_that_asks_for_too_much_gets_what_fits_and_a_sentence():
    at = opened(PAGE, d="10", code="overcomplete", m_over_d="20", n="10000", factors="independent")
    assert not at.exception
    assert "longer than a touch" in at.warning[0].value
    assert lines(at)["Linear R²"] == ""


@pytest.mark.parametrize("name", [c.name for c in CLAIMS.values() if c.page == "scores"])
def test_every_claim_is_open_to_a_link_with_its_numbers(name):
    at = opened(PAGE, part="claims", claim=name)
    found = claims.found(CLAIMS[name])
    assert not at.exception and not at.error and found.verdict
    assert said(at, found.words) and said(at, found.because)


def test_turning_the_codes_keeps_r2_and_lowers_mcc():
    at = opened(PAGE, part="claims", claim="a-turn-of-forty-five-degrees")
    assert (metric(at, "Linear R²"), metric(at, "MCC")) == ("1.00", "0.71")
    at.slider(key=own(at, "angle")).set_value(90).run()
    assert (metric(at, "Linear R²"), metric(at, "MCC")) == ("1.00", "1.00")
