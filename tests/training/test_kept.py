"""What measurements keep between runs: the same vectors and readings, computed once."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.reader_model import ReaderModel, Reading, load_reader, shipped_weights
from agent.sentence_readings import SentenceReadings
from index.encoders import MiniLMEmbedder
from index.features import Asked
from index.nearness import nearness
from index.offered import Offer, Sentence
from index.readings import COLUMNS
from index.types import Hit, Passage, Vectors
from training.kept import Kept, KeptEmbedder, KeptReader, KeptSentenceReadings


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


def offered(question: str, texts: Sequence[tuple[str, ...]]) -> Offer:
    """Passages given by their sentences."""
    hits, sentences = [], []
    for at, parts in enumerate(texts):
        start = 100 * at  # passages need not open their document
        text = " ".join(parts)
        passage = Passage(at, f"d{at}", "c", f"Page {at}", f"p{at}", "", text, start, start + len(text))
        hits.append(Hit(passage, 0.5, at + 1, "ranked"))
        for number, part in enumerate(parts):
            sentences.append(
                Sentence(at, number, start, start + len(part), part, 10, frozenset(), (), 0, "", 0.0)
            )
            start += len(part) + 1
    none = frozenset[str]()
    asked = Asked((), np.zeros(0, np.float32), compares=False)
    near = nearness(question, asked, [none] * len(texts), [(one.text, one.stems) for one in sentences])
    count = len(texts)
    return Offer(
        question, asked, none, tuple(hits), ("",) * count, (none,) * count, (2,) * count, (0.1,) * count,
        tuple(sentences), near,
    )  # fmt: skip


def test_passages_are_read_for_packing_once(tmp_path: Path) -> None:
    weights, shipped = shipped_weights(), load_reader()
    assert weights is not None and shipped is not None
    given = offered(
        "When did the Teal Bridge open?",
        [
            ("Mira Vell built it.", "The Teal Bridge opened in 1887.", "Its lamps are lit."),
            ("The fair is in May.",),
        ],
    )
    fresh = SentenceReadings(shipped)(given)
    assert fresh.shape == (4, len(COLUMNS))
    span, answers = COLUMNS.index("span"), COLUMNS.index("answers")
    assert fresh[:3, span].argmax() == 1 and fresh[0, answers] == fresh[2, answers] > fresh[3, answers]

    kept = Kept(tmp_path / "readings.db")
    first = KeptSentenceReadings(weights, kept)
    assert np.allclose(first(given), fresh, atol=1e-4)
    first._model = None  # type: ignore[assignment]  # whoever asks again must not read
    assert np.allclose(first(given), fresh, atol=1e-4)
    kept.close()
