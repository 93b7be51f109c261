"""A person's own collection to adapt a skill to: what is learned from, and what was held out to show the gain.

Every HELD_OUT-th document teaches nothing: no question, no evidence, no wrong passage comes from it while a skill
learns. Self-made questions over those documents are answered before and after, and the card says both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import InputError
from index.passage_knowledge import knowledge_of
from index.store import Store
from index.types import Passage
from training.metrics import Interval, bootstrap, paired_difference
from training.skills.reader_recipes import Text

HELD_OUT = 5  # every so many-th document is not learned from: it shows what was gained
LEAST = 20  # passages below which there is nothing to learn from
_WORDS = re.compile(r"[\w'’.-]+(?: [\w'’.-]+)+")
NAMED = ("name", "title", "quoted")  # kinds of entities that lead from one passage to another


@dataclass(frozen=True, slots=True)
class OwnCollection:
    """The passages of an ingested collection, in order, and the documents that are not learned from."""

    name: str
    passages: tuple[Passage, ...]
    held: frozenset[str]  # ids of documents held out

    def rows(self, held_out: bool) -> list[int]:
        """Places of the passages held out, or of those to learn from."""
        return [at for at, p in enumerate(self.passages) if (p.document_id in self.held) == held_out]

    def texts(self, held_out: bool) -> list[Text]:
        """Those passages as a reader sees them."""
        return [Text(self.passages[at].title, self.passages[at].text) for at in self.rows(held_out)]

    def card(self, measures: Mapping[str, Any]) -> dict[str, Any]:
        """The card's entry: what was learned from, and each measure on what was held out (`gain`)."""
        learn = self.rows(held_out=False)
        return {
            "name": self.name,
            "learned_from": {
                "documents": len({self.passages[at].document_id for at in learn}),
                "passages": len(learn),
            },
            "held_out": {"documents": len(self.held), "passages": len(self.passages) - len(learn)},
            "measures": dict(measures),
        }


def open_collection(data_dir: Path, name: str) -> OwnCollection:
    """The collection's passages. NotFoundError for an unknown one; InputError for one too small to learn from."""
    store = Store.open(data_dir)
    try:
        documents = [one for one in store.documents(name) if one.passages]
        passages = tuple(p for one in documents for p in store.passages_of(one.id))
    finally:
        store.close()
    own = OwnCollection(name, passages, frozenset(one.id for one in documents[HELD_OUT - 1 :: HELD_OUT]))
    learn, held_out = len(own.rows(held_out=False)), len(own.rows(held_out=True))
    if min(learn, HELD_OUT * held_out) < LEAST:
        raise InputError(
            f"The collection {name!r} has {len(passages)} passages in {len(documents)} documents; at least "
            f"{LEAST} passages and {HELD_OUT} documents are needed to make questions from. Ingest more "
            "documents, or train on question sets: --data DIR."
        )
    return own


def collection_texts(data_dir: Path, name: str) -> tuple[list[Text], list[Text]]:
    """(passages to learn from, passages of the documents held out), each in order; errors of `open_collection`."""
    own = open_collection(data_dir, name)
    return own.texts(held_out=False), own.texts(held_out=True)


def shared_names(data_dir: Path, own: OwnCollection, most: int) -> dict[str, tuple[int, ...]]:
    """Names of several words as spelled -> the passages (places in `own.passages`) that hold them.

    From the collection's own graph: the entities that extraction found. Only names of 2 to `most` passages.
    """
    place = {passage.id: at for at, passage in enumerate(own.passages)}
    rows: dict[str, set[int]] = {}
    store = Store.open(data_dir)
    try:
        for document in dict.fromkeys(passage.document_id for passage in own.passages):
            for one in knowledge_of(store, store.passages_of(document)).named:
                passage = own.passages[place[one.passage_id]]
                name = passage.text[max(0, one.start - passage.start) : max(0, one.end - passage.start)]
                if one.kind in NAMED and _WORDS.fullmatch(name):
                    rows.setdefault(name, set()).add(place[one.passage_id])
    finally:
        store.close()
    return {name: tuple(sorted(at)) for name, at in sorted(rows.items()) if 1 < len(at) <= most}


def gain(before: Sequence[float], after: Sequence[float]) -> dict[str, Any]:
    """A measure of the same questions before and after (more is better), with 95 % bootstrap intervals."""
    return {
        "n": len(before),
        "before": _rounded(bootstrap(before)),
        "after": _rounded(bootstrap(after)),
        "gain": _rounded(paired_difference(after, before)),
    }


def helped(card: Mapping[str, Any]) -> bool | None:
    """Whether the first measure of an adaptation gained beyond noise; None for weights that were not adapted."""
    measures = card.get("collection", {}).get("measures", {})
    first = next(iter(measures.values()), None)
    return None if first is None else bool((first["gain"][1] or 0.0) > 0)


def _rounded(interval: Interval) -> list[float | None]:
    """[mean, low, high] with four digits."""
    return [None if x is None else round(x, 4) for x in (interval.mean, interval.low, interval.high)]
