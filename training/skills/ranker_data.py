"""Training material of the evidence ranker: situations of labelled questions over whole pools.

Multi-hop and single-hop sets, each also without titles (people's documents seldom bear the answer's name as
their title). Gold is every passage that the set marks as supporting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from index.ranker import Gatherer, Situation
from index.retrieve import CANDIDATES, Searcher
from index.types import Embedder, Scope
from training.benchmark_index import open_index
from training.data import load_questions, open_data
from training.report import track

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Pool:
    """A set to learn from or to judge by."""

    name: str
    split: str  # one, or several joined by commas
    limit: int  # questions
    titles: bool = True

    @property
    def label(self) -> str:
        return self.name if self.titles else f"{self.name} untitled"


TRAIN = (
    Pool("2wiki_distractor", "train", 711),
    Pool("musique_distractor", "train", 152),
    Pool("hotpotqa_distractor", "train", 900),
    Pool("squad1_duetest", "train", 500),
    Pool("squad2_dev_half", "train", 400),
    Pool("qed_nq", "train", 500),
    Pool("2wiki_distractor", "train", 300, titles=False),
    Pool("musique_distractor", "train", 152, titles=False),
    Pool("squad1_duetest", "train", 300, titles=False),
    Pool("squad2_dev_half", "train", 300, titles=False),
    Pool("qed_nq", "train", 400, titles=False),
)
DEV = (
    Pool("2wiki_distractor", "dev", 181),
    Pool("musique_distractor", "dev", 35),
    Pool("hotpotqa_distractor", "dev", 406),
    Pool("nq_oracle", "dev", 300),
    Pool("squad2_dev_half", "dev", 300),
    Pool("clapnq_dev", "dev", 150),
    Pool("qed_nq", "dev", 300),
    Pool("nq_oracle", "dev", 300, titles=False),
    Pool("squad2_dev_half", "dev", 300, titles=False),
    Pool("clapnq_dev", "dev", 150, titles=False),
    Pool("qed_nq", "dev", 300, titles=False),
)


@dataclass(slots=True)
class Asked:
    """One question with its situation; `gold` are passage ids, `text` the lists of text search."""

    pool: str
    key: str
    gold: frozenset[int]
    situation: Situation
    text: dict[str, dict[int, float]]
    gatherer: Gatherer
    fold: int = 0


def gather(
    pools: Sequence[Pool], folder: Path, embedder: Embedder, cache: Path | None, hop: bool
) -> list[Asked]:
    """The situations of all answerable questions with gold evidence, pool by pool."""
    found: list[Asked] = []
    for pool in pools:
        data = open_data(folder / pool.name)
        paths = [data.root / f"{split}.jsonl" for split in pool.split.split(",")]
        examples = [e for e in load_questions(*paths) if e.has_gold and not e.unanswerable]
        index = open_index(data, examples, embedder, cache, pool.titles)
        searcher = Searcher(index.store, embedder)
        gatherer, scope = searcher.gatherer(hop), Scope(collections=(index.collection,))
        chosen = spread(examples, pool.limit)
        vectors = embedder.embed([e.question for e in chosen])
        passage_of = {
            p.document_id: p.id for d in index.store.documents() for p in index.store.passages_of(d.id)
        }
        for example, vector in zip(track(chosen, len(chosen), pool.label), vectors, strict=True):
            text = searcher.text_lists(example.question, vector, CANDIDATES, scope)
            situation = gatherer.situation(
                example.question, vector, text, searcher.asked(example.question, scope), scope
            )
            gold = frozenset(passage_of[g.document_id] for g in index.locator.gold_of(example))
            found.append(Asked(pool.label, f"{pool.name}/{example.id}", gold, situation, text, gatherer))
    return found


def spread(items: Sequence[_Item], limit: int) -> list[_Item]:
    """At most `limit` items, evenly over the sequence (neighbouring questions share their passage)."""
    if len(items) <= limit:
        return list(items)
    return [items[int(at)] for at in np.linspace(0, len(items) - 1, limit)]


def labels(asked: Asked, situation: Situation) -> np.ndarray:
    """1 for gold candidates, shape (candidates,)."""
    ids = situation.graph.edges.passages[np.asarray(situation.rows, dtype=np.int64)]
    return np.isin(ids, list(asked.gold)).astype(np.float32)
