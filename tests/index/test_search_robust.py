"""Search over links with odd questions and odd collections: sensible results, no crash, no leak."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.errors import InputError
from index.ingest import ingest_passages
from index.retrieve import Searcher
from index.store import Store
from index.types import Hit, Mode, Scope

MODES: tuple[Mode, ...] = ("graph", "ranked", "deep")
NAMES = ("Ada Kell", "Oster", "Bo Finn", "Lantern Press", "Mira Vell", "Order of the Lamp")


class WordVectors:
    """Sums of one fixed random vector for each word: near when words are shared, and no model to load."""

    name, dimension = "words", 32

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        made = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for at, text in enumerate(texts):
            for word in text.lower().split():
                seed = int.from_bytes(blake2b(word.strip(".?").encode(), digest_size=4).digest(), "little")
                made[at] += np.random.default_rng(seed).standard_normal(self.dimension, dtype=np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)


def add(store: Store, rows: Sequence[tuple[str, str, str]], collection: str = "c") -> None:
    ingest_passages(
        store, [{"id": i, "title": t, "text": x} for i, t, x in rows], collection, embedder=WordVectors()
    )


def sources(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage.source for hit in hits]


HUB = [
    *[(f"oster-{n}", f"Street {n}", f"Street {n} lies in Oster and holds {n} houses.") for n in range(30)],
    *[(f"other-{n}", f"Field {n}", f"Field {n} grows barley and {n} trees.") for n in range(27)],
    ("bell", "Ada Kell", "Ada Kell cast the Grey Bell in 1704."),
    ("grey", "Grey Bell", "The Grey Bell hangs in Oster above the fish market."),
    ("finn", "Bo Finn", "Bo Finn repaired clocks in Oster."),
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """A collection of which half names one town."""
    store = Store.open(tmp_path_factory.mktemp("hub"))
    add(store, HUB)
    yield Searcher(store, WordVectors())
    store.close()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_an_empty_question_is_told(hub: Searcher, mode: Mode, question: str) -> None:
    with pytest.raises(InputError, match="empty"):
        hub.search(question, 5, mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("question", ["?", "...", "「」", "\x00", "the of and", "🙂", "' OR 1=1 --", "NEAR("])
def test_signs_alone_crash_nothing(hub: Searcher, mode: Mode, question: str) -> None:
    assert len(hub.search(question, 5, mode)) <= 5


@pytest.mark.parametrize("mode", MODES)
def test_without_a_known_name_the_words_decide(hub: Searcher, mode: Mode) -> None:
    hits = hub.search("who was repairing clocks", 3, mode)
    assert sources(hits)[0] == "finn"
    assert hub.search("Does Zorblatt Quux exist?", 3, mode)  # a name that nothing knows


@pytest.mark.parametrize("mode", MODES)
def test_a_question_of_ten_thousand_characters(hub: Searcher, mode: Mode) -> None:
    asked = "Where does the bell that Ada Kell cast hang? "
    long = (asked + "Please answer as well as you can, with care. " * 300)[:10_000]
    assert len(long) == 10_000
    assert {"bell", "grey"} <= set(sources(hub.search(long, 5, mode)))
    assert hub.search("Oster " * 2000, 5, mode)
    assert hub.search("x" * 10_000, 5, mode) is not None


@pytest.mark.parametrize("mode", MODES)
def test_a_hub_does_not_drown_the_rare_name(hub: Searcher, mode: Mode) -> None:
    found = sources(hub.search("Where in Oster does the bell of Ada Kell hang?", 3, mode))
    assert {"bell", "grey"} <= set(found), found
    assert sources(hub.search("What did Bo Finn repair in Oster?", 1, mode)) == ["finn"]


@pytest.mark.parametrize("mode", MODES)
def test_one_passage_and_none(store: Store, mode: Mode) -> None:
    searcher = Searcher(store, WordVectors())
    store.create_collection("c")
    assert searcher.search("Who is Ada Kell?", 5, mode) == ()
    add(store, [("1", "Ada Kell", "Ada Kell cast bells.")])
    for question in ("Who is Ada Kell?", "Is tea expensive?"):
        assert sources(searcher.search(question, 5, mode)) == ["1"]
    store.delete_document(store.documents("c")[0].id)
    assert searcher.search("Who is Ada Kell?", 5, mode) == ()


@pytest.mark.parametrize("mode", MODES)
def test_collections_with_the_same_names_do_not_leak(store: Store, mode: Mode) -> None:
    """A collection answers as if it were alone, whatever another one says of the same names.

    Scores may move, and near ties with them: FTS5 counts how rare a word is over all collections.
    """
    rows = HUB[-3:] + HUB[:6]
    add(store, rows, "mine")
    question = "Where does the bell that Ada Kell cast hang?"
    searcher, mine = Searcher(store, WordVectors()), Scope(collections=("mine",))
    alone = searcher.search(question, 9, mode, mine)
    add(store, [(f"{i}-theirs", t, f"{x} Ada Kell lives in Oster.") for i, t, x in rows], "theirs")
    again = searcher.search(question, 9, mode, mine)
    assert sources(again)[:2] == sources(alone)[:2] == ["bell", "grey"]
    assert set(sources(again)) == {row[0] for row in rows}
    both = searcher.search(question, 18, mode)
    assert {hit.passage.collection for hit in both} == {"mine", "theirs"}
    only = store.documents("mine")[0].id
    narrowed = searcher.search(question, 9, mode, Scope(documents=(only,)))
    assert {hit.passage.document_id for hit in narrowed} <= {only}


sentences = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(
    lambda names: "It concerns " + " near ".join(names) + "."
)
passages = st.lists(st.tuples(st.sampled_from((*NAMES, "")), sentences), min_size=0, max_size=6)
questions = st.one_of(
    st.text(min_size=1, max_size=60),
    st.lists(st.sampled_from((*NAMES, "who", "near", "1850", "'s", "(film)")), min_size=1, max_size=6).map(
        " ".join
    ),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mine=passages, theirs=passages, question=questions)
def test_any_question_over_any_collections(
    mine: list[tuple[str, str]],
    theirs: list[tuple[str, str]],
    question: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = Store.open(tmp_path_factory.mktemp("any"))
    for name, rows in (("mine", mine), ("theirs", theirs)):
        store.create_collection(name)
        add(store, [(f"{name}-{n}", title, text) for n, (title, text) in enumerate(rows)], name)
    searcher = Searcher(store, WordVectors())
    for mode in MODES:
        if not question.strip():
            with pytest.raises(InputError):
                searcher.search(question, 4, mode)
            continue
        hits = searcher.search(question, 4, mode, Scope(collections=("mine",)))
        assert {hit.passage.collection for hit in hits} <= {"mine"}
        assert len({hit.passage.id for hit in hits}) == len(hits) == min(4, len(mine))
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert all(np.isfinite(hit.score) for hit in hits)
        assert len(searcher.search(question, 50, mode)) == len(mine) + len(theirs)
    store.close()


def test_deep_over_other_vectors_is_ranked(hub: Searcher) -> None:
    """The hop encoder speaks the packaged encoder's vectors alone."""
    asked = "Where in Oster does the bell of Ada Kell hang?"
    assert sources(hub.search(asked, 8, "deep")) == sources(hub.search(asked, 8, "ranked"))
