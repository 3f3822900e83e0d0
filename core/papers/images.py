"""Tables of image data sets, which need files of yours: what each asks for, and what it prints.

`command` measures one where its files are (`core.papers.pictures`), as near as a CPU comes to it.

A number is quoted only where it is known; the fifth table of Zimmermann et al. (3DIdent, training
set) was not found, and none of it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Unrun:
    """A table whose runs are not shipped: what it needs, and its rows by heading, as printed.

    `command` measures it in the user's files; none where nothing does.
    """

    title: str
    source: str
    needs: str
    rows: tuple[Mapping[str, str], ...]
    command: str = ""


def _rows(headings: str, *lines: str) -> tuple[dict[str, str], ...]:
    """Rows from texts whose cells are apart by semicolons."""
    names = headings.split("; ")
    return tuple(dict(zip(names, line.split("; "), strict=True)) for line in lines)


KITTI = Unrun(
    "KITTI Masks, MCC",
    "Zimmermann et al. 2021, Table 3",
    "Pairs of pedestrian masks from KITTI-MOTS, a convolutional encoder of ten latents, 300,000 "
    "steps of batch 64 on a GPU, ten seeds.",
    _rows(
        "mean Δt; SlowVAE, unbounded; Laplace, unbounded; Laplace, box; normal, unbounded; "
        "normal, box",
        "0.05 s; 66.1 ± 4.5; 77.1 ± 1.0; 74.1 ± 4.4; 58.3 ± 5.4; 59.9 ± 5.5",
        "0.15 s; 79.6 ± 5.8; 79.4 ± 1.9; 80.9 ± 3.8; 60.2 ± 8.7; 68.4 ± 6.7",
    ),
    "python -m core papers kitti-masks",
)
IDENT = Unrun(
    "3DIdent, test set",
    "Zimmermann et al. 2021, Table 4",
    "The rendered images of 3DIdent, a ResNet18, 30,000 steps of batch 512 on a GPU, three seeds.",
    _rows(
        "p(z̃|z); model space; q_h; matched; identity R²; R²; MCC",
        "supervised; unbounded; –; –; –; 98.67 ± 0.03; 99.33 ± 0.01",
        "normal; box; normal; yes; 5.25 ± 1.20; 96.73 ± 0.10; 98.31 ± 0.04",
        "normal; unbounded; normal; no; –; 96.43 ± 0.03; 54.94 ± 0.02",
        "Laplace; box; normal; no; –; 96.87 ± 0.08; 98.38 ± 0.03",
        "normal; sphere; vMF; no; –; 65.74 ± 0.01; 42.44 ± 3.27",
        "augmentations; sphere; vMF; no; –; 45.51 ± 1.43; 46.34 ± 1.59",
    ),
    "python -m core papers 3dident",
)
IDENT_TRAIN = Unrun(
    "3DIdent, training set",
    "Zimmermann et al. 2021, Table 5",
    "The same as for the test set. Its numbers were not found, so none is quoted.",
    (),
)
DISLIB = Unrun(
    "DisLib, Pearson correlation",
    "Reizinger et al. 2025, Table 4",
    "Images of dSprites, Shapes3D, MPI3D, Cars3D and smallNORB, an MLP and a ResNet18 for 100 "
    "epochs of batch 4,096 on a GPU, three seeds. It has no untrained encoder beside.",
    _rows(
        "data; latent; x; MLP; CNN",
        "dSprites; category; 0.26 ± 0.00; 0.94 ± 0.01; 1.00 ± 0.00",
        "dSprites; scale; 0.62 ± 0.00; 0.98 ± 0.00; 0.92 ± 0.05",
        "dSprites; posX; 0.92 ± 0.00; 0.97 ± 0.00; 0.99 ± 0.00",
        "dSprites; posY; 0.92 ± 0.00; 0.97 ± 0.00; 0.99 ± 0.00",
        "Shapes3D; category; 0.42 ± 0.00; 1.00 ± 0.00; 1.00 ± 0.00",
        "Shapes3D; objSize; 0.21 ± 0.00; 0.89 ± 0.01; 0.99 ± 0.00",
        "Shapes3D; objAzimuth; 0.04 ± 0.00; 0.85 ± 0.02; 0.93 ± 0.01",
        "MPI3D; category; 0.03 ± 0.00; 0.71 ± 0.01; 0.97 ± 0.00",
        "MPI3D; posX; 0.28 ± 0.00; 0.76 ± 0.01; 0.90 ± 0.01",
        "MPI3D; posY; 0.46 ± 0.00; 0.76 ± 0.01; 0.84 ± 0.01",
        "MPI3D real; category; 0.19 ± 0.00; 0.88 ± 0.01; 0.98 ± 0.00",
        "MPI3D real; posX; 0.14 ± 0.00; 0.74 ± 0.01; 0.83 ± 0.01",
        "MPI3D real; posY; 0.44 ± 0.00; 0.54 ± 0.01; 0.71 ± 0.02",
        "Cars3D; category; 0.05 ± 0.00; 0.63 ± 0.11; 0.77 ± 0.02",
        "Cars3D; elevation; 0.15 ± 0.00; 0.87 ± 0.03; 0.78 ± 0.02",
        "smallNORB; category; 0.22 ± 0.00; 0.94 ± 0.01; 1.00 ± 0.00",
        "smallNORB; elevation; 0.15 ± 0.00; 0.83 ± 0.01; 0.79 ± 0.01",
    ),
    "python -m core papers dislib",
)
IMAGENET_X = Unrun(
    "ImageNet-X, accuracy of factors",
    "Reizinger et al. 2025, Figure 3",
    "Images and factors of ImageNet-X, pretrained ResNet50 and ViT-B/16, logistic regressions. "
    "The paper draws bars and prints no numbers.",
    (),
    "python -m core papers imagenet-x",
)
UNRUN = (KITTI, IDENT, IDENT_TRAIN, DISLIB, IMAGENET_X)
