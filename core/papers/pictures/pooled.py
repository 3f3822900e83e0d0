"""Pictures of a data set, pooled as they are read, so that few bytes are ever held."""

import numpy as np

from core.datasets.loaded import Loaded, Misread

Array = np.ndarray
SIDE = 32  # pixels a side, of all that is kept
MOST_KEPT = 1 << 26  # bytes of pooled pictures: 64 MiB, beside one reading of `Loaded.read`


def some(data: Loaded, most: int, seed: int = 0) -> Array:
    """Numbers of rows, growing: `most` of them at random, or all."""
    if data.size <= most:
        return np.arange(data.size)
    return np.sort(np.random.default_rng(seed).choice(data.size, most, replace=False))


def pooled(data: Loaded, rows: Array, side: int = SIDE) -> tuple[Array, Array]:
    """Pictures (n, c, side, side) uint8 and values of their factors (n, k) of rows that grow.

    Read in parts of 64 MiB at most, of which the means of squares of pixels are kept. Pictures
    whose sides are no multiple of `side`, or more than `MOST_KEPT` of them, are a `Misread`.
    """
    if len(data.shape) < 2 or data.shape[0] % side or data.shape[1] % side:
        raise Misread(f"Pictures of {data.name} are {data.shape}, and not pooled to {side}.")
    high, wide, *rest = data.shape
    channels = rest[0] if rest else 1
    if len(rows) * channels * side**2 > MOST_KEPT:
        raise Misread(f"{len(rows):,} pictures of {data.name} are more than are held at once.")
    out = np.empty((len(rows), channels, side, side), np.uint8)
    values = np.empty((len(rows), len(data.factors)))
    for start in range(0, len(rows), data.most):
        part = slice(start, start + data.most)
        images, values[part] = data.read(rows[part])
        cells = images.reshape(-1, side, high // side, side, wide // side, channels)
        means = cells.mean((2, 4), dtype=np.float32)
        out[part] = np.rint(means).astype(np.uint8).transpose(0, 3, 1, 2)
    return out, values


def latents(data: Loaded, values: Array) -> Array:
    """Values of factors (n, k) as latents in [-1, 1]; 0 of a factor that does not vary."""
    columns = [
        factor.latent(column) if factor.high > factor.low else np.zeros(len(column))
        for factor, column in zip(data.factors, values.T, strict=True)
    ]
    return np.stack(columns, 1)
