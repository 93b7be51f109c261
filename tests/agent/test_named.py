"""Documents that a question cites by number: how they are found, and that they are searched."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.named import citations, hits_within, named_documents
from agent.question import analyse, spelled_out
from index.encoders import MiniLMEmbedder
from index.ingest import ingest
from index.retrieve import Searcher
from index.store import Store
from index.types import Scope

LONG = (
    "The miller weighs every sack before it is ground, and writes what he finds into the book of the mill. "
)
FILES = {
    "gap-0012.rst": "GAP: 12\nTitle: Grain and price\nAuthor: Orla Fenn\nStatus: Final\nCreated: 02-Mar-2011\n\n"
    f"Abstract\n=======\n\n{LONG * 12}\n\nRationale\n=========\n\nThe toll is one part in sixteen.\n",
    "gap-0340.rst": "GAP: 340\nTitle: Carts\nAuthor: Nils Aro\nStatus: Draft\nCreated: 05-Sep-2017\n\n"
    "Abstract\n=======\n\nCarts wait in the yard.\n",
    "0340-wheels.md": "- Start Date: 2014-01-09\n- RFC PR: mill-lang/rfcs#340\n\n## Summary\n\nWheels turn faster.\n",
}


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory, embedder: MiniLMEmbedder) -> Searcher:
    folder: Path = tmp_path_factory.mktemp("papers")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    store = Store.open(tmp_path_factory.mktemp("store"))
    ingest(store, [folder], "papers", embedder=embedder)
    return Searcher(store, embedder)


def names(searcher: Searcher, question: str) -> list[str]:
    found = named_documents(question, searcher, Scope(("papers",)))
    return [Path(searcher.store.document(key).source).name for key in found]


@pytest.mark.parametrize(
    ("question", "files"),
    [
        ("What is the toll by GAP 12?", ["gap-0012.rst"]),
        ("What is the toll by GAP-0012?", ["gap-0012.rst"]),
        ("Which is older, GAP 340 or GAP #12?", ["gap-0340.rst", "gap-0012.rst"]),
        ("Which GAP is older, 340 or 12?", ["gap-0340.rst", "gap-0012.rst"]),
        ("What does RFC 340 change?", ["0340-wheels.md"]),  # by its file's name and its own words
        ("What does GAP 34 say?", []),
        ("What did the GAP say in 2011?", []),
        ("How many carts wait?", []),
    ],
)
def test_what_a_question_cites(searcher: Searcher, question: str, files: list[str]) -> None:
    assert names(searcher, question) == files


def test_titles_hold_the_number_of_the_header(searcher: Searcher) -> None:
    titles = {d.title for d in searcher.store.documents("papers")}
    assert titles == {"GAP 12: Grain and price", "GAP 340: Carts", "0340 wheels"}


def test_each_document_gives_its_best_passages_and_its_opening(searcher: Searcher) -> None:
    scope = Scope(("papers",))
    documents = named_documents("GAP 12 and GAP 340", searcher, scope)
    hits = hits_within(documents, "What is the toll?", "hybrid", searcher, scope)
    assert {hit.passage.document_id for hit in hits} == set(documents)
    assert len({hit.passage.id for hit in hits}) == len(hits)
    opening = searcher.store.passages_of(documents[0])[0]
    assert opening.id in {hit.passage.id for hit in hits}


def test_scope_holds(searcher: Searcher) -> None:
    other = next(d.id for d in searcher.store.documents("papers") if d.source.endswith("gap-0340.rst"))
    assert named_documents("What is in GAP 12?", searcher, Scope(("papers",), (other,))) == ()


def test_numbers_of_a_series_are_spelled_out() -> None:
    assert spelled_out("Do RFCs 12 and 340 differ?") == "Do RFC 12 and RFC 340 differ?"
    kept = "Is the population of the UK between 1918 and 1920 known?"
    assert spelled_out(kept) == kept
    assert [c.text for c in citations("Does UTF-8 of EIP-20 hold in Kestrel 3.11?")] == ["UTF 8", "EIP 20"]
    assert analyse("Which GAP is older, 340 or 12?").options == ("GAP 340", "GAP 12")
