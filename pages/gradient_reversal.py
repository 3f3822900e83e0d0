"""Align or anti-align: the same cross-entropy, with its sign on a slider."""

from collections.abc import Callable
from functools import partial
from math import log
from typing import cast

import numpy as np
import streamlit as st

from core.legend import SCORES
from core.lessons import LESSONS
from core.run.experiment import Result
from core.scenarios.reversal import MOVES, Reversal
from ui import article, knobs, numbers, recovery, runner, seeds, sheet, story
from ui.reversal import nonlinear
from ui.window import address

scenario = LESSONS["gradient_reversal"]
GRID = np.linspace(-3, 3, 13)  # arguments of the moment-generating function


def controls() -> None:
    """Buttons that append moves to the game, each of which is a run of its own in the link."""

    def play(moves: str) -> None:
        address.put("moves", moves)

    done: str = address.get("moves")
    with st.container(horizontal=True, gap="xxsmall", width="content", key="moves_row"):
        for label, more, help in (
            ("Adversary", "a", "The classifier takes one step."),
            ("Encoder", "e", "The encoder takes one step, by the sign of λ."),
            ("Both", "ae", "First the adversary, then the encoder."),
            ("Both × 5", "ae" * 5, "In turn, five times."),
        ):
            st.button(label, on_click=play, args=(done + more,), key=f"move.{more[:2]}{len(more)}",
                      disabled=len(done + more) > MOVES, help=help)  # fmt: skip
        st.button(":material/undo:", on_click=play, args=(done[:-1],), key="move.back",
                  disabled=not done, help=f"Take back the last of {len(done)} moves.")  # fmt: skip
        st.button(":material/fast_forward:", on_click=play, args=("",), key="move.end",
                  disabled=not done, help="The whole game: both at every step.")  # fmt: skip


def draw(shown: runner.Shown, choice: recovery.Choice) -> None:
    """The main picture, its numbers and gauges, and the curves of every seed."""
    params = cast(Reversal, shown.experiment.params)
    seed, run = recovery.run_drawn(shown, choice)
    if run is None:
        return
    promise, blind = scenario.promise(params), log(params.n_classes)
    chance = run.scores.get("chance")
    beside = "" if chance is None else f"chance {chance:.3f}"
    probes = {f"probe_accuracy_{kind}": beside for kind in ("linear", "mlp")}
    spread = run.scores.get("information_standard_error")
    error = f" · standard error {spread:.4f}" if spread else ""
    place = numbers.places()  # the numbers are text: they do not wait for the 3-D view
    numbers.show(
        run,
        promise,
        ideals={**probes, "adversary_loss": f"blind {blind:.3f}",
                "information_nats": f"of {blind:.3f}{error}"},
        without=("loss", *(() if params.lam < 0 else ("angle_to_v_deg",))),
        place=place,
    )  # fmt: skip
    from ui.reversal import game  # scipy takes a while to import, and the numbers come first

    with place.picture:
        height = 365 if address.presenting() else 264
        recovery.picture(game.of(run, params, shown.stale), "game", height)
    recovery.picture_first("game")
    gauges(run, params)
    seeds.together(shown, run, promise, place)
    if not address.presenting():
        levels = {"knows nothing": blind}
        seeds.curves(shown, run, scenario.scores, levels, f"seed {seed}")


def gauges(run: recovery.Run, params: Reversal) -> None:
    """Four readings that should agree, and do not always."""
    from core import figures  # altair: the numbers do not wait for it
    from ui.reversal import game

    blind, scores = log(params.n_classes), run.scores
    chance = scores.get("chance") or 1 / params.n_classes

    def reading(name: str, low: float, high: float, marks: dict[str, float]) -> figures.Gauge:
        value, score = scores.get(name), SCORES[name]
        return figures.Gauge(score.title, value, low, high, score.written(value), marks)

    def readings() -> figures.figure.Figure:
        return figures.gauges(
            [
                reading("angle_to_v_perp_deg", 0, 90, {"V⊥": 0.0, "V": 90.0}),
                reading("information_nats", 0, blind, {"all: H(y)": blind}),
                reading("probe_accuracy_mlp", 0, 1, {"chance": chance}),
                reading("adversary_loss", 0, 1.25 * blind, {"knows nothing": blind}),
            ]
        )

    alt = "Angle, exact information, fresh probe and the adversary's own loss of the seed drawn."
    with st.container(key=game.GAUGES):
        sheet.figure("gauges", alt, readings, of=None if run.live else (run.name,),
                     numbers=None if run.live else "")  # fmt: skip


def why(result: Result) -> None:
    """The argument in three steps, each drawn from the run above."""
    from core import figures
    from core.laws import leakage, leaning

    params = cast(Reversal, result.member.params)
    v, kappa = result.world["v"].astype(float), result.world["kappa"].astype(float)
    inside = result.world["inside"].astype(float)
    u = leakage.leakiest(result.moving["m"].astype(float), inside)
    blind, chosen = log(params.n_classes), range(address.get(knobs.SEEDS))

    def generating() -> figures.figure.Figure:
        y, a = result.world["y"].astype(int), result.z.astype(float)
        drawn, exact = {}, {}
        for name, way in (("a direction of V", inside[0]), ("the code", u[-1])):
            drawn[name] = np.stack(
                [np.log(np.exp(np.outer(a[y == e] @ way, GRID)).mean(0)) for e in range(len(v))]
            )
            exact[name] = np.stack(
                [leakage.log_mgf(np.outer(GRID, way), each, float(k), params.d)
                 for each, k in zip(v, kappa, strict=True)]
            )  # fmt: skip
        return figures.generating(GRID, drawn, exact)

    def meridian() -> figures.figure.Figure:
        angle, found = leaning.fan(v, kappa, inside, result.world["outside"].astype(float))
        ends = {}
        kept = seeds.runs(scenario, params.chosen(), chosen)
        for each in (run for run in kept if not run.diverged):
            tip = leakage.leakiest(each.moving["m"][-1:].astype(float),
                                   each.world["inside"].astype(float))  # fmt: skip
            outside = each.world["outside"].astype(float)
            off = np.rad2deg(np.arccos(np.clip(np.linalg.norm(tip @ outside.T), 0, 1)))
            told = leakage.direction_information(
                tip, each.world["v"].astype(float), each.world["kappa"].astype(float)
            )
            ends[f"seed {each.member.seed}"] = (float(off), float(told[0]))
        return figures.meridian(angle, found, ends)

    def pursuit() -> None:
        steps = result.history_step
        own, told = (result.history[n] for n in ("adversary_loss", "information_nats"))
        sheet.figure(
            "pursuit",
            "The adversary's loss beside the best response.",
            lambda: figures.pursuit(steps, own, told, blind),
            of=(result.member.key,),
        )

    st.caption(
        "$a$ is a latent on the sphere, $e$ the value of the nuisance, $v_e$ its cluster vector, "
        "$u$ the row of $M$ (of several, the direction among them nearest to $V$) at unit length "
        r"and $b = u^\top a$ its code. $V$ is the span of all $v_e - v_{e'}$, $V^\perp$ what is at "
        "right angles to it. The closed form takes the null space of the differences of class "
        "means for $M$. Steps 1 and 2 are for a κ that all classes share."
    )
    story.why(
        [
            (
                "1. One term knows the nuisance",
                r"The moment-generating function of a code is $\Psi_d(\|\kappa v_e + s u\|) / "
                r"\Psi_d(\kappa)$, and in $\|\kappa v_e + s u\|^2 = \kappa^2 + 2 \kappa s\, u^\top "
                r"v_e + s^2$ only the middle term holds $e$. Dashed: this formula, for each class. "
                "Dots: the drawn latents.",
                partial(
                    sheet.figure,
                    "mgf",
                    "Moment-generating functions, drawn against exact.",
                    generating,
                    of=(result.member.key,),
                ),
            ),
            (
                "2. So blind means: outside V",
                r"The law of the code is the same for all $e$ exactly if $u^\top v_e$ is, which "
                r"is $u \perp V$. How much a direction tells is an integral, not a probe's guess: "
                "dashed, for all azimuths in two directions of V. Dots are the seeds above.",
                partial(
                    sheet.figure,
                    "meridian",
                    "Exact information against the angle to V-perp.",
                    meridian,
                    of=(result.member.key, len(chosen)),
                ),
            ),
            (
                "3. The game gets there if it is answered",
                r"The best adversary has loss $H(y) - I(e; b)$ (dashed), so the encoder that "
                "raises it lowers the information. The adversary in training (solid) may lag, and "
                "then its loss says nothing.",
                pursuit,
            ),
        ]
    )


def own() -> dict[str, Callable[[], None]]:
    """The figures of this page's claims."""

    def of_part(name: str) -> None:
        from ui.reversal import conditions  # scipy

        conditions.show(name)

    def of_bodies(name: str) -> None:
        nonlinear.own_figure(name)

    names = ("hysteresis", "tilt", "spans", "spare", "collapse", "content", "mirrored")
    return {name: partial(of_part, name) for name in names} | {
        name: partial(of_bodies, name) for name in ("trade", "maps", "transfer", "twist")
    }


article.Article(
    scenario,
    "One sign decides what a code keeps: align with the nuisance, or go blind to it",
    "Latents $a$ cluster by a nuisance $e$. A linear code $M a$ and a classifier of $e$ share one "
    "cross-entropy. Descend it together and the code turns into $V$, where the classes differ; "
    "reverse the encoder's gradient (λ > 0) and it turns out of $V$, invariant to the nuisance.",
    article.panel_of(scenario, draw),
    [
        article.Part("why", "Why it works", article.of_run(why)),
        article.claimed(("gradient_reversal", "nonlinear"), own()),
        article.Part("nonlinear", "A nonlinear world", article.alone(nonlinear.show),
                     nonlinear.settings()),
        article.Part("price", "What it costs", article.alone(nonlinear.price)),
        article.Part("stages", "Two stages, many bodies", article.alone(nonlinear.stages)),
    ],
    "After the post “Anti-Diversity is All You Need to Get a Unified Latent Space” "
    "(minghaofu.com), whose equations are reconstructed here, and SCAR, arXiv 2605.16412. Gradient "
    "reversal: Ganin et al. 2016, JMLR 17(59). LEACE: Belrose et al. 2023, arXiv 2306.03819. The "
    "conditions, the exact information and the findings marked so are this project's own.",
    controls,
    sides=False,
).show()  # fmt: skip
