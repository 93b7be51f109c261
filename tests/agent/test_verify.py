from pathlib import Path

import pytest

from agent.compose import QuotingComposer, claim_of, differing
from agent.matching import WordMatcher, weigh
from agent.packing import pack
from agent.types import Composition, Note, Sentence
from agent.verify import Verifier
from index.encoders import MiniLMEmbedder, count_tokens
from index.retrieve import Searcher
from index.store import Store


@pytest.fixture(scope="module")
def store(corpus_dir: Path) -> Store:
    return Store.open(corpus_dir)


@pytest.fixture(scope="module")
def verifier(store: Store, embedder: MiniLMEmbedder) -> Verifier:
    return Verifier(store, WordMatcher(embedder))


def note(store: Store, source: str, quote: str, number: int = 1) -> Note:
    document = next(d for d in store.documents() if d.source == source)
    start = store.document_text(document.id).index(quote)
    passage = store.passages_of(document.id)[0]
    return Note(
        id=f"n{number}", claim=quote, quote=quote, passage_id=passage.id, document_id=document.id,
        title=document.title, source=source, heading="", page=None, start=start, end=start + len(quote),
        goal="g", score=0.9, step=3,
    )  # fmt: skip


def test_quoted_and_written_claims(store: Store, verifier: Verifier) -> None:
    found = note(store, "bridge", "It was designed by Mira Vell and opened in 1887.")
    for text, holds in (
        ("It was designed by Mira Vell and opened in 1887.", True),
        ("Mira Vell designed the Teal Bridge.", True),
        ("Jon Aldin designed the Teal Bridge.", False),
        ("The Teal Bridge opened in 1889.", False),
        ("The Teal Bridge collapsed during a dreadful winter storm.", False),
    ):
        verified = verifier.verify(Composition("", (Sentence(text, ("n1",)),)), (found,))
        assert bool(verified.claims) is holds, text
        assert verified.dropped == (() if holds else (text,))


def test_a_citation_of_nothing_is_dropped(store: Store, verifier: Verifier) -> None:
    found = note(store, "bridge", "It was designed by Mira Vell")
    moved = Note(
        **{**found.__dict__} if hasattr(found, "__dict__") else _fields(found) | {"start": found.start + 1}
    )
    assert not verifier.exists(moved)
    assert not verifier.verify(Composition("", (Sentence(found.quote, ("n9",)),)), (found,)).claims


def _fields(found: Note) -> dict[str, object]:
    return {name: getattr(found, name) for name in found.__slots__}


def test_numbers_follow_the_text(store: Store, verifier: Verifier) -> None:
    one = note(store, "bridge", "It was designed by Mira Vell", 1)
    two = note(store, "vell", "She was born in Tarsholm", 2)
    made = QuotingComposer().compose("?", (one, two), "Tarsholm")
    verified = verifier.verify(made, (one, two))
    assert [c.number for c in verified.citations] == [1, 2]
    assert verified.claims[0].text == "Tarsholm."
    other = differing(made, (one,), {"n1": "3 May 1931"}, "Mira Vell, 1850")
    told = "Another source differs (Teal Bridge, 3 May 1931; the answer is from Mira Vell, 1850): "
    assert other.sentences[-1].lead == told
    assert differing(made, ()) == made


def test_claims_read_on_their_own() -> None:
    assert claim_of("She was born in Velm in 1850 and never left the town.", "Mira Vell").startswith(
        "Mira Vell: She"
    )
    assert claim_of("The Teal Bridge was designed by Mira Vell and opened.", "Teal Bridge").startswith(
        "The Teal"
    )


def test_words_cover_by_meaning(embedder: MiniLMEmbedder) -> None:
    matcher = WordMatcher(embedder)
    degrees = matcher.cover(
        ("founded", "1987", "walnut"),
        ("It was established in 1986.", "The founders left in 1987.", ""),
    )
    assert degrees[0, 0] > 0.5 and degrees[1, 0] > 0.5
    assert degrees[0, 1] == 0.0 and degrees[1, 1] == 1.0
    assert degrees[:, 2].max() < 0.5 and not degrees[2].any()
    assert weigh([1, 1], 10).tolist() == [0.5, 0.5]


def test_packing_keeps_the_budget(store: Store, embedder: MiniLMEmbedder) -> None:
    hits = Searcher(store, embedder).search("bridge river town", 8)
    for budget in (1, 40, 10_000):
        kept, tokens = pack(hits, budget)
        assert kept and tokens == sum(count_tokens([h.passage.text for h in kept]))
        assert tokens <= budget or len(kept) == 1
