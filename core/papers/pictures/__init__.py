"""The papers' tables of pictures, measured where their files are: `docs/datasets.md`.

A protocol is data and a function; torch is loaded when it trains.
"""

from core.papers.pictures import dislib, ident, imagenetx, kitti
from core.papers.pictures.protocol import Protocol

PICTURES: dict[str, Protocol] = {
    each.PROTOCOL.name: each.PROTOCOL for each in (dislib, kitti, ident, imagenetx)
}
