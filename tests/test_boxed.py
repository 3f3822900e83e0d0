"""The picture of a box: what is carried along, matched or as learnt, and who stands for whom."""

from dataclasses import replace

import numpy as np
import pytest
from test_latent_view import unpack

from core import metrics
from core.run.experiment import Experiment
from core.run.worker import train_group
from core.scenarios import SCENARIOS
from ui import recovery
from ui.pairs import picture
from ui.player.plain import plain_figure
from ui.player.view import pack

Params = SCENARIOS["infonce_box"].Params
ALIGNED, LEARNT = (recovery.Choice(0, aligned, (0, 1, 2)) for aligned in (True, False))
SHORT = {"steps": 4, "batch": 32, "width": 8}


@pytest.fixture(scope="module", params=(2, 3, 4))
def run(request):
    params = Params(d=request.param, **SHORT)
    (result,) = train_group(Experiment(params, "infonce_box", (0,)).members, device="cpu")
    return recovery.Run.finished(result), params


def exchanged(run, turn=None):
    """The same run, its codes the latents in reverse order, one mirrored, scaled and shifted."""
    d = run.z.shape[1]
    map_ = np.fliplr(np.diag(np.r_[-2.0, np.full(d - 1, 0.5)])) if turn is None else turn
    codes = np.repeat((run.z @ map_ + 3)[None], len(run.z_hat), 0).astype(np.float32)
    net = np.repeat((run.net @ map_ + 3)[None], len(run.z_hat), 0).astype(np.float32)
    return replace(run, z_hat=codes, net_hat=net)


def test_a_code_that_is_the_latents_in_another_order_looks_like_the_truth(run):
    run, params = exchanged(run[0]), run[1]
    view = picture.view_of(run, params, ALIGNED)
    np.testing.assert_allclose(view.z_hat[-1], view.z, atol=1e-5)
    if view.net.size:
        # the cube's lines, up to what the drawn points' means and deviations leave
        np.testing.assert_allclose(view.net_hat[-1], view.net, atol=1e-4)
        corner = np.abs(view.net).max((0, 1))
        np.testing.assert_allclose(corner, picture.ROOM, rtol=1e-6)
    as_learnt = picture.view_of(run, params, LEARNT)
    assert np.abs(as_learnt.z_hat[-1] - as_learnt.z).mean() > 0.1


def test_a_turned_code_stays_turned_even_where_it_is_matched(run):
    run, params = run
    d = run.z.shape[1]
    c = np.sqrt(0.5)
    turn = np.eye(d)
    turn[:2, :2] = [[c, -c], [c, c]]
    for choice in (ALIGNED, LEARNT):
        view = picture.view_of(exchanged(run, turn), params, choice)
        assert np.abs(view.z_hat[-1] - view.z).mean() > 0.1


def test_the_flat_picture_has_no_globe_and_leaves_points_where_they_are(run):
    run, params = run
    view = picture.view_of(run, params, ALIGNED)
    message = pack(view, "key", 400)
    assert message["header"]["curved"] is False
    arrays = unpack(message)
    np.testing.assert_array_equal(arrays["z"], view.z.astype("f4"))
    if view.d == 2:
        np.testing.assert_array_equal(arrays["net"], view.net.astype("f4"))
        assert min(message["header"]["reach"]) >= picture.ROOM
    kinds = {trace["type"] for trace in plain_figure(view)["data"]}
    assert kinds == {"scatter" if view.d == 2 else "scatter3d"}


def test_a_picture_of_many_latents_draws_three_and_says_which(run):
    run, params = run
    view = picture.view_of(run, params, recovery.Choice(0, True, (1, 2, 3)))
    if params.d == 4:
        assert view.d == 3 and "coordinates 2, 3, 4 of 4" in view.note and not view.net.size
        onto, shift = metrics.generalised_permutation(run.z, run.z_hat[-1])
        moved = (run.z_hat[-1] @ onto + shift)[:, 1:] - 0.5
        np.testing.assert_allclose(view.z_hat[-1], moved * 2 * picture.ROOM, atol=1e-4)
    else:
        assert "of" not in view.note.split(";")[0] or "order" in view.note


def test_codes_that_are_lost_do_not_break_the_picture(run):
    run, params = run
    lost = replace(run, z_hat=np.full_like(run.z_hat, np.nan))
    for choice in (ALIGNED, LEARNT):
        assert picture.view_of(lost, params, choice).z_hat.shape == lost.z_hat[..., :3].shape
    still = replace(run, z_hat=np.ones_like(run.z_hat))
    for choice in (ALIGNED, LEARNT):
        assert np.isfinite(picture.view_of(still, params, choice).z_hat).all()
