"""Passages that look right and are not: what BM25 finds for a question without any of its answers in it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from index.errors import InputError
from training.skills.leaks import fold

DEPTH = 12  # results looked at for each question


def near_passages(
    questions: Sequence[Mapping[str, Any]], corpus: Mapping[str, Mapping[str, str]], keep: int = 4
) -> list[tuple[str, ...]]:
    """For each question up to `keep` passage ids, best first, that are not gold and hold no gold answer.

    BM25 over title and text with the library's English stop words (k1 0.9, b 0.4, as in the baselines).
    InputError when the package bm25s is not installed.
    """
    if not questions or len(corpus) < 2:
        return [() for _ in questions]
    try:
        bm25s = importlib.import_module("bm25s")
    except ImportError as error:
        raise InputError(
            "Training on question sets needs the package bm25s. Run: pip install bm25s, or leave --data out."
        ) from error
    keys = list(corpus)
    index = bm25s.BM25(k1=0.9, b=0.4)
    shown = [f"{corpus[key]['title']} {corpus[key]['text']}" for key in keys]
    index.index(bm25s.tokenize(shown, stopwords="en", show_progress=False), show_progress=False)
    asked = bm25s.tokenize([q["question"] for q in questions], stopwords="en", show_progress=False)
    rows, _ = index.retrieve(asked, k=min(DEPTH, len(keys)), show_progress=False)
    folded = [fold(text) for text in shown]
    found = []
    for question, ranked in zip(questions, rows, strict=True):
        answers = [fold(answer) for answer in question["answers"]]
        gold = set(question.get("supporting", ()))
        found.append(
            tuple(
                keys[row]
                for row in ranked
                if keys[row] not in gold and not any(a and a in folded[row] for a in answers)
            )[:keep]
        )
    return found
