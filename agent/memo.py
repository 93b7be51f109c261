"""What one question has already paid for: searches, word vectors and readings, kept while the question lives.

The second search of a question reads many of the same passages again, and the forks of a run (the offline trainer
explores every action) repeat whole searches. Both ask here first. Nothing outlives the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.reader_model import ReaderModel, Reading
from index.bearing import bearing
from index.retrieve import Searcher
from index.types import Embedder, Hit, Mode, Scope, Vectors


class MemoEmbedder:
    """An embedder that embeds each text once."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vectors] = {}

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit rows, one per text."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._embedder.embed(new), strict=True))
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        return np.stack([self._known[text] for text in texts])


class MemoReader(ReaderModel):
    """A reader that reads each text for a question once."""

    def __init__(self, reader: ReaderModel) -> None:
        self._reader = reader
        self._known: dict[tuple[str, str], Reading] = {}

    def read(self, question: str, texts: Sequence[str]) -> list[Reading]:
        """One reading for each text, in order."""
        new = [text for text in dict.fromkeys(texts) if (question, text) not in self._known]
        if new:
            readings = self._reader.read(question, new)
            self._known.update(((question, t), r) for t, r in zip(new, readings, strict=True))
        return [self._known[question, text] for text in texts]


@dataclass(slots=True)
class MemoSearch:
    """Searches of one scope, each made once."""

    searcher: Searcher
    scope: Scope
    _known: dict[tuple[str, int, Mode], tuple[Hit, ...]] = field(default_factory=dict)
    _cut: dict[tuple[str, int, Mode, float], tuple[Hit, ...]] = field(default_factory=dict)

    def search(self, query: str, k: int, mode: Mode) -> tuple[Hit, ...]:
        """As Searcher.search."""
        key = (query, k, mode)
        if key not in self._known:
            self._known[key] = self.searcher.search(query, k, mode, self.scope)
        return self._known[key]

    def bearing(self, query: str, k: int, mode: Mode, worth: float) -> tuple[Hit, ...]:
        """The same cut to what bears on the query (index.bearing)."""
        key = (query, k, mode, worth)
        if key not in self._cut:
            self._cut[key] = bearing(self.searcher, query, self.search(query, k, mode), self.scope, worth)
        return self._cut[key]
