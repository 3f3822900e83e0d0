"""Published data sets are read back exactly, row by row, in little memory, from files alone."""

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import written
from written import SETS, made

from core.datasets import dsprites, kitti, loaded, members, mpi3d, shapes3d
from core.datasets.loaded import Misread
from core.datasets.registry import SOURCES, data_folder

DOCUMENT = Path(__file__).parents[1] / "docs" / "datasets.md"


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_read_back_exactly(name, tmp_path):
    data, images, values = made(name, tmp_path)
    n = len(images)
    assert (data.name, data.size, data.shape) == (name.split()[0], n, images.shape[1:])
    everything, factors = data.read(np.arange(n))
    assert everything.dtype == data.dtype == images.dtype
    assert np.array_equal(everything, images)
    assert factors.dtype == np.float64
    np.testing.assert_allclose(factors, values, atol=1e-12)
    assert factors.shape == (n, len(data.factors))
    assert len({factor.name for factor in data.factors}) == len(data.factors)
    rows = [n - 1, 0, 1, 0]  # in any order, and again
    some, theirs = data.read(rows)
    assert np.array_equal(some, images[rows]) and np.array_equal(theirs, factors[rows])
    none, nothing = data.read([])
    assert none.shape == (0, *data.shape) and nothing.shape == (0, len(data.factors))


@pytest.mark.parametrize("name", SETS)
def test_values_lie_in_their_factors_ranges_and_become_latents(name, tmp_path):
    data, _, values = made(name, tmp_path)
    for factor, column in zip(data.factors, values.T, strict=True):
        assert factor.low - 1e-9 <= column.min() <= column.max() <= factor.high + 1e-9
        if factor.kind == "categorical":
            assert len(factor.classes) == factor.high + 1
        if factor.high > factor.low:
            np.testing.assert_allclose(factor.value(factor.latent(column)), column, atol=1e-9)


@pytest.mark.parametrize(
    "rows", ([-1], [10**6], [0.5], [[0]], ["a"]), ids=("below", "above", "half", "deep", "text")
)
def test_rows_that_are_none_are_refused(rows, tmp_path):
    data, _, _ = made("kitti_masks", tmp_path)
    with pytest.raises(Misread, match=r"^Rows of kitti_masks .*\.$"):
        data.read(rows)


def test_more_rows_than_fit_into_the_stated_memory_are_refused(tmp_path, monkeypatch):
    data, images, _ = made("kitti_masks", tmp_path)
    assert data.most == 2**26 // 64**2
    monkeypatch.setattr(loaded, "MOST_READ", 3 * 64**2)
    assert np.array_equal(data.read([0, 1, 2])[0], images[:3])
    with pytest.raises(Misread, match="At most 3 rows"):
        data.read([0, 1, 2, 3])


class Chunked:
    """Pictures that lie in chunks, and how often one was unpacked."""

    def __init__(self, images, chunks):
        self.images, self.chunks, self.unpacked = images, chunks, []

    def __getitem__(self, place):
        self.unpacked.append(tuple((part.start, part.stop) for part in place))
        return self.images[place]


@pytest.mark.parametrize(
    "chunks", [None, (1, 64, 64, 3), (7, 64, 64, 3), (16, 8, 16, 1), (50, 5, 64, 2)]
)
def test_every_chunk_of_shapes3d_is_unpacked_once(chunks):
    images = written.noise((40, 64, 64, 3))
    rows = np.array([0, 1, 6, 7, 15, 16, 17, 33, 39])
    file = Chunked(images, chunks)
    np.testing.assert_array_equal(shapes3d._picked(file, rows), images[rows])
    high, *tile = chunks or (1, 64, 64, 3)
    tiles = np.prod(-(-np.array([64, 64, 3]) // tile))
    assert len(file.unpacked) == len(set(rows // high)) * tiles
    assert all(last - first <= high for (first, last), *_ in file.unpacked)
    assert shapes3d._picked(file, rows[:0]).shape == (0, 64, 64, 3)


def streamed(folder: Path) -> tuple[np.ndarray, np.ndarray, list[int], int]:
    """Rows 900, 7 and 7 of a dSprites, the bytes of every read of them, and the memory at most."""
    data, counted, exactly = dsprites.load(folder), [], members.exactly

    def counting(file, count, path):
        counted.append(count)
        return exactly(file, count, path)

    members.exactly, members.BLOCK = counting, 2**15  # in a process of its own
    data.read([0])  # what Python itself loads at the first time
    counted.clear()
    (images, values), peak = written.traced(lambda: data.read([900, 7, 7]))
    return images, values, counted, peak


@pytest.mark.parametrize("packed", (True, False), ids=("compressed", "stored"))
def test_rows_are_streamed_and_nothing_is_read_after_the_last(packed, tmp_path):
    n, stride = 1200, 64**2
    imgs, values = written.write_dsprites(tmp_path, n, packed)
    picked, theirs, counted, peak = written.alone(streamed, tmp_path)
    assert np.array_equal(picked, imgs[[900, 7, 7]])
    np.testing.assert_allclose(theirs, values[[900, 7, 7]])
    assert max(counted) <= 2**15
    assert peak < 12 * 2**15 < imgs.nbytes / 10
    if packed:
        assert 901 * stride < sum(counted) < 901 * stride + 1000  # and a header
    else:
        assert sum(counted) < 2 * stride + 1000


def last_read(name: str, folder: Path) -> int:
    """The memory at most, in bytes, while the last row of a small set is read."""
    data, images, _ = made(name, folder)
    data.read([0])  # what Python itself loads at the first time
    return written.traced(lambda: data.read([len(images) - 1]))[1]


@pytest.mark.parametrize("name", ("cars3d", "smallnorb", "3dident_train"))
def test_one_picture_takes_the_memory_of_a_few(name, tmp_path):
    peak = written.alone(last_read, name, tmp_path)
    assert peak < (2**24 if name == "cars3d" else 2**20)  # a car, a picture


def test_the_pickled_part_of_dsprites_is_never_touched(tmp_path):
    data, _, _ = made("dsprites", tmp_path)
    data.read([0])
    assert not (tmp_path / "sprung").exists()
    with np.load(tmp_path / dsprites.FILE, allow_pickle=True) as file:  # that the trap is one
        file["metadata"].item().close()
    assert (tmp_path / "sprung").exists()


def test_sequences_come_with_their_lengths(tmp_path):
    data, _, _ = made("kitti_masks", tmp_path)
    assert data.lengths.tolist() == [5, 4, 3] and data.size == 12


def test_the_conversion_that_the_documentation_gives_makes_what_is_read(tmp_path):
    masks = [written.noise((n, 64, 64), 2, n).astype(bool) for n in (4, 1, 2)]
    latents = [np.random.default_rng(len(m)).uniform(1, 60, (len(m), 3)) for m in masks]
    with open(tmp_path / "kitti_peds_v2.pickle", "wb") as file:
        pickle.dump({"pedestrians": masks, "pedestrians_latents": latents}, file)
    (code,) = re.findall(r"```python\n(import pickle\n.*?)```", DOCUMENT.read_text(), re.S)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    data = kitti.load(tmp_path)
    images, values = data.read(np.arange(7))
    assert np.array_equal(images, 255 * np.concatenate(masks))
    assert np.array_equal(values, np.concatenate(latents))
    assert data.lengths.tolist() == [4, 1, 2]


def test_features_without_an_annotation_are_left_out(tmp_path):
    data, features, _ = made("imagenet_x", tmp_path)
    assert data.size == 9 and len(features) == 9 and data.shape == (5,)
    assert [factor.classes for factor in data.factors] == 16 * [("usual", "unusual")]


def test_both_sizes_of_mpi3d_are_known_and_their_classes_named():
    assert [int(np.prod(sizes)) for sizes in (mpi3d.SIZES, mpi3d.FEWER)] == [1036800, 460800]
    six, four = mpi3d.factors_of(mpi3d.SIZES), mpi3d.factors_of(mpi3d.FEWER)
    assert six[0].classes[0] == "white" and four[0].classes == ("0", "1", "2", "3")


def test_without_h5py_a_sentence_says_how_to_install_it(tmp_path, monkeypatch):
    (tmp_path / shapes3d.FILE).write_bytes(b"")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(Misread, match=r"not installed here: pip install h5py\.$"):
        shapes3d.load(tmp_path)


def test_nothing_named_is_nothing_found(tmp_path, monkeypatch):
    monkeypatch.delenv("EXPLORER_DATA", raising=False)
    assert data_folder() is None
    monkeypatch.setenv("EXPLORER_DATA", "")
    assert data_folder() is None
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path / "missing"))
    assert data_folder() is None
    for source in SOURCES.values():
        assert not source.found(None) and not source.found(tmp_path)
        with pytest.raises(Misread, match=r"is not found: EXPLORER_DATA names no folder\.$"):
            source.load(None)
        with pytest.raises(Misread, match=r"^There is no file .*\.$"):
            source.load(tmp_path)


def test_sets_in_the_folder_are_found_and_no_others(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path))
    for name in ("dsprites", "cars3d", "smallnorb", "3dident_train", "kitti_masks", "imagenet_x"):
        SETS[name][0](tmp_path)
    written.write_mpi3d(tmp_path)
    found = {name for name, source in SOURCES.items() if source.found(data_folder())}
    assert found == {"dsprites", "mpi3d_toy", "cars3d", "smallnorb", "3dident_train",
                     "kitti_masks", "imagenet_x"}  # fmt: skip
    os.remove(tmp_path / "smallnorb" / os.listdir(tmp_path / "smallnorb")[0])
    assert not SOURCES["smallnorb"].found(data_folder())


def test_every_set_is_described_with_its_files_and_licence():
    text = DOCUMENT.read_text()
    for name, source in SOURCES.items():
        assert source.name == name and source.how.endswith(".") and source.paper[-4:].isdigit()
        assert source.page.startswith("https://") and source.page in text, name
        assert source.licence.split(",")[0].split(" (")[0] in text, name
        for file in source.files:
            assert re.sub("-(dat|cat|info).mat$", "", Path(file).name) in text, file
