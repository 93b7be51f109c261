"""What the evidence ranker judges: candidates of every list, with the features of both looks.

Text search and the walks propose; the first look is a first judgement of them. The best become seeds, and the
graph proposes what follows from them: passages whose titles the seeds name, and where the walk goes on. A gatherer
with a hop encoder lets the vector of "question + seed" propose and judge too. Ranking itself: index.ranker.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from index import features
from index.faiss_index import DenseCache
from index.features import SEEDS, Asked, Candidate, Continuation, Lists
from index.graph import CorpusGraph
from index.graph_cache import GraphCache
from index.hop_encoder import State
from index.store import Store
from index.trees import Trees
from index.types import Scope, Vectors
from index.walks import Walks, walk_on, walk_question

Floats = npt.NDArray[np.float32]
FROM_HYBRID, FROM_WALK, FROM_NAMES = 40, 50, 30  # candidates of the first look by list
FROM_SEEDS, FROM_HOP = 30, 20  # added by the second look
TITLED_PER_ENTITY = 3  # passages a seed's name may propose by their title
READ_KEPT = 20_000  # passages whose words stay in memory
BRIDGES = 24  # names of the seeds that the walk goes on from


class StateEncoder(Protocol):
    """Search states to the vectors of what to find next (index.hop_encoder)."""

    def encode_batch(self, states: Sequence[State]) -> Vectors:
        """Unit rows, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Situation:
    """One question over one graph: everything the features are computed from."""

    question: str
    vector: Vectors  # (dimension,)
    asked: Asked
    graph: CorpusGraph
    walks: Walks
    lists: Lists
    allowed: npt.NDArray[np.bool_] | None
    rows: tuple[int, ...]  # candidates
    candidates: tuple[Candidate, ...]
    first: Floats  # (candidates, len(FIRST))
    numbers: tuple[int, ...]  # collections


@dataclass(frozen=True, slots=True)
class Walked:
    """The walks of a question and the graph they went over."""

    graph: CorpusGraph
    walks: Walks
    lists: Lists
    allowed: npt.NDArray[np.bool_] | None
    numbers: tuple[int, ...]


class Gatherer:
    """Collects candidates and features; shared by the live ranker and by its training. Safe for threads."""

    def __init__(
        self, store: Store, dense: DenseCache, graphs: GraphCache, hop: StateEncoder | None = None
    ) -> None:
        self._store, self._dense, self._graphs, self._hop = store, dense, graphs, hop
        self._read: dict[int, Candidate] = {}

    def situation(
        self,
        question: str,
        vector: Vectors,
        text: Mapping[str, Mapping[int, float]],
        asked: Asked,
        scope: Scope,
    ) -> Situation:
        """First candidates and their first look. text: "bm25" and "hybrid", passage id -> score, best first."""
        found = self.walked(question, vector, text, scope)
        graph, walks, lists, allowed = found.graph, found.walks, found.lists, found.allowed
        rows = list(lists.hybrid)[:FROM_HYBRID] + list(lists.bm25)[: FROM_HYBRID // 2]
        rows += top_rows(lists.cosines, FROM_HYBRID // 2, allowed)
        rows += top_rows(walks.score, FROM_WALK, allowed) + top_rows(walks.from_names, FROM_NAMES, allowed)
        rows = list(dict.fromkeys(rows))
        texts = self._texts(graph, rows)
        first = features.first_look(asked, rows, texts, lists, walks, graph)
        return Situation(
            question,
            vector,
            asked,
            graph,
            walks,
            lists,
            allowed,
            tuple(rows),
            tuple(texts),
            first,
            found.numbers,
        )

    def walked(
        self, question: str, vector: Vectors, text: Mapping[str, Mapping[int, float]], scope: Scope
    ) -> Walked:
        """The walks alone: what graph mode needs."""
        numbers = self._store.scope_ids(scope)
        graph, linker = self._graphs.of(numbers)
        cosines = self._cosines(numbers, graph, vector.reshape(1, -1))[:, 0]
        allowed = self._allowed(graph, scope)
        lists = Lists(_by_row(graph, text["bm25"]), _by_row(graph, text["hybrid"]), cosines)
        walks = walk_question(graph, linker, question, cosines, lists.hybrid, allowed)
        return Walked(graph, walks, lists, allowed, numbers)

    def continued(self, at: Situation, score: Trees) -> tuple[Situation, Floats]:
        """The situation with what the seeds propose, and both looks side by side: (candidates, FIRST + SECOND).

        score: the ensemble of the first look; its best candidates are the seeds.
        """
        scores = score.score(at.first)
        seeds = [at.rows[place] for place in np.argsort(-scores, kind="stable")[:SEEDS]]
        bridges = _bridges(at, seeds, scores)
        onward = walk_on(at.graph, bridges, at.lists.cosines, at.allowed)
        proposed = top_rows(onward, FROM_SEEDS, at.allowed) + _titled(at, bridges)
        hop = self._hop_cosines(at, seeds)
        if hop is not None:
            for column in range(hop.shape[1]):
                proposed += top_rows(hop[:, column], FROM_HOP, at.allowed)
        held = set(at.rows)
        added = [row for row in dict.fromkeys(proposed) if row not in held]
        texts = self._texts(at.graph, added)
        more = features.first_look(at.asked, added, texts, at.lists, at.walks, at.graph)
        rows, candidates = (*at.rows, *added), (*at.candidates, *texts)
        scores = np.concatenate([scores, score.score(more)])
        place = {row: number for number, row in enumerate(rows)}
        at_rows = np.asarray(rows)
        going_on = Continuation(
            seeds=tuple(seeds),
            seed_places=tuple(place[row] for row in seeds),
            scores=scores,
            vectors=self._vectors(at.graph, rows, at.numbers),
            question=at.vector,
            next_walk=onward,
            bridges=bridges,
            hop=hop[at_rows, 0] if hop is not None else None,
            hop_next=hop[at_rows, 1:] if hop is not None else None,
        )
        grown = replace(at, rows=rows, candidates=candidates, first=np.concatenate([at.first, more]))
        second = features.second_look(at.asked, rows, candidates, at.walks, at.graph, going_on)
        return grown, np.concatenate([grown.first, second], axis=1)

    def _hop_cosines(self, at: Situation, seeds: Sequence[int]) -> Floats | None:
        """Cosines of every passage with the hop vectors of the question, then of question + each seed."""
        if self._hop is None or not seeds:
            return None
        ids = [int(at.graph.edges.passages[row]) for row in seeds]
        shown = {p.id: f"{p.title}\n{p.text}" for p in self._store.passages(ids)}
        queries = self._hop.encode_batch(
            [(at.question, []), *((at.question, [shown.get(key, "")]) for key in ids)]
        )
        return self._cosines(at.numbers, at.graph, queries)

    # ---- what the store holds of the passages ----------------------------------------------------

    def _cosines(self, numbers: Sequence[int], graph: CorpusGraph, vectors: Vectors) -> Floats:
        """(passages of the graph, vectors); -1 for a passage that the store has dropped meanwhile."""
        found = np.full((graph.size, len(vectors)), -1.0, dtype=np.float32)
        for number in numbers if graph.size else ():
            ids, cosines = self._dense.all_cosines(number, vectors)
            if np.array_equal(ids, graph.edges.passages):  # one collection, graph and vectors of one time
                return cosines.copy()
            at = np.minimum(np.searchsorted(graph.edges.passages, ids), graph.size - 1)
            known = graph.edges.passages[at] == ids
            found[at[known]] = cosines[known]
        return found

    def _vectors(self, graph: CorpusGraph, rows: Sequence[int], numbers: Sequence[int]) -> Floats:
        ids = [int(graph.edges.passages[row]) for row in rows]
        held: dict[int, Vectors] = {}
        for number in numbers:
            held.update(self._dense.rows(number, [key for key in ids if key not in held]))
        blank = np.zeros(self._dense.dimension, dtype=np.float32)
        return (
            np.stack([held.get(key, blank) for key in ids]) if ids else np.zeros((0, len(blank)), np.float32)
        )

    def _texts(self, graph: CorpusGraph, rows: Sequence[int]) -> list[Candidate]:
        ids = [int(graph.edges.passages[row]) for row in rows]
        if len(self._read) > READ_KEPT:
            self._read = {}
        read = self._read
        for passage in self._store.passages([key for key in ids if key not in read]):
            read[passage.id] = features.read(passage.title, passage.text)
        blank = Candidate((), frozenset(), (), 0)
        return [read.get(key, blank) for key in ids]

    def _allowed(self, graph: CorpusGraph, scope: Scope) -> npt.NDArray[np.bool_] | None:
        if not scope.documents:
            return None
        marks = ",".join("?" * len(scope.documents))
        found = self._store.connection.execute(
            f"SELECT id FROM passages WHERE document_id IN ({marks})", scope.documents
        )
        allowed = np.zeros(graph.size, dtype=bool)
        allowed[graph.rows(row[0] for row in found)] = True
        return allowed


def _by_row(graph: CorpusGraph, scores: Mapping[int, float]) -> dict[int, float]:
    """The same scores by row; passages that the graph does not know yet are left out."""
    if not graph.size:
        return {}
    ids = np.fromiter(scores, np.int64, len(scores))
    at = np.minimum(np.searchsorted(graph.edges.passages, ids), graph.size - 1)
    known = (graph.edges.passages[at] == ids).tolist()
    return {row: scores[key] for row, key, held in zip(at.tolist(), scores, known, strict=True) if held}


def top_rows(scores: Floats, count: int, allowed: npt.NDArray[np.bool_] | None = None) -> list[int]:
    """Rows of the highest scores above zero, best first."""
    masked = scores if allowed is None else np.where(allowed, scores, 0.0)
    count = min(count, len(masked))
    if count == 0:
        return []
    best = np.argpartition(-masked, count - 1)[:count]
    best = best[np.lexsort((best, -masked[best]))]
    return [int(row) for row in best if masked[row] > 0]


def _bridges(at: Situation, seeds: Sequence[int], scores: Floats) -> dict[int, float]:
    """Entities that the seeds name and the question does not, by rarity and the seed's score."""
    asked = {link.column for link in at.walks.links if link.weight >= 1.0}
    place = {row: number for number, row in enumerate(at.rows)}
    weights: dict[int, float] = {}
    for row in seeds:
        trust = 1.0 / (1.0 + math.exp(-float(scores[place[row]])))
        for column in at.graph.entities_of(row).tolist():
            if column not in asked and at.graph.frequency[column] > 1:
                weight = float(at.graph.rarity[column]) ** 2 * trust
                weights[column] = max(weights.get(column, 0.0), weight)
    best = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:BRIDGES]
    return dict(best)


def _titled(at: Situation, bridges: Mapping[int, float]) -> list[int]:
    """Passages whose title is a name of the seeds, a few for each."""
    found: list[int] = []
    titled = at.graph.titled_by_entity
    for column in bridges:
        rows = titled.indices[titled.indptr[column] : titled.indptr[column + 1]]
        if len(rows) > TITLED_PER_ENTITY:
            rows = rows[np.argsort(-at.lists.cosines[rows], kind="stable")[:TITLED_PER_ENTITY]]
        found += [int(row) for row in rows if at.allowed is None or at.allowed[row]]
    return found
