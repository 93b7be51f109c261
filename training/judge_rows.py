"""Rows the judge learns from: every evidence chain of the live agent's reading, and whether its answer is right.

The agent's own inquiry runs over training questions of many kinds (whole pools, with and without titles; the
question's own candidates, where one gold passage may be missing; files of fictional worlds). An unanswerable
question has no right chain.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.config import AgentConfig
from agent.inquiry import Inquiry
from agent.judge import FEATURES, answer_of, features
from agent.matching import WordMatcher
from agent.packing import pack
from agent.reader import Reader
from agent.reader_model import load_reader
from index.encoders import load_embedder
from index.ingest import ingest
from index.retrieve import Searcher
from index.store import Store
from index.types import Embedder, Mode, Scope
from training.benchmark_index import open_index
from training.data import QAExample, load_questions, open_data
from training.metrics import f1
from training.report import track
from training.skills.ranker_data import spread
from training.world_cli import write_examples

RIGHT = 0.7  # F1 from which an answer counts as right
SEARCHES = 2
BUDGET = AgentConfig()  # what a question may cost by default


@dataclass(frozen=True, slots=True)
class Source:
    """Questions to run the agent over."""

    name: str
    limit: int
    titles: bool = True
    own_scope: bool = False  # search only the question's own candidates

    @property
    def label(self) -> str:
        return self.name + ("" if self.titles else " untitled") + (" own" if self.own_scope else "")


SOURCES = (
    Source("2wiki_distractor", 120),
    Source("hotpotqa_distractor", 130),
    Source("musique_distractor", 110),
    Source("squad2_dev_half", 130),
    Source("squad1_duetest", 80),
    Source("qed_nq", 90),
    Source("hotpotqa_insufficient", 90, own_scope=True),
    Source("hotpotqa_distractor", 60, own_scope=True),
    Source("squad2_dev_half", 70, own_scope=True),
    Source("squad2_dev_half", 50, titles=False),
    Source("musique_distractor", 40, titles=False),
)
WORLD_SEEDS = (301, 302, 303, 304, 305, 306, 307, 308)


@dataclass(frozen=True, slots=True)
class Rows:
    """One question: a row of features and a label for each chain, the judge's order not yet applied."""

    source: str
    features: np.ndarray  # (chains, FEATURES)
    right: np.ndarray  # (chains,)
    answerable: bool


def collect(
    data: Path | None, embedder: Embedder, cache: Path | None, mode: Mode, done: Counter[str]
) -> Iterator[Rows]:
    """Rows of all sources (without data of the worlds alone), source by source in turn.

    done: questions of each source that need not be asked again, by label.
    """
    reader = Reader(embedder, WordMatcher(embedder))  # one for all: it remembers the vectors of words
    for seed in WORLD_SEEDS:
        yield from _world(seed, reader, embedder, mode, done)
    for source in SOURCES if data is not None else ():
        assert data is not None
        folder = open_data(data / source.name)
        examples = load_questions(folder.root / "train.jsonl")
        index = open_index(folder, examples, embedder, cache, source.titles)
        searcher = Searcher(index.store, embedder)
        chosen = spread(examples, source.limit)[done[source.label] :]
        for example in track(chosen, len(chosen), source.label):
            own = index.locator.document_ids(example.own_scope) if source.own_scope else ()
            scope = Scope(collections=(index.collection,), documents=own)
            yield rows_of(example, searcher, reader, scope, mode, source.label)


def rows_of(
    example: QAExample, searcher: Searcher, reader: Reader, scope: Scope, mode: Mode, label: str
) -> Rows:
    """What the judge would see at the end of the inquiry."""
    inquiry = Inquiry.open(example.question, searcher, scope, load_reader())
    for _ in range(SEARCHES):
        goal = inquiry.next_goal()
        if goal is None or inquiry.at > 0:
            break
        hits, _ = pack(searcher.search(goal.query, BUDGET.top_k, mode, scope), BUDGET.context_tokens)
        inquiry.read(reader, goal, hits)
    thread = inquiry.whole
    chains = [one.chain for one in thread.judged]
    answers = [answer_of(thread.question, chain) for chain in chains]
    table = features(thread.question, thread.weights, chains, answers, thread.useful)
    golds = () if example.unanswerable else example.answers
    right = [bool(golds) and bool(a) and f1(a, golds) >= RIGHT for a in answers]
    return Rows(label, table.reshape(-1, len(FEATURES)), np.array(right, dtype=np.float32), bool(golds))


def _world(seed: int, reader: Reader, embedder: Embedder, mode: Mode, done: Counter[str]) -> Iterator[Rows]:
    label = f"world {seed}"
    with tempfile.TemporaryDirectory() as folder:
        write_examples(seed, 60, Path(folder))
        store = Store.open(Path(folder) / "data")
        ingest(store, [Path(folder) / "collection"], "world", embedder=embedder)
        searcher = Searcher(store, embedder)
        examples = load_questions(Path(folder) / "questions.jsonl")
        asked = [example for example in examples if not example.is_talk][done[label] :]
        for example in track(asked, len(asked), label):
            yield rows_of(example, searcher, reader, Scope(collections=("world",)), mode, label)
        store.close()


__all__ = ["Rows", "collect", "load_embedder", "rows_of"]
