"""Questions made from documents without labels: what is asked, that it stands there alone, and what has no answer."""

from collections import Counter
from pathlib import Path

import pytest

from index.encoders import load_embedder
from index.ingest import ingest_passages
from index.store import Store
from training.policy.collect import Asked
from training.policy.own_facts import Collected
from training.policy.self_made import own_questions

TOWNS = 12


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each town's record names the founder of the next one; one town has no mayor, each third town replaces another."""
    data_dir = tmp_path_factory.mktemp("own")
    store = Store.open(data_dir)
    rows = [
        {
            "id": f"{at:02}",
            "title": f"Record of Upper Town {at}",
            "text": f"Number: {at + 100}\n"
            + (f"Mayor: Anna Quill{at}\n" if at else "")
            + (f"Replaces: {at + 101}\n" if at % 3 == 0 else "")
            + f"\nThe mill of the town was built by Mira Vell{at} in spring. Its oldest bridge was "
            f"paid for by Jonas Orne{(at + 1) % TOWNS // 2} in {1800 + at}.",
        }
        for at in range(TOWNS)
    ]
    ingest_passages(store, rows, "towns", embedder=load_embedder())
    store.close()
    return data_dir


@pytest.fixture(scope="module")
def asked(towns: Path) -> list[Asked]:
    store = Store.open(towns)
    try:
        return own_questions(store, 40, seed=3)
    finally:
        store.close()


def test_shares_and_seeds(towns: Path, asked: list[Asked]) -> None:
    kinds = Counter(one.blank.source for one in asked)
    assert kinds["own-single"] == 20 and 0 < kinds["own-two-hop"] <= 10 and kinds["own-unanswerable"] == 10
    assert len({one.blank.question for one in asked}) == len(asked)
    store = Store.open(towns)
    assert own_questions(store, 40, seed=3) == asked != own_questions(store, 40, seed=4)
    store.close()


def test_an_answer_stands_in_the_evidence_and_in_no_other_document(towns: Path, asked: list[Asked]) -> None:
    store = Store.open(towns)
    texts = {one.id: store.document_text(one.id) for one in store.documents("towns")}
    store.close()
    for one in asked:
        if not one.blank.answerable:
            continue
        answer = one.blank.golds[0]
        assert answer not in one.blank.question
        assert answer in texts[one.blank.evidence[-1]]
        if (
            "is the" not in one.blank.question and "is given as" not in one.blank.question
        ):  # a sentence, no field
            assert [key for key, text in texts.items() if answer in text] == [one.blank.evidence[-1]]


def test_a_question_without_an_answer_is_about_what_is_searched_or_lacks_the_field(
    asked: list[Asked],
) -> None:
    none = [one for one in asked if not one.blank.answerable]
    assert all(not one.blank.golds and not one.blank.evidence for one in none)
    left_out = [one for one in none if one.scope.documents]
    assert left_out and all(len(one.scope.documents) == TOWNS - 1 for one in left_out)
    assert any("mayor" in one.blank.question and "Town 0" in one.blank.question for one in none)


def test_columns_and_keys(towns: Path) -> None:
    store = Store.open(towns)
    held = Collected.of(store)
    store.close()
    assert {"Number", "Mayor", "Replaces"} <= set(held.columns)
    assert "Number" in held.keys and all("Mira Vell" not in label for label in held.columns)


def test_two_documents_are_joined_by_a_field_that_names_the_other(asked: list[Asked]) -> None:
    joined = [one for one in asked if one.blank.source == "own-two-hop"]
    assert all(len(set(one.blank.evidence)) == 2 for one in joined)
    assert any("given as replaces" in one.blank.question for one in joined)
