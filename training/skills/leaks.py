"""Keeps development questions and their gold passages out of training, and counts what was kept out.

A training question is left out when its words are those of any set's development question, or when one of its
gold passages is, word for word, a gold passage of any set's development question. Passages that both splits may
*search* are not touched; the model card counts them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]
_NOT_WORD = re.compile(r"\W+")


@dataclass(slots=True)
class LeakAudit:
    """What training may not see, and how often it would have."""

    questions: frozenset[str] = frozenset()
    passages: frozenset[str] = frozenset()
    dropped: Counter[str] = field(default_factory=Counter)  # "<set>: <reason>" -> training questions

    @classmethod
    def of(cls, folder: Path) -> LeakAudit:
        """From the development questions of every set below `folder`."""
        questions: set[str] = set()
        passages: set[str] = set()
        for path in sorted(folder.glob("*/dev.jsonl")):
            records = list(read_lines(path))
            questions.update(fold(record["question"]) for record in records)
            gold = {key for record in records for key in record.get("supporting", ())}
            if gold:
                corpus = read_corpus(path.parent)
                passages.update(fold(corpus[key]["text"]) for key in gold)
        return cls(frozenset(questions), frozenset(passages))

    def allows(self, name: str, question: Record, corpus: Mapping[str, Record]) -> bool:
        """Whether a training question of the set `name` may be used; a refusal is counted."""
        if fold(question["question"]) in self.questions:
            self.dropped[f"{name}: same question"] += 1
            return False
        if any(fold(corpus[key]["text"]) in self.passages for key in question.get("supporting", ())):
            self.dropped[f"{name}: same gold passage"] += 1
            return False
        return True

    def report(self, questions: Iterable[str], positives: Iterable[str]) -> dict[str, Any]:
        """The card's entry, for the questions trained on and the texts of the passages shown as gold."""
        return {
            "dev_questions": len(self.questions),
            "dev_gold_passages": len(self.passages),
            "left_out_of_training": dict(sorted(self.dropped.items())),
            "dev_questions_in_training": len(self.questions & {fold(text) for text in questions}),
            "dev_gold_passages_as_positives": len(self.passages & {fold(text) for text in positives}),
        }


def passage_overlap(folder: Path, name: str) -> float:
    """Share of a set's development gold passages that lie in the pool its training questions search."""
    corpus = read_corpus(folder / name)
    gold = {key for record in read_lines(folder / name / "dev.jsonl") for key in record.get("supporting", ())}
    seen = {
        key
        for record in read_lines(folder / name / "train.jsonl")
        for key in (*record.get("supporting", ()), *record.get("context", ()))
    }
    texts = {fold(corpus[key]["text"]) for key in seen if key in corpus}
    return sum(fold(corpus[key]["text"]) in texts for key in gold) / len(gold) if gold else 0.0


def licences(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """Licence of each set, from its META.json."""
    found = {}
    for name in names:
        path = folder / name / "META.json"
        if path.is_file():
            found[name] = str(json.loads(path.read_text(encoding="utf-8")).get("licence", "not stated"))
    return found


def fold(text: str) -> str:
    """Lower case without anything but word characters: equal for texts that differ in layout only.

    >>> fold("The  U.S. Navy?") == fold("the us navy")
    True
    """
    return _NOT_WORD.sub("", text.lower())


def read_corpus(folder: Path) -> dict[str, dict[str, str]]:
    """The passages of a set by id: {id, title, text}."""
    return {row["id"]: row for row in read_lines(folder / "corpus.jsonl")}


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """JSON objects of a JSON Lines file; none when it does not exist."""
    if path.is_file():
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
