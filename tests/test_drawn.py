"""Figures read back: what each mark is drawn at, from the specification and the data in it."""

from itertools import pairwise

import numpy as np
import pytest
from test_figures import CIRCLE, STEPS, layers_of, rows
from test_sweep import KNOBS, two_way

from core import figures, legend
from core.colours import ROLE, class_colours, contrast, direction_colours, ramp

BLACK = "#000000"


class Marks:
    """The marks of one kind in a figure, one layer after another."""

    def __init__(self, figure, kind, **style):
        self.spec = figure[0].to_dict()
        wanted = {"type": kind, **style}
        self.layers = [
            layer for layer in layers_of(self.spec) if wanted.items() <= layer["mark"].items()
        ]
        assert self.layers

    def at(self, *channels, layer=0):
        """What the channels of a layer are drawn from, one array each."""
        drawn = self.layers[layer]
        read = []
        for name in channels:
            field = drawn["encoding"][name]["field"]
            read.append([row[field] for row in rows(self.spec, drawn)])
        return [np.array(values) for values in read]


def test_curves_are_of_their_seeds_over_their_levels():
    series = {"seed 0": (STEPS, STEPS / 400), "seed 1": (STEPS, 1 - STEPS / 800)}
    drawn = figures.curves(series, 400, "Linear R²", {"raw x": 0.5}, "seed 1")
    lines = Marks(drawn, "line")
    seed, x, y = lines.at("detail", "x", "y")
    for name, (steps, values) in series.items():
        np.testing.assert_array_equal(x[seed == name], steps)
        np.testing.assert_allclose(y[seed == name], values)
    (level,) = Marks(drawn, "rule").at("y")
    assert level.tolist() == [0.5]
    for channel, (shown, other) in {"strokeWidth": (2.6, 1), "opacity": (1, 0.55)}.items():
        width = lines.layers[0]["encoding"][channel]
        assert width["condition"]["value"] == shown and width["value"] == other
        assert "seed === 'seed 1'" in width["condition"]["test"].replace('"', "'")


def test_a_strip_has_its_seeds_and_its_baselines():
    drawn = figures.strip({"0": 0.99, "1": 0.7}, {"raw x": 0.8, "untrained": 0.6}, "R²", 1.0)
    assert Marks(drawn, "circle").at("x")[0].tolist() == [0.99, 0.7]
    assert Marks(drawn, "tick").at("x")[0].tolist() == [0.8, 0.6]
    said = Marks(drawn, "text")
    told = [rows(said.spec, layer)[0] for layer in said.layers]
    assert {each["name"]: each["value"] for each in told} == {"raw x": 0.8, "untrained": 0.6}


def test_a_comparison_has_a_row_a_setting():
    name, value = Marks(figures.compare({"one": [0.9, 0.95], "two": [0.85]}, "R²"), "circle").at(
        "y", "x"
    )
    assert list(zip(name, value, strict=True)) == [("one", 0.9), ("one", 0.95), ("two", 0.85)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [((0.0, 1.8e-16), (0, 0.1)), ((-1e-9, 1e-9), (0, 0.1)), ((0.0, 0.0), (0, 0.1)),
     ((0.5, 1.0), (0, 1.08)), ((-1.0, 1.0), (-1.16, 1.16)), ((-3.0, -3.0), (-3.008, -2.908))],
)  # fmt: skip
def test_rounding_is_not_drawn_as_a_difference(values, expected):
    marks = Marks(figures.compare({"one": values}, "Degree", best=None), "circle")
    domain = marks.layers[0]["encoding"]["x"]["scale"]["domain"]
    assert domain == pytest.approx(expected)


def test_the_world_goes_across_and_the_model_up():
    drawn = figures.agreement(STEPS / 400, STEPS / 300, ("world", "model"), 1.0)
    x, y = Marks(drawn, "circle").at("x", "y")
    np.testing.assert_allclose(x, STEPS / 400)
    np.testing.assert_allclose(y, STEPS / 300)
    x, y = Marks(drawn, "line").at("x", "y")
    assert x.tolist() == y.tolist() == [-1, 1]


def test_a_matrix_stands_as_it_is_written():
    entries = np.array([[1.0, 0.02], [0.5, -0.7]])
    drawn = figures.matrix(entries)
    for kind in ("rect", "text"):
        column, row = Marks(drawn, kind).at("x", "y")
        assert [(1, 1), (1, 2), (2, 1), (2, 2)] == list(zip(row, column, strict=True))
    assert Marks(drawn, "text").at("text")[0].tolist() == entries.ravel().tolist()
    shade = Marks(drawn, "rect").at("opacity")[0]
    assert shade[0] == 1 and shade[1] < 0.12 and shade[3] > shade[2]


def test_correlations_stand_latent_by_code_and_matched_pairs_are_framed():
    found = np.array([[0.1, -0.98, 0.2], [0.97, 0.02, 0.3]])
    drawn = figures.matching(found, (np.array([0, 1]), np.array([1, 0])))
    cells = Marks(drawn, "rect")
    code, latent, shade = cells.at("x", "y", "opacity")
    assert list(zip(latent, code, strict=True)) == [(i, j) for i in (1, 2) for j in (1, 2, 3)]
    assert shade.argmax() == 1 and shade[1] > 0.98
    assert Marks(drawn, "text").at("text")[0].tolist() == np.abs(found).ravel().tolist()
    framed = [row for row in rows(cells.spec, cells.layers[1]) if row["pair"]]
    assert [(row["latent"], row["code"]) for row in framed] == [(1, 2), (2, 1)]
    assert cells.layers[1]["transform"] == [{"filter": "datum.pair"}]


def test_codes_that_are_drawn_keep_their_numbers():
    found = np.array([[0.1, 0.98, 0.2], [0.97, 0.02, 0.3]])
    pairs = np.array([0, 1]), np.array([1, 0])
    drawn = figures.matching(found, pairs, np.array([4, 20, 42]))
    cells = Marks(drawn, "rect")
    assert cells.at("x")[0].tolist() == [5, 21, 43] * 2
    told = {each["field"] for each in cells.layers[0]["encoding"]["tooltip"]}
    assert told == {"latent", "code", "value"}
    framed = drawn[1][drawn[1]["Matched"]]
    assert framed[["Latent", "Code"]].to_numpy().tolist() == [[1, 21], [2, 5]]


def test_latents_that_have_names_go_by_them():
    found = np.array([[0.1, -0.98], [0.97, 0.02]])
    names = ["y", "object hue"]  # in the world's order, not the alphabet's
    drawn = figures.matching(found, (np.array([0, 1]), np.array([1, 0])), names=names)
    latent, code = Marks(drawn, "text").at("y", "x")
    assert list(zip(latent, code, strict=True)) == [(n, j) for n in names for j in (1, 2)]
    framed = drawn[1][drawn[1]["Matched"]]
    assert framed[["Latent", "Code"]].to_numpy().tolist() == [["y", 2], ["object hue", 1]]
    for spec in (drawn[0].to_dict(), figures.matrix(found, names)[0].to_dict()):
        assert spec["layer"][0]["encoding"]["y"]["sort"] == names


def test_a_slope_has_its_own_line_through_the_origin():
    drawn = figures.agreement(STEPS / 400, STEPS / 300, ("w", "m"), 2.0, 0.0, {"least": 0.5})
    lines = [layer for layer in drawn[0].to_dict()["layer"] if layer["mark"]["type"] == "line"]
    ends = [rows(drawn[0].to_dict(), layer)[-1] for layer in lines]
    assert ends == [{"world": 2.0, "model": 2.0}, {"world": 2.0, "model": 1.0}]


def test_a_turned_code_has_a_line_a_norm_above_its_unturned_loss():
    angles = np.arange(0.0, 91.0, 15)
    losses = {"p = 1": 3 + np.sin(np.deg2rad(2 * angles)), "p = 2": 0 * angles + 7}
    drawn = figures.turned(angles, losses)
    x, y, norm = Marks(drawn, "line").at("x", "y", "color")
    for name, loss in losses.items():
        np.testing.assert_allclose(x[norm == name], angles)
        np.testing.assert_allclose(y[norm == name], loss - loss[0])


def test_a_read_out_goes_up_and_the_truth_across():
    drawn = figures.foretold(STEPS / 400, STEPS / 390, "v", [BLACK, *["#ff0000"] * 10])
    x, y, colour = Marks(drawn, "circle").at("x", "y", "color")
    np.testing.assert_allclose(x, STEPS / 400)
    np.testing.assert_allclose(y, STEPS / 390)
    assert colour.tolist() == [BLACK, *["#ff0000"] * 10]


def test_from_the_front_the_nearest_are_drawn_last_and_boldest():
    points = np.array([[1.0, 0, 0.5], [-1, 0.5, 0], [0, -0.5, -0.5]])
    drawn = figures.from_the_front(points, ["#010000", "#020000", "#030000"])
    marks = Marks(drawn, "circle")
    x, y, depth, colour = marks.at("x", "y", "opacity", "color")
    assert colour.tolist() == ["#020000", "#030000", "#010000"]
    np.testing.assert_allclose(x, [0.5, -0.5, 0])
    np.testing.assert_allclose(y, [0, -0.5, 0.5])
    scale = marks.layers[0]["encoding"]["opacity"]["scale"]
    assert (np.diff(depth) > 0).all() and np.diff(scale["domain"]) > 0 < np.diff(scale["range"])


def test_a_plane_has_the_first_coordinate_across():
    x, y = Marks(figures.plane(CIRCLE, [BLACK] * len(CIRCLE), ("a", "b")), "circle").at("x", "y")
    np.testing.assert_allclose(np.stack([x, y], 1), CIRCLE)


def test_theory_is_a_line_and_what_is_measured_a_dot():
    angles = np.arange(0, 91, 15.0)
    drawn = figures.rotation_curve(angles, angles / 90, 45, 0.71)
    x, y = Marks(drawn, "line", color=ROLE["theory"]).at("x", "y")
    assert (x.tolist(), y.tolist()) == (angles.tolist(), (angles / 90).tolist())
    x, y = Marks(drawn, "circle").at("x", "y")
    assert (x.item(), y.item()) == (45, 0.71)


def test_a_sweep_has_each_seed_at_its_value_in_the_colour_of_its_group():
    runs = two_way(lambda tau, d, seed: 0.9 + 0.01 * d + 0.001 * seed, lambda d: 0.5 + 0.05 * d)
    baselines = ("raw_linear_r2",)
    drawn = figures.sweep(runs, KNOBS["tau"], "linear_r2", baselines, KNOBS["d"])
    marks = Marks(drawn, "circle")
    x, y, group = marks.at("x", "y", "color")
    expected = [(m.params.tau, r.scores["linear_r2"], str(m.params.d)) for m, r in runs]
    assert list(zip(x, y, group, strict=True)) == expected
    scale = marks.layers[0]["encoding"]["color"]["scale"]
    groups = list(dict.fromkeys(group))
    assert scale["domain"] == groups and scale["range"] == ramp(len(groups))
    solid, dashed = (
        [layer for layer in Marks(drawn, "line").layers if ("strokeDash" in layer["mark"]) is dash]
        for dash in (False, True)
    )
    assert [each["encoding"]["y"]["field"] for each in solid] == ["linear_r2"]
    assert [each["encoding"]["y"]["field"] for each in dashed] == ["raw_linear_r2"]
    assert all(each["encoding"]["y"]["aggregate"] == "mean" for each in solid + dashed)
    named = dict(zip(*Marks(drawn, "text").at("text", "y"), strict=True))
    lowest = 0.5 + 0.05 * min(m.params.d for m, _ in runs)
    assert named["raw x"] == pytest.approx(lowest, abs=0.03)


def test_content_goes_up_and_what_is_read_across_a_colour_a_method():
    drawn = figures.trade([("a", 0, 0.3, 0.95), ("b", 1, 0.9, 0.96)], 0.25)
    marks = Marks(drawn, "circle")
    x, y, method = marks.at("x", "y", "color")
    assert list(zip(method, x, y, strict=True)) == [("a", 0.3, 0.95), ("b", 0.9, 0.96)]
    assert marks.layers[0]["encoding"]["color"]["scale"]["range"] == ramp(2)
    assert Marks(drawn, "rule").at("x")[0].tolist() == [0.25]


def test_each_body_has_its_own_net_in_the_colour_of_its_class():
    grid = np.random.default_rng(0).normal(size=(3, 5, 2))
    drawn = figures.nets(grid, np.stack([grid + 1, grid - 1]))
    for net, colour in zip((grid, grid + 1, grid - 1), (ROLE["theory"], *class_colours(2)),
                           strict=True):  # fmt: skip
        lines = Marks(drawn, "line", color=colour)
        x, y = lines.at("x", "y")
        np.testing.assert_allclose(np.stack([x, y], 1), net.reshape(-1, 2))
        x, y = lines.at("x", "y", layer=1)  # the bold edge, and the dot at its end
        np.testing.assert_allclose(np.stack([x, y], 1), net[0])
        x, y = Marks(drawn, "circle", color=colour).at("x", "y")
        np.testing.assert_allclose([x.item(), y.item()], net[0, -1])


def test_turned_codes_have_a_curve_a_read_out():
    drawn = figures.twist(STEPS / 4.5, 1 - STEPS / 400, 1 - STEPS / 200)
    name, x, y = Marks(drawn, "line").at("color", "x", "y")
    for read, values in {"one read-out for all": 1 - STEPS / 400,
                         "from one body to another": 1 - STEPS / 200,
                         "a read-out for each": np.ones(len(STEPS))}.items():  # fmt: skip
        np.testing.assert_allclose(x[name == read], STEPS / 4.5)
        np.testing.assert_allclose(y[name == read], values)


def test_a_gauge_is_as_long_as_its_reading():
    drawn = figures.gauges([
        figures.Gauge("Angle", 45.0, 0, 90, "45.0°", {"V⊥": 0.0, "V": 90.0}),
        figures.Gauge("Loss", 0.25, 0, 1, "0.25", {"blind": 0.75}),
    ])  # fmt: skip
    name, long = Marks(drawn, "bar", color=ROLE["z_hat"]).at("y", "x")
    assert dict(zip(name, long, strict=True)) == {"Angle": 0.5, "Loss": 0.25}
    name, at = Marks(drawn, "tick").at("y", "x")
    assert list(zip(name, at, strict=True)) == [("Angle", 0), ("Angle", 1), ("Loss", 0.75)]
    marks, values = (Marks(drawn, "text").at("text", layer=layer)[0] for layer in (0, 1))
    assert marks.tolist() == ["V⊥", "V", "blind"] and values.tolist() == ["45.0°", "0.25"]


def test_a_meridian_lies_between_the_least_and_the_most_of_its_azimuths():
    angle, told = np.linspace(0, 90, 4), np.arange(20.0).reshape(4, 5)
    drawn = figures.meridian(angle, told, {"seed 0": (1.0, 0.1)})
    x, least, most = Marks(drawn, "area").at("x", "y", "y2")
    assert x.tolist() == angle.tolist()
    assert least.tolist() == told.min(1).tolist() and most.tolist() == told.max(1).tolist()
    x, y = Marks(drawn, "circle").at("x", "y")
    assert (x.item(), y.item()) == (1.0, 0.1)


def test_the_adversary_lags_behind_the_best_response():
    own, information = 1 + STEPS / 400, STEPS / 4000
    drawn = figures.pursuit(STEPS, own, information, 1.1)
    x, y = Marks(drawn, "line", color=ROLE["w"]).at("x", "y")
    np.testing.assert_allclose(np.stack([x, y]), [STEPS, own])
    x, y = Marks(drawn, "line", color=ROLE["theory"]).at("x", "y")
    np.testing.assert_allclose(np.stack([x, y]), [STEPS, 1.1 - information])
    assert Marks(drawn, "rule").at("y")[0].tolist() == [1.1]


def test_curves_of_minimisers_go_through_their_points():
    drawn = figures.closed_curves({"a": (CIRCLE, "#3f8fd2")}, CIRCLE[:4], "v", "v")
    x, y, order = Marks(drawn, "line", color="#3f8fd2").at("x", "y", "order")
    np.testing.assert_allclose(np.stack([x, y], 1)[:-1], CIRCLE)
    assert (np.diff(order) == 1).all()
    x, y = Marks(drawn, "circle", color=ROLE["v"]).at("x", "y")
    np.testing.assert_allclose(np.stack([x, y], 1), CIRCLE[:4])


# ---- colours


def bright(colour):
    return contrast(colour, BLACK)


def test_north_is_lighter_than_south_and_east_has_another_hue():
    north, south, east, west = direction_colours(
        np.array([[0.1, 0, 1.0], [0.1, 0, -1], [0, 1, 0], [0, -1, 0]])
    )
    assert bright(north) > 1.5 * bright(south)
    assert bright(east) == pytest.approx(bright(west), rel=0.35) and east != west
    flat = direction_colours(np.array([[1.0, 0], [0, 1]]))
    assert flat == direction_colours(np.array([[1.0, 0, 0], [0, 1, 0]]))


def test_values_in_order_grow_lighter_from_plum_to_amber():
    shades = [bright(colour) for colour in ramp(5)]
    assert all(later > earlier for earlier, later in pairwise(shades))
    red, green, blue = (int(ramp(5)[-1][i : i + 2], 16) for i in (1, 3, 5))
    assert red > green > blue  # amber


def test_classes_next_to_each_other_differ_in_lightness():
    shades = [bright(colour) for colour in class_colours(6)]
    assert all(abs(a / b - 1) > 0.1 for a, b in pairwise(shades))


def test_no_number_is_drawn_where_there_is_none():
    from core.figures.figure import rows as sent

    table = figures.curves({"seed 0": ([0, 1], [0.5, np.nan])}, 1, "R²", {})[1]
    assert len(table) == 1
    table["R²"] = np.nan
    assert sent(table)["values"][0]["R²"] is None
    assert legend.SCORES["linear_r2"].written(None) == "–"
