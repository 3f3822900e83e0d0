"""The page on pictures: its strip, what classes keep, axes, the live null, the papers, files."""

import re

import numpy as np
import pytest
from visits import PIXELS, charted, images, metric, opened, own, said
from written import write_dsprites

from core import metrics
from core.legend import SCORES
from core.lessons import LESSONS
from core.lessons.pixels import CLASSES, LONG
from core.metrics import matching
from core.metrics.significance import ALPHA, LEVELS, on_noise
from core.papers.images import DISLIB, KITTI
from core.run.archive import Gallery
from core.run.experiment import Member
from core.scenarios.pixels import Pixels
from core.scenarios.probes import TESTS
from ui.pixels import files, pictures


def test_a_factor_that_moves_changes_the_pictures_and_the_link():
    at = opened(PIXELS)
    (alt, before), (way, moves) = images(at)
    assert "Position x: 0.00" in alt and len(before) == 1 and len(moves) == pictures.MOVES
    assert before.shape[1] == pictures.SIDE and "from low to high" in way
    at.slider(key=own(at, "at")).set_value(8).run()
    (alt, after), (_, still) = images(at)
    assert "".join(at.query_params["at"]) == "8" and "Position x: 0.56" in alt
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(moves, still)
    at.selectbox(key=own(at, "factor")).set_value("size").run()
    (alt, _), (_, others) = images(at)
    assert alt.startswith("Log height") and not np.array_equal(others, still)
    assert metric(at, "MCC") == "0.993"  # nothing is trained anew


def test_a_category_that_moves_stands_in_the_middle_of_its_bins(monkeypatch):
    asked, drawn = [], pictures.rendered
    monkeypatch.setattr(
        pictures, "rendered", lambda world, z, side: asked.append(z) or drawn(world, z, side)
    )
    at = opened(PIXELS, factor="shape", **{key: str(value) for key, value in CLASSES.items()})
    assert not at.exception
    axis = Pixels(**CLASSES).seen.varied.index("shape")
    z = asked[0]
    np.testing.assert_allclose(z[:, axis], [0, -2 / 3, -2 / 3, 0, 2 / 3, 2 / 3], atol=1e-12)
    assert not np.delete(z, axis, 1).any()


@pytest.mark.parametrize(
    ("space", "curve", "marked"),
    [("unbounded", "mcc", 2), ("unbounded", "linear_r2", 1), ("box", "mcc", 0)],
)
def test_where_codes_may_be_turned_mcc_stands_beside_that_of_a_rotation_at_random(
    space, curve, marked
):
    setting = {name: str(value) for name, value in LONG.items()}
    at = opened(PIXELS, **setting, space=space, curve=curve)
    levels = [each.set_index("name") for each in charted(at) if "name" in each]
    marks = [each["value"]["random rotation"] for each in levels
             if "value" in each and len(each) > 1 and "random rotation" in each.index]  # fmt: skip
    expected = metrics.mcc_of_rotations(3).mean()
    assert marks == [pytest.approx(expected)] * marked


def test_a_factor_that_a_world_has_not_gives_way():
    at = opened(PIXELS, factor="spot_hue")
    assert not at.exception and images(at)[0][0].startswith("Position x")


def test_pictures_are_drawn_from_their_latents():
    world = Pixels().seen
    z = np.array([[0.0, 0.0, 0.0], [0.9, 0.0, 0.0]])
    drawn = pictures.rendered(world, z, 48)
    assert drawn.shape == (2, 48, 48, 3) and drawn.dtype == np.uint8
    across = np.arange(48) @ drawn[..., 0].sum(1).T / drawn[..., 0].sum((1, 2))
    assert across[1] > across[0] + 5


def test_pictures_along_a_code_move_it_and_leave_the_others_in_the_middle():
    rng = np.random.default_rng(0)
    units = rng.standard_normal((4000, 2))
    picked = pictures._on_the_way(units, 1)
    assert (np.diff(units[picked, 1]) > 0).all() and np.abs(units[picked, 0]).max() < 0.4


def test_every_code_has_its_row_of_pictures():
    at = opened(PIXELS, part="axes")
    assert not at.exception
    names = [alt.split(":")[0].split(", matched with ") for alt, _ in images(at)]
    lesson = LESSONS["pixels"]
    result = Gallery().get(Member(lesson.name, lesson.at_start(), 0))
    factors, codes = matching(result.z, result.z_hat[-1])[1]
    of_code = dict(zip(codes, factors, strict=True))
    titles = [factor.title.lower() for factor in lesson.at_start().seen.factors]
    assert set(titles) == {"position x", "position y", "log height"}
    assert names == [[f"Code {j + 1}", titles[of_code[j]]] for j in range(3)]


def test_classes_are_drawn_by_what_they_keep():
    link = {key: str(value) for key, value in {**CLASSES, "label": "position"}.items()}
    at = opened(PIXELS, **link)
    assert not at.exception and float(metric(at, "Accuracy of the class")) > 0.8
    assert not [c for c in at.caption if "of the same codes" in c.value]
    assert "Position x: 0.00" in images(at)[0][0]
    assert not [box for box in at.get("component_instance")]
    why = opened(PIXELS, part="why", **link)
    assert not why.exception and said(why, "What a class does not ask for")


def test_the_live_null_counts_what_it_says():
    at = opened(PIXELS, part="proves")
    p = on_noise("fixed", seed=0)["published"]
    assert any(f"in {(p < LEVELS[0]).mean():.0%} of them" in c.value for c in at.caption)
    at.button(key=own(at, "draw")).click().run()
    again = on_noise("fixed", seed=1)["published"]
    assert "".join(at.query_params["probes_draw"]) == "1"
    assert any(f"in {(again < LEVELS[0]).mean():.0%} of them" in c.value for c in at.caption)


def test_every_mark_of_a_probe_is_said_in_words_with_its_source():
    at = opened(PIXELS, part="proves")
    text = "\n".join(each.value for each in (*at.caption, *at.markdown))
    for word in ("**probe**", "dashed, a coin", "✱:", "✱✱:", f"{ALPHA:g} / {TESTS}"):
        assert word in text
    links = re.findall(r"\]\((https://[^)]+)\)", text)
    assert {link.split("/")[2] for link in links} == {"arxiv.org", "doi.org"} and len(links) >= 3


def test_the_papers_tables_stand_beside_measured_ones():
    at = opened(PIXELS, part="paper")
    kitti, ident, dislib = (each.value for each in at.dataframe)
    assert len(kitti) == 3 and len(ident) == 2 and len(dislib) == 4
    assert list(kitti.columns) == list(KITTI.rows[0])  # as published
    latents = [row["latent"] for row in DISLIB.rows if row["data"] == "dSprites"]
    assert list(dislib["latent"]) == latents
    published, ours = (
        [name.removeprefix(of) for name in dislib.columns if name.startswith(of)]
        for of in ("paper, ", "here, ")
    )
    assert published == [name for name in DISLIB.rows[0] if name not in ("data", "latent")]
    assert ours[:3] == published
    for table in (kitti, ident, dislib):
        assert not (table == "not measured here").any(axis=None) and not (table == "").any(
            axis=None
        )


def test_a_data_set_that_is_not_there_says_how_to_get_it():
    at = opened(PIXELS, part="paper", set="kitti_masks")
    (info,) = at.info
    assert "EXPLORER_DATA names no folder" in info.value and "zenodo.org" in info.value


def test_a_data_set_that_is_there_shows_its_pictures(tmp_path, monkeypatch):
    written, _ = write_dsprites(tmp_path)
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path))
    at = opened(PIXELS, part="paper")
    assert not at.exception and said(at, "40 rows")
    ((alt, row),) = images(at)
    assert alt == f"{files.SHOWN} pictures of dSprites."
    np.testing.assert_array_equal(row[0, ..., 0], written[0])


def test_a_damaged_data_set_is_a_sentence(tmp_path, monkeypatch):
    write_dsprites(tmp_path)
    file = next(tmp_path.glob("*.npz"))
    file.write_bytes(file.read_bytes()[:200])
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path))
    at = opened(PIXELS, part="paper")
    assert not at.exception and len(at.error) == 1 and file.name in at.error[0].value


@pytest.mark.parametrize("preset", LESSONS["pixels"].presets, ids=lambda preset: preset.name)
def test_every_preset_opens_with_its_picture(preset):
    at = opened(PIXELS, **{key: str(value) for key, value in preset.params.items()})
    assert not at.exception and not at.error
    assert images(at)


def chosen(at, label):
    """What a row of buttons, or a list, by this label shows, and what it offers."""
    (found,) = [each for each in (*at.button_group, *at.selectbox) if each.label == label]
    return found.value, list(found.options)


def test_classes_are_followed_by_the_score_that_stands_for_them():
    link = {key: str(value) for key, value in CLASSES.items()}
    at, title = opened(PIXELS, **link), SCORES["label_accuracy"].title
    for label in ("Score over training", "Score"):
        value, offered = chosen(at, label)
        assert value == "label_accuracy" and offered[0] == title
    assert not {"curve", "score"} & at.query_params.keys()
    pairs = opened(PIXELS)
    for label in ("Score over training", "Score"):
        value, offered = chosen(pairs, label)
        assert value == "mcc" and title not in offered


def test_a_chosen_score_stays_chosen_and_is_let_go_where_it_is_not_measured():
    link = {key: str(value) for key, value in CLASSES.items()}
    at = opened(PIXELS, **link, curve="linear_r2", score="linear_r2")
    assert chosen(at, "Score over training")[0] == chosen(at, "Score")[0] == "linear_r2"
    group = next(each for each in at.button_group if each.label == "Score over training")
    group.set_value("mcc").run()
    assert chosen(at, "Score over training")[0] == "mcc"
    assert "".join(at.query_params["curve"]) == "mcc"
    of_pairs = opened(PIXELS, curve="label_accuracy", score="label_accuracy")
    assert chosen(of_pairs, "Score over training")[0] == chosen(of_pairs, "Score")[0] == "mcc"
    (warning,) = of_pairs.warning
    assert warning.value.startswith(f"{SCORES['label_accuracy'].title} is not measured here")


@pytest.mark.parametrize("which", ["curve", "score"])
def test_a_score_that_is_not_measured_here_is_said_where_a_link_asks_for_it(which):
    at = opened(PIXELS, **{which: "label_accuracy"})
    (warning,) = at.warning
    assert warning.value.startswith(f"{SCORES['label_accuracy'].title} is not measured here")
    assert which not in at.query_params
    group = next(each for each in at.button_group if each.label == "Score over training")
    group.set_value("linear_r2").run()
    assert not at.warning and not at.exception


def test_the_world_of_classes_is_said_to_be_sprites_and_comes_back_with_pairs():
    link = {key: str(value) for key, value in CLASSES.items()}
    at = opened(PIXELS, **link, world="scene")
    world = next(each for each in at.selectbox if each.label == "World")
    assert world.disabled and world.value == "sprites"
    task = next(each for each in at.button_group if each.label == "Task")
    task.set_value("pairs").run()
    world = next(each for each in at.selectbox if each.label == "World")
    assert not at.exception and not world.disabled and world.value == "scene"


def test_the_two_accuracies_of_a_shape_are_told_apart():
    at = opened(PIXELS, **{key: str(value) for key, value in {**CLASSES, "label": "shape"}.items()})
    (said_,) = [c.value for c in at.caption if "of the same codes" in c.value]
    lows = [float(text) for text in re.findall(r"(0\.\d+) to 0\.\d+", said_)]
    assert lows[0] < lows[1] <= float(metric(at, "Accuracy of the class"))
