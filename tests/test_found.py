"""Data sets whose files are found are worlds of pictures: read, trained on and offered."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import numpy as np
import pytest
import torch
from shell import told
from visits import PIXELS, images, opened, own
from written import (
    GRID,
    alone,
    load_mpi3d,
    made,
    traced,
    write_dsprites,
    write_ident,
    write_sprites,
)

from core.datasets import mpi3d, subset
from core.datasets.loaded import Loaded, Misread, grid
from core.datasets.registry import SOURCES
from core.datasets.subset import FEWEST, SIDE, pooled
from core.datasets.worlds import FOUND
from core.images.camera import LEVELS
from core.images.render import render
from core.laws.samplers import Noise
from core.learners import pixels
from core.learners.pictures import HARDLY, OfSubset
from core.legend import CHOICES, SCORES
from core.metrics import linear_r2
from core.run.bounds import Refused
from core.run.engine import Engine
from core.run.evaluation import HALF, between
from core.run.experiment import Experiment, groups
from core.run.store import Store
from core.run.worker import train_group
from core.scenarios.pixels import ORDER, Pixels
from core.scenarios.pixels.theory import notices, promise
from core.scenarios.scenario import knob_of
from ui import runner
from ui.pixels import pictures

DRAWN = ("masks", "scene", "sprites")
TINY = {"width": 16, "batch": 32, "steps": 6}
GREY = FOUND["dsprites"]


@pytest.fixture(autouse=True)
def nothing_read(monkeypatch):
    torch.set_num_threads(1)
    monkeypatch.delenv("EXPLORER_DATA", raising=False)
    subset._kept.clear()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def sprites(folder):
    return write_sprites(folder)


def members(seeds=(0, 1), **params):
    (group,) = groups(Experiment(Pixels(world="dsprites", **params), "pixels", seeds).members)
    return group


# --- what is known of a set, and what is read of it ----------------------------------------------


@pytest.mark.parametrize("name", FOUND)
def test_a_world_is_known_without_its_files(name, tmp_path):
    world, source = FOUND[name], SOURCES[name]
    written = "mpi3d_toy" if name.startswith("mpi3d") else name
    data, _, _ = made(written, tmp_path)
    assert (world.name, world.source) == (name, source.paper)
    assert source.title.startswith(world.title)
    kinds = [(factor.name, factor.kind) for factor in world.every]
    assert kinds == [(factor.name, factor.kind) for factor in data.factors]
    assert world.channels == (1 if len(data.shape) == 2 else 3)
    assert sorted(world.varied) == sorted(factor.name for factor in world.every)
    assert set(world.varied) <= {score.removeprefix("factor_") for score in SCORES}
    assert CHOICES[name] == world.title and ORDER[name] == world.varied


def test_the_choices_are_our_worlds_and_the_sets_that_are_found(folder):
    assert knob_of(Pixels, "world").choices == (*DRAWN, *FOUND)
    assert Pixels.offered("world") == DRAWN
    write_dsprites(folder)
    write_ident(folder)
    assert Pixels.offered("world") == (*DRAWN, "dsprites", "3dident_train")
    assert Pixels.offered("task") == knob_of(Pixels, "task").choices


@pytest.mark.parametrize("name", ["dsprites", "shapes3d", "smallnorb", "3dident_train"])
def test_a_picture_is_found_by_its_latents(name, folder, monkeypatch):
    data, _, values = made(name, folder)
    monkeypatch.setattr(subset, "FEWEST", 1)
    world = FOUND[name]
    columns = [[factor.name for factor in data.factors].index(each) for each in world.varied]
    z = world.latents(values[:, columns])
    pictures, _ = pooled(data, np.arange(data.size))
    alone = [i for i in range(len(z)) if (np.abs(z - z[i]).max(1) < 1e-6).sum() == 1]
    assert len(alone) > len(z) / 2
    drawn = (255 * render(world, z[alone].clip(-1, 1)).numpy()).round()
    drawn = drawn[:, None] if world.channels == 1 else drawn.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(drawn, pictures[alone])


def test_another_variant_of_a_set_is_none_of_it(folder, monkeypatch):
    made("mpi3d_toy", folder)
    monkeypatch.setattr(subset, "FEWEST", 1)
    monkeypatch.setitem(SOURCES, "mpi3d_toy", replace(SOURCES["mpi3d_toy"], loader=load_mpi3d))
    with pytest.raises(Misread, match="other factors"):
        subset.subset(FOUND["mpi3d_toy"])


def test_a_picture_of_another_size_is_scaled(sprites):
    world = GREY.only("x", "y", "scale")
    small, large = (render(world, np.zeros((2, 3)), side) for side in (SIDE, 68))
    assert large.shape == (2, 68, 68) and large.dtype == torch.float32
    assert large.mean() == pytest.approx(float(small.mean()), rel=0.02)
    assert torch.equal(render(world, np.zeros((0, 3)), 68), large[:0])


def test_what_does_not_vary_rests_in_the_middle(sprites):
    images, values = sprites
    found = subset.subset(GREY.only("x", "y", "scale"))
    n = int(np.prod(GRID))
    assert len(found.z) == n and len(np.unique(found.z, axis=0)) == n
    z = np.stack([2 * values[:n, 3] - 1, 2 * values[:n, 4] - 1, 4 * values[:n, 1] - 3], 1)
    at = [int(np.abs(z - each).sum(1).argmin()) for each in found.z]
    np.testing.assert_allclose(z[at], found.z, atol=1e-6)
    halves = images[at].reshape(n, 32, 2, 32, 2).astype(float).mean((2, 4))
    np.testing.assert_array_equal(found.pictures[:, 0], np.rint(halves))


def test_a_circular_factor_travels_its_arc_alone(sprites):
    _, values = sprites
    whole, arc = GREY, GREY.opened(0.5)
    there = subset.subset(whole), subset.subset(arc)
    inside = np.abs(values[:, 2] - np.pi) <= np.pi / 2
    assert [len(each.z) for each in there] == [len(values), inside.sum()]
    assert 0 < inside.sum() < len(values)


def test_a_factor_on_no_grid_takes_any_value(folder, monkeypatch):
    _, values = write_ident(folder, n=80)
    monkeypatch.setattr(subset, "FEWEST", 1)
    found = subset.subset(FOUND["3dident_train"].only("x", "object_hue"))
    np.testing.assert_allclose(found.z, values[:, [0, 7]].astype(np.float32))


def test_parts_share_no_picture(sprites):
    found = subset.subset(GREY.only("x", "y", "scale"))
    parts = {name: set(rows.tolist()) for name, rows in found.parts.items()}
    n = len(found.z)
    assert [len(parts[name]) for name in ("train", "fit", "test")] == [n // 2, n // 4, n // 4]
    assert set.union(*parts.values()) == set(range(n))
    for name, rows in parts.items():
        assert {tuple(z) for z in found.part(name)} == {tuple(found.z[i]) for i in rows}


def test_no_more_pictures_are_kept_than_stated(sprites, monkeypatch):
    monkeypatch.setattr(subset, "MOST", 700)
    found = subset.subset(GREY.only("x", "y", "scale"))
    assert len(found.z) == len(found.pictures) == 700
    assert subset.MOST * 3 * SIDE**2 <= subset.MOST_KEPT


def test_a_file_in_the_place_of_another_is_read_anew(folder):
    write_sprites(folder)
    before = subset.subset(GREY.only("x", "y", "scale"))
    assert subset.subset(GREY.only("x", "y", "scale")) is before
    (folder / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz").unlink()
    with pytest.raises(Misread, match=r"dSprites is not found: its files are not there\."):
        subset.subset(GREY.only("x", "y", "scale"))
    write_dsprites(folder, 2000)
    assert subset.subset(GREY) is not before


def test_too_few_pictures_are_a_sentence(folder):
    write_dsprites(folder)
    with pytest.raises(Misread, match=rf"Of dSprites 0 .* {FEWEST} are needed: let more"):
        subset.subset(GREY.only("x", "y"))


def blank(name, size, values):
    """A source of black pictures with the factors of a set."""
    data = Loaded(
        name, FOUND[name].every, size, (64, 64, 3), np.dtype("u1"),
        lambda rows: np.zeros((len(rows), 64, 64, 3), np.uint8), values,
    )  # fmt: skip
    return replace(SOURCES[name], files=(), loader=lambda _: data)


def million():
    return blank("mpi3d_toy", int(np.prod(mpi3d.SIZES)), lambda rows: grid(mpi3d.SIZES, rows))


def resting(name, folder):
    """How many pictures are kept of a million, their bytes, and the memory at most meanwhile."""
    SOURCES[name] = million()
    os.environ["EXPLORER_DATA"] = str(folder)
    world = FOUND[name]
    subset.subset(world.only("horizontal_axis", "vertical_axis"))  # what Python itself loads
    subset._kept.clear()
    found, peak = traced(lambda: subset.subset(world))
    return len(found.z), found.pictures.nbytes, peak


def test_a_million_pictures_take_no_more_memory_than_is_stated(tmp_path):
    n, held, peak = alone(resting, "mpi3d_toy", tmp_path)
    assert (n, held) == (subset.MOST, subset.MOST * 3 * SIDE**2)
    assert held < peak < 140 * 2**20  # docs/datasets.md


def test_a_set_is_read_once_by_all_and_who_has_one_waits_for_nobody(sprites, monkeypatch):
    ready, going, reads = Event(), Event(), []
    read, world = subset._read, GREY.only("x", "y", "scale")

    def slowly(asked, where):
        reads.append(asked.varied)
        if asked != world:
            ready.set()
            assert going.wait(60)
        return read(asked, where)

    monkeypatch.setattr(subset, "_read", slowly)
    first, other = subset.subset(world), GREY.only("y", "x", "scale")
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(subset.subset, other) for _ in range(2)]
        assert ready.wait(60)
        assert subset.subset(world) is first  # while another is read
        going.set()
        assert both[0].result() is both[1].result()
    assert reads == [world.varied, other.varied]


def test_two_subsets_are_kept_and_of_them_the_last_used(sprites):
    orders = ("x", "y", "scale"), ("y", "x", "scale"), ("scale", "x", "y")
    one, two, three = (GREY.only(*names) for names in orders)
    first, second = subset.subset(one), subset.subset(two)
    assert subset.subset(one) is first
    subset.subset(three)
    assert subset.subset(one) is first and subset.subset(two) is not second
    assert len(subset._kept) == subset.MOST_SUBSETS


def test_what_cannot_be_read_is_tried_again(folder):
    write_dsprites(folder)
    for _ in range(2):
        with pytest.raises(Misread):
            subset.subset(GREY.only("x", "y"))
    assert not subset._kept


# --- training on it ------------------------------------------------------------------------------


def rows_of(z, part):
    """Whether each of z (..., k) is a picture's of a part."""
    there = {tuple(each) for each in part}
    return np.array([tuple(each) in there for each in z.reshape(-1, z.shape[-1])])


def test_nobody_is_scored_on_a_picture_that_trains(sprites):
    one = pixels.start(members(**TINY), "cpu")
    found = subset.subset(one.settings[0].seen)
    pictures, z = one.album
    assert rows_of(z.numpy(), found.part("train")).all()
    for i in range(2):
        fit, test = np.split(one.evaluation.z[i], [HALF])
        assert rows_of(fit, found.part("fit")).all() and rows_of(test, found.part("test")).all()
        assert len(np.unique(test, axis=0)) == min(HALF, len(found.parts["test"]))
    unseen = np.concatenate([found.part("fit"), found.part("test")])
    assert rows_of(one.truth.world["z_pos"], unseen).all()
    (fresh, views), *_ = one._fresh([0])
    assert rows_of(torch.cat([fresh, views], 1).numpy(), unseen).all()
    x = torch.from_numpy(found.painted(z[0, :50].numpy(), SIDE)).reshape(50, 16, 2, 16, 2)
    seen = (x.mean((2, 4)) * LEVELS).round().flatten(1)
    torch.testing.assert_close(pictures[0][0, :50].float(), seen, atol=1, rtol=0)


def test_few_pictures_fit_few_pixels_and_are_no_more_for_coming_again(sprites):
    one = pixels.start(members(**TINY), "cpu")
    few = len(subset.subset(one.settings[0].seen).parts["fit"])
    assert few == np.prod(GRID) // 4 < HALF
    (final, _), x = one.finish(), one.evaluation.raw_x(0)
    z, code = one.evaluation.z[0], one.evaluation.features(0)
    rows = np.r_[:few, HALF : HALF + few]
    assert len(np.unique(z[rows], axis=0)) == 2 * few == len(np.unique(z, axis=0))
    once, again = between(z[rows], code[rows], "mcc"), between(z, code, "mcc")
    assert {name: final[name] for name in once} == once
    assert once["mcc_high"] - once["mcc_low"] > 1.5 * (again["mcc_high"] - again["mcc_low"])
    coarse = x.reshape(-1, 8, 2, 8, 2).mean((2, 4)).reshape(len(x), -1)  # 64 for 384 pictures
    seen = coarse[:, coarse.std(0) > HARDLY]
    assert one.baselines[0]["raw_linear_r2"] == pytest.approx(linear_r2(z, seen), abs=1e-5)


def test_a_second_picture_is_the_nearest_to_a_step(sprites):
    one = pixels.start(members(spread=0.3, **TINY), "cpu")
    z, z_pos = one._pairs(2000)
    moved = (z_pos - z).abs().numpy()
    units = 2 / (np.array([16, 16, 6]) - 1)  # of the grid
    assert rows_of(z_pos.numpy(), one.world.points.z).all()
    steps = moved / units
    np.testing.assert_allclose(steps, steps.round(), atol=1e-4)
    apart = [moved[..., i].mean() for i in range(3)]
    assert apart == pytest.approx([0.27, 0.27, 0.27], abs=0.06)  # of 0.3, cut off at the walls


def moved(params):
    """By factor, and of all together, the share of training pairs in which it is another."""
    world = OfSubset([params.law], subset.subset(params.seen), ("train",), "cpu")
    noise = Noise([0], "data", "cpu")
    z = world.latents(8192, noise)
    other = ((world.positives(z, noise) - z)[0].abs() > 1e-6).numpy()
    return dict(zip(params.seen.varied, other.mean(0), strict=True)), other.any(1).mean()


def test_how_many_pairs_are_one_picture_is_what_is_said_of_it(folder, monkeypatch):
    """docs/datasets.md."""
    monkeypatch.setitem(SOURCES, "mpi3d_toy", million())
    z = np.random.default_rng(0).uniform(-1, 1, (250_000, 10))
    source = blank("3dident_train", len(z), lambda rows: z[rows])
    monkeypatch.setitem(SOURCES, "3dident_train", source)
    by_factor, together = moved(Pixels(world="mpi3d_toy", n_factors=4))
    assert together == pytest.approx(0.97, abs=0.01)
    assert by_factor["camera_height"] == pytest.approx(0.08, abs=0.015)
    assert by_factor["object_size"] == pytest.approx(0.01, abs=0.008)
    assert moved(Pixels(world="3dident_train"))[1] == pytest.approx(0.9, abs=0.02)
    assert moved(Pixels(world="3dident_train", n_factors=10))[1] < 0.5


def test_a_member_alone_is_the_same_member_in_company(sprites):
    together = train_group(members((0, 1), **TINY), device="cpu")
    for seed, result in enumerate(together):
        (alone,) = train_group(members((seed,), **TINY), device="cpu")
        assert alone.scores == result.scores
        assert np.array_equal(alone.z_hat, result.z_hat)


def test_an_encoder_finds_the_factors_of_a_sets_pictures(sprites):
    (result,) = train_group(members((0,)), device="cpu")
    assert result.scores["mcc"] > 0.97 > 0.7 > result.scores["raw_mcc"]
    assert min(result.scores[f"factor_{name}"] for name in ("x", "y", "scale")) > 0.9
    assert result.scores["loss_floor"] is None  # of latents that fill the box
    assert 0.5 > result.scores["untrained_mcc"]


@pytest.mark.parametrize(("world", "least"), [("shapes3d", 3), ("smallnorb", 4), ("dsprites", 2)])
def test_so_many_factors_vary_that_there_are_pictures(world, least):
    params = Pixels(world=world, n_factors=2)
    assert params.k == least == len(params.seen.varied)
    said = [note.text for note in notices(params) if note.field == "n_factors"]
    few = f"{least} factors vary: of fewer this data set has too few pictures."
    assert said == ([few] if least > 2 else [])


@pytest.mark.parametrize(("world", "most"), [("sprites", 3), ("dsprites", 4)])
def test_a_rotation_that_cannot_be_told_is_said(world, most):
    for k in (most, most + 1):
        params = Pixels(world=world, n_factors=k, space="box", p=1)
        said = [note.text for note in notices(params) if "quarter turn" in note.text]
        missing = "pictures that differ wherever factors do" in promise(params).missing
        assert (bool(said), missing) == (k > most,) * 2


@pytest.mark.parametrize("method", ["slowvae", "supervised"])
def test_the_other_methods_train_on_it_as_well(sprites, method):
    (result,) = train_group(members((0,), method=method, **TINY), device="cpu")
    assert np.isfinite(result.scores["mcc"])


# --- from a shell, by the engine, on the page ----------------------------------------------------

NOT_FOUND = "dSprites is not found: EXPLORER_DATA names no folder"


@pytest.mark.parametrize("how", [("run", "--inline"), ("run",), ("export", "--out", "a.npz")])
def test_a_run_without_its_files_is_refused_in_a_line(how, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    verb, *flags = how
    asked = told(capsys, verb, "pixels", "--world", "dsprites", "--seeds", "0", *flags)
    assert asked == (2, "", f"error: {NOT_FOUND}\n")
    assert not (tmp_path / "a.npz").exists()


def test_the_engines_workers_read_the_files(sprites, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    flags = [word for name, value in TINY.items() for word in (f"--{name}", str(value))]
    status, out, _ = told(capsys, "run", "pixels", "--world", "dsprites", "--seeds", "0", *flags)
    assert status == 0 and "mcc" in out


@pytest.mark.parametrize("how", [("run", "--inline"), ("export", "--out", "a.npz")])
def test_a_file_that_is_not_what_it_should_be_is_a_line(how, folder, capsys, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(folder / "cache"))
    monkeypatch.chdir(folder)
    write_dsprites(folder)
    verb, *flags = how
    asked = told(capsys, verb, "pixels", "--world", "dsprites", "--seeds", "0", *flags)
    assert asked[:2] == (2, "") and asked[2].startswith("error: Of dSprites 0 pictures show")


def test_the_engine_refuses_what_it_cannot_read(tmp_path):
    engine = Engine(Store(tmp_path, gallery=None))
    try:
        with pytest.raises(Refused, match=NOT_FOUND):
            engine.submit(Experiment(Pixels(world="dsprites"), "pixels", (0,)), "somebody")
    finally:
        engine.close()


def world_of(at):
    """The list of worlds, or the row of buttons, on the page."""
    (found,) = [each for each in (*at.button_group, *at.selectbox) if each.label == "World"]
    return found


@pytest.fixture
def untrained(monkeypatch):
    monkeypatch.setenv("EXPLORER_TRAIN", "off")


def test_a_world_is_offered_where_its_files_are_found(sprites, untrained):
    at = opened(PIXELS)
    assert list(world_of(at).options) == ["walkers’ masks", "lit scene", "sprites", "dSprites"]
    at = opened(PIXELS, part="paper")
    (train,) = [each for each in at.button if each.label == "Train on dSprites in Explore"]
    at = train.click().run()
    assert not at.exception and world_of(at).value == "dsprites"
    assert at.query_params["world"] == "dsprites" and at.query_params["part"] == "explore"


@pytest.mark.parametrize("train", ["on", "off"])
def test_a_link_to_a_world_that_is_not_found_says_so(train, monkeypatch, nothing_trains):
    monkeypatch.setenv("EXPLORER_TRAIN", train)
    at = opened(PIXELS)
    assert list(world_of(at).options) == ["walkers’ masks", "lit scene", "sprites"]
    at = opened(PIXELS, world="dsprites")
    assert not at.exception and world_of(at).value == "dsprites"
    assert [each.value for each in at.caption if each.value.startswith(f"{NOT_FOUND}.")]
    assert own(at, "run.train") not in {each.key for each in at.button}


def link_of(run):
    """A link to a run that was trained by itself, as all that it has chosen."""
    return {name: str(value) for name, value in run.member.params.chosen().items()} | {"seeds": "1"}


def test_pictures_of_a_stored_run_are_read_where_they_are_shown(sprites, folder, untrained):
    (run,) = train_group(members((0,), **TINY), device="cpu")
    runner.store().put(run)
    for part in ("explore", "axes"):
        at = opened(PIXELS, part=part, **link_of(run))
        assert not at.exception and not at.error and not at.info
        assert len(images(at)) > 1
    z = np.linspace(-1, 1, pictures.MOVES)[:, None] * [1, 0, 0]
    shown = images(opened(PIXELS, **link_of(run)))[1][1]
    drawn = pictures.rendered(run.member.params.seen, z, pictures.SIDE)
    np.testing.assert_array_equal(shown, drawn)

    file = next(folder.glob("*.npz"))
    file.write_bytes(file.read_bytes()[:200])
    for part in ("explore", "axes"):
        at = opened(PIXELS, part=part, **link_of(run))
        assert not at.exception and [file.name in each.value for each in at.error] == [True]
    file.unlink()
    for part in ("explore", "axes"):
        at = opened(PIXELS, part=part, **link_of(run))
        assert not at.exception and not at.error
        assert at.info[0].value == "dSprites is not found: its files are not there."


def test_a_category_that_moves_is_called_what_its_picture_shows():
    """Even numbers of classes have a border in the middle, where two pictures are as near."""
    world = FOUND["shapes3d"].only("scale", "shape")
    z = world.centred(np.array([[0.1, value] for value in (-1, -0.5, 0, 0.5, 1)]))
    np.testing.assert_allclose(z[:, 0], 0.1)
    np.testing.assert_allclose(z[:, 1], [-0.75, -0.25, 0.25, 0.75, 0.75])
    np.testing.assert_array_equal(world.values(z)[:, 1], [0, 1, 2, 3, 3])
