"""Training material of the evidence ranker: situations of labelled questions over whole pools.

Multi-hop and single-hop sets, each also without titles (people's documents seldom bear the answer's name as
their title). Gold is every passage that the set marks as supporting.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from index.gather import Gatherer, Situation, StateEncoder
from index.retrieve import CANDIDATES, Searcher
from index.types import Embedder, Scope
from training.benchmark_index import BenchmarkIndex, open_index
from training.data import QAExample, load_questions, open_data, question_files
from training.report import track
from training.skills.leaks import licences
from training.world_cli import write_examples

_Item = TypeVar("_Item")
WORLD_SIZE = 60  # documents


@dataclass(frozen=True, slots=True)
class Pool:
    """A set to learn from or to judge by."""

    name: str  # "world N": the fictional world of seed N, as files
    split: str  # one, or several joined by commas
    limit: int  # questions
    titles: bool = True

    @property
    def label(self) -> str:
        return self.name if self.titles else f"{self.name} untitled"

    @property
    def world(self) -> int | None:
        """Seed of a fictional world; None for a public set."""
        return int(self.name.split()[1]) if self.name.startswith("world ") else None


# Worlds: documents of several passages, tables and letters, in small collections. Never the bundled one (seed 7).
TRAIN = (
    *(Pool(f"world {seed}", "all", 60) for seed in range(323, 333)),
    Pool("2wiki_distractor", "train", 500),
    Pool("musique_distractor", "train", 152),
    Pool("hotpotqa_distractor", "train", 600),
    Pool("squad1_duetest", "train", 300),
    Pool("squad2_dev_half", "train", 250),
    Pool("qed_nq", "train", 300),
    Pool("2wiki_distractor", "train", 200, titles=False),
    Pool("musique_distractor", "train", 152, titles=False),
    Pool("squad1_duetest", "train", 200, titles=False),
    Pool("squad2_dev_half", "train", 200, titles=False),
    Pool("qed_nq", "train", 250, titles=False),
)
DEV = (
    Pool("world 321", "all", 60),
    Pool("world 322", "all", 60),
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
    example: QAExample
    index: BenchmarkIndex
    gold: frozenset[int]
    situation: Situation
    text: dict[str, dict[int, float]]
    gatherer: Gatherer
    fold: int = 0


def within(pools: Sequence[Pool], folder: Path | None) -> list[Pool]:
    """The pools to be had: without a folder of question sets only the worlds, which are made here."""
    return [pool for pool in pools if folder is not None or pool.world is not None]


def sources_of(pools: Sequence[Pool], folder: Path | None) -> dict[str, Any]:
    """Where the pools come from and under which licence, for a model card."""
    if folder is None:
        return {"fictional worlds": "made by Forage, Apache-2.0"}
    return licences(folder, sorted({pool.name for pool in pools}))


def gather(
    pools: Sequence[Pool],
    folder: Path | None,
    embedder: Embedder,
    cache: Path | None,
    hop: StateEncoder | None = None,
) -> list[Asked]:
    """The situations of all answerable questions with gold evidence, pool by pool; with `hop` those of deep mode."""
    found: list[Asked] = []
    for pool in pools:
        with tempfile.TemporaryDirectory() as made:
            root = Path(made)
            if pool.world is not None:
                write_examples(pool.world, WORLD_SIZE, root)
            elif folder is not None:
                root = folder / pool.name
            data = open_data(root)
            examples = [
                e
                for e in load_questions(*question_files(data, pool.split))
                if e.has_gold and not e.unanswerable
            ]
            index = open_index(
                data, examples, embedder, Path(made) if pool.world is not None else cache, pool.titles
            )
            found += _situations(pool, spread(examples, pool.limit), index, embedder, hop)
    return found


def _situations(
    pool: Pool,
    examples: Sequence[QAExample],
    index: BenchmarkIndex,
    embedder: Embedder,
    hop: StateEncoder | None,
) -> Iterator[Asked]:
    searcher = Searcher(index.store, embedder)
    gatherer, scope = searcher.gatherer(hop), Scope(collections=(index.collection,))
    vectors = embedder.embed([e.question for e in examples])
    passages = [p for d in index.store.documents() for p in index.store.passages_of(d.id)]
    for example, vector in zip(track(examples, len(examples), pool.label), vectors, strict=True):
        text = searcher.text_lists(example.question, vector, CANDIDATES, scope)
        asked = searcher.asked(example.question, scope)
        situation = gatherer.situation(example.question, vector, text, asked, scope)
        gold = index.locator.gold_of(example)
        held = frozenset(
            p.id for p in passages if any(g.covered_by(p.document_id, p.start, p.end) for g in gold)
        )
        yield Asked(
            pool.label, f"{pool.name}/{example.id}", example, index, held, situation, text, gatherer
        )  # fmt: skip


def spread(items: Sequence[_Item], limit: int) -> list[_Item]:
    """At most `limit` items, evenly over the sequence (neighbouring questions share their passage)."""
    if len(items) <= limit:
        return list(items)
    return [items[int(at)] for at in np.linspace(0, len(items) - 1, limit)]


def labels(asked: Asked, situation: Situation) -> np.ndarray:
    """1 for gold candidates, shape (candidates,)."""
    ids = situation.graph.edges.passages[np.asarray(situation.rows, dtype=np.int64)]
    return np.isin(ids, list(asked.gold)).astype(np.float32)
