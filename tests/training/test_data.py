import json
from pathlib import Path
from typing import Any

import pytest

from index.errors import InputError
from training.data import (
    CorpusRow,
    Evidence,
    check_references,
    load_corpus,
    load_questions,
    open_data,
    question_files,
)


def write(path: Path, *records: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (record if isinstance(record, str) else json.dumps(record) for record in records)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


QUESTION = {"id": "q1", "question": "Who built the mill?", "answers": ["Mira Vell"], "supporting": ["p1"]}


def test_pool_is_read_whole(tmp_path: Path) -> None:
    write(tmp_path / "corpus.jsonl", {"id": "p1", "title": "Mill", "text": "It turns."}, "")
    write(
        tmp_path / "dev.jsonl",
        QUESTION | {"type": "bridge", "context": ["p1", "p2", "p1"], "meta": {"level": "hard"}},
        {"id": "q2", "question": "Why?", "answers": [], "meta": {"unanswerable": True}},
        {"id": "q3", "question": "Which?", "answers": ["x"], "type": None, "meta": {"sufficient": False}},
    )
    data = open_data(tmp_path)
    assert data.layout == "pool"
    assert load_corpus(tmp_path) == (CorpusRow("p1", "Mill", "It turns."),)
    first, second, third = load_questions(*question_files(data))
    assert first.answers == ("Mira Vell",)
    assert first.supporting == ("p1",)
    assert first.context == ("p1", "p2")  # a repeat is one passage
    assert first.own_scope == ("p1", "p2")
    assert first.meta == {"level": "hard"}
    assert not first.unanswerable
    assert second.unanswerable
    assert third.unanswerable  # an answer exists, its evidence does not
    assert third.type == ""


def test_library_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "collection").mkdir()
    write(
        tmp_path / "questions.jsonl",
        QUESTION | {"supporting": None, "evidence": [{"source": "a/mill.md", "quote": "by Mira Vell"}]},
        {"id": "q2", "question": "Hello!", "answers": [], "type": "small_talk"},
    )
    data = open_data(tmp_path)
    assert data.layout == "library"
    first, second = load_questions(*question_files(data, "train"))
    assert first.evidence == (Evidence("a/mill.md", "by Mira Vell"),)
    assert first.has_gold
    assert not first.supporting
    assert second.is_talk
    assert not second.unanswerable


def test_own_scope_is_the_gold_where_there_are_no_candidates(tmp_path: Path) -> None:
    (example,) = load_questions(write(tmp_path / "q.jsonl", QUESTION))
    assert example.own_scope == ("p1",)


def test_splits_join_and_given_files_win(tmp_path: Path) -> None:
    write(tmp_path / "corpus.jsonl", {"id": "p1", "text": "It turns."})
    train = write(tmp_path / "train.jsonl", QUESTION)
    dev = write(tmp_path / "dev.jsonl", QUESTION | {"id": "q2"})
    data = open_data(tmp_path)
    assert question_files(data, "train, dev") == (train, dev)
    assert question_files(data, "dev", [train]) == (train,)
    assert [e.id for e in load_questions(*question_files(data, "train,dev"))] == ["q1", "q2"]
    with pytest.raises(InputError, match=r"no question file .*test\.jsonl.*dev\.jsonl, train\.jsonl"):
        question_files(data, "test")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "q2", ', "line 2: not JSON"),
        ('["q2"]', "line 2: a JSON list"),
        ({"id": "q2"}, "line 2: `question` is missing"),
        ({"id": "q2", "question": " "}, "line 2: `question` is ' '"),
        (QUESTION | {"id": 7}, "line 2: `id` is 7"),
        (QUESTION, "line 2: the id 'q1' was used before"),
        (QUESTION | {"id": "q2", "answers": "Mira"}, "line 2: `answers` is 'Mira'; expected a list of texts"),
        (QUESTION | {"id": "q2", "supporting": [1]}, "line 2: `supporting`"),
        (QUESTION | {"id": "q2", "evidence": ["a quote"]}, 'line 2: `evidence` .* "quote"'),
        (QUESTION | {"id": "q2", "evidence": [{"source": "a.md"}]}, "line 2: `quote` is missing"),
        (QUESTION | {"id": "q2", "meta": []}, None),
        (QUESTION | {"id": "q2", "meta": [1]}, "line 2: `meta` is not an object"),
    ],
)
def test_bad_lines_name_file_line_and_expectation(tmp_path: Path, line: Any, message: str | None) -> None:
    path = write(tmp_path / "dev.jsonl", QUESTION, line)
    if message is None:
        assert load_questions(path)[1].meta == {}
        return
    with pytest.raises(InputError, match=message) as error:
        load_questions(path)
    assert "dev.jsonl" in str(error.value)
    assert "expected" in str(error.value)


def test_bad_corpora(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    write(path, {"id": "p1", "title": "T", "text": "x"}, {"id": "p1", "title": "T", "text": "y"})
    with pytest.raises(InputError, match="line 2: the id 'p1'"):
        load_corpus(tmp_path)
    write(path, {"id": "p1", "title": "T"})
    with pytest.raises(InputError, match="line 1: `text` is missing"):
        load_corpus(tmp_path)
    path.write_text("\n\n")
    with pytest.raises(InputError, match="no passages"):
        load_corpus(tmp_path)
    path.write_bytes(b'{"id": "p1", "text": "caf\xe9"}')
    with pytest.raises(InputError, match="UTF-8"):
        load_corpus(tmp_path)


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        open_data(tmp_path / "nowhere")
    with pytest.raises(InputError, match="not a data folder"):
        open_data(tmp_path)
    with pytest.raises(InputError, match="no file"):
        load_questions(tmp_path / "nowhere.jsonl")
    with pytest.raises(InputError, match="No questions"):
        load_questions(write(tmp_path / "empty.jsonl", ""))


def test_references_must_resolve(tmp_path: Path) -> None:
    examples = load_questions(write(tmp_path / "q.jsonl", QUESTION))
    check_references(examples, [CorpusRow("p1", "", "x")])
    with pytest.raises(InputError, match="q1 names the passage p1"):
        check_references(examples, [CorpusRow("p2", "", "x")])
