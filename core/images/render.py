"""Renderers of the worlds by name, and which factors can be seen in a picture."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from core.images import masks, scene, sprites
from core.images.world import World

PAINTERS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "sprites": sprites.paint,
    "scene": scene.paint,
    "masks": masks.paint,
}
TOGETHER = 2**16  # pixels drawn at once on a CPU, so that what is between stays in its cache
GREY = 1 / 255  # a level of an 8-bit picture: what changes less cannot be seen


def render(world: World, z: Tensor | np.ndarray, side: int | None = None) -> Tensor:
    """Latents (..., k), array or tensor, as images, a float32 tensor with values in [0, 1].

    Shape (..., side, side) in grey and (..., side, side, 3) in colour (sRGB), rows from top to
    bottom, on z's device; side is the world's own unless given. An image depends, to the bit, on
    its own latents alone. Latents outside [-1, 1] or of another number are a ValueError, as is a
    side below 8.
    """
    world.check(z)
    size = world.side if side is None else side
    if size < 8:
        raise ValueError("An image has at least 8 pixels a side.")
    return paint(world, z, size)


def paint(world: World, z: Tensor | np.ndarray, side: int) -> Tensor:
    """See `render`; nothing is checked, so that a GPU's loop need not wait for an answer."""
    latents = torch.as_tensor(z).to(torch.float32)
    if world.painter is not None:
        flat = latents.reshape(-1, latents.shape[-1]).cpu().numpy()
        taken = torch.from_numpy(world.painter(world, flat, side)).to(latents.device)
        return taken.reshape(*latents.shape[:-1], *taken.shape[1:])
    values = _values(world, latents.reshape(-1, latents.shape[-1]))
    painter, n = PAINTERS[world.name], len(values)
    count = max(1, TOGETHER // side**2) if values.device.type == "cpu" else max(1, n)
    shape = (side, side) if world.channels == 1 else (side, side, world.channels)
    images = values.new_empty(n, *shape)
    for start in range(0, n, count):
        images[start : start + count] = painter(values[start : start + count], side)
    return images.reshape(*latents.shape[:-1], *shape)


def seen(world: World, z: Tensor, side: int | None = None, reach: float = 2.0) -> Tensor:
    """How much can be seen of each factor at latents z (n, k): (n, k), 0 nothing to 1.

    The largest change of a pixel while that factor alone moves by at most reach to either side (2
    is all of [-1, 1]), at nine places.
    """
    here = render(world, z, side)
    levels = []
    for i in range(z.shape[-1]):
        moved = z[:, None, :].repeat(1, 9, 1)
        steps = torch.linspace(-reach, reach, 9, device=z.device)
        moved[..., i] = (moved[..., i] + steps).clamp(-1, 1)
        change = (render(world, moved, side) - here[:, None]).abs()
        levels.append(change.flatten(1).amax(1))
    return torch.stack(levels, -1)


def hidden(
    world: World, z: Tensor, side: int | None = None, reach: float = 2.0
) -> list[tuple[str, ...]]:
    """Names of the factors that cannot be seen in each of the images of z (n, k); see `seen`."""
    shown = (seen(world, z, side, reach) >= GREY).tolist()
    return [
        tuple(name for name, is_shown in zip(world.varied, row, strict=True) if not is_shown)
        for row in shown
    ]


def _values(world: World, z: Tensor) -> Tensor:
    """All values that a renderer takes (n, every) of latents (n, k); what rests is filled in."""
    place = {name: i for i, name in enumerate(world.varied)}
    columns = [
        factor.value(z[:, place[factor.name]])
        if factor.name in place
        else z.new_full((len(z),), factor.rest)
        for factor in world.every
    ]
    return torch.stack(columns, -1)
