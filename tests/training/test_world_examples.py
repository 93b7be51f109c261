"""The bundled example collection is what the generator writes, and its gold stands in the files."""

import csv
import io
import json
import re
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import docutils.core
import lxml.etree
import lxml.html
import openpyxl
import pptx
import pypdfium2
import pytest
from docx import Document
from markdown_it import MarkdownIt
from typer.testing import CliRunner

import training.world_cli
from index.load import LoadLimits, discover, parse_all
from index.types import ParsedDocument
from training.data import load_questions
from training.evidence import locate
from training.world import World
from training.world.files import file_names, to_bytes

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FORMATS = {
    ".md",
    ".txt",
    ".rst",
    ".html",
    ".docx",
    ".pdf",
    ".pptx",
    ".xlsx",
    ".csv",
    ".json",
    ".eml",
    ".epub",
}
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (EXAMPLES / "questions.jsonl").read_text("utf-8").splitlines()
]
FILES = sorted((EXAMPLES / "collection").iterdir())


def normal(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def docx_text(path: Path) -> str:
    document = Document(str(path))
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return "\n".join((*(paragraph.text for paragraph in document.paragraphs), *cells))


def pptx_text(path: Path) -> str:
    shapes = [shape for slide in pptx.Presentation(str(path)).slides for shape in slide.shapes]
    cells = (c.text for shape in shapes if shape.has_table for row in shape.table.rows for c in row.cells)
    return "\n".join((*(shape.text_frame.text for shape in shapes if shape.has_text_frame), *cells))


def pdf_text(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


def rows_text(rows: Iterator[tuple[Any, ...]]) -> str:
    """Rows as they are quoted: with their column names."""
    header, *records = list(rows)
    return "\n".join("; ".join(f"{n}: {c}" for n, c in zip(header, row, strict=True)) for row in records)


def xlsx_text(path: Path) -> str:
    return rows_text(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))


def csv_text(path: Path) -> str:
    return rows_text(map(tuple, csv.reader(io.StringIO(path.read_text("utf-8")))))


def json_text(path: Path) -> str:
    record = json.loads(path.read_text("utf-8"))
    return "\n".join((record["title"], record["about"], *(entry["entry"] for entry in record["entries"])))


def eml_text(path: Path) -> str:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = message.get_body()
    assert body is not None and message["Date"] and message["From"] and message["To"]
    return f"{message['Subject']}\n{body.get_content()}"


def epub_text(path: Path) -> str:
    with zipfile.ZipFile(path) as book:
        assert book.namelist()[0] == "mimetype"
        chapters = [name for name in book.namelist() if name.endswith(".xhtml")]
        return "\n".join("".join(lxml.etree.fromstring(book.read(name)).itertext()) for name in chapters)


def rst_text(path: Path) -> str:
    settings = {"report_level": 2, "halt_level": 2}  # a warning is an error
    text = docutils.core.publish_doctree(path.read_text("utf-8"), settings_overrides=settings).astext()
    return str(text)


READERS = {
    ".md": lambda path: lxml.html.fromstring(
        MarkdownIt().enable("table").render(path.read_text("utf-8"))
    ).text_content(),
    ".txt": lambda path: path.read_text("utf-8"),
    ".html": lambda path: lxml.html.fromstring(path.read_bytes()).text_content(),
    ".rst": rst_text,
    ".docx": docx_text,
    ".pptx": pptx_text,
    ".pdf": pdf_text,
    ".xlsx": xlsx_text,
    ".csv": csv_text,
    ".json": json_text,
    ".eml": eml_text,
    ".epub": epub_text,
}


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """File name to its text, read with the format's own library."""
    return {path.name: normal(READERS[path.suffix](path)) for path in FILES}


@pytest.fixture(scope="module")
def world() -> World:
    return World.generate(7, 60)


def asked(*kinds: str) -> list[dict[str, Any]]:
    return [question for question in QUESTIONS if question["type"] in kinds]


# --- the files -------------------------------------------------------------------------------------------


def comparable(content: bytes) -> object:
    """Archives by their members: how well deflate packs may differ between builds of zlib."""
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(info.filename, info.date_time, archive.read(info)) for info in archive.infolist()]


def test_the_command_writes_the_committed_files(tmp_path: Path) -> None:
    result = CliRunner().invoke(_app(), ["--seed", "7", "--documents", "60", "--out", str(tmp_path)])
    assert result.exit_code == 0 and "60 documents and 40 questions" in result.output
    written = sorted((tmp_path / "collection").iterdir())
    assert [path.name for path in written] == [path.name for path in FILES]
    for path, committed in zip(written, FILES, strict=True):
        assert comparable(path.read_bytes()) == comparable(committed.read_bytes()), path.name
    assert (tmp_path / "questions.jsonl").read_bytes() == (EXAMPLES / "questions.jsonl").read_bytes()


def test_writing_twice_gives_the_same_bytes(world: World) -> None:
    again = World.generate(7, 60)
    for document, copy in zip(world.documents(), again.documents(), strict=True):
        assert to_bytes(document) == to_bytes(copy), document.title


def test_an_earlier_run_is_replaced_and_a_strange_folder_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(EXAMPLES / "collection", out / "collection")
    refused = CliRunner().invoke(_app(), ["--out", str(out)])
    assert refused.exit_code == 2 and "not written by this command" in refused.output
    assert len(list((out / "collection").iterdir())) == 60
    shutil.copy(EXAMPLES / "questions.jsonl", out)
    assert CliRunner().invoke(_app(), ["--seed", "8", "--out", str(out)]).exit_code == 0
    names = {path.name for path in (out / "collection").iterdir()}
    assert names == set(file_names(World.generate(8, 60).documents()).values())


def _app() -> Any:
    import typer

    app = typer.Typer()
    app.command()(training.world_cli.main)
    return app


def test_sixty_documents_in_twelve_formats_below_a_megabyte() -> None:
    assert len(FILES) == 60
    assert {path.suffix for path in FILES} == FORMATS
    assert sum(path.stat().st_size for path in FILES) < 1_000_000


def test_the_files_hold_everything_their_documents_say(world: World, texts: dict[str, str]) -> None:
    names = file_names(world.documents())
    for document in world.documents():
        text = texts[names[document.id]]
        for block in document.blocks:
            for sentence in block.sentences:
                assert document.suffix in (".xlsx", ".csv") or normal(sentence.text) in text, document.title
            for row in block.rows:
                assert all(normal(cell) in text for cell in row.cells), document.title


def test_pdfs_have_several_pages_and_a_table() -> None:
    (survey,) = (path for path in FILES if path.name.startswith("condition-survey"))
    document = pypdfium2.PdfDocument(survey)
    try:
        assert len(document) >= 2
        text = "\n".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()
    assert re.search(r"Total length in metres\s+\d+\s+good", text)


# --- the questions ---------------------------------------------------------------------------------------


def test_forty_questions_of_six_types() -> None:
    counts = Counter(question["type"] for question in QUESTIONS)
    assert counts == {
        "single": 14,
        "two_hop": 8,
        "three_hop": 4,
        "comparison": 4,
        "unanswerable": 6,
        "small_talk": 4,
    }
    assert len({question["id"] for question in QUESTIONS}) == 40
    assert len({question["question"] for question in QUESTIONS}) == 40
    assert len({question["question"].split()[0] for question in QUESTIONS}) >= 8
    assert len(load_questions(EXAMPLES / "questions.jsonl")) == 40


def test_singles_touch_every_format() -> None:
    assert {Path(q["evidence"][0]["source"]).suffix for q in asked("single")} == FORMATS


def test_evidence_stands_in_the_named_file(texts: dict[str, str]) -> None:
    for question in QUESTIONS:
        for evidence in question["evidence"]:
            assert normal(evidence["quote"]) in texts[evidence["source"]], question["id"]
        for variant in (question["meta"].get("contradiction"), question["meta"].get("superseded")):
            assert not variant or normal(variant["quote"]) in texts[variant["source"]]
            assert not variant or variant["answer"] in variant["quote"]


def test_answers_stand_in_the_evidence() -> None:
    for question in asked("single", "two_hop", "three_hop"):
        quotes = [evidence["quote"] for evidence in question["evidence"]]
        assert any(answer in quotes[-1] for answer in question["answers"]), question["id"]
        assert any(answer in quotes[question["meta"]["hops"] - 1] for answer in question["answers"])
    for question in asked("comparison"):
        quotes = " ".join(evidence["quote"] for evidence in question["evidence"])
        assert question["answers"] in (["yes"], ["no"]) or question["answers"][0] in quotes, question["id"]


def test_each_hop_needs_another_document(texts: dict[str, str]) -> None:
    """No file names both what the question names and the answer."""
    for question in asked("two_hop", "three_hop"):
        sources = [evidence["source"] for evidence in question["evidence"]]
        assert len(set(sources)) == question["meta"]["hops"]
        first = next(
            name for name in re.findall(r"(?:[A-Z]\w+(?: (?:on |the |from )*)?)+", question["question"])[1:]
        )
        start, answer = first.strip(), question["answers"][0].removesuffix(" inhabitants").replace(",", "")
        assert start in texts[sources[0]]
        for name, text in texts.items():
            bare = text.replace(",", "")
            assert start not in text or not re.search(rf"\b{re.escape(answer)}\b", bare), (
                question["id"],
                name,
            )


def test_nothing_answers_the_unanswerable(world: World, texts: dict[str, str]) -> None:
    said = "\n".join(texts.values())
    pool = {question.text: question for question in world.questions(2000)}
    existing = 0
    for question in asked("unanswerable"):
        assert question["answers"] == [] and question["evidence"] == [] and question["meta"]["unanswerable"]
        gold = pool[question["question"]]
        if not gold.facts:
            assert (
                re.search(r"[A-Z]\w+ (?:Bridge|Museum|Expedition|Organ)", question["question"])[0] not in said
            )
            continue
        existing += 1
        fact = world.facts[gold.facts[-1]]
        assert not world.stated(fact.id)
        answer = fact.value.text if fact.value else world.entities[fact.object].name
        assert answer not in said, question["id"]
    assert existing == 5


def test_the_contradiction_and_the_superseded_version_are_there(texts: dict[str, str]) -> None:
    (clash,) = [q for q in QUESTIONS if "contradiction" in q["meta"]]
    other = clash["meta"]["contradiction"]
    assert {other["answer"], clash["answers"][0]} <= set(clash["answers"])
    assert {e["source"] for e in clash["evidence"]} >= {other["source"]}
    assert "18 June 2009" in texts[clash["evidence"][0]["source"]] and "1931" in texts[other["source"]]
    (renewed,) = [q for q in QUESTIONS if "superseded" in q["meta"]]
    older, newer = renewed["meta"]["superseded"], renewed["evidence"][0]
    assert older["answer"] not in renewed["answers"]
    assert "1 April 2016" in texts[older["source"]] and "1 April 2023" in texts[newer["source"]]
    assert older["source"][:20] == newer["source"][:20]
    old_words, new_words = (texts[place["source"]].split() for place in (older, newer))
    assert [a for a in Counter(new_words) - Counter(old_words)] != []
    assert sum((Counter(new_words) - Counter(old_words)).values()) < 15


def test_small_talk_knows_the_number_of_documents() -> None:
    (count,) = [q for q in asked("small_talk") if q["answers"]]
    assert count["question"].startswith("How many documents") and count["answers"] == [str(len(FILES))]


# --- our own parser --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    limits = LoadLimits()
    with tempfile.TemporaryDirectory() as workspace:
        files = list(discover([EXAMPLES / "collection"], limits, Path(workspace)))
        return {file.name: outcome for file, outcome in parse_all(files, limits)}


def test_the_index_reads_every_file(parsed: dict[str, Any], world: World) -> None:
    assert len(parsed) == 60
    names = file_names(world.documents())
    for document in world.documents():
        outcome = parsed[names[document.id]]
        assert isinstance(outcome, ParsedDocument), outcome
        assert outcome.title == document.title or document.suffix == ".csv"


def test_the_index_finds_every_quote(parsed: dict[str, Any]) -> None:
    for question in QUESTIONS:
        for evidence in question["evidence"]:
            blocks = parsed[evidence["source"]].blocks
            assert any(locate(evidence["quote"], block.text) for block in blocks), (question["id"], evidence)


def test_the_index_keeps_every_claim(parsed: dict[str, Any], world: World) -> None:
    """Not only what the questions ask: each fact a document states survives parsing word by word."""
    names = file_names(world.documents())
    for document in world.documents():
        text = "\n".join(block.text for block in parsed[names[document.id]].blocks)
        missing = [quote for _, quote in document.claims() if locate(quote, text) is None]
        assert not missing, (names[document.id], missing)
