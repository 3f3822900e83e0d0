"""Runs that a test speaks of: those that are shipped, and what is not shipped trained here.

That shipped runs are what this code trains is held by `test_members`: short runs of every scenario
have pinned numbers, and a default run of each is compared with its shipped one. With `--fresh`
everything is trained (`make fresh`).
"""

from collections.abc import Sequence
from functools import cache

from core.run.archive import Gallery
from core.run.experiment import Member, Record, Result
from core.run.worker import train_group

FRESH = False  # set by `--fresh`
_gallery = Gallery()


def records(members: Sequence[Member]) -> list[Record]:
    """Parameters, seed and scores of each member."""
    found = [None if FRESH else _gallery.record(member) for member in members]
    if all(r is not None and _current(r) for r in found):
        return found
    return results(tuple(members))


@cache
def results(members: tuple[Member, ...], way: bool = False) -> list[Result]:
    """The same with curves and latents; with frames on the `way` there, not the last alone."""
    found = {} if FRESH else {m: _gallery.get(m) for m in members if m.key in _gallery}
    known = {
        m: r for m, r in found.items()
        if r is not None and _current(r) and (r.playable or not way)
    }  # fmt: skip
    missing = tuple(m for m in members if m not in known)
    known |= {r.member: r for r in (train_group(missing, device="cpu") if missing else ())}
    return [known[member] for member in members]


def _current(run: Record | Result) -> bool:
    """Whether it was scored as this code scores."""
    return run.provenance["scored"] == run.member.scored
