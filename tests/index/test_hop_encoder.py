"""The hop encoder: how states are cut, and that an untrained one is the packaged embedder."""

import numpy as np
import pytest

from index import delta, hop_encoder
from index.encoders import load_embedder
from index.hop_encoder import EVIDENCE_TOKENS, MAX_QUESTION_TOKENS, HopEncoder, encode_state

QUESTION = "In which town was the builder of the mill at Oster born?"
MILL = "Oster Mill\nThe mill at Oster was built in 1901 by Mira Vell."


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> HopEncoder:
    path = tmp_path_factory.mktemp("weights") / "hop.safetensors"
    network = hop_encoder.build_network()
    delta.save(path, delta.difference(network, delta.encoder_weights(network)), {})
    return HopEncoder(path)


def test_evidence_shares_its_room_and_the_question_comes_first() -> None:
    long = "word " * 500
    ids, types = encode_state(long, [long, long])
    assert types.count(0) == MAX_QUESTION_TOKENS + 2
    assert types.count(1) == EVIDENCE_TOKENS + 2
    assert len(ids) == len(types)


def test_of_much_evidence_the_last_counts() -> None:
    four = encode_state(QUESTION, ["one", "two", "three", "four"])
    assert four == encode_state(QUESTION, ["two", "three", "four"])


def test_without_evidence_the_untrained_encoder_is_the_embedder(untrained: HopEncoder) -> None:
    plain = load_embedder().embed([QUESTION])[0]
    assert untrained.encode(QUESTION, []) @ plain > 0.999


def test_batches_keep_order_and_unit_length(untrained: HopEncoder) -> None:
    states: list[tuple[str, list[str]]] = [(QUESTION, [MILL]), ("Short?", []), (QUESTION, [])]
    together = untrained.encode_batch(states)
    assert together.shape == (3, hop_encoder.DIMENSION) and together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-3)
    for row, (question, evidence) in zip(together, states, strict=True):
        assert row @ untrained.encode(question, evidence) > 0.999
    assert untrained.encode_batch([]).shape == (0, hop_encoder.DIMENSION)


def test_evidence_changes_what_is_looked_for(untrained: HopEncoder) -> None:
    assert untrained.encode(QUESTION, [MILL]) @ untrained.encode(QUESTION, []) < 0.99


def test_the_shipped_weights_are_what_their_card_says() -> None:
    path = hop_encoder.shipped_weights()
    assert path is not None
    assert delta.load(path) and path.stat().st_size <= 12_000_000
    card = delta.read_card(path)
    assert {"data", "seed", "command", "hardware", "minutes", "dev", "leak_audit"} <= set(card)
    assert card["leak_audit"]["dev_questions_in_training"] == 0
    assert card["leak_audit"]["dev_gold_passages_as_positives"] == 0


def test_evidence_moves_the_shipped_encoder_towards_the_second_hop() -> None:
    """Not always past a passage that shares the question's name: the recall tables say how often."""
    encoder = hop_encoder.load_hop_encoder()
    passages = load_embedder().embed(
        [
            "Mira Vell\nMira Vell was an engineer who was born in the town of Halden.",
            "Rye bread\nRye bread needs a sour dough and a very hot oven.",
            "Oster\nOster is a village with two mills and a small school.",
        ]
    )
    before, after = passages @ encoder.encode(QUESTION, []), passages @ encoder.encode(QUESTION, [MILL])
    assert after[0] > before[0] + 0.05
    assert after[0] - after[2] > before[0] - before[2]
    assert after[0] > after[1] + 0.3
