"""Passages that disagree are all read, and their answers told by votes."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.agent import Agent
from agent.config import AgentConfig, Settings
from agent.inquiry import Inquiry
from agent.matching import WordMatcher
from agent.memo import MemoSearch
from agent.packing import evidence
from agent.reader import Reader
from agent.reader_model import load_reader
from agent.thread import Thread
from agent.votes import USEFUL, ballots, told_chance, voted
from index.encoders import MiniLMEmbedder
from index.ingest import ingest
from index.retrieve import Searcher
from index.store import Store
from index.types import Scope

QUESTION = "Who painted the ceiling of the Marl Chapel?"
TITLES = ("Guide", "Gazette", "Almanac", "Letters", "Ledger", "Chronicle", "Atlas", "Diary")


def searcher_over(folder: Path, painters: tuple[str, ...], embedder: MiniLMEmbedder) -> Searcher:
    """One file for each painter."""
    files = folder / "files"
    files.mkdir()
    for title, painter in zip(TITLES, painters, strict=True):
        text = f"# {title}\n\nThe ceiling of the Marl Chapel was painted by {painter}. The {title} says so.\n"
        (files / f"{title.lower()}.md").write_text(text, encoding="utf-8")
    store = Store.open(folder / "data")
    ingest(store, [files], "chapel", embedder=embedder)
    return Searcher(store, embedder)


def thread_over(folder: Path, painters: tuple[str, ...], embedder: MiniLMEmbedder) -> Thread:
    """What a search over one file for each painter leaves behind."""
    thread = thread_of(QUESTION, searcher_over(folder, painters, embedder), Scope(("chapel",)), embedder)
    assert len(thread.useful) == len(TITLES)
    return thread


def thread_of(question: str, searcher: Searcher, scope: Scope, embedder: MiniLMEmbedder) -> Thread:
    """What one search leaves behind."""
    inquiry = Inquiry.open(question, searcher, scope, load_reader())
    goal = inquiry.next_goal()
    assert goal is not None
    hits, _ = evidence(MemoSearch(searcher, scope), goal.query, "ranked", AgentConfig())
    inquiry.read(Reader(embedder, WordMatcher(embedder)), goal, hits)
    return inquiry.whole


@pytest.mark.parametrize("against", [0, 3])
def test_where_passages_disagree_all_are_heard(
    tmp_path: Path, embedder: MiniLMEmbedder, against: int
) -> None:
    painters = ("Ilse Varn",) * (len(TITLES) - against) + ("Odo Prell",) * against
    votes = ballots(thread_over(tmp_path, painters, embedder))
    said = {chain.answers[0].text: count for chain, count in votes}
    if not against:
        assert set(said) == {"Ilse Varn"} and said["Ilse Varn"] <= 5 * (
            1 + USEFUL
        )  # nobody disagrees: the first looks suffice
        return
    assert set(said) == {"Ilse Varn", "Odo Prell"}
    assert said["Ilse Varn"] > said["Odo Prell"] > 2  # of three passages
    told = voted(votes[0][0], votes)
    assert [chain.answers[0].text for chain in told] == ["Odo Prell"]


def test_documents_that_differ_are_no_reason_for_silence(tmp_path: Path, embedder: MiniLMEmbedder) -> None:
    """The judge halves its probability between two answers; one of them is as likely right as a single one would be."""
    thread = thread_over(tmp_path, ("Ilse Varn", "Odo Prell") * 4, embedder)
    answers = {one.answer: one.probability for one in reversed(thread.judged)}
    both = answers["Ilse Varn"] + answers["Odo Prell"]
    assert told_chance(thread) == pytest.approx(min(1.0, both)) and told_chance(thread) > thread.probability
    thread.absent = ("Marl Chapel",)
    assert told_chance(thread) == 0.0, "nothing is about what the collection never names"


def test_single_voices_are_no_reason_to_speak(tmp_path: Path, embedder: MiniLMEmbedder) -> None:
    """Eight documents, eight answers: they tell of other things more often than of one thing."""
    painters = (
        "Sel Imrie",
        "Dara Moen",
        "Otto Pell",
        "Ivo Karr",
        "Lena Fisk",
        "Nils Abo",
        "Rosa Quill",
        "Tam Wray",
    )
    thread = thread_over(tmp_path, painters, embedder)
    assert len(ballots(thread)) > 2
    assert told_chance(thread) == 0.0


def test_documents_that_agree_add_nothing(tmp_path: Path, embedder: MiniLMEmbedder) -> None:
    thread = thread_over(tmp_path, ("Ilse Varn",) * len(TITLES), embedder)
    assert told_chance(thread) == 0.0


def test_a_single_voice_against_many_is_not_told(tmp_path: Path, embedder: MiniLMEmbedder) -> None:
    votes = ballots(thread_over(tmp_path, ("Ilse Varn",) * 7 + ("Odo Prell",), embedder))
    assert voted(votes[0][0], votes) == []


def test_the_answer_tells_both(tmp_path: Path, embedder: MiniLMEmbedder) -> None:
    """The other answer may rest on a passage that was read only because two disagreed."""
    searcher = searcher_over(tmp_path, ("Ilse Varn", "Odo Prell") * 4, embedder)
    answer = Agent(searcher, Settings(), None).ask(QUESTION)
    assert {answer.short, *answer.others} == {"Ilse Varn", "Odo Prell"}


def test_another_persons_date_is_no_vote(tmp_path: Path, embedder: MiniLMEmbedder) -> None:
    """The reader is sure of any death it is shown; only that of the person asked about answers the question."""
    deaths = {"Mira Vell": "3 December 1929", "Odo Prell": "12 March 1909", "Ilse Varn": "21 May 1931"}
    files = tmp_path / "files"
    files.mkdir()
    for name, day in deaths.items():
        text = f"# {name}\n\n{name} died on {day}, and the bells were rung for an hour.\n"
        (files / f"{name.split()[1].lower()}.md").write_text(text, encoding="utf-8")
    store = Store.open(tmp_path / "data")
    ingest(store, [files], "people", embedder=embedder)
    agent = Agent(Searcher(store, embedder), Settings(), None)
    for name, day in deaths.items():
        answer = agent.ask(f"On what date did {name} die?")
        assert answer.short == day
        assert "differs" not in answer.text and len(answer.citations) == 1


def test_a_page_is_about_whom_its_beginning_names(tmp_path: Path, embedder: MiniLMEmbedder) -> None:
    """ "He was born" names nobody; the page's first sentence does, though the reader is not shown it."""
    said = {"register": ("Odo Prell", "12 March 1909"), "memoir": ("Odo Prell", "3 May 1911"),
            "album": ("Mira Vell", "21 May 1931")}  # fmt: skip
    files = tmp_path / "files"
    files.mkdir()
    for source, (name, day) in said.items():
        text = f"{name} kept bees above the river and sold their honey in town. He was born on {day}."
        (files / f"{source}.txt").write_text(text, encoding="utf-8")
    store = Store.open(tmp_path / "data")
    ingest(store, [files], "people", embedder=embedder)
    thread = thread_of("When was Odo Prell born?", Searcher(store, embedder), Scope(("people",)), embedder)
    assert {chain.answers[0].text for chain, _ in ballots(thread)} == {"12 March 1909", "3 May 1911"}
