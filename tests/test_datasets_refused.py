"""Files that are not what their names promise are refused, each in a sentence that says why."""

import io
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import written
from PIL import Image
from scipy.io import savemat
from written import SETS, made

from core.datasets import cars3d, dsprites, ident, imagenetx, kitti, shapes3d, smallnorb
from core.datasets.loaded import Misread

FILES = {  # of which each is cut, and put elsewhere
    "dsprites": dsprites.FILE,
    "dsprites stored": dsprites.FILE,
    "shapes3d": shapes3d.FILE,
    "mpi3d_toy": "mpi3d_toy.npz",
    "cars3d": cars3d.FILE,
    "smallnorb": smallnorb.FILES[0],
    "3dident_train": "3dident/train/images/000001.png",
    "kitti_masks": kitti.FILE,
    "imagenet_x": imagenetx.FEATURES,
}
WHOLE = np.zeros((40, 64, 64), np.uint8)


def refused(name, folder, match):
    with pytest.raises(Misread, match=match) as told:
        data = SETS[name][1](folder)
        data.read(np.arange(data.size))
    assert isinstance(told.value, ValueError)
    assert str(told.value).endswith(".") and "\n" not in str(told.value)


@pytest.mark.parametrize("share", (0, 0.3, 0.97))
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_breaks_off(name, share, tmp_path):
    made(name, tmp_path)
    path = tmp_path / FILES[name]
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    refused(name, tmp_path, "cannot be read|breaks off|claims|holds no")


@pytest.mark.parametrize("name", FILES)
def test_a_path_that_leads_outside(name, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    made(name, folder)
    path = folder / FILES[name]
    shutil.move(path, tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    refused(name, folder, "leads outside the folder")


NPZ = {  # set, array: what it is changed to, what is said
    "no imgs": ("dsprites", "imgs", None, "has no array imgs"),
    "no classes": ("dsprites", "latents_classes", None, "has no array latents_classes"),
    "objects": ("dsprites", "imgs", np.full(3, None), "holds Python objects"),
    "object values": ("dsprites", "latents_values", np.full((40, 6), None), "Python objects"),
    "float imgs": ("dsprites", "imgs", WHOLE.astype(np.float32), "holds float32"),
    "wide imgs": ("dsprites", "imgs", WHOLE.astype(np.uint16), "holds uint16"),
    "small imgs": ("dsprites", "imgs", WHOLE[:, :32], r"has the shape \(40, 32, 64\)"),
    "flat imgs": ("dsprites", "imgs", WHOLE[0], r"has the shape \(64, 64\)"),
    "no rows": ("dsprites", "imgs", WHOLE[:0], "has the shape"),
    "fewer imgs": ("dsprites", "imgs", WHOLE[:39], r"has the shape \(40, 6\), not \(39, 6\)"),
    "columns": ("dsprites", "imgs", np.asfortranarray(WHOLE), "column by column"),
    "grey imgs": ("dsprites", "imgs", WHOLE + np.uint8(2), "holds more than 0 and 1"),
    "classes": ("dsprites", "latents_classes", np.full((40, 6), 3), "a class that"),
    "values": ("dsprites", "latents_values", np.full((40, 6), np.nan), "leaves its range"),
    "far": ("dsprites", "latents_values", np.full((40, 6), 2.0), "scale leaves its range"),
    "images": ("mpi3d_toy", "images", None, "has no array images"),
    "count": ("mpi3d_toy", "images", np.zeros((23, 64, 64, 3), np.uint8), "23 images, not 24"),
    "grey": ("mpi3d_toy", "images", np.zeros((24, 64, 64), np.uint8), "has the shape"),
    "masks": ("kitti_masks", "masks", np.zeros((12, 64, 64)), "holds float64"),
    "levels": ("kitti_masks", "masks", np.full((12, 64, 64), 9, np.uint8), "more than 0 and 1"),
    "lengths": ("kitti_masks", "lengths", np.array([5, 4, 4]), "do not sum"),
    "empty": ("kitti_masks", "lengths", np.array([5, 7, 0]), "do not sum"),
    "sequences": ("kitti_masks", "lengths", np.full(3, None), "Python objects"),
    "nowhere": ("kitti_masks", "latents", np.full((12, 3), np.inf), "no position"),
    "area": ("kitti_masks", "latents", np.full((12, 3), -1.0), "no area"),
    "features": ("imagenet_x", "features", np.zeros((12, 5)), "holds float64"),
    "nan": ("imagenet_x", "features", np.full((12, 5), np.nan, np.float32), "is no number"),
    "names": ("imagenet_x", "file_names", np.arange(12), "holds int64"),
    "same": ("imagenet_x", "file_names", np.full(12, "a"), "a name twice"),
    "strange": ("imagenet_x", "file_names", np.arange(12).astype(str), "none of its pictures"),
    "named objects": ("imagenet_x", "file_names", np.full(12, None), "Python objects"),
}


@pytest.mark.parametrize(("name", "key", "array", "match"), NPZ.values(), ids=NPZ)
def test_an_npz_of_another_form(name, key, array, match, tmp_path):
    SETS[name][0](tmp_path, **{key: array})
    refused(name, tmp_path, match)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("packed", (True, False), ids=("compressed", "stored"))
@pytest.mark.parametrize("n", (40, 10**6, 10**15))
def test_a_header_that_claims_more_than_there_is(n, packed, tmp_path):
    written.lying(tmp_path / dsprites.FILE, "imgs", (n, 64, 64), packed)
    refused("dsprites", tmp_path, "imgs claims .* bytes and has 100")


def test_what_would_be_held_whole_has_a_bound(tmp_path, monkeypatch):
    made("kitti_masks", tmp_path)
    monkeypatch.setattr("core.datasets.members.MOST_HELD", 100)
    refused("kitti_masks", tmp_path, "latents is larger than 100 bytes")


H5 = {
    "no images": ({"images": None}, "has no data set images"),
    "floats": ({"images": np.zeros((30, 64, 64, 3))}, "of float64"),
    "small": ({"images": np.zeros((30, 32, 64, 3), np.uint8)}, "has the shape"),
    "labels": ({"labels": np.zeros((29, 6))}, "labels has another form"),
    "whole labels": ({"labels": np.zeros((30, 6), int)}, "labels has another form"),
    "range": ({"labels": np.full((30, 6), 9.0)}, "floor_hue leaves its range"),
}


@pytest.mark.parametrize(("changes", "match"), H5.values(), ids=H5)
def test_an_h5_of_another_form(changes, match, tmp_path):
    pytest.importorskip("h5py", reason="h5py, which reads .h5, is not installed")
    written.write_shapes3d(tmp_path, **changes)
    refused("shapes3d", tmp_path, match)


def test_an_h5_whose_data_lie_elsewhere_or_nowhere(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py, which reads .h5, is not installed")
    written.write_shapes3d(tmp_path)
    path, shape = tmp_path / shapes3d.FILE, (30, 64, 64, 3)
    (tmp_path / shapes3d.FILE).rename(tmp_path / "other.h5")
    raw = tmp_path / "raw"
    raw.write_bytes(bytes(int(np.prod(shape))))
    layout = h5py.VirtualLayout(shape, np.uint8)
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "images", shape)
    wide = {"chunks": (30, 64, 64, 3), "maxshape": (10**6, 64, 64, 3)}
    makers = {
        "no data set of this file": lambda f: f.__setitem__(
            "images", h5py.ExternalLink("other.h5", "images")
        ),
        "no data set of": lambda f: f.create_group("images"),
        "in another file": lambda f: f.create_dataset(
            "images", shape, np.uint8, external=[(str(raw), 0, h5py.h5f.UNLIMITED)]
        ),
        "another file, outside": lambda f: f.create_virtual_dataset("images", layout),
        "holds nothing": lambda f: f.create_dataset("images", shape, np.uint8),
        "with n up to": lambda f: f.create_dataset("images", (10**6, 64, 64, 3), np.uint8, **wide),
    }
    for match, make in makers.items():
        with h5py.File(path, "w") as file:
            make(file)
            file["labels"] = np.ones((30, 6))
            if match == "with n up to":
                file["images"][0] = 1
        refused("shapes3d", tmp_path, match)


CAR = np.zeros(cars3d.SHAPE, np.uint8)


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, None


def zeros(count):
    """A MATLAB file that unpacks to more than its size lets one think."""
    return written.car(np.zeros(count, np.uint8), masks=False)


TARS = {
    "above": ([("../cars/a.mat", b"")], "outside the destination"),
    "far above": ([("data/cars/../../../cars/a.mat", b"")], "outside the destination"),
    "link": ([link("data/cars/a.mat", "../../../b")], "outside the destination"),
    "absolute link": ([link("data/cars/a.mat", "/b")], "absolute path"),
    "inner link": ([link("data/cars/a.mat", "b.mat")], "no file of a car's size"),
    "hard link": ([link("data/cars/a.mat", "data/b", tarfile.LNKTYPE)], "no file of a car"),
    "no cars": ([("data/other/a.mat", b"")], "holds no .mat in a folder cars"),
    "twice": ([("cars/a.mat", b""), ("cars/a.mat", b"")], "or one twice"),
    "large": ([("cars/a.mat", bytes(cars3d.MOST_FILE + 1))], "no file of a car's size"),
    "many": ([(f"cars/{i}.mat", b"") for i in range(184)], "more than 183 cars"),
    "no MATLAB": ([("cars/a.mat", b"text")], "no MATLAB file"),
    "half": ([("cars/a.mat", written.car(CAR)[:999])], "breaks off"),
    "unpacks": ([("cars/a.mat", zeros(cars3d.MOST_FILE))], "unpacks to more than"),
    "shape": ([("cars/a.mat", zeros(9))], "holds .* of uint8, not"),
    "floats": ([("cars/a.mat", written.car(np.zeros((2, 2))))], "of float64, not"),
}


@pytest.mark.parametrize(("members", "match"), TARS.values(), ids=TARS)
def test_an_archive_of_cars_of_another_form(members, match, tmp_path):
    written.tar(tmp_path / cars3d.FILE, members)
    refused("cars3d", tmp_path, match)


def unpacked(folder: Path) -> int:
    """The memory at most, in bytes, until a car that unpacks to too much is refused."""
    cars3d.MOST_FILE = 2**20  # in a process of its own
    return written.traced(lambda: refused("cars3d", folder, "unpacks to more than"))[1]


def test_a_car_that_unpacks_to_much_takes_little_memory(tmp_path):
    written.tar(tmp_path / cars3d.FILE, [("cars/a.mat", zeros(2**25))])
    assert written.alone(unpacked, tmp_path) < 2**23


def test_a_car_without_its_pictures(tmp_path):
    other = io.BytesIO()
    savemat(other, {"mask": CAR[0]})
    written.tar(tmp_path / cars3d.FILE, [("cars/a.mat", other.getvalue())])
    refused("cars3d", tmp_path, "has no array im")


NORB = {
    "floats": (0, {"magic": 0x1E3D4C51}, "no binary matrix of the type"),
    "sides": (0, {"sides": (7, 2, 96 * 96)}, "has 3 sides, not 4"),
    "small": (0, {"sides": (7, 2, 48, 192)}, "has the shape"),
    "none": (0, {"sides": (0, 2, 96, 96)}, "has the shape"),
    "huge": (0, {"sides": (2**31 - 1, 2, 96, 96)}, "has the shape"),
    "more": (0, {"sides": (8, 2, 96, 96)}, "claims .* bytes and has"),
    "fewer": (0, {"sides": (6, 2, 96, 96)}, "claims .* bytes and has"),
    "categories": (1, {"sides": (6,)}, "has the shape"),
    "bytes": (2, {"magic": 0x1E3D4C55}, "no binary matrix of the type"),
}


@pytest.mark.parametrize(("file", "lies", "match"), NORB.values(), ids=NORB)
def test_a_binary_matrix_that_lies(file, lies, match, tmp_path):
    written.write_smallnorb(tmp_path)
    arrays = (np.zeros((7, 2, 96, 96), np.uint8), np.zeros(7, np.int32),
              np.zeros((7, 4), np.int32))  # fmt: skip
    written.matrix(tmp_path / smallnorb.FILES[file], arrays[file], **lies)
    refused("smallnorb", tmp_path, match)


@pytest.mark.parametrize(
    ("column", "value", "match"),
    [(0, 10, "instance leaves"), (1, 9, "elevation leaves"), (2, 36, "azimuth leaves"),
     (2, 3, "is odd"), (3, -1, "lighting leaves")],
)  # fmt: skip
def test_a_toy_that_was_never_photographed_so(column, value, match, tmp_path):
    written.write_smallnorb(tmp_path)
    info = np.zeros((7, 4), np.int32)
    info[3, column] = value
    written.matrix(tmp_path / smallnorb.FILES[2], info)
    refused("smallnorb", tmp_path, match)


@pytest.mark.parametrize(
    ("latents", "match"),
    [(np.zeros((3, 9)), "has the shape"), (np.zeros(10), "has the shape"),
     (np.zeros((3, 10), int), "no array of floats"), (np.full((3, 10), 1.1), "x leaves its range"),
     (np.full((3, 10), np.nan), "x leaves its range"), (np.full((3, 10), None), "unpickling")],
)  # fmt: skip
def test_latents_of_another_form(latents, match, tmp_path):
    written.write_ident(tmp_path, latents=latents)
    refused("3dident_train", tmp_path, match)


def test_pictures_of_another_form(tmp_path, monkeypatch):
    written.write_ident(tmp_path)
    path = tmp_path / "3dident/train/images/000001.png"
    for image, match in (
        (Image.new("RGB", (224, 223)), r"has \(224, 223\) pixels"),
        (Image.new("L", (224, 224)), "no picture in colour"),
    ):
        image.save(path)
        refused("3dident_train", tmp_path, match)
    Image.new("RGB", (224, 224)).save(path, format="JPEG")
    refused("3dident_train", tmp_path, "cannot be read: cannot identify")
    path.unlink()
    refused("3dident_train", tmp_path, r"There is no file .*000001\.png")
    monkeypatch.setattr(ident, "MOST_FILE", 10)
    refused("3dident_train", tmp_path, "more than 10 bytes")


def test_pictures_with_a_transparent_layer_are_read_without_it(tmp_path):
    images, _ = written.write_ident(tmp_path)
    path = tmp_path / "3dident/train/images/000001.png"
    Image.open(path).convert("RGBA").save(path)
    assert np.array_equal(ident.load(tmp_path).read([1])[0][0], images[1])


GOOD = written.annotation("a", 16 * [0])
LINES = {
    "no JSON": (["{"], "line 1 is no JSON"),
    "deep": (["[" * 60_000], "line 1 is no JSON"),
    "list": (["[]"], "line 1 has no file_name"),
    "number": ([json.dumps(GOOD | {"file_name": 3})], "line 1 has no file_name"),
    "two": (["", json.dumps(GOOD | {"pose": 2})], "line 2 has not 0 or 1"),
    "true": ([json.dumps(GOOD | {"pose": True})], "line 1 has not 0 or 1"),
    "without": (['{"file_name": "a"}'], "line 1 has not 0 or 1"),
    "twice": ([json.dumps(GOOD)] * 2, "line 2 names a picture a second time"),
    "long": ([json.dumps(GOOD | {"one_word": "a" * 2**16})], "line 1 is one too many, or too"),
}


@pytest.mark.parametrize(("lines", "match"), LINES.values(), ids=LINES)
def test_annotations_of_another_form(lines, match, tmp_path):
    written.write_imagenetx(tmp_path, lines=lines)
    refused("imagenet_x", tmp_path, match)
