"""What a follow-up points at and nobody named is looked for in the documents; in doubt it is left as it was said."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from agent.bridging import called, thing_beside
from agent.followup import rewrite
from agent.types import Turn
from index.encoders import MiniLMEmbedder
from index.ingest import ingest_passages
from index.retrieve import Searcher
from index.store import Store
from index.types import Scope

PAGES = {
    "Green Tides": "Green Tides was written by Otto Brann. The Vessel House printed Green Tides in 1911. "
    "The Marrow House had refused it.",
    "Otto Brann": "Otto Brann went to sea on the ship Tern. He was born in Lume, a fishing town.",
    "Gull Bridge": "The Gull Bridge spans the River Orl. Its stone came down the river from Cold Hill.",
    "Twin Lock": "The Twin Lock joins the River Orl and the River Sedge. It was dug in 1790.",
}
SCOPE = Scope(("pages",))


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory, embedder: MiniLMEmbedder) -> Iterator[Searcher]:
    store = Store.open(tmp_path_factory.mktemp("pages"))
    records = [{"id": title, "title": title, "text": text} for title, text in PAGES.items()]
    ingest_passages(store, records, "pages", embedder=embedder)
    yield Searcher(store, embedder)
    store.close()


def meant(searcher: Searcher, follow_up: str, question: str, answer: str) -> str:
    history = (Turn(question, f"{answer}. [1]", answer),)
    return rewrite(follow_up, history, beside=partial(thing_beside, searcher, SCOPE)).text


@pytest.mark.parametrize(
    ("question", "answer", "follow_up", "whole"),
    [
        ("Who wrote Green Tides?", "Otto Brann", "Who owned that house?", "Who owned the Vessel House?"),
        ("When was the Gull Bridge built?", "1850", "Where does that river rise?", "Where does the River Orl rise?"),
        ("When did Otto Brann die?", "1930", "How old was this ship's keel?", "How old was Tern's keel?"),
        ("Who wrote Green Tides?", "Otto Brann", "How large is that town?", "How large is Lume?"),  # of the answer
    ],
)  # fmt: skip
def test_the_one_thing_of_that_kind_beside_the_topic(
    searcher: Searcher, question: str, answer: str, follow_up: str, whole: str
) -> None:
    assert meant(searcher, follow_up, question, answer) == whole


@pytest.mark.parametrize(
    ("question", "follow_up"),
    [
        ("When was the Twin Lock dug?", "Where does that river rise?"),  # two of them
        ("When was the Gull Bridge built?", "Who founded that academy?"),  # none
        ("When was the Gull Bridge built?", "Where does the river rise?"),  # nothing points back
        ("When was the Gull Bridge built?", "Who painted a bridge that spans a river?"),  # no noun
        ("When was the Gull Bridge built?", "Is it true that stone came from Cold Hill?"),
    ],
)
def test_in_doubt_it_is_left_as_it_was_said(searcher: Searcher, question: str, follow_up: str) -> None:
    assert meant(searcher, follow_up, question, "1790") == follow_up


def test_what_was_named_comes_before_what_the_documents_name(searcher: Searcher) -> None:
    said = meant(searcher, "Who owned that house?", "Who printed Green Tides, the Marrow House?", "no")
    assert said == "Who owned Marrow House?"


@pytest.mark.parametrize(
    ("sentence", "noun", "names"),
    [
        ("It was sold by the Lantern Press of Tarsholm.", "press", ("Lantern Press",)),
        ("Reports came by the ship “Tern” and by rail.", "ship", ("Tern",)),
        ("Lume is a small fishing town.", "town", ("Lume",)),
        ("The press of Tarsholm praised it.", "paper", ()),
        ("The bridge spans the River Orl.", "spans", ()),
        ("It was Mira Vell who drew it.", "was", ()),
    ],
)
def test_names_that_say_what_they_are(sentence: str, noun: str, names: tuple[str, ...]) -> None:
    assert called(sentence, noun) == names
