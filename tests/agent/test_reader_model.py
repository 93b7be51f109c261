"""How scores become readings, and that the shipped reader reads."""

import subprocess
import sys

import numpy as np
import pytest

from agent import reader_model
from agent.reader_model import OUTPUTS, Calibration, ReaderModel, best_span, decode, encode, load_reader
from index import delta
from index.minilm import multiplies_bf16

TEXT = "Oster Mill\nThe mill at Oster was built in 1901 by Mira Vell."


def logits(start: int, end: int, one: reader_model.Encoded) -> np.ndarray:
    spans = np.zeros((len(one.ids), 2), dtype=np.float32)
    spans[one.first + start, 0] = spans[one.first + end, 1] = 12.0
    return spans


def test_the_best_span_stands_in_the_text_and_not_in_the_question() -> None:
    one = encode("Who built the mill?", TEXT)
    spans = logits(0, 0, one)
    spans[1, 0] = spans[2, 1] = 50.0  # inside the question
    left, right, _ = best_span(one, spans)
    assert (left, right) == (0, 0)


def test_decoding_gives_characters_and_probabilities_that_sum_to_one() -> None:
    one = encode("Who built the mill?", TEXT)
    at = [TEXT[a:b] for a, b in one.offsets].index("Mira")
    reading = decode(TEXT, one, logits(at, at + 2, one), np.array([0.0, 3.0, 0.0, 0.0, 2.0]))
    assert reading.answer == "Mira Vell" and TEXT[reading.start : reading.end] == "Mira Vell"
    assert reading.none + reading.probability + reading.yes + reading.no == pytest.approx(1.0)
    assert reading.probability > 0.8
    assert reading.enough == pytest.approx(0.8808, abs=1e-4)  # sigmoid(2)


def test_an_empty_text_answers_nothing() -> None:
    one = encode("Who built the mill?", "")
    reading = decode("", one, np.zeros((len(one.ids), 2)), np.zeros(OUTPUTS))
    assert (reading.answer, reading.probability) == ("", 0.0)
    assert 0.0 <= reading.none <= 1.0


def test_calibration_moves_only_the_doubt() -> None:
    assert Calibration().probability(0.0, -3.0) == pytest.approx(0.5)
    doubtful = Calibration(none=1.0, span=-0.5, bias=0.0)
    assert doubtful.probability(0.0, -4.0) > doubtful.probability(0.0, -1.0)
    assert Calibration().probability(1e9, 0.0) <= 1.0


def test_long_texts_are_read_in_windows_and_offsets_stay_true() -> None:
    text = "word " * 600
    several = reader_model.windows("Which word?", text)
    assert len(several) == 2 and encode("Which word?", text) == several[0]
    assert len(several[0].ids) == reader_model.MAX_TOKENS
    covered = {at for one in several for at in one.offsets}
    assert len(covered) == 600 and all(text[a:b] == "word" for a, b in covered)
    assert len(several[0].offsets) + len(several[1].offsets) == 600 + reader_model.STRIDE


@pytest.fixture(scope="module")
def shipped() -> ReaderModel:
    model = load_reader()
    assert model is not None
    return model


def test_the_shipped_reader_reads(shipped: ReaderModel) -> None:
    readings = shipped.read("Who built the mill at Oster?", [TEXT, "Rye bread needs a very hot oven."])
    assert readings[0].answer == "Mira Vell"
    assert readings[0].none < readings[1].none
    assert shipped.read("Who built the mill?", []) == []


def test_texts_are_read_alike_alone_and_in_a_batch(shipped: ReaderModel) -> None:
    texts = [TEXT, "Mira Vell was an engineer who was born in the town of Halden.", TEXT + " " + TEXT]
    together = shipped.read("When was the mill built?", texts)
    alone = [shipped.read("When was the mill built?", [text])[0] for text in texts]
    assert [r.answer for r in together] == [r.answer for r in alone]
    assert [r.none for r in together] == pytest.approx([r.none for r in alone], abs=0.05)


def test_the_shipped_weights_are_what_their_card_says() -> None:
    path = reader_model.shipped_weights()
    assert path is not None
    assert delta.load(path) and path.stat().st_size <= 12_000_000
    card = delta.read_card(path)
    assert {"data", "seed", "command", "hardware", "minutes", "dev", "leak_audit"} <= set(card)
    assert card["leak_audit"]["dev_questions_in_training"] == 0
    assert card["leak_audit"]["dev_gold_passages_as_positives"] == 0


def test_a_span_never_cuts_a_word_or_a_figure() -> None:
    text = "In 1987, 943,626,804 votes and 3.5 km to Weir."
    for cut, wanted in (
        ("626", "943,626,804"),
        ("3", "943,626,804"),
        ("98", "1987"),
        ("5 k", "3.5 km"),
        ("ei", "Weir"),
    ):
        at = text.index(cut)
        start, end = reader_model.whole(text, at, at + len(cut))
        assert text[start:end] == wanted
    assert reader_model.whole("", 0, 0) == (0, 0)


@pytest.mark.parametrize(
    ("cut", "wanted"),
    [
        ("insert", "Entry::or_insert"),
        ("HASH", "MILL_HASH_SEED"),
        ("init", "__init__"),
        ("and", "and"),
        ("at", "at"),
    ],
)
def test_a_span_ends_with_whole_identifiers(cut: str, wanted: str) -> None:
    text = "Call Entry::or_insert and __init__ with MILL_HASH_SEED at: noon."
    at = text.index(cut)
    start, end = reader_model.whole(text, at, at + len(cut))
    assert text[start:end] == wanted
    kept = reader_model.Reading(at, at + len(cut), cut, 0.5, 0.0, 0.0, 0.5)
    assert reader_model.widened(text, kept).answer == wanted


def test_reading_and_searching_import_no_torch() -> None:
    """Importing it takes longer than answering a question."""
    code = (
        "import sys\n"
        "from agent.reader_model import load_reader\n"
        "from index.encoders import load_embedder\n"
        "from index.hop_encoder import load_hop_encoder\n"
        "load_embedder().embed(['Who?'])\n"
        "load_hop_encoder().encode('Who?', ['Mira Vell'])\n"
        "load_reader().read('Who?', ['Mira Vell'])\n"
        "print(*(name for name in ('torch', 'transformers') if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split() == (["torch", "transformers"] if multiplies_bf16() else [])
