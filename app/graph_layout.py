"""Where the nodes of an answer's graph lie and which of them bear a label; the same for the same graph.

The way from the question to the answer lies on a line from left to right (upright: from top to bottom), its
labels turned outwards; springs place everything else around it, crowded parts are drawn apart and overlapping
nodes pushed aside. A label is drawn only where it covers neither a node nor the label of a weightier one:
hovering tells the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import networkx
import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from index.view_records import GraphView

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Position = Literal["top", "bottom", "left", "right"]
Box = tuple[float, float, float, float]  # left, top, right, bottom
CHARACTER, LINE = 6.4, 15.0  # pixels of a label's character and line
ZIGZAG = 0.16  # how far the way swings to both sides, of the whole picture's 2
GAP, PUSHES = 8.0, 60  # pixels kept between two nodes, and how often they are pushed for it
GOLDEN = 2.39996  # radians between the first places of two nodes that follow each other


@dataclass(frozen=True, slots=True)
class Spot:
    """A node's centre in pixels and the side its label stands on; None: no label."""

    x: float
    y: float
    label: Position | None


def spots(
    view: GraphView, labels: Mapping[str, str], sizes: Mapping[str, float], width: float, height: float
) -> dict[str, Spot]:
    """Node id -> spot inside `width` times `height` pixels; upright when higher than wide."""
    upright = height > width
    names = [node.id for node in view.nodes]
    places = _places(view)
    along, across = (_evened(np.array([places[name][axis] for name in names])) for axis in (0, 1))
    start = np.stack(
        [across * width, along * height] if upright else [along * width, across * height], axis=1
    )
    sides = _sides(view.path, upright)
    held = np.array([name in view.path for name in names])
    radii = np.array([sizes[name] / 2 for name in names])
    firm = {name: (float(x), float(y)) for name, (x, y) in zip(names, start.tolist(), strict=True)}
    on_way = [_label_box(firm[name], sizes[name], len(labels[name]), sides[name]) for name in view.path]
    pushed = _pushed_apart(start, radii, held, _dots(on_way), (width, height))
    pixels = {name: (float(x), float(y)) for name, (x, y) in zip(names, pushed.tolist(), strict=True)}
    nodes = {name: _around(pixels[name], sizes[name], sizes[name]) for name in names}
    taken: dict[str, Box] = {}
    found = {}
    for node in sorted(view.nodes, key=lambda node: (node.id not in view.path, -node.mass, node.id)):
        side = sides.get(node.id, "bottom")
        box = _label_box(pixels[node.id], sizes[node.id], len(labels[node.id]), side)
        others = [*taken.values(), *(other for name, other in nodes.items() if name != node.id)]
        free = node.id in view.path or not any(_overlap(box, other) for other in others)
        if free:
            taken[node.id] = box
        found[node.id] = Spot(*pixels[node.id], side if free else None)
    return found


def _evened(values: Floats) -> Floats:
    """Coordinates from 0 to 1, half by distance and half by rank: the order stays, crowds spread out."""
    low, spread = values.min(), max(float(np.ptp(values)), 1e-6)
    ranks = (rankdata(values) - 1) / max(len(values) - 1, 1)
    return np.asarray(0.5 * (values - low) / spread + 0.5 * ranks)


def _dots(boxes: Sequence[Box]) -> Floats:
    """Points (n, 2) along the middle of the boxes: what a node must keep clear of."""
    found = [
        (x, (top + bottom) / 2)
        for left, top, right, bottom in boxes
        for x in np.arange(left + LINE / 2, right, LINE).tolist()
    ]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def _pushed_apart(
    places: Floats, radii: Floats, held: Flags, dots: Floats, room: tuple[float, float]
) -> Floats:
    """Places (nodes, 2) where no circle lies over another or over a dot, as far as the room allows.

    Held nodes stay where they are, and so do the dots, which count as circles as high as a line of text.
    """
    all_radii = np.concatenate([radii, np.full(len(dots), LINE / 2)])
    near = radii[:, None] + all_radii[None, :] + GAP
    for _ in range(PUSHES):
        apart = places[:, None, :] - np.concatenate([places, dots])[None, :, :]
        distance = np.hypot(apart[..., 0], apart[..., 1])
        np.fill_diagonal(distance, np.inf)
        overlap = np.clip(near - distance, 0.0, None)
        push = (apart / np.maximum(distance, 1e-3)[..., None] * overlap[..., None]).sum(axis=1)
        places = np.where(held[:, None], places, np.clip(places + 0.4 * push, 0.0, np.array(room)))
    return places


@lru_cache(maxsize=16)  # lying and upright start from the same places
def _places(view: GraphView) -> dict[str, Floats]:
    """Places in the square from -1 to 1: (along the way, across it)."""
    net = networkx.Graph()
    net.add_nodes_from(node.id for node in view.nodes)
    net.add_edges_from((edge.source, edge.target) for edge in view.edges)
    way = [node for node in view.path if node in net] or ["question"]
    step = 2.0 / max(len(way) - 1, 1)
    fixed = {node: np.array([at * step - 1.0, ZIGZAG * (-1) ** at]) for at, node in enumerate(way)}
    start = dict(fixed)
    rest = [node for node in net if node not in fixed]
    for at, node in enumerate(rest):
        radius = 0.4 + 0.6 * at / len(rest)
        start[node] = radius * np.array([math.cos(GOLDEN * at), math.sin(GOLDEN * at)])
    apart = 1.6 / math.sqrt(len(net))
    found: dict[str, Floats] = networkx.spring_layout(
        net, k=apart, pos=start, fixed=list(fixed), iterations=150, seed=1, method="force"
    )
    return found


def _sides(path: Sequence[str], upright: bool) -> dict[str, Position]:
    """The labels of the way stand on its outer sides."""
    first: Position = "right" if upright else "bottom"
    second: Position = "left" if upright else "top"
    return {node: first if at % 2 == 0 else second for at, node in enumerate(path)}


def _around(place: tuple[float, float], width: float, height: float) -> Box:
    x, y = place
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _label_box(place: tuple[float, float], size: float, characters: int, side: Position) -> Box:
    x, y = place
    wide = characters * CHARACTER
    aside, away = (size + wide) / 2 + 4, (size + LINE) / 2 + 4
    shift = {"top": (0.0, -away), "bottom": (0.0, away), "left": (-aside, 0.0), "right": (aside, 0.0)}[side]
    return _around((x + shift[0], y + shift[1]), wide, LINE)


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
