"""Updates on a GPU: captured once as a CUDA graph and replayed, their times read on the device.

What depends on the number of an update (rates, momenta, temperatures) is computed from tensors, so
that the same graph serves every one of them. On the CPU an update is simply run.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Protocol

import torch
from torch import Tensor

from core.laws.samplers import Noise

Time = int | Tensor
WARM = 3  # updates that run as they are, so that libraries have their workspace before a capture
FEW = 20  # updates left for which a capture does not pay


class Clock:
    """Which update it is, where the update itself can read it: on a GPU in the GPU's memory."""

    def __init__(self, device: torch.device | str) -> None:
        self.count = count(device)

    def at(self, t: int) -> Time:
        """Update t, asked for once in every update: from 0 on the CPU's t, else a float64 tensor.

        (That one counts for itself; what the update does must not hang on t otherwise.)
        """
        if not isinstance(self.count, Tensor):
            return t
        now = self.count.clone()
        self.count += 1
        return now


def count(device: torch.device | str) -> Time:
    """A count from 0 that `+= 1` moves on: on a GPU in its memory, float64."""
    if torch.device(device).type == "cpu":
        return 0
    return torch.zeros((), dtype=torch.float64, device=device)


class Learner(Protocol):
    """What of a learner is needed here; see `core.run.training.Learner`."""

    steps: int
    data: Noise  # all that an update draws from

    def step(self, t: int) -> Tensor:
        """Perform update t and return the losses (m,) before it."""

    def program(self, t: int) -> Hashable | None:
        """What update t is: those of one name are the same but for what a `Clock` tells.

        None for an update that cannot be captured.
        """


class Replayed:
    """A learner's updates on CUDA, those of each program captured after the first few of it.

    Nothing is run twice: what warms up are updates of the training, and a capture runs nothing.
    Asks for a stream other than the default one, `aside`.
    """

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self.graphs: dict[Hashable, tuple[torch.cuda.CUDAGraph, Tensor]] = {}
        self.seen: Counter[Hashable] = Counter()

    def __call__(self, t: int) -> Tensor:
        """Update t; the losses (m,) before it, on the device."""
        name = self.learner.program(t)
        if name not in self.graphs:
            self.seen[name] += 1
            left = self.learner.steps - t
            if name is None or self.seen[name] <= WARM or left < FEW:
                return self.learner.step(t)
            self.graphs[name] = self._captured(t)
        graph, loss = self.graphs[name]
        graph.replay()
        return loss.clone()

    def _captured(self, t: int) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        graph = torch.cuda.CUDAGraph()
        for generator in self.learner.data.generators:  # so that every replay draws on
            graph.register_generator_state(generator)
        with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
            loss = self.learner.step(t)
        return graph, loss


def updates(learner: Learner, device: str) -> Callable[[int], Tensor]:
    """How to perform an update of a learner on this device."""
    return Replayed(learner) if device == "cuda" else learner.step


@contextmanager
def aside(device: str) -> Iterator[None]:
    """On CUDA a stream of its own for all that a run does: one can be captured, the default not.

    The same for every run of a process, of which one trains at a time: libraries keep memory for
    each stream that they have seen.
    """
    if device != "cuda":
        yield
        return
    stream = _stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream().wait_stream(stream)


@cache
def _stream() -> torch.cuda.Stream:
    return torch.cuda.Stream()
