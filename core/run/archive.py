"""The shipped gallery: one table of records, and one archive of frames a page.

`records.parquet` has a row a run (parameters, seed, every score, provenance, and where its arrays
lie); it is read once and stays in memory. `<page>.frames` is the arrays one after another, each
piece compressed by itself, so that a run is read without its neighbours. Arrays that runs have in
common (latents, nets) are there once.
"""

import functools
import hashlib
import itertools
import json
import logging
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.kept import packing
from core.kept.folder import Damaged, replacing
from core.run.experiment import Member, Record, Result

GALLERY = Path(__file__).parents[1] / "gallery"
TABLE = "records.parquet"
SCHEMA = pa.schema(
    {
        "key": pa.string(),
        "page": pa.string(),
        "scenario": pa.string(),
        "params": pa.string(),  # JSON, to be read by people: a run is found by its key
        "seed": pa.int64(),
        "scores": pa.map_(pa.string(), pa.float64()),
        "diverged": pa.bool_(),
        "steps": pa.int64(),
        "frames": pa.int64(),
        "scored": pa.int64(),  # by which version of the scenario's scores
        "provenance": pa.string(),
        "own": pa.list_(pa.int64()),  # offset, size and CRC-32 in the page's archive
        "shared": pa.list_(pa.int64()),  # the same of each piece that other runs have too
    }
)
STILL = ("z", "net")  # arrays of a Result that do not move, and that runs may have in common
MOVES = ("z_hat", "net_hat")  # whose first axis is time
CURVES = ("net", "net_hat")  # their last but one axis runs along a curve

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """What the table says of a run."""

    page: str
    record: Mapping[str, Any]  # scenario, params, seed, scores, diverged, steps, frames, scored
    own: tuple[int, int, int]
    shared: tuple[tuple[int, int, int], ...]


class Gallery:
    """The shipped runs of a folder, by member key; nothing is read before it is asked for.

    A table or an archive that is missing or damaged is reported once, and its runs count as not
    stored.
    """

    def __init__(self, folder: Path = GALLERY) -> None:
        self.folder = folder
        self._reported: set[str] = set()
        self._lock = threading.Lock()

    @functools.cached_property
    def rows(self) -> dict[str, Row]:
        """Every row of the table, by key."""
        try:
            columns = pq.read_table(self.folder / TABLE, schema=SCHEMA).to_pylist()
        except (OSError, pa.ArrowException) as error:
            self._report(f"{self.folder / TABLE}: {error}")
            return {}
        return {row["key"]: _row(row) for row in columns}

    def __contains__(self, key: str) -> bool:
        return key in self.rows

    def record(self, member: Member) -> Record | None:
        """A run's scores and what else the table says."""
        row = self.rows.get(member.key)
        return None if row is None else _record(row, member)

    def get(self, member: Member) -> Result | None:
        """The whole run, or None where there is none or its archive cannot serve."""
        row = self.rows.get(member.key)
        if row is None:
            return None
        try:
            return self.read(member)
        except Damaged as reason:
            self._report(str(reason), about=row.page)
            return None

    def read(self, member: Member) -> Result:
        """The whole run. Raises KeyError where the table has none, and Damaged."""
        row = self.rows[member.key]
        path = self.folder / f"{row.page}.frames"
        try:
            with path.open("rb") as file:
                arrays = _arrays(_piece(file, row.own), [_piece(file, p) for p in row.shared])
        except (OSError, ValueError) as error:
            raise Damaged(f"{path.name}: {member.key[:8]}: {error}") from error
        return Result.of(_record(row, member), arrays)

    def stamp(self, member: Member) -> object:
        """What changes when another run would be read."""
        row = self.rows.get(member.key)
        return None if row is None else (row.page, row.own)

    def sample(self, count: int) -> list[Record]:
        """About so many of the runs, evenly over the table."""
        rows = list(self.rows.values())
        return [
            _record(row, _member(row)) for row in rows[:: max(1, len(rows) // count)][:count]
        ]  # fmt: skip

    def _report(self, sentence: str, about: str = TABLE) -> None:
        with self._lock:
            known = about in self._reported
            self._reported.add(about)
        if not known:
            log.warning("the gallery cannot serve everything: %s", sentence)


def _row(row: dict[str, Any]) -> Row:
    shared = row.pop("shared")
    own = row.pop("own")
    row["scores"] = dict(row["scores"])
    row["provenance"] = json.loads(row["provenance"])
    return Row(row["page"], row, tuple(own), tuple(zip(*[iter(shared)] * 3, strict=True)))


def _record(row: Row, member: Member) -> Record:
    told = row.record
    return Record(
        member, told["scores"], told["diverged"],
        {**told["provenance"], "scored": told["scored"]}, told["steps"], told["frames"] > 1,
    )  # fmt: skip


def _member(row: Row) -> Member:
    told = row.record
    return Member.of(told["scenario"], json.loads(told["params"]), told["seed"])


def _piece(file: BinaryIO, place: tuple[int, int, int]) -> bytes:
    offset, length, check = place
    file.seek(offset)
    data = file.read(length)
    if len(data) != length or zlib.crc32(data) != check:
        raise ValueError("its bytes are not those that were written")
    return packing.expand(data)


# ---- a Result as pieces: one of its own, and those that it may share


def _pieces(result: Result) -> tuple[bytes, list[bytes]]:
    """A run's own piece (a line of JSON, then arrays) and those of its still arrays."""
    layouts, data, shared = {}, b"", []
    for name, array in result.arrays().items():
        still = name in STILL or name.startswith("world.")
        moves = name in MOVES or name.startswith("moving.")
        layout, packed = packing.pack(array, moves, name in CURVES)
        if still:
            shared.append(_head({name: layout}) + packed)
        else:
            layouts[name], data = layout, data + packed
    return _head(layouts) + data, shared


def _head(layouts: Mapping[str, packing.Layout]) -> bytes:
    return json.dumps(layouts, separators=(",", ":")).encode() + b"\n"


def _arrays(own: bytes, shared: Iterable[bytes]) -> dict[str, np.ndarray]:
    arrays = {}
    for piece in (own, *shared):
        end = piece.index(b"\n") + 1
        for name, layout in json.loads(piece[:end]).items():
            size = packing.size(layout)
            arrays[name] = packing.unpack(layout, piece[end : end + size])
            end += size
    return arrays


# ---- writing


def write(
    folder: Path, wanted: Mapping[str, tuple[str, Member]], fresh: Mapping[str, Result]
) -> None:
    """Make the gallery of a folder hold exactly `wanted` (key -> page and member).

    Runs in `fresh` are packed, the others taken over as they are; what is in neither is left out.
    A reader sees the old table with its archives or the new one.
    """
    old = Gallery(folder)
    rows: list[dict[str, Any]] = []
    for page in dict.fromkeys(page for page, _ in wanted.values()):
        members = [m for key, (of, m) in wanted.items() if of == page]
        with replacing(folder / f"{page}.frames") as file:
            rows += _page(file, page, members, old, fresh)
    with replacing(folder / TABLE) as file:
        table = pa.Table.from_pylist(rows, schema=SCHEMA)
        pq.write_table(table, file, compression="zstd", compression_level=packing.LEVEL)
    for path in folder.glob("*.frames"):
        if path.stem not in {page for page, _ in wanted.values()}:
            path.unlink()


def _page(
    file: BinaryIO, page: str, members: Iterable[Member], old: Gallery, fresh: Mapping[str, Result]
) -> Iterator[dict[str, Any]]:
    """Write a page's pieces one after another; the rows that say where they lie."""
    places: dict[bytes, tuple[int, int, int]] = {}

    def put(piece: bytes) -> tuple[int, int, int]:
        digest = hashlib.sha256(piece).digest()
        if digest not in places:
            places[digest] = (file.tell(), len(piece), zlib.crc32(piece))
            file.write(piece)
        return places[digest]

    for member in members:
        if member.key in fresh:
            result = fresh[member.key]
            own, shared = _pieces(result)
            pieces = [packing.squeeze(piece) for piece in (own, *shared)]
            told = _told(result)
        elif (row := old.rows.get(member.key)) is not None:
            with (old.folder / f"{row.page}.frames").open("rb") as before:
                pieces = [_raw(before, place) for place in (row.own, *row.shared)]
            told = {**row.record, "provenance": json.dumps(row.record["provenance"])}
        else:
            continue
        own_place, *shared_places = map(put, pieces)
        yield {
            **told, "page": page, "own": list(own_place),
            "shared": list(itertools.chain.from_iterable(shared_places)),
        }  # fmt: skip


def _told(result: Result) -> dict[str, Any]:
    """A row of the table, but for where the arrays lie."""
    member = result.member
    return {
        "key": member.key,
        "scenario": member.scenario,
        "params": json.dumps(member.params.chosen()),
        "seed": member.seed,
        "scores": result.scores,
        "diverged": result.diverged,
        "steps": result.record.steps,
        "frames": len(result.frame_step),
        "scored": result.provenance.get("scored", member.scored),
        "provenance": json.dumps(
            {name: value for name, value in result.provenance.items() if name != "scored"}
        ),
    }


def _raw(file: BinaryIO, place: tuple[int, int, int]) -> bytes:
    file.seek(place[0])
    return file.read(place[1])
