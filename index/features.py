"""What the evidence ranker sees of a candidate passage: some fifty cheap numbers.

First look (`first_look`): text scores, walks, names and words shared with the question. Second look
(`second_look`): how the candidate continues the evidence found first: does a seed passage name its title, does
it cover the words that the seeds leave open, does the walk that goes on from the seeds reach it. No feature
says where a data set's gold tends to lie, and the title counts as one entity among others, because in people's
documents the title is often a file name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import regex

from index.graph import CorpusGraph
from index.walks import Walks
from index.words import stems_of

Floats = npt.NDArray[np.float32]
_SENTENCE_END = regex.compile(r"(?<=[.!?;\n])\s+")
FIRST = (
    "bm25", "bm25_reciprocal_rank", "cosine", "cosine_gap", "cosine_reciprocal_rank", "hybrid",
    "hybrid_reciprocal_rank", "names_walk", "names_walk_shallow", "text_walk", "direct", "second", "graph",
    "graph_reciprocal_rank", "names_covered", "names_shared", "title_asked", "title_words_asked",
    "words_covered", "words_covered_rare", "best_sentence", "sentence_words", "characters", "entities",
    "title_passages", "question_words", "question_names", "strength", "top_cosine", "cosine_margin",
    "bm25_margin", "compares", "pool",
)  # fmt: skip
SECOND = (
    "first_score", "first_reciprocal_rank", "first_gap", "seed_cosine_top", "seed_cosine_mean",
    "question_and_seed_cosine", "question_minus_seed_cosine", "seed_names_title", "seed_names_title_rank",
    "names_seed_title", "shared_rarity_sum", "shared_rarity_top", "open_words_covered", "open_names_covered",
    "next_walk", "next_walk_reciprocal_rank", "bridge_sentence", "hop_cosine", "hop_cosine_gap",
    "hop_next_cosine", "hop_next_gap", "seeds_same_document", "seeds_cover", "seed_score_top",
)  # fmt: skip
SEEDS = 4  # best passages of the first look that the second look goes on from


@dataclass(frozen=True)
class Asked:
    """A question as the features see it."""

    words: tuple[str, ...]  # stems of its telling words
    weights: Floats  # rarity of each, sums to 1
    compares: bool

    @cached_property
    def weighed(self) -> tuple[tuple[str, float], ...]:
        """Each word with its weight: texts are compared with them hundreds of times a search."""
        return tuple(zip(self.words, self.weights.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Candidate:
    """Words of one candidate passage, read once."""

    title: tuple[str, ...]  # stems
    body: frozenset[str]  # stems of title and text
    sentences: tuple[frozenset[str], ...]
    characters: int


@dataclass(frozen=True)
class Lists:
    """Text scores by row; a row that a list does not hold has no entry."""

    bm25: Mapping[int, float]
    hybrid: Mapping[int, float]
    cosines: Floats  # (passages,)

    @cached_property
    def descending(self) -> Floats:
        """All cosines, highest first."""
        return np.sort(self.cosines)[::-1] if len(self.cosines) else np.array([-1.0], dtype=np.float32)


def first_look(
    asked: Asked,
    rows: Sequence[int],
    candidates: Sequence[Candidate],
    lists: Lists,
    walks: Walks,
    graph: CorpusGraph,
) -> Floats:
    """Features of shape (rows, len(FIRST))."""
    at = np.asarray(rows, dtype=np.int64)
    out = np.zeros((len(at), len(FIRST)), dtype=np.float32)
    column = {name: place for place, name in enumerate(FIRST)}
    cosines = lists.cosines[at]
    ordered = lists.descending
    top_bm25 = max(lists.bm25.values(), default=0.0) or 1.0
    bm25 = list(lists.bm25.values())
    out[:, column["bm25"]] = [lists.bm25.get(row, 0.0) / top_bm25 for row in rows]
    out[:, column["bm25_reciprocal_rank"]] = _reciprocal(rows, lists.bm25)
    out[:, column["cosine"]] = cosines
    out[:, column["cosine_gap"]] = cosines - ordered[0]
    out[:, column["cosine_reciprocal_rank"]] = 1.0 / (1.0 + np.searchsorted(-ordered, -cosines, side="left"))
    out[:, column["hybrid"]] = [lists.hybrid.get(row, 0.0) for row in rows]
    out[:, column["hybrid_reciprocal_rank"]] = _reciprocal(rows, lists.hybrid)
    for name, mass in (
        ("names_walk", walks.from_names),
        ("names_walk_shallow", walks.from_names_shallow),
        ("text_walk", walks.from_text),
        ("direct", walks.direct),
        ("second", walks.second),
        ("graph", walks.score),
    ):
        out[:, column[name]] = mass[at] / max(float(mass.max(initial=0.0)), 1e-12)
    out[:, column["graph_reciprocal_rank"]] = 1.0 / (
        1.0 + np.searchsorted(-walks.descending, -walks.score[at])
    )
    linked = {link.column: link.weight * float(graph.rarity[link.column]) for link in walks.links}
    total = sum(linked.values()) or 1.0
    words = set(asked.words)
    for place, (row, candidate) in enumerate(zip(rows, candidates, strict=True)):
        line = out[place]
        own = graph.entities_of(row)
        shared = [linked[e] for e in own.tolist() if e in linked]
        titled = graph.titled.indices[graph.titled.indptr[row] : graph.titled.indptr[row + 1]]
        line[column["names_covered"]] = sum(shared) / total
        line[column["names_shared"]] = len(shared)
        line[column["title_asked"]] = max((linked.get(e, 0.0) for e in titled.tolist()), default=0.0)
        line[column["title_words_asked"]] = (
            sum(word in words for word in candidate.title) / len(candidate.title) if candidate.title else 0.0
        )
        line[column["words_covered"]] = covered(asked, candidate.body)
        line[column["words_covered_rare"]] = rarest_covered(asked, candidate.body)
        best = [covered(asked, sentence) for sentence in candidate.sentences]
        line[column["best_sentence"]] = max(best, default=0.0)
        line[column["sentence_words"]] = len(candidate.sentences[int(np.argmax(best))]) if best else 0.0
        line[column["characters"]] = candidate.characters
        line[column["entities"]] = len(own)
        line[column["title_passages"]] = (
            max(int(graph.titles_shared[e]) for e in titled.tolist()) if len(titled) else 0
        )
    out[:, column["question_words"]] = len(asked.words)
    out[:, column["question_names"]] = sum(link.weight >= 1.0 for link in walks.links)
    out[:, column["strength"]] = walks.strength
    out[:, column["top_cosine"]] = ordered[0]
    out[:, column["cosine_margin"]] = ordered[0] - ordered[min(9, len(ordered) - 1)]
    out[:, column["bm25_margin"]] = 1.0 - (bm25[min(9, len(bm25) - 1)] / top_bm25 if bm25 else 1.0)
    out[:, column["compares"]] = float(asked.compares)
    out[:, column["pool"]] = math.log10(max(graph.size, 1))
    return out


@dataclass(frozen=True, slots=True)
class Continuation:
    """What the second look needs about the evidence found first."""

    seeds: tuple[int, ...]  # rows, best first
    seed_places: tuple[int, ...]  # their places among the candidates
    scores: Floats  # (candidates,) of the first look
    vectors: Floats  # (candidates, dimension), unit
    question: Floats  # (dimension,), unit
    next_walk: Floats  # (passages,) PageRank from what the seeds name
    bridges: Mapping[int, float]  # entity column -> weight of that walk's reset
    hop: Floats | None = None  # (candidates,) cosines with the hop encoder's vector of the question
    hop_next: Floats | None = None  # (candidates, seeds) with those of question and seed


def second_look(
    asked: Asked,
    rows: Sequence[int],
    candidates: Sequence[Candidate],
    walks: Walks,
    graph: CorpusGraph,
    going_on: Continuation,
) -> Floats:
    """Features of shape (rows, len(SECOND)); a seed is never compared with itself."""
    count = len(rows)
    out = np.zeros((count, len(SECOND)), dtype=np.float32)
    column = {name: place for place, name in enumerate(SECOND)}
    scores = going_on.scores
    order = np.argsort(-scores, kind="stable")
    rank = np.empty(count, dtype=np.float32)
    rank[order] = np.arange(count)
    out[:, column["first_score"]] = scores
    out[:, column["first_reciprocal_rank"]] = 1.0 / (1.0 + rank)
    out[:, column["first_gap"]] = scores - scores.max(initial=0.0)
    places = list(going_on.seed_places)
    likeness = going_on.vectors @ going_on.vectors[places].T  # (candidates, seeds)
    itself = np.asarray(rows)[:, None] == np.asarray(going_on.seeds)[None, :]
    seen = np.where(itself, np.nan, likeness)
    with np.errstate(all="ignore"):
        some = ~np.isnan(seen).all(axis=1)
        out[some, column["seed_cosine_top"]] = np.nanmax(seen[some], axis=1)
        out[some, column["seed_cosine_mean"]] = np.nanmean(seen[some], axis=1)
    asked_cosine = going_on.vectors @ going_on.question
    plus = _unit(going_on.question[None, :] + going_on.vectors[places])
    minus = _unit(going_on.question[None, :] - 0.5 * going_on.vectors[places])
    out[:, column["question_and_seed_cosine"]] = _best(going_on.vectors @ plus.T, itself, asked_cosine)
    out[:, column["question_minus_seed_cosine"]] = _best(going_on.vectors @ minus.T, itself, asked_cosine)
    peak = max(float(going_on.next_walk.max(initial=0.0)), 1e-12)
    at = np.asarray(rows, dtype=np.int64)
    ranked = np.sort(going_on.next_walk)[::-1]
    out[:, column["next_walk"]] = going_on.next_walk[at] / peak
    out[:, column["next_walk_reciprocal_rank"]] = 1.0 / (
        1.0 + np.searchsorted(-ranked, -going_on.next_walk[at])
    )
    linked = {link.column for link in walks.links}
    weights = {link.column: link.weight * float(graph.rarity[link.column]) for link in walks.links}
    named = [set(graph.entities_of(row).tolist()) for row in going_on.seeds]
    titles = [_titles(graph, row) for row in going_on.seeds]
    trusted = [float(scores[place]) for place in places]
    covers = [candidates[place].body for place in places]
    documents = graph.edges.documents
    for place, (row, candidate) in enumerate(zip(rows, candidates, strict=True)):
        line = out[place]
        own, own_titles = set(graph.entities_of(row).tolist()), _titles(graph, row)
        others = [number for number, seed in enumerate(going_on.seeds) if seed != row]
        for number in others:
            into = own_titles & named[number] - titles[number]
            if into:
                rare = max(float(graph.rarity[e]) for e in into)
                if rare * trusted[number] > line[column["seed_names_title"]]:
                    line[column["seed_names_title"]] = rare * trusted[number]
                    line[column["seed_names_title_rank"]] = 1.0 / (1.0 + number)
            back = titles[number] & own - own_titles
            if back:
                line[column["names_seed_title"]] = max(
                    line[column["names_seed_title"]],
                    max(float(graph.rarity[e]) for e in back) * trusted[number],
                )
        shared = [
            going_on.bridges[e] for e in own if e in going_on.bridges and any(e in named[n] for n in others)
        ]
        line[column["shared_rarity_sum"]] = sum(shared)
        line[column["shared_rarity_top"]] = max(shared, default=0.0)
        ahead = [number for number in others if scores[places[number]] >= scores[place]] or others
        behind = frozenset().union(*(covers[number] for number in ahead[:2])) if ahead else frozenset()
        line[column["open_words_covered"]] = covered(asked, candidate.body, behind)
        known = set().union(*(named[number] for number in ahead[:2])) if ahead else set()
        line[column["open_names_covered"]] = sum(weights[e] for e in own & linked - known)
        line[column["seeds_cover"]] = covered(asked, behind)
        line[column["seeds_same_document"]] = sum(
            documents[row] == documents[going_on.seeds[number]] for number in others
        )
        bridging = own_titles & set(going_on.bridges)
        line[column["bridge_sentence"]] = max((going_on.bridges[e] for e in bridging), default=0.0)
    out[:, column["seed_score_top"]] = max(trusted, default=0.0)
    if going_on.hop is not None and going_on.hop_next is not None:
        out[:, column["hop_cosine"]] = going_on.hop
        out[:, column["hop_cosine_gap"]] = going_on.hop - going_on.hop.max(initial=-1.0)
        after = _best(going_on.hop_next, itself, going_on.hop)
        out[:, column["hop_next_cosine"]] = after
        out[:, column["hop_next_gap"]] = after - after.max(initial=-1.0)
    return out


def read(title: str, text: str) -> Candidate:
    """A passage's words as stems."""
    sentences = tuple(frozenset(stems_of(part)) for part in _SENTENCE_END.split(text) if part)
    own = tuple(dict.fromkeys(stems_of(title)))
    return Candidate(own, frozenset(own).union(*sentences), sentences, len(text))


def covered(asked: Asked, body: frozenset[str], besides: frozenset[str] = frozenset()) -> float:
    """Weight of the question's words that a text holds and `besides` does not."""
    return float(sum([weight for word, weight in asked.weighed if word in body and word not in besides]))


def rarest_covered(asked: Asked, body: frozenset[str]) -> float:
    """Weight of the rarest question word that a text holds."""
    return float(max([weight for word, weight in asked.weighed if word in body], default=0.0))


def _titles(graph: CorpusGraph, row: int) -> set[int]:
    return set(graph.titled.indices[graph.titled.indptr[row] : graph.titled.indptr[row + 1]].tolist())


def _reciprocal(rows: Sequence[int], scores: Mapping[int, float]) -> list[float]:
    ranks = {row: rank for rank, row in enumerate(scores, start=1)}
    return [1.0 / ranks[row] if row in ranks else 0.0 for row in rows]


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))


def _best(cosines: Floats, itself: npt.NDArray[np.bool_], otherwise: Floats) -> Floats:
    """Best cosine over the seeds that are not the candidate; `otherwise` where there is none."""
    masked = np.where(itself, -np.inf, cosines)
    best = masked.max(axis=1, initial=-np.inf)
    return np.asarray(np.where(np.isfinite(best), best, otherwise), dtype=np.float32)
