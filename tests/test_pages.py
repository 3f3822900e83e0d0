"""Every page opens, a knob changes a number, and a bad link gets a sentence."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parents[1] / "app.py")
SPHERE = "pages/infonce_sphere.py"


@pytest.fixture(scope="module", autouse=True)
def _close_engine():
    yield
    from ui import runner

    runner.engine().close()
    runner.engine.clear()


def opened(page: str, **link: str) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=60)
    for name, value in link.items():
        at.query_params[name] = value
    at.run()
    at.switch_page(page)
    return at.run()


def metric(at: AppTest, label: str) -> str:
    return next(m.value for m in at.metric if m.label.strip("*") == label)


def said(at: AppTest, words: str) -> bool:
    return any(words in text.value for text in at.markdown)


@pytest.mark.parametrize("page", ["pages/home.py", SPHERE])
def test_a_page_opens_without_an_error(page):
    at = opened(page)
    assert not at.exception
    assert at.title[0].value


def test_the_first_picture_comes_from_the_gallery():
    at = opened(SPHERE)
    assert float(metric(at, "Linear R²")) >= 0.99
    assert at.get("bidi_component")
    assert said(at, "3 of 3 seeds reach 0.99")


def test_a_stored_setting_shows_its_numbers_at_once():
    at = opened(SPHERE)
    before = metric(at, "Linear R²")
    at.select_slider(key="kappa").set_value(1.0).run()
    assert not at.exception
    assert metric(at, "Linear R²") != before


def test_a_preset_turns_the_knobs_and_the_numbers():
    at = opened(SPHERE)
    at.button(key="infonce.preset.cold").click().run()
    assert not at.exception
    assert at.select_slider(key="tau").value == 0.01
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
    at.select_slider(key="kappa").set_value(1.0).run()
    assert not at.warning


@pytest.mark.parametrize("name", ["vary", "by", "score", "view", "show", "curve"])
def test_a_link_that_chooses_what_is_not_offered_is_told(name):
    at = opened(SPHERE, **{name: "nonsense"})
    assert not at.exception
    assert any("nonsense" in warning.value for warning in at.warning)


def test_a_sweep_cannot_be_told_apart_by_what_it_varies():
    at = opened(SPHERE, vary="kappa", by="kappa")
    assert any("second parameter in the link" in warning.value for warning in at.warning)
    assert at.selectbox(key="by").value == "nothing"


def test_varying_the_second_parameter_instead_leaves_no_second_one():
    at = opened(SPHERE, vary="kappa", by="d")
    assert not at.warning and at.selectbox(key="by").value == "d"
    at.selectbox(key="vary").set_value("d").run()
    assert not at.exception and not at.warning
    assert at.selectbox(key="by").value == "nothing"


def test_too_large_a_sweep_gets_a_sentence():
    at = opened(SPHERE, vary="tau", by="kappa", seeds="8")
    assert not at.exception
    assert any("more than the 120" in info.value for info in at.info)
    at.selectbox(key="by").set_value("nothing").run()
    assert not at.exception and not at.info


def test_every_parameter_can_be_varied():
    from core.scenarios import SCENARIOS
    from core.scenarios.scenario import knobs_of
    from ui.sweep import varied

    scenario = SCENARIOS["infonce"]
    for setting in ({}, {"d": 20}, {"d_x": 64}, {"conditional": "normal"}):
        params = scenario.Params.model_validate(setting)
        for name in knobs_of(scenario.Params):
            for value in varied(scenario, params, name)[name]:
                params.but(**{name: value})


def test_a_link_may_give_fields_that_are_only_right_together():
    at = opened(SPHERE, d="2", d_x="2", steps="30", seeds="1")
    assert not at.warning


def test_a_link_between_the_ticks_is_taken_as_it_is():
    at = opened(SPHERE, kappa="12.5", steps="20")
    assert not at.warning
    assert at.select_slider(key="kappa").value == 12.5
    assert at.select_slider(key="steps").value == 20


def test_an_unstored_quick_setting_trains_by_itself_and_ends_in_numbers():
    at = opened(SPHERE, steps="37", seeds="1")
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and not said(at, "of 1 seeds reach"):
        time.sleep(0.2)
        at.run()
    assert not at.exception
    assert said(at, "of 1 seeds reach")
    assert 0 < float(metric(at, "Linear R²")) <= 1


def test_a_slow_setting_waits_for_the_button_and_says_its_price():
    at = opened(SPHERE, steps="20000", d="5")
    button = next(b for b in at.button if b.key == "run.train")
    assert button.label.startswith("Train 3 runs, about")


def test_every_preset_is_shipped_and_opens():
    from core.scenarios import SCENARIOS

    at = opened(SPHERE)
    for preset in SCENARIOS["infonce"].presets:
        at.button(key=f"infonce.preset.{preset.name}").click().run()
        assert not at.exception
        assert said(at, "seeds reach"), preset.name


def test_the_plain_page_shows_the_same_figure_without_the_component():
    at = opened(SPHERE, plain="1")
    assert not at.exception
    assert not at.get("bidi_component")
    assert len(at.get("plotly_chart")) >= 1


def test_presenting_leaves_only_claim_picture_and_numbers():
    at = opened(SPHERE, present="1")
    assert not at.exception
    assert not at.header
    assert metric(at, "Linear R²")


def test_the_maps_picture_is_drawn_from_columns_its_table_has():
    from core import figures

    chart, table = figures.matrix(np.array([[1.5, -0.2], [0.1, 1.0]]))
    used = {c["field"] for layer in chart.to_dict()["layer"] for c in layer["encoding"].values()
            if "field" in c}  # fmt: skip
    assert used <= set(table.columns)
    assert table["value"].tolist() == [1.5, -0.2, 0.1, 1.0]


def test_turning_the_recovered_latents_keeps_r2_and_lowers_mcc():
    at = opened("pages/home.py")
    assert (metric(at, "Linear R²"), metric(at, "MCC")) == ("1.00", "0.71")
    at.slider(key="angle").set_value(90).run()
    assert (metric(at, "Linear R²"), metric(at, "MCC")) == ("1.00", "1.00")


def test_a_gallery_page_is_served_without_torch():
    code = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"at = AppTest.from_file({APP!r}, default_timeout=60).run()\n"
        "at.switch_page('pages/infonce_sphere.py').run()\n"
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
