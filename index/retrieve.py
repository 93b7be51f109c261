"""The reading door: a question to ranked passages, by words, by vectors, by links, or by all that was learned.

`bm25` and `dense` are single lists, `graph` is PageRank from the question (index.walks), `ranked` the learned
evidence ranker over all of them (index.ranker), `deep` the same with the hop encoder proposing and judging too.
`hybrid` takes the best of both text lists, knows the true cosine of every candidate, and adds the two scores after
scaling each by the candidates' range: unlike rank fusion it keeps how clearly a list prefers its first hit. Its
weight was chosen on training questions (docs/LOG.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from index.errors import InputError
from index.faiss_index import DenseCache
from index.features import Asked
from index.gather import Gatherer, StateEncoder, top_rows
from index.graph_cache import GraphCache
from index.hop_encoder import load_hop_encoder
from index.lexical import MAX_QUERY_CHARACTERS, TextSearch, query_terms
from index.minilm import MODEL_PACKAGE
from index.ranker import EvidenceRanker, compares, load_ranker
from index.store import Store
from index.types import Embedder, Hit, Mode, Passage, Scope, Vectors
from index.walks import RANKING_MIX
from index.words import stem, weigh

CANDIDATES = 100  # taken from each list before fusion
DENSE_WEIGHT = 0.55
MODES: tuple[Mode, ...] = ("bm25", "dense", "hybrid", "graph", "ranked", "deep")


class Searcher:
    """Search over a store. Safe for threads; sees every commit of every process at the next call."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self.store = store
        self.embedder = embedder
        self._dense = DenseCache(store, embedder.dimension)
        self._graphs = GraphCache(store)
        self._gatherer = Gatherer(store, self._dense, self._graphs)
        self._rankers: dict[str, EvidenceRanker] = {}
        self.words = TextSearch(store)

    def search(
        self,
        query: str,
        k: int = 10,
        mode: Mode = "hybrid",
        scope: Scope = Scope(),  # noqa: B008
    ) -> tuple[Hit, ...]:
        """Best first, no passage twice, at most `k`; InputError for an empty query or unknown mode."""
        if mode not in MODES:
            raise InputError(f"There is no search mode '{mode}'. Choose one of: {', '.join(MODES)}.")
        if not query.strip():
            raise InputError("The question is empty. Type a few words to search for.")
        if k < 1:
            raise InputError(f"k must be at least 1, not {k}.")
        vector = self.embedder.embed([query[:MAX_QUERY_CHARACTERS]])[0] if mode != "bm25" else None
        return self.search_vector(query, vector, k, mode, scope)

    def search_vector(
        self, query: str, vector: Vectors | None, k: int, mode: Mode, scope: Scope
    ) -> tuple[Hit, ...]:
        """`search` with the query's vector at hand (None only for bm25)."""
        if mode in ("bm25", "dense"):
            lexical = self.words.search(query, k, scope) if mode == "bm25" else {}
            dense = self._nearest(vector, k, scope) if vector is not None and mode == "dense" else {}
            return self._hits(_best(lexical or dense, k), mode, {"bm25": lexical, "dense": dense})
        assert vector is not None
        lists = self.text_lists(query, vector, max(k, CANDIDATES), scope)
        if mode == "hybrid":
            scores: Mapping[int, float] = lists["hybrid"]
        elif mode == "graph":
            scores = self._walked(query, vector, lists, scope)
        else:
            scores = self.ranker(deep=mode == "deep").rank(
                query, vector, lists, self.asked(query, scope), scope
            )
        return self._hits(_best(scores, k), mode, {**lists, mode: scores} if mode != "hybrid" else lists)

    def text_lists(self, query: str, vector: Vectors, k: int, scope: Scope) -> dict[str, dict[int, float]]:
        """The lists of text search, passage id -> score, best first: bm25, dense, and hybrid of both."""
        lexical = self.words.search(query, k, scope)
        dense = self._nearest(vector, k, scope)
        missing = [key for key in lexical if key not in dense]
        for collection_id in self.store.scope_ids(scope) if missing else ():
            dense.update(self._dense.cosines(collection_id, vector, missing))
        return {"bm25": lexical, "dense": dense, "hybrid": dict(_best(fuse(lexical, dense), k))}

    def asked(self, query: str, scope: Scope) -> Asked:
        """The question's telling words with their rarity in the scope."""
        terms = query_terms(query)
        counts, total = self.words.frequencies(terms, scope)
        weights: dict[str, float] = {}
        for term, weight in zip(terms, weigh(counts, total).tolist(), strict=True):
            weights[stem(term)] = max(weights.get(stem(term), 0.0), weight)
        whole = sum(weights.values()) or 1.0
        return Asked(
            tuple(weights), np.array([w / whole for w in weights.values()], np.float32), compares(query)
        )

    def entities(self, query: str, scope: Scope) -> tuple[str, ...]:
        """Keys of the graph's entities that the question names, strongest first."""
        _, linker = self._graphs.of(self.store.scope_ids(scope))
        return tuple(dict.fromkeys(link.key for link in linker.link(query)))

    def named_share(self, key: str, scope: Scope) -> float:
        """Of the passages that hold an entity's words, about the share in which they name it (may exceed 1)."""
        graph, _ = self._graphs.of(self.store.scope_ids(scope))
        naming = sum(int(graph.frequency[column]) for column in graph.columns.get(key, ()))
        return naming / max(self.words.frequencies((key,), scope)[0][0], 1)

    def names(self, scope: Scope) -> tuple[str, ...]:
        """Keys of all entities that the scope's collections name."""
        graph, _ = self._graphs.of(self.store.scope_ids(scope))
        return tuple(key for key, count in zip(graph.edges.keys, graph.frequency, strict=True) if count)

    def gatherer(self, hop: StateEncoder | None = None) -> Gatherer:
        """What the learned ranker, and its training, collect features with; `hop` for those of deep mode."""
        return self._gatherer if hop is None else Gatherer(self.store, self._dense, self._graphs, hop)

    def ranker(self, deep: bool = False) -> EvidenceRanker:
        """The learned ranker, or that of deep mode; StoreError when its weights are not installed.

        The hop encoder speaks the packaged encoder's vectors: over those of another one, deep mode is ranked mode.
        """
        deep = deep and self.embedder.name.startswith(MODEL_PACKAGE)
        name = "deep" if deep else "ranker"
        if name not in self._rankers:
            self._rankers[name] = load_ranker(name, self.gatherer(load_hop_encoder() if deep else None))
        return self._rankers[name]

    def _walked(
        self, query: str, vector: Vectors, lists: Mapping[str, Mapping[int, float]], scope: Scope
    ) -> dict[int, float]:
        at = self._gatherer.walked(query, vector, lists, scope)
        score = at.walks.ranking
        reached = top_rows(score, 4 * CANDIDATES)  # nothing outside the scope's documents is
        ids = at.graph.edges.passages[reached].tolist()
        found = dict(zip(ids, score[reached].tolist(), strict=True))
        unknown = {key: score * RANKING_MIX[0] for key, score in lists["hybrid"].items() if key not in found}
        return {**unknown, **found}

    def neighbours(self, passage: Passage, before: int = 1, after: int = 1) -> tuple[Passage, ...]:
        """The passage with those around it in its document, in reading order."""
        siblings = self.store.passages_of(passage.document_id)
        at = next((i for i, other in enumerate(siblings) if other.id == passage.id), None)
        return (passage,) if at is None else siblings[max(0, at - before) : at + after + 1]

    def refresh(self, collection: str) -> None:
        """Bring the caches of a collection up to date and save them."""
        self._dense.refresh(self.store.collection_id(collection))
        self._graphs.refresh(self.store.collection_id(collection))

    def _nearest(self, vector: Vectors, k: int, scope: Scope) -> dict[int, float]:
        found: list[tuple[int, float]] = []
        for collection_id in self.store.scope_ids(scope):
            found.extend(self._dense.search(collection_id, vector, k, scope.documents))
        found.sort(key=lambda item: (-item[1], item[0]))
        return dict(found[:k])

    def _hits(
        self, best: Sequence[tuple[int, float]], mode: Mode, lists: Mapping[str, Mapping[int, float]]
    ) -> tuple[Hit, ...]:
        passages = {p.id: p for p in self.store.passages([key for key, _ in best])}
        held = [(key, score) for key, score in best if key in passages]
        return tuple(
            Hit(
                passage=passages[key],
                score=score,
                rank=rank,
                retriever=mode,
                parts={name: scores[key] for name, scores in lists.items() if key in scores},
            )
            for rank, (key, score) in enumerate(held, start=1)
        )


def _best(scores: Mapping[int, float], k: int) -> list[tuple[int, float]]:
    ordered = sorted([(-score, key) for key, score in scores.items()])[:k]
    return [(key, -score) for score, key in ordered]


def fuse(
    lexical: dict[int, float], dense: dict[int, float], dense_weight: float = DENSE_WEIGHT
) -> dict[int, float]:
    """Weighted sum of two score lists, each scaled to 0..1 over the candidates.

    A passage without a lexical score shares no word with the query: 0. Cosines are scaled between the
    smallest and largest of the candidates.

    >>> fuse({1: 4.0, 2: 2.0}, {1: 0.0, 2: 1.0, 3: 0.5}, dense_weight=0.5)
    {1: 0.5, 2: 0.75, 3: 0.25}
    """
    top = max(lexical.values(), default=0.0) or 1.0
    low, high = min(dense.values(), default=0.0), max(dense.values(), default=1.0)
    spread = (high - low) or 1.0
    return {
        key: (1 - dense_weight) * lexical.get(key, 0.0) / top
        + dense_weight * (max(dense.get(key, low) - low, 0.0) / spread)
        for key in dict.fromkeys([*lexical, *dense])
    }
