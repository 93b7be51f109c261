"""Rows the judge learns from: every evidence chain of the live agent's reading, and whether its answer is right.

The agent's own inquiry runs over training questions of many kinds (whole pools, with and without titles; the
question's own candidates, where one gold passage may be missing; tables; files of fictional worlds), and is looked at
after each of its searches. The features are those that the judge was shown, in the order in which it was. An
unanswerable question has no right chain.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.config import AgentConfig
from agent.inquiry import Inquiry
from agent.judge import FEATURES, Judged
from agent.matching import WordMatcher
from agent.memo import MemoSearch
from agent.packing import evidence
from agent.reader import Reader
from agent.reader_model import ReaderModel
from index.encoders import load_embedder
from index.ingest import ingest
from index.retrieve import Searcher
from index.store import Store
from index.types import Embedder, Mode, Scope
from training.benchmark_index import BenchmarkIndex, open_index
from training.data import QAExample, load_questions, open_data
from training.metrics import f1
from training.skills.ranker_data import spread
from training.world_cli import write_examples

RIGHT = 0.7  # F1 from which an answer counts as right
SEARCHES = 2
DEEP = 3  # every third question is searched at the deepest level
TURN = 10  # questions of a source before the next source has its turn
BUDGET = AgentConfig()  # what a question may cost by default
ReaderFor = Callable[[str], ReaderModel | None]  # question -> reader


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
    Source("2wiki_distractor", 300),
    Source("hotpotqa_distractor", 400),
    Source("musique_distractor", 140),
    Source("squad2_dev_half", 300),
    Source("squad1_duetest", 200),
    Source("qed_nq", 250),
    Source("popqa_1000", 120),
    Source("tatqa_dev", 120),
    Source("hotpotqa_insufficient", 200, own_scope=True),
    Source("hotpotqa_distractor", 120, own_scope=True),
    Source("squad2_dev_half", 120, own_scope=True),
    Source("squad2_dev_half", 100, titles=False),
    Source("squad1_duetest", 100, titles=False),
    Source("musique_distractor", 60, titles=False),
    Source("2wiki_distractor", 60, titles=False),
)
WORLD_SEEDS = (301, 302, 303, 304, 305, 306, 307, 308)


@dataclass(frozen=True, slots=True)
class Rows:
    """A look at one question: a row of features and a label for each chain."""

    source: str
    question: str
    features: np.ndarray  # (chains, FEATURES)
    right: np.ndarray  # (chains,)
    answerable: bool


def collect(
    data: Path | None,
    embedder: Embedder,
    cache: Path | None,
    mode: Mode,
    done: Counter[str],
    reader_for: ReaderFor,
) -> Iterator[Rows]:
    """Rows of all sources (without data of the worlds alone), the sources taking turns.

    done: questions of each source that need not be asked again, by label. reader_for: the reader of a question, one
    that did not learn from it.
    """
    reader = Reader(embedder, WordMatcher(embedder))  # one for all: it remembers the vectors of words
    with ExitStack() as open_things:
        streams = [_world(seed, reader, embedder, mode, done, reader_for) for seed in WORLD_SEEDS]
        for source in SOURCES if data is not None else ():
            assert data is not None
            folder = open_data(data / source.name)
            examples = load_questions(folder.root / "train.jsonl")
            index = open_things.enter_context(open_index(folder, examples, embedder, cache, source.titles))
            chosen = spread(examples, source.limit)[done[source.label] :]
            streams.append(_asked(source, chosen, index, reader, embedder, mode, reader_for))
        while streams:
            for stream in list(streams):
                for _ in range(TURN):
                    looks = next(stream, None)
                    if looks is None:
                        streams.remove(stream)
                        break
                    yield from looks


def _asked(
    source: Source,
    examples: Sequence[QAExample],
    index: BenchmarkIndex,
    reader: Reader,
    embedder: Embedder,
    mode: Mode,
    reader_for: ReaderFor,
) -> Iterator[list[Rows]]:
    searcher = Searcher(index.store, embedder)
    for at, example in enumerate(examples):
        own = index.locator.document_ids(example.own_scope) if source.own_scope else ()
        scope = Scope(collections=(index.collection,), documents=own)
        level: Mode = "deep" if at % DEEP == DEEP - 1 else mode
        yield looks_of(example, searcher, reader, scope, level, source.label, reader_for(example.question))


def looks_of(
    example: QAExample,
    searcher: Searcher,
    reader: Reader,
    scope: Scope,
    mode: Mode,
    label: str,
    model: ReaderModel | None,
) -> list[Rows]:
    """What the judge is shown after each search of the inquiry."""
    inquiry, search = Inquiry.open(example.question, searcher, scope, model), MemoSearch(searcher, scope)
    golds = () if example.unanswerable else example.answers
    found: list[Rows] = []
    for _ in range(SEARCHES):
        goal = inquiry.next_goal()
        if goal is None or inquiry.at > 0:
            break
        hits, _ = evidence(search, goal.query, mode, BUDGET)
        inquiry.read(reader, goal, hits)
        found.append(_rows(label, example.question, inquiry.whole.judged, golds))
    return found


def _rows(label: str, question: str, judged: Sequence[Judged], golds: Sequence[str]) -> Rows:
    table = [[one.features[name] for name in FEATURES] for one in judged]
    right = [bool(golds) and bool(one.answer) and f1(one.answer, golds) >= RIGHT for one in judged]
    features = np.array(table, dtype=np.float32).reshape(-1, len(FEATURES))
    return Rows(label, question, features, np.array(right, dtype=np.float32), bool(golds))


def _world(
    seed: int, reader: Reader, embedder: Embedder, mode: Mode, done: Counter[str], reader_for: ReaderFor
) -> Iterator[list[Rows]]:
    label = f"world {seed}"
    with tempfile.TemporaryDirectory() as folder:
        write_examples(seed, 60, Path(folder))
        store = Store.open(Path(folder) / "data")
        ingest(store, [Path(folder) / "collection"], "world", embedder=embedder)
        searcher = Searcher(store, embedder)
        examples = load_questions(Path(folder) / "questions.jsonl")
        asked = [example for example in examples if not example.is_talk][done[label] :]
        for example in asked:
            model = reader_for(example.question)
            yield looks_of(example, searcher, reader, Scope(collections=("world",)), mode, label, model)
        store.close()


__all__ = ["Rows", "collect", "load_embedder", "looks_of"]
