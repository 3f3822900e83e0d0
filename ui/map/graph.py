"""The genealogy as a graph: what is identified as colour, what runs as a link, arrows with words.

Graphviz lays it out; the page's style sheet colours it, in light and dark. A graph can be read
neither on a phone nor by ear, so the same stands below in words, arrow by arrow.
"""

import textwrap
from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

from core.claimed import CLAIMS
from core.colours import ROLE
from core.family.nodes import ARROWS, NODES, Ambiguity, Arrow, Node, node
from ui import claims

COLOUR: Mapping[Ambiguity, str] = {
    "permutation": ROLE["z_hat"],
    "orthogonal": ROLE["z"],
    "linear": ROLE["v"],
    "invariance": ROLE["w"],
    "nothing": ROLE["baseline"],
}
SHORT: Mapping[Ambiguity, str] = {
    "permutation": "each latent", "orthogonal": "up to a rotation",
    "linear": "up to a linear map", "invariance": "all but the label’s",
    "nothing": "nothing",
}  # fmt: skip
LETTERS = 18  # of a line in a node, or on an arrow
STYLE = "<style>{}\n{}</style>".format(
    """.stGraphVizChart text { fill: light-dark(#1d2129, #e8eaee); }
.stGraphVizChart .node text { font-size: 13px; }
.stGraphVizChart .node text:not(:last-of-type) { font-weight: 600; }
.stGraphVizChart .edge text { font-size: 11px; }
.stGraphVizChart .edge path { stroke: #8a8f98; }
.stGraphVizChart .edge polygon { stroke: #8a8f98; fill: #8a8f98; }
.stGraphVizChart .edge text { fill: light-dark(#5a606b, #a4aab4); }
.stGraphVizChart .edge.sign path { stroke-width: 2.5px; }
.stGraphVizChart a:hover path, .stGraphVizChart a:focus path { stroke-width: 3.5px; }
.stGraphVizChart a:focus { outline: none; }
@media (max-width: 640px) { /* wider than a phone, to be moved under the finger */
  .stGraphVizChart { overflow-x: auto; }
  .stGraphVizChart svg { width: 62rem !important; max-width: none !important; }
}""",
    "\n".join(
        f".stGraphVizChart .node.{name} path "
        f"{{ stroke: {colour}; fill: color-mix(in srgb, {colour} 18%, transparent); }}"
        for name, colour in COLOUR.items()
    ),
)  # fmt: skip


def page_of(each: Node) -> str:
    """The name of the page on which a node runs."""
    return claims.PAGE.get(each.lesson, each.lesson)


def query_of(each: Node) -> dict[str, str]:
    """The setting that a node stands for, as its page's link has it."""
    return claims.preset_query(each.lesson, each.preset)


def dot() -> str:
    """The graph in Graphviz' language."""
    drawn = [_box(each) for each in NODES] + [_line(each) for each in ARROWS]
    return "\n".join([
        "digraph {", 'rankdir=LR; bgcolor="transparent"; nodesep=.1; ranksep=.2;',
        'node [shape=box style="rounded,filled" fontsize=13 margin="0.1,0.05"];',
        "edge [fontsize=11 arrowsize=.6];", *drawn, "}",
    ])  # fmt: skip


def _box(each: Node) -> str:
    title = "\\n".join(textwrap.wrap(each.title, LETTERS))
    known = {"label": f"{title}\\n{SHORT[each.identified]}", "class": each.identified,
             "tooltip": f"{each.title}: {each.found} ({each.source})"}  # fmt: skip
    if each.runs:
        known |= {"URL": f"{page_of(each)}?{urlencode(query_of(each))}", "target": "_self"}
    else:
        known |= {"style": "rounded,dashed"}
    return f"{each.name} [{_attributes(known)}];"


def _line(each: Arrow) -> str:
    known = {"label": "\\n".join(textwrap.wrap(each.restricts, LETTERS)), "tooltip": each.words}
    if node(each.general).half != node(each.special).half:
        known["class"] = "sign"
    return f"{each.general} -> {each.special} [{_attributes(known)}];"


def _attributes(known: Mapping[str, str]) -> str:
    return " ".join(f'{name}="{value}"' for name, value in known.items())


def show() -> None:
    """The graph, and what its colours mean."""
    st.html(STYLE)
    st.graphviz_chart(
        dot(), width="stretch",
        alt="Settings as boxes, arrows from the general to the special. The same in words below.",
    )  # fmt: skip
    st.caption("An arrow says what is assumed beside, or in the place of, what was assumed before; "
               "a box what is then identified. A click on a box opens its setting; a dashed one "
               "does not run here. On a narrow screen the map moves sideways.")  # fmt: skip


def in_words() -> None:
    """Every node with its link, every arrow with the claims that show it."""
    for each in NODES:
        with st.container(key=f"node_{each.name}"):
            _in_words(each)


def _in_words(each: Node) -> None:
    st.markdown(f"##### {each.title}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"Identified: {each.found} ({each.source}).", width="content")
        if each.runs:
            st.page_link(f"pages/{page_of(each)}.py", label="Open its setting",
                         query_params=query_of(each), icon=":material/arrow_forward:",
                         width="content")  # fmt: skip
    if each.unrun:
        st.markdown(each.unrun)
    for arrow in ARROWS:
        if arrow.special == each.name:
            shown = [f"  - :gray[{claims.found(CLAIMS[name]).words}]" for name in arrow.claims]
            said = f"- From *{node(arrow.general).title}*: {arrow.words}."
            st.markdown("\n".join([said, *shown]))
