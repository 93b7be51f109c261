"""Training material of the packer: the sentences of the best passages, and which of them a reader needs.

Needed is a sentence that the set marks as supporting, and in a gold passage one that holds the answer (in MuSiQue:
the answer of that passage's step). Passages come with a usefulness from rankers that never saw the question: the
packer must learn from the mistakes it will meet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index.offered import CHUNKS, Offer, Sentence, offer
from index.sentence_features import chances, first_look
from index.types import Hit
from training.data import open_data, question_files
from training.evidence import locate
from training.metrics import normalize
from training.skills.ranker import FOLDS, Looked, fit
from training.skills.ranker_data import Asked, Pool

Floats = npt.NDArray[np.float32]
POOLS = (
    Pool("2wiki_distractor", "train", 500),
    Pool("musique_distractor", "train", 152),
    Pool("hotpotqa_distractor", "train", 500),
    Pool("squad2_dev_half", "train", 300),
    Pool("qed_nq", "train", 250),
)
WORLDS = (Pool("world 323", "all", 60), Pool("world 324", "all", 60))  # where there are no question sets
DEV = (
    Pool("2wiki_distractor", "dev", 181),
    Pool("musique_distractor", "dev", 35),
    Pool("hotpotqa_distractor", "dev", 200),
    Pool("squad2_dev_half", "dev", 200),
    Pool("qed_nq", "dev", 200),
)
WORLDS_DEV = (Pool("world 321", "all", 60),)


@dataclass(slots=True)
class Marks:
    """What a set says about one question's sentences: texts by passage id; answers of steps by passage id."""

    sentences: dict[str, list[str]]
    steps: dict[str, list[str]]


@dataclass(slots=True)
class Page:
    """One question's sentences with their first look. `needed`, `holds`: (sentences,) 0 or 1."""

    pool: str
    fold: int
    offered: Offer
    first: Floats
    needed: Floats
    holds: Floats  # the answer stands in it, gold or not


def marks_of(pool: Pool, folder: Path | None) -> dict[str, Marks]:
    """The marks of a pool's questions by question id; none for worlds."""
    found: dict[str, Marks] = {}
    if pool.world is not None or folder is None:
        return found
    for path in question_files(open_data(folder / pool.name), pool.split):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line) if line.strip() else {}
            marks = Marks({}, {})
            for one in row.get("supporting_sentences") or ():
                marks.sentences.setdefault(one["pid"], []).append(one["text"])
            for step in row.get("decomposition") or ():
                if step.get("pid"):
                    marks.steps.setdefault(step["pid"], []).append(step["answer"])
            if row:
                found[row["id"]] = marks
    return found


def pages(looked: Sequence[Looked], folder: Path | None, pools: Sequence[Pool], seed: int) -> list[Page]:
    """The sentences of every question with out-of-fold usefulness of their passages."""
    marks = {pool.label: marks_of(pool, folder) for pool in pools}
    found: list[Page] = []
    for fold in range(FOLDS):
        model = fit([(one.features, one.gold) for one in looked if one.asked.fold != fold], seed)
        for one in looked:
            if one.asked.fold == fold:
                useful = chances(model.score(one.features))
                best = np.lexsort((one.ids, -useful))[:CHUNKS]
                scores = {int(one.ids[at]): float(useful[at]) for at in best}
                found.append(page(one.asked, scores, marks[one.asked.pool].get(one.asked.example.id)))
    return found


def page(asked: Asked, scores: Mapping[int, float], marks: Marks | None) -> Page:
    """The sentences of one question. scores: passage id -> usefulness, best first."""
    store = asked.index.store
    held = {p.id: p for p in store.passages(list(scores))}
    hits = [Hit(held[key], score, at, "ranked") for at, (key, score) in enumerate(scores.items(), 1)]
    entities = list(dict.fromkeys(link.key for link in asked.situation.walks.links))
    offered = offer(store, asked.example.question, asked.situation.asked, entities, hits)
    needed = [float(_needed(asked, offered, one, marks)) for one in offered.sentences]
    holds = [float(_holds(offered, one, asked.example.answers)) for one in offered.sentences]
    return Page(
        asked.pool, asked.fold, offered, first_look(offered),
        np.array(needed, np.float32), np.array(holds, np.float32),
    )  # fmt: skip


def _needed(asked: Asked, offered: Offer, one: Sentence, marks: Marks | None) -> bool:
    passage = offered.hits[one.hit].passage
    if passage.id not in asked.gold:
        return False
    if asked.example.evidence:  # quotes of a library
        gold = asked.index.locator.gold_of(asked.example)
        if any(g.covered_by(passage.document_id, one.start, one.end) for g in gold):
            return True
    source = passage.source
    if marks is not None and marks.sentences.get(source):
        if any(_same(asked, passage.document_id, text, one) for text in marks.sentences[source]):
            return True
    elif marks is not None and marks.steps:
        return _holds(offered, one, marks.steps.get(source, ()))
    return _holds(offered, one, asked.example.answers)


def _same(asked: Asked, document_id: str, marked: str, one: Sentence) -> bool:
    """Whether a marked sentence and this one share more than half of the shorter."""
    span = locate(" ".join(marked.split()), asked.index.store.document_text(document_id))
    if span is None:
        return False
    shared = min(span[1], one.end) - max(span[0], one.start)
    return 2 * shared > min(span[1] - span[0], one.end - one.start)


def _holds(offered: Offer, one: Sentence, answers: Sequence[str]) -> bool:
    """Whether the sentence holds an answer in words; the first sentence of a passage also by its title."""
    text = f" {normalize(one.text)} "
    title = f" {normalize(offered.hits[one.hit].passage.title)} " if one.number == 0 else ""
    wanted = [
        word for word in (normalize(answer) for answer in answers) if word and word not in ("yes", "no")
    ]
    return any(f" {word} " in text or f" {word} " in title for word in wanted)
