"""Published data sets in a folder of the visitor's: which are there, and some of their pictures."""

import numpy as np
import streamlit as st

from core.datasets.loaded import Misread
from core.datasets.registry import SOURCES, Source, data_folder
from core.datasets.worlds import FOUND
from core.lessons import LESSONS
from ui import knobs
from ui.pixels import pictures
from ui.window import address, turns

SET = "set"
SETTINGS = address.choice(SET, SOURCES, "The data set", "dsprites",
                          lambda name: SOURCES[name].title)  # fmt: skip
SHOWN, FIRST = 12, 2000  # pictures, of so many: further ones may lie deep in a packed file


def show() -> None:
    """One data set at a time: pictures where it is found, else how to get it."""
    folder = data_folder()
    here = {name for name, source in SOURCES.items() if source.found(folder)}
    name = st.selectbox(
        "Data set", list(SOURCES), list(SOURCES).index(address.get(SET)), width=420,
        key=address.widget(SET),
        format_func=lambda each: f"{SOURCES[each].title}{' (found)' if each in here else ''}",
    )  # fmt: skip
    source = SOURCES[name]
    if name not in here:
        how = f"{source.absent(folder)}. {source.how} {source.page} (licence: {source.licence})."
        st.info(f"{how} Expected: {', '.join(source.files)}.", icon=":material/folder_off:")
        return
    try:
        with turns.lent():
            _found(source)
    except Misread as why:
        st.error(str(why), icon=":material/broken_image:")


def _found(source: Source) -> None:
    """Some of its first pictures, and its factors."""
    loaded = source.load(data_folder())
    st.markdown(f"**{source.title}** ({source.paper}): {loaded.size:,} rows; factors: "
                f"{', '.join(factor.title.lower() for factor in loaded.factors)}.")  # fmt: skip
    if len(loaded.shape) < 2:
        st.caption("Features, not pictures: see `python -m core papers imagenet-x`.")
        return
    if source.name in FOUND:
        st.button(
            f"Train on {source.title} in Explore", key=address.owned(f"train.{source.name}"),
            type="tertiary", icon=":material/arrow_upward:", on_click=_follow, args=(source.name,),
        )  # fmt: skip
    rows = np.unique(np.linspace(0, min(loaded.size - 1, FIRST), SHOWN).astype(int))
    read, _ = loaded.read(rows)
    pictures.row(_seen(read), f"{len(rows)} pictures of {source.title}.")


def _follow(name: str) -> None:
    """Set the page to pairs of this data set's pictures (a callback)."""
    knobs.turn_to(LESSONS["pixels"], {"world": name})
    address.put("part", "explore")


def _seen(read: np.ndarray) -> np.ndarray:
    """Pictures (n, h, w) or (n, h, w, 3) in colour, thinned out and square."""
    seen = read[..., None].repeat(3, -1) if read.ndim == 3 else read
    side = min(seen.shape[1:3])
    step = max(1, side // pictures.NARROW)
    return seen[:, :side:step, :side:step]
