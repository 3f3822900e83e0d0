"""The papers' tables of pictures beside our worlds, and the sets where they are found."""

import pandas as pd
import streamlit as st

from core.lessons import LESSONS
from core.lessons.pixels import CONVOLVED, LONG, SCENE, SEVEN, SLOW, WALLED, WIDE
from core.papers.images import DISLIB, IDENT, KITTI
from core.scenarios.pixels import Pixels
from ui import seeds
from ui.pixels import files

scenario = LESSONS["pixels"]


def show() -> None:
    """Other pictures, the same question."""
    st.markdown(
        "The papers’ pictures are others, larger, and seen by larger networks for longer. No "
        "number can be compared, only the order of the models; where ours is another, what differs "
        "stands below the table."
    )
    _kitti()
    _ident()
    _dislib()
    st.subheader("Files of your own", anchor="files")
    st.caption(
        "Nothing is downloaded. Where the published sets lie in the folder that EXPLORER_DATA "
        "names, their tables are measured from a shell (see the page on the papers), and those "
        "whose factors are known are worlds in Explore as well."
    )
    files.show()


def _kitti() -> None:
    """Models of walkers' masks."""
    st.markdown(f"**{KITTI.title}** ({KITTI.source})")
    ours: dict[str, dict] = {
        "SlowVAE, unbounded": SLOW, "Laplace, unbounded": {}, "Laplace, box": WALLED,
        "normal, unbounded": LONG, "normal, box": {**LONG, "space": "box"},
    }  # fmt: skip
    rows = [
        *({"mean Δt": f"paper, {row['mean Δt']}", **{model: row[model] for model in ours}}
          for row in KITTI.rows),
        {"mean Δt": "walkers’ masks here",
         **{model: _percent(setting, "mcc") for model, setting in ours.items()}},
    ]  # fmt: skip
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="content")
    st.caption(
        "MCC in percent, models in the table’s order. There all models see the walkers’ own steps; "
        f"here the normal model’s are normal. SlowVAE here has ten codes, and {SLOW['steps']:,} "
        f"steps. Laplace pairs are a step of {Pixels().step_size} apart, in the box "
        f"{WALLED['spread']}, and normal ones {LONG['spread']}."
    )


def _ident() -> None:
    """A box against none, on a scene."""
    st.markdown(f"**{IDENT.title}** ({IDENT.source})")
    printed = {row["model space"]: row for row in IDENT.rows if row["matched"] in ("yes", "no")
               and row["p(z̃|z)"] == "normal"}  # fmt: skip
    rows = [
        {
            "model space": space,
            "paper, R²": printed[space]["R²"], "paper, MCC": printed[space]["MCC"],
            **{f"here, {factors}, {said}": _percent({**of, "space": space}, score)
               for factors, of in {"five": SCENE, "seven": SEVEN}.items()
               for said, score in {"R²": "linear_r2", "MCC": "mcc"}.items()},
        }
        for space in ("box", "unbounded")
    ]  # fmt: skip
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="content")
    st.caption("In percent. The paper has ten factors; the scene here five, or seven.")


def _dislib() -> None:
    """What a classifier of shapes keeps, with the untrained code beside."""
    st.markdown(f"**{DISLIB.title}** ({DISLIB.source}), dSprites")
    printed = {row["latent"]: row for row in DISLIB.rows if row["data"] == "dSprites"}
    called = {"category": "shape", "scale": "scale", "posX": "x", "posY": "y"}
    wide = {"MLP": seeds.stored(scenario, WIDE), "CNN": seeds.stored(scenario, CONVOLVED)}
    columns = {
        "x": ("MLP", "raw_r_bare"), "MLP": ("MLP", "r_bare"), "CNN": ("CNN", "r_bare"),
        "MLP untrained": ("MLP", "untrained_r_bare"), "CNN untrained": ("CNN", "untrained_r_bare"),
        "x with an intercept": ("MLP", "raw_r"),
    }  # fmt: skip
    rows = [
        {
            "latent": theirs,
            **{f"paper, {column}": printed[theirs][column] for column in ("x", "MLP", "CNN")},
            **{f"here, {said}": seeds.span_of([r.scores[f"{score}_{name}"] for r in wide[words]])
               for said, (words, score) in columns.items()},
        }
        for theirs, name in called.items()
    ]  # fmt: skip
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="content")
    st.caption(
        "Correlation of a factor with its linear read-out, as published without an intercept: x is "
        "the pixels, MLP and CNN are trained encoders with wide codes, ours of "
        f"{WIDE['d_hat']} dimensions. Rows and columns stand in the table’s order, and after ours "
        "what it lacks: encoders before any training, and an intercept. Ours have no BatchNorm, "
        f"the CNN has three layers, and they see {WIDE['steps']:,} and {CONVOLVED['steps']:,} "
        f"batches of {Pixels().batch}."
    )


def _percent(setting: dict, score: str) -> str:
    values = [100 * v for r in seeds.stored(scenario, setting)
              if (v := r.scores.get(score)) is not None]  # fmt: skip
    return f"{min(values):.1f} to {max(values):.1f}" if values else "not measured here"
