"""Figures: words that can be read on either page and lie on no line, ticks at the swept values."""

import base64
import io
import re
import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_sweep import KNOBS, two_way

from core import figures, legend
from core.colours import PAGE, READABLE, ROLE, class_colours, contrast, on_shade, ramp, readable
from core.figures import words
from core.laws.vmf import total_variation
from core.lessons import LESSONS
from core.metrics import share_interval
from core.run.experiment import Member, Record
from core.scenarios import SCENARIOS
from core.scenarios.probes import FACTORS as PROBED
from core.scenarios.scenario import knobs_of
from ui.window import look

ROOT = Path(__file__).parents[1]
THEME = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["theme"]
ALL_KNOBS = [knob for s in SCENARIOS.values() for knob in knobs_of(s.Params).values()]
SWEPT = [(lesson, each) for lesson in LESSONS.values() for each in lesson.sweeps
         if len(each.values) > 1]  # fmt: skip
RNG = np.random.default_rng(0)
GRID = RNG.normal(size=(10, 17, 2))
TURN = np.linspace(0, 2 * np.pi, 50)
CIRCLE = np.stack([np.cos(TURN), np.sin(TURN)], 1)[:-1]  # open: the last point is not the first
STEPS = np.arange(0, 401, 40)


def swept(by="d", knob="tau"):
    baselines = ("raw_linear_r2", "untrained_linear_r2")
    runs = two_way() if by else [run for run in two_way() if run[0].params.d == 3]
    return figures.sweep(runs, KNOBS[knob], "linear_r2", baselines, KNOBS[by] if by else None)


CROWD = (0.0, 5.0, 10.0, 50.0)


def crowd(r2=(0.99, 0.9, 0.8, 0.7), raw=(0.6, 0.7, 0.75, 0.85)):
    params = SCENARIOS["infonce"].Params
    members = [Member("infonce", params(marginal_kappa=value), 0) for value in CROWD]
    runs = [
        (m, Record(m, {"linear_r2": a, "raw_linear_r2": b}, False, {}, 1, False))
        for m, a, b in zip(members, r2, raw, strict=True)
    ]
    gap = (CROWD, [total_variation(value, 3) for value in CROWD])
    return figures.crowding(runs, KNOBS["marginal_kappa"], gap, 10.0)


COLUMNS = np.random.default_rng(1).normal(size=(4, 2, 2))
FIGURES = {
    "sweep": swept,
    "one-way sweep": lambda: swept(None),
    "curves": lambda: figures.curves(
        {"seed 0": (STEPS, STEPS / 400)}, 400, "Linear R²", {"raw x": 0.5, "untrained": 0.51}),
    "strip": lambda: figures.strip(
        {"seed 0": 0.99}, {"mean raw x": 0.8, "untrained": 0.81}, "Linear R²", 1.0),
    "compare": lambda: figures.compare({"one": [0.9, 0.95], "two": [0.85]}, "R²"),
    "agreement": lambda: figures.agreement(
        STEPS / 400, STEPS / 300, ("κ ⟨z, z′⟩", "model: f"), 1.0),
    "matrix": lambda: figures.matrix(np.array([[1.0, 0.02], [0.5, -0.7]])),
    "matching": lambda: figures.matching(
        np.array([[0.1, -0.98], [0.97, 0.02]]), (np.array([0, 1]), np.array([1, 0]))),
    "turned": lambda: figures.turned(
        np.arange(0.0, 91.0, 15), {f"p = {p}": p + np.sin(np.arange(7.0) * p) for p in (1, 2)}),
    "foretold": lambda: figures.foretold(STEPS / 400, STEPS / 390, "v", ["#000000"] * len(STEPS)),
    "closed curves": lambda: figures.closed_curves(
        {"a": (CIRCLE, "#3f8fd2")}, CIRCLE[:4], "v", "v"),
    "from the front": lambda: figures.from_the_front(RNG.normal(size=(9, 3)), ["#000000"] * 9),
    "plane": lambda: figures.plane(CIRCLE, ["#000000"] * len(CIRCLE), ("ẑ₁", "ẑ₂")),
    "rotation": lambda: figures.rotation_curve(
        np.arange(91.0), np.abs(np.cos(2 * np.deg2rad(np.arange(91.0)))), 45, 0.71),
    "trade": lambda: figures.trade([("a", 0, 0.3, 0.95), ("b", 0, 0.9, 0.96)], 0.25),
    "cloud": lambda: figures.cloud(GRID[0], ["#000000"] * 17, 3.0),
    "nets": lambda: figures.nets(GRID, np.stack([GRID, 2 * GRID])),
    "twist": lambda: figures.twist(STEPS / 4.5, 1 - STEPS / 400, 1 - STEPS / 200),
    "gauges": lambda: figures.gauges(
        [figures.Gauge("Angle", 45.0, 0, 90, "45.0°", {"V⊥": 0.0, "V": 90.0})]),
    "generating": lambda: figures.generating(
        np.linspace(-2, 2, 5), {"code": np.zeros((3, 5))}, {"code": np.zeros((3, 5))}),
    "meridian": lambda: figures.meridian(
        np.linspace(0, 90, 4), RNG.random((4, 5)), {"seed 0": (1.0, 0.1)}),
    "pursuit": lambda: figures.pursuit(STEPS, 1 + STEPS / 400, STEPS / 4000, 1.1),
    "spectrum": lambda: figures.spectrum(
        {"plain": (STEPS / 400, STEPS / 4000), "wavelet": (STEPS / 500, None)}, STEPS / 350),
    "pairs": lambda: figures.pairs(shared(5), (2, 3)),
    "ruler": lambda: figures.ruler(
        0.65, 0.02, {"PCA": 0.0, "random rotation": 0.42}, "Total correlation, nats"),
    "cells": lambda: figures.cells(CIRCLE, CIRCLE[:4], COLUMNS, ("z", "z_hat")),
    "angle": lambda: figures.against_angle(
        (STEPS / 5, STEPS / 400), (np.array([30.0]), np.array([0.7])), ("angle", "nats"), True),
    "factor": lambda: figures.against_factor(
        np.geomspace(0.125, 8, 9), np.arange(9.0), "unit", "nats"),
    "columns": lambda: figures.columns(RNG.normal(size=(6, 64)), range(6), STEPS[:6] / 400 - 0.5),
    "traversal": lambda: figures.traversal(RNG.integers(256, size=(7, 64)), range(-3, 4)),
    "samples": lambda: figures.samples(RNG.integers(256, size=(3, 64))),
    "scales": lambda: figures.scales(0.1 + STEPS / 400, STEPS / 400 - 0.5),
    "crowding": crowd,
    "probes": lambda: figures.probes({"trained": [probed(0.9), probed(0.8)], "noise": [probed()]}),
    "by luck": lambda: figures.by_luck(
        {"two": RNG.random(90), "five": RNG.random(90)},
        {"two": {"no walls": [0.7, 0.9], "in a box": [0.99]}, "five": {"no walls": [0.6]}}, "MCC"),
    "wrongly": lambda: figures.wrongly({"published": RNG.random(90) ** 2, "once": RNG.random(90)}),
}  # fmt: skip


def probed(accuracy=0.51, published=9.0, corrected=1.0):
    """Scores of probes, the digit's higher than the others'."""
    found = {}
    for name in PROBED:
        found |= {f"accuracy_{name}": accuracy, f"accuracy_{name}_low": accuracy - 0.05,
                  f"accuracy_{name}_high": accuracy + 0.05, f"published_p_{name}": published,
                  f"corrected_p_{name}": corrected, f"fresh_p_{name}": None}  # fmt: skip
    return {**found, "accuracy_class": accuracy + 0.04}


def shared(d):
    """What pairs of d latents share, nats; nothing on the diagonal."""
    half = np.triu(RNG.uniform(0, 0.2, size=(d, d)), 1)
    return half + half.T + np.diag(np.full(d, np.nan))


def test_crowding_has_two_axes_of_one_scale_and_a_dotted_line_at_the_conditional():
    chart, table = crowd()
    left, right = chart.to_dict()["layer"]
    assert chart.to_dict()["resolve"]["scale"]["y"] == "independent"
    assert right["encoding"]["y"]["axis"]["orient"] == "right"
    scales = [layer["encoding"]["y"]["scale"]["domain"] for layer in (*left["layer"][:3], right)]
    assert all(scale == scales[0] for scale in scales) and scales[0][0] == 0
    conditional = left["layer"][3]
    rule, named = conditional["layer"]
    assert rule["mark"]["strokeDash"] == [1, 4] and named["mark"]["align"] == "left"
    (row,) = rows(chart.to_dict(), conditional)
    assert (row["x"], row["name"]) == (10.0, "κₘ = κ")
    gap = table["Total variation from the uniform law"]
    np.testing.assert_allclose(gap, [total_variation(value, 3) for value in CROWD])
    assert (
        crowd(r2=(0.9, 0.5, 0.1, -0.2))[0].to_dict()["layer"][1]["encoding"]["y"]["scale"][
            "domain"
        ][0]
        < -0.2
    )


def test_a_probe_has_an_asterisk_a_test_and_every_seed_is_drawn():
    sure, unsure = -np.log10(0.05 / 50) + 0.1, -np.log10(0.05 / 50) - 0.1
    codes = {
        "trained": [probed(0.9, sure, sure), probed(0.8)],
        "pixels": [probed(0.7, sure, unsure)],
        "noise": [probed(0.5, unsure, sure)],  # the published test is what an asterisk is by
    }
    chart, table = figures.probes(codes)
    spec = chart.to_dict()
    drawn = [row for layer in layers_of(spec) for row in rows(spec, layer)]
    stars = {row["code"]: row["stars"] for row in drawn if row.get("seed") == 0}
    assert stars == {"trained on labels": 2, "pixels": 1, "noise": 0}
    assert len(table) == 4 * len(PROBED) and set(table["Seed"]) == {0, 1}
    assert table["Accuracy"].max() == pytest.approx(0.94)
    places = [row["at"] for row in drawn if row.get("seed") == 0]
    assert len(set(places)) == 3 * len(PROBED)  # a line each
    (chance,) = [layer for layer in layers_of(spec) if layer["mark"].get("strokeDash")]
    assert [row["accuracy"] for row in rows(spec, chance)] == [0.5]


def test_runs_lie_under_the_law_of_luck_of_their_row():
    luck = {"two": RNG.uniform(0.7, 1, 500), "five": RNG.uniform(0.5, 0.9, 500)}
    runs = {"two": {"no walls": [0.8], "in a box": [0.99]}, "five": {"no walls": [0.6, 0.7]}}
    chart, table = figures.by_luck(luck, runs, "MCC")
    spec = chart.to_dict()
    hills, dots = (rows(spec, layer) for layer in layers_of(spec))
    for i, (row, values) in enumerate(luck.items()):
        hill = [each for each in hills if each["row"] == i]
        assert {each["at"] for each in hill} == {i}
        assert min(each["top"] for each in hill) == pytest.approx(i - 0.75)  # up, of one height
        assert hill[0]["value"] == pytest.approx(values.min())
        assert hill[-1]["value"] == pytest.approx(values.max())
        below = [each for each in dots if each["row"] == row]
        assert [each["value"] for each in below] == [
            v for group in runs[row].values() for v in group
        ]
        assert all(i < each["at"] < i + 0.25 for each in below)
    named = table.set_index(["Of", "Codes"])["MCC"]
    assert named["five", "rotations at random, mean"] == pytest.approx(luck["five"].mean())
    assert named["two", "rotations at random, 95 %"] == pytest.approx(
        np.quantile(luck["two"], 0.95)
    )
    assert table["Codes"].value_counts()["no walls"] == 3


def test_a_share_stands_over_its_level_with_its_interval_and_none_is_not_drawn():
    p = np.r_[np.full(3, 1e-5), np.linspace(0.2, 1, 7)]
    chart, table = figures.wrongly({"corrected": p})
    assert table["Share below"].tolist() == [np.mean(p < level) for level in table["Level"]]
    assert table["Level"].min() == pytest.approx(0.05 / 85)
    low, high = share_interval(0.3, 10)
    first = table.iloc[0]
    assert (first["95 % from"], first["95 % to"]) == (pytest.approx(low), pytest.approx(high))
    chart, table = figures.wrongly({"corrected": np.linspace(0.1, 1, 10)})
    spec = chart.to_dict()
    (line,) = [e for e in layers_of(spec) if e["mark"].get("interpolate") == "step-after"]
    assert 0 < len(rows(spec, line)) < len(table)
    (diagonal,) = [e for e in layers_of(spec) if e["mark"].get("strokeDash")]
    assert all(row["level_at"] <= row["share_at"] for row in rows(spec, diagonal))


def test_images_are_drawn_in_their_own_colours_with_their_numbers():
    """Columns on one scale that is clear at 0; grey levels dark on light."""
    images = np.zeros((2, 64))
    images[0, :8], images[1, 63] = 2.0, -1.0
    chart, table = figures.columns(images, [5, 3], [0.5, -1.25])
    rows = values_of(chart)
    first, second = (picture(row["url"]) for row in rows)
    assert [row["name"] for row in rows] == ["5: 0.50", "3: −1.25"]
    assert first[0, 12, 3] > 230 and first[-1, 12, 3] == 0  # opaque in the first row, clear below
    assert 90 < second[-1, -1, 3] < 160 and second[0, 0, 3] == 0  # half as strong
    assert first[0, 12, 0] > first[0, 12, 2] and second[-1, -1, 2] > second[-1, -1, 0]
    assert table["Latent"].tolist() == [5] * 64 + [3] * 64
    np.testing.assert_array_equal(table.iloc[:, -1].to_numpy().reshape(2, 64), images)
    levels = np.zeros((1, 64), np.uint8)
    levels[0, :32] = 255
    (row,) = values_of(figures.traversal(levels, [0])[0])
    grey = picture(row["url"])
    assert grey[0].max() == 0 and grey[-1].min() == 255


def values_of(chart):
    """The rows of a chart of one table."""
    spec = chart.to_dict()
    return next(iter(spec["datasets"].values()))


def picture(link):
    """The pixels of an image that a link holds."""
    kind, _, data = link.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def layers_of(spec):
    for layer in spec.get("layer", [spec]):
        yield from layers_of(layer) if "layer" in layer else [layer]


def texts(spec):
    """Every mark of words in a specification."""
    return [layer for layer in layers_of(spec) if layer["mark"].get("type") == "text"]


def rows(spec, layer):
    return spec["datasets"][layer.get("data", spec.get("data"))["name"]]


# ---- contrast


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # WebAIM's example
    assert contrast("#3f8fd2", "#3f8fd2") == 1


@pytest.mark.parametrize("page", PAGE)
def test_the_pages_are_those_of_the_theme(page):
    assert THEME[page]["backgroundColor"] == PAGE[page]


@pytest.mark.parametrize(
    "colours", [ROLE.values(), *(f(n) for f in (ramp, class_colours)
                                 for n in (1, 3, 5, 8, 16))],
)  # fmt: skip
def test_every_colour_can_be_read_as_text_on_either_page(colours):
    for colour in colours:
        for shade, page in zip(readable(colour), PAGE.values(), strict=True):
            assert contrast(shade, page) >= READABLE, (colour, shade, page)


def test_a_colour_that_can_be_read_already_stays():
    assert readable("#1d2430")[0] == "#1d2430" and readable("#e7eaf0")[1] == "#e7eaf0"


@pytest.mark.parametrize("page", PAGE)
@pytest.mark.parametrize("behind", ["backgroundColor", "secondaryBackgroundColor"])
def test_captions_can_be_read(page, behind):
    ink, paper = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)])
                  for c in (THEME[page]["textColor"], THEME[page][behind]))  # fmt: skip
    faded = "#" + "".join(f"{round(c):02x}" for c in 0.6 * ink + 0.4 * paper)  # Streamlit's opacity
    assert contrast(faded, THEME[page][behind]) >= READABLE


def test_the_active_preset_can_be_read():
    inks = re.search(r"light-dark\((\S+), (\S+)\)", look.STYLE).groups()
    for ink, page in zip(inks, PAGE, strict=True):
        assert contrast(ink, THEME[page]["primaryColor"]) >= READABLE
        assert contrast(THEME[page]["primaryColor"], PAGE[page]) >= READABLE  # a slider's value


@pytest.mark.parametrize("name", FIGURES)
def test_words_and_axes_of_a_figure_have_a_colour_for_either_page(name):
    spec = figures.specification(FIGURES[name]()[0])
    axis = spec["config"]["axis"]
    inks = [axis["labelColor"], axis["titleColor"]]
    for layer in texts(spec):
        assert "color" not in layer["encoding"], "a shade that was made for lines"
        inks.append(layer["mark"].get("fill") or layer["mark"]["color"])
    for ink in inks:
        assert ink["expr"].startswith(words.BRIGHT), ink
        shades = re.findall("#[0-9a-f]{6}", ink["expr"])
        pairs = [shades] if shades else []
        if "datum" in ink["expr"]:
            told = [row for layer in texts(spec) for row in rows(spec, layer)]
            pairs = [(row["light"], row["dark"]) for row in told if "light" in row]
        assert pairs
        if name not in ("matrix", "matching", "pairs"):  # whose numbers lie on shaded cells
            for pair in pairs:
                assert all(
                    map(lambda ink, page: contrast(ink, page) >= READABLE, pair, PAGE.values())
                )


@pytest.mark.parametrize("strength", np.linspace(0.08, 1, 12))
def test_numbers_on_shaded_cells_can_be_read(strength):
    for ink, page in zip(on_shade(ROLE["z_hat"], strength), PAGE.values(), strict=True):
        cell, paper = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)])
                       for c in (ROLE["z_hat"], page))  # fmt: skip
        behind = strength * cell + (1 - strength) * paper
        assert contrast(ink, "#" + "".join(f"{round(c):02x}" for c in behind)) >= READABLE


# ---- ticks


@pytest.mark.parametrize(
    ("lesson", "sweep"), SWEPT, ids=[f"{s.name} {each.field}" for s, each in SWEPT]
)
def test_as_many_swept_values_are_written_as_fit_the_first_and_the_last_always(lesson, sweep):
    knob = knobs_of(lesson.Params)[sweep.field]
    if knob.choices or None in sweep.values:
        pytest.skip("named, one beside the other")
    axis = words.swept_axis(knob, sweep.values).to_dict()
    scale, values = axis["scale"], axis["axis"]["values"]
    assert values == sorted(sweep.values)
    assert scale["domain"] == [values[0], values[-1]] and scale["nice"] is False
    place = {"linear": np.asarray, "log": np.log,
             "symlog": lambda v: np.log1p(np.asarray(v) / scale.get("constant", 1))}  # fmt: skip
    at = np.asarray(place[scale["type"]](values), dtype=float)
    at = (at - at[0]) / (at[-1] - at[0])
    told = [legend.named(knob, value) for value in values]
    wide = np.array([words.LETTER * len(text) for text in told])
    for below, kept in words.shown_by_width(tuple(at.tolist()), tuple(told)):
        assert {0, len(at) - 1} <= set(kept)
        x = (below - 10) * at  # the narrowest picture that shows these is no narrower than this
        gaps = np.diff(x[list(kept)]) - (wide[list(kept)][1:] + wide[list(kept)][:-1]) / 2
        assert (gaps > 0).all() or len(kept) == 2
        for i in set(range(len(at))) - set(kept):  # no room for another one
            assert min(abs(x[i] - x[j]) - (wide[i] + wide[j]) / 2 for j in kept) < words.APART


def test_the_axis_of_a_sweep_goes_from_its_first_value_to_its_last():
    spec = swept()[0].to_dict()
    for layer in spec["layer"]:
        x = layer["encoding"]["x"]
        if "field" in x:
            assert x["scale"]["domain"] == [0.1, 1.0] and x["axis"]["values"] == [0.1, 0.3, 1.0]
            assert x["title"] == "Model temperature τ"


def test_curves_over_training_name_the_last_step():
    spec = FIGURES["curves"]()[0].to_dict()
    axis = spec["layer"][0]["encoding"]["x"]["axis"]
    assert axis["values"][0] == 0 and axis["values"][-1] == 400
    assert words.first_to_last(1).to_dict()["values"] == [0, 1]
    assert words.first_to_last(1200).to_dict()["values"][-1] == 1200


# ---- names


BESIDE = ["sweep", "one-way sweep", "curves", "agreement", "trade", "twist", "generating",
          "pursuit", "spectrum", "wrongly"]  # fmt: skip


@pytest.mark.parametrize("name", BESIDE)
def test_lines_and_levels_are_named_beside_the_picture_one_below_the_other(name):
    spec = FIGURES[name]()[0].to_dict()
    (layer,) = [each for each in texts(spec) if each["encoding"]["y"].get("field") == "at"]
    assert layer["encoding"]["x"] == {"value": {"expr": "width"}}
    assert layer["mark"]["align"] == "left" and layer["mark"]["dx"] > 0
    low, high = layer["encoding"]["y"]["scale"]["domain"]
    found = sorted(rows(spec, layer), key=lambda row: -row["at"])
    assert found and all(low <= row["at"] <= high for row in found)
    line = (high - low) * words.LINE / spec["height"]
    for upper, lower in pairwise(found):
        assert upper["at"] - lower["at"] >= 0.99 * line * (upper["lines"] + lower["lines"]) / 2


def test_names_that_meet_are_moved_and_others_stay():
    assert words.apart([0.9, 0.5], [1, 1], 0.1, 0, 1).tolist() == [0.9, 0.5]
    np.testing.assert_allclose(
        words.apart([0.5, 0.52, 0.1], [1, 1, 1], 0.1, 0, 1), [0.42, 0.52, 0.1]
    )
    np.testing.assert_allclose(words.apart([0.0, 0.01], [1, 2], 0.1, 0, 1), [0, 0.15])


def test_long_names_take_two_lines():
    assert words.wrapped("closed form") == "closed form"
    assert words.wrapped("autoencoder, reversal") == "autoencoder,\nreversal"
    assert all(len(line) <= 18 for text in legend.CHOICES.values()
               for line in words.wrapped(text).split("\n"))  # fmt: skip


def drawn_at(layers, spec, width):
    """Every name of a strip this wide: its line, and where it begins and ends, in pixels."""

    def of(value):
        if isinstance(value, dict):
            most, there, else_ = re.fullmatch(
                "width < (.*?) \\? (.*) : (.*)", value["expr"]
            ).groups()
            chosen = there if width < float(most) else else_
            return eval(chosen, {"min": min, "max": max, "width": width})
        return value

    found = []
    for layer in layers:
        (row,), half = rows(spec, layer), 0.5 * words.LETTER
        at, half = of(layer["encoding"]["x"]["value"]), half * len(row["name"])
        found.append((row["name"], of(layer["mark"]["dy"]), at - half, at + half))
    return found


CROWDS = {
    "one place": ({"mean raw x": 0.81, "mean untrained": 0.812, "mean supervised": 0.83}, 1.0),
    "both ends": ({"mean raw x": 0.0, "mean untrained": 0.5, "mean supervised": 0.996}, 1.0),
    "at the end": ({"raw x": 0.97, "untrained": 0.98, "supervised": 0.999}, 1.0),
    "digits": ({"PCA": 0.0, "Cholesky by scale": 6.9, "Cholesky by pixel": 7.5,
                "random rotation": 16.2}, 0.0),
    "alone": ({"mean raw x": 0.75}, 1.0),
}  # fmt: skip


@pytest.mark.parametrize("width", [240, 310, 480, 900])
@pytest.mark.parametrize("crowd", CROWDS)
def test_names_over_a_strip_are_apart_and_whole_at_any_width(crowd, width):
    values, best = CROWDS[crowd]
    spec = figures.strip({"seed 0": 0.9}, values, "Score", best)[0].to_dict()
    low, high = spec["layer"][0]["encoding"]["x"]["scale"]["domain"]
    found = drawn_at(texts(spec), spec, width)
    name_of = {rows(spec, layer)[0]["name"]: layer for layer in texts(spec)}
    for name, line, left, right in found:
        assert left >= -0.1 and right <= width + 0.1, (name, left, right)
        for other, its_line, its_left, its_right in found:
            assert name == other or line != its_line or right < its_left or its_right < left
        at = width * (rows(spec, name_of[name])[0]["value"] - low) / (high - low)
        assert (
            line != words.ABOVE
            or len({each[1] for each in found}) > 1
            or (left - 2 <= at <= right + 2)
        ), "in one line all are over their places"
        if len(values) == 1:
            assert (left + right) / 2 == pytest.approx(at, abs=0.1)


def test_two_names_at_one_place_stand_over_each_other():
    spec = figures.strip({"s": 0.9}, {"raw x": 0.7, "untrained": 0.71}, "R²", 1.0)[0].to_dict()
    (_, low, *first), (_, high, *second) = drawn_at(texts(spec), spec, 480)
    assert low - high == words.LINE and abs(np.mean(first) - np.mean(second)) < 15


def test_a_word_that_all_names_begin_with_is_said_once():
    names = {"mean raw x": 0.81, "mean untrained": 0.83, "mean supervised": 0.996}
    spec = figures.strip({"s": 0.99}, names, "R²", 1.0)[0].to_dict()
    said = [rows(spec, layer)[0]["name"] for layer in texts(spec)]
    assert said == ["mean raw x", "untrained", "supervised"]


def test_names_of_points_lie_on_no_curve():
    oval = CIRCLE * (1.2, 0.8)  # it passes where the names of the points on its axis would be
    at = np.array([[1.0, 0.0], [0.0, 1.0], [np.sqrt(0.5), np.sqrt(0.5)]])
    both = {"a": (CIRCLE, "#3f8fd2"), "b": (oval, "#e0703a")}
    chart, _ = figures.closed_curves(both, at, "v", "v")
    spec = chart.to_dict()
    (layer,) = texts(spec)
    for row in rows(spec, layer):
        place = np.array([row["x"], row["y"]])
        assert np.linalg.norm(np.concatenate([CIRCLE, oval]) - place, axis=1).min() > 0.12


# ---- nothing cut


def test_a_closed_curve_ends_where_it_begins():
    spec = FIGURES["closed curves"]()[0].to_dict()
    line = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "line")
    ring = rows(spec, line)
    assert len(ring) == len(CIRCLE) + 1
    assert (ring[0]["x"], ring[0]["y"]) == (ring[-1]["x"], ring[-1]["y"])


@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
def test_clouds_and_nets_are_drawn_whole(scale):
    bodies = scale * np.stack([GRID, -GRID])
    frame = figures.reach(GRID, bodies)
    for chart, _ in (
        figures.nets(GRID, bodies),
        figures.cloud(bodies[0, 0], ["#000000"] * 17, frame),
    ):
        for layer in layers_of(chart.to_dict()):
            for axis in ("x", "y"):
                if "scale" in layer["encoding"][axis]:
                    low, high = layer["encoding"][axis]["scale"]["domain"]
                    assert low == -high and high >= abs(bodies).max()
            assert not layer["mark"].get("clip")


def test_the_curves_of_turned_codes_do_not_leave_their_axis():
    spec, table = FIGURES["twist"]()[0].to_dict(), FIGURES["twist"]()[1]
    low, high = spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
    curves = table.drop(columns="Turn, degrees")
    assert low <= curves.min().min() and curves.max().max() <= high


# ---- manifold entropic metrics


def test_a_cell_has_four_edges_of_half_a_column_each():
    table = FIGURES["cells"]()[1]
    assert len(table) == 4 * len(COLUMNS)
    ends = table[["To x₁", "To x₂"]].to_numpy() - table[["From x₁", "From x₂"]].to_numpy()
    latents, places = table["Latent"].to_numpy(), table["Place"].to_numpy()
    np.testing.assert_allclose(ends, 0.5 * COLUMNS[places, :, latents], atol=1e-12)
    first = table[table["Place"] == 0]
    corner = first[["From x₁", "From x₂"]].to_numpy()[0]
    np.testing.assert_allclose(corner, CIRCLE[0])
    for _, edges in table.groupby("Place"):  # it closes: every corner is met twice
        corners = np.concatenate([edges[["From x₁", "From x₂"]], edges[["To x₁", "To x₂"]]])
        assert len(np.unique(corners.round(9), axis=0)) == 4


@pytest.mark.parametrize("d", [1, 2, 24, 25, 784])
def test_a_spectrum_is_sorted_and_its_axis_goes_from_the_first_latent_to_the_last(d):
    values, errors, ruler = RNG.normal(size=d), RNG.random(d), RNG.normal(size=d)
    chart, table = figures.spectrum({"": (values, errors)}, ruler)
    spec, order = chart.to_dict(), np.argsort(-values)
    own, pca = (table[table["Decoder"] == name] for name in ("", "PCA"))
    np.testing.assert_array_equal(own["Latent"], order)
    np.testing.assert_array_equal(own["Manifold entropy, nats"], values[order])
    np.testing.assert_array_equal(own["Standard error"], errors[order])
    np.testing.assert_array_equal(pca["Manifold entropy, nats"], -np.sort(-ruler))
    x = spec["layer"][0]["encoding"]["x"]
    ticks = x["axis"]["values"]
    assert (ticks[0], ticks[-1]) == (1, d) and x["scale"].get("type") == ("log" if d > 24 else None)
    low, high = spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert low < min(values - errors) and high > max(values + errors)
    bars = [layer for layer in layers_of(spec) if layer["mark"]["type"] == "rule"]
    assert len(bars) == (d <= 24)
    (named,) = texts(spec)
    assert [row["name"] for row in rows(spec, named)] == ["PCA"]
    dashed = [layer for layer in layers_of(spec) if "strokeDash" in layer["mark"]]
    assert [row["rank"] for row in rows(spec, dashed[0])] == list(range(1, d + 1))


@pytest.mark.parametrize("d", [1, 2, 8, 64])
def test_pairs_have_a_square_each_but_for_the_diagonal(d):
    values = shared(d)
    spec, table = (f := figures.pairs(values))[0].to_dict(), f[1]
    squares = rows(spec, spec["layer"][0])
    assert len(squares) == d * (d - 1) and len(table) == d * (d - 1) / 2
    for row in squares:
        assert row["nats"] == pytest.approx(values[int(row["row"]), int(row["column"])], abs=1e-4)
    expected = values[np.triu_indices(d, 1)]
    np.testing.assert_array_equal(table["Mutual information, nats"], expected)
    opacity = spec["layer"][0]["encoding"]["opacity"]["scale"]
    assert opacity["domain"] == [0, 0.1] and opacity["clamp"] and opacity["range"][0] > 0
    assert "full colour from 0.1" in spec["title"]["text"]
    assert spec["width"] == spec["height"] and spec["autosize"] == "pad"
    assert bool(texts(spec)) == (d <= 8)


def test_latents_beyond_the_room_share_cells_that_hold_their_means():
    values = shared(130)
    spec, table = (f := figures.pairs(values))[0].to_dict(), f[1]
    parts = np.array_split(np.arange(130), 64)
    assert len(table) == 64 * 65 / 2 and "up to 3 × 3 latents" in spec["title"]["text"]
    for i, j in ((0, 0), (3, 40), (63, 63)):
        names = [f"{parts[k][0]} … {parts[k][-1]}" for k in (i, j)]
        (row,) = table[(table["Latent"] == names[0]) & (table["And latent"] == names[1])].values
        assert row[2] == pytest.approx(np.nanmean(values[np.ix_(parts[i], parts[j])]))


def test_a_ruler_has_its_marks_above_the_decoders_own_number():
    marks = {"PCA": 0.0, "Cholesky": 0.4, "random rotation": 0.42}
    spec, table = (f := figures.ruler(0.65, 0.02, marks, "nats"))[0].to_dict(), f[1]
    assert table["nats"].tolist() == [0.65, 0.0, 0.4, 0.42]
    low, high = spec["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert low == 0 and high > 0.67
    found = {name: line for name, line, *_ in drawn_at(texts(spec), spec, 600)}
    assert found == {"PCA": -17, "Cholesky": -32, "random rotation": -17, "this decoder 0.650": 18}


def test_blocks_are_set_apart_where_the_next_one_begins():
    spec = figures.pairs(shared(64), (4, 12, 48), names=range(100, 164))[0].to_dict()
    lines = [layer for layer in layers_of(spec) if layer["mark"]["type"] == "rule"]
    assert [list(layer["encoding"]) for layer in lines] == [["x"], ["y"]]
    assert [row["row"] for row in rows(spec, lines[0])] == ["104", "116"]
    with pytest.raises(ValueError, match="no partition of 64 latents"):
        figures.pairs(shared(64), (4, 12))


# ---- words for parameters and columns


@pytest.mark.parametrize("knob", ALL_KNOBS, ids=lambda knob: knob.name)
def test_every_choice_has_a_name_in_words_and_every_symbol_plain_letters(knob):
    assert set(knob.choices) <= set(legend.CHOICES)
    for value in knob.choices:
        assert not set(legend.wording(value)) & set("_\\^{}")
        assert not re.search("grl|vmf|irm|mlp|gennorm", legend.wording(value))
    label = legend.label_of(knob)
    assert label.startswith(knob.label) and not set(label) & set("\\_^{}$")


@pytest.mark.parametrize(
    ("name", "label"),
    [("kappa", "World concentration κ"), ("conditional", "Conditional p(z̃ | z)"),
     ("marginal_kappa", "Marginal concentration κₘ"), ("d_hat", "Encoder dimension d̂"),
     ("d_x", "Observation dimension dₓ"), ("batch", "Batch")],
)  # fmt: skip
def test_a_label_reads_as_it_is_said(name, label):
    assert legend.label_of(KNOBS[name]) == label


@pytest.mark.parametrize(
    ("value", "said"),
    [("v_perp", "in V⊥"), ("ae-grl", "autoencoder, reversal"), ("vmf", "vMF"), (True, "on"),
     (False, "off"), (None, "auto"), (-0.5, "−0.5"), (10.0, "10"), (3, "3"),
     ("nothing", "nothing")],
)  # fmt: skip
def test_values_are_worded(value, said):
    assert legend.wording(value) == said


@pytest.mark.parametrize("name", FIGURES)
def test_columns_behind_a_figure_are_named_in_words(name):
    columns = list(FIGURES[name]()[1].columns)
    for column in columns:
        assert "_" not in column and (column[0].isupper() or not column.isascii() or " " in column)
    assert not {"x", "y", "by", "value", "colour"} & set(columns)


def test_the_table_behind_a_sweep_says_what_was_varied():
    _, table = swept()
    assert list(table.columns) == ["Model temperature τ", "Latent dimension d", "Seed", "Linear R²",
                                   "raw x: Linear R²", "untrained: Linear R²"]  # fmt: skip
    assert table.iloc[0, :3].tolist() == ["0.1", "2", 0]
