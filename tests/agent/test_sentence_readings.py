"""Where the reader sees the answer, sentence by sentence."""

from __future__ import annotations

import numpy as np
import pytest

from agent.reader_model import ReaderModel, best_span, encode, load_reader
from agent.sentence_readings import by_part
from index.readings import FLOOR, OF_SENTENCE

TITLE = "Oster Mill"
FIRST, SECOND = "The mill at Oster was built in 1901 by Mira Vell.", "It grinds rye and barley for the town."
TEXT = f"{TITLE}\n{FIRST} {SECOND}"
QUESTION = "Who built the mill at Oster?"
LOW = len(TITLE) + 1
BOUNDS = [(0, len(TITLE)), (LOW, LOW + len(FIRST)), (LOW + len(FIRST) + 1, len(TEXT))]
SPAN = OF_SENTENCE.index("span")


def random_logs(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Span logits of all tokens, and log probabilities of the text's."""
    one = encode(QUESTION, TEXT)
    spans = np.random.default_rng(seed).normal(0, 3, (len(one.ids), 2)).astype(np.float32)
    logs = spans - np.logaddexp.reduce(spans, axis=0)
    return spans, logs[one.first : one.first + len(one.offsets)]


@pytest.mark.parametrize("seed", range(5))
def test_the_whole_text_as_one_part_holds_the_best_span(seed: int) -> None:
    one = encode(QUESTION, TEXT)
    spans, logs = random_logs(seed)
    (whole,) = by_part(one, logs, [(0, len(TEXT))])
    assert whole[SPAN] == pytest.approx(best_span(one, spans)[2], abs=1e-4)
    assert whole[0] == pytest.approx(logs[:, 0].max(), abs=1e-5)
    parts = by_part(one, logs, BOUNDS)
    assert (by_part(one, logs, [(0, 0), *BOUNDS])[0] == FLOOR).all()  # nothing stands there
    assert (parts[:, SPAN] <= whole[SPAN] + 1e-5).all()
    together = np.logaddexp.reduce(parts[:, OF_SENTENCE.index("starts")])
    assert together == pytest.approx(whole[OF_SENTENCE.index("starts")], abs=1e-4)


def test_a_span_does_not_cross_sentences() -> None:
    one = encode(QUESTION, TEXT)
    logs = np.full((len(one.offsets), 2), -20.0, dtype=np.float32)
    words = [TEXT[a:b] for a, b in one.offsets]
    logs[words.index("Vell") if "Vell" in words else words.index("Mira"), 0] = -0.1
    logs[words.index("rye"), 1] = -0.1
    parts = by_part(one, logs, BOUNDS)
    assert (parts[:, SPAN] < -20).all()
    assert by_part(one, logs, [(0, len(TEXT))])[0, SPAN] == pytest.approx(-0.2)


@pytest.fixture(scope="module")
def shipped() -> ReaderModel:
    model = load_reader()
    assert model is not None
    return model


def test_tokens_are_scored_as_readings_are(shipped: ReaderModel) -> None:
    long = " ".join([TEXT] + ["Nothing of note happened in that year."] * 60)
    scored = shipped.scores(QUESTION, [TEXT, long])
    read = shipped.read(QUESTION, [TEXT, long])
    assert [len(windows) > 1 for windows in scored] == [False, True]
    for windows, reading in zip(scored, read, strict=True):
        assert max((one.reading for one in windows), key=lambda one: one.sureness) == reading
        for one in windows:
            assert one.logs.shape == (len(one.encoded.offsets), 2)
            assert (one.logs <= 0).all() and one.best <= 0


def test_the_sentence_with_the_answer_stands_out(shipped: ReaderModel) -> None:
    (windows,) = shipped.scores(QUESTION, [TEXT])
    parts = by_part(windows[0].encoded, windows[0].logs, BOUNDS)
    assert parts[:, SPAN].argmax() == 1
