"""Passages of an ingested collection, for training that needs no labels."""

from __future__ import annotations

from pathlib import Path

from index.errors import InputError
from index.store import Store
from training.skills.reader_recipes import Text

LEAST = 20  # passages below which there is nothing to learn from


def collection_texts(data_dir: Path, name: str) -> list[Text]:
    """Title and text of every passage, in order.

    NotFoundError for an unknown collection; InputError for one too small to learn from.
    """
    store = Store.open(data_dir)
    try:
        documents = store.documents(name)
        texts = [Text(p.title, p.text) for document in documents for p in store.passages_of(document.id)]
    finally:
        store.close()
    if len(texts) < LEAST:
        raise InputError(
            f"The collection {name!r} has {len(texts)} passages; at least {LEAST} are needed to make questions "
            "from. Ingest more documents, or train on question sets: --data DIR."
        )
    return texts
