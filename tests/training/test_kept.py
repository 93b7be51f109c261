"""What measurements keep between runs: the same vectors and readings, computed once."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.reader_model import ReaderModel, Reading, load_reader, shipped_weights
from index.encoders import MiniLMEmbedder
from index.types import Vectors
from training.kept import Kept, KeptEmbedder, KeptReader


class Counting(MiniLMEmbedder):
    """Counts the texts it embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.done += texts
        return super().embed(texts)


class CountingReader(ReaderModel):
    """Counts the texts it reads."""

    def __init__(self, reader: ReaderModel) -> None:
        self.reader, self.done = reader, 0

    def read(self, question: str, texts: Sequence[str]) -> list[Reading]:
        self.done += len(texts)
        return self.reader.read(question, texts)


def test_vectors_and_readings_outlive_the_process(tmp_path: Path) -> None:
    texts = [
        "The Teal Bridge opened in 1887.",
        "Mira Vell was born in Tarsholm.",
        "The Teal Bridge opened in 1887.",
    ]
    embedder, first = Counting(), Kept(tmp_path / "readings.db")
    shipped, weights = load_reader(), shipped_weights()
    assert shipped is not None and weights is not None
    reader = CountingReader(shipped)
    vectors = KeptEmbedder(embedder, first).embed(texts)
    readings = KeptReader(reader, weights, first).read("When did the Teal Bridge open?", texts)
    first.close()
    assert embedder.done == texts[:2] and reader.done == 2
    assert readings[0].answer == "1887" and readings[0] == readings[2]

    again = Kept(tmp_path / "readings.db")
    assert np.array_equal(KeptEmbedder(embedder, again).embed(texts[::-1]), vectors[::-1])
    kept = KeptReader(reader, weights, again)
    assert kept.read("When did the Teal Bridge open?", texts) == readings
    assert embedder.done == texts[:2] and reader.done == 2
    kept.read("Where was Mira Vell born?", texts[:1])  # another question is another reading
    assert reader.done == 3
    again.close()
