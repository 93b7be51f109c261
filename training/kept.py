"""What measurements have already computed: word vectors and readings, kept in a file beside the evaluation indexes.

Encoding sentences and reading passages is nearly all of an answer's cost, and both depend on nothing but the text and
the weights. Kept under a hash of these, they make a second measurement, after a change of the judge, the policy or
the loop, many times cheaper. Never used where seconds are reported.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import astuple
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from agent.reader_model import ReaderModel, Reading, load_reader, shipped_weights, widened
from agent.sentence_readings import SentenceReadings, shown
from index.encoders import load_embedder
from index.offered import Offer
from index.readings import COLUMNS, Floats
from index.types import Embedder, Vectors
from training.benchmark_index import default_cache

PARAMETERS = 500  # SQLite's safe number of values in one statement


class Kept:
    """Byte strings by key in one SQLite file. Safe for threads and for several processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=60, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")  # a cache: what is lost is computed again
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID"
        )

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The values that are known."""
        found: dict[bytes, bytes] = {}
        with self._lock:
            for at in range(0, len(keys), PARAMETERS):
                some = keys[at : at + PARAMETERS]
                marks = ",".join("?" * len(some))
                found.update(
                    self._connection.execute(f"SELECT key, value FROM kept WHERE key IN ({marks})", some)
                )
        return found

    def put(self, values: dict[bytes, bytes]) -> None:
        """Keep values."""
        with self._lock, self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", list(values.items()))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _through(
    kept: Kept,
    keys: Sequence[bytes],
    compute: Callable[[list[int]], list[Any]],
    dump: Callable[[Any], bytes],
    load: Callable[[bytes], Any],
) -> list[Any]:
    """The value of each key in order, computed (by positions) and kept where it is not known."""
    known = kept.get(keys)
    first = {key: at for at, key in reversed(list(enumerate(keys))) if key not in known}
    made = dict(zip(first, compute(list(first.values())), strict=True)) if first else {}
    if made:
        kept.put({key: dump(value) for key, value in made.items()})
    return [made[key] if key in made else load(known[key]) for key in keys]


class KeptEmbedder:
    """An embedder that embeds each text once in the life of the file."""

    def __init__(self, embedder: Embedder, kept: Kept) -> None:
        self._embedder = embedder
        self._kept = kept
        self._salt = sha256(embedder.name.encode()).digest()

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit rows, one per text."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        rows = _through(
            self._kept,
            [_key(self._salt, text) for text in texts],
            lambda places: list(self._embedder.embed([texts[at] for at in places])),
            lambda row: np.asarray(row, np.float32).tobytes(),
            lambda value: np.frombuffer(value, np.float32),
        )
        return np.stack(rows)


class KeptReader(ReaderModel):
    """A reader that reads each text for a question once in the life of the file."""

    def __init__(self, reader: ReaderModel, weights: Path, kept: Kept) -> None:
        self._reader = reader
        self._kept = kept
        self._salt = salt_of(weights)

    def read(self, question: str, texts: Sequence[str]) -> list[Reading]:
        """One reading for each text, in order."""
        readings = _through(
            self._kept,
            [_key(self._salt, question, text) for text in texts],
            lambda places: self._reader.read(question, [texts[at] for at in places]),
            lambda reading: json.dumps(astuple(reading)).encode(),
            lambda value: Reading(*json.loads(value)),
        )
        return [widened(text, reading) for text, reading in zip(texts, readings, strict=True)]


class KeptSentenceReadings(SentenceReadings):
    """Reads each passage for packing once in the life of the file."""

    def __init__(self, weights: Path, kept: Kept) -> None:
        super().__init__(ReaderModel(weights))
        self._kept = kept
        self._salt = salt_of(weights)

    def of_hits(self, offered: Offer, hits: Sequence[int]) -> list[Floats]:
        """As SentenceReadings.of_hits."""
        return _through(
            self._kept,
            [self.key(offered, hit) for hit in hits],
            lambda places: super(KeptSentenceReadings, self).of_hits(offered, [hits[at] for at in places]),
            lambda found: np.asarray(found, np.float32).tobytes(),
            lambda value: np.frombuffer(value, np.float32).reshape(-1, len(COLUMNS)),
        )

    def key(self, offered: Offer, hit: int) -> bytes:
        """What a hit's readings are kept under."""
        text, bounds = shown(offered, hit)
        return _key(self._salt, "sentences", offered.question, text, repr(bounds))


def kept_file(cache: Path | None = None) -> Kept:
    """The file of readings in the evaluation cache."""
    return Kept((cache if cache is not None else default_cache()) / "readings.db")


def salt_of(weights: Path) -> bytes:
    """Stands for a weights file with its card."""
    card = weights.with_suffix(".json")
    return sha256(weights.read_bytes() + (card.read_bytes() if card.is_file() else b"")).digest()


def kept_models(cache: Path | None = None) -> tuple[Embedder, ReaderModel | None]:
    """The encoder and the shipped reader, both remembering in the evaluation cache."""
    kept = kept_file(cache)
    reader, weights = load_reader(), shipped_weights()
    kept_reader = KeptReader(reader, weights, kept) if reader is not None and weights is not None else None
    return KeptEmbedder(load_embedder(), kept), kept_reader


def _key(salt: bytes, *texts: str) -> bytes:
    digest = sha256(salt)
    for text in texts:
        digest.update(f"{len(text)}\0{text}".encode())
    return digest.digest()[:16]
