"""How many members a GPU holds together, by what members of their shape took of it before.

The first group of a shape is tried as it is. What it took at most, over its members, is the
estimate for the groups after it; of one that did not fit, what was free, over its members: so much
a member takes at least.
"""

from collections.abc import Hashable

import torch

KEPT = 0.1  # of what is free, left for what an estimate does not see

_bytes: dict[Hashable, float] = {}  # a member of a shape, in this process


def free() -> float:
    """Bytes of the GPU that a group may take: what is free, and what PyTorch keeps to use again."""
    unused = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    return (1 - KEPT) * (torch.cuda.mem_get_info()[0] + unused)


def watch() -> None:
    """Begin to note the most that is taken at once."""
    torch.cuda.reset_peak_memory_stats()


def most() -> float:
    """Bytes taken at once since `watch`, at most."""
    return float(torch.cuda.max_memory_allocated())


def room(shape: Hashable) -> int | None:
    """Members of a shape that fit together, at least 1; None where none has been tried."""
    each = _bytes.get(shape)
    return None if each is None else max(1, int(free() / each))


def took(shape: Hashable, members: int) -> None:
    """So many trained together, since `watch`."""
    _bytes[shape] = most() / members


def refused(shape: Hashable, members: int) -> None:
    """So many did not fit, into what is free without them."""
    _bytes[shape] = max(_bytes.get(shape, 0.0), free() / members)
