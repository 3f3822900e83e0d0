"""Pixels: what an encoder sees, what makes a class, and which factors a code keeps."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from torch import nn

from core import metrics
from core.images import camera
from core.images.camera import LEVELS, Camera, by_factor, correlations
from core.images.convolution import CHANNELS, Convolutions
from core.images.render import render
from core.images.worlds import WORLDS
from core.laws.samplers import Noise, generator, sampler
from core.learners import pairs, pixels, sprite_classes
from core.learners.pictures import HARDLY, camera_of, readable
from core.learners.sprite_classes import Labels
from core.run.evaluation import HALF
from core.run.experiment import EVALUATED, Experiment, groups
from core.run.worker import train_group
from core.scenarios import SCENARIOS
from core.scenarios.pixels import CELLS, ORDER, PARTITION, POOLED, STORED

scenario = SCENARIOS["pixels"]
Params = scenario.Params
TINY = {"width": 16, "batch": 32, "steps": 6}
BOXED = {"space": "box"}  # what the theorem asks for
LABELS = tuple(CELLS)
each_label = pytest.mark.parametrize("label", LABELS)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def members(seeds=(0, 1), vary=None, **params):
    asked = Params(**{**TINY, **params})
    (group,) = groups(Experiment(asked, "pixels", tuple(seeds), vary or {}).members)
    return group


def taught(updates=3, seeds=(0, 1), vary=None, **params):
    one = pixels.start(members(seeds, vary, **params), "cpu")
    for t in range(updates):
        one.step(t)
    return one


def latents(m, n, k, seed=0):
    return Noise(range(seed, seed + m), "data", "cpu").uniform(n, k).float() * 2 - 1


# --- what an encoder sees ---------------------------------------------------------------------


@pytest.mark.parametrize("side", [POOLED, 32])
@pytest.mark.parametrize("name", WORLDS)
def test_pictures_are_the_rendered_ones_pooled_with_eight_bits_a_number(name, side):
    world = WORLDS[name].only(*ORDER[name])
    z = latents(2, 5, len(world.varied))
    found = Camera(world, side)(z)
    assert found.shape == (2, 5, world.channels * side**2)
    drawn = render(world, z).double().numpy().reshape(2, 5, 32, 32, world.channels)
    block, found = 32 // side, found.double().numpy()
    levels = found * LEVELS
    assert np.abs(levels - levels.round()).max() < 1e-4 and 0 <= found.min() < found.max() <= 1
    x = found.reshape(2, 5, world.channels, side, side)
    for channel in range(world.channels):
        for row in range(0, side, 5):
            for column in range(side):
                rows = slice(row * block, (row + 1) * block)
                columns = slice(column * block, (column + 1) * block)
                mean = drawn[:, :, rows, columns, channel].mean((2, 3))
                off = np.abs(x[:, :, channel, row, column] - mean)
                assert off.max() <= 0.5 / LEVELS + 1e-6


@pytest.mark.parametrize("name", WORLDS)
def test_a_picture_is_the_same_in_any_company(name, monkeypatch):
    world = WORLDS[name].only(*ORDER[name])
    shot, z = Camera(world, POOLED), latents(3, 11, len(world.varied))
    together = shot(z)
    for i in range(3):
        assert torch.equal(shot(z[i : i + 1])[0], together[i])
    assert torch.equal(shot(z[:, 4:5])[:, 0], together[:, 4])
    monkeypatch.setattr(camera, "AT_ONCE", 7)
    assert torch.equal(shot(z), together)
    assert shot(z[:, :0]).shape == (3, 0, together.shape[2])


def test_every_member_has_the_same_camera():
    for encoder, side in (("mlp", POOLED), ("conv", 32)):
        p = Params(encoder=encoder)
        shot = camera_of(p)
        assert (shot.world, shot.side) == (p.seen, side) and p.input_size == side**2
        assert shot.members([1, 0]) is shot and shot.arrays(1) == {}
    assert Params(world="scene").input_size == 3 * POOLED**2


def test_pixels_that_hardly_vary_are_not_read():
    x = np.zeros((100, 3))
    x[::2, 1], x[::2, 2] = 1.9 * HARDLY, 2.1 * HARDLY  # deviations of half as much
    np.testing.assert_array_equal(readable(Params(), x), x[:, 2:])


def test_pictures_that_convolutions_see_are_read_pooled():
    p = Params(world="scene", encoder="conv")
    x = np.random.default_rng(0).uniform(size=(50, p.input_size)).astype(np.float32)
    blocks = x.reshape(50, 3, POOLED, 2, POOLED, 2).mean((3, 5)).reshape(50, -1)
    np.testing.assert_allclose(readable(p, x), blocks, rtol=1e-5)


# --- how well factors are told ----------------------------------------------------------------


@pytest.fixture(scope="module")
def told_of_sprites():
    """A world with a category and a circle, its latents and a code that tells some of each."""
    world = WORLDS["sprites"]
    rng = np.random.default_rng(0)
    z = rng.uniform(-1, 1, (600, 5))
    values = world.values(z)
    code = np.column_stack([
        3 + z[:, 3], z[:, 4] ** 2, np.cos(values[:, 2]), values[:, 0] == 1, z[:, 1] + z[:, 4],
    ]) + 0.2 * rng.standard_normal((600, 5))  # fmt: skip
    return world, z, values, code


def test_a_factor_is_told_as_scikit_learn_tells_it(told_of_sprites):
    world, z, values, code = told_of_sprites
    found = by_factor(world, z, code)
    assert list(found) == list(world.varied)
    fit, test = slice(0, 300), slice(300, 600)
    for name in ("scale", "x", "y"):
        target = z[:, world.varied.index(name)]
        line = LinearRegression().fit(code[fit], target[fit])
        assert found[name] == pytest.approx(line.score(code[test], target[test]), abs=1e-10)
    turn = np.column_stack([np.sin(values[:, 2]), np.cos(values[:, 2])])
    line = LinearRegression().fit(code[fit], turn[fit])
    assert found["rotation"] == pytest.approx(line.score(code[test], turn[test]), abs=1e-10)
    shape = values[:, 0].astype(int)
    line = LinearRegression().fit(code[fit], np.eye(3)[shape[fit]])
    right = line.predict(code[test]).argmax(1) == shape[test]
    assert found["shape"] == pytest.approx(right.mean())
    assert found["x"] > 0.8 > found["y"] and found["shape"] < 0.9


def test_a_world_of_categories_alone_is_told_as_it_is_among_other_factors(told_of_sprites):
    world, z, _, code = told_of_sprites
    alone = by_factor(world.only("shape"), z[:, [world.varied.index("shape")]], code)
    assert alone == {"shape": by_factor(world, z, code)["shape"]}


@pytest.mark.parametrize("intercept", [False, True])
def test_correlations_are_of_a_read_out_with_an_intercept_or_without(told_of_sprites, intercept):
    world, z, values, code = told_of_sprites
    found = correlations(world, z, code, intercept)
    assert list(found) == ["shape", "scale", "x", "y"]  # a circle has no Pearson's r
    for name, r in found.items():
        target = values[:, world.varied.index(name)]
        target = (target - target[:300].mean()) / target[:300].std()  # as published
        line = LinearRegression(fit_intercept=intercept).fit(code[:300], target[:300])
        expected = np.corrcoef(target[300:], line.predict(code[300:]))[0, 1]
        assert r == pytest.approx(expected, abs=1e-10)


def test_a_code_far_from_the_origin_makes_a_read_out_through_it_another(told_of_sprites):
    world, z, _, code = told_of_sprites
    bare, free = (correlations(world, z, code, way) for way in (False, True))
    assert max(abs(bare[name] - free[name]) for name in bare) > 0.01


# --- convolutions -----------------------------------------------------------------------------


def convolutions(seeds, channels=1, side=32):
    return Convolutions([generator(seed, "initialisation") for seed in seeds], channels, side)


@pytest.mark.parametrize(("channels", "side"), [(1, 32), (3, 16)])
def test_convolutions_are_plain_ones_of_every_member(channels, side):
    f, x = convolutions([0, 1], channels, side), torch.rand(2, 5, channels * side**2)
    together = f(x)
    assert together.shape == (2, 5, f.features) and f.features == 32 * (side // 8) ** 2
    for i in range(2):
        layers = []
        for weight, bias in zip(f.weights, f.biases, strict=True):
            layer = nn.Conv2d(weight.shape[2], weight.shape[1], 4, stride=2, padding=1)
            layer.weight.data, layer.bias.data = weight[i].detach(), bias[i].detach()
            layers += [layer, nn.LeakyReLU(0.01)]
        plain = nn.Sequential(*layers)(x[i].unflatten(1, (channels, side, side)))
        torch.testing.assert_close(together[i], plain.flatten(1))
    assert [weight.shape[1] for weight in f.weights] == list(CHANNELS)


def test_convolutions_of_a_member_do_not_know_the_others():
    f, x = convolutions([4, 2, 9]), torch.rand(3, 6, 32**2)
    alone = convolutions([2])
    assert torch.equal(f(x)[1], alone(x[1:2])[0])
    (f(x)[1] ** 2).sum().backward()
    (alone(x[1:2]) ** 2).sum().backward()
    for mine, own in zip(f.parameters(), alone.parameters(), strict=True):
        assert torch.equal(mine.grad[1], own.grad[0]) and (own.grad != 0).any()
        assert (mine.grad[[0, 2]] == 0).all()


def test_convolutions_start_as_pytorchs_do():
    f, fan = convolutions(range(4)), 16
    for weight, bias in zip(f.weights, f.biases, strict=True):
        for tensor in (weight, bias):
            assert tensor.abs().max() <= fan**-0.5
            assert float(tensor.detach().std()) == pytest.approx((3 * fan) ** -0.5, rel=0.15)
        fan = weight.shape[1] * 16


# --- what makes a class -----------------------------------------------------------------------


def cells(label, z):
    """The index of every latent's cell, counted one by one."""
    place = {"x": 0, "y": 1, "scale": 2, "rotation": 3, "shape": 4}
    found = []
    for row in z:
        index = 0
        for name, parts in CELLS[label].items():
            edges = [-1 + 2 * i / parts for i in range(1, parts)]
            index = index * parts + sum(row[place[name]] >= edge for edge in edges)
        found.append(index)
    return np.array(found)


@each_label
def test_a_class_is_a_cell_and_every_one_is_met(label):
    p = Params(task="classify", label=label)
    assert p.seen.varied == ("x", "y", "scale", "rotation", "shape")
    z = latents(2, 20_000, 5)
    labels = Labels(p, [3, 5], "cpu")
    y = labels(z)
    assert y.shape == (2, 20_000) and y.min() == 0 and y.max() == p.classes - 1
    for i in range(2):
        often = y[i].bincount(minlength=p.classes)
        assert len(often) == p.classes and often.min() > 0
        expected = cells(label, z[i, :3000].double().numpy())
        if label == "random":
            expected = labels.dealt[i][expected]
        same = y[i, :3000].numpy() == np.asarray(expected)
        assert same.mean() > 0.999  # some may lie at an edge
    ends = torch.tensor([[[-1.0] * 5, [1.0] * 5]]).expand(2, -1, -1)
    if label != "random":
        assert labels(ends).tolist() == [[0, p.classes - 1]] * 2
    assert labels(ends).max() < p.classes


def test_how_many_classes_there_are():
    count = {label: Params(task="classify", label=label).classes for label in LABELS}
    assert count == {"shape": 3, "shape-scale": 12, "position": 16, "all": 54, "random": PARTITION}


def test_a_random_deal_is_that_of_its_seed_and_fair():
    p, z = Params(task="classify", label="random"), latents(1, 20_000, 5).expand(3, -1, -1)
    labels = Labels(p, [7, 8, 7], "cpu")
    y = labels(z)
    assert torch.equal(y[0], y[2]) and torch.equal(y[:1], Labels(p, [7], "cpu")(z[:1]))
    assert (y[0] == y[1]).double().mean() == pytest.approx(1 / PARTITION, abs=0.01)
    fine = 3 * 6 * 8 * 8 * 8
    assert labels.dealt.shape == (3, fine)
    often = labels.dealt[0].bincount(minlength=PARTITION).double() / fine * PARTITION
    assert 0.75 < often.min() and often.max() < 1.25  # 288 cells each, give or take four errors
    seen = y[0].bincount(minlength=PARTITION).double() / z.shape[1] * PARTITION
    assert 0.6 < seen.min() and seen.max() < 1.4


def test_other_classes_have_nothing_to_do_with_the_seed():
    p, z = Params(task="classify", label="all"), latents(1, 500, 5).expand(2, -1, -1)
    y = Labels(p, [0, 1], "cpu")(z)
    assert torch.equal(y[0], y[1])


# --- the setting ------------------------------------------------------------------------------


def test_what_is_left_open_is_filled_in():
    assert [Params(world=world).k for world in ("masks", "scene", "sprites")] == [3, 5, 3]
    assert [Params(world=w, n_factors=10).k for w in ("masks", "scene", "sprites")] == [4, 10, 5]
    p = Params(world="scene", n_factors=2)
    assert p.seen.varied == ("x", "y") and p.d == p.encoded == 2
    assert Params(n_factors=2, d_hat=7).encoded == 7
    assert Params(method="supervised", d_hat=7).encoded == 3
    classes = Params(task="classify", n_factors=2)
    assert (classes.k, classes.encoded, classes.seen.name) == (5, 8, "sprites")
    assert Params(task="classify", d_hat=12).encoded == 12
    assert Params().step_size == 0.1 and Params(world="scene").step_size == 0.15
    assert Params(world="scene", spread=0.3).step_size == 0.3


def test_circles_are_opened_for_pairs_and_closed_for_classes():
    kinds = {f.name: f.kind for f in Params(world="sprites", n_factors=4).seen.factors}
    assert kinds == dict.fromkeys(("x", "y", "scale", "rotation"), "ordinal")
    kinds = {f.name: f.kind for f in Params(task="classify").seen.factors}
    assert kinds["rotation"] == "circular" and kinds["shape"] == "categorical"


def test_pairs_of_the_scene_are_stored_and_others_where_that_is_asked_for():
    assert Params().stored is None and Params(world="sprites").stored is None
    assert Params(world="scene").stored == STORED
    assert Params(pairs=512).stored == Params(world="scene", pairs=512).stored == 512


@pytest.mark.parametrize("transition", ["laplace", "normal"])
def test_the_model_has_the_temperature_of_the_steps_moments(transition):
    p = Params(transition=transition, spread=0.04)
    far = torch.zeros(1, 100_000, 3)  # from the walls
    step = sampler([p.law], 3).around(far, Noise([0], "data", "cpu")).double()
    assert Params(transition=transition, spread=0.04, p=1).model_tau == pytest.approx(
        float(step.abs().mean()), rel=0.01
    )
    assert Params(transition=transition, spread=0.04, p=2).model_tau == pytest.approx(
        2 * float(step.square().mean()), rel=0.03
    )
    assert Params(transition=transition, tau=0.7).model_tau == 0.7


def test_the_temperature_falls_over_the_first_half():
    one = taught(0, (0,), {"warm": (1.0, 9.0)}, tau=0.2, steps=40)
    for t, times in ((0, 9.0), (10, 3.0), (20, 1.0), (30, 1.0), (40, 1.0)):
        torch.testing.assert_close(one._tau(t), torch.tensor([0.2, 0.2 * times]))
        torch.testing.assert_close(one._tau(torch.tensor(float(t))), one._tau(t))


SPELT = {
    "pairs": {"n_factors": 3, "d_hat": 3, "spread": 0.1, "tau": 0.1},
    "the scene's": {"world": "scene", "n_factors": 5, "d_hat": 5, "spread": 0.15, "pairs": STORED},
    "a normal step's": {"transition": "normal", "p": 2, "tau": 2 * 0.1**2},
    "classes": {"task": "classify", "d_hat": 8},
}


@pytest.mark.parametrize("setting", SPELT.values(), ids=SPELT)
def test_what_spells_out_a_default_is_no_choice(setting):
    p = Params(**setting)
    assert p.chosen().keys() <= {"world", "transition", "p", "task"}
    assert Params.model_validate(p.chosen()).chosen() == p.chosen()
    others = {"n_factors": 4, "d_hat": 6, "spread": 0.2, "tau": 0.9, "pairs": 512}
    for name in others.keys() - p.inactive():  # while what is another value is one
        assert Params(**{**setting, name: others[name]}).chosen()[name] == others[name]


OTHERWISE = {  # another value of every field
    "task": "classify", "world": "sprites", "n_factors": 2, "transition": "normal",
    "method": "slowvae", "space": "box", "p": 2, "label": "position", "d_hat": 5, "spread": 0.2,
    "tau": 0.3, "warm": 3.0, "gamma": 2.0, "rate": 3.0, "encoder": "conv", "pairs": 256,
    "width": 24, "depth": 2, "batch": 40, "steps": 7, "learning_rate": 5e-3,
}  # fmt: skip
KINDS = {
    "contrastive": ({}, {"label", "gamma", "rate"}),
    "convolutions": ({"encoder": "conv"}, {"label", "gamma", "rate", "depth"}),
    "slow": ({"method": "slowvae"}, {"label", "space", "p", "tau", "warm"}),
    "slow convolutions": (
        {"method": "slowvae", "encoder": "conv"}, {"label", "space", "p", "tau", "warm"}),
    "told": ({"method": "supervised"}, {"label", "gamma", "rate", "space", "p", "tau", "warm",
                                        "d_hat", "transition", "spread"}),
    "classes": ({"task": "classify"}, {"world", "n_factors", "transition", "spread", "method",
                                       "space", "p", "tau", "pairs", "warm", "gamma", "rate"}),
}  # fmt: skip


class Unseen:
    """No evaluation set, for what is about updates alone."""

    def __init__(self, space, z, g, f, d_hat):
        self.drawn, self.z_drawn, self.net = z[:, :1], z.numpy(), z.numpy()


@pytest.fixture
def unscored(monkeypatch):
    monkeypatch.setattr(pairs, "Evaluation", Unseen)
    monkeypatch.setattr(sprite_classes, "Evaluation", Unseen)
    monkeypatch.setattr(pixels.Learner, "_final_scores", lambda self: [{}])
    for learner in (pixels.Learner, sprite_classes.OfClasses):
        monkeypatch.setattr(learner, "_baselines", lambda *_: {})


def numbers(**params):
    """Losses of two updates and the weights after them."""
    one = pixels.start(members((0,), **params), "cpu")
    losses = [float(one.step(t)) for t in range(2)]
    return losses, [weight.tolist() for weight in one.descend.parameters]


@pytest.mark.parametrize(("setting", "off"), KINDS.values(), ids=KINDS)
def test_what_is_greyed_out_changes_nothing(setting, off, unscored):
    p = Params(**{**TINY, **setting})
    assert set(OTHERWISE) == set(Params.model_fields) and p.inactive() == off
    assert numbers(**setting) == numbers(**setting, **{name: OTHERWISE[name] for name in off})


@pytest.mark.parametrize(
    "name", sorted(OTHERWISE.keys() - KINDS["contrastive"][1] - {"world", "task"})
)
def test_what_acts_on_pairs_does(name, unscored):
    assert numbers()[0] != numbers(**{name: OTHERWISE[name]})[0] or name == "steps"


@pytest.mark.parametrize("name", ["d_hat", "transition", "spread", "gamma", "rate", "depth"])
def test_what_acts_on_slow_pairs_does(name, unscored):
    assert numbers(method="slowvae")[0] != numbers(method="slowvae", **{name: OTHERWISE[name]})[0]


@pytest.mark.parametrize("name", ["label", "d_hat", "width", "depth", "batch", "learning_rate"])
def test_what_acts_on_classes_does(name, unscored):
    assert numbers(task="classify")[0] != numbers(task="classify", **{name: OTHERWISE[name]})[0]


def test_what_makes_a_run_longer_is_counted():
    work = scenario.work
    base = work(Params())
    for longer in ({"steps": 800}, {"batch": 256}, {"width": 256}, {"world": "scene"},
                   {"encoder": "conv"}, {"method": "slowvae"}):  # fmt: skip
        assert work(Params(**longer)) > base, longer
    assert work(Params(method="supervised")) < base
    assert work(Params(world="scene", pairs=256)) < work(Params(world="scene"))
    classes = work(Params(task="classify"))
    assert work(Params(task="classify", label="all")) > classes
    conv = {"encoder": "conv"}
    assert work(Params(**conv, depth=6)) == work(Params(**conv))  # it has no such layers


# --- what is promised -------------------------------------------------------------------------

BROKEN = {
    "codes anywhere": ({}, {"space"}),
    "codes on a sphere": ({"space": "sphere"}, {"space"}),
    "another law": ({**BOXED, "transition": "normal"}, {"p"}),
    "no axes": ({**BOXED, "transition": "normal", "p": 2}, {"p"}),
    "codes to spare": ({**BOXED, "d_hat": 4}, {"d_hat"}),
    "too few codes": ({**BOXED, "d_hat": 2}, {"d_hat"}),
    "told": ({"method": "supervised"}, {"method"}),
    "slow": ({"method": "slowvae"}, {"method"}),
    "slow, with codes to spare": ({"method": "slowvae", "d_hat": 9}, {"method", "d_hat"}),
    "classes": ({"task": "classify"}, {"task", "world"}),
}


@pytest.mark.parametrize(("setting", "fields"), BROKEN.values(), ids=BROKEN)
def test_what_breaks_an_assumption_is_said_and_nothing_is_promised(setting, fields):
    p = Params(**setting)
    said = scenario.notices(p)
    assert {notice.field for notice in said} == fields and len(said) == len(fields)
    promise = scenario.promise(p)
    assert promise.missing and not promise.judges and not promise.kept(1.0)
    assert "Nothing is promised here" in promise.said


def test_the_theorem_promises_the_factors_one_by_one():
    p = Params(**BOXED)
    promise = scenario.promise(p)
    assert scenario.notices(p) == () and promise.judges and promise.missing == ()
    assert (promise.up_to, promise.score) == ("permutation", "mcc")
    assert promise.kept(0.96) and not promise.kept(0.94)
    both = scenario.promise(Params(**BOXED, p=2)).missing  # of a Laplace step
    assert len(both) == 2 and any("p ≠ 2" in words for words in both)
    classes = scenario.promise(Params(task="classify"))
    assert classes.score == "label_accuracy" and classes.bound is None


def test_more_factors_than_a_world_has_are_said():
    (said,) = scenario.notices(Params(**BOXED, n_factors=9))
    assert said.field == "n_factors" and "4 factors" in said.text
    assert scenario.notices(Params(**BOXED, n_factors=4)) == ()


def test_the_twin_is_told_and_forgets_what_it_does_not_read():
    for own in ({}, {**BOXED, "p": 2, "tau": 0.3, "transition": "normal"}, {"method": "slowvae"}):
        assert Params(**own).supervised_twin == Params(method="supervised")
    twin = Params(world="scene", encoder="conv", width=64, pairs=512, d_hat=9).supervised_twin
    assert twin == Params(world="scene", encoder="conv", width=64, pairs=512, method="supervised")
    assert not twin.unsupervised and twin.supervised_twin is None
    assert Params(task="classify").supervised_twin is None


# --- learners ---------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", [{}, {"world": "scene", "n_factors": 2}])
def test_the_album_holds_pictures_of_its_own_pairs(setting, monkeypatch):
    drawn, positives = [], pixels.InFlat.positives

    def watched(self, z, noise):
        drawn.append((z, positives(self, z, noise)))
        return drawn[-1][1]

    monkeypatch.setattr(pixels.InFlat, "positives", watched)
    one = taught(0, pairs=256, **setting)
    (first, second), z = one.album
    assert first.dtype == second.dtype == torch.uint8 and z.shape[:2] == (2, 256)
    assert torch.equal(drawn[-1][0], z)  # it was drawn last
    for pictures, of in zip((first, second), drawn[-1], strict=True):
        off = (pictures.double() / LEVELS - one.camera(of).double()).abs()
        assert off.max() < 0.5 / LEVELS
    assert not torch.equal(first, second)

    count = len(drawn)
    x, told = one._seen()
    assert len(drawn) == count and x.dtype == torch.float32  # nothing is drawn anew
    for i in range(2):
        anchors, views = x[i].chunk(2)
        for anchor, view, its in zip(anchors, views, told[i], strict=True):
            (j,) = (z[i] == its).all(1).nonzero()[:, 0].tolist()
            torch.testing.assert_close(anchor, first[i, j].float() / LEVELS)
            torch.testing.assert_close(view, second[i, j].float() / LEVELS)


def test_an_album_is_not_of_members_but_of_seeds_and_of_anchors_alone_where_they_are_told():
    a, b = (taught(0, seeds, pairs=256).album for seeds in ((0, 5), (5,)))
    assert torch.equal(a[1][1], b[1][0]) and torch.equal(a[0][1][1], b[0][1][0])
    assert not torch.equal(a[1][0], a[1][1])
    (pictures,), z = taught(0, pairs=256, method="supervised").album
    assert len(pictures) == len(z) == 2
    assert taught(0).album is None


def test_second_pictures_are_a_step_away_and_inside_the_walls():
    world = taught(0, spread=0.05, transition="normal").world
    z = world.latents(20_000, Noise([0, 1], "data", "cpu"))
    assert -1 <= z.min() < -0.99 and 0.99 < z.max() <= 1 and abs(float(z.mean())) < 0.02
    near = world.positives(z, Noise([2, 3], "data", "cpu"))
    inside = z.abs() < 0.7
    assert float((near - z)[inside].std()) == pytest.approx(0.05, rel=0.03)
    assert near.abs().max() <= 1


@pytest.mark.parametrize("space", ["unbounded", "box", "sphere"])
def test_codes_live_where_they_are_said_to(space):
    one = taught(0, seeds=(0,), vary={"spread": (0.1, 0.4)}, space=space)
    code = torch.from_numpy(one.evaluation.encode(one.evaluation.x)).double()
    if space == "sphere":
        torch.testing.assert_close(code.norm(dim=-1), torch.ones(2, EVALUATED).double())
        return
    if space == "box":
        assert code.min() > 0 and code.max() < 2  # as wide as the latents' box
        code = (code / (2 - code)).log()
    deviation = 3**-0.5 * (1.5 if space == "box" else 1)  # that of U(-1, 1), at any step
    for i in range(2):
        covariance = torch.cov(code[i].T) / deviation**2
        torch.testing.assert_close(covariance, torch.eye(3).double(), atol=0.25, rtol=0)
        assert code[i].mean(0).abs().max() < 0.15 * deviation


def test_the_floor_is_below_the_loss_and_of_contrastive_learning_alone():
    known = {}
    for method in ("contrastive", "slowvae", "supervised"):
        one = taught(1, (0,), method=method)
        known[method] = one.baselines[0]["loss_floor"], one.finish()[0]["loss"]
    floor, loss = known["contrastive"]
    assert 0 < floor < np.log(33) and floor < loss  # codes start wide: above a guess's loss
    assert known["slowvae"][0] is None and known["supervised"][0] is None


def test_the_slow_loss_is_that_of_both_pictures_and_of_how_codes_move():
    """Of the closed forms' own terms, each by its distribution, at the same noise."""
    one = taught(1, vary={"gamma": (1.0, 5.0)}, seeds=(0,), method="slowvae")
    x, _ = one._seen()
    state = one.data.generators[0].get_state()
    found = one._slow(one.f, x).detach()
    one.data.generators[0].set_state(state)
    mean, log_variance = one.f.encoder(x).detach().chunk(2, -1)
    code = mean + (log_variance / 2).exp() * one.data.normal(64, 3)
    shown = one.f.decoder(code).sigmoid().detach().double()
    missed = -(x * shown.log() + (1 - x) * (1 - shown).log()).sum(-1)
    q = torch.distributions.Normal(mean, (log_variance / 2).exp())
    prior = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(-1)
    step = torch.distributions.Laplace(code[:, :32], 1 / 6.0)
    draws = mean[:, 32:] + (log_variance[:, 32:] / 2).exp() * torch.randn(4000, 2, 32, 3)
    log_q = torch.distributions.Normal(mean[:, 32:], (log_variance[:, 32:] / 2).exp())
    moved = (log_q.log_prob(draws) - step.log_prob(draws)).sum(-1).mean((0, 2))
    expected = 2 * missed.mean(1) + prior[:, :32].mean(1) + torch.tensor([1.0, 5.0]) * moved
    torch.testing.assert_close(found.double(), expected.double(), rtol=1e-3, atol=0.05)


@pytest.mark.parametrize(
    "setting",
    [{}, {"world": "scene", "pairs": 256}, {"method": "slowvae"}, {"task": "classify"}],
    ids=["pairs", "an album", "slow", "classes"],
)
def test_no_picture_is_kept_with_a_result(setting):
    (result,) = train_group(members((0,), **setting), device="cpu")
    pairs = setting.get("task") != "classify"
    assert result.world.keys() == ({"z_pos"} if pairs else set())
    side = members((0,), **setting)[0].params
    assert max(a.shape[-1] for a in (result.z, result.z_hat)) == max(side.k, side.encoded)
    assert not result.moving and not result.diverged and result.sound == len(result.frame_step)


def test_every_factor_has_a_score_of_pixels_of_the_start_and_of_the_end():
    one = taught(2, world="sprites", n_factors=5)
    final, names = one.finish(), one.settings[0].seen.varied
    for i in range(2):
        code, z = one.evaluation.features(i), one.evaluation.z[i]
        expected = by_factor(one.settings[0].seen, z, code)
        assert {name: final[i][f"factor_{name}"] for name in names} == expected
        raw = by_factor(one.settings[0].seen, z, readable(one.settings[0], one.evaluation.raw_x(i)))
        assert {name: one.baselines[i][f"raw_factor_{name}"] for name in names} == raw
        start = [one.baselines[i][f"untrained_factor_{name}"] for name in names]
        assert start != list(expected.values()) and len(start) == 5
        assert one.baselines[i]["raw_linear_r2"] == metrics.linear_r2(
            z, readable(one.settings[0], one.evaluation.raw_x(i))
        )


def test_classes_are_scored_on_the_half_that_fits_nothing():
    one = taught(3, task="classify", label="all")
    for i, found in enumerate(one.finish()):
        code, z = one.evaluation.features(i), one.evaluation.z[i]
        arrays = one.whole(i)
        said = (code @ arrays["w"] + arrays["b"]).argmax(1)
        y = cells("all", z.astype(float))
        right = said[HALF:] == y[HALF:]
        assert found["label_accuracy"] == pytest.approx(right.mean(), abs=2e-3)
        assert found["label_accuracy_low"] < found["label_accuracy"] < found["label_accuracy_high"]
        often = np.bincount(arrays["y"][HALF:]).max() / HALF
        assert one.baselines[i]["chance"] == often
        rng, half = np.random.default_rng(0), one._said(i, code)
        by_luck = [(arrays["y"][HALF:] == half[rng.permutation(HALF)]).mean() for _ in range(5)]
        assert found["null_label_accuracy"] == pytest.approx(np.mean(by_luck))
        rng = np.random.default_rng(0)
        lost = [by_factor(one.p.seen, z, code[rng.permutation(len(z))]) for _ in range(5)]
        for name in lost[0]:
            mean = np.mean([row[name] for row in lost])
            assert found[f"null_factor_{name}"] == pytest.approx(mean)
            assert mean < (0.5 if name == "shape" else 0.05)
        expected = by_factor(one.p.seen, z, code)
        assert {name: found[f"factor_{name}"] for name in expected} == expected
        for way, intercept in (("r", True), ("r_bare", False)):
            r = correlations(one.p.seen, z, code, intercept)
            assert {name: found[f"{way}_{name}"] for name in r} == r
        for of in ("raw_", "untrained_"):
            assert {f"{of}factor_x", f"{of}r_x", f"{of}r_bare_x", f"{of}mcc"} <= (
                one.baselines[i].keys()
            )


@pytest.mark.parametrize(
    "setting",
    [{}, {"space": "box"}, {"method": "slowvae"}, {"method": "supervised"}, {"task": "classify"}],
    ids=["pairs", "box", "slow", "told", "classes"],
)
def test_codes_that_diverged_have_no_scores_and_the_other_member_has_its_own(setting):
    one, healthy = taught(2, **setting), taught(2, **setting).finish()
    with torch.no_grad():
        for name, parameter in one.f.named_parameters():
            if "decoder" not in name:
                parameter[1] = torch.nan
    sound, broken = one.finish()
    assert sound == healthy[0]
    assert broken.keys() == healthy[1].keys()
    assert set(broken.values()) == {None}
    scores = one.observe().scores
    assert all(np.isfinite(v[0]) and np.isnan(v[1]) for v in scores.values())


COMPANY = {
    "pairs": members((0, 3), {"spread": (0.05, 0.2), "warm": (1.0, 5.0)}),
    "slow pairs": members((2, 0), {"gamma": (1.0, 10.0)}, method="slowvae", n_factors=4),
    "convolutions": members((1, 0), encoder="conv", d_hat=5, n_factors=2, **BOXED),
    "the scene": members((4, 1), world="scene", pairs=256, space="sphere", p=2),
    "told": members((1, 0), world="sprites", n_factors=5, method="supervised"),
    "classes": members((5, 0, 1), task="classify", label="random"),
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
        for name, value in alone.scores.items():
            assert result.scores[name] == (
                None if value is None else pytest.approx(value, rel=2e-6, abs=1e-9)
            ), name


# --- what is found ----------------------------------------------------------------------------


def trained(seeds=(0, 1), **params):
    """Scores of whole runs."""
    group = groups(Experiment(Params(**params), "pixels", tuple(seeds)).members)[0]
    return [result.scores for result in train_group(group, device="cpu")]


def test_a_laplace_step_finds_the_factors_one_by_one():
    for found in trained():
        assert found["mcc"] >= 0.98 and found["mcc_low"] > 0.95
        assert min(found[f"factor_{name}"] for name in ("x", "y", "size")) > 0.9
        assert found["untrained_mcc"] < 0.9


def test_a_model_that_knows_no_axes_finds_them_mixed():
    for found in trained(transition="normal", p=2):
        assert found["linear_r2"] >= 0.98 and found["mcc"] <= 0.92


def test_what_makes_the_class_is_kept_and_what_does_not_is_lost():
    kept = {label: trained(task="classify", label=label, learning_rate=5e-3)
            for label in ("position", "shape-scale")}  # fmt: skip
    for found in kept["position"]:
        place = (found["factor_x"] + found["factor_y"]) / 2  # in a line; of its class all
        assert place > 0.5 and found["factor_scale"] < 0.2 and found["label_accuracy"] > 0.9
    for found in kept["shape-scale"]:
        place = (found["factor_x"] + found["factor_y"]) / 2
        assert place < 0.25 and found["factor_scale"] > 0.85
        assert found["label_accuracy"] > 0.3 > 2 * found["null_label_accuracy"]


def test_told_factors_are_learnt_and_slow_codes_lose_less_and_less():
    (told,) = trained((0,), method="supervised", steps=150)
    assert told["linear_r2"] > 0.95 and told["loss"] < 0.02
    (result,) = train_group(
        members((0,), method="slowvae", steps=120, batch=64, learning_rate=5e-3), device="cpu"
    )
    assert result.loss[-10:].mean() < 0.6 * result.loss[:3].mean()
    assert result.scores["loss"] < 0.6 * result.loss[0] and np.isfinite(result.loss).all()


@pytest.mark.parametrize(("channels", "size"), [(1, 2), (3, 2), (1, 4)])
def test_blocks_of_pixels_are_pooled_as_pytorch_pools_them(channels, size):
    x = torch.rand(6, channels, 32, 32, generator=generator(0, "data"))
    assert torch.equal(camera.pooled(x, size), nn.functional.avg_pool2d(x, size))
