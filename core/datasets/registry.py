"""The data sets by name: what they are, which files they want, how to get them, what is found.

The folder they lie in is the variable EXPLORER_DATA's; without it, nothing is found.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.datasets import (
    cars3d,
    dsprites,
    ident,
    imagenetx,
    kitti,
    mpi3d,
    shapes3d,
    smallnorb,
)
from core.datasets.loaded import Loaded, Misread, inside


def data_folder() -> Path | None:
    """The folder of the data sets, None where none is named or it does not exist."""
    named = os.environ.get("EXPLORER_DATA")
    return Path(named) if named and Path(named).is_dir() else None


@dataclass(frozen=True)
class Source:
    """A published data set, and where its files are expected."""

    name: str
    title: str
    paper: str
    files: tuple[str, ...]  # within the folder of the data sets
    how: str  # to get them, in words
    page: str  # of its publication
    licence: str  # as far as known
    loader: Callable[[Path], Loaded]

    def found(self, folder: Path | None) -> bool:
        """Whether all its files lie in the folder; they are not opened."""
        if folder is None:
            return False
        try:
            return all(inside(folder, name) for name in self.files)
        except (Misread, OSError):
            return False

    def absent(self, folder: Path | None) -> str:
        """That it is not found, a sentence without its stop; nothing where it is."""
        if self.found(folder):
            return ""
        where = "EXPLORER_DATA names no folder" if folder is None else "its files are not there"
        return f"{self.title} is not found: {where}"

    def load(self, folder: Path | None) -> Loaded:
        """The data set in the folder; `Misread` where it is not found or not what it should be."""
        if folder is None:
            raise Misread(f"{self.absent(folder)}.")
        return self.loader(folder)


def _mpi3d(name: str, title: str) -> Source:
    return Source(
        name, title, "Gondal et al. 2019", (f"{name}.npz",),
        f"Download the .npz of ordered images from its page and call it {name}.npz.",
        "https://github.com/rr-learning/disentanglement_dataset", "CC BY 4.0",
        partial(mpi3d.load, name=f"{name}.npz"),
    )  # fmt: skip


def _ident(part: str) -> Source:
    return Source(
        f"3dident_{part}", f"3DIdent, {part}", "Zimmermann et al. 2021",
        (f"3dident/{part}/raw_latents.npy",),
        f"Unpack the archive of its page, so that 3dident/{part} has raw_latents.npy and images.",
        "https://zenodo.org/record/4502485", "CC BY 4.0, as far as known",
        partial(ident.load, part=part),
    )  # fmt: skip


_EVERY = (
    Source(
        "dsprites", "dSprites", "Matthey et al. 2017", (dsprites.FILE,),
        "Download the .npz from its page and leave its name.",
        "https://github.com/google-deepmind/dsprites-dataset",
        "Apache 2.0 (its repository's)", dsprites.load,
    ),
    Source(
        "shapes3d", "3D Shapes", "Burgess and Kim 2018", (shapes3d.FILE,),
        "Download 3dshapes.h5 from its page; h5py is needed to read it (pip install h5py).",
        "https://github.com/google-deepmind/3d-shapes",
        "Apache 2.0 (its repository's)", shapes3d.load,
    ),
    _mpi3d("mpi3d_toy", "MPI3D, simple renderings"),
    _mpi3d("mpi3d_realistic", "MPI3D, realistic renderings"),
    _mpi3d("mpi3d_real", "MPI3D, photographs"),
    Source(
        "cars3d", "Cars3D", "Reed et al. 2015", (cars3d.FILE,),
        "Download the archive of its authors' paper and leave it packed.",
        "https://papers.nips.cc/paper/5845-deep-visual-analogy-making",
        "none that is known", cars3d.load,
    ),
    Source(
        "smallnorb", "smallNORB", "LeCun et al. 2004", smallnorb.FILES,
        "Download the six files ending in .mat.gz from its page and unpack them into smallnorb.",
        "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/",
        "for research, not to be sold, as far as known", smallnorb.load,
    ),
    _ident("train"),
    _ident("test"),
    Source(
        "kitti_masks", "KITTI Masks", "Klindt et al. 2021", (kitti.FILE,),
        "Download the pickle from its page and convert it as docs/datasets.md says.",
        "https://zenodo.org/record/3931823",
        "KITTI's: CC BY-NC-SA 3.0", kitti.load,
    ),
    Source(
        "imagenet_x", "ImageNet-X", "Idrissi et al. 2023",
        (imagenetx.ANNOTATIONS, imagenetx.FEATURES),
        "Take the annotations from its repository, make the features as docs/datasets.md says.",
        "https://github.com/facebookresearch/imagenetx", "CC BY-NC 4.0", imagenetx.load,
    ),
)  # fmt: skip
SOURCES = {source.name: source for source in _EVERY}
