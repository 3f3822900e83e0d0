"""The shipped gallery: what is packed comes back as drawn, damage is said once, a build resumes."""

import logging
from dataclasses import replace

import numpy as np
import pytest
from shell import logged
from test_store import member, result

from core import curate
from core.kept import packing
from core.run import archive, store
from core.run.archive import TABLE, Damaged, Gallery
from core.scenarios import SCENARIOS

RNG = np.random.default_rng(5)


def packed(folder, *results, page="page"):
    folder.mkdir(exist_ok=True)
    wanted = {r.member.key: (page, r.member) for r in results}
    archive.write(folder, wanted, {r.member.key: r for r in results})
    return Gallery(folder)


# ---- arrays


@pytest.mark.parametrize("moves", (False, True))
@pytest.mark.parametrize("curves", (False, True))
@pytest.mark.parametrize("dtype", ("f2", "f4"))
@pytest.mark.parametrize("scale", (1e-3, 1.0, 3e4))
def test_what_is_drawn_is_kept_to_a_tenth_of_a_pixel(moves, curves, dtype, scale):
    array = (scale * RNG.uniform(-1, 1, (7, 5, 20, 3))).astype(dtype)
    layout, data = packing.pack(array, moves, curves)
    again = packing.unpack(layout, packing.expand(packing.squeeze(data)))
    largest = np.abs(array.astype(float)).max()
    assert again.dtype == np.float32 and again.shape == array.shape
    assert len(data) == packing.size(layout) == 2 * array.size
    np.testing.assert_allclose(again, array.astype(float), atol=0.501 * largest / packing.STEPS)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(300),
        RNG.normal(size=(4, 3)).astype(np.float32),
        RNG.normal(size=(20, 9)).astype(np.float16),
        np.full((100, 3), np.nan, np.float32),
        np.zeros((0, 5, 3), np.float32),
    ],
    ids=["whole numbers", "few", "few a frame", "not finite", "none"],
)
def test_what_figures_compute_of_keeps_every_bit(array):
    layout, data = packing.pack(array, moves=True)
    again = packing.unpack(layout, data)
    assert again.dtype == array.dtype and len(data) == packing.size(layout)
    np.testing.assert_array_equal(again, array)


def test_what_hardly_moves_takes_little_room():
    still = np.repeat(RNG.normal(size=(1, 300, 3)), 30, 0).astype(np.float32)
    moving = RNG.normal(size=still.shape).astype(np.float32)
    sizes = [len(packing.squeeze(packing.pack(a, moves=True)[1])) for a in (still, moving)]
    assert sizes[0] < sizes[1] / 10


# ---- the table and the archives


def test_a_run_comes_back_with_its_scores_exact_and_its_pictures_as_drawn(tmp_path):
    before = replace(result(3, points=60), moving={"beta": np.arange(4.0)})
    gallery = packed(tmp_path / "g", before)
    again = gallery.get(before.member)
    assert again.scores == before.scores and again.scores["degree"] is None
    assert again.diverged == before.diverged and again.provenance["device"] == "cpu"
    assert again.provenance["scored"] == before.member.scored
    for name in ("loss_step", "loss", "history_step", "frame_step"):
        np.testing.assert_array_equal(getattr(again, name), getattr(before, name))
    for name, values in before.history.items():
        np.testing.assert_array_equal(again.history[name], values)
    np.testing.assert_array_equal(again.moving["beta"], before.moving["beta"])
    np.testing.assert_array_equal(again.world["v"], before.world["v"])
    for name in ("z", "z_hat"):
        a, b = (getattr(r, name).astype(float) for r in (again, before))
        np.testing.assert_allclose(a, b, atol=0.501 * np.abs(b).max() / packing.STEPS)
    record = gallery.record(before.member)
    assert record.scores == before.scores and record.steps == 5 and record.playable
    assert record == again.record
    end = packed(tmp_path / "end", before.thinned(1, 60))
    assert not end.record(before.member).playable and not end.get(before.member).playable


def test_what_runs_have_in_common_is_there_once(tmp_path):
    first = result(1, points=500)
    twin = replace(first, member=member(1, kappa=3.0), z_hat=-first.z_hat)
    packed(tmp_path / "a", first)
    both = packed(tmp_path / "b", first, twin)
    one, two = ((tmp_path / n / "page.frames").stat().st_size for n in "ab")
    assert two == one + both.rows[twin.member.key].own[1]
    np.testing.assert_array_equal(both.get(twin.member).z, both.get(first.member).z)


def test_runs_that_stay_are_taken_over_as_they_are(tmp_path):
    first = packed(tmp_path / "g", result(0), result(1), page="one")
    kept, gone = member(0), member(1)
    before = first.get(kept)
    wanted = {kept.key: ("two", kept), member(2).key: ("two", member(2))}
    archive.write(tmp_path / "g", wanted, {member(2).key: result(2)})
    after = Gallery(tmp_path / "g")
    assert after.get(gone) is None and gone.key not in after
    assert not (tmp_path / "g" / "one.frames").exists()
    assert after.get(member(2)).scores == result(2).scores
    for name, array in before.arrays().items():
        np.testing.assert_array_equal(after.get(kept).arrays()[name], array)
    assert after.get(kept).record == before.record


def test_an_archive_that_cannot_serve_is_said_once_and_its_scores_still_stand(tmp_path, caplog):
    gallery = packed(tmp_path / "g", result(0), result(1))
    path = tmp_path / "g" / "page.frames"
    data = bytearray(path.read_bytes())
    offset, size, _ = gallery.rows[member(0).key].own
    data[offset + size // 2] ^= 1
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert gallery.get(member(0)) is None
        assert gallery.get(member(1)) is not None
    (said,) = logged(caplog, "core.run.archive")
    assert "page.frames" in said
    assert gallery.record(member(0)).scores == result(0).scores
    with pytest.raises(Damaged, match=member(0).key[:8]):
        gallery.read(member(0))
    path.unlink()
    assert gallery.get(member(1)) is None and logged(caplog, "core.run.archive") == [said]


@pytest.mark.parametrize("damage", [b"", b"PAR1 no table", None])
def test_a_table_that_cannot_be_read_is_an_empty_one_and_said_once(tmp_path, caplog, damage):
    packed(tmp_path / "g", result(0))
    table = tmp_path / "g" / TABLE
    table.unlink() if damage is None else table.write_bytes(damage)
    gallery = Gallery(tmp_path / "g")
    with caplog.at_level(logging.WARNING):
        assert gallery.get(member(0)) is None and gallery.record(member(0)) is None
        assert member(0).key not in gallery
    (said,) = logged(caplog, "core.run.archive")
    assert TABLE in said


# ---- building it


@pytest.fixture
def few(monkeypatch):
    """Three short runs are all that is wanted."""
    members = [member(seed, steps=1, batch=16, d=2, width=8) for seed in range(3)]
    wanted = {m.key: curate.Wanted("page", m, 1, 30) for m in members}
    monkeypatch.setattr(curate, "shipped", lambda: wanted)
    return members


def trained(members):
    return [replace(result(m.seed), member=m) for m in members]


def test_a_build_that_was_stopped_goes_on_where_it_was(tmp_path, few, monkeypatch, capsys):
    loose, folder = tmp_path / "loose", tmp_path / "g"
    folder.mkdir()
    loose.mkdir()
    now = SCENARIOS["infonce"].scored
    provenance = {"cpu_seconds": 2.0, "scored": now}
    done = replace(trained(few)[1], provenance=provenance)
    store.write(loose / f"{few[1].key}.npz", done)
    asked = []

    def train(loose, runs, alike, device):
        for m in (m for group in alike for m in group):
            asked.append(m.seed)
            told = replace(result(m.seed), member=m, provenance=provenance)
            store.write(loose / f"{m.key}.npz", told)
            yield m.key

    monkeypatch.setattr(curate, "_trained", train)
    assert curate.build(folder, loose) == []
    assert asked == [0, 2] and list(loose.iterdir()) == []
    assert "0 of 3 runs are shipped, 1 trained before; 2 to train." in capsys.readouterr().out
    assert all(m.key in Gallery(folder) for m in few)
    # a new version of the scores: shown meanwhile, and trained again
    scenario = SCENARIOS["infonce"]
    monkeypatch.setitem(SCENARIOS, "infonce", replace(scenario, scored=now + 1))
    assert Gallery(folder).record(few[0]).scores == result(0).scores
    assert all(f"has the scores of version {now}" in said for said in curate.check(folder))
    asked.clear()
    curate.build(folder, loose)
    assert asked == [0, 1, 2]
    assert "3 to train, about 0 CPU-minutes" in capsys.readouterr().out


def test_what_is_wrong_with_a_gallery_is_listed(tmp_path, few, monkeypatch):
    packed(tmp_path / "g", *trained(few[:2]))
    assert [said[-7:] for said in curate.check(tmp_path / "g")] == ["missing"]
    packed(tmp_path / "g", *trained(few))
    assert curate.check(tmp_path / "g") == []
    monkeypatch.setattr(curate, "PAGE_LIMIT", 10)
    monkeypatch.setattr(curate, "SIZE_LIMIT", 10)
    assert len(curate.check(tmp_path / "g")) == 3  # both files, and all together
