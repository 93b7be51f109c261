"""Questions that came with answers but without passages, tied to passages that hold the answer.

Distant supervision (Mintz et al. 2009; for reading Joshi et al. 2017, section 3): a question of the pool of plain
questions is kept when one of the passages that BM25 finds first holds its answer and the match is no accident: the
question names the passage's title, or shares many rare words with it. Such examples are noisy and get a small
share; whether they suffice for a hop is not known (`Asked.partial`).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from training.skills.leaks import LeakAudit, fold, read_corpus, read_lines
from training.skills.reader_recipes import CLOSED, Asked, Text, occurrences

POOL = "qa_pool_noctx"
CORPORA = (
    "hotpotqa_distractor", "2wiki_distractor", "musique_distractor", "hotpotqa_insufficient", "hotpotqa_ctx_only",
    "popqa_1000", "qed_nq", "squad1_duetest", "squad1_routerlens_dev", "strategyqa",
)  # fmt: skip
DEPTH = 6
HOLDS = 3  # the answer must be in one of so many first results
SURE = 20.0  # BM25 score from which no named title is needed
SHORTEST = 3  # characters of an answer
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'-]+(?: [A-Z][\w'-]+)*")


def distant(folder: Path, audit: LeakAudit) -> list[Asked]:
    """Questions of the pool with the passage found for each. Empty where the pool or bm25s is missing."""
    questions = [q for q in read_lines(folder / POOL / "train.jsonl") if _usable(q, audit)]
    texts = list(_passages(folder, audit))
    if not questions or not texts:
        return []
    bm25s = importlib.import_module("bm25s")
    index = bm25s.BM25(k1=0.9, b=0.4)
    shown = [f"{text.title} {text.text}" for text in texts]
    index.index(bm25s.tokenize(shown, stopwords="en", show_progress=False), show_progress=False)
    asked = bm25s.tokenize([q["question"] for q in questions], stopwords="en", show_progress=False)
    rows, scores = index.retrieve(asked, k=min(DEPTH, len(texts)), show_progress=False)
    tied = (
        _tied(question, [texts[row] for row in ranked], [float(score) for score in said])
        for question, ranked, said in zip(questions, rows, scores, strict=True)
    )
    return [one for one in tied if one is not None]


def _usable(question: Mapping[str, Any], audit: LeakAudit) -> bool:
    answers = question["answers"]
    return (
        bool(answers)
        and answers[0].lower() not in CLOSED
        and fold(question["question"]) not in audit.questions
    )


def _passages(folder: Path, audit: LeakAudit) -> Iterable[Text]:
    """Every passage once; gold passages of development questions are left out."""
    seen: set[str] = set(audit.passages)
    for name in CORPORA:
        if not (folder / name / "corpus.jsonl").is_file():
            continue
        for row in read_corpus(folder / name).values():
            key = fold(row["text"])
            if key not in seen:
                seen.add(key)
                yield Text.of(row)


def _tied(question: Mapping[str, Any], found: list[Text], scores: list[float]) -> Asked | None:
    answers = tuple(a for a in question["answers"] if len(a) >= SHORTEST)
    asked = question["question"]
    names = [name.lower() for name in _NAME.findall(asked)]
    holding = [bool(occurrences(text.text, answers)) for text in found]
    for at in range(min(HOLDS, len(found))):
        text = found[at]
        named = any(name in text.title.lower() for name in names)
        if holding[at] and (named or scores[at] >= SURE):
            near = tuple(other for other, holds in zip(found, holding, strict=True) if not holds)
            return Asked(asked, answers, (text,), near, partial=True)
    return None
