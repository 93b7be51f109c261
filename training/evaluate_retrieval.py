"""Measures search: which share of the gold evidence each mode finds, how fast, at how many tokens."""

from __future__ import annotations

import importlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np

from index.encoders import count_tokens
from index.errors import InputError
from index.retrieve import MODES, Searcher
from index.store import Store
from index.types import Embedder, Mode, Passage, Scope, Vectors
from training.data import QAExample
from training.evidence import Gold, GoldLocator
from training.metrics import SEED, all_gold_at_k, bootstrap, mrr, paired_difference, recall_at_k
from training.report import Grid, number, percent, track

PEER = "bm25s"
ALL_MODES = (*MODES, PEER)
READER_PASSAGES = 5  # what a reader is handed: all_gold and context_tokens are counted over these


@dataclass(frozen=True, slots=True)
class Task:
    """A question with its gold evidence in the index."""

    question: str
    gold: tuple[Gold, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """One mode over all tasks: per-question values in the order of the tasks."""

    mode: str
    values: dict[str, list[float]]  # recall@K, all_gold@5, mrr, context_tokens
    ms: list[float]  # search alone
    encode_ms: list[float]  # encoding of the question; empty where the mode encodes nothing

    def to_dict(self) -> dict[str, Any]:
        means = {name: bootstrap(values) for name, values in self.values.items()}
        return {
            **{name: interval.mean for name, interval in means.items()},
            "ms_p50": _quantile(self.ms, 50),
            "ms_p95": _quantile(self.ms, 95),
            "encode_ms_p50": _quantile(self.encode_ms, 50),
            "encode_ms_p95": _quantile(self.encode_ms, 95),
            "intervals": {name: {"low": i.low, "high": i.high} for name, i in means.items()},
        }


class Ranker(Protocol):
    """A question to its best passages, with the milliseconds that encoding it took."""

    def rank(self, question: str, k: int) -> tuple[Sequence[Passage], float]: ...


class ModeRanker:
    """One search mode of Forage in one collection."""

    def __init__(self, store: Store, embedder: Embedder, mode: Mode, collection: str) -> None:
        self._clock = _Clock(embedder)
        self._searcher = Searcher(store, self._clock)
        self._mode, self._scope = mode, Scope(collections=(collection,))

    def rank(self, question: str, k: int) -> tuple[Sequence[Passage], float]:
        self._clock.ms = 0.0
        hits = self._searcher.search(question, k, self._mode, self._scope)
        return [hit.passage for hit in hits], self._clock.ms


class PeerRanker:
    """The bm25s library over title and text (k1 0.9, b 0.4, English stop words): the published baseline."""

    def __init__(self, store: Store, collection: str) -> None:
        try:
            self._bm25s = importlib.import_module("bm25s")
        except ImportError as error:
            raise InputError(
                "The mode bm25s needs the package bm25s. Run: pip install bm25s, or leave the mode out."
            ) from error
        self._passages = [p for d in store.documents(collection) for p in store.passages_of(d.id)]
        self._index = self._bm25s.BM25(k1=0.9, b=0.4)
        self._index.index(self._tokens([f"{p.title} {p.text}" for p in self._passages]), show_progress=False)

    def rank(self, question: str, k: int) -> tuple[Sequence[Passage], float]:
        depth = min(k, len(self._passages))
        rows, scores = self._index.retrieve(self._tokens([question]), k=depth, show_progress=False)
        found = zip(rows[0], scores[0], strict=True)
        return [self._passages[row] for row, score in found if score > 0], 0.0

    def _tokens(self, texts: list[str]) -> Any:
        return self._bm25s.tokenize(texts, stopwords="en", show_progress=False)


def make_ranker(mode: str, store: Store, embedder: Embedder, collection: str) -> Ranker:
    if mode == PEER:
        return PeerRanker(store, collection)
    return ModeRanker(store, embedder, cast(Mode, mode), collection)


def make_tasks(examples: Sequence[QAExample], locator: GoldLocator) -> tuple[Task, ...]:
    """The answerable questions that name gold evidence; InputError where none does.

    What an unanswerable question names is where its answer would be looked for: no gold to be found.
    """
    tasks = tuple(Task(e.question, locator.gold_of(e)) for e in examples if e.has_gold and not e.unanswerable)
    if not tasks:
        raise InputError(
            f"None of the {len(examples)} questions names gold evidence, so there is nothing to measure. "
            "Expected `supporting` (passage ids) or `evidence` (source and quote) in the question file."
        )
    return tasks


def evaluate(mode: str, ranker: Ranker, tasks: Sequence[Task], ks: Sequence[int]) -> Scores:
    """Every task once, after one search that warms the caches and is not counted."""
    depth = max(*ks, READER_PASSAGES)
    scores = Scores(mode, {}, [], [])
    ranker.rank(tasks[0].question, depth)
    for task in track(tasks, len(tasks), f"searching: {mode}"):
        began = time.perf_counter()
        passages, encode_ms = ranker.rank(task.question, depth)
        scores.ms.append((time.perf_counter() - began) * 1000 - encode_ms)
        if encode_ms:
            scores.encode_ms.append(encode_ms)
        for name, value in _values(passages, task.gold, ks).items():
            scores.values.setdefault(name, []).append(value)
    return scores


def compare(all_scores: Sequence[Scores]) -> dict[str, dict[str, dict[str, float | None]]]:
    """The last mode minus each other one: metric -> difference with its paired bootstrap interval."""
    *others, last = all_scores
    return {
        f"{last.mode} - {other.mode}": {
            name: paired_difference(last.values[name], other.values[name]).to_dict()
            for name in last.values
            if name != "context_tokens"
        }
        for other in others
    }


def result(all_scores: Sequence[Scores], facts: dict[str, Any]) -> dict[str, Any]:
    """The JSON of a run. Shares are fractions from 0 to 1, times milliseconds."""
    return {
        "modes": {scores.mode: scores.to_dict() for scores in all_scores},
        "differences": compare(all_scores),
        "n": len(all_scores[0].ms),
        "seed": SEED,
        **facts,
    }


def grids(result: dict[str, Any], name: str) -> tuple[Grid, ...]:
    """The tables of a run: the modes, their 95 % intervals, and the paired differences of the last mode."""
    modes: dict[str, dict[str, Any]] = result["modes"]
    shares = [key for key in next(iter(modes.values())) if "@" in key or key == "mrr"]
    heads = [key.replace("recall@", "R@").replace("all_gold@", "all@").upper() for key in shares]
    rows = tuple(
        (
            mode,
            *[percent(values[key]) for key in shares],
            number(values["ms_p50"]),
            number(values["ms_p95"]),
            number(values["encode_ms_p50"]),
            number(values["context_tokens"], 0),
        )
        for mode, values in modes.items()
    )
    columns = ("mode", *heads, "ms p50", "ms p95", "encode", "tokens")
    main = Grid(f"{name}: {result['n']} questions", columns, rows)
    spans = tuple(
        (head, *[_span(values["intervals"][key]) for values in modes.values()])
        for key, head in zip(shares, heads, strict=True)
    )
    found = [main, Grid("95 % bootstrap intervals", ("", *modes), spans)]
    pairs: dict[str, dict[str, dict[str, float]]] = result["differences"]
    if pairs:
        gaps = tuple(
            (
                head,
                *[f"{100 * gap[key]['mean']:+.1f} {_span(gap[key], signed=True)}" for gap in pairs.values()],
            )
            for key, head in zip(shares, heads, strict=True)
        )
        found.append(Grid("Differences in points, 95 % paired bootstrap", ("", *pairs), gaps))
    return tuple(found)


def _values(passages: Sequence[Passage], golds: Sequence[Gold], ks: Sequence[int]) -> dict[str, float]:
    ranked = [{g.key for g in golds if g.covered_by(p.document_id, p.start, p.end)} for p in passages]
    keys = {g.key for g in golds}
    return {
        **{f"recall@{k}": recall_at_k(ranked, keys, k) for k in ks},
        f"all_gold@{READER_PASSAGES}": all_gold_at_k(ranked, keys, READER_PASSAGES),
        "mrr": mrr(ranked, keys),
        "context_tokens": float(sum(count_tokens([p.text for p in passages[:READER_PASSAGES]]))),
    }


class _Clock:
    """An embedder that keeps the time its encoding took."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.name, self.dimension = embedder.name, embedder.dimension
        self.ms = 0.0

    def embed(self, texts: Sequence[str]) -> Vectors:
        began = time.perf_counter()
        vectors = self._embedder.embed(texts)
        self.ms += (time.perf_counter() - began) * 1000
        return vectors


def _quantile(values: Sequence[float], at: float) -> float | None:
    return round(float(np.percentile(values, at)), 3) if values else None


def _span(interval: dict[str, float], *, signed: bool = False) -> str:
    low, high = 100 * interval["low"], 100 * interval["high"]
    return f"[{low:+.1f}, {high:+.1f}]" if signed else f"[{low:.1f}, {high:.1f}]"
