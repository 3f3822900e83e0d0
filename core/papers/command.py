"""The papers' tables from a shell: `python -m core papers [TABLE ...]`, published beside here."""

import argparse
import csv
import io
import json
import sys
from collections.abc import Sequence

from core.command import device_flag
from core.papers import TABLES
from core.papers.compare import Cell, cells, document
from core.papers.pictures import PICTURES
from core.papers.pictures.command import command as of_pictures
from core.papers.retrain import duration, foretold, retrain
from core.run.bounds import Bounds
from core.run.experiment import Member
from core.run.store import Store

ABOUT = """python -m core papers [TABLE ...] [--rows ROW ...] [--seeds N ...]
                      [--device auto|cpu|cuda] [--budget here|published]
                      [--fresh] [--dry-run] [--csv | --json]

Published beside here, in percent. Without a table, and with no flag that asks for runs, all that is
stored is printed and nothing trained; otherwise what is missing of the tables (or rows) named is
trained first, every run stored when it is done, so that a second call goes on where one stopped.

Tables of pictures are measured where their files lie in the folder EXPLORER_DATA, asked for by
themselves: dislib, kitti-masks, 3dident, imagenet-x (docs/datasets.md). Their numbers are
fractions, and nothing of them is stored.
"""
HEADINGS = ("table", "row", "score", "published", "published sd", "here", "here sd", "seeds",
            "difference", "CPU-s a run", "device", "recipe", "link")  # fmt: skip


def command(arguments: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """`papers`: 0, or 130 where training was stopped. What is wrong goes to the parser."""
    parser.add_argument("tables", nargs="*", metavar="TABLE",
                        help=", ".join([*TABLES, *PICTURES]))  # fmt: skip
    parser.add_argument("--rows", nargs="+", default=[], metavar="ROW", help="by name")
    parser.add_argument("--seeds", type=int, nargs="+", default=None)
    device_flag(parser)
    parser.add_argument("--budget", choices=("here", "published"), default="here")
    parser.add_argument("--fresh", action="store_true", help="ignore stored results")
    parser.add_argument("--dry-run", action="store_true", help="say what training would take")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON document")
    form.add_argument("--csv", action="store_true", help="comma-separated values")
    if {"-h", "--help"} & set(arguments):
        print(ABOUT)
        parser.print_help()
        return 0
    options = parser.parse_args(arguments)
    if set(options.tables) & set(PICTURES):
        return of_pictures(options, parser)
    _check(options, parser)
    store = Store()
    found = _cells(options, store)
    wanted = _wanted(options, found)
    _foretell(wanted, _asked(options), store)
    if options.dry_run:
        return 0
    if wanted and _asked(options):
        device = _device(options, parser)
        try:
            retrain(wanted, store, device)
        except KeyboardInterrupt:
            print("stopped; what is finished is stored: the same command goes on",
                  file=sys.stderr)  # fmt: skip
            return 130
        found = _cells(options, store)
    print(_told(options, found))
    return 0


def _check(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse, in one line, names that there are not and seeds that cannot be."""
    for name in options.tables:
        if name not in TABLES:
            parser.error(f"{name!r} is not one of {', '.join([*TABLES, *PICTURES])}")
    known = dict.fromkeys(
        row.name for name in options.tables or TABLES for row in TABLES[name].rows
    )
    for name in options.rows:
        if name not in known:
            parser.error(f"--rows: {name!r} is not one of {', '.join(known)}")
    if options.seeds and min(options.seeds) < 0:
        parser.error("--seeds: must be 0 or larger")


def _device(options: argparse.Namespace, parser: argparse.ArgumentParser) -> str:
    """What trains; refused in one line where this machine lacks it."""
    try:
        return Bounds.asked(options.device).device
    except ValueError as reason:
        parser.error(str(reason))


def _asked(options: argparse.Namespace) -> bool:
    """Whether runs are asked for, and not only what is stored."""
    named = options.tables or options.rows or options.seeds or options.fresh
    return bool(named) or options.budget == "published"


def _cells(options: argparse.Namespace, store: Store) -> list[Cell]:
    seeds = tuple(dict.fromkeys(options.seeds)) if options.seeds else None
    tables = [TABLES[name] for name in options.tables or TABLES]
    published = options.budget == "published"
    return cells(tables, store.record, store.get, seeds, published, options.rows)


def _wanted(options: argparse.Namespace, found: Sequence[Cell]) -> list[Member]:
    """The runs to be trained, each once."""
    members: dict[str, Member] = {}
    for cell in found:
        each = cell.experiment.members if options.fresh else cell.missing
        members |= {member.key: member for member in each}
    return list(members.values())


def _foretell(wanted: Sequence[Member], asked: bool, store: Store) -> None:
    """Say on stderr what is to be trained, or would be, and how long that takes."""
    if not wanted:
        return
    seconds = foretold(wanted, store)
    cost = "" if seconds is None else f", {duration(seconds)} of one core"
    said = "to train" if asked else "not stored; name their table to train them"
    print(f"{len(wanted)} runs {said}{cost}", file=sys.stderr, flush=True)


def _told(options: argparse.Namespace, found: Sequence[Cell]) -> str:
    """All cells in the form that is asked for."""
    if options.json:
        return json.dumps([document(cell) for cell in found], ensure_ascii=False, allow_nan=False)
    if options.csv:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADINGS)
        writer.writerows(_values(cell) for cell in found)
        return text.getvalue().rstrip("\n")
    return "\n".join(_lines(found))


def _values(cell: Cell) -> list[object]:
    printed = cell.printed
    return [
        cell.table.name, cell.row.name, cell.column.name, printed and printed.mean,
        printed and printed.sd, cell.mean, cell.sd, len(cell.known), cell.difference,
        cell.cpu_seconds, cell.device, cell.recipe, cell.link,
    ]  # fmt: skip


def _lines(found: Sequence[Cell]) -> list[str]:
    """To be read: a heading a table, a line a row with its recipe, a line a score."""
    lines: list[str] = []
    for i, cell in enumerate(found):
        table, row = cell.table, cell.row
        first = i == 0 or found[i - 1].table is not table
        if first:
            lines += [*([""] if lines else []), f"{table.title} ({table.source})", table.recipe]
            lines += [table.spread] if table.spread else []
        if first or found[i - 1].row is not row:
            lines += _about(cell)
        lines.append(f"    {cell.column.title:24} {_pair(cell)}{_cost(cell)}")
    return lines


def _about(cell: Cell) -> list[str]:
    row = cell.row
    fits = "matched" if row.matched else "mismatched"
    again = f"; the runs of {row.repeats}" if row.repeats else ""
    about = [f"  {row.name}: {row.words} ({fits}{again}; {row.world})", f"    {cell.recipe}"]
    return [*about, f"    {row.differs}"] if row.differs else about


def _pair(cell: Cell) -> str:
    """Published, here, and the difference."""
    printed, mean = cell.printed, cell.mean
    theirs = f"{printed.mean:6.2f} ± {printed.sd:5.2f}" if printed else "     – "
    if mean is None:
        return f"published {theirs}   here –"
    spread = f" ± {cell.sd:5.2f}" if cell.sd is not None else ""
    less = "" if cell.difference is None else f"   {cell.difference:+6.2f}"
    return f"published {theirs}   here {mean:6.2f}{spread} ({len(cell.known)}){less}"


def _cost(cell: Cell) -> str:
    if cell.cpu_seconds is None:
        return ""
    return f"   {cell.cpu_seconds:.1f} CPU-s a run, {cell.device}"
