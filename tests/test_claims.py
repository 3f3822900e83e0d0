"""Every claim on the shipped runs: it holds, its counter does not, its numbers are measured."""

import json
import re
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import shell

from core import curate, verdicts
from core.claimed import CLAIMS, FILES, HOME
from core.claims.claim import FIELD, Claim, Exact, Found, Opens, Runs, gathered
from core.claims.drawn import Drawn
from core.claims.measures import MEASURES, described, measured
from core.claims.relations import count, every, mean, value
from core.legend import SCORES
from core.lessons import LESSONS, SETUPS
from core.run.archive import Gallery
from core.run.experiment import Experiment
from core.run.store import Store
from core.scenarios.scenario import FURTHER

every_claim = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
DIGITS = re.compile(r"[0-9]")
CASE = re.compile(r"\bC[1-4]\b")  # the theorem's cases are names


SHIPPED = Gallery()


@cache
def of_key(key):
    return SHIPPED.get(curate.shipped()[key].member)


def get(member):
    return of_key(member.key) if member.key in curate.shipped() else None


def test_there_are_claims_for_every_page_and_their_names_are_unique():
    written = [claim.name for file in FILES for claim in file.CLAIMS]
    assert len(written) == len(set(written)) == len(CLAIMS) >= 45
    assert {claim.page for claim in CLAIMS.values()} == set(SETUPS)
    assert len(set(HOME)) == len(HOME) and set(HOME) <= set(CLAIMS)


@every_claim
def test_a_claim_holds_on_the_gallery(claim):
    found = gathered(claim, get)
    assert found.verdict is True, (str(claim.holds), found.values, found.missing)


@every_claim
def test_a_claim_can_fail(claim):
    """The counter's runs in place of a label: the same relation does not hold of them."""
    label, _ = claim.counter
    assert label in claim.holds.labels()
    found = gathered(claim, get, counter=True)
    assert found.verdict is False
    assert None not in found.values[label], "refuted by numbers, and not for want of them"


@every_claim
def test_every_number_of_the_words_is_measured(claim):
    found = gathered(claim, get)
    for text in (claim.words, claim.because):
        filled = found.filled(text)
        assert "{" not in filled and "–" not in filled
        typed = FIELD.sub("", text)
        for each in claim.typed:
            typed = typed.replace(each, "")
        assert not DIGITS.search(CASE.sub("", typed)), f"typed by hand: {typed}"
    for each in claim.typed:
        assert each in claim.words + claim.because
        if re.search(r"\d\.\d", each):  # no formula has a decimal: only a paper prints one
            assert claim.kind == "published" and "ublished" in claim.words


@every_claim
def test_a_claim_is_well_formed(claim):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", claim.name)
    assert claim.page in SETUPS and claim.source
    assert set(claim.holds.labels()) <= set(claim.evidence)
    for term in claim.numbers.values():
        assert set(term.labels()) <= set(claim.evidence)
    used = {name.rpartition(".")[0] or name for name in FIELD.findall(claim.words + claim.because)}
    assert set(claim.numbers) <= used
    for group in (*claim.evidence.values(), claim.counter[1]):
        assert claim.written_by(group).title


@every_claim
def test_a_click_opens_a_setting(claim):
    lesson = SETUPS[claim.opens.lesson]
    assert isinstance(claim.opens.setting, lesson.Params)
    if lesson.trained:
        Experiment(claim.opens.setting, lesson.name, (0, 1, 2))
    if claim.opens.preset:
        assert claim.opens.preset in {preset.name for preset in lesson.presets}
        assert not claim.opens.params


@every_claim
def test_a_click_opens_a_setting_that_the_claim_speaks_of(claim):
    settings = [member.params.chosen() for group in claim.evidence.values()
                if isinstance(group, Runs) for member in group.members()]  # fmt: skip
    settings += [each.chosen() for group in claim.evidence.values()
                 if isinstance(group, Drawn) for each in group.settings]  # fmt: skip
    if settings and claim.opens.lesson == claim.page:  # else all of it is exact, or of another page
        assert claim.opens.setting.chosen() in settings


@every_claim
def test_the_runs_of_a_claim_are_shipped(claim):
    assert [m for m in claim.members() if m.key not in curate.shipped()] == []


@every_claim
def test_a_picture_of_a_claim_can_be_drawn(claim):
    shows = claim.shows
    if shows.picture == "sweep":
        lesson = LESSONS[claim.opens.lesson]
        assert any(
            sweep.field == shows.name
            and (sweep.by[0] if sweep.by else "") == shows.by
            and dict(sweep.params) == dict(shows.params)
            for sweep in lesson.sweeps
        ), f"no sweep of {shows.name} by {shows.by!r}"
    elif shows.picture in ("table", "figure"):
        assert shows.name
    for score in shows.scores:
        assert score in SCORES


def test_presets_that_say_what_happens_have_further_seeds():
    for lesson in LESSONS.values():
        for preset in lesson.presets:
            assert not preset.further or set(FURTHER) <= set(preset.further)


# ---- how evidence becomes values and words


def claim_of(**changes):
    fields = {
        "name": "a-claim", "page": "infonce_sphere", "words": "{matched.span}", "because": "",
        "evidence": {"matched": Runs("infonce_sphere", {}, (0, 1))}, "score": "linear_r2",
        "holds": every("matched") > 0.5, "counter": ("matched", Runs("infonce_sphere")),
        "opens": Opens("infonce_sphere", "matched"), **changes,
    }  # fmt: skip
    return Claim(**fields)


def test_fields_take_values_parameters_and_named_numbers():
    claim = claim_of(numbers={"high_ones": count("matched", value > 0.9), "both": mean("matched")})
    found = Found(claim, {"matched": (0.9, 0.95)})
    assert found.words == "0.900 to 0.950"
    assert found.filled("{matched.low} {matched.high} {matched.mean}") == "0.900 0.950 0.925"
    assert found.filled("{matched.runs} at κ = {matched.kappa}") == "2 at κ = 10"
    assert found.filled("{high_ones} of {both}") == "1 of 0.925"
    with pytest.raises(KeyError):
        found.filled("{matched.median}")
    with pytest.raises(KeyError):
        found.filled("{another.low}")


def test_a_span_says_how_many_runs_have_no_score():
    found = Found(claim_of(), {"matched": (0.9, None)})
    assert found.words == "0.900 (1 of 2 without a score)"
    assert found.verdict is False


def test_a_missing_run_leaves_a_claim_without_verdict():
    found = gathered(claim_of(), lambda member: None)
    assert found.verdict is None and len(found.missing) == 2


def test_only_a_measure_of_latents_asks_for_the_whole_run():
    asked = []
    whole = lambda member: asked.append(member) or get(member)  # noqa: E731
    gathered(claim_of(), get, whole)
    assert asked == []
    gathered(claim_of(score="concentration"), get, whole)
    assert len(asked) == 2


def test_other_seeds_stand_for_all_but_an_example():
    runs = Runs("infonce_sphere", {}, (0, 1))
    assert [m.seed for m in runs.members((7, 8, 9))] == [7, 8, 9]
    example = Runs("infonce_sphere", {}, (0, 1), example=True)
    assert [m.seed for m in example.members((7, 8, 9))] == [0, 1]
    assert Exact(lambda: [1.0], "One").members((7,)) == ()


def test_every_measure_has_words_and_a_value_of_some_run():
    for name in MEASURES:
        assert described(name).title == MEASURES[name].title
    assert described("raw_linear_r2").title == "Linear R², raw x"
    with pytest.raises(KeyError):
        described("luck")


def test_the_error_of_rows_is_the_distance_of_their_map_from_a_rotation():
    v = np.random.default_rng(0).normal(size=(100, 5))
    run = SimpleNamespace(world={"v": v}, moving={"w": np.stack([v, v[:, ::-1] / 1.25])})
    assert MEASURES["v_singular_value_mae"].of(run) == pytest.approx(0.25)


def test_a_run_that_diverged_has_no_measure():
    (member,) = Experiment(LESSONS["infonce_sphere"].Params(), "infonce", (0,)).members
    run = get(member)
    assert measured("concentration", run) < 0.5
    object.__setattr__(run := type(run)(**vars(run)), "diverged", True)
    assert measured("concentration", run) is None


# ---- the shell


def told(capsys, *arguments):
    return shell.told(capsys, "claims", *arguments)


def test_the_shell_prints_every_claim_with_its_numbers(capsys):
    status, out, _ = told(capsys, "infonce_sphere")
    own = [claim for claim in CLAIMS.values() if claim.page == "infonce_sphere"]
    assert status == 0
    assert out.splitlines()[-1] == f"{len(own)} of {len(own)} claims hold"
    assert all(claim.name in out for claim in own)
    assert "asks: every run of “weak” ≥ 0.99" in out


def test_the_shell_prints_one_document(capsys):
    status, out, _ = told(capsys, "--json")
    rows = json.loads(out)
    assert status == 0 and [row["name"] for row in rows] == list(CLAIMS)
    for row in rows:
        assert row["holds"] is True and row["words"] and row["page"] in SETUPS
        assert set(row["evidence"]) == set(CLAIMS[row["name"]].evidence)
        assert all(
            isinstance(v, float | int) for values in row["evidence"].values() for v in values
        )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "invalid choice: 'nowhere'"),
        (("--retrain",), "--retrain: goes with --seeds"),
        (("--seeds", "1"), "--retrain: goes with --seeds"),
        (("--retrain", "--seeds", "-1"), "--seeds: must be 0 or larger"),
        (("--retrain", "--seeds", *map(str, range(121))), "--seeds: "),
    ],
)
def test_the_shell_refuses_in_one_line(capsys, arguments, words):
    status, out, err = told(capsys, *arguments)
    assert (status, out) == (2, "") and words in err and err.count("\n") == 1


def test_a_retrain_answers_by_exit_status_and_goes_on_where_it_stopped(
    capsys, monkeypatch, tmp_path
):
    """Two claims on six steps of training: one that such runs keep, and one that they cannot."""
    quick = Runs("infonce_sphere", {"steps": 6, "batch": 32})
    kept = claim_of(evidence={"matched": quick}, holds=every("matched") <= 1)
    broken = claim_of(name="broken", evidence={"matched": quick}, holds=every("matched") > 0.999)
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    ends = []
    for claims in ({"a-claim": kept}, {"a-claim": kept, "broken": broken}):
        monkeypatch.setattr(verdicts, "CLAIMS", claims)
        ends.append(told(capsys, "--retrain", "--seeds", "100", "101", "--json"))
    (first, _, trained), (second, out, again) = ends
    assert (first, second) == (0, 1)
    assert "1 of 1 groups trained" in trained and again == ""
    assert [row["holds"] for row in json.loads(out)] == [True, False]
    assert len(Store(gallery=None).get(quick.members((100,))[0]).loss) > 0
    assert len(list(tmp_path.glob("*.npz"))) == 2
