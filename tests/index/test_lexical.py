"""Words that most passages hold cost time and decide nothing: they are scored only where little else is."""

from collections.abc import Sequence

import numpy as np
import pytest

from index.ingest import ingest_passages
from index.lexical import TextSearch
from index.store import Store
from index.types import Scope, Vectors

FILMS = Scope(collections=("films",))


class Blind:
    """Gives every text the same vector: these tests look at words alone."""

    name, dimension = "blind", 4

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.tile(np.array([1, 0, 0, 0], dtype=np.float32), (len(texts), 1))


def rows(texts: Sequence[str], first: int = 0) -> list[dict[str, str]]:
    return [{"id": f"p{first + at}", "title": "", "text": text} for at, text in enumerate(texts)]


@pytest.fixture
def words(store: Store) -> TextSearch:
    films = [f"A film about lake number{at}." + " Rare harbour." * (at < 3) for at in range(20)]
    ingest_passages(store, rows(films), "films", embedder=Blind())
    ingest_passages(store, rows(["A film about a harbour."]), "others", embedder=Blind())
    return TextSearch(store)


def test_frequencies_are_those_of_the_scope(words: TextSearch) -> None:
    terms = ["film", "harbour", "absent"]
    assert words.frequencies(terms, FILMS) == ([20, 3, 0], 20)
    assert words.frequencies(terms, Scope()) == ([21, 4, 0], 21)


def test_a_common_word_is_not_scored_where_rarer_ones_find_enough(words: TextSearch) -> None:
    assert len(words.search("the film about a rare harbour", 3, FILMS)) == 3
    assert words.telling(["film", "rare", "harbour"], FILMS) == ["rare", "harbour"]
    assert words.telling(["film", "lake", "harbour"], FILMS) == [
        "film",
        "lake",
        "harbour",
    ]  # one alone is too little


def test_where_rarer_words_find_too_little_all_count(words: TextSearch) -> None:
    assert len(words.search("the film about a rare harbour", 50, FILMS)) == 20


def test_counts_follow_changes(words: TextSearch, store: Store) -> None:
    before, _ = words.frequencies(["harbour"], FILMS)
    ingest_passages(store, rows(["Another harbour."], 20), "films", embedder=Blind())
    after, size = words.frequencies(["harbour"], FILMS)
    assert (before, after, size) == ([3], [4], 21)


def test_a_collection_that_comes_while_searching_gives_nothing_away(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest_passages(store, rows(["A rare harbour."]), "films", embedder=Blind())
    words, alone = TextSearch(store), store.holds_only

    def joined(numbers: tuple[int, ...]) -> bool:
        before = alone(numbers)
        if before and len(store.collections()) == 1:
            ingest_passages(store, rows(["A secret harbour."]), "secret", embedder=Blind())
        return before

    monkeypatch.setattr(store, "holds_only", joined)
    found = words.search("harbour", 5, FILMS)
    assert len(store.collections()) == 2
    assert {p.collection for p in store.passages(list(found))} == {"films"}
    assert words.frequencies(["harbour"], FILMS) == ([1], 1)
