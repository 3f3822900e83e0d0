"""What a claim may read of a run: its scores, and named measures that are derived from a Result."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from core import metrics
from core.flows import linear
from core.laws import leakage
from core.legend import BASELINES, SCORES, Score
from core.run.experiment import Member, Result


class Scored(Protocol):
    """A run's light side, a Record say: what measures need that do not read its arrays."""

    @property
    def member(self) -> Member: ...

    @property
    def scores(self) -> dict[str, float | None]: ...

    @property
    def diverged(self) -> bool: ...


Measured = Callable[[Result], float | None]


@dataclass(frozen=True)
class Measure:
    """A number derived from a run: how it is called and written, and whether it reads latents."""

    title: str
    of: Measured
    format: str = ".3f"
    unit: str = ""
    latents: bool = True

    @property
    def score(self) -> Score:
        """How it is written."""
        return Score(self.title, self.title, format=self.format, unit=self.unit)


def _above_floor(run: Result) -> float | None:
    loss, floor = run.scores.get("loss"), run.scores.get("loss_floor")
    return None if loss is None or floor is None else loss - floor


def _at_first(score: str) -> Measured:
    def first(run: Result) -> float | None:
        found = float(run.history[score][0])
        return found if np.isfinite(found) else None

    return first


def _end(run: Result) -> tuple[np.ndarray, np.ndarray]:
    """Drawn latents z (n, d) and what became of them, z_hat (n, d_hat), at the end."""
    return run.z.astype(float), run.z_hat[-1].astype(float)


def _least_direction(run: Result) -> float:
    """Smallest squared canonical correlation of latents and codes: the direction told least."""
    bases = (np.linalg.qr(x - x.mean(0))[0] for x in _end(run))
    z, z_hat = bases
    return float(np.linalg.svd(z.T @ z_hat, compute_uv=False).min() ** 2)


def _condition(run: Result) -> float:
    """Largest over smallest singular value of the fitted map z_hat -> z; of a rotation 1."""
    return float(np.linalg.cond(metrics.linear_map(*_end(run))))


def _row_error(run: Result) -> float:
    """Mean distance from 1 of the singular values of the no-intercept map w -> v of shown rows."""
    v, w = run.world["v"].astype(float), run.moving["w"][-1].astype(float)
    return float(np.abs(np.linalg.svd(metrics.linear_map(v, w), compute_uv=False) - 1).mean())


def _concentration(run: Result) -> float:
    """Length of the mean of unit vectors z_hat: 0 spread out, 1 in one place."""
    return float(np.linalg.norm(_end(run)[1].mean(0)))


def _norm_of_code(run: Result) -> float:
    return float(np.linalg.norm(run.moving["m"][-1].astype(float)))


def _part(where: str) -> Measured:
    """Linear R2 of the latents' part in V ("inside") or its complement, read from the code."""

    def of(run: Result) -> float:
        z, code = _end(run)
        return metrics.linear_r2(z @ run.world[where].astype(float).T, code)

    return of


def _mirrored(of_codes: bool) -> Measured:
    """Mean distance of a latent, or of its code, to its mirror image in V's complement."""

    def of(run: Result) -> float:
        inside = run.world["inside"].astype(float)
        shift = 2 * run.z.astype(float) @ inside.T @ inside
        seen = shift @ run.moving["m"][-1].astype(float).T if of_codes else shift
        return float(np.linalg.norm(seen, axis=1).mean())

    return of


def _difference(left: str, right: str) -> Measured:
    def of(run: Result) -> float | None:
        a, b = run.scores.get(left), run.scores.get(right)
        return None if a is None or b is None else a - b

    return of


def _core_above_detail(run: Result) -> float | None:
    core, detail = (run.scores.get(f"{part}_entropy_nats") for part in ("core", "detail"))
    return None if core is None or detail is None else core - detail


STUCK = 0.03  # nats above its floor at which a run counts as stuck


def _stuck(run: Result) -> float:
    above = _above_floor(run)
    return float(above is None or above > STUCK)


def _stuck_and_whole(run: Result) -> float:
    return float(_stuck(run) == 1 and run.scores.get("degree") in (1, -1))


def _kept_outside(run: Result) -> float:
    """Share of V's complement that is left when the span of the v_e themselves is erased."""
    v, outside = run.world["v"].astype(float), run.world["outside"].astype(float)
    return leakage.shared(leakage.complement(v), outside)


def _jump(run: Result) -> float:
    """lambda at which the minimum of reconstruction and lambda times information leaves V."""
    from core.laws import leaning

    names = ("v", "kappa", "inside", "outside")
    strengths, angles = leaning.exact_minimum(*(run.world[n].astype(float) for n in names))
    return float(strengths[np.argmax(angles < 45)])


def _scale_span(run: Result) -> float:
    """Largest over smallest standard deviation of a latent in the data, geometric over classes."""
    scales = linear.deviations(run.moving["deviations"][-1])
    return float(scales.max() / scales.min())


def _scale_correlation(run: Result) -> float:
    """Correlation over latents of log scale and manifold entropy."""
    scales = np.log(linear.deviations(run.moving["deviations"][-1]))
    return float(np.corrcoef(scales, run.moving["entropies"][-1].astype(float))[0, 1])


def _length_span(run: Result) -> float:
    """The same of the lengths that manifold entropies stand for, their exponentials."""
    return float(np.exp(np.ptp(run.moving["entropies"][-1].astype(float))))


MEASURES: dict[str, Measure] = {
    "above_floor": Measure("Loss above its floor, nats", _above_floor, latents=False),
    "degree_at_first": Measure("Degree at first", _at_first("degree"), "+.0f"),
    "linear_r2_at_first": Measure("Linear R² at first", _at_first("linear_r2")),
    "v_minus_z": Measure("R² of v less that of z", _difference("v_r2", "linear_r2"), latents=False),
    "above_chance": Measure(
        "MLP probe above chance", _difference("probe_accuracy_mlp", "chance"), latents=False
    ),
    "linear_above_chance": Measure(
        "Linear probe above chance", _difference("probe_accuracy_linear", "chance"), latents=False
    ),
    "core_above_detail": Measure(
        "Core entropy above detail, nats", _core_above_detail, ".2f", latents=False
    ),
    "stuck": Measure("Stuck: 1, or not: 0", _stuck, ".0f", latents=False),
    "stuck_and_whole": Measure(
        "Stuck on a whole globe: 1, or not: 0", _stuck_and_whole, ".0f", latents=False
    ),
    "kept_outside": Measure("Share of V⊥ kept", _kept_outside, ".2f"),
    "jump": Measure("λ at which the exact minimum jumps", _jump, ".2f"),
    "least_direction": Measure("Least direction found", _least_direction, ".2f"),
    "condition": Measure("Condition of the fitted map", _condition, ".2f"),
    "v_singular_value_mae": Measure("Singular-value error of w → v", _row_error),
    "concentration": Measure("Length of the mean of ẑ", _concentration),
    "beta": Measure("Learnt β", lambda run: float(run.moving["beta"][-1]), ".2f"),
    "code_norm": Measure("Length of M", _norm_of_code),
    "inside_r2": Measure("R² of the part inside V", _part("inside")),
    "outside_r2": Measure("R² of the part outside V", _part("outside")),
    "mirrored": Measure("Distance to the mirror image", _mirrored(False)),
    "mirrored_codes": Measure("The same of their codes", _mirrored(True)),
    "scale_correlation": Measure("Correlation of scales and entropies", _scale_correlation, ".2f"),
    "scale_span": Measure("Largest over smallest scale", _scale_span, ".1f"),
    "length_span": Measure("The same of exp(entropy)", _length_span, ".1f"),
    "closed_seconds": Measure(
        "Closed form, s",
        lambda run: float(run.provenance["closed_seconds"]),
        ".4f",
        latents=False,
    ),
    "cpu_seconds": Measure(
        "Game, CPU-s", lambda run: float(run.provenance["cpu_seconds"]), ".2f", latents=False
    ),
}


def described(name: str) -> Score:
    """How a score, a baseline of one (`raw_linear_r2`) or a measure is called and written."""
    if name in MEASURES:
        return MEASURES[name].score
    if name in SCORES:
        return SCORES[name]
    kind, _, score = name.partition("_")
    if kind in BASELINES and score in SCORES:
        of = SCORES[score]
        return replace(of, title=f"{of.title}, {BASELINES[kind]}", ideal="", none="",
                       shared=of.quantity)  # fmt: skip
    words = {"chance": "Chance", "loss_floor": "Loss floor, nats"}
    if name in words:
        return Score(words[name], words[name])
    raise KeyError(f"{name!r} is neither a score nor a measure")


def measured(name: str, run: Scored) -> float | None:
    """A score or measure of a run; None where it has none, or diverged."""
    if name not in MEASURES:
        return run.scores.get(name)
    if run.diverged:
        return None
    return MEASURES[name].of(run)  # type: ignore[arg-type]
