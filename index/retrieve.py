"""The reading door: a question to ranked passages, by words, by vectors, by links, or by all that was learned.

`bm25` and `dense` are single lists, `graph` is PageRank from the question (index.walks), `ranked` the learned
evidence ranker over all of them (index.ranker), `deep` the same with the hop encoder proposing and judging too.
`hybrid` takes the best of both text lists, knows the true cosine of every candidate, and adds the two scores after
scaling each by the candidates' range: unlike rank fusion it keeps how clearly a list prefers its first hit. Its
weight was chosen on training questions (docs/LOG.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from index.errors import InputError
from index.faiss_index import DenseCache
from index.features import Asked
from index.gather import Gatherer, StateEncoder
from index.graph_cache import GraphCache
from index.hop_encoder import load_hop_encoder
from index.minilm import MODEL_PACKAGE
from index.ranker import EvidenceRanker, compares, load_ranker
from index.stop_words import STOP_WORDS
from index.store import Store
from index.types import Embedder, Hit, Mode, Passage, Scope, Vectors
from index.walks import RANKING_MIX
from index.words import stem, weigh

CANDIDATES = 100  # taken from each list before fusion
DENSE_WEIGHT = 0.55
TITLE_WEIGHT, HEADING_WEIGHT = 2.0, 1.5
LARGE = 25_000  # passages above which frequent words are left out
FREQUENT = 2500  # counting stops here: such a word is common
MAX_QUERY_CHARACTERS = 2000  # longer questions are cut: nothing past this helps a search
MODES: tuple[Mode, ...] = ("bm25", "dense", "hybrid", "graph", "ranked", "deep")


def query_terms(question: str) -> list[str]:
    """Search words of a question, in order, without stop words (with them when nothing else is left)."""
    words = list(dict.fromkeys(re.findall(r"\w+", question[:MAX_QUERY_CHARACTERS].lower())))
    return [word for word in words if word not in STOP_WORDS] or words


class Searcher:
    """Search over a store. Safe for threads; sees every commit of every process at the next call."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self.store = store
        self.embedder = embedder
        self._dense = DenseCache(store, embedder.dimension)
        self._graphs = GraphCache(store)
        self._gatherer = Gatherer(store, self._dense, self._graphs)
        self._rankers: dict[str, EvidenceRanker] = {}
        self._counts: dict[tuple[tuple[tuple[int, int], ...], str], int] = {}  # of terms, by generation

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
            lexical = self.lexical(query, k, scope) if mode == "bm25" else {}
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
        lexical = self.lexical(query, k, scope)
        dense = self._nearest(vector, k, scope)
        missing = [key for key in lexical if key not in dense]
        for collection_id in self.store.scope_ids(scope) if missing else ():
            dense.update(self._dense.cosines(collection_id, vector, missing))
        return {"bm25": lexical, "dense": dense, "hybrid": dict(_best(fuse(lexical, dense), k))}

    def asked(self, query: str, scope: Scope) -> Asked:
        """The question's telling words with their rarity in the scope."""
        terms = query_terms(query)
        counts, total = self.frequencies(terms, scope)
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
        best = np.argsort(-score, kind="stable")[: 4 * CANDIDATES]
        reached = [row for row in best if score[row] > 0]  # nothing outside the scope's documents is
        found = {int(at.graph.edges.passages[row]): float(score[row]) for row in reached}
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

    def frequencies(self, terms: Sequence[str], scope: Scope) -> tuple[list[int], int]:
        """Passages of the scope that hold each term (counted up to FREQUENT), and all passages."""
        numbers = self.store.scope_ids(scope)
        scopes = " OR ".join(f"c{number}" for number in numbers)
        counts: list[int] = []
        generations = tuple((number, self.store.generation(number)) for number in numbers)
        for term in terms if scopes else ():
            if (generations, term) in self._counts:
                counts.append(self._counts[generations, term])
                continue
            rows = self.store.connection.execute(
                "SELECT count(*) FROM (SELECT 1 FROM passages_text WHERE passages_text MATCH ? LIMIT ?)",
                (f'scope : ({scopes}) AND {{title heading text}} : ("{term}")', FREQUENT),
            )
            counts.append(int(rows.fetchone()[0]))
            if len(self._counts) > 50_000:
                self._counts.clear()
            self._counts[generations, term] = counts[-1]
        return counts or [0] * len(terms), self._size(scope)

    # ---- single lists --------------------------------------------------------------------------

    def lexical(self, query: str, k: int, scope: Scope) -> dict[int, float]:
        """Passage id -> BM25 score (positive, larger is better; FTS5's k1 1.2, b 0.75), best first."""
        terms = query_terms(query)
        scopes = " OR ".join(f"c{number}" for number in self.store.scope_ids(scope))
        if not terms or not scopes:
            return {}
        words = " OR ".join(f'"{term}"' for term in self._telling(terms, scope))
        match = f"scope : ({scopes}) AND {{title heading text}} : ({words})"
        narrowed, values = "", []
        if scope.documents:
            marks = ",".join("?" * len(scope.documents))
            narrowed = (
                f"AND (SELECT document_id FROM passages p WHERE p.id = passages_text.rowid) IN ({marks})"
            )
            values = list(scope.documents)
        rows = self.store.connection.execute(
            f"SELECT rowid, -bm25(passages_text, 0.0, {TITLE_WEIGHT}, {HEADING_WEIGHT}, 1.0) AS score"
            f" FROM passages_text WHERE passages_text MATCH ? {narrowed} ORDER BY score DESC, rowid LIMIT ?",
            [match, *values, k],
        )
        return {row[0]: row[1] for row in rows}

    def _telling(self, terms: list[str], scope: Scope) -> list[str]:
        """The terms worth scoring. In a large scope a word that thousands of passages hold costs most of the
        time and moves the ranking least: it goes when at least two rarer words stay."""
        if len(terms) <= 2 or self._size(scope) <= LARGE:
            return terms
        counts, _ = self.frequencies(terms, scope)
        rare = [term for term, count in zip(terms, counts, strict=True) if count < FREQUENT]
        return rare if len(rare) >= 2 else terms

    def _size(self, scope: Scope) -> int:
        """Passages in the collections of a scope; counted once for each generation."""
        total = 0
        for number in self.store.scope_ids(scope):
            key = (((number, self.store.generation(number)),), "")
            if key not in self._counts:
                rows = self.store.connection.execute(
                    "SELECT count(*) FROM passages WHERE collection_id = ?", (number,)
                )
                self._counts[key] = int(rows.fetchone()[0])
            total += self._counts[key]
        return total

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
        hits = [
            Hit(
                passage=passages[key],
                score=score,
                rank=0,
                retriever=mode,
                parts={name: scores[key] for name, scores in lists.items() if key in scores},
            )
            for key, score in best
            if key in passages
        ]
        return tuple(replace(hit, rank=rank) for rank, hit in enumerate(hits, start=1))


def _best(scores: Mapping[int, float], k: int) -> list[tuple[int, float]]:
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:k]


def fuse(
    lexical: dict[int, float], dense: dict[int, float], dense_weight: float = DENSE_WEIGHT
) -> dict[int, float]:
    """Weighted sum of two score lists, each scaled to 0..1 over the candidates.

    A passage without a lexical score shares no word with the query: 0. Cosines are scaled between the
    smallest and largest of the candidates.

    >>> fuse({1: 4.0, 2: 2.0}, {1: 0.2, 2: 0.6, 3: 0.4})
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
