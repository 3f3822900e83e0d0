"""Claims of the page on boxes."""

from core.claims.claim import Claim, Opens, Runs, Shows, preset, swept
from core.claims.relations import count, every, high, low, mean, value
from core.lessons.infonce_box import EIGHT, STUCK, WRONG

PAGE = "infonce_box"
PAPER = "Zimmermann et al. 2021, theorem on convex bodies"

matched = preset(PAGE, "matched")
cube = preset(PAGE, "cube")
turned = preset(PAGE, "cube-turned")
pressed = preset(PAGE, "pressed")
roomy = preset(PAGE, "roomy")
stuck = preset(PAGE, "stuck")
whitened = Runs(PAGE, {**STUCK, "whiten": True}, EIGHT)
sides = swept(PAGE, "bound_start", (0.1, 0.25, 0.5, 1.0), symbol="share", params=WRONG,
              seeds=EIGHT)  # fmt: skip

NORMS = (
    Claim(
        "boxes-give-their-axes",
        PAGE,
        "**In boxes, Laplace noise and model make each code one latent**: MCC {square.span} for "
        "two and {cube.span} for three; x has {raw x.span} ({cube.runs} seeds each).",
        "What keeps the distances of p = 1 in a box permutes and mirrors its axes.",
        {"square": matched, "cube": cube, "raw x": cube.read("raw_mcc")},
        "mcc",
        (every("square") >= 0.99) & (every("cube") >= 0.99) & (low("cube") > high("raw x")),
        ("cube", turned),
        Opens(PAGE, "matched"),
        kind="theorem",
        source=PAPER,
        typed=("p = 1",),
    ),
    Claim(
        "no-walls-and-p-2-leave-a-rotation",
        PAGE,
        "**With p = 2 and no walls a rotation remains**: linear R² {r2.span}, and MCC "
        "{turned.mean} on average ({turned.span}); {lost} of {turned.runs} runs stay below nine "
        "tenths. "
        "Noise and model are both normal.",
        "A turned code has the same distances, so the loss cannot tell it from the latents. A few "
        "runs end near the axes, as a few of all rotations do.",
        {"turned": turned, "r2": turned.read("linear_r2")},
        "mcc",
        (count("turned", value < 0.9) > count("turned", value >= 0.9)) & (every("r2") >= 0.97),
        ("turned", cube),
        Opens(PAGE, "cube-turned"),
        numbers={"lost": count("turned", value < 0.9)},
        typed=("p = 2",),
    ),
    Claim(
        "the-norm-alone-finds-axes",
        PAGE,
        "**A norm that knows the axes needs no walls**: with p = 1 and codes anywhere, MCC "
        "{open.span}.",
        "The theorem asks for a bounded body; what is left of it in the open is measured here.",
        {"open": preset(PAGE, "open"), "turned": turned},
        "mcc",
        (every("open") >= 0.95) & (mean("open") > mean("turned") + 0.1),
        ("open", turned),
        Opens(PAGE, "open"),
        typed=("p = 1",),
    ),
)
WALLS = (
    Claim(
        "walls-find-axes-for-the-wrong-norm",
        PAGE,
        "**Walls find the axes where the norm does not**: Laplace noise and a model with p = 2 "
        "reach MCC {pressed.span} in a box that starts at {pressed.bound_start} of its size, and "
        "{roomy.span} in one that starts at all of it ({pressed.runs} seeds each).",
        "Codes that press against the walls fill the box, and a box maps onto itself only by its "
        "axes. A box that starts large is hardly touched.",
        {"pressed": pressed, "roomy": roomy},
        "mcc",
        (every("pressed") >= 0.98) & (mean("roomy") < mean("pressed") - 0.05),
        ("pressed", roomy),
        Opens(PAGE, "pressed"),
        typed=("p = 2",),
    ),
    Claim(
        "the-start-of-the-sides-decides",
        PAGE,
        "**How large the box is at the start decides**: MCC averages {share = 0.1.mean} from a "
        "share of {share = 0.1.bound_start}, {share = 0.25.mean} from "
        "{share = 0.25.bound_start}, {share = 0.5.mean} from {share = 0.5.bound_start} and "
        "{share = 1.mean} from {share = 1.bound_start}; the linear R² of the last is {r2.mean}.",
        "The published rows that succeed with the wrong norm start their sides at one, a twentieth "
        "of the size, and let them grow by a ten-thousandth a step: they pass through small boxes "
        "slowly. That their success comes from there is this project's reading.",
        {**sides, "r2": roomy.read("linear_r2")},
        "mcc",
        (mean("share = 0.1") > mean("share = 0.5") + 0.05)
        & (mean("share = 0.1") > mean("share = 1") + 0.05)
        & (every("r2") >= 0.98),
        ("share = 0.1", roomy),
        Opens(PAGE, "roomy"),
        shows=Shows("sweep", "bound_start", params=WRONG),
    ),
)
STARTS = (
    Claim(
        "whitening-frees-standard-starts",
        PAGE,
        "**Whitened observations free standard starts**: {free} of {whitened.runs} runs reach an "
        "MCC of 98 percent with them, {plain free} of {plain.runs} without.",
        "Observations of equal size in all directions give every latent the same first slope; no "
        "paper says so.",
        {"whitened": whitened, "plain": stuck},
        "mcc",
        (count("whitened", value >= 0.98) > count("plain", value >= 0.98))
        & (every("whitened") >= 0.95),
        ("whitened", stuck),
        Opens(PAGE, "stuck"),
        shows=Shows("sweep", "whiten", params=STUCK),
        numbers={
            "free": count("whitened", value >= 0.98),
            "plain free": count("plain", value >= 0.98),
        },
        typed=("98 percent",),
    ),
)
CLAIMS = (*NORMS, *WALLS, *STARTS)
