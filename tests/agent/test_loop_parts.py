"""The parts of the loop alone: gate, verdicts, passage scores, notes, connection, several answers."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.boundary import MORE_SIGNALS, SIGNALS, RuleBoundary, agreement_of, signals_of
from agent.boundary_learned import load_boundary
from agent.build import open_agent
from agent.config import AgentConfig, Settings
from agent.connection import connected
from agent.judging import is_novel, overlap
from agent.notebook import Comparison, JudgingComparer, Notebook, decided, merge
from agent.question import analyse
from agent.scoring import PassageScore
from agent.situation import entropy
from agent.types import Note
from index.encoders import MiniLMEmbedder
from index.ingest import ingest_passages
from index.popularity import passages_with
from index.retrieve import Searcher
from index.store import Store
from index.types import Scope


@pytest.fixture(scope="module")
def searcher(corpus_dir: Path, embedder: MiniLMEmbedder) -> Searcher:
    return Searcher(Store.open(corpus_dir), embedder)


def note(claim: str, title: str = "", start: int = 0, document: str = "d", score: float = 0.5) -> Note:
    return Note(
        id="n1", claim=claim, quote=claim, passage_id=1, document_id=document, title=title, source="", heading="",
        page=None, start=start, end=start + len(claim), goal="g", score=score, step=1,
    )  # fmt: skip


def test_novelty_is_the_digests_rule() -> None:
    """Vector 3: overlap 1 is novel, 2 is not, a first search overlaps with nothing."""
    first = [1, 2, 3, 4, 5]
    assert overlap(first, []) == 0 and is_novel(first, [])
    assert overlap([5, 6, 7, 8, 9], [first]) == 1 and is_novel([5, 6, 7, 8, 9], [first])
    assert overlap([4, 5, 6, 7, 8], [first]) == 2 and not is_novel([4, 5, 6, 7, 8], [first])
    assert not is_novel([], [first])


def test_counts_of_names_and_pairs(searcher: Searcher) -> None:
    store, scope = searcher.store, Scope(("world",))
    assert passages_with(store, "Teal Bridge", scope) == 1
    assert passages_with(store, "Bridge", scope) == 2
    assert passages_with(store, "Teal Bridge", scope, ["designed", "painted"]) == 1
    assert passages_with(store, "Teal Bridge", scope, ["inhabitants"]) == 0
    assert passages_with(store, "Zelvonia", scope) == passages_with(store, '"*?', scope) == 0
    iron = tuple(d.id for d in store.documents() if d.source == "iron")
    assert passages_with(store, "Bridge", Scope(("world",), iron)) == 1


def test_the_gate_knows_what_is_hopeless(searcher: Searcher) -> None:
    scope = Scope(("world",))
    present = signals_of(analyse("Who designed the Teal Bridge?"), searcher, scope)
    absent = signals_of(analyse("What is the capital of Zelvonia?"), searcher, scope)
    assert (
        set(present) == {*SIGNALS, *MORE_SIGNALS} and present["pair_frequency"] > 0 == present["absent_names"]
    )
    rule = RuleBoundary()
    assert rule.decide(present, None).chosen == "search"
    decision = rule.decide(absent, None)
    assert decision.chosen == "hopeless" and decision.probability == pytest.approx(0.9)
    assert sum(decision.probabilities.values()) == pytest.approx(1.0)
    opening = signals_of(analyse("Difficulty of the Teal Bridge was what?"), searcher, scope)
    assert opening["absent_names"] == 0, "a capital at the beginning makes no name"


def test_a_model_knows_where_its_samples_agree(searcher: Searcher) -> None:
    signals = signals_of(analyse("Who designed the Teal Bridge?"), searcher, Scope())
    assert agreement_of([]) == ("", 0.0) and agreement_of(["", "a", "b"])[1] == pytest.approx(1 / 3)
    assert RuleBoundary().decide(signals, 1.0).chosen == "knows"
    unsure = RuleBoundary().decide(signals, 1 / 3)
    assert unsure.chosen == "search" and unsure.probabilities["knows"] == 0.0


def test_hopeless_questions_cost_no_search(corpus_dir: Path) -> None:
    record = open_agent(corpus_dir, memory=False).run("What is the capital of Zelvonia?")
    assert record.answer.abstained and record.answer.cost.searches == 0
    assert "Zelvonia" in record.answer.missing and "nothing was searched" in record.answer.text


def test_scores_have_bands_and_doubts() -> None:
    score = PassageScore(1, (80.0, 60.0, 40.0))
    assert score.score == 60.0 and score.label == "keep" and score.doubt == pytest.approx(16.33, abs=0.01)
    assert PassageScore(1, (80.0, 0.0)).label == "room" and PassageScore(1, ()).label == "drop"


def test_entropy_tells_a_clear_winner_from_a_flat_list() -> None:
    assert entropy([0.9, 0.01, 0.01]) < 0.3 < 0.9 < entropy([0.3, 0.3, 0.29])


def test_notes_merge_without_repeats_and_number_anew() -> None:
    long = note("Mira Vell, an engineer, was born in Tarsholm.", start=10)
    short = note("Mira Vell was born in Tarsholm.", start=500, document="e")
    other = note("The fair is held every September.", start=900)
    merged = merge([short], [long, other])
    assert [n.claim for n in merged] == [long.claim, other.claim] and [n.id for n in merged] == ["n1", "n2"]
    assert len(merge([], [note(f"Claim number {i} of many.", start=100 * i) for i in range(20)])) == 12


def test_only_a_better_version_is_kept() -> None:
    first = Notebook((note("The Teal Bridge was designed by Mira Vell."),), 1, 0, 1, 0.4, 0.5)
    judge = JudgingComparer()
    assert judge.compare("q", Notebook(), first).better
    same = replace(first, version=2, probability=0.9)
    assert not judge.compare("q", first, same).better, "nothing new is not better"
    more = (*first.notes, note("Mira Vell was born in Tarsholm.", start=300))
    better = replace(first, notes=more, version=2, probability=0.7)
    outcome = judge.compare("q", first, better)
    assert outcome.better and outcome.gained == ("Mira Vell was born in Tarsholm.",)
    assert decided(first, better, outcome) is better
    idle = judge.compare("q", first, replace(better, probability=0.4))
    kept = decided(decided(first, better, idle), better, Comparison(False, (), ""))
    assert kept.version == 1 and kept.fails == 2 and kept.notes == first.notes


def test_an_answer_is_connected_to_the_question_or_not() -> None:
    question = analyse("In which town was the designer of the Teal Bridge born?")
    bridge = replace(note("It was designed by Mira Vell.", "Teal Bridge"), id="a")
    born = replace(note("She was born in Tarsholm.", "Mira Vell", document="e"), id="b")
    other = replace(note("Orla Fenn was born in Oslo.", "Orla Fenn", document="f"), id="c")
    assert connected(question, (bridge, born), "Tarsholm") == ("a", "b")
    assert connected(question, (bridge, other), "Oslo") is None
    assert connected(question, (), "Oslo") is None
    assert connected(analyse("where is it?"), (other,), "Oslo") == ("c",)


def test_two_sources_that_differ_are_both_told_with_their_dates(
    tmp_path: Path, embedder: MiniLMEmbedder
) -> None:
    store = Store.open(tmp_path)
    said = "The bell tower of Brell was built in"
    rows = [
        ("a", "Guide to Brell, 3 May 1931", f"Guide of 3 May 1931. {said} 1412."),
        ("b", "Chronicle of Brell, 9 June 1950", f"Chronicle of 9 June 1950. {said} 1421."),
        ("c", "Market", "The market of Brell opens at seven."),
    ]  # fmt: skip
    ingest_passages(store, [{"id": i, "title": t, "text": x} for i, t, x in rows], "town", embedder=embedder)
    answer = open_agent(tmp_path, store=store, memory=False).ask("When was the bell tower of Brell built?")
    assert "1412" in answer.text and "1421" in answer.text
    assert "Another source differs" in answer.text and "1931" in answer.text and "1950" in answer.text
    assert {c.source for c in answer.citations} == {"a", "b"}
    store.close()


def test_budgets_hold_for_every_policy(corpus_dir: Path) -> None:
    for name in ("rules", "always-deep", "adaptive-note"):
        config = AgentConfig(policy=name, max_searches=2, max_seconds=3600)
        record = open_agent(corpus_dir, memory=False, settings=Settings(agent=config)).run(
            "In which town was the designer of the Teal Bridge born?"
        )
        assert record.answer.cost.searches <= 2 and record.answer.kind in ("answer", "abstention")


def test_a_classifier_may_tell_what_is_hopeless(searcher: Searcher, corpus_dir: Path) -> None:
    scope, learned = Scope(("world",)), load_boundary()
    present = signals_of(analyse("Who designed the Teal Bridge?"), searcher, scope)
    absent = signals_of(analyse("Which Zelvonian minister signed the Korvat treaty?"), searcher, scope)
    assert learned.decide(present, None).chosen == "search"
    decision = learned.decide(absent, None)
    assert decision.chosen == "hopeless" and decision.probability == pytest.approx(learned.hopeless(absent))
    assert learned.decide(present, 1.0).chosen == "knows", "a model that knows is asked first, as by the rule"
    settings = Settings(agent=AgentConfig(boundary="learned"))
    record = open_agent(corpus_dir, memory=False, settings=settings).run(
        "Which Zelvonian minister signed Korvat?"
    )
    assert record.answer.abstained and record.answer.cost.searches == 0
    gate = record.steps[0].decision
    assert gate is not None and "classifier" in gate.rationale
