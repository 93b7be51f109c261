"""Rows for the judge from a person's own collection, and what it gained on the documents held out.

A sentence's name, date or figure that no other document holds is masked (training/skills/ramp.py) and asked for: with
the document at hand, or with all documents but this one, where the question has no answer. The live agent reads, as it
does for training questions (training/judge_rows.py). Of three questions two are of documents to learn from, searched
among those alone; one is of a document held out, searched in the whole collection.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from agent.judge_weights import JudgeWeights
from agent.matching import WordMatcher
from agent.reader import Reader
from index.retrieve import Searcher
from index.store import Store
from index.types import Embedder, Mode, Scope
from training import judge_fit
from training.data import QAExample
from training.judge_rows import DEEP, ReaderFor, Rows, looks_of
from training.skills.collection import OwnCollection, gain
from training.skills.ramp import Span, Unlabelled, salient
from training.skills.reader_recipes import Text

TURN = (False, False, True)  # whether a question is of the documents held out
RESAMPLES = 500  # for the AUROC's interval


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """A self-made question and the documents to search."""

    example: QAExample
    held_out: bool
    documents: tuple[str, ...]


def label(held_out: bool) -> str:
    """What such rows are counted under."""
    return "collection, held out" if held_out else "collection"


def own_questions(own: OwnCollection, seed: int) -> Iterator[OwnQuestion]:
    """Questions without end, by TURN; half of them (by chance) with their document taken out."""
    passages = Unlabelled.of([Text(one.title, one.text) for one in own.passages])
    lone = _lone(own)
    rng = random.Random(f"forage-own-judge/{seed}")
    every = tuple(dict.fromkeys(one.document_id for one in own.passages))
    learned = tuple(one for one in every if one not in own.held)
    rows = {held: [at for at in own.rows(held) if lone[at]] for held in (False, True)}
    while rows[False] and rows[True]:
        for held in TURN:
            row = rng.choice(rows[held])
            names = lone[row]
            masked = passages.masked(row, rng, lambda span, names=names: span.key in names)  # type: ignore[misc]
            if masked is None or not _asks_of_something(
                passages.texts[row].text, masked.sentence, masked.span
            ):
                continue
            gold, scope = own.passages[row].document_id, every if held else learned
            answerable = rng.random() < 0.5
            if not answerable:
                scope = tuple(one for one in scope if one != gold)
            key = sha256(f"{masked.question}/{answerable}".encode()).hexdigest()[:12]
            answers = (masked.answer,) if answerable else ()
            example = QAExample(key, masked.question, answers, "own", unanswerable=not answerable)
            yield OwnQuestion(example, held, scope)


def collect_own(
    data_dir: Path,
    own: OwnCollection,
    embedder: Embedder,
    mode: Mode,
    done: Counter[str],
    reader_for: ReaderFor,
    seed: int,
) -> Iterator[Rows]:
    """Rows of questions without end; `done` questions of each label are passed over."""
    reader, passed = Reader(embedder, WordMatcher(embedder)), Counter[str]()
    store = Store.open(data_dir)
    try:
        searcher = Searcher(store, embedder)
        for asked in own_questions(own, seed):
            name = label(asked.held_out)
            passed[name] += 1
            if passed[name] <= done[name]:
                continue
            level: Mode = "deep" if passed[name] % DEEP == 0 else mode
            scope = Scope(collections=(own.name,), documents=asked.documents)
            model = reader_for(asked.example.question)
            yield from looks_of(asked.example, searcher, reader, scope, level, name, model)
    finally:
        store.close()


def adaptation(before: JudgeWeights, after: JudgeWeights, rows: Sequence[Rows]) -> dict[str, Any]:
    """Looks at questions over the documents held out: 1 - squared error of the stated probability (Brier), whether
    the best chain is right, and the AUROC of the best chain, before and after, with the gain's interval over
    questions."""
    old, new = (_said(one, rows) for one in (before, after))
    groups: dict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        groups[row.question].append(at)
    places = list(groups.values())

    def by_question(values: np.ndarray) -> list[float]:
        return [float(values[at].mean()) for at in places]

    brier = [by_question(1 - (stated - right) ** 2) for stated, right in (old, new)]
    return {
        "1 - Brier": gain(*brier),
        "best chain right": gain(by_question(old[1]), by_question(new[1])),
        "AUROC": _auroc_gain(old, new, places),
        "quality before": judge_fit.quality(*old, rows),
        "quality after": judge_fit.quality(*new, rows),
    }


def _said(weights: JudgeWeights, rows: Sequence[Rows]) -> tuple[np.ndarray, np.ndarray]:
    """(stated probability, whether the preferred chain is right) of each look."""
    stated = np.array([float(weights.stated(row.features).max()) for row in rows])
    chosen = [int(weights.preferred(row.features).argmax()) for row in rows]
    return stated, np.array([float(row.right[at]) for row, at in zip(rows, chosen, strict=True)])


def _auroc_gain(
    old: tuple[np.ndarray, np.ndarray], new: tuple[np.ndarray, np.ndarray], places: Sequence[list[int]]
) -> dict[str, Any]:
    """AUROC before and after, and the interval of its gain over resampled questions."""
    draw = np.random.default_rng(0)
    whole = np.arange(len(old[0]))
    gaps = []
    for _ in range(RESAMPLES):
        chosen = np.concatenate([places[at] for at in draw.integers(len(places), size=len(places))])
        pair = _auroc(old, chosen), _auroc(new, chosen)
        if pair[0] is not None and pair[1] is not None:
            gaps.append(pair[1] - pair[0])
    before, after = _auroc(old, whole), _auroc(new, whole)
    if before is None or after is None or not gaps:
        return {"n": len(places), "before": None, "after": None, "gain": None}
    low, high = np.quantile(gaps, [0.025, 0.975])
    spread = [round(after - before, 4), round(float(low), 4), round(float(high), 4)]
    return {"n": len(places), "before": round(before, 4), "after": round(after, 4), "gain": spread}


def _auroc(said: tuple[np.ndarray, np.ndarray], chosen: np.ndarray) -> float | None:
    """Share of pairs of a right and a wrong look in which the right one is stated higher; None without a pair."""
    stated, right = said[0][chosen], said[1][chosen] > 0
    gaps = stated[right][:, None] - stated[~right][None, :]
    return float(((gaps > 0) + 0.5 * (gaps == 0)).mean()) if gaps.size else None


def _lone(own: OwnCollection) -> list[frozenset[str]]:
    """For each passage the keys of its spans that no other document holds."""
    keys = [frozenset(span.key for span in salient(one.text)) for one in own.passages]
    holders: dict[str, set[str]] = defaultdict(set)
    for one, found in zip(own.passages, keys, strict=True):
        for key in found:
            holders[key].add(one.document_id)
    return [frozenset(key for key in found if len(holders[key]) == 1) for found in keys]


def _asks_of_something(text: str, sentence: tuple[int, int], masked: Span) -> bool:
    """Whether the sentence names something besides what is asked for."""
    return any(sentence[0] <= span.start < sentence[1] and span.key != masked.key for span in salient(text))
