"""Packing of evidence: within its budget, nothing twice, and every item where it says it stands."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.encoders import count_tokens
from index.errors import StoreError
from index.evidence_pack import Packed, lean_worth, load_packer, pack_evidence
from index.extract import RuleExtractor
from index.features import Asked
from index.knowledge import sentences_of, triplets_of
from index.offered import Offer, offer
from index.read_look import READ, third_look
from index.readings import COLUMNS, FLOOR
from index.records import DocumentVersion
from index.sentence_features import FIRST, SECOND, first_look, second_look
from index.store import Store
from index.types import Draft, Hit
from index.words import stems_of

BRIDGE = (
    "The Teal Bridge crosses the River Aske. It was designed by Mira Vell and opened in 1887. "
    "Its lamps are lit at dusk. The toll is two crowns."
)
VELL = (
    "Mira Vell was an engineer. She was born in Tarsholm on 3 May 1850. She played the glass viola. "
    "Her brother Jon Vell sold almanacs for the Lantern Press."
)
FAIR = "The fair is held every September. Entrance costs 4 crowns for adults. Children pay nothing."
QUESTION = "Where was the designer of the Teal Bridge born?"


def commit(store: Store, source: str, title: str, parts: Sequence[str]) -> None:
    """A document of several passages, each at its place in the text."""
    text, drafts = "", []
    for part in parts:
        start = len(text) + 2 if text else 0
        text = f"{text}\n\n{part}" if text else part
        drafts.append(Draft(start, start + len(part), part, ""))
    store.commit(
        store.create_collection("c"),
        DocumentVersion(
            source=source, title=title, media_type="text/plain", content_hash=sha256(text.encode()).hexdigest(),
            recipe="test", size=len(text), pages=None, text=text, drafts=tuple(drafts),
            vectors=np.ones((len(drafts), 4), dtype=np.float32),
            knowledge=RuleExtractor().extract(title, text, drafts),
        ),
    )  # fmt: skip


@pytest.fixture
def filled(store: Store) -> Store:
    commit(store, "bridge", "Teal Bridge", ["A note before the article, of no use.", BRIDGE])
    commit(store, "vell", "Mira Vell", [VELL, "A list of her other works follows. It is long."])
    commit(store, "fair", "Tarsholm Fair", [FAIR])
    commit(store, "copy", "Tarsholm Fair", [FAIR])
    return store


def asked(question: str) -> Asked:
    words = tuple(dict.fromkeys(word for word in stems_of(question) if len(word) > 3))
    return Asked(words, np.full(len(words), 1 / max(len(words), 1), dtype=np.float32), compares=False)


def hits(store: Store, scores: dict[str, float]) -> list[Hit]:
    """Every passage with the score of its first words, best first; 0.01 for one that is not named."""
    found = []
    for document in store.documents():
        for passage in store.passages_of(document.id):
            score = next((s for text, s in scores.items() if passage.text.startswith(text)), 0.01)
            found.append((score, passage))
    found.sort(key=lambda pair: (-pair[0], pair[1].id))
    return [Hit(passage, score, rank, "ranked") for rank, (score, passage) in enumerate(found, start=1)]


def check(store: Store, items: Sequence[Packed], budget: int) -> None:
    """What holds for every packing."""
    tokens = sum(item.tokens for item in items)
    assert tokens <= budget or len(items) == 1
    assert [item.tokens for item in items] == count_tokens([item.text for item in items])
    places: set[tuple[int, int]] = set()
    texts = [" ".join(item.text.split()) for item in items]
    assert len(set(texts)) == len(texts)
    for item in items:
        if item.kind != "triplet":
            assert store.document_text(item.document_id)[item.start : item.end] == item.text
        assert 0 <= item.start < item.end
        rows = sentences_of(store.connection, [item.passage_id])
        held = {
            (item.passage_id, number)
            for _, number, start, end in rows
            if item.start <= start and end <= item.end
        }
        assert held
        if item.kind != "triplet":
            assert not held & places, item
        places |= held


def test_nothing_from_nothing(filled: Store) -> None:
    assert pack_evidence(filled, QUESTION, asked(QUESTION), ["teal bridge"], [], 300) == ()
    assert pack_evidence(filled, "", asked(""), [], [], 300) == ()


def test_what_bears_stays_and_the_rest_goes(filled: Store) -> None:
    found = hits(filled, {"The Teal": 0.3, "Mira Vell": 0.3})
    items = pack_evidence(filled, QUESTION, asked(QUESTION), ["teal bridge"], found, 50)
    check(filled, items, 50)
    text = " ".join(item.text for item in items)
    assert "designed by Mira Vell" in text
    assert "born in Tarsholm" in text
    assert "toll" not in text
    assert "fair" not in text


def test_a_sure_passage_is_kept_whole(filled: Store) -> None:
    found = hits(filled, {"Mira Vell": 0.97})
    items = pack_evidence(filled, QUESTION, asked(QUESTION), ["teal bridge"], found, 400)
    assert VELL in [item.text for item in items if item.kind == "passage"]
    check(filled, items, 400)


def test_the_first_item_comes_even_where_it_is_too_long(filled: Store) -> None:
    found = hits(filled, {"Mira Vell": 0.97})
    items = pack_evidence(filled, QUESTION, asked(QUESTION), [], found[:1], 3)
    assert [item.text for item in items] == ["She was born in Tarsholm on 3 May 1850."]


def test_a_sentence_that_does_not_fit_leaves_its_statement(filled: Store) -> None:
    found = hits(filled, {"The Teal": 0.3, "Mira Vell": 0.3})
    found = [hit for hit in found if hit.passage.text in (BRIDGE, VELL)]
    items = pack_evidence(filled, QUESTION, asked(QUESTION), ["teal bridge"], found, 38)
    check(filled, items, 38)
    stated = [item for item in items if item.kind == "triplet"]
    assert stated
    for item in stated:
        said = triplets_of(filled.connection, [item.passage_id])
        assert item.text in [" ".join(parts) for _, _, *parts in said]


def test_less_worth_keeps_more(filled: Store) -> None:
    found = hits(filled, {"The Teal": 0.9, "Mira Vell": 0.8})
    sizes = [
        sum(
            item.tokens
            for item in pack_evidence(filled, QUESTION, asked(QUESTION), ["teal bridge"], found, 500, worth)
        )
        for worth in (1.0, 0.3, 0.05, 0.0)
    ]
    assert sizes == sorted(sizes) and 0 < sizes[0] < sizes[-1]
    every = {" ".join(hit.passage.text.split()) for hit in found}
    assert sizes[-1] >= sum(count_tokens(sorted(every))) - 2 * len(every)


def test_features_are_as_many_as_their_names(filled: Store) -> None:
    found = hits(filled, {"The Teal": 0.9, "Mira Vell": 0.8})
    offered = offer(filled, QUESTION, asked(QUESTION), ["teal bridge"], found)
    first = first_look(offered)
    assert first.shape == (len(offered.sentences), len(FIRST))
    both = second_look(offered, first, np.zeros(len(first), np.float32))
    assert both.shape == (len(first), len(FIRST) + len(SECOND))
    assert np.isfinite(both).all()
    needs = load_packer().needs(offered)
    assert ((needs > 0) & (needs < 1)).all()
    born = next(at for at, one in enumerate(offered.sentences) if one.text.startswith("She was born"))
    other = next(at for at, one in enumerate(offered.sentences) if one.text.startswith("Her brother"))
    assert needs[born] > needs[other]
    column = FIRST.index("asks_where")
    assert (first[:, column] == 1).all() and first[born, FIRST.index("dates")] > 0


class Seer:
    """A reader that sees the answer in one sentence, and in no other passage."""

    def __init__(self, start: str) -> None:
        self._start = start

    def __call__(self, offered: Offer) -> np.ndarray:
        place = next(at for at, one in enumerate(offered.sentences) if one.text.startswith(self._start))
        out = np.full((len(offered.sentences), len(COLUMNS)), FLOOR, dtype=np.float32)
        for at, one in enumerate(offered.sentences):
            own = one.hit == offered.sentences[place].hit
            out[at] = [-6.0] * 5 + [0.95 if own else 0.02, 0.0, 0.0, 0.5, -0.1 if own else -3.0, FLOOR]
        out[place, :5] = -0.1
        return out


def test_what_the_reader_sees_counts(filled: Store) -> None:
    found = hits(filled, {"The Teal": 0.9, "Mira Vell": 0.8})
    offered = offer(filled, QUESTION, asked(QUESTION), ["teal bridge"], found)
    packer = load_packer("packer-read")
    unread, brother, born = (
        packer.needs(offered, reader) for reader in (None, Seer("Her brother"), Seer("She was born"))
    )
    assert (unread == load_packer().needs(offered)).all()
    at = {
        name: next(at for at, one in enumerate(offered.sentences) if one.text.startswith(name))
        for name in ("Her brother", "She was born")
    }
    assert brother[at["Her brother"]] > 2 * born[at["Her brother"]]
    assert born[at["She was born"]] > brother[at["She was born"]]
    items = pack_evidence(
        filled, QUESTION, asked(QUESTION), ["teal bridge"], found, 300, reader=Seer("She was born")
    )
    check(filled, items, 300)
    assert items == packer.pack(offered, 300, lean_worth(offered, born), born)
    assert "born in Tarsholm" in " ".join(item.text for item in items)


def test_the_third_look_has_as_many_numbers_as_names(filled: Store) -> None:
    found = hits(filled, {"The Teal": 0.9})
    offered = offer(filled, QUESTION, asked(QUESTION), ["teal bridge"], found)
    seen, scores = first_look(offered), np.zeros(len(offered.sentences), np.float32)
    look = third_look(offered, seen, scores, scores, Seer("Its lamps")(offered))
    assert look.shape == (len(seen), len(FIRST) + len(READ)) and np.isfinite(look).all()
    lamps = next(at for at, one in enumerate(offered.sentences) if one.text.startswith("Its lamps"))
    column = len(FIRST) + READ.index("sure_rank")
    assert look[lamps, column] == 1 and (np.delete(look[:, column], lamps) < 1).all()


def test_packing_after_reading_needs_its_weights(filled: Store) -> None:
    offered = offer(filled, QUESTION, asked(QUESTION), [], hits(filled, {"The Teal": 0.9}))
    with pytest.raises(StoreError, match="packer-read"):
        load_packer().needs(offered, Seer("Its lamps"))


def test_lean_packing_asks_more_where_need_is_spread(filled: Store) -> None:
    offered = offer(filled, QUESTION, asked(QUESTION), [], hits(filled, {"The Teal": 0.9}))
    best = sum(one.tokens for one in offered.sentences if one.hit < 5) + sum(offered.title_tokens[:5])
    few = np.zeros(len(offered.sentences), np.float32)
    few[0] = 0.9
    spread = np.full(len(few), 0.5, np.float32)
    assert lean_worth(offered, few) == pytest.approx(15.4 * 0.9 / best)
    assert lean_worth(offered, spread) > lean_worth(offered, few)
    nothing = offer(filled, QUESTION, asked(QUESTION), [], [])
    assert 0 < lean_worth(nothing, np.zeros(0, np.float32)) < 1e-3


def test_missing_weights_are_told() -> None:
    with pytest.raises(StoreError, match="forage train skill packer"):
        load_packer("nothing")


def test_copies_are_packed_once(filled: Store) -> None:
    found = hits(filled, {"The fair": 0.9})
    items = pack_evidence(
        filled, "What does the fair cost?", asked("What does the fair cost?"), [], found, 500
    )
    assert sum(item.text == FAIR for item in items) == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scores=st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4),
    budget=st.integers(1, 400),
    question=st.sampled_from((QUESTION, "", "Who sold almanacs?", "?", "crowns " * 50)),
    entities=st.lists(st.sampled_from(("teal bridge", "mira vell", "tarsholm", "nobody")), max_size=3),
)
def test_any_packing(
    filled: Store, scores: list[float], budget: int, question: str, entities: list[str]
) -> None:
    named = dict(zip(("The Teal", "Mira Vell", "The fair", "A note"), scores, strict=True))
    found = hits(filled, named)
    items = pack_evidence(filled, question, asked(question), entities, found, budget)
    assert items
    check(filled, items, budget)
    assert items == pack_evidence(filled, question, asked(question), entities, found, budget)
