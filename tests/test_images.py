"""Pictures are functions of their factors: of all of them, of nothing else, and smoothly."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from core.images.render import GREY, hidden, render, seen
from core.images.world import Factor, categories
from core.images.worlds import FIVE, GRID, MASKS, SCENE, SEVEN, SPRITES, WORLDS

STRIDING = MASKS.only("x", "y", "size", "stride")
IDENT = SCENE.opened(0.5)
EVERY = [
    pytest.param(SPRITES, id="sprites"),
    pytest.param(SCENE, id="scene"),
    pytest.param(IDENT, id="scene on arcs"),
    pytest.param(SCENE.only(*FIVE), id="scene of five"),
    pytest.param(SCENE.only(*SEVEN), id="scene of seven"),
    pytest.param(MASKS, id="masks"),
    pytest.param(STRIDING, id="masks striding"),
]
each_world = pytest.mark.parametrize("world", EVERY)


def latents(world, n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.rand(n, len(world.varied), generator=generator) - 1


def at(world, **values):
    """Latents (1, k): these values in the factors' units, 0 for the others."""
    z = torch.zeros(1, len(world.varied))
    for i, factor in enumerate(world.factors):
        if factor.name in values:
            z[0, i] = factor.latent(values[factor.name])
    return z


def apart(a, b):
    """The largest difference of a pixel, image by image."""
    return (a - b).abs().flatten(1).amax(1)


@each_world
@pytest.mark.parametrize("side", (8, 32, 65))
def test_images_have_their_shape_and_values_between_black_and_white(world, side):
    images = render(world, latents(world, 20), side)
    assert images.shape == (20, side, side) + ((3,) if world.channels == 3 else ())
    assert images.dtype == torch.float32
    assert 0 <= images.min() < images.max() <= 1
    assert render(world, latents(world, 2)).shape[1:3] == (world.side, world.side)


@each_world
def test_an_image_is_the_same_to_the_bit_alone_and_in_company(world):
    z = latents(world, 150)  # more than are drawn at once
    together = render(world, z)
    assert torch.equal(render(world, z), together)
    for i in (0, 1, 63, 64, 149):
        assert torch.equal(render(world, z[i : i + 1])[0], together[i])
    assert torch.equal(render(world, z[7:80]), together[7:80])


@each_world
def test_members_and_arrays_are_drawn_alike(world):
    z = latents(world, 6)
    flat = render(world, z)
    assert torch.equal(render(world, z.view(2, 3, -1)), flat.view(2, 3, *flat.shape[1:]))
    assert torch.equal(render(world, z.numpy()), flat)
    assert torch.equal(render(world, z[0]), flat[0])
    assert len(render(world, z[:0])) == 0


@each_world
def test_walls_of_the_latents_are_drawn_without_a_blank_or_broken_picture(world):
    corners = latents(world, 200, seed=1).sign()
    images = render(world, corners)
    assert images.isfinite().all()
    assert images.flatten(1).std(1).min() > 0.02


@each_world
def test_other_factors_give_another_picture(world):
    images = render(world, latents(world, 300)).flatten(1).numpy()
    assert pdist(images, "chebyshev").min() > GREY


@each_world
def test_a_small_step_changes_a_picture_a_little_and_every_factor_does(world):
    z = latents(world, 60)
    here = render(world, z)
    for i, factor in enumerate(world.factors):
        if factor.kind == "categorical":
            continue
        step, half = z.clone(), z.clone()
        step[:, i] = (z[:, i] + 1e-3).clamp(max=1)
        change = (render(world, step) - here).flatten(1).norm(dim=1)
        assert change.max() < 0.5, factor.name
        half[:, i] += (step - z)[:, i] / 8
        smaller = (render(world, half) - here).flatten(1).norm(dim=1)
        assert smaller.mean() < 0.3 * change.mean(), factor.name
        assert (change > 1e-6).float().mean() > 0.8, factor.name


@each_world
def test_circles_close_and_lines_do_not(world):
    z = latents(world, 20)
    for i, factor in enumerate(world.factors):
        low, high = z.clone(), z.clone()
        low[:, i], high[:, i] = -1, 1
        change = apart(render(world, low), render(world, high))
        if factor.kind == "circular":
            assert change.max() < 1e-4, factor.name  # rounding of 2 pi
        else:
            assert change.min() > GREY, factor.name


def test_circular_factors_are_named_as_such():
    circles = {w.name: {f.name for f in w.every if f.kind == "circular"} for w in WORLDS.values()}
    assert circles["sprites"] == {"rotation"} and circles["masks"] == set()
    assert circles["scene"] == {"turn", "pitch", "roll", "spot_angle", "object_hue", "spot_hue",
                                "backdrop_hue"}  # fmt: skip
    assert all(factor.kind == "ordinal" for factor in IDENT.factors)
    assert IDENT.factors[7].low == pytest.approx(-np.pi / 2)


# sprites


@pytest.mark.parametrize(
    ("shape", "fold"),
    [(0, 4), (1, 2), (2, 1)],
    ids=["square", "ellipse", "heart"],
)
def test_a_sprite_turned_by_its_symmetry_is_itself_and_by_less_is_not(shape, fold):
    angles = torch.linspace(-3, 0.1, 7)
    z = at(SPRITES, shape=shape).repeat(7, 1)
    turned = z.clone()
    z[:, 2] = SPRITES.factors[2].latent(angles)
    for share, same in ((1.0, True), (0.5, False), (0.25, False)):
        angle = angles + share * 2 * np.pi / fold
        turned[:, 2] = SPRITES.factors[2].latent((angle + np.pi) % (2 * np.pi) - np.pi)
        change = apart(render(SPRITES, z), render(SPRITES, turned))
        assert (change.max() < 1e-4) if same else (change.min() > 0.1)


def test_each_pair_of_shapes_differs_wherever_and_however_they_lie():
    z = latents(SPRITES, 100)
    shapes = []
    for shape in range(3):
        z[:, 0] = SPRITES.factors[0].latent(shape)
        shapes.append(render(SPRITES, z))
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert apart(shapes[a], shapes[b]).min() > 0.3


@pytest.mark.parametrize("shape", range(3), ids=["square", "ellipse", "heart"])
def test_ink_of_a_sprite_is_its_area_and_grows_with_the_square_of_its_scale(shape):
    area = (0.6**2, np.pi * 0.4 * 0.22, 0.29**2 * (2 + np.pi / 2))[shape]
    for scale in (0.5, 1.0):
        for rotation in (0.0, 0.7):
            z = at(SPRITES, shape=shape, scale=scale, rotation=rotation, x=0.013, y=-0.2)
            ink = 4 * render(SPRITES, z, 64).mean()
            # the ellipse's distance is of first order, a heart's notch is sharper than a pixel
            assert ink == pytest.approx(area * scale**2, rel=0.02)


def test_a_sprites_middle_is_where_its_factors_say():
    z = at(SPRITES, shape=1, scale=0.7, rotation=0.4, x=0.31, y=-0.17)
    image = render(SPRITES, z, 64)[0]
    centres = (torch.arange(64) + 0.5) / 32 - 1
    assert (image.sum(0) @ centres) / image.sum() == pytest.approx(0.31, abs=2e-3)
    assert (image.sum(1) @ -centres) / image.sum() == pytest.approx(-0.17, abs=2e-3)


def test_a_sprite_turns_counterclockwise():
    z = at(SPRITES, shape=1, scale=1.0, rotation=0.5)
    image = render(SPRITES, z)[0]
    # of the long axis, which lies along x at 0: upper right and lower left
    assert image[:16, 16:].sum() > 1.5 * image[:16, :16].sum()


def test_the_grid_is_dsprites_and_all_values_of_a_factor_differ():
    assert np.prod(GRID) == 737_280
    for i, count in enumerate(GRID):
        z = at(SPRITES, shape=2).repeat(count, 1)
        ends = count + 1 if SPRITES.factors[i].kind == "circular" else count
        z[:, i] = torch.linspace(-1, 1, ends)[:count]
        images = render(SPRITES, z)
        assert pdist(images.flatten(1).numpy(), "chebyshev").min() > 10 * GREY


def shifted(world, n, pixels, most):
    """n pictures with x at `most` or less, and the same moved to the right by so many pixels."""
    z = latents(world, n)
    x = world.varied.index("x")
    z[:, x].clamp_(max=most)
    moved = z.clone()
    moved[:, x] += pixels * 2 / world.side / world.factors[x].high
    return render(world, z), render(world, moved)


@pytest.mark.parametrize("world", [SPRITES, STRIDING], ids=["sprites", "masks"])
def test_a_shift_by_a_tenth_of_a_pixel_shows_in_every_picture(world):
    change = apart(*shifted(world, 100, 0.1, 0.8))
    assert change.min() > 0.02 and change.max() < 0.25  # no pixel flips


@pytest.mark.parametrize("world", [SPRITES, STRIDING], ids=["sprites", "masks"])
def test_a_shift_by_whole_pixels_moves_the_picture(world):
    before, after = shifted(world, 30, 3, 0.3)
    torch.testing.assert_close(after[:, :, 3:], before[:, :, :-3], atol=1e-4, rtol=0)


# masks


def test_a_walker_is_as_high_as_its_size_says_and_stands_where_it_says():
    for size in (0.35, 0.55):
        z = at(STRIDING, x=0.1, y=0.05, size=np.log(size))
        image = render(STRIDING, z, 128)[0]
        rows = torch.nonzero(image.amax(1) > 0.5).flatten()
        assert (rows[-1] - rows[0] + 1) / 128 == pytest.approx(size, abs=0.03)
        assert (rows[-1] + rows[0]) / 128 - 1 == pytest.approx(-0.05, abs=0.04)
        centres = (torch.arange(128) + 0.5) / 64 - 1
        assert (image.sum(0) @ centres) / image.sum() == pytest.approx(0.1, abs=2e-3)


def test_a_stride_opens_the_legs_only():
    z = at(STRIDING, size=np.log(0.58)).repeat(2, 1)
    z[:, 3] = torch.tensor([-1.0, 1.0])
    stand, walk = render(STRIDING, z, 64)
    assert torch.equal(stand[:32], walk[:32])
    assert (walk[40:].amax(0) > 0.5).sum() > 1.5 * (stand[40:].amax(0) > 0.5).sum()


# the scene


def middle(image, reach=3):
    half = len(image) // 2
    return image[half - reach : half + reach, half - reach : half + reach].mean((0, 1))


@pytest.mark.parametrize(("hue", "channel"), [(0.0, 0), (2 * np.pi / 3, 1), (-2 * np.pi / 3, 2)],
                         ids=["red", "green", "blue"])  # fmt: skip
def test_hues_are_of_the_object_and_of_the_wall(hue, channel):
    z = torch.cat([at(SCENE, object_hue=hue, spot_hue=hue), at(SCENE, backdrop_hue=hue)])
    body, wall = render(SCENE, z)
    assert middle(body).argmax() == channel
    assert wall[:3].mean((0, 1)).argmax() == channel


@pytest.mark.parametrize("angle", (0.0, np.pi / 2), ids=["right or left", "above or below"])
def test_the_spotlights_side_is_the_brighter_one_and_the_shadow_falls_on_the_other(angle):
    z = torch.cat([at(SCENE, spot_angle=angle), at(SCENE, spot_angle=angle - np.pi)])
    one, other = render(SCENE, z, 64).mean(-1)
    difference = one - other if angle == 0 else (one - other).T.flip(1)
    assert difference[26:38, 34:42].mean() > 0.02 > -0.02 > difference[26:38, 22:30].mean()
    assert (
        difference[26:38, 53:57].mean() > 0.02 > -0.02 > difference[26:38, 7:11].mean()
    )  # the wall


@pytest.mark.parametrize(
    ("angles", "row", "column"),
    [({}, 0, -1), ({"roll": np.pi / 2}, 1, 0), ({"roll": -np.pi / 2}, -1, 0),
     ({"turn": 3.14}, 0, 1)],
    ids=["as it is", "rolled", "rolled back", "turned round"],
)  # fmt: skip
def test_the_teapot_turns_as_its_angles_say(angles, row, column):
    """Far from the middle there is more of the handle than of the spout, opposite."""
    known = {"turn": 0.0, "depth": -1.0, "object_hue": 0.0, "backdrop_hue": np.pi}
    image = render(SCENE, at(SCENE, **known | angles), 64)[0]
    rows, columns = torch.nonzero(image[..., 0] > image[..., 1]).float().sub(31.5).unbind(1)
    away = rows * row + columns * column
    handle, spout = (away > 16.5).sum(), (away < -16.5).sum()
    assert handle > 1.2 * spout


def test_turned_counterclockwise_seen_from_above_the_spout_points_away_and_up():
    known = {"depth": -1.0, "object_hue": 0.0, "backdrop_hue": np.pi}
    turned = torch.cat([at(SCENE, **known, turn=turn) for turn in (-0.6, 0.6)])
    images = render(SCENE, turned, 64)
    spout = (images[..., 0] > images[..., 1])[:, :, 46:]  # to the right of the body
    toward, away = (torch.nonzero(each)[:, 0].float().mean() for each in spout)
    assert away < toward - 3  # rows, from the top


def test_a_nearer_object_is_larger_and_positions_are_its_own():
    z = torch.cat([at(SCENE, depth=d, object_hue=0, backdrop_hue=np.pi) for d in (-0.8, 0, 0.8)])
    reddish = render(SCENE, z)[..., 0] > render(SCENE, z)[..., 1]
    near, mid, far = reddish.flatten(1).sum(1)
    assert near > 1.3 * mid > 1.6 * far > 0
    for name, axis, sign in (("x", 2, 1), ("y", 1, -1)):
        moved = torch.cat([at(SCENE, **{name: v}, object_hue=0.0, backdrop_hue=np.pi, spot_hue=0.0)
                           for v in (-0.2, 0.2)])  # fmt: skip
        image = render(SCENE, moved, 64)
        found = (image[..., 0] > image[..., 1]).float()
        centres = (torch.arange(64) + 0.5) / 32 - 1
        place = (found.sum(3 - axis) @ centres) / found.flatten(1).sum(1)
        assert sign * (place[1] - place[0]) == pytest.approx(0.4, abs=0.06)


def test_the_spotlight_colours_the_wall_about_the_teapot_but_not_its_own_shadow():
    both = [render(SCENE, at(SCENE, spot_hue=hue, spot_angle=0.0), 64)[0] for hue in (0.0, np.pi)]
    change = (both[0] - both[1]).abs().amax(-1)  # light from the right: the shadow lies to the left
    assert change[32, 6] < change[32, -7] and change[:2].max() < change[8:12, 30:34].min()


def test_what_rests_is_where_it_rests():
    five = SCENE.only(*FIVE)
    z = latents(five, 5)
    whole = torch.cat([
        at(SCENE, **{f.name: f.rest for f in SCENE.every}) for _ in range(5)
    ])  # fmt: skip
    whole[:, [SCENE.varied.index(name) for name in FIVE]] = z
    torch.testing.assert_close(render(five, z), render(SCENE, whole), atol=1e-4, rtol=0)


# factors


def test_latents_and_values_are_two_names_of_the_same():
    for world in WORLDS.values():
        z = latents(world, 50).double().numpy()
        values = world.values(z)
        for i, factor in enumerate(world.factors):
            assert (values[:, i] >= factor.low).all() and (values[:, i] <= factor.high).all()
            if factor.kind == "categorical":
                assert set(values[:, i]) == set(range(len(factor.classes)))
        np.testing.assert_allclose(world.values(world.latents(values)), values, atol=1e-12)


def test_a_categorys_bins_are_equal_and_closed():
    shape = categories("shape", "Shape", "a", "b", "c")
    found = shape.value(np.array([-1, -0.34, -0.33, 0, 0.33, 0.34, 1]))
    assert found.tolist() == [0, 0, 1, 1, 1, 2, 2]
    line = Factor("x", "x", "ordinal", 2.0, 6.0)
    assert line.value(np.array([-1, 0, 1])).tolist() == [2, 4, 6]


BAD = {
    "another number of factors": lambda: render(SPRITES, torch.zeros(3, 4)),
    "a number alone": lambda: render(SPRITES, torch.tensor(0.0)),
    "outside": lambda: render(MASKS, torch.tensor([[0.0, 0.0, 1.01]])),
    "not a number": lambda: render(MASKS, np.array([[0.0, 0.0, np.nan]])),
    "a tiny image": lambda: render(SCENE, latents(SCENE, 1), 4),
    "an unknown factor": lambda: SCENE.only("x", "smell"),
    "a factor twice": lambda: SCENE.only("x", "x"),
    "no factor": lambda: SCENE.only(),
    "no arc": lambda: SCENE.opened(0.0),
    "a whole circle": lambda: SCENE.opened(1.0),
    "values of another number": lambda: SPRITES.latents(np.zeros((2, 3))),
}


@pytest.mark.parametrize("call", BAD.values(), ids=BAD)
def test_bad_input_is_answered_by_a_sentence(call):
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        call()


@each_world
def test_what_is_named_hidden_changes_nothing_and_the_rest_is_seen(world):
    """Measured on the picture, not looked up: here one factor is given no room to move."""
    z = latents(world, 6)
    assert hidden(world, z) == [()] * 6
    still = tuple(replace(f, low=0.1, high=0.1) if f.name == "x" else f for f in world.every)
    held, x = replace(world, every=still), world.varied.index("x")
    assert hidden(held, z) == [("x",)] * 6
    moved = z.clone()
    moved[:, x] = -z[:, x]
    assert torch.equal(render(held, z), render(held, moved))
    assert seen(held, z)[:, x].max() == 0
    near, far = (seen(world, z, reach=reach) for reach in (0.04, 2.0))
    assert (near <= far + 0.15).float().mean() > 0.95 and near.mean() < far.mean() / 2
