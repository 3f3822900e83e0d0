"""Tables of pictures from a shell: `python -m core papers dislib | kitti-masks | ...`."""

import argparse
import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.datasets.loaded import Misread, inside
from core.datasets.registry import SOURCES, data_folder
from core.papers.pictures import PICTURES
from core.papers.pictures.protocol import SEEDS, Number, Protocol, Scored, mean_and_sd

HEADINGS = ("table", "row", "score", "published", "published sd", "here", "here sd", "seeds",
            "difference", "recipe")  # fmt: skip
Found = list[tuple[Protocol, Number]]


def command(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Measure the tables that are named: 0, or 130 where it was stopped.

    What is wrong, as a file that is missing or damaged, goes to the parser in one line, after what
    was measured before.
    """
    _check(options, parser)
    chosen = [PICTURES[name] for name in dict.fromkeys(options.tables)]
    for protocol in chosen:
        print(f"{protocol.name}: {protocol.budget}", file=sys.stderr, flush=True)
    if options.dry_run:
        return 0
    folder = data_folder()
    wanted = [(each, _there(each, options.rows, folder, parser)) for each in chosen]
    assert folder is not None
    found: Found = []
    seeds = tuple(dict.fromkeys(options.seeds or SEEDS))
    why, status = "", 0
    try:
        for protocol, rows in wanted:
            for number in protocol.measure(rows, folder, seeds):
                found.append((protocol, number))
                print(f"{number.row}, {number.score}: done", file=sys.stderr, flush=True)
    except Misread as reason:
        why = str(reason)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        status = 130
    if found or not why:
        print(_told(options, found, seeds))
    if why:
        parser.error(" ".join(why.split()))
    return status


def _check(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    if not set(options.tables) <= set(PICTURES):
        parser.error(f"{', '.join(PICTURES)} are asked for by themselves")
    rows = [row for name in options.tables for row in PICTURES[name].rows]
    for name in options.rows:
        if name not in rows:
            parser.error(f"--rows: {name!r} is not one of {', '.join(dict.fromkeys(rows))}")
    if options.seeds and min(options.seeds) < 0:
        parser.error("--seeds: must be 0 or larger")
    if options.budget == "published":
        parser.error("--budget: tables of pictures have the one of here alone")
    if options.device == "cuda":
        parser.error("--device: tables of pictures are trained on the CPU")


def _there(
    protocol: Protocol, asked: Sequence[str], folder: Path | None, parser: argparse.ArgumentParser
) -> list[str]:
    """Rows whose files are there.

    The first file that is not goes to the parser where no row is left, or one that was asked for.
    """
    rows = [row for row in protocol.rows if row in asked or not asked]
    lacking = {row: name for row in rows if (name := _missing(protocol.rows[row], folder))}
    left = [row for row in rows if row not in lacking]
    if lacking and (asked or not left):
        where = f"in {folder}" if folder else "found: EXPLORER_DATA names no folder"
        name = next(iter(lacking.values()))
        parser.error(f"{name} is not {where}; docs/datasets.md says how to get it")
    if lacking:
        names = ", ".join(dict.fromkeys(lacking.values()))
        print(f"left out, since not in {folder}: {names}", file=sys.stderr, flush=True)
    return left


def _missing(sources: Sequence[str], folder: Path | None) -> str | None:
    """The first file of data sets that is not in the folder."""
    for name in (name for source in sources for name in SOURCES[source].files):
        try:
            if folder is None or not inside(folder, name):
                return name
        except (Misread, OSError):
            return name
    return None


def _told(options: argparse.Namespace, found: Found, seeds: Sequence[int]) -> str:
    if options.json:
        documents = [_document(protocol, number, seeds) for protocol, number in found]
        return json.dumps(documents, ensure_ascii=False, allow_nan=False)
    if options.csv:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADINGS)
        for protocol, number in found:
            writer.writerows(_values(protocol, number, seeds))
        return text.getvalue().rstrip("\n")
    return "\n".join(_lines(found))


def _measured(scored: Scored) -> dict[str, float | None] | None:
    found = mean_and_sd(scored)
    if found is None:
        return None
    return {"mean": found[0], "sd": found[1], "n": sum(value is not None for value in scored)}


def _recipe(protocol: Protocol, number: Number, seeds: Sequence[int]) -> str:
    said = " ".join(map(str, seeds))
    return f"python -m core papers {protocol.name} --rows {number.row} --seeds {said}"


def _difference(number: Number) -> float | None:
    here, printed = mean_and_sd(number.here), number.published
    return None if here is None or printed is None else here[0] - printed[0]


def _document(protocol: Protocol, number: Number, seeds: Sequence[int]) -> Mapping[str, object]:
    """A number as JSON: fractions, whatever is printed."""
    printed = number.published
    published = printed and {"mean": printed[0], "sd": printed[1], "printed": number.printed}
    return {
        "table": protocol.name, "row": number.row, "score": number.score,
        "published": published, "measured": _measured(number.here),
        "difference": _difference(number),
        "beside": {name: _measured(scored) for name, scored in number.beside.items()},
        "recipe": _recipe(protocol, number, seeds),
    }  # fmt: skip


def _values(protocol: Protocol, number: Number, seeds: Sequence[int]) -> list[list[object]]:
    """A line of the number, and one of each control."""
    recipe, printed = _recipe(protocol, number, seeds), number.published or (None, None)
    lines = []
    for name, scored in {"": number.here, **number.beside}.items():
        here, theirs = mean_and_sd(scored) or (None, None), (None, None) if name else printed
        score = f"{number.score}, {name}" if name else number.score
        count = sum(value is not None for value in scored)
        less = None if name else _difference(number)
        lines.append([protocol.name, number.row, score, *theirs, *here, count, less, recipe])
    return lines


def _lines(found: Found) -> list[str]:
    """To be read: a heading a table, a line a row, a line a score and one of its controls."""
    lines: list[str] = []
    for i, (protocol, number) in enumerate(found):
        first = i == 0 or found[i - 1][0] is not protocol
        if first:
            heading = f"{protocol.table.title} ({protocol.table.source})"
            lines += [*([""] if lines else []), heading, protocol.recipe]
        if first or found[i - 1][1].row != number.row:
            lines.append(f"  {number.row}: {number.words}")
        form = ".2g" if number.score.startswith("p ") else ".3f"
        theirs = "–" if number.published is None else _pair(number.published, form)
        here = _pair(mean_and_sd(number.here), form)
        lines.append(f"    {number.score:20} published {theirs}   here {here}")
        for name, scored in number.beside.items():
            lines.append(f"      {name:44} {_pair(mean_and_sd(scored), form)}")
    return lines


def _pair(found: tuple[float, float | None] | None, form: str) -> str:
    if found is None:
        return "–"
    mean, sd = found
    return f"{mean:{form}}" if sd is None else f"{mean:{form}} ± {sd:{form}}"
