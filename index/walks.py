"""A question's walks over one corpus graph: where PageRank goes from its names and from its best passages.

Two resets are walked apart (the question's entities; the passages that text search likes), because every
mixture and every damping of them is then a weighted sum. The guided walk leaves an entity rather towards
passages near the question (gain exp(4 * cosine)), which keeps hubs from scattering it. Constants were chosen
on training questions of three multi-hop sets (docs/LOG.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from index.graph import CorpusGraph
from index.link import Link, Linker
from index.pagerank import combine, walk

Floats = npt.NDArray[np.float32]
DAMPING = 0.92  # of graph mode: answers lie two to four hops away
SHALLOW = 0.5  # HippoRAG's damping, a second view for the ranker
STEPS = 12  # powers of a walk; what lies further changes no rank of the first fifty
GAIN = 4.0
LOCAL = 20_000  # passages above which a walk stays in the question's neighbourhood
NEAREST, NAMING, AROUND = 800, 300, 2500  # passages of a neighbourhood by kind
RARE = 50  # passages that name an entity, up to which it leads into the neighbourhood
PRIOR_PASSAGES = 50  # best passages of text search that take part in the reset
# Share of the reset that text search gets, and its share in the final score: small where the question names
# something that the collection knows well, large where it does not.
PRIOR = (0.3, 0.6)
MIX = (0.05, 0.35)
RANKING_MIX = (0.1, 1.0)


@dataclass(frozen=True)
class Walks:
    """What the walks found for one question in one collection; arrays over the graph's passages."""

    links: tuple[Link, ...]
    strength: float  # 0 to 1: how surely the question names something the graph knows
    from_names: Floats  # PageRank from the question's entities, guided, damping DAMPING
    from_names_shallow: Floats
    from_text: Floats  # PageRank from the passages of text search, guided, damping DAMPING
    direct: Floats  # first step from the question's entities: who names them
    second: Floats  # third step: who names what those name
    score: Floats  # mass from both resets and some text score: a feature of the ranker
    ranking: Floats  # of graph mode: the root of that mass, which lifts what is far away, and more text score

    @cached_property
    def descending(self) -> Floats:
        """`score` of all passages, highest first."""
        return np.sort(self.score)[::-1]


def gains(cosines: Floats, nearest: float) -> Floats:
    """Gain of passages from their cosine with the question: 1 for the nearest's, exp(-4 gap) for the rest."""
    return np.asarray(np.exp(GAIN * (cosines - nearest)) + 1e-4, dtype=np.float32)


def prepare(graph: CorpusGraph) -> None:
    """Make the matrices that walks over this graph need, so that the first search does not wait for them."""
    if graph.size <= LOCAL:
        graph.merged  # noqa: B018 - kept by the graph
    else:
        graph.columns, graph.by_entity, graph.rarity, graph.titled_by_entity  # noqa: B018


def walk_question(
    graph: CorpusGraph,
    linker: Linker,
    question: str,
    cosines: Floats,
    text: Mapping[int, float],
    allowed: npt.NDArray[np.bool_] | None = None,
) -> Walks:
    """Walk from a question.

    cosines: (passages,) with the question. text: row -> score of text search (0 to 1), best first. allowed:
    (passages,) rows the walk may enter, for a scope of documents; None for all.
    """
    links = linker.link(question)
    strength = _strength(graph, links)
    named = Reset.of({graph.size + column: weight for column, weight in linker.seeds(links).items()})
    liked = Reset.of(dict(list(text.items())[:PRIOR_PASSAGES]))
    walked = _guided(graph, (named, liked), cosines, allowed)
    deep, shallow = combine(walked.powers, DAMPING), combine(walked.powers, SHALLOW)
    prior = _between(PRIOR, strength) if len(named.nodes) else 1.0
    mass = walked.of_passages((1 - prior) * deep[:, 0] + prior * deep[:, 1])
    score: Floats = (mass / max(float(mass.max(initial=0.0)), 1e-12)).astype(np.float32)
    ranking: Floats = np.sqrt(score)
    for row, value in text.items():
        score[row] += _between(MIX, strength) * value
        ranking[row] += _between(RANKING_MIX, strength) * value
    if allowed is not None:
        score[~allowed] = ranking[~allowed] = 0.0
    return Walks(
        links=links,
        strength=strength,
        from_names=walked.of_passages(deep[:, 0]),
        from_names_shallow=walked.of_passages(shallow[:, 0]),
        from_text=walked.of_passages(deep[:, 1]),
        direct=walked.of_passages(walked.powers[1][:, 0]),
        second=walked.of_passages(walked.powers[3][:, 0]),
        score=score,
        ranking=ranking,
    )


def walk_on(
    graph: CorpusGraph, entities: Mapping[int, float], cosines: Floats, allowed: npt.NDArray[np.bool_] | None
) -> Floats:
    """PageRank of the passages from entities (column -> weight) that the first evidence names: the next hop."""
    reset = Reset.of({graph.size + column: weight for column, weight in entities.items()})
    walked = _guided(graph, (reset,), cosines, allowed, steps=5)
    return walked.of_passages(combine(walked.powers, SHALLOW)[:, 0])


@dataclass(frozen=True, slots=True)
class Reset:
    """Where a walk begins: a few of the graph's many nodes, ascending, with their weights."""

    nodes: npt.NDArray[np.int64]
    weights: Floats

    @staticmethod
    def of(weights: Mapping[int, float]) -> Reset:
        """Of node -> weight; nodes without weight are left out."""
        nodes = sorted(node for node, weight in weights.items() if weight > 0)
        return Reset(np.array(nodes, np.int64), np.array([weights[node] for node in nodes], np.float32))


@dataclass(frozen=True, slots=True)
class _Walked:
    """Powers of a walk, each of shape (nodes walked, resets)."""

    powers: list[Floats]
    size: int  # passages of the graph
    near: npt.NDArray[np.int64] | None  # nodes walked, passages first; None: all of them

    def of_passages(self, mass: Floats) -> Floats:
        """Mass of shape (nodes walked,) as mass of shape (passages,); a copy, so the entities' goes free."""
        if self.near is None:
            return mass[: self.size].copy()
        rows = self.near[: np.searchsorted(self.near, self.size)]
        whole = np.zeros(self.size, dtype=np.float32)
        whole[rows] = mass[: len(rows)]
        return whole


def _guided(
    graph: CorpusGraph,
    resets: Sequence[Reset],
    cosines: Floats,
    allowed: npt.NDArray[np.bool_] | None,
    steps: int = STEPS,
) -> _Walked:
    nearest = cosines.max(initial=-1.0)
    if graph.size <= LOCAL:
        merged = graph.merged
        count = merged.links.shape[0]
        gain = _gain(count, np.arange(graph.size), cosines, nearest, allowed)
        begin = _beginnings(count, resets, merged.node)
        return _Walked(walk(merged.links, begin, steps, gain, merged.links_reversed), graph.size, None)
    near = neighbourhood(graph, resets, cosines)
    passages = int(np.searchsorted(near, graph.size))
    gain = _gain(len(near), near[:passages], cosines, nearest, allowed)
    links = graph.links_among(near[:passages], near[passages:] - graph.size)
    places = [Reset(np.searchsorted(near, reset.nodes), reset.weights) for reset in resets]  # all are near
    return _Walked(walk(links, _beginnings(len(near), places), steps, gain), graph.size, near)


def _beginnings(count: int, resets: Sequence[Reset], renamed: npt.NDArray[np.int64] | None = None) -> Floats:
    """Resets as columns of shape (count, resets); renamed: the number of each node where several became one."""
    given = np.zeros((count, len(resets)), dtype=np.float32, order="F")
    for kind, reset in enumerate(resets):
        at = reset.nodes if renamed is None else renamed[reset.nodes]
        np.add.at(given[:, kind], at, reset.weights)
    return given


def _gain(
    count: int,
    rows: npt.NDArray[np.int64],
    cosines: Floats,
    nearest: float,
    allowed: npt.NDArray[np.bool_] | None,
) -> Floats:
    """Gains of shape (count, 1): those of the passages `rows` first, then 1 for each entity."""
    gain = np.ones((count, 1), dtype=np.float32)
    gain[: len(rows), 0] = gains(cosines[rows], nearest)
    if allowed is not None:
        gain[: len(rows), 0] *= allowed[rows]
    return gain


def neighbourhood(graph: CorpusGraph, resets: Sequence[Reset], cosines: Floats) -> npt.NDArray[np.int64]:
    """Nodes of a large graph that a walk from these resets can matter to, ascending.

    Passages: those of the resets, those nearest to the question, those that name a reset entity, and those that
    share a rare name with any of the first and the last; entities: all that these passages name.
    """
    size = graph.size
    nodes = np.unique(np.concatenate([reset.nodes for reset in resets]))
    starting, named = nodes[nodes < size], nodes[nodes >= size] - size
    first = [starting, _nearest(np.arange(size), cosines, NEAREST)]
    naming = [_nearest(graph.passages_of(int(column)), cosines, NAMING) for column in named]
    seeds = _marked(size, [starting, *naming])
    columns = _marked(graph.nodes - size, [graph.mentions[seeds].indices])
    rare = columns[graph.frequency[columns] <= RARE]
    around = _marked(size, [graph.by_entity[:, rare].indices])
    rows = _marked(size, [*first, seeds, _nearest(around, cosines, AROUND)])
    entities = _marked(graph.nodes - size, [graph.mentions[rows].indices, named])
    return np.concatenate([rows, entities + size])


def _marked(size: int, parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    """The union of numbers below `size`, ascending."""
    marks = np.zeros(size, dtype=bool)
    for part in parts:
        marks[part] = True
    return np.asarray(np.flatnonzero(marks), dtype=np.int64)


def _nearest(rows: npt.NDArray[Any], cosines: Floats, count: int) -> npt.NDArray[np.int64]:
    if len(rows) <= count:
        return np.asarray(rows, dtype=np.int64)
    best = np.argpartition(-cosines[rows], count - 1)[:count]
    return np.asarray(rows[best], dtype=np.int64)


def _strength(graph: CorpusGraph, links: tuple[Link, ...]) -> float:
    best = 0.0
    for link in links:
        if link.how == "exact" and link.weight >= 1.0:
            rare = float(graph.rarity[link.column]) ** 2
            best = max(best, rare if " " in link.key else 0.6 * rare)
    return min(best, 1.0)


def _between(ends: tuple[float, float], strength: float) -> float:
    sure, unsure = ends
    return unsure + (sure - unsure) * strength
