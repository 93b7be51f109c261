"""The query-time knowledge association graph, and packing from it (TeaRAG, section "Knowledge Association Graph").

A small undirected graph of one subquery, the chunks and triplets retrieved for it, and their entities:

- weight 1: head-tail of a triplet, triplet-its entities, chunk-triplet where the triplet stands in the chunk,
  then also chunk-that triplet's entities, chunk-its title;
- relevance: chunk-subquery sigmoid(sim), triplet-subquery max(sigmoid(sim) - TAU, 0).

Personalised PageRank over it (damping 0.5; reset 1 on the subquery, 0.5 on each key entity) favours what is
relevant *and* connected: of two equally similar chunks the one that a key entity leads to wins. The figures are
the paper's; as similarity, where the paper asks a reranker, we take the log-odds of our ranker's usefulness.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import networkx

TAU = 0.2
DAMPING = 0.5
STEPS = 200
KEY_RESET = 0.5  # of a key entity, against 1 of the subquery
SUBQUERY = ("subquery", "")
Node = tuple[str, str]  # ("chunk" | "triplet" | "entity" | "subquery", id)


@dataclass(frozen=True, slots=True)
class AssociatedChunk:
    """A retrieved chunk. `logit`: how similar or useful it is, as log-odds."""

    id: str
    title: str  # entity key of its title, or ""
    logit: float


@dataclass(frozen=True, slots=True)
class AssociatedTriplet:
    """A retrieved triplet and the chunk it stands in."""

    id: str
    subject: str
    object: str
    chunk: str
    logit: float


def associate(
    chunks: Sequence[AssociatedChunk], triplets: Sequence[AssociatedTriplet], key_entities: Sequence[str]
) -> networkx.Graph:
    """The association graph; nodes are (kind, id), edges carry `weight`."""
    drawn = networkx.Graph()
    drawn.add_node(SUBQUERY)
    held = {chunk.id for chunk in chunks}
    for entity in key_entities:
        drawn.add_node(("entity", entity))
    for chunk in chunks:
        drawn.add_edge(("chunk", chunk.id), SUBQUERY, weight=_sigmoid(chunk.logit))
        if chunk.title:
            drawn.add_edge(("chunk", chunk.id), ("entity", chunk.title), weight=1.0)
    for triplet in triplets:
        node: Node = ("triplet", triplet.id)
        ends: tuple[Node, Node] = ("entity", triplet.subject), ("entity", triplet.object)
        drawn.add_edge(*ends, weight=1.0)
        for end in ends:
            drawn.add_edge(node, end, weight=1.0)
        relevance = max(_sigmoid(triplet.logit) - TAU, 0.0)
        if relevance > 0:
            drawn.add_edge(node, SUBQUERY, weight=relevance)
        if triplet.chunk in held:
            for other in (node, *ends):
                drawn.add_edge(("chunk", triplet.chunk), other, weight=1.0)
    return drawn


def rank(drawn: networkx.Graph, key_entities: Sequence[str], damping: float = DAMPING) -> dict[Node, float]:
    """PageRank of every node from the subquery and the key entities; sums to 1."""
    reset: dict[Node, float] = {SUBQUERY: 1.0}
    reset.update({("entity", key): KEY_RESET for key in key_entities if ("entity", key) in drawn})
    found: Mapping[Node, float] = networkx.pagerank(
        drawn, alpha=damping, personalization=reset, max_iter=STEPS, tol=1e-10, weight="weight"
    )
    return dict(found)


def content(ranks: Mapping[Node, float]) -> list[Node]:
    """Chunks and triplets, best first; equal ranks by id."""
    nodes = [node for node in ranks if node[0] in ("chunk", "triplet")]
    return sorted(nodes, key=lambda node: (-ranks[node], node))


def _sigmoid(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(min(logit, 60.0), -60.0)))
