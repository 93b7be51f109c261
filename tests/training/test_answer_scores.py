from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.types import Answer, AnswerKind, Citation, Claim, Cost
from index.encoders import MiniLMEmbedder
from index.types import Scope
from training.answer_scores import Case, CitationCheck, check, failed, score
from training.benchmark_index import BenchmarkIndex, open_index
from training.data import LONG_FORM, QAExample, load_questions, open_data

QUOTE = "built in 1901 by Mira Vell"


@pytest.fixture(scope="module")
def index(pool: Path, cache: Path, embedder: MiniLMEmbedder) -> Iterator[BenchmarkIndex]:
    opened = open_index(open_data(pool), (), embedder, cache)
    yield opened
    opened.store.close()


@pytest.fixture(scope="module")
def cases(index: BenchmarkIndex, pool: Path) -> dict[str, Case]:
    examples = load_questions(pool / "dev.jsonl")
    return {e.id: Case(e, index.locator.gold_of(e), Scope()) for e in examples}


def cite(index: BenchmarkIndex, source: str, quote: str, shift: int = 0, supported: bool = True) -> Citation:
    document_id = index.locator.ids_by_source[source]
    start = index.store.document_text(document_id).find(quote) + shift
    return Citation(
        number=1, note_id="n", passage_id=1, document_id=document_id, title="", source=source, heading="",
        page=None, start=start, end=start + len(quote), quote=quote, supported=supported, score=1.0,
    )  # fmt: skip


def answer(
    short: str = "", kind: AnswerKind = "answer", searches: int = 1, citations: tuple[Citation, ...] = ()
) -> Answer:
    return Answer(short, short, kind, citations=citations, cost=Cost(searches=searches, context_tokens=120))


def test_a_good_citation(index: BenchmarkIndex, cases: dict[str, Case]) -> None:
    checked = check(cite(index, "mill", QUOTE), cases["q1"], index.store)
    assert checked == CitationCheck(valid=True, supported=True, in_gold=True, covers=frozenset({"mill"}))
    assert checked.precise


def test_what_makes_a_citation_imprecise(index: BenchmarkIndex, cases: dict[str, Case]) -> None:
    shifted = check(cite(index, "mill", QUOTE, shift=5), cases["q1"], index.store)
    assert not shifted.valid
    assert not shifted.precise
    elsewhere = check(cite(index, "vell", "born in the town"), cases["q1"], index.store)
    assert elsewhere.valid
    assert not elsewhere.in_gold
    assert not elsewhere.precise
    unproven = check(cite(index, "mill", QUOTE, supported=False), cases["q1"], index.store)
    assert unproven.valid
    assert not unproven.precise
    outside = check(cite(index, "mill", QUOTE, shift=10_000), cases["q1"], index.store)
    assert not outside.valid


def test_a_citation_of_a_deleted_document_is_not_valid(index: BenchmarkIndex, cases: dict[str, Case]) -> None:
    gone = replace(cite(index, "mill", QUOTE), document_id="gone")
    assert not check(gone, cases["q1"], index.store).valid


def test_without_gold_any_supported_citation_is_precise(index: BenchmarkIndex) -> None:
    case = Case(QAExample("q", "Why?", ("x",)), (), Scope())
    assert check(cite(index, "vell", "born in the town"), case, index.store).precise


def scored(index: BenchmarkIndex, case: Case, given: Answer) -> dict[str, float]:
    checks = tuple(check(c, case, index.store) for c in given.citations)
    return score(case, given, checks, seconds=2.0)


def test_scores_of_a_two_hop_answer(index: BenchmarkIndex, cases: dict[str, Case]) -> None:
    citations = (cite(index, "mill", QUOTE), cite(index, "bread", "sour dough"))
    found = scored(index, cases["q2"], answer("Halden town", citations=citations))
    assert found == {
        "em": 0.0,
        "f1": pytest.approx(2 / 3),  # 1 of 2 words right, 1 of 1 found
        "evidence_recall": 0.5,  # mill, not vell
        "citation_precision": 0.5,  # bread is no gold passage
        "citation_valid": 1.0,
        "right": 0.0,
        "searches": 1.0,
        "context_tokens": 120.0,
        "seconds": 2.0,
    }


def test_an_abstention_is_wrong_where_there_is_an_answer(
    index: BenchmarkIndex, cases: dict[str, Case]
) -> None:
    found = scored(index, cases["q1"], answer("Mira Vell", kind="abstention"))
    assert (found["em"], found["f1"], found["right"]) == (0.0, 0.0, 0.0)
    assert found["evidence_recall"] == 0.0
    assert found["abstain_precision"] == 0.0
    assert "abstain_recall" not in found
    assert "citation_precision" not in found


def test_an_abstention_is_right_where_there_is_none(index: BenchmarkIndex, cases: dict[str, Case]) -> None:
    found = scored(index, cases["q4"], answer(kind="abstention"))
    assert (found["abstain_precision"], found["abstain_recall"], found["right"]) == (1.0, 1.0, 1.0)
    found = scored(index, cases["q4"], answer("Mira Vell"))
    assert (found["abstain_recall"], found["right"]) == (0.0, 0.0)
    assert not {"em", "f1", "abstain_precision", "evidence_recall"} & found.keys()


@pytest.mark.parametrize(
    ("given", "right"),
    [
        (answer(kind="small_talk", searches=0), 1.0),
        (answer(kind="small_talk", searches=1), 0.0),
        (answer(kind="abstention", searches=0), 0.0),
    ],
)
def test_small_talk(index: BenchmarkIndex, cases: dict[str, Case], given: Answer, right: float) -> None:
    found = scored(index, cases["q5"], given)
    assert found["right"] == right
    assert not {"em", "f1", "abstain_recall"} & found.keys()


def test_a_failed_run_is_wrong_wherever_it_could_be_right(cases: dict[str, Case]) -> None:
    wrong = {"right": 0.0, "seconds": 1.0}
    assert failed(cases["q1"], 1.0) == wrong | {"em": 0.0, "f1": 0.0, "evidence_recall": 0.0}
    assert failed(cases["q4"], 1.0) == wrong | {"abstain_recall": 0.0}
    assert failed(cases["q5"], 1.0) == wrong


def test_of_a_long_answer_all_that_is_told_counts(index: BenchmarkIndex) -> None:
    reference = "The mill was built in 1901 by Mira Vell, who came from Tarsholm."
    told = replace(answer("1901"), claims=(Claim("The mill was built in 1901 by Mira Vell.", (1,)),))
    short, long = (
        Case(QAExample("q", "Tell me of the mill.", (reference,), kind), (), Scope())
        for kind in ("", LONG_FORM)
    )
    assert scored(index, long, told)["f1"] > 2 * scored(index, short, told)["f1"] > 0
    assert scored(index, long, told)["right"] == scored(index, long, told)["f1"]
    assert scored(index, short, told)["right"] == 0.0
