"""A question's walks over one corpus graph: where PageRank goes from its names and from its best passages.

Two resets are walked apart (the question's entities; the passages that text search likes), because every
mixture and every damping of them is then a weighted sum. The guided walk leaves an entity rather towards
passages near the question (gain exp(4 * cosine)), which keeps hubs from scattering it. Constants were chosen
on training questions of three multi-hop sets (docs/LOG.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
PRIOR_PASSAGES = 50  # best passages of text search that take part in the reset
# Share of the reset that text search gets, and its share in the final score: small where the question names
# something that the collection knows well, large where it does not.
PRIOR = (0.3, 0.6)
MIX = (0.05, 0.35)


@dataclass(frozen=True, slots=True)
class Walks:
    """What the walks found for one question in one collection; arrays over the graph's passages."""

    links: tuple[Link, ...]
    strength: float  # 0 to 1: how surely the question names something the graph knows
    from_names: Floats  # PageRank from the question's entities, guided, damping DAMPING
    from_names_shallow: Floats
    from_text: Floats  # PageRank from the passages of text search, guided, damping DAMPING
    direct: Floats  # first step from the question's entities: who names them
    second: Floats  # third step: who names what those name
    score: Floats  # of graph mode


def gains(cosines: Floats) -> Floats:
    """Gain of each passage from its cosine with the question: 1 for the nearest, exp(-4 gap) for the rest."""
    nearest = cosines.max(initial=-1.0)
    return np.asarray(np.exp(GAIN * (cosines - nearest)) + 1e-4, dtype=np.float32)


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
    resets = np.zeros((graph.nodes, 2), dtype=np.float32)
    resets[graph.size :, 0] = linker.seeds(links)
    for row, liked in list(text.items())[:PRIOR_PASSAGES]:
        resets[row, 1] = liked
    powers = _guided(graph, resets, cosines, allowed)
    deep, shallow = combine(powers, DAMPING), combine(powers, SHALLOW)
    size = graph.size
    named = bool(links) and resets[:, 0].any()
    prior = _between(PRIOR, strength) if named else 1.0
    mass = (1 - prior) * deep[:size, 0] + prior * deep[:size, 1]
    score: Floats = (mass / max(float(mass.max(initial=0.0)), 1e-12)).astype(np.float32)
    mix = _between(MIX, strength)
    for row, value in text.items():
        score[row] += mix * value
    if allowed is not None:
        score[~allowed] = 0.0
    return Walks(
        links=links,
        strength=strength,
        # Copies: a slice would keep the masses of all entities alive with it.
        from_names=deep[:size, 0].copy(),
        from_names_shallow=shallow[:size, 0].copy(),
        from_text=deep[:size, 1].copy(),
        direct=powers[1][:size, 0].copy(),
        second=powers[3][:size, 0].copy(),
        score=score,
    )


def walk_on(
    graph: CorpusGraph, entities: Mapping[int, float], cosines: Floats, allowed: npt.NDArray[np.bool_] | None
) -> Floats:
    """PageRank of the passages from entities (column -> weight) that the first evidence names: the next hop."""
    resets = np.zeros((graph.nodes, 1), dtype=np.float32)
    for column, weight in entities.items():
        resets[graph.size + column, 0] = weight
    powers = _guided(graph, resets, cosines, allowed, steps=5)
    return np.asarray(combine(powers, SHALLOW)[: graph.size, 0])


def _guided(
    graph: CorpusGraph,
    resets: Floats,
    cosines: Floats,
    allowed: npt.NDArray[np.bool_] | None,
    steps: int = STEPS,
) -> list[Floats]:
    gain = np.ones((graph.nodes, 1), dtype=np.float32)
    gain[: graph.size, 0] = gains(cosines)
    if allowed is not None:
        gain[: graph.size, 0] *= allowed
    return walk(graph.links, resets, steps, gain, graph.links_reversed)


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
