"""Every claim's measured numbers and verdict from a shell; from fresh seeds where asked."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from math import isfinite

from core import curate
from core.claimed import CLAIMS
from core.claims.claim import Claim, Exact, Found, gathered
from core.command import device_flag
from core.lessons import SETUPS
from core.run.bounds import Bounds
from core.run.experiment import Member, Result, groups
from core.run.store import Store

SAID = {True: "holds", False: "FAILS", None: "not run"}


def command(arguments: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """`claims [PAGE] [--retrain --seeds A B C] [--json]`: 1 when a claim fails, else 0."""
    pages = sorted({claim.page for claim in CLAIMS.values()}, key=list(SETUPS).index)
    parser.add_argument("page", nargs="?", choices=pages, metavar="PAGE")
    parser.add_argument("--retrain", action="store_true", help="train every run from --seeds")
    parser.add_argument("--seeds", type=int, nargs="+", default=None)
    device_flag(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    if {"-h", "--help"} & set(arguments):
        parser.print_help()
        return 0
    options = parser.parse_args(arguments)
    if options.retrain != (options.seeds is not None):
        parser.error("--retrain: goes with --seeds, such as --retrain --seeds 100 101 102")
    if options.seeds and min(options.seeds) < 0:
        parser.error("--seeds: must be 0 or larger")
    chosen = [claim for claim in CLAIMS.values() if options.page in (None, claim.page)]
    seeds = tuple(dict.fromkeys(options.seeds)) if options.seeds else None
    store = Store(gallery=None) if options.retrain else Store()
    if options.retrain:
        try:
            wanted = evidence(chosen, seeds)
        except ValueError as error:  # more runs than a request may hold
            parser.error(f"--seeds: {error}")
        try:
            device = Bounds.asked(options.device).device
        except ValueError as error:
            parser.error(str(error))
        train(wanted, store, device)
    found = measure(chosen, store.get, seeds)
    if options.json:
        print(json.dumps([document(each) for each in found], ensure_ascii=False, allow_nan=False))
    else:
        for each in found:
            print(table(each))
        kept = sum(each.verdict is True for each in found)
        print(f"{kept} of {len(found)} claims hold")
    return 0 if all(each.verdict is True for each in found) else 1


def evidence(claims: Iterable[Claim], seeds: Sequence[int] | None) -> list[Member]:
    """The runs behind some claims, each once, without those of their counters."""
    members = {
        member.key: member
        for claim in claims
        for group in claim.evidence.values()
        for member in group.members(seeds)
    }
    return list(members.values())


def measure(
    claims: Iterable[Claim],
    get: Callable[[Member], Result | None],
    seeds: Sequence[int] | None = None,
) -> list[Found]:
    """Every claim's evidence; a run that claims share is read once."""
    read: dict[str, Result | None] = {}

    def once(member: Member) -> Result | None:
        if member.key not in read:
            read[member.key] = get(member)
        return read[member.key]

    return [gathered(claim, once, seeds=seeds) for claim in claims]


def train(members: Iterable[Member], store: Store, device: str = "auto") -> None:
    """Train what the store lacks, groups side by side in processes of one thread, longest first.

    A group is stored when it is done, so that a second call goes on where the first one stopped.
    """
    alike = groups(member for member in members if not store.has(member))
    for done, (_, results) in enumerate(curate.trained(alike, device), 1):
        for result in results:
            store.put(result)
        print(f"{done} of {len(alike)} groups trained", file=sys.stderr, flush=True)


def table(found: Found) -> str:
    """A claim with its verdict, its relation in words, and a line for each group."""
    claim = found.claim
    lines = [
        f"{SAID[found.verdict]:8} {claim.name} ({claim.page}, {claim.kind})",
        f"  {found.words.replace('**', '')}",
        f"  asks: {claim.holds}",
    ]
    wide = max(len(label) for label in found.values)
    for label, values in found.values.items():
        score = claim.written_by(claim.evidence[label])
        written = " ".join(score.written(value) for value in values)
        lines.append(f"  {label:{wide}}  {score.title}: {written}")
    return "\n".join([*lines, ""])


def document(found: Found) -> dict[str, object]:
    """A claim as the JSON document has it; null for a run without a score."""
    claim = found.claim
    return {
        "name": claim.name,
        "page": claim.page,
        "kind": claim.kind,
        "words": found.words,
        "because": found.because,
        "source": claim.source,
        "relation": str(claim.holds),
        "holds": found.verdict,
        "missing": len(found.missing),
        "evidence": {
            label: [v if v is not None and isfinite(v) else None for v in values]
            for label, values in found.values.items()
        },
        "exact": [label for label, group in claim.evidence.items() if isinstance(group, Exact)],
    }
