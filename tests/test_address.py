"""What is set, what the address says and what was left elsewhere are one thing, page by page."""

import logging
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest
from visits import CLUSTERS, LAPLACE, REVERSAL, SPHERE, metric, opened, own, to

from core.command import spelt
from core.scenarios.scenario import knobs_of
from ui import recovery
from ui.window import address

pytestmark = pytest.mark.usefixtures("nothing_trains")


def two_pages():
    """A small app: the page is named by what the test put into `asked`."""
    import streamlit as st

    from ui.window import address

    address.arrive(st.session_state.get("asked", "one"))
    address.declare(
        address.choice("size", (1, 2, 3), "Size", 1), address.switch("beside", "Side by side"),
        *address.EVERYWHERE,
    )  # fmt: skip
    address.sync()
    st.slider("Size", 1, 3, address.get("size"), key=address.widget("size"))
    if st.session_state.get("with_switch", True):
        st.toggle("Beside", address.get("beside"), key=address.widget("beside"))
    st.text(f"{address.get('size')} {address.get('beside')} {address.get('present')}")
    st.text(" ".join(address.refusals()))
    address.finished()


def app(**link: str) -> AppTest:
    at = AppTest.from_function(two_pages)
    for key, value in link.items():
        at.query_params[key] = value
    return at.run()


def link(at: AppTest) -> dict[str, str]:
    return {key: "".join(value) for key, value in at.query_params.items()}


def go(at: AppTest, page: str, **link: str) -> AppTest:
    at.session_state["asked"] = page
    at.query_params.clear()
    at.query_params.update(link)
    return at.run()


def test_a_page_finds_what_was_left_there_and_nothing_of_another():
    at = app()
    at.slider(key="one.size").set_value(3).run()
    assert link(at) == {"size": "3"}
    go(at, "two")
    assert at.text[0].value == "1 False False" and link(at) == {}
    at.slider(key="two.size").set_value(2).run()
    go(at, "one")
    assert at.text[0].value == "3 False False" and link(at) == {"size": "3"}
    go(at, "two")
    assert at.text[0].value == "2 False False" and link(at) == {"size": "2"}


def test_a_link_to_a_page_says_all_of_it():
    at = app(size="3")
    go(at, "two")
    go(at, "one", beside="1")
    assert at.text[0].value == "1 True False" and link(at) == {"beside": "1"}


def test_back_means_the_address_even_a_bare_one(monkeypatch):
    at = app()
    at.slider(key="one.size").set_value(3).run()
    go(at, "two")
    back = SimpleNamespace(is_history_navigation=True)
    monkeypatch.setattr(address, "get_script_run_ctx", lambda: back)
    go(at, "one")
    assert at.text[0].value == "1 False False" and link(at) == {}
    go(at, "one", size="2")  # within a page as well
    assert at.text[0].value == "2 False False" and at.slider(key="one.size").value == 2
    monkeypatch.undo()
    at.run()
    assert at.text[0].value == "2 False False"


def test_who_presents_goes_on_presenting():
    at = app(present="yes")
    assert at.text[0].value == "1 False True" and link(at) == {"present": "1"}
    go(at, "two")
    assert at.text[0].value == "1 False True" and link(at) == {"present": "1"}
    go(at, "one", size="2")
    assert at.text[0].value == "2 False True"


def test_a_setting_whose_widget_is_not_drawn_is_kept():
    at = app(beside="1")
    at.session_state["with_switch"] = False
    at.run()
    at.run()
    assert at.text[0].value == "1 True False" and link(at) == {"beside": "1"}
    at.session_state["with_switch"] = True
    assert at.run().toggle(key="one.beside").value


@pytest.mark.parametrize(
    ("key", "text", "sentence"),
    [
        ("size", "7", "Size in the link is none of those offered (not `7`)"),
        ("sizes", "2", "`sizes` in the link is no setting of this page, and was left out. "
                       "Did you mean `size`?"),
        ("Size", "2", "Did you mean `size`?"),
        ("kappa", "2", "`kappa` in the link is no setting of this page, and was left out."),
        ("present", "maybe", "Presenter mode in the link is on or off (not `maybe`); it is off."),
    ],
)  # fmt: skip
def test_what_a_link_asks_in_vain_is_said_until_something_changes(key, text, sentence):
    at = app(**{key: text})
    assert sentence in at.text[1].value and link(at) == {}
    assert sentence in at.run().text[1].value
    at.slider(key="one.size").set_value(3).run()
    assert at.text[1].value == ""


@pytest.mark.parametrize("value", [0.1, 2**0.5, 1e-4, 3, True, None, "ae-grl", 4000.0, 1 / 3])
def test_a_value_is_read_back_from_its_text_as_it_was(value):
    text = spelt(value)
    if isinstance(value, float):
        assert float(text) == value
    else:
        assert text == ("none" if value is None else str(value).lower())


def test_three_coordinates_in_a_link():
    (settings,) = [s for s in recovery.settings() if recovery.AXES in s.rest]
    taken, refused = settings.take({recovery.AXES: "1-2-5"})
    assert taken == {recovery.AXES: [0, 1, 4]} and not refused
    assert settings.write(recovery.AXES, [0, 1, 4]) == "1-2-5"
    for text in ("1-1-x", "0-1-2", "1-1-2", "1-2-3-4", ""):
        taken, refused = settings.take({recovery.AXES: text})
        assert not taken and f"`{text}`" in refused[0]


def test_a_seed_or_a_coordinate_that_is_not_there_is_said_where_a_link_asks_for_it():
    at = opened(SPHERE, show="5")
    assert any("Seed 5 is not among the 3" in w.value for w in at.warning)
    assert at.session_state[own(at, "show")] == 0 and link(at) == {}
    at = opened(SPHERE, d="5", axes="1-2-9", width="128", batch="512", steps="800")
    assert any("There are 5 coordinates" in w.value for w in at.warning)
    assert "axes" not in link(at)
    many = opened(SPHERE, initialisation="standard", steps="800", seeds="8", show="6")
    many.slider(key=own(many, "seeds")).set_value(3).run()  # a knob's doing: no word is needed
    assert not many.warning and many.session_state[own(many, "show")] == 0


# ---- the pages themselves


@pytest.mark.parametrize(
    ("start", "preset", "then"),
    [
        (SPHERE, "infonce.preset.five", CLUSTERS),
        (SPHERE, "infonce.preset.fold", REVERSAL),
        (REVERSAL, "reversal.preset.eight", SPHERE),
        (CLUSTERS, "clusters.preset.tight", LAPLACE),
    ],
)
def test_a_preset_of_one_page_does_not_reach_the_next(start, preset, then):
    at = opened(start, seeds="1")
    at.button(key=own(at, preset)).click().run()
    left = link(at)
    to(at, then)
    assert not at.exception and not at.error and not at.warning and link(at) == {}
    fresh = opened(then)
    assert [(m.label, m.value) for m in at.metric] == [(m.label, m.value) for m in fresh.metric]
    to(at, start)
    assert not at.error and link(at) == left


def test_a_link_that_laplace_shares_with_infonce_stays_with_infonce():
    at = opened(SPHERE, conditional="laplace", spread="0.2", seeds="1")
    to(at, LAPLACE)
    assert not at.warning and link(at) == {}
    assert at.select_slider(key=own(at, "spread")).value == 1.0


def test_a_link_to_a_preset_is_never_bare():
    from core.lessons import LESSONS
    from ui import knobs

    for lesson in LESSONS.values():  # a bare one would open the page as it was left
        assert all(knobs.query(lesson, preset) for preset in lesson.presets)


def test_what_fails_in_a_page_is_said_at_its_door_with_a_way_back(monkeypatch, caplog):
    def fail(*args, **kwargs):
        raise ArithmeticError("a fault put in on purpose")

    at = opened(SPHERE, kappa="1", seeds="1")
    monkeypatch.setattr(recovery, "view_of", fail)
    with caplog.at_level(logging.ERROR):
        at.run()
    assert not at.exception
    assert any("ArithmeticError" in error.value for error in at.error)
    assert "a fault put in on purpose" in caplog.text
    assert not any("purpose" in error.value for error in at.error)
    monkeypatch.undo()
    at.button(key=own(at, f"door.{own(at, 'run')}")).click().run()
    assert not at.error and link(at) == {} and metric(at, "Linear R²")


def test_every_field_of_a_page_is_a_key_of_its_link():
    at = opened(REVERSAL, seeds="1")
    from core.lessons import LESSONS

    declared = at.session_state["_pages"]["gradient_reversal"].declared
    for prefix, lesson in (("", "gradient_reversal"), ("invariance_", "nonlinear")):
        for name in knobs_of(LESSONS[lesson].Params):
            assert f"{prefix}{name}" in declared
