"""Linear flows: wavelets of small images, and a Gaussian by its several decoders. NumPy only."""

import numpy as np

Array = np.ndarray
SIDE = 8  # pixels


def haar() -> Array:
    """Orthonormal Haar wavelets of an 8 x 8 image as rows (64, 64), two scales deep.

    First the 4 of the coarse image, then the 12 and the 48 of detail.
    """
    rows, side = np.eye(SIDE**2), SIDE
    found: list[Array] = []
    while side > 2:
        half = side // 2
        sums = np.kron(np.eye(half), [1, 1]) / np.sqrt(2)
        differences = np.kron(np.eye(half), [1, -1]) / np.sqrt(2)
        pairs = ((sums, differences), (differences, sums), (differences, differences))
        found = [*(np.kron(down, across) @ rows for down, across in pairs), *found]
        rows, side = np.kron(sums, sums) @ rows, half
    return np.concatenate([rows, *found])


class Gaussian:
    """One Gaussian with the images' covariance around the mean of each class: the linear flow.

    x (n, D), y (n,) classes from 0 on; normal noise of this standard deviation is added to x.
    """

    def __init__(self, x: Array, y: Array, noise: float) -> None:
        self.centres = np.stack([x[y == c].mean(0) for c in range(y.max() + 1)])
        rest = x - self.centres[y]
        self.covariance = rest.T @ rest / len(x) + noise**2 * np.eye(x.shape[1])
        values, vectors = np.linalg.eigh(self.covariance)
        self.axes = (vectors * np.sqrt(values))[:, ::-1]  # (D, D), the longest first

    def nll(self, x: Array, y: Array) -> float:
        """Mean of -log p(x) in nats."""
        z = np.linalg.solve(self.axes, (x - self.centres[y]).T)
        return float(0.5 * (z**2).sum(0).mean() + 0.5 * x.shape[1] * np.log(2 * np.pi)
                     + np.linalg.slogdet(self.axes)[1])  # fmt: skip

    def decoders(self, wavelets: Array, turn: Array) -> dict[str, Array]:
        """Matrices (D, D) of one and the same density, by the kind of baseline.

        Principal axes; one of the `wavelets` (rows) after the other, each given those before; pixel
        after pixel in the same way; and the principal axes' latents turned.
        """
        return {
            "pca": self.axes,
            "haar": wavelets.T @ np.linalg.cholesky(wavelets @ self.covariance @ wavelets.T),
            "cholesky": np.linalg.cholesky(self.covariance),
            "rotated": self.axes @ turn,
        }


def deviations(by_class: np.ndarray) -> np.ndarray:
    """Standard deviations of latents (d,), the geometric mean over digits (classes, d)."""
    return np.exp(np.log(by_class.astype(float).clip(1e-6)).mean(0))
