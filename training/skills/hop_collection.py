"""What the hop encoder learns from a person's own collection, and what that does to the documents held out.

States need no labels: a passage's sentence with a name, date or figure masked asks for the passage (alone, or after a
near but wrong one); two passages of different documents that share a name of the collection's graph make a bridge. The
negatives are all other passages that are learned from. Fictional worlds keep what it knew.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from index.encoders import load_embedder
from index.errors import InputError
from index.hop_encoder import HopEncoder
from index.store import Store
from training.benchmark_index import open_index
from training.data import load_questions, open_data
from training.skills import hop_scores
from training.skills.collection import OwnCollection, gain, shared_names
from training.skills.hop_data import (
    WRONG,
    Bridge,
    Hop,
    HopExample,
    Pool,
    bridge_question,
    bridge_state,
    multi_state,
    single_state,
)
from training.skills.mixture import Source
from training.skills.ramp import Unlabelled
from training.skills.ranker_data import WORLD_SIZE
from training.skills.reader_recipes import Text
from training.world_cli import write_examples

WORLDS = (341,)  # seeds that no other training and no evaluation uses
SHARES = {"self-made": 0.5, "own bridges": 0.3, "worlds": 0.12, "world bridges": 0.08}
RARE_NAME = 8  # a name in more passages leads anywhere
BRIDGES = 4000
ASKED = 150  # held-out questions of each kind, at most


@dataclass(frozen=True, slots=True)
class Cloze:
    """Asks for a passage of a pool by one of its sentences with a span masked."""

    passages: Unlabelled
    pool: Pool

    def hop(self, row: int, rng: random.Random) -> Hop | None:
        """A question for passage `row`, with the nearest other passages as wrong evidence."""
        masked = self.passages.masked(row, rng)
        if masked is None:
            return None
        nearest = np.argsort(-(self.pool.vectors @ self.pool.vectors[row]))[: WRONG + 1]
        return Hop(self.pool, masked.question, (row,), tuple(int(at) for at in nearest if at != row)[:WRONG])

    def state(self, row: int, rng: random.Random, progress: float) -> HopExample | None:
        """A state to learn from."""
        hop = self.hop(row, rng)
        return None if hop is None else single_state(hop, rng, progress)


def pool_of(data_dir: Path, own: OwnCollection, rows: Sequence[int]) -> Pool:
    """Passages of the collection with their stored vectors. StoreError when another encoder made them."""
    store = Store.open(data_dir)
    try:
        store.require_embedder(load_embedder().name)
        vectors = store.vectors([own.passages[at].id for at in rows])
    finally:
        store.close()
    chosen = [own.passages[at] for at in rows]
    return Pool(
        f"collection {own.name}",
        tuple(p.title for p in chosen),
        tuple(p.text for p in chosen),
        np.stack([vectors[p.id] for p in chosen]),
        {str(p.id): row for row, p in enumerate(chosen)},
    )


def sources(data_dir: Path, own: OwnCollection, seed: int) -> list[Source[Any, HopExample]]:
    """States of the documents to learn from, and of fictional worlds (made and encoded now: a minute).

    InputError when nothing of the collection can be asked for.
    """
    learn = own.rows(held_out=False)
    pool = pool_of(data_dir, own, learn)
    passages = _unlabelled(pool)
    askable = [row for row in range(len(learn)) if passages.masked(row, random.Random(seed)) is not None]
    if not askable:
        raise InputError(
            f"No passage of the collection {own.name!r} holds a name, date or figure in a sentence, so that no "
            "question can be made from it. Train on question sets instead: --data DIR."
        )
    joined = name_bridges(pool, own, learn, shared_names(data_dir, own, RARE_NAME))
    random.Random(seed).shuffle(joined)
    asked, bridges = _worlds()
    found: dict[str, tuple[Sequence[Any], Any]] = {
        "self-made": (askable, Cloze(passages, pool).state),
        "own bridges": (joined[:BRIDGES], bridge_state),
        "worlds": (asked, multi_state),
        "world bridges": (bridges, bridge_state),
    }
    return [Source(name, *found[name], SHARES[name], SHARES[name]) for name in SHARES]


def name_bridges(
    pool: Pool, own: OwnCollection, rows: Sequence[int], names: Mapping[str, Sequence[int]]
) -> list[Bridge]:
    """Pairs of a pool's passages, of different documents, that hold the same name; rows: their places in `own`."""
    at = {row: place for place, row in enumerate(rows)}
    return [
        Bridge(pool, at[first], at[second], name)
        for name, holders in names.items()
        for first in holders
        for second in holders
        if first in at
        and second in at
        and own.passages[first].document_id != own.passages[second].document_id
    ]


def adaptation(before: Path, after: Path, data_dir: Path, own: OwnCollection) -> dict[str, Any]:
    """Recall in the whole collection for questions over the documents held out, before and after.

    "passage R@5": cloze questions, the question alone. "bridge R@5": the pair's first passage as evidence, the second
    to find. "beam R@5": both, by two searches. Each with the gain's interval; "plain" is the packaged encoder.
    """
    rows = range(len(own.passages))
    pool = pool_of(data_dir, own, rows)
    cloze = Cloze(_unlabelled(pool), pool)
    held = set(own.rows(held_out=True))
    rng = random.Random(0)
    order = sorted(held) * 3  # some sentences cannot be asked about
    rng.shuffle(order)
    single = list(islice((hop for row in order if (hop := cloze.hop(row, rng)) is not None), ASKED))
    pairs = [
        bridge
        for bridge in name_bridges(pool, own, rows, shared_names(data_dir, own, RARE_NAME))
        if bridge.second in held
    ]
    rng.shuffle(pairs)
    joined = list(islice(_asked(pairs, rng), ASKED))
    old, new = HopEncoder(before), HopEncoder(after)
    measures = {"passage R@5": _gain(single, hop_scores.first, old, new)}
    if joined:
        measures["bridge R@5"] = _gain(joined, hop_scores.after_one, old, new)
        measures["beam R@5"] = _gain(joined, hop_scores.beam, old, new)
    plain = hop_scores.first(single, hop_scores.plain)
    measures["passage R@5"]["plain"] = round(float(np.mean(hop_scores.recalls_at_5(single, plain))), 4)
    return measures


def _asked(bridges: Iterable[Bridge], rng: random.Random) -> Iterable[Hop]:
    for one in bridges:
        question = bridge_question(one, rng)
        if question:
            yield Hop(one.pool, question, (one.first, one.second), ordered=True)


def _gain(asked: Sequence[Hop], rank: Any, old: HopEncoder, new: HopEncoder) -> dict[str, Any]:
    kept = [Hop(h.pool, h.question, h.gold[1:]) for h in asked] if rank is hop_scores.after_one else asked
    before, after = (hop_scores.recalls_at_5(kept, rank(asked, one.encode_batch)) for one in (old, new))
    return gain(before, after)


def _unlabelled(pool: Pool) -> Unlabelled:
    return Unlabelled.of([Text(title, text) for title, text in zip(pool.titles, pool.texts, strict=True)])


def _worlds() -> tuple[list[Hop], list[Bridge]]:
    """Questions and bridges of fictional worlds, each over its own passages."""
    asked: list[Hop] = []
    bridges: list[Bridge] = []
    for number in WORLDS:
        with tempfile.TemporaryDirectory() as made:
            write_examples(number, WORLD_SIZE, Path(made))
            examples = [e for e in load_questions(Path(made) / "questions.jsonl") if e.evidence]
            with open_index(open_data(made), examples, load_embedder(), Path(made) / "index") as index:
                own = OwnCollection(
                    f"of world {number}",
                    tuple(p for d in index.store.documents() for p in index.store.passages_of(d.id)),
                    frozenset(),
                )
                pool = pool_of(index.store.data_dir, own, range(len(own.passages)))
                for example in examples:
                    gold = index.locator.gold_of(example)
                    rows = tuple(
                        row
                        for row, p in enumerate(own.passages)
                        if any(one.covered_by(p.document_id, p.start, p.end) for one in gold)
                    )
                    if rows:
                        asked.append(Hop(pool, example.question, rows))
                names = shared_names(index.store.data_dir, own, RARE_NAME)
                bridges += name_bridges(pool, own, range(len(own.passages)), names)
    return asked, bridges
