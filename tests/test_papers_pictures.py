"""The papers' tables of pictures, measured in small files of the published form."""

import csv
import io
import json
from dataclasses import replace
from math import isfinite

import numpy as np
import pytest
import written
from shell import told
from visits import PAPERS, opened, said

from core.datasets import dsprites, imagenetx, kitti
from core.datasets.registry import SOURCES
from core.datasets.subset import pooled
from core.papers.images import UNRUN
from core.papers.pictures import PICTURES, dislib, ident
from core.papers.pictures import imagenetx as probed
from core.papers.pictures import kitti as masks
from core.papers.pictures.protocol import mean_and_sd

FILES = {
    "dislib": dsprites.FILE, "kitti-masks": kitti.FILE,
    "3dident": "3dident/train/raw_latents.npy", "imagenet-x": imagenetx.ANNOTATIONS,
}  # fmt: skip


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """An empty folder of data sets, and budgets of a few steps."""
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path))
    few = {"width": 16, "steps": 4, "batch": 8}
    for kind, recipe in dislib.ENCODERS.items():
        monkeypatch.setitem(dislib.ENCODERS, kind, replace(recipe, d_hat=12, **few))
    for name in ("CONTRASTIVE", "SLOW"):
        monkeypatch.setattr(masks, name, replace(getattr(masks, name), **few))
    monkeypatch.setattr(ident, "RECIPE", replace(ident.RECIPE, **few))
    return tmp_path


def written_for(name, folder):
    """Small files of a table's data sets; of DisLib's dSprites alone."""
    if name == "dislib":
        written.write_dsprites(folder)
    elif name == "kitti-masks":
        written.write_kitti(folder)
    elif name == "imagenet-x":
        usual = np.arange(48) % 4 > 0
        with_names = [f"ILSVRC2012_val_{i:08}.JPEG" for i in range(48)]
        lines = [json.dumps(written.annotation(each, [int(not one)] * 16))
                 for each, one in zip(with_names, usual, strict=True)]  # fmt: skip
        features = np.random.default_rng(0).normal(size=(48, 60)).astype(np.float32)
        features[:, :2] -= 3 * usual[:, None]
        written.write_imagenetx(folder, lines, file_names=np.array(with_names), features=features)
    else:
        written.write_ident(folder, n=12)
        (folder / "3dident/test").symlink_to("train")  # within the folder


def numbers(found):
    """Every mean and deviation of a document, and which are no p values or correlations."""
    for each in (found["measured"], *found["beside"].values()):
        if each is not None:
            yield each["mean"], each["sd"]


@pytest.mark.parametrize("name", PICTURES)
def test_a_table_is_measured_from_its_files_to_numbers_in_their_range(name, folder, capsys):
    written_for(name, folder)
    status, out, err = told(capsys, "papers", name, "--seeds", "0", "1", "--json")
    rows = json.loads(out)
    assert status == 0 and err.splitlines()[0].startswith(f"{name}: about ")
    measured = {each["row"] for each in rows}
    expected = [row for row in PICTURES[name].rows if name != "dislib" or "dsprites" in row]
    assert measured == set(expected)
    for each in rows:
        assert each["measured"]["n"] == 2
        for mean, sd in numbers(each):
            assert isfinite(mean) and isfinite(sd) and sd >= 0 and mean <= 1
            assert mean >= -1 or each["score"] == "R²" or each["score"] == "identity R²"
            assert mean >= 0 or name in ("dislib", "3dident")
        assert (each["published"] is None) == (name == "imagenet-x")
        if each["published"]:
            assert 0 < each["published"]["mean"] <= 1
            less = each["measured"]["mean"] - each["published"]["mean"]
            assert each["difference"] == pytest.approx(less)
        assert each["beside"] or each["score"] == "identity R²"
    _, again, _ = told(capsys, *rows[0]["recipe"].split()[3:], "--json")
    assert json.loads(again)[0]["measured"] == pytest.approx(rows[0]["measured"])


@pytest.mark.parametrize("name", PICTURES)
def test_it_is_printed_published_beside_here_with_its_controls(name, folder, capsys):
    written_for(name, folder)
    row = next(iter(PICTURES[name].rows))
    _, out, _ = told(capsys, "papers", name, "--rows", row, "--seeds", "0")
    assert out.startswith(f"{PICTURES[name].table.title} ({PICTURES[name].table.source})")
    assert f"\n  {row}: " in out and "published" in out and "Here: " in out and "nan" not in out
    _, table, _ = told(capsys, "papers", name, "--rows", row, "--seeds", "0", "--csv")
    lines = list(csv.DictReader(io.StringIO(table)))
    assert {line["row"] for line in lines} == {row} and all(line["here"] for line in lines)
    assert any(", " in line["score"] and not line["published"] for line in lines)  # a control


@pytest.mark.parametrize("name", PICTURES)
def test_a_file_that_is_missing_is_named_in_one_line(name, folder, capsys, monkeypatch):
    status, out, err = told(capsys, "papers", name)
    budget, line = err.splitlines()
    assert (status, out) == (2, "") and budget.startswith(name) and line.startswith("error: ")
    assert FILES[name] in line and str(folder) in line and "docs/datasets.md" in line
    monkeypatch.delenv("EXPLORER_DATA")
    status, _, err = told(capsys, "papers", name)
    assert status == 2 and FILES[name] in err and "EXPLORER_DATA names no folder" in err


def test_sets_that_are_not_there_are_left_out_unless_a_row_of_one_is_asked_for(folder, capsys):
    written_for("dislib", folder)
    status, _, err = told(capsys, "papers", "dislib", "--seeds", "0")
    (line,) = (line for line in err.splitlines() if line.startswith("left out"))
    assert status == 0 and "3dshapes.h5" in line and dsprites.FILE not in line
    status, out, err = told(
        capsys, "papers", "dislib", "--rows", "dsprites-posX", "cars3d-category"
    )
    assert (status, out) == (2, "") and "error: nips2015-analogy-data.tar.gz is not in" in err


@pytest.mark.parametrize("name", PICTURES)
def test_a_damaged_file_is_refused_in_a_sentence(name, folder, capsys):
    written_for(name, folder)
    path = folder / FILES[name]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 - 7])
    status, _, err = told(capsys, "papers", name, "--seeds", "0")
    last = err.splitlines()[-1]
    assert status == 2 and last.startswith("error: ") and last.endswith(".")
    assert path.name in last and "Traceback" not in err


def test_a_picture_that_is_missing_is_named(folder, capsys):
    written_for("3dident", folder)
    (folder / "3dident/train/images/000003.png").unlink()
    status, out, err = told(capsys, "papers", "3dident", "--seeds", "0")
    assert (status, out) == (2, "") and "images/000003.png" in err.splitlines()[-1]


def test_what_breaks_off_later_keeps_what_was_measured_before(folder, capsys):
    written_for("dislib", folder)
    (folder / "mpi3d_toy.npz").write_bytes(b"no zip")
    status, out, err = told(capsys, "papers", "dislib", "--seeds", "0", "--json")
    assert status == 2 and "mpi3d_toy.npz" in err.splitlines()[-1]
    assert {each["row"].split("-")[0] for each in json.loads(out)} == {"dsprites"}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["dislib", "clusters-3"], "are asked for by themselves"),
        (["kitti-masks", "--rows", "0.5"], "--rows: '0.5' is not one of 0.05, 0.15"),
        (["dislib", "--seeds", "-1"], "--seeds: must be 0 or larger"),
        (["dislib", "--budget", "published"], "--budget: "),
        (["dislib", "--device", "cuda"], "--device: "),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(words, line, capsys):
    status, out, err = told(capsys, "papers", *words)
    assert (status, out) == (2, "") and err.startswith("error: ") and err.count("\n") == 1
    assert line in err


def test_the_budget_is_said_beforehand_without_a_file(capsys, monkeypatch):
    monkeypatch.delenv("EXPLORER_DATA", raising=False)
    status, out, err = told(capsys, "papers", *PICTURES, "--dry-run")
    assert (status, out) == (0, "") and err.count("CPU-minutes") == 4


# ---- that a high score can be reached, and is not where there is nothing to find


def squares(n, seed=0):
    """Frames with a square whose middle and size are the latents (y, x, area): sequences of 8."""
    rng = np.random.default_rng(seed)
    steps = rng.laplace(0, 0.08, (n // 8, 8, 3))
    steps[:, 0] = rng.uniform(0, 1, (n // 8, 3))
    z = np.abs((np.cumsum(steps, 1) + 1) % 2 - 1).reshape(-1, 3)  # reflected at the walls
    middle, half = 14 + 36 * z[:, :2], 4 + 8 * z[:, 2]
    at = np.arange(64)
    inside = [np.abs(at - middle[:, [i]]) <= half[:, None] for i in range(2)]
    return inside[0][:, :, None] & inside[1][:, None, :], np.column_stack([middle, half])


def test_walkers_that_show_their_factors_are_found_and_shuffled_frames_are_not(
    folder, capsys, monkeypatch
):
    shorter = replace(masks.CONTRASTIVE, width=64, steps=300, batch=64)
    monkeypatch.setattr(masks, "CONTRASTIVE", shorter)
    monkeypatch.setattr(masks, "MODELS", ("Laplace, unbounded",))
    frames, z = squares(1600)
    found = {}
    for kind, order in (("shown", slice(None)), ("shuffled", np.random.default_rng(1).permutation)):
        latents = z if kind == "shown" else z[order(len(z))]
        written.npz(folder / kitti.FILE, {
            "masks": frames, "latents": latents, "lengths": np.full(200, 8)}, {})  # fmt: skip
        _, out, _ = told(
            capsys, "papers", "kitti-masks", "--rows", "0.05", "--seeds", "0", "--json"
        )
        (found[kind],) = json.loads(out)
    shown, shuffled = (found[kind]["measured"]["mean"] for kind in ("shown", "shuffled"))
    assert shown > 0.75 and shuffled < 0.3
    assert found["shown"]["beside"]["untrained"]["mean"] < shown - 0.1


def test_a_class_that_is_shown_is_read_out_and_a_dealt_one_is_not(folder, capsys, monkeypatch):
    longer = replace(dislib.ENCODERS["MLP"], width=32, d_hat=16, steps=150, batch=64)
    monkeypatch.setattr(dislib, "ENCODERS", {"MLP": longer})
    rng = np.random.default_rng(0)
    classes = rng.integers(0, dsprites.SIZES, (800, 6))
    values = classes * np.array([1, 1, 1 / 10, 2 * np.pi / 39, 1 / 31, 1 / 31])
    values = values + np.array([1, 1, 0.5, 0, 0, 0])
    pictures = np.zeros((800, 64, 64), np.uint8)
    for picture, its in zip(pictures, classes, strict=True):
        picture[10 * its[1] + 4 : 10 * its[1] + 12, 4 + its[4] : 20 + its[4]] = 1
    found = {}
    for kind, shown in (("shown", pictures), ("dealt", rng.permutation(pictures))):
        written.write_dsprites(folder, 800, imgs=shown, latents_classes=classes,
                               latents_values=values)  # fmt: skip
        rows = ("--rows", "dsprites-category", "dsprites-posX", "--seeds", "0", "--json")
        _, out, _ = told(capsys, "papers", "dislib", *rows)
        found[kind] = {(each["row"], each["score"]): each for each in json.loads(out)}
    for score in ("x", "MLP"):
        shown, dealt = (found[kind]["dsprites-category", score]["beside"]["with intercept"]["mean"]
                        for kind in ("shown", "dealt"))  # fmt: skip
        assert shown > 0.95 and abs(dealt) < 0.3
    assert found["shown"]["dsprites-posX", "x"]["beside"]["with intercept"]["mean"] > 0.95


def test_features_that_tell_a_factor_are_significant_and_noise_is_so_too_often_as_published():
    rng = np.random.default_rng(0)
    y = np.arange(300) < 60
    code = rng.normal(size=(300, 500))
    code[:, 0] += 4 * y
    told_ = probed._resplit(code, y, rng)
    assert told_.mean > 0.6 and told_.corrected < 0.05
    noise = probed._resplit(rng.normal(size=(300, 20)), y, rng)
    assert abs(noise.mean - 0.5) < 0.2 and noise.published < noise.corrected
    assert probed._resplit(code, np.arange(300) < 1, rng) is None


def test_a_regression_in_the_span_of_few_points_is_the_same():
    from core.metrics.logistic import logistic
    from core.metrics.logistic import told as answers

    rng = np.random.default_rng(0)
    fit, test, y = rng.normal(size=(30, 80)), rng.normal(size=(50, 80)), rng.random(30) > 0.5
    few, shown = probed._turned(fit, test)
    assert few.shape == (30, 30)
    whole = answers(test[None], *logistic(fit[None], y[None]))
    assert np.array_equal(answers(shown[None], *logistic(few[None], y[None])), whole)


def test_positives_are_the_nearest_rows_to_a_step_of_the_law():
    z = np.random.default_rng(0).uniform(-1, 1, (4000, 2))
    for law, size in (("normal", (2 / np.pi) ** 0.5), ("laplace", 1.0)):
        pairs = ident.positives(z, law, 2000)
        apart = np.abs(z[pairs[:, 0]] - z[pairs[:, 1]])
        assert len(np.unique(pairs[:, 0])) == 2000
        assert apart.mean() == pytest.approx(size * ident.STEP, rel=0.1)


def test_latents_of_3dident_are_found_where_they_are_shown_and_not_where_shuffled(monkeypatch):
    from core.papers.pictures import train

    rng = np.random.default_rng(0)
    z = rng.uniform(-1, 1, (1500, 2))
    frames = np.zeros((1500, 1, 32, 32), np.uint8)
    for frame, (a, b) in zip(frames[:, 0], z, strict=True):
        frame[:16], frame[16:] = 128 + 120 * a, 128 + 120 * b
    recipe = replace(ident.RECIPE, encoder="mlp", width=32, d_hat=2, steps=200, batch=64)
    codes = train.of_factors(frames[:1000], z[:1000], frames[1000:], recipe, (0,))
    assert ident.mcc(z[1000:], codes.trained[0]) > 0.95
    codes = train.of_factors(frames[:1000], rng.permutation(z[:1000]), frames[1000:], recipe, (0,))
    assert ident.linear_r2(z[1000:], codes.trained[0]) <= 1
    model = train.Similarity(2, "box", 0.1)
    pairs = ident.positives(z[:1000], "normal", 800)
    found = train.of_pairs(frames[:1000], pairs, frames[1000:], recipe, model, (0, 1))
    assert found.trained.shape == (2, 500, 2) and found.trained.min() >= 0
    assert min(ident.linear_r2(z[1000:], each) for each in found.trained) > 0.9


def test_pairs_stay_in_their_sequence():
    pairs = masks.neighbours(np.array([3, 1, 2]), 5)
    assert sorted(map(tuple, pairs.tolist())) == [(0, 1), (0, 2), (1, 2), (4, 5)]


def test_the_published_matching_leaves_factors_to_noise_where_codes_are_noise():
    rng = np.random.default_rng(0)
    z, noise = rng.normal(size=(500, 3)), rng.normal(size=(500, 7))
    assert masks.padded_mcc(z, np.column_stack([noise, -z])) == pytest.approx(1)
    assert masks.padded_mcc(z, rng.normal(size=(500, 10))) < 0.2
    assert np.isnan(masks.padded_mcc(z, np.full((500, 10), np.nan)))


def test_pictures_are_pooled_to_the_means_of_their_squares(tmp_path):
    images, values = written.write_dsprites(tmp_path)
    data = SOURCES["dsprites"].load(tmp_path)
    found, factors = pooled(data, np.array([3, 7, 30]))
    slow = images[[3, 7, 30]].reshape(3, 32, 2, 32, 2).mean((2, 4))
    assert found.shape == (3, 1, 32, 32) and np.abs(found[:, 0] - slow).max() <= 0.5
    assert np.allclose(factors, values[[3, 7, 30]])


def test_a_deviation_is_of_the_seeds_that_have_a_number():
    assert mean_and_sd((None, None)) is None and mean_and_sd((0.5, None)) == (0.5, None)
    assert mean_and_sd((0.0, 1.0)) == (0.5, pytest.approx(0.5**0.5))


# ---- the page


@pytest.mark.usefixtures("nothing_trains")
def test_the_page_lists_the_four_commands_and_where_files_come_from():
    at = opened(PAPERS, part="images")
    assert not at.exception
    commands = [f"python -m core papers {name}" for name in PICTURES]
    assert sorted(each.value for each in at.code) == sorted(commands)
    assert {table.command for table in UNRUN} == {*commands, ""}
    assert any("docs/datasets.md" in each.value for each in at.caption)
    for protocol in PICTURES.values():
        assert said(at, protocol.table.title)
