"""Adam down the losses of members that share no parameter: by one cycle, or in a game."""

from collections.abc import Iterable, Sequence
from itertools import chain
from math import cos, pi
from typing import Any

import torch
from torch import Tensor, nn

from core.run.updates.capture import Time, count

PLAYING = (0.5, 0.999)  # Adam's betas in a game: with more momentum the players circle
BETA2, EPSILON = 0.999, 1e-8  # of Adam
MOMENTA = (0.85, 0.95)  # between which one cycle moves beta1, against the rate
START, END = 25.0, 1e4  # of one cycle: the peak over its start, and its start over its end
LINE = 16  # float32 numbers of a line of the processor's cache


class Descent:
    """Adam with a one-cycle rate: the update that every learner performs."""

    def __init__(self, parameters: Iterable[nn.Parameter], peak: float, steps: int) -> None:
        self.parameters = list(parameters)
        rising = 0.3 if steps == 3 else 0.25  # PyTorch divides by a quarter of 4, less 1
        self.cycle: Cycle | None = None
        if self.parameters[0].device.type != "cpu":
            self.cycle = Cycle(self.parameters, peak, steps, rising)
            return
        self.row = Row(self.parameters)
        self.optimiser = adam(self.row, peak)
        self.rate = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, peak, total_steps=steps + 1, pct_start=rising
        )

    @property
    def taken(self) -> int:
        """Updates so far: a look that, on a GPU, waits for them."""
        return self.rate.last_epoch if self.cycle is None else int(self.cycle.taken)

    def __call__(self, loss: Tensor) -> Tensor:
        """One update from the losses (m,) of members that share no parameter; gives them back."""
        found = torch.autograd.grad(loss.sum(), self.parameters)  # so the sum trains each alone
        if self.cycle is not None:
            self.cycle.step(found)
            return loss.detach()
        self.row.take(found)
        self.optimiser.step()
        self.rate.step()
        return loss.detach()


class GameDescent:
    """Adam on some networks that play against others; its rate falls to 0 in the last quarter."""

    def __init__(self, networks: Iterable[nn.Module], rate: float) -> None:
        self.rate = rate
        self.parameters = list(chain.from_iterable(each.parameters() for each in networks))
        device = self.parameters[0].device
        self.taken = count(device)
        self.beta1 = torch.full((), PLAYING[0], dtype=torch.float64, device=device)
        self.adam: Adam | None = None
        if device.type != "cpu":
            self.adam = Adam(self.parameters)
            return
        self.row = Row(self.parameters)
        self.optimiser = adam(self.row, rate, PLAYING)

    def descend(self, loss: Tensor, done: float | Tensor) -> None:
        """One update from losses (m,), after a share `done` of the training."""
        found = torch.autograd.grad(loss.sum(), self.parameters)
        rate = self.rate * settling(done)
        if self.adam is not None:
            self.adam.step(found, corrected(rate, self.beta1, self.taken))
            self.taken += 1
            return
        self.row.take(found)
        self.optimiser.param_groups[0]["lr"] = rate
        self.optimiser.step()


def settling(done: float | Tensor) -> Any:
    """Share of a rate in force after a share `done` of training: it falls in the last quarter."""
    if isinstance(done, Tensor):
        return (4 * (1 - done)).clamp(max=1)
    return min(1.0, 4 * (1 - done))


# --- on the processor ---------------------------------------------------------------------------


class Row:
    """Parameters as parts of one row of numbers, and their gradients as parts of its gradient.

    Adam on the row is a handful of operations, whatever the number of layers: for the small
    networks here most of its time was spent on starting them. The parameters are moved into it.
    """

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        # each begins with a line of the cache, as it did alone: matrix products round by that
        sizes = [-(-each.numel() // LINE) * LINE for each in parameters]
        self.all = nn.Parameter(torch.zeros(sum(sizes)))
        self.all.grad = torch.zeros_like(self.all)
        self.gradients = _parts(self.all.grad, sizes, parameters)
        for each, part in zip(parameters, _parts(self.all.data, sizes, parameters), strict=True):
            part.copy_(each.data)
            each.data = part

    def take(self, gradients: Sequence[Tensor]) -> None:
        """Make these the row's gradient, one of each parameter."""
        torch._foreach_copy_(self.gradients, list(gradients))


def _parts(row: Tensor, sizes: Sequence[int], like: Sequence[Tensor]) -> list[Tensor]:
    """Consecutive parts of a row (n,), in the shapes of `like`."""
    pieces = zip(row.split(list(sizes)), like, strict=True)
    return [piece[: each.numel()].view(each.shape) for piece, each in pieces]


def adam(row: Row, rate: float, betas: tuple[float, float] = (0.9, BETA2)) -> torch.optim.Adam:
    """PyTorch's Adam on a row.

    Not fused: that kernel rounds the last few numbers of a tensor differently, so a member would
    depend on its companions.
    """
    return torch.optim.Adam([row.all], lr=rate, betas=betas, eps=EPSILON, foreach=False)


# --- on a GPU ----------------------------------------------------------------------------------


class Adam:
    """Adam whose numbers are tensors, so that its step can be captured (PyTorch's reads them)."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.parameters = parameters
        self.mean = [torch.zeros_like(each) for each in parameters]
        self.square = [torch.zeros_like(each) for each in parameters]

    @torch.no_grad()
    def step(self, gradients: tuple[Tensor, ...], numbers: Tensor) -> None:
        """One step down these gradients, by the four `numbers` (4,) that `corrected` gives."""
        keep, take, length, unbiased = numbers.float().unbind()
        torch._foreach_mul_(self.mean, keep)
        torch._foreach_add_(self.mean, torch._foreach_mul(gradients, take))
        torch._foreach_mul_(self.square, BETA2)
        torch._foreach_addcmul_(self.square, gradients, gradients, 1 - BETA2)
        size = torch._foreach_sqrt(self.square)
        torch._foreach_div_(size, unbiased)
        torch._foreach_add_(size, EPSILON)
        down = torch._foreach_div(self.mean, size)
        torch._foreach_mul_(down, length)
        torch._foreach_sub_([*self.parameters], list(down))


def corrected(rate: Tensor, beta1: Tensor, taken: Time) -> Tensor:
    """What a step of Adam needs (..., 4), all (...) in float64: the step after `taken` others.

    beta1, 1 - beta1, the rate over the first moment's correction, and the root of the second's.
    """
    first, second = 1 - beta1 ** (taken + 1), 1 - torch.full_like(rate, BETA2) ** (taken + 1)
    return torch.stack([beta1, 1 - beta1, rate / first, second.sqrt()], -1)


def one_cycle(peak: float, steps: int, rising: float) -> tuple[list[float], list[float]]:
    """Rates and beta1 of `steps` updates: PyTorch's OneCycleLR of steps + 1, cosine by halves."""
    top, end = rising * (steps + 1) - 1, float(steps)
    low, last, (least, most) = peak / START, peak / START / END, MOMENTA
    rates, betas = [], []
    for t in range(steps):
        a, b, share = (low, peak, t / top) if t <= top else (peak, last, (t - top) / (end - top))
        across = (1 + cos(pi * share)) / 2
        rates.append(b + (a - b) * across)
        a, b = (most, least) if t <= top else (least, most)
        betas.append(b + (a - b) * across)
    return rates, betas


class Cycle:
    """Adam with a one-cycle rate, every number of it in the memory of the parameters' device."""

    def __init__(
        self, parameters: list[nn.Parameter], peak: float, steps: int, rising: float
    ) -> None:
        self.adam = Adam(parameters)
        device = parameters[0].device
        rates, betas = (
            torch.tensor(each, dtype=torch.float64) for each in one_cycle(peak, steps, rising)
        )
        numbers = corrected(rates, betas, torch.arange(steps, dtype=torch.float64))
        self.numbers = numbers.to(device)  # (steps, 4)
        self.taken = torch.zeros(1, dtype=torch.long, device=device)

    def step(self, gradients: tuple[Tensor, ...]) -> None:
        """The next step; the last one's numbers again when all are taken."""
        at = self.taken.clamp(max=len(self.numbers) - 1)
        self.adam.step(gradients, self.numbers.index_select(0, at)[0])
        self.taken += 1
