"""Closed forms: what the dashed lines of every figure are drawn from. NumPy and SciPy only."""

from collections.abc import Callable, Iterator
from math import log

import numpy as np
from scipy.linalg import eigh
from scipy.special import gamma, gammainc, gammainccinv, logsumexp, softmax, xlogy

from core.laws import vmf

Array = np.ndarray
SCALED = 8  # batches behind a scale
STANDARD_ERROR = 0.01


def large_batch_limit(batch: int, kappa: float, d: int) -> float | None:
    """log B - I, the least InfoNCE loss for large batches; None where the batch is not large.

    A cross-entropy is not negative: the limit speaks only where log B exceeds I.
    """
    limit = log(batch) - vmf_information(kappa, d)
    return limit if limit > 0 else None


def vmf_information(kappa: float, d: int) -> float:
    """Mutual information of a positive pair, in nats: uniform marginal, vMF(kappa) conditional."""
    normaliser = float(vmf.log_normaliser(kappa, d))
    return vmf.log_sphere_area(d) + normaliser + kappa * float(vmf.mean_cosine(kappa, d))


def vmf_log_ratio(kappa: float, marginal_kappa: float, pole: Array) -> Callable[..., Array]:
    """log p(z'|z) / p(z') up to a constant, z ~ vMF(pole, marginal_kappa) and z' ~ vMF(z, kappa).

    The product of two vMF factors integrates to a normaliser, so in every dimension
    p(z') = C(a) C(k) / C(|a pole + k z'|), a constant where the marginal is uniform (a = 0).
    The function takes z (n, d) and z' (n', d) and gives (n, n').
    """
    d = len(pole)

    def log_ratio(z: Array, other: Array) -> Array:
        marginal = -vmf.log_normaliser(
            np.linalg.norm(marginal_kappa * pole + kappa * other, axis=1), d
        )
        return kappa * z @ other.T - marginal

    return log_ratio


def info_nce_at(log_ratio: Callable[..., Array], z: Array, z_pos: Array, negatives: str) -> float:
    """InfoNCE of one batch z, z_pos (n, d), with the log density ratio as critic.

    The very expression that is trained: n terms with views as negatives, n + 1 with anchors.
    """
    against = log_ratio(z, z_pos)
    positive = against.diagonal()
    if negatives == "anchors":
        against = np.column_stack([log_ratio(z, z), positive])
    return float((logsumexp(against, axis=1) - positive).mean())


def turned_info_nce(
    z: Array, z_pos: Array, p: int, tau: float, degrees: Array, negatives: str
) -> Array:
    """InfoNCE (a,) of the latents themselves, z, z_pos (n, d), turned in their first plane.

    The similarity is -|u - v|_p^p / tau. For p = 2 every angle has the same loss: no minimiser can
    tell the latents from what is turned.
    """

    def critic(a: Array, b: Array) -> Array:
        return -sum(
            np.abs(one[:, None] - other) ** p for one, other in zip(a.T, b.T, strict=True)
        ) / tau  # fmt: skip

    losses = []
    for angle in np.deg2rad(degrees):
        turn = np.eye(z.shape[1])
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        losses.append(info_nce_at(critic, z @ turn.T, z_pos @ turn.T, negatives))
    return np.array(losses)


def least_scale(z: Array, z_pos: Array, p: int, tau: float, batch: int, negatives: str) -> float:
    """The factor of all distances with which InfoNCE of the latents z, z_pos (n, d) is least.

    The similarity is -factor |u - v|_p^p / tau, over batches of `batch` pairs, n at most. It is
    about 1 where views are the negatives and norm and tau are the noise's own, and less with
    anchors: each repels itself, at no distance, however large the others are.
    """
    from scipy.optimize import minimize_scalar  # takes a while to import

    rng, losses = np.random.default_rng(0), []
    for _ in range(SCALED):
        chosen = rng.permutation(len(z))[:batch]
        u, v = z[chosen], z_pos[chosen]
        near, far = ((np.abs(a[:, None] - b) ** p).sum(-1) / tau for a, b in ((u, v), (u, u)))
        losses.append((near.diagonal(), near if negatives == "views" else
                       np.column_stack([far, near.diagonal()])))  # fmt: skip

    def loss(log_factor: float) -> float:
        factor = np.exp(log_factor)
        return float(np.mean([(logsumexp(-factor * all_, axis=1) + factor * own).mean()
                              for own, all_ in losses]))  # fmt: skip

    return float(np.exp(minimize_scalar(loss, bounds=(-5, 3), method="bounded").x))


def loss_floor(
    log_ratio: Callable[..., Array], batches: Iterator[tuple[Array, Array]], negatives: str
) -> tuple[float | None, int]:
    """Expected InfoNCE at the truth, by Monte Carlo to a standard error of at most 0.01 nats.

    `batches` yields (z, z_pos) of the batch size that is trained. With views this is the Bayes
    bound; with anchors only the value at the truth. Also gives the number of batches it took, so
    that a model can be judged on the same ones. None when they do not settle it (few, heavy tails).
    """
    values: list[float] = []
    for z, z_pos in batches:
        values.append(info_nce_at(log_ratio, z, z_pos, negatives))
        enough = len(values) >= 8
        if enough and np.std(values, ddof=1) / np.sqrt(len(values)) <= STANDARD_ERROR:
            return float(np.mean(values)), len(values)
    return None, len(values)


def rotation_scores(angle_deg: float) -> tuple[float, float]:
    """(R2, MCC) of two independent latents of equal variance, rotated: (1, max(|cos|, |sin|))."""
    angle = np.deg2rad(angle_deg)
    return 1.0, float(max(abs(np.cos(angle)), abs(np.sin(angle))))


def turned_bodies(degrees: Array, bodies: int) -> tuple[Array, Array]:
    """R2 of one linear read-out for all bodies, and of one body's on the others, for angles (a,).

    Codes are c turned by e times an angle, c standard normal in the plane: the best read-out for
    all is the mean of the turns back, whose length squared is its R2; a read-out that is wrong by
    an angle t has R2 = 1 - |1 - exp(i t)|^2 = 2 cos t - 1.
    """
    angle, e = np.deg2rad(degrees)[:, None], np.arange(bodies)
    pooled = np.abs(np.exp(1j * angle * e).mean(1)) ** 2
    apart = np.array([a - b for a in e for b in e if a != b])
    return pooled, (2 * np.cos(angle * apart) - 1).mean(1)


def label_posterior(log_likelihood: Array, n_instances: Array, noise: float) -> Array:
    """p(y | z) of one label of each cluster, (n, C), from log p(z | c) (n, C).

    `n_instances` (C,) counts the labels of each cluster (1 for classes); labels are uniform, and
    the share `noise` of them is drawn uniformly anew. Summed over all labels it is 1.
    """
    posterior = softmax(log_likelihood + np.log(n_instances), axis=1)
    return (1 - noise) * posterior / n_instances + noise / n_instances.sum()


def bayes_cross_entropy(posterior: Array, n_instances: Array) -> float | None:
    """Cross-entropy of the true posterior, in nats: the least that any classifier can reach.

    The expectation over labels is exact, that over the latents behind `posterior` (n, C) is not:
    None when it is not settled to a standard error of 0.01.
    """
    entropy = -(n_instances * xlogy(posterior, posterior)).sum(1)
    settled = entropy.std() / np.sqrt(len(entropy)) <= STANDARD_ERROR
    return float(entropy.mean()) if settled else None


def expected_pair_loss(logits: Array, posterior: Array) -> float | None:
    """Expected loss of telling pairs (x, u) from x with every u, in nats; p(u | x) (n, E) is exact.

    `logits` (n, E) are r(x, u). Least, for u uniform, at r = log E p(u | x). None when it is not
    settled to a standard error of 0.01.
    """
    real, shuffled = np.logaddexp(0, -logits), np.logaddexp(0, logits)
    loss = (posterior * real).sum(1) + shuffled.mean(1)
    settled = loss.std() / np.sqrt(len(loss)) <= STANDARD_ERROR  # not of numbers that are not
    return float(loss.mean()) if settled else None


def quadrics(v: Array) -> Array:
    """Quadrics z'Qz + b'z + c = 0 through all v (C, d), other than the unit sphere.

    An orthonormal basis (q, d + 1, d + 1) of symmetric matrices [[Q, b/2], [b'/2, c]], orthogonal
    to the sphere's own. Empty for generic v once C >= d (d + 3) / 2.
    """
    count, d = v.shape
    homogeneous = np.column_stack([v, np.ones(count)]).astype(float)
    rows, columns = np.triu_indices(d + 1)
    twice = np.where(rows == columns, 1.0, np.sqrt(2))  # so that vectors and matrices share norms
    conditions = twice * homogeneous[:, rows] * homogeneous[:, columns]
    own = np.where(rows == columns, np.where(rows < d, 1.0, -1.0), 0.0)
    _, s, vt = np.linalg.svd(np.vstack([conditions, own]))
    null = vt[int((s > 1e-9 * s[0]).sum()) :]
    found = np.zeros((len(null), d + 1, d + 1))
    found[:, rows, columns] = found[:, columns, rows] = null / twice
    return found


def c3_counterexample(v: Array, quadric: Array, eps: float) -> tuple[Array, Array]:
    """M (d, d) and psi (d,) so that every w_c = M v_c + psi has unit length; M is not orthogonal
    (unless all v_c lie in one hyperplane and the quadric is that plane's).

    With h = kappa M^-T z the softmax of <w_c, h> is that of kappa <v_c, z>: a global minimiser of
    case C3 whose map is not orthogonal. Exists wherever a quadric other than the sphere holds all
    v_c. `eps` moves along the family from the identity (0). Derived in this project; no paper has
    it. Raises ValueError where eps is so large that the quadric is no ellipsoid.
    """
    d = v.shape[1]
    q, b, c = quadric[:d, :d], 2 * quadric[:d, d], quadric[d, d]
    p = np.eye(d) + eps * q
    values, axes = np.linalg.eigh(p)
    if values[0] <= 0:
        raise ValueError(f"eps = {eps:g} is too large: I + eps Q is not positive")
    scale = 1 / (1 - eps * c + eps**2 / 4 * b @ np.linalg.solve(p, b))
    if scale <= 0:
        raise ValueError(f"eps = {eps:g} is too large: no positive scale")
    m = np.sqrt(scale) * (axes * np.sqrt(values)) @ axes.T
    return m, np.linalg.solve(m.T, scale * eps * b) / 2


def slowest_functions(
    shape: float, rho: float, transition: str, cells: int = 800, count: int = 3
) -> list[tuple[float, float]]:
    """Functions of one coordinate that two views agree on best: correlation, and R2 of z on them.

    The latents' law is the generalised normal of a shape and variance 1; the second view is
    rho z plus fresh noise ("channel"), or z after a diffusion for a time of -2 ln rho. The best
    first. White codes of two independent latents that minimise alignment are the first function of
    each, turned; that is z itself, of correlation rho and R2 1, only where the law is Gaussian. By
    the eigenvectors of the transition between cells that reach to a mass of 1e-7 on either side.
    """
    scale = np.sqrt(gamma(1 / shape) / gamma(3 / shape))

    def below(at: Array) -> Array:
        return (1 + np.sign(at) * gammainc(1 / shape, np.abs(at / scale) ** shape)) / 2

    reach = np.arcsinh(3 * scale * gammainccinv(1 / shape, 2e-7) ** (1 / shape))
    edges = np.sinh(np.linspace(-reach, reach, cells + 1)) / 3  # cells are finer in the middle
    z, mass = (edges[1:] + edges[:-1]) / 2, np.diff(below(edges))
    mass /= mass.sum()
    if transition == "channel":
        onto = np.diff(below((edges - rho * z[:, None]) / np.sqrt(1 - rho**2)), axis=1)
        joint = mass[:, None] * onto / onto.sum(1, keepdims=True)
        both, weight = (joint + joint.T) / 2, (mass + joint.sum(0)) / 2
    else:
        density = np.exp(-(np.abs(edges[1:-1] / scale) ** shape)) * shape / gamma(1 / shape)
        across = density / (2 * scale) / np.diff(z) / 2  # what flows from cell to cell
        flow = np.diag(across, 1) + np.diag(across, -1)
        both, weight = flow - np.diag(flow.sum(1)), mass
    scaled = both / np.sqrt(np.outer(weight, weight))
    values, vectors = eigh(scaled, subset_by_index=(cells - 1 - count, cells - 1))
    found = []
    for value, vector in zip(values[-2::-1], vectors.T[-2::-1], strict=True):
        f = vector / np.sqrt(weight)
        f, x = f - mass @ f, z - mass @ z
        r2 = (mass @ (f * x)) ** 2 / ((mass @ f**2) * (mass @ x**2))
        kept = value if transition == "channel" else rho ** (-2 * value)
        found.append((float(kept), float(r2)))
    return found


def excess_kurtosis(shape: float, rho: float = 1.0) -> float:
    """Of rho z + sqrt(1 - rho^2) times fresh latents, whose law is a generalised normal.

    Fourth cumulants add: rho^4 + (1 - rho^2)^2 of the latents' own, which is 0 for a Gaussian only.
    """
    own = gamma(5 / shape) * gamma(1 / shape) / gamma(3 / shape) ** 2 - 3
    return float(own * (rho**4 + (1 - rho**2) ** 2))
