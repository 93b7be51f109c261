"""An answer's graph as a picture: node places, shapes and colours as one option object for Streamlit's ECharts.

The library comes with Streamlit and needs no network. The option is JSON without a function, so nothing in it
can run; words from documents are drawn on a canvas, and the hover card's template puts them in as escaped text.
A narrow window gets the same picture upright (app.graph_layout).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from app.graph_layout import Spot, spots
from index.view_records import GraphView, ViewEdge, ViewNode

HEIGHT = 492  # pixels
NARROW = 560  # pixels of width up to which the picture stands upright
MARGIN, LEGEND = 64, 96  # pixels at the sides for labels, and below
LYING, UPRIGHT = (574, 360), (198, 360)  # pixels the nodes spread over in a usual window
LABEL, SHORT_LABEL = 26, 18  # characters, lying and upright
SMALLEST, LARGEST = 12, 34  # pixels of a node
ON_PATH = 20  # pixels at least of a node on the way
WAY_COLOUR = "#d9772b"
WAY = "Way to the answer"
# (name in the legend, shape, colour): told apart by shape as well as by colour, on light and dark ground.
KINDS: Mapping[str, tuple[str, str, str]] = {
    "question": ("Question", "triangle", "#8a8f86"),
    "asked": ("Named in the question", "diamond", "#d0920f"),
    "entity": ("Entity", "circle", "#6f8fc0"),
    "passage": ("Passage found", "roundRect", "#4a9d78"),
    "evidence": ("Passage cited", "roundRect", "#2f9a68"),
    "answer": (
        "Answer",
        "path://M12 1l3.2 7.2 7.8.8-5.9 5.2 1.7 7.8-6.8-4-6.8 4 1.7-7.8L1 9l7.8-.8z",
        "#d3492f",
    ),
}
_WAY_ICON = "path://M0 9h24v5H0z"
_TEMPLATE = re.compile(r"([{$])")  # ECharts reads "{c}" in a template, JavaScript "$&" in what replaces it


def picture(view: GraphView) -> dict[str, Any]:
    """The option for `st.echarts_chart`: lying for a wide window, upright for a narrow one."""
    series = {
        "type": "graph",
        "id": "graph",
        "layout": "none",
        "roam": True,
        "roamTrigger": "global",
        "draggable": True,
        "left": MARGIN,
        "right": MARGIN,
        "top": 36,
        "bottom": LEGEND,
        "preserveAspect": True,
        "scaleLimit": {"min": 0.4, "max": 6},
        "categories": [
            *({"name": name, "itemStyle": _filled(kind)} for kind, (name, _, _) in KINDS.items()),
            {"name": WAY, "itemStyle": {"color": WAY_COLOUR}},
        ],
        "label": {"distance": 4, "fontSize": 11},
        "emphasis": {"focus": "adjacency", "lineStyle": {"opacity": 0.9}},
        "edges": [_edge(edge, _names(view)) for edge in view.edges],
    }
    base = {
        "animation": False,
        "tooltip": {
            "confine": True,
            "formatter": "{c}",
            "extraCssText": "white-space: pre-line; max-width: 22rem; overflow-wrap: anywhere;",
        },
        "legend": {
            "data": _legend(view),
            "bottom": 0,
            "left": "center",
            "selectedMode": False,
            "itemGap": 12,
        },
        "series": [series],
    }
    lying, upright = _nodes(view, *LYING, LABEL), _nodes(view, *UPRIGHT, SHORT_LABEL)
    return {
        "baseOption": base,
        "media": [
            {"query": {"maxWidth": NARROW}, "option": {"series": [{"id": "graph", "data": upright}]}},
            {"option": {"series": [{"id": "graph", "data": lying}]}},
        ],
    }


def way_of(view: GraphView) -> str:
    """The way to the answer in words; "" when there is none."""
    names = _names(view)
    passages = {node.id for node in view.nodes if node.passage_id is not None}
    steps = [f"“{names[node]}”" if node in passages else names[node] for node in view.path]
    return " → ".join(steps)


def _names(view: GraphView) -> dict[str, str]:
    """Node id -> its whole name."""
    return {node.id: f"{node.label}: {node.heading}" if node.heading else node.label for node in view.nodes}


def _nodes(view: GraphView, width: int, height: int, longest: int) -> list[dict[str, Any]]:
    """The nodes for a picture of that many pixels."""
    labels, sizes = _labels(view, longest), _sizes(view)
    places = spots(view, labels, sizes, width, height)
    return [_node(node, labels[node.id], sizes[node.id], places[node.id]) for node in view.nodes]


def _labels(view: GraphView, longest: int) -> dict[str, str]:
    """Short labels; of several passages of one document each is known by its heading."""
    titles = Counter(node.label for node in view.nodes if node.passage_id is not None)
    return {
        node.id: _cut(f"… {node.heading}" if node.heading and titles[node.label] > 1 else node.label, longest)
        for node in view.nodes
    }


def _sizes(view: GraphView) -> dict[str, float]:
    """Diameters in pixels: the area follows the mass; the question holds most of it and is drawn middling."""
    top = max((node.mass for node in view.nodes if node.kind != "question"), default=0.0) or 1.0
    sizes = {}
    for node in view.nodes:
        share = 0.4 if node.kind == "question" else math.sqrt(node.mass / top)
        size = SMALLEST + (LARGEST - SMALLEST) * share
        sizes[node.id] = round(max(size, ON_PATH) if node.on_path else size, 1)
    return sizes


def _node(node: ViewNode, label: str, size: float, spot: Spot) -> dict[str, Any]:
    kind, symbol, colour = KINDS[node.kind]
    named = f"{node.label}: {node.heading}" if node.heading else node.label
    told = [named, f"{kind} · weight {node.mass:.1%}", node.detail]
    if node.kind == "question":
        told = [kind, node.detail]
    made: dict[str, Any] = {
        "id": node.id,
        "name": _drawn(label),
        "value": _drawn("\n".join(filter(None, told))),
        "x": round(spot.x, 1),
        "y": round(spot.y, 1),
        "category": list(KINDS).index(node.kind),
        "symbol": symbol,
        "symbolSize": size,
        "label": {"show": spot.label is not None, "position": spot.label or "bottom", "color": colour},
    }
    if node.on_path:
        made["itemStyle"] = {**_filled(node.kind), "borderColor": WAY_COLOUR, "borderWidth": 3}
        made["label"] |= {"fontWeight": 600, "fontSize": 12}
    return made


def _filled(kind: str) -> dict[str, Any]:
    """Passages that were only found are outlined, everything else is filled."""
    colour = KINDS[kind][2]
    if kind == "passage":
        return {"color": f"{colour}33", "borderColor": colour, "borderWidth": 2}
    return {"color": colour}


def _edge(edge: ViewEdge, names: Mapping[str, str]) -> dict[str, Any]:
    between = {"names": "is named in", "asks": "names", "found": "found by text search"}.get(
        edge.kind, edge.label
    )
    line: dict[str, Any] = {"width": 1, "opacity": 0.35, "color": "#8a8f86"}
    made: dict[str, Any] = {"source": edge.source, "target": edge.target, "lineStyle": line}
    made["value"] = _drawn(f"{names[edge.source]} → {between or 'stands beside'} → {names[edge.target]}")
    if edge.kind in ("states", "alias"):
        line |= {"type": "dashed", "curveness": 0.18, "color": "#6f8fc0", "opacity": 0.55}
        made |= {"symbol": ["none", "arrow"], "symbolSize": [0, 7]}
    elif edge.kind == "found":
        line["type"] = "dotted"
    if edge.on_path:
        line |= {"width": 3.5, "opacity": 1.0, "color": WAY_COLOUR}
    return made


def _legend(view: GraphView) -> list[dict[str, Any]]:
    """The kinds that this picture shows, and the way where there is one."""
    shown = {node.kind for node in view.nodes}
    found: list[dict[str, Any]] = [
        {"name": name, "icon": symbol} for kind, (name, symbol, _) in KINDS.items() if kind in shown
    ]
    if any(edge.on_path for edge in view.edges):
        found.append({"name": WAY, "icon": _WAY_ICON})
    return found


def _cut(label: str, longest: int) -> str:
    return label if len(label) <= longest else f"{label[: longest - 1].rstrip()}…"


def _drawn(text: str) -> str:
    """Text in which no template of the drawing library begins: a word joiner, unseen, stands in its way."""
    return _TEMPLATE.sub("\\1\u2060", text)
