"""The questions about real documents are well formed, and say which files they rest on."""

import json
from pathlib import Path

import pytest

from benchmarks.documents import FILES, QUESTIONS, documents_root, gather_files, grids, listed_files, summary
from index.errors import InputError
from index.types import Scope
from training.answer_scores import Case, failed
from training.data import QAExample, load_questions
from training.evaluate_answers import Outcome

EXAMPLES = load_questions(QUESTIONS)
ANSWERABLE = [example for example in EXAMPLES if not example.unanswerable]


def test_counts_by_collection_and_type() -> None:
    prefixes = [example.id.split("-")[0] for example in EXAMPLES]
    assert {name: prefixes.count(name) for name in prefixes} == {"pep": 10, "rfc": 8, "filing": 8, "none": 4}
    types = [example.type for example in EXAMPLES]
    assert {name: types.count(name) for name in types} == {
        "single": 17,
        "two_hop": 5,
        "comparison": 2,
        "yes_no": 2,
        "unanswerable": 4,
    }


@pytest.mark.parametrize("example", ANSWERABLE, ids=lambda example: example.id)
def test_answerable_questions_name_listed_files(example: QAExample) -> None:
    listed = json.loads(FILES.read_text(encoding="utf-8"))["questions"]
    known = {name for names in listed.values() for name in names}
    assert example.meta["sources"]
    assert set(example.meta["sources"]) <= known
    assert example.meta["where"]
    assert len(example.meta["sources"]) == (2 if example.type in ("two_hop", "comparison") else 1)


def test_no_text_of_the_collections_is_kept() -> None:
    assert not any(example.evidence for example in EXAMPLES)
    assert all(len(answer) <= 50 for example in EXAMPLES for answer in example.answers)


def test_unanswerable_questions_have_neither_answer_nor_file() -> None:
    none = [example for example in EXAMPLES if example.unanswerable]
    assert len(none) == 4
    assert all(not example.answers and not example.meta["sources"] for example in none)


def test_every_file_is_listed_once_and_every_listed_question_file_is_asked_about() -> None:
    names = [name for files in listed_files().values() for name in files]
    assert len(names) == len(set(names)) == 49
    questions = json.loads(FILES.read_text(encoding="utf-8"))["questions"]
    asked = {source for example in EXAMPLES for source in example.meta["sources"]}
    assert asked == {name for files in questions.values() for name in files}


def test_gathering_copies_the_listed_files(tmp_path: Path) -> None:
    for name, files in listed_files().items():
        folder = tmp_path / "documents" / name / ("" if name == "filings" else "docs")
        folder.mkdir(parents=True)
        for file in files:
            (folder / file).write_text(file)
    data = gather_files(tmp_path / "documents", tmp_path / "cache")
    copied = {path.name for path in data.corpus.rglob("*") if path.is_file()}
    assert copied == {name for files in listed_files().values() for name in files}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"FORAGE_DATA has no file .+\.rst in documents/peps"):
        gather_files(tmp_path, tmp_path / "cache")


def test_a_run_that_breaks_is_a_failure() -> None:
    case = Case(EXAMPLES[0], (), Scope(("documents",)))
    found = summary([Outcome(case, None, (), failed(case, 1.0), "no model")], {"files": 1, "passages": 1})
    assert found["failures"][0]["said"] == "failed: no model"
    assert found["by_collection"] == {"pep": {"right": 0.0, "n": 1}}
    scores, shares, failures = grids(found)
    assert ("EM of the answerable", "0.0", "0.0", "0.0") in scores.rows
    assert shares.rows == (("single", "0", "1"), ("pep", "0", "1"))
    assert failures.rows[0][0] == EXAMPLES[0].id


def test_absent_collections_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FORAGE_DATA", str(tmp_path))
    with pytest.raises(InputError, match="Set FORAGE_DATA"):
        documents_root()
