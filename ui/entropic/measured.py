"""Anybody's decoder: how its file is made, what is kept here, and what one measurement says."""

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.decoders import measure
from core.decoders.measurement import DIGEST, PLACE, Label, Measurement, Shelf
from core.kept.folder import Damaged
from core.legend import SCORES
from ui import article, sheet, story
from ui.window import address

if TYPE_CHECKING:
    from core.figures.figure import Figure

KEY = PLACE  # of the link
LISTED = 8  # measurements to choose from
PAIRS = 6  # in the table
MAKE = """\
decoder.eval()                     # latents (b, 10) to images (b, 1, 28, 28): any shape will do
z = torch.randn(1000, 10)
one = lambda latent: decoder(latent[None]).flatten()
j = torch.func.vmap(torch.func.jacfwd(one), chunk_size=50)(z)      # (1000, 784, 10)
numpy.save("jacobians.npy", j.detach().cpu().numpy())"""
COMMAND = "python -m core measure jacobians.npy"


def settings() -> address.Settings:
    """The key of the page's link for the measurement that is shown."""

    def take(link: Mapping[str, str]) -> address.Taken:
        text = link.get(KEY, "")
        if not text or DIGEST.fullmatch(text):
            return {KEY: text}, []
        return {}, [f"A measurement in the link is named by 64 hexadecimal digits (not "
                    f"{address.quoted(text)}); none is shown."]  # fmt: skip

    return address.Settings({KEY: ""}, take)


def part() -> article.Part:
    """Your decoder, as a part of a page."""
    return article.Part(PLACE, "Your decoder", article.alone(show), (settings(),))


def show() -> None:
    """The measurement that the link names, or how one is made and which there are."""
    digest: str = address.get(KEY)
    found = _found(digest) if digest else None
    if found is None:
        _how()
        _list()
    else:
        _measured(digest, found)


def _found(digest: str) -> Measurement | None:
    """What is kept under a digest; why there is nothing is said."""
    named = address.quoted(digest[:12])
    try:
        found = Shelf().get(digest)
    except Damaged:
        st.warning(f"The measurement {named} is kept here and cannot be read: its file is damaged. "
                   "Measure the decoder again.", icon=":material/broken_image:")  # fmt: skip
        return None
    if found is None:
        st.warning(f"No measurement {named} is kept here: it was made on another machine, or has "
                   "made room for newer ones.", icon=":material/link_off:")  # fmt: skip
    return found


def _how() -> None:
    st.markdown(
        "How far do the latents of **your** decoder share their directions? Its Jacobians say, in "
        "a file that is made where the decoder lives; nothing of yours is executed here."
    )
    st.code(MAKE, "python")
    st.code(COMMAND, "bash")
    st.caption(
        "The command prints the numbers, keeps them here and prints the link that draws them beside"
        " a linear decoder of the same covariance. Latents are standard normal; `--latents z.npy` "
        "takes their part of the entropies from your samples."
    )


def _list() -> None:
    """What is kept, the newest first."""
    kept = Shelf().newest(LISTED)
    if not kept:
        return
    st.markdown("**Measured here**")
    with st.container(gap=None, key="measurements"):
        for label in kept:
            st.button(
                _said(label), key=address.owned(f"measured.{label.digest}"), type="tertiary",
                icon=":material/arrow_forward:", on_click=address.put, args=(KEY, label.digest),
            )  # fmt: skip


def _said(label: Label) -> str:
    high, low = label.dimensions
    total = SCORES["mtc_nats"].written(label.total_correlation.value)
    return (
        f"{address.quoted(label.name)}: {low:,} latents in {high:,} dimensions, total correlation "
        f"{total} nats, {label.day}"
    )


def _leave() -> None:
    """Back to what there is, in the same part (a callback)."""
    address.put(KEY, "")
    address.put(story.PART, PLACE)


def _measured(digest: str, found: Measurement) -> None:
    """The numbers beside their ruler, the spectrum beside PCA's, what pairs share."""
    reading = found.reading
    high, low = reading.dimensions
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        said = f"{reading.samples:,} samples of {low:,} latents in {high:,} dimensions"
        st.caption(f"{address.quoted(found.name)}: {said}, {found.day} (UTC)", width="content")
        st.button("All measurements", key=address.owned("measured.all"), type="tertiary",
                  icon=":material/arrow_back:", on_click=_leave)  # fmt: skip
    numbers, line = st.columns([1, 1.3], gap="medium", vertical_alignment="center")
    with numbers:
        _numbers(found)
    with line:
        _draw("ruler", "Total correlation on a line with those of linear decoders.", digest,
              partial(_ruler, found))  # fmt: skip
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        st.markdown("**Manifold entropy spectrum**")
        _draw("spectrum", "Sorted manifold entropies, with PCA's dashed.", digest,
              partial(_spectrum, found))  # fmt: skip
        st.caption(
            "Dashed: the linear decoder with the mean JJᵀ as its covariance, along its principal "
            "axes. One that bends may share more than any linear one."
        )
    with right:
        if low > 1:
            st.markdown("**What pairs share**")
            _draw("pairs", "Mutual information of every pair of latents.", digest,
                  partial(_pairs, found))  # fmt: skip
        else:
            st.caption("One latent has nothing to share with another.")
    if low > 1:
        st.dataframe(_top(found), width="content")
    _download(digest, found)


def _numbers(found: Measurement) -> None:
    reading = found.reading
    total, entropy = reading.total_correlation, reading.entropy
    shown = {
        "mtc_nats": (total.value, f"± {total.error:.3f}"),
        "mtc_per_dim": (reading.per_dimension, f"{reading.dimensions[1]:,} in all"),
        "entropy_nats": (entropy.value, f"± {entropy.error:.3f}"),
    }
    with st.container(horizontal=True, gap="small", key="measured_numbers"):
        for name, (value, beside) in shown.items():
            score = SCORES[name]
            st.metric(score.title, score.written(value), beside, delta_color="off",
                      delta_arrow="off", width="content")  # fmt: skip


def _draw(name: str, alt: str, digest: str, make: "partial[Figure]") -> None:
    sheet.figure(f"measured_{name}", alt, make, of=(digest,), numbers=f"measured-{name}")


def _ruler(found: Measurement) -> "Figure":
    from core import figures  # altair

    marks = {name: mark.value for name, mark in found.ruler.marks.items()}
    total = found.reading.total_correlation
    return figures.ruler(total.value, total.error, marks, SCORES["mtc_nats"].title)


def _spectrum(found: Measurement) -> "Figure":
    from core import figures

    own = (found.reading.spectrum, found.reading.spectrum_error)
    return figures.spectrum({"this decoder": own}, found.ruler.spectrum)


def _pairs(found: Measurement) -> "Figure":
    from core import figures

    return figures.pairs(found.reading.pairs)


def _top(found: Measurement) -> pd.DataFrame:
    """The pairs that share most, a column each, with their standard errors."""
    pairs = found.reading.top_pairs(PAIRS)
    columns = {f"{i} and {j}": [f"{each.value:.3f}", f"± {each.error:.3f}"] for i, j, each in pairs}
    return pd.DataFrame(columns, index=["pairs that share most, nats", "standard error"])


def _download(digest: str, found: Measurement) -> None:
    told = {"name": found.name, "day": found.day, "digest": digest}

    def document() -> str:
        return json.dumps({**told, **measure.document(found.reading, found.ruler)}, indent=1)

    st.download_button(
        "The numbers (JSON)", document, f"measured-{digest[:12]}.json", "application/json",
        on_click="ignore", icon=":material/download:",
    )  # fmt: skip
