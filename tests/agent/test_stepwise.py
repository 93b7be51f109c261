"""Questions taken apart: steps found in the passages at hand, steps that wait for a search, answers that pass by."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from agent.inquiry import Inquiry
from agent.matching import WordMatcher
from agent.reader import Reader
from agent.reader_model import load_reader
from agent.stepwise import STEPWISE
from agent.thread import ANSWER_AT
from index.encoders import MiniLMEmbedder
from index.ingest import ingest_passages
from index.retrieve import Searcher
from index.store import Store
from index.types import Hit, Scope

WORLD = (
    ("Report of the Sarn Expedition", "The ship Tall Heron carried the Sarn Expedition to the north in 1870."),
    ("Register of ships", "Ship: Tall Heron; Captain: Zorm Idrik. Ship: Old Curlew; Captain: Pell Aubry."),
    ("Zorm Idrik", "Zorm Idrik was born in Wokgate on 3 May 1841. Idrik kept bees."),
    ("Pell Aubry", "Pell Aubry was born in Marl on 9 June 1850. Aubry painted harbours."),
    ("Lista Vonn", "Lista Vonn wrote The Paper Orchard. It sold well in every town."),
    ("The Paper Orchard", "The Paper Orchard is a novel about bees and weather, born of a long winter in 1888."),
)  # fmt: skip
QUESTION = "Where was the captain of the ship that carried the Sarn Expedition born?"

Opened = Callable[[str], Inquiry]


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory, embedder: MiniLMEmbedder) -> Iterator[Searcher]:
    store = Store.open(tmp_path_factory.mktemp("steps"))
    rows = [{"id": f"p{at}", "title": title, "text": text} for at, (title, text) in enumerate(WORLD)]
    ingest_passages(store, rows, "world", embedder=embedder)
    yield Searcher(store, embedder)
    store.close()


@pytest.fixture
def reader(embedder: MiniLMEmbedder) -> Reader:
    return Reader(embedder, WordMatcher(embedder))


def opened(searcher: Searcher, question: str) -> Inquiry:
    return Inquiry.open(question, searcher, Scope(), load_reader())


def of(hits: Sequence[Hit], *titles: str) -> list[Hit]:
    return [hit for hit in hits if hit.passage.title in titles]


def found(searcher: Searcher, question: str) -> list[Hit]:
    return list(searcher.search(question, len(WORLD), "ranked"))


def test_a_question_is_left_whole_where_the_settings_say_so(searcher: Searcher, reader: Reader) -> None:
    inquiry = Inquiry.open(QUESTION, searcher, Scope(), load_reader(), apart=False)
    goal = inquiry.next_goal()
    assert goal is not None and inquiry.steps is None
    inquiry.read(reader, goal, found(searcher, QUESTION))
    following = inquiry.following()
    assert inquiry.waits == "" and (following is None or "captain of" not in following[0].query)


def test_all_steps_are_found_in_what_one_search_brought(searcher: Searcher, reader: Reader) -> None:
    inquiry = opened(searcher, QUESTION)
    goal = inquiry.next_goal()
    assert goal is not None and inquiry.steps is not None
    inquiry.read(reader, goal, found(searcher, QUESTION))
    assert [step.read.answer for step in inquiry.steps.steps] == ["Tall Heron", "Zorm Idrik"]
    assert inquiry.steps.final is not None and inquiry.steps.final.answer == "Wokgate"
    best = inquiry.whole.judged[0]
    assert best.answer == "Wokgate" and not inquiry.waits
    told = [
        one for one in inquiry.whole.judged if one.chain.answers and one.chain.answers[0].kind == STEPWISE
    ]
    assert len(told) == 1 and "Which ship carried the Sarn Expedition? Tall Heron." in told[0].chain.why
    assert {link.passage.title for link in told[0].chain.links} >= {"Register of ships", "Zorm Idrik"}


def test_a_step_that_no_passage_tells_is_the_next_goal(searcher: Searcher, reader: Reader) -> None:
    inquiry = opened(searcher, QUESTION)
    goal = inquiry.next_goal()
    assert goal is not None
    hits = found(searcher, QUESTION)
    inquiry.read(reader, goal, of(hits, "Report of the Sarn Expedition", "Pell Aubry"))
    assert inquiry.waits == "Who is the captain of Tall Heron?"
    following = inquiry.following()
    assert following is not None and following[0].query == inquiry.waits
    inquiry.read(reader, following[0], of(hits, "Register of ships", "Zorm Idrik"))
    assert inquiry.steps is not None and inquiry.steps.final is not None
    assert inquiry.steps.final.answer == "Wokgate" and inquiry.whole.judged[0].answer == "Wokgate"


def test_an_answer_about_another_is_doubted(searcher: Searcher, reader: Reader) -> None:
    """Everybody's birthplace is told but the captain's: what stands about others is no answer."""
    inquiry = opened(searcher, QUESTION)
    goal = inquiry.next_goal()
    assert goal is not None
    hits = found(searcher, QUESTION)
    inquiry.read(reader, goal, of(hits, "Report of the Sarn Expedition", "Register of ships", "Pell Aubry"))
    while (following := inquiry.following()) is not None and inquiry.waits:
        inquiry.read(reader, following[0], of(hits, "Register of ships", "Pell Aubry"))
    assert all(one.probability < ANSWER_AT for one in inquiry.whole.judged if one.answer == "Marl")


def test_a_fork_goes_its_own_way(searcher: Searcher, reader: Reader) -> None:
    inquiry = opened(searcher, QUESTION)
    goal = inquiry.next_goal()
    assert goal is not None
    hits = found(searcher, QUESTION)
    inquiry.read(reader, goal, of(hits, "Report of the Sarn Expedition"))
    other, before = inquiry.fork(), inquiry.waits
    following = other.following()
    assert following is not None
    other.read(reader, following[0], of(hits, "Register of ships", "Zorm Idrik"))
    assert inquiry.waits == before and len(inquiry.hits) == 1 < len(other.hits)


def test_other_questions_are_not_taken_apart(searcher: Searcher) -> None:
    for question in ("Who wrote The Paper Orchard?", "Which is older, the Tall Heron or the Old Curlew?"):
        assert opened(searcher, question).steps is None
