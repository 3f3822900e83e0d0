"""Published tables beside our runs: as dots, as a table of links, and where they disagree."""

from collections.abc import Sequence
from functools import partial
from urllib.parse import urlencode

import streamlit as st

from core.claimed import CLAIMS
from core.papers import TABLES
from core.papers.compare import Cell, cells, query
from core.papers.table import Column, Row, Table
from ui import claims, runner, sheet

FITS = {"all": "all rows", "matched": "matched", "mismatched": "mismatched"}
ARROW = ":material/arrow_forward:"


def compared(table: Table, fits: str = "all", page: str = "") -> list[Cell]:
    """A table's scores, printed and stored: of all rows, those that match or not, or of a page."""
    store = runner.store()
    found = cells([table], store.record, store.get)
    return [
        cell for cell in found if fits in ("all", fit(cell.row)) and page in ("", cell.row.lesson)
    ]


def fit(row: Row) -> str:
    """Whether a row matches what the theory assumes, in a word."""
    return "matched" if row.matched else "mismatched"


def beside(page: str, *names: str) -> None:
    """The rows of some tables that open on a page, with links to their runs there."""
    for table in (TABLES[name] for name in names):
        st.markdown(f"**{table.title}**")
        linked(compared(table, page=page))
        about(table)
        st.page_link("pages/papers.py", label="The whole table, drawn", icon=ARROW,
                     query_params={"part": table.name})  # fmt: skip


def about(table: Table) -> None:
    """How our runs differ from the published ones, and what the spreads are."""
    notes = [f"{c.title}: {c.note}" for c in table.columns if c.note]
    kept = [text for text in (table.words, table.spread, table.recipe, *notes) if text]
    st.caption("\n".join(f"- {text}" for text in kept))


def linked(found: Sequence[Cell]) -> None:
    """A row a line, a score a column: published, and here in bold as a link to its runs."""
    columns = list({cell.column.name: cell.column for cell in found}.values())
    rows = list({cell.row.name: cell.row for cell in found}.values())
    if not rows:
        st.info("No row of this table is of that kind.", icon=":material/info:")
        return
    at = {(cell.row.name, cell.column.name): cell for cell in found}
    lines = [
        "| row | fits | " + " | ".join(c.title for c in columns) + " |",
        "|:--|:--|" + ":--|" * len(columns),
    ]
    for row in rows:
        texts = [_pair(at.get((row.name, column.name))) for column in columns]
        again = " (again)" if row.repeats else ""
        fits = "yes" if row.matched else "no"
        lines.append(f"| {_plain(row.words)}{again} | {fits} | " + " | ".join(texts) + " |")
    st.markdown("\n".join(lines))
    st.caption(
        "Fits: whether the theory's assumptions hold. Published, then **here**, in percent: mean ± "
        "sd over seeds, and by how many points ours "
        "is off, :red[▼] where it is more than one point worse. Ours link to their runs."
    )
    st.markdown("\n".join(f"- {_plain(row.words)}: {row.differs}" for row in rows if row.differs))


def _plain(text: str) -> str:
    """Words in a table of Markdown."""
    return text.replace("|", "\\|").replace("_", "\\_")


def _pair(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    theirs = "–" if cell.printed is None else cell.printed.said
    if cell.mean is None:
        return f"{theirs} · not measured"
    address = f"{cell.row.lesson}?{urlencode(query(cell.row, cell.experiment))}"
    off = "" if cell.difference is None else f" {_signed(cell.difference)}"
    return f"{theirs} · [**{_here(cell)}**]({address}){f' :red[▼{off}]' if cell.missed else off}"


def _signed(points: float) -> str:
    """A difference in percentage points."""
    return f"{points:+.1f}".replace("-", "−")


def _here(cell: Cell) -> str:
    spread = "" if cell.sd is None else f" ± {cell.sd:.2f}"
    return f"{cell.mean:.2f}{spread}"


def dots(found: Sequence[Cell], table: Table, column: Column) -> None:
    """One score of every row: the published diamond with its bar, ours a dot a seed."""
    from core import figures  # altair: the words do not wait for it

    shown = [cell for cell in found if cell.column is column and not cell.row.repeats]
    if not any(cell.printed or cell.known for cell in shown):
        st.info("No row of this table has that score under this choice.", icon=":material/info:")
        return
    rows = [
        figures.Beside(
            cell.row.words,
            None if cell.printed is None else (cell.printed.mean, cell.printed.sd),
            {r.member.seed: v for r, v in zip(cell.runs, cell.values, strict=True)
             if v is not None},
            fit(cell.row),
            cell.row.world,
        )
        for cell in shown
    ]  # fmt: skip
    alt = "; ".join(f"{cell.row.words}: {_spoken(cell)}" for cell in shown)
    sheet.figure(
        "paper", f"{table.title}, {column.title}, in percent. {alt}.",
        partial(figures.beside, rows, column.title, column.best),
        of=(table.name, column.name, *(cell.row.name for cell in shown),
            *(run.member.key for cell in shown for run in cell.runs)),
        numbers=f"{table.name}-{column.name}",
    )  # fmt: skip


def _spoken(cell: Cell) -> str:
    theirs = "nothing published" if cell.printed is None else f"published {cell.printed.mean:g}"
    return f"{theirs}, " + ("not measured" if cell.mean is None else f"here {cell.mean:.1f}")


def disagreements(found: Sequence[Cell], table: Table) -> None:
    """Every number that disagrees with the table, by what the runs show of it."""
    both = [cell for cell in found if cell.difference is not None and not cell.row.repeats]
    if not found:
        return
    if not any(cell.printed for cell in found):
        st.markdown("Nothing is printed in numbers to be held against these.")
        if table.drawn:
            page, part = table.drawn
            st.page_link(f"pages/{page}.py", label="As curves, over how uneven the latents are",
                         icon=ARROW, query_params={"part": part})  # fmt: skip
        return
    left = {id(cell): cell for cell in both if cell.apart}
    st.markdown(
        f"**Where the two disagree**: {len(left)} of {len(both)} numbers, by more than a point "
        "beyond the printed deviation; here less published, in points."
    )
    for name in table.claims:
        mine = [c for c in left.values() if table.explained(name, c.row, c.column)]
        if mine:
            claim = claims.found(CLAIMS[name])
            st.markdown(claim.words)
            st.markdown(_off(mine))
            st.caption(claim.because)
            st.page_link(f"pages/{claim.claim.opens.lesson}.py", label="Open its setting",
                         icon=ARROW, query_params=claims.query(claim.claim))  # fmt: skip
            for cell in mine:
                del left[id(cell)]
    if left:
        st.markdown("**No run here explains these**")
        st.markdown(_off(list(left.values())))


def _off(found: Sequence[Cell]) -> str:
    """Rows as a list, each with the scores in which it is off, and by how much."""
    rows: dict[str, list[str]] = {}
    for cell in found:
        off = f"{cell.column.title} {_signed(cell.difference or 0.0)}"
        rows.setdefault(_plain(cell.row.words), []).append(off)
    return "\n".join(f"- {words}: {', '.join(off)}" for words, off in rows.items())
