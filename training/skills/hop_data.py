"""Search states to learn from: (question, evidence so far) -> the passages that are still missing.

Multi-hop questions give: the question alone -> all gold; with one or two gold passages found -> the rest, in any
order (MuSiQue: along its chain); with a plausible wrong passage found -> all gold, so that a bad first step does
not decide the second. Single-hop questions keep the encoder good where one search is enough. Bridges need no
questions: two sentences that share a name, with the name left out (the idea of RAMP in MaskSearch, Wu et al.
2025): both passages from the pair, and the second from the pair with the first.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.chunk import sentence_spans
from index.encoders import load_embedder
from index.types import Vectors
from training.benchmark_index import open_index
from training.data import open_data
from training.skills.leaks import LeakAudit, fold, read_lines
from training.skills.mixture import Source

MULTI = {"hotpotqa_distractor": 0.33, "2wiki_distractor": 0.22, "musique_distractor": 0.07}
SINGLE = {"squad1_duetest": 0.10, "qed_nq": 0.12, "squad2_dev_half": 0.04}
BRIDGES = 0.12
SETS = (*MULTI, *SINGLE)
NO_TITLE = 0.3
WRONG = 8  # wrong evidence is one of so many nearest passages that are not gold
MASK = "what"
_NAME = r"(?:[A-Z]\.|[A-Z][\w'-]*)"
_NAMES = re.compile(rf"{_NAME}(?: (?:(?:(?:of|the|and|de|in) )?{_NAME}|\([\w ]+\)))*")


@dataclass(frozen=True, slots=True)
class Pool:
    """A set's passages with their stored vectors, in the same order."""

    name: str
    titles: tuple[str, ...]
    texts: tuple[str, ...]
    vectors: Vectors  # (passages, 384), unit rows
    row_of: Mapping[str, int]  # passage id -> row

    def shown(self, row: int, title: bool = True) -> str:
        """A passage as evidence."""
        return f"{self.titles[row]}\n{self.texts[row]}" if title and self.titles[row] else self.texts[row]


@dataclass(frozen=True, slots=True)
class Hop:
    """A question of a pool: its gold rows (in order where `ordered`) and plausible wrong ones."""

    pool: Pool
    question: str
    gold: tuple[int, ...]
    wrong: tuple[int, ...] = ()
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class HopExample:
    """A state and its answer: rows of `pool` to find, rows that are already found."""

    pool: Pool
    question: str
    evidence: tuple[str, ...]
    missing: tuple[int, ...]
    found: tuple[int, ...]


def open_pool(folder: Path, name: str, cache: Path | None = None) -> Pool:
    """The passages of a set, with vectors from the evaluation index (built on first use: minutes)."""
    with open_index(open_data(folder / name), (), load_embedder(), cache) as index:
        rows = index.store.connection.execute(
            "SELECT d.source, d.title, p.text, p.vector FROM passages p JOIN documents d ON d.id = p.document_id"
            " ORDER BY p.id"
        ).fetchall()
    vectors = np.stack([np.frombuffer(row[3], dtype=np.float16) for row in rows]).astype(np.float32)
    row_of = {str(row[0]): at for at, row in enumerate(rows)}
    return Pool(name, tuple(str(r[1]) for r in rows), tuple(str(r[2]) for r in rows), vectors, row_of)


def sources(
    pools: Mapping[str, Pool], folder: Path, seed: int, audit: LeakAudit
) -> list[Source[Any, HopExample]]:
    """One source for each set, and the bridges of the multi-hop pools."""
    found: list[Source[Any, HopExample]] = []
    for name, share in (*MULTI.items(), *SINGLE.items()):
        records = hops(pools[name], folder, audit)
        found.append(Source(name, records, multi_state if name in MULTI else single_state, share, share))
    bridges = [pair for name in MULTI for pair in find_bridges(pools[name], audit, seed)]
    return [*found, Source("bridges", bridges, bridge_state, 2 * BRIDGES, BRIDGES / 2)]


def trained_on(found: Sequence[Source[Any, HopExample]]) -> tuple[set[str], set[str]]:
    """(questions, texts of gold passages) of all sources: what the leak audit looks at."""
    questions: set[str] = set()
    gold: set[str] = set()
    for record in (record for source in found for record in source.records):
        if isinstance(record, Hop):
            questions.add(record.question)
            gold.update(record.pool.texts[row] for row in record.gold)
        else:
            gold.update(record.pool.texts[row] for row in (record.first, record.second))
    return questions, gold


def hops(pool: Pool, folder: Path, audit: LeakAudit | None, split: str = "train") -> list[Hop]:
    """A split's questions with gold; wrong evidence from plain dense search. `audit` None keeps all."""
    corpus = {key: {"text": pool.texts[row]} for key, row in pool.row_of.items()}
    questions = [
        question
        for question in read_lines(folder / pool.name / f"{split}.jsonl")
        if question["supporting"]
        and (audit is None or (question["answers"] and audit.allows(pool.name, question, corpus)))
    ]
    asked = load_embedder().embed([question["question"] for question in questions])
    found = []
    for question, vector in zip(questions, asked, strict=True):
        chain = [step["pid"] for step in question.get("decomposition", ()) if step.get("pid")]
        keys = tuple(dict.fromkeys(chain or question["supporting"]))
        gold = tuple(pool.row_of[key] for key in keys)
        nearest = np.argsort(-(pool.vectors @ vector))[: WRONG + len(gold)]
        wrong = tuple(int(row) for row in nearest if row not in gold)[:WRONG]
        found.append(Hop(pool, question["question"], gold, wrong, ordered=bool(chain)))
    return found


def multi_state(hop: Hop, rng: random.Random, progress: float) -> HopExample | None:
    """A state of a multi-hop question."""
    gold, draw = hop.gold, rng.random()
    if len(gold) < 2:
        return single_state(hop, rng, progress)
    if draw < 0.3:
        return _example(hop, (), gold, rng)
    if draw < 0.5 and hop.wrong:
        return _example(hop, (rng.choice(hop.wrong),), gold, rng)
    count = rng.randint(1, min(3, len(gold) - 1))
    found = gold[:count] if hop.ordered and rng.random() < 0.8 else tuple(rng.sample(gold, count))
    missing = tuple(row for row in gold if row not in found)
    if hop.wrong and count == 1 and rng.random() < 0.15:
        found = (*found, rng.choice(hop.wrong))
    return _example(hop, found, missing, rng)


def single_state(hop: Hop, rng: random.Random, progress: float) -> HopExample | None:
    """A state of a single-hop question: nothing found yet, or something wrong."""
    wrong = (rng.choice(hop.wrong),) if hop.wrong and rng.random() < 0.25 else ()
    return _example(hop, wrong, hop.gold, rng)


def _example(hop: Hop, found: tuple[int, ...], missing: tuple[int, ...], rng: random.Random) -> HopExample:
    evidence = tuple(hop.pool.shown(row, title=rng.random() >= NO_TITLE) for row in found)
    return HopExample(hop.pool, hop.question, evidence, missing, found)


@dataclass(frozen=True, slots=True)
class Bridge:
    """Passage `first` names the title of passage `second`, or both hold `name`."""

    pool: Pool
    first: int
    second: int
    shared: str = ""

    @property
    def name(self) -> str:
        """What joins the two."""
        return self.shared or self.pool.titles[self.second]


def find_bridges(pool: Pool, audit: LeakAudit, seed: int, limit: int = 6000) -> list[Bridge]:
    """Pairs of passages where one names the other's title; gold passages of development questions are left out."""
    by_title: dict[str, list[int]] = {}
    for row, title in enumerate(pool.titles):
        by_title.setdefault(title, []).append(row)
    barred = {row for row, text in enumerate(pool.texts) if fold(text) in audit.passages}
    found = []
    for row, text in enumerate(pool.texts):
        if row in barred:
            continue
        for name in set(_NAMES.findall(text)):
            rows = by_title.get(name, ())
            if name != pool.titles[row] and len(rows) == 1 and rows[0] not in barred:
                found.append(Bridge(pool, row, rows[0]))
    random.Random(seed).shuffle(found)
    return found[:limit]


def bridge_state(bridge: Bridge, rng: random.Random, progress: float) -> HopExample | None:
    """The two sentences without the name they share; or with the first passage at hand."""
    pool, question = bridge.pool, bridge_question(bridge, rng)
    if not question:
        return None
    if rng.random() < 0.4:
        return HopExample(pool, question, (), (bridge.first, bridge.second), ())
    evidence = (pool.shown(bridge.first, title=rng.random() >= NO_TITLE),)
    return HopExample(pool, question, evidence, (bridge.second,), (bridge.first,))


def bridge_question(bridge: Bridge, rng: random.Random) -> str:
    """A sentence of each passage without the name they share; "" where they have none."""
    pool, name = bridge.pool, bridge.name
    first = next(_sentences_with(pool.texts[bridge.first], name), "")
    text = pool.texts[bridge.second]
    told = (
        list(_sentences_with(text, name))
        if bridge.shared
        else [text[a:b] for a, b in sentence_spans(text)[:4]]
    )
    if not first or not told:
        return ""
    title = pool.titles[bridge.first]
    lead = first if title in first else f"{title}: {first}"
    return f"{lead.replace(name, MASK)} {_without(rng.choice(told), name)}"[:300]


def _sentences_with(text: str, name: str) -> Iterator[str]:
    yield from (text[a:b] for a, b in sentence_spans(text) if name in text[a:b])


def _without(sentence: str, name: str) -> str:
    """A sentence with every word of the name left out."""
    words = {word for word in re.findall(r"\w+", name) if len(word) > 2}
    return " ".join(re.sub(r"\w+", lambda m: MASK if m[0] in words else m[0], sentence).split())
