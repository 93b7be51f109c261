"""Question sets and corpora: JSON Lines from disk to checked records.

A data folder has one of two layouts:

- a *pool*: `corpus.jsonl` (`{id, title, text}` per line) with `train.jsonl` / `dev.jsonl`, whose questions
  name their gold passages in `supporting` and, in some sets, their candidates in `context`;
- a *library*: real files under `collection/` with `questions.jsonl`, whose questions name their gold in
  `evidence: [{source, quote}]`, because passages of real files have no ids before they are cut.

Every mistake in a file is an InputError that names the file and the line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from index.errors import InputError

SMALL_TALK = "small_talk"
LIBRARY = "library"
LONG_FORM = "long-form"  # answers are sentences: as much as is told of them counts


@dataclass(frozen=True, slots=True)
class Evidence:
    """A gold quote and the file it stands in (path below the collection folder)."""

    source: str
    quote: str


@dataclass(frozen=True, slots=True)
class QAExample:
    """One question with its gold answers and gold evidence."""

    id: str
    question: str
    answers: tuple[str, ...] = ()
    type: str = ""
    supporting: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    context: tuple[str, ...] = ()
    unanswerable: bool = False
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def is_talk(self) -> bool:
        """Whether it asks nothing of the documents: right is neither to search nor to abstain."""
        return self.type in (SMALL_TALK, LIBRARY)

    @property
    def has_gold(self) -> bool:
        return bool(self.supporting or self.evidence)

    @property
    def own_scope(self) -> tuple[str, ...]:
        """Passage ids of the question's own collection: its candidates, else its gold passages."""
        return self.context or self.supporting


@dataclass(frozen=True, slots=True)
class CorpusRow:
    """One passage of a pool."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A data folder and its layout."""

    root: Path
    layout: Literal["pool", "library"]

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def corpus(self) -> Path:
        """`corpus.jsonl` of a pool, the folder of files of a library."""
        return self.root / ("corpus.jsonl" if self.layout == "pool" else "collection")


def open_data(root: Path | str) -> DataFolder:
    """Recognise the layout of a data folder. InputError where it has neither."""
    folder = Path(root).expanduser().resolve()
    if not folder.is_dir():
        raise InputError(f"The data folder {folder} does not exist. Give --data an existing folder.")
    if (folder / "corpus.jsonl").is_file():
        return DataFolder(folder, "pool")
    if (folder / "collection").is_dir():
        return DataFolder(folder, "library")
    raise InputError(
        f"{folder} is not a data folder: expected corpus.jsonl (lines of id, title, text) or a folder "
        "collection/ with files and a questions.jsonl beside it."
    )


def load_corpus(root: Path | str) -> tuple[CorpusRow, ...]:
    """All passages of a pool, in file order."""
    path = open_data(root).root / "corpus.jsonl"
    rows: list[CorpusRow] = []
    seen: dict[str, int] = {}
    for line, record in _records(path):
        row = CorpusRow(
            id=_text(record, "id", path, line),
            title=_text(record, "title", path, line, required=False),
            text=_text(record, "text", path, line),
        )
        _refuse_twin(seen, row.id, path, line)
        rows.append(row)
    if not rows:
        raise InputError(f"{path} has no passages: expected one JSON object per line with id, title, text.")
    return tuple(rows)


def question_files(data: DataFolder, split: str = "dev", given: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The files given, else each `<split>.jsonl` of a pool (joined by commas), else a library's questions."""
    names = [f"{name.strip()}.jsonl" for name in split.split(",") if name.strip()]
    if data.layout == "library":
        names = ["questions.jsonl"]
    paths = tuple(given) or tuple(data.root / name for name in names)
    for path in paths:
        if not path.is_file():
            found = ", ".join(sorted(p.name for p in data.root.glob("*.jsonl") if p.name != "corpus.jsonl"))
            raise InputError(
                f"There is no question file {path}. Found in {data.root}: {found or 'none'}. "
                "Choose with --split, or name a file with --questions."
            )
    return paths


def load_questions(*paths: Path | str) -> tuple[QAExample, ...]:
    """All questions of the files, in order. An id may occur only once over all of them."""
    examples: list[QAExample] = []
    seen: dict[str, int] = {}
    for path in map(Path, paths):
        for line, record in _records(path):
            example = _example(record, path, line)
            _refuse_twin(seen, example.id, path, line)
            examples.append(example)
    if not examples:
        named = ", ".join(map(str, paths)) or "no file"
        raise InputError(f"No questions in {named}: expected JSON objects with id, question, answers.")
    return tuple(examples)


def check_references(examples: Sequence[QAExample], corpus: Sequence[CorpusRow]) -> None:
    """InputError if a question names a passage that the corpus lacks: its recall could never be whole."""
    known = {row.id for row in corpus}
    for example in examples:
        for pid in (*example.supporting, *example.context):
            if pid not in known:
                raise InputError(
                    f"Question {example.id} names the passage {pid}, which is not in corpus.jsonl. "
                    "Is the question file from another set?"
                )


def _example(record: dict[str, Any], path: Path, line: int) -> QAExample:
    meta = record.get("meta") or {}
    if not isinstance(meta, dict):
        raise _mistake(path, line, "`meta` is not an object", 'an object such as {"unanswerable": true}')
    kind = _text(record, "type", path, line, required=False)
    answers = _texts(record, "answers", path, line)
    talk = kind in (SMALL_TALK, LIBRARY)
    # `sufficient: false` marks sets whose evidence lacks a gold passage: the answer exists, not its proof.
    unanswerable = not talk and (
        bool(meta.get("unanswerable")) or meta.get("sufficient") is False or not answers
    )
    return QAExample(
        id=_text(record, "id", path, line),
        question=_text(record, "question", path, line),
        answers=answers,
        type=kind,
        supporting=_texts(record, "supporting", path, line),
        evidence=_evidence(record, path, line),
        context=_texts(record, "context", path, line),
        unanswerable=unanswerable,
        meta=meta,
    )


def _evidence(record: dict[str, Any], path: Path, line: int) -> tuple[Evidence, ...]:
    expected = 'a list of {"source": "file", "quote": "text"}'
    items = record.get("evidence") or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _mistake(path, line, "`evidence` has another form", expected)
    return tuple(
        Evidence(_text(item, "source", path, line), _text(item, "quote", path, line)) for item in items
    )


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line numbers (from 1) and JSON objects; empty lines are skipped."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, _object(line, path, number)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}. Expected JSON Lines, one object per line.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text: {error}") from error


def _object(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise _mistake(path, number, f"not JSON ({error.msg})", "one JSON object per line") from error
    if not isinstance(record, dict):
        raise _mistake(path, number, f"a JSON {type(record).__name__}", "one JSON object per line")
    return record


def _text(record: dict[str, Any], key: str, path: Path, line: int, *, required: bool = True) -> str:
    value = record.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value.strip()):
        found = "missing" if value is None else f"{value!r:.40}"
        raise _mistake(path, line, f"`{key}` is {found}", "a text" + " that is not empty" * required)
    return value


def _texts(record: dict[str, Any], key: str, path: Path, line: int) -> tuple[str, ...]:
    """A list of texts without repeats (some public sets name a passage twice)."""
    value = record.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _mistake(path, line, f"`{key}` is {value!r:.40}", "a list of texts")
    return tuple(dict.fromkeys(value))


def _refuse_twin(seen: dict[str, int], key: str, path: Path, line: int) -> None:
    if key in seen:
        raise _mistake(path, line, f"the id {key!r} was used before (line {seen[key]})", "ids used once")
    seen[key] = line


def _mistake(path: Path, line: int, found: str, expected: str) -> InputError:
    return InputError(f"{path}, line {line}: {found}; expected {expected}.")
