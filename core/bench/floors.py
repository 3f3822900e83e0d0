"""What an update could cost at least, and where the time of a whole run goes.

The floor of an update is the longer of two times: its matrix products at the speed of large ones on
the same device, and the bytes that its operations read and write at the speed of the fastest copy
there. Both speeds are measured. What an update takes above it are operations that are too small for
the device, and the time to start them.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from core.bench.speeds import SEEDS, TITLES, Figures, clock_of, pace, ready, several, wait
from core.run.experiment import Member
from core.run.updates.capture import aside
from core.run.worker import keep_memory, learner_of, train_group

TRIES, REPEATED = 5, 20
PRODUCT = {"cpu": 1024, "cuda": 8192}  # rows of the square matrices whose product sets the speed
COPIED = [1 << power for power in range(14, 29, 2)]  # bytes, from the smallest cache to none
WARM = 3
HERE = Path(__file__).parents[1]
# by the file of a function, what it does; those within it do the same, but for a backward pass
PARTS = {
    "laws/": "drawing", "mixing.py": "drawing", "images/": "drawing",
    "encoder.py": "forward", "decoders": "forward", "flows/": "forward",
    "objectives.py": "loss",
    "run/updates/": "optimiser",
    "run/evaluation.py": "observing", "metrics/": "observing", "entropy.py": "observing",
}  # fmt: skip
OBSERVING = {"observe", "look", "finish", "_baselines", "_closed_form"}  # methods of a learner
ORDER = ("drawing", "forward", "loss", "backward", "optimiser", "observing", "rest")


class Count(NamedTuple):
    """What one update of a group does."""

    flops: float  # floating-point operations of its matrix products and convolutions
    bytes: float  # read and written by its operations, each by itself
    operations: int


class Bytes(TorchDispatchMode):
    """Adds up the bytes of tensors that operations read and write; views cost nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes, self.operations = 0.0, 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if not func.is_view and not func.__name__.startswith(("empty", "detach", "new_empty")):
            self.operations += 1
            each = tree_leaves((args, kwargs or {}, out))
            self.bytes += sum(t.numel() * t.element_size() for t in each if isinstance(t, Tensor))
        return out


def counted(members: tuple[Member, ...], device: str) -> Count:
    """Of one update, after a few that set everything up."""
    with aside(device):
        learner = learner_of(members, device)
        for t in range(WARM):
            learner.step(t)
        with FlopCounterMode(display=False) as flops, Bytes() as seen:
            learner.step(WARM)
    return Count(float(flops.get_total_flops()), seen.bytes, seen.operations)


class Speed(NamedTuple):
    """The most that a device does in a second, as measured."""

    flops: float
    bytes: float


def speed(device: str) -> Speed:
    """Of large matrix products in float32 (on a GPU with TF32), and of the fastest copy."""
    n = PRODUCT[device]
    a, b = (torch.randn(n, n, device=device) for _ in range(2))
    product = 2 * n**3 / _seconds(lambda: torch.mm(a, b), device)
    rates = []
    for size in COPIED:
        source = torch.zeros(size // 4, device=device)
        target = torch.empty_like(source)
        rates.append(2 * size / _seconds(_copy(target, source), device))
    return Speed(product, max(rates))


def _copy(target: Tensor, source: Tensor) -> Callable[[], Any]:
    return lambda: target.copy_(source)


def _seconds(of: Callable[[], Any], device: str) -> float:
    """Of one call: the fastest of a few tries, of several calls each."""
    tries, clock = [], clock_of(device)
    for _ in range(TRIES + 1):
        wait(device)
        start = clock()
        for _ in range(REPEATED):
            of()
        wait(device)
        tries.append((clock() - start) / REPEATED)
    return min(tries[1:])


class Shares:
    """Seconds of this process by what it was doing: a profile by the files of the functions.

    What calls a function counts where the function's own file says nothing.
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(ORDER, 0.0)
        self.now = ["rest"]
        self.since = 0.0
        self.known: dict[CodeType, str | None] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count what happens within."""
        self.since = time.process_time()
        sys.setprofile(self._event)
        try:
            yield
        finally:
            sys.setprofile(None)
            self._turn(self.now[-1])

    def _event(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            self._turn(self.now[-1])
            self.now.append(self._within(self.now[-1], frame.f_code))
        elif event == "return" and len(self.now) > 1:
            self._turn(self.now.pop())

    def _turn(self, part: str) -> None:
        now = time.process_time()
        self.seconds[part] += now - self.since
        self.since = now

    def _within(self, outer: str, code: CodeType) -> str:
        if code not in self.known:
            self.known[code] = _part(code)
        own = self.known[code]
        if own is None or (outer != "rest" and (outer, own) != ("optimiser", "backward")):
            return outer
        return own


def _part(code: CodeType) -> str | None:
    """What a function does by where it stands, None where that says nothing."""
    if code.co_filename.endswith("torch/autograd/__init__.py"):
        return "backward"
    path = Path(code.co_filename)
    if HERE not in path.parents:
        return None
    place = path.relative_to(HERE).as_posix()
    if place.startswith("learners/"):
        return "observing" if code.co_name in OBSERVING else None
    return next((part for start, part in PARTS.items() if place.startswith(start)), None)


def shares(members: tuple[Member, ...]) -> dict[str, float]:
    """Of a whole run on the CPU, how much of its time each part takes (they add to 1)."""
    found = Shares()
    with found.watching():
        train_group(members, device="cpu")
    total = sum(found.seconds.values())
    return {part: seconds / total for part, seconds in found.seconds.items()}


def measure(device: str, titles: tuple[str, ...] = TITLES, m: int = len(SEEDS)) -> Figures:
    """Of every setting: an update of m members, its floor, and on the CPU a whole run's parts."""
    keep_memory()
    ready()
    top = speed(device)
    figures: Figures = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "torch": str(torch.__version__),
        "products: GFLOP/s": top.flops / 1e9,
        "copies: GB/s": top.bytes / 1e9,
    }
    for title in titles:
        figures |= _floor(title, several(title, m), device, top)
        if device == "cpu":
            parts = shares(several(title, 1))
            figures |= {f"{title}: share of {part}": each for part, each in parts.items()}
    return figures


def _floor(title: str, members: tuple[Member, ...], device: str, top: Speed) -> Figures:
    count = counted(members, device)
    products, moved = count.flops / top.flops, count.bytes / top.bytes
    took = 1 / pace(members, device).per_second
    return {
        f"{title}: us of an update": 1e6 * took,
        f"{title}: us of its products": 1e6 * products,
        f"{title}: us of its bytes": 1e6 * moved,
        f"{title}: operations": count.operations,
        f"{title}: share of the floor": max(products, moved) / took,
    }
