"""Passages of an ingested collection, for training that needs no labels."""

from __future__ import annotations

from pathlib import Path

from index.errors import InputError
from index.store import Store
from training.skills.reader_recipes import Text

HELD_OUT = 5  # every so many-th document is not learned from: it shows what was gained
LEAST = 20  # passages below which there is nothing to learn from


def collection_texts(data_dir: Path, name: str) -> tuple[list[Text], list[Text]]:
    """(passages to learn from, passages of the documents held out), each in order.

    NotFoundError for an unknown collection; InputError for one too small to learn from.
    """
    store = Store.open(data_dir)
    learn: list[Text] = []
    held_out: list[Text] = []
    try:
        for at, document in enumerate(store.documents(name)):
            part = held_out if at % HELD_OUT == HELD_OUT - 1 else learn
            part += [Text(p.title, p.text) for p in store.passages_of(document.id)]
    finally:
        store.close()
    if min(len(learn), HELD_OUT * len(held_out)) < LEAST:
        raise InputError(
            f"The collection {name!r} has {len(learn) + len(held_out)} passages in too few documents; at least "
            f"{LEAST} passages and {HELD_OUT} documents are needed to make questions from. Ingest more "
            "documents, or train on question sets: --data DIR."
        )
    return learn, held_out
