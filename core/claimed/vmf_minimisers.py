"""Claims on which minimisers there are of clusters, and which of them training finds."""

from core.claimed.exact import quadrics
from core.claims.claim import Claim, Exact, Opens, Runs, Shows, preset
from core.claims.relations import count, every, high, low, share, value
from core.lessons.vmf_clusters import CASES, EIGHT

PAGE = "vmf_clusters"

free, weights = preset(PAGE, "free"), preset(PAGE, "unit_weights")


def heads(scale: float, *starts: str) -> Runs:
    """Eight seeds of every case, from heads of one length and the given starts of the encoder."""
    vary = {"initialisation": starts, "case": CASES}
    return Runs(PAGE, {"head_scale": scale}, EIGHT, vary, "stuck")


SHORT, DEFAULT, LONG = (heads(scale, "identity", "standard") for scale in (0.1, 1.0, 3.0))
TRAINED = {
    f"{c} clusters, d = {d}": Runs(PAGE, {"case": "C3", "d": d, "n_clusters": c, "steps": 3000})
    for d, counts in ((3, (6, 9, 12, 30)), (5, (10, 20, 40)))
    for c in counts
}

STUCK = (
    Claim(
        "long-heads-can-get-stuck",
        PAGE,
        "**A long head at the start** (C3, {stuck.head_scale} times PyTorch's default) **can end "
        "far above the floor**: {lost} of {stuck.runs} seeds, the worst with linear R² {r2.low}.",
        "That all minimisers are linear does not mean that training finds one.",
        {
            "stuck": Runs(
                PAGE, {"case": "C3", "head_scale": 3.0}, EIGHT, score="stuck", example=True
            ),
            "r2": Runs(PAGE, {"case": "C3", "head_scale": 3.0}, EIGHT, example=True),
        },
        "linear_r2",
        (count("stuck", value == 1) > 0) & (low("r2") < 0.9),
        ("stuck", weights.read("stuck")),
        Opens(PAGE, "stuck"),
        numbers={"lost": count("stuck", value == 1)},
    ),
    Claim(
        "short-heads-get-stuck-least",
        PAGE,
        "**A short head gets stuck least**: {short_} of {short.runs} runs, {default_} of "
        "{default.runs} from the default length, {long_} of {long.runs} from three times that.",
        "A conjecture: long rows turn slowly, and the encoder meets them where they are. (The four "
        "cases, both starts of the encoder, eight seeds; no paper says it.)",
        {"short": SHORT, "default": DEFAULT, "long": LONG},
        "stuck",
        share("short", value == 1) < share("long", value == 1),
        ("short", LONG),
        Opens(PAGE, "stuck"),
        kind="conjecture",
        shows=Shows("table", "stuck"),
        numbers={
            "short_": count("short", value == 1),
            "default_": count("default", value == 1),
            "long_": count("long", value == 1),
        },
    ),
    Claim(
        "a-short-head-on-an-unfolded-encoder-never-stuck",
        PAGE,
        "**With a short head and an identity-like encoder none of {runs.runs} runs got stuck**; "
        "with a long head {lost} did.",
        "The encoder is unfolded from the first step, and the head follows it.",
        {"runs": heads(0.1, "identity"), "long": heads(3.0, "identity")},
        "stuck",
        count("runs", value == 1) == 0,
        ("runs", heads(3.0, "identity")),
        Opens(PAGE, "unit_weights"),
        shows=Shows("table", "stuck"),
        numbers={"lost": count("long", value == 1)},
    ),
    Claim(
        "the-degree-does-not-tell-stuck-runs",
        PAGE,
        "**The degree, which tells a fold under contrastive learning, does not tell here**: of "
        "{lost} stuck runs {whole_} cover the sphere once, and wrongly.",
        "A map may wrap the sphere once and be far from linear.",
        {
            "stuck": heads(3.0, "identity", "standard"),
            "whole": heads(3.0, "identity", "standard").read("stuck_and_whole"),
        },
        "stuck",
        (count("whole", value == 1) > count("stuck", value == 1) * 0.5)
        & (count("stuck", value == 1) > 0),
        ("whole", SHORT.read("stuck_and_whole")),
        Opens(PAGE, "stuck"),
        numbers={"lost": count("stuck", value == 1), "whole_": count("whole", value == 1)},
    ),
    Claim(
        "the-cure-is-of-the-default-world",
        PAGE,
        "**A short head is a cure of the default world, not of all**: behind "
        "{deeper.mixing_layers} and {deepest.mixing_layers} layers of mixing {lost} of {all} runs "
        "still get stuck, over κ {of_kappa} of {over κ.runs}.",
        "Nothing promises that what helps in one world helps in another.",
        {
            "deeper": Runs(PAGE, {"mixing_layers": 4}, score="stuck", example=True),
            "deepest": Runs(PAGE, {"mixing_layers": 5}, score="stuck", example=True),
            "over κ": Runs(
                PAGE,
                vary={"kappa": (1.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)},
                score="stuck",
                example=True,
            ),
        },
        "stuck",
        count("deeper", value == 1) + count("over κ", value == 1) > 1,
        ("deeper", free.read("stuck")),
        Opens(PAGE, params={"mixing_layers": 4}),
        numbers={
            "lost": count("deeper", value == 1) + count("deepest", value == 1),
            "all": count("deeper", value >= 0) + count("deepest", value >= 0),
            "of_kappa": count("over κ", value == 1),
        },
    ),
)


def _axes(along: float) -> Exact:
    return Exact(lambda: (quadrics.solution(along).axes,), "Longest over shortest axis", ".2f")


ROTATIONS = (
    Claim(
        "the-count-of-clusters-for-a-rotation",
        PAGE,
        "**2d clusters do not make case C3 a rotation.** A second quadric passes through all "
        "cluster vectors until there are d(d+3)/2 of them: with one fewer there is one, at the "
        "count none ({at the count.runs} dimensions tried).",
        "Published: the rows of v ⊙ v and v have rank 2d, which 2d random clusters satisfy. "
        "Derived here: that condition depends on the axes, and is not enough.",
        {
            "one fewer": Exact(lambda: quadrics.counted(-1), "Further quadrics", ".0f"),
            "at the count": Exact(lambda: quadrics.counted(0), "Further quadrics", ".0f"),
        },
        "condition",
        (every("one fewer") >= 1) & (every("at the count") == 0),
        ("at the count", Exact(lambda: quadrics.counted(-1), "Further quadrics", ".0f")),
        Opens(PAGE, "unit_weights"),
        kind="theorem",
        source="derived in this project",
        shows=Shows("figure", "ellipses"),
        typed=("2d clusters", "d(d+3)/2", "rank 2d", "2d random"),
    ),
    Claim(
        "minimisers-that-are-no-rotations",
        PAGE,
        "**Six clusters in three dimensions have unit-weight solutions that are no rotations**: "
        "the exact posterior, to {error.mean} in every probability, by a map whose axes differ by "
        "a factor of {axes.mean}.",
        "An invertible M and an offset keep all rows at unit length where a second quadric holds "
        "the cluster vectors. Latents are still recovered linearly.",
        {
            "axes": _axes(1.0),
            "error": Exact(lambda: (quadrics.solution(1.0).error,), "Largest error", ".0e"),
        },
        "condition",
        (every("axes") > 1.2) & (every("error") < 1e-9),
        (
            "axes",
            _axes(0.0),
        ),
        Opens(PAGE, params={"case": "C3", "n_clusters": 6}),
        kind="theorem",
        source="derived in this project",
        shows=Shows("figure", "globes"),
    ),
    Claim(
        "trained-c3-agrees-with-the-count",
        PAGE,
        "**Trained C3 models agree with the count**: below it the fitted map has a condition of "
        "{6 clusters, d = 3.span} (d = 3, six clusters) and {10 clusters, d = 5.span} (d = 5, "
        "ten); above it {30 clusters, d = 3.span} and {40 clusters, d = 5.span}.",
        "A rotation has condition one. Fewer clusters also mean a flatter loss, so this agrees "
        "with the algebra and does not prove it.",
        TRAINED,
        "condition",
        (low("6 clusters, d = 3") > high("30 clusters, d = 3"))
        & (low("10 clusters, d = 5") > high("40 clusters, d = 5")),
        ("6 clusters, d = 3", TRAINED["30 clusters, d = 3"]),
        Opens(PAGE, params={"case": "C3", "n_clusters": 6, "steps": 3000}),
        shows=Shows("table", "trained_c3"),
        typed=("d = 3, six", "d = 5, "),
    ),
)
CLAIMS = (*STUCK, *ROTATIONS)
