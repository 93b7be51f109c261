from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conversations import Message
from app.work import file_behind, forget_upload, history_of, safe_name
from index.errors import InputError

TRICKS = (
    "../../etc/passwd",
    "..",
    ".",
    "/",
    "C:\\boot.ini",
    "a\x00b.pdf",
    "\u202egnp.exe",
    " .. ",
    "x" * 400 + ".pdf",
)


@given(st.one_of(st.sampled_from(TRICKS), st.text(max_size=300)))
def test_a_safe_name_is_one_plain_part_of_a_path(name: str) -> None:
    safe = safe_name(name)
    assert safe and safe not in (".", "..") and len(safe) <= 131
    assert PurePosixPath(safe).name == safe and "\\" not in safe and safe.isprintable()
    assert safe_name(safe) == safe


def test_a_safe_name_keeps_what_a_person_would_recognise() -> None:
    assert safe_name("Jahresbericht 2025 (final).pdf") == "Jahresbericht 2025 (final).pdf"
    assert safe_name("报告.docx") == "报告.docx"


def test_only_uploaded_files_are_removed_with_their_document(tmp_path: Path) -> None:
    own, uploaded = tmp_path / "own.md", tmp_path / "uploads" / "ab12" / "a.md"
    uploaded.parent.mkdir(parents=True)
    for path in (own, uploaded):
        path.write_text("text")
    forget_upload(tmp_path, str(own))
    forget_upload(tmp_path, str(uploaded))
    forget_upload(tmp_path, str(uploaded))
    assert own.exists() and not uploaded.parent.exists()


def test_a_member_of_an_archive_is_read_again_through_its_archive(tmp_path: Path) -> None:
    archive = tmp_path / "papers.zip"
    archive.write_bytes(b"PK")
    assert file_behind(f"{archive}!inner/name.md") == archive
    with pytest.raises(InputError, match="no longer there"):
        file_behind(str(tmp_path / "gone.md"))


def test_the_history_holds_the_last_answered_exchanges() -> None:
    def message(number: int, answered: bool) -> Message:
        trajectory = {"answer": {"text": f"a{number}"}} if answered else None
        return Message(str(number), "c", f"q{number}", "", trajectory, None, "", "", float(number))

    turns = history_of([message(number, number != 8) for number in range(10)])
    assert [(turn.question, turn.answer) for turn in turns] == [
        (f"q{n}", f"a{n}") for n in (3, 4, 5, 6, 7, 9)
    ]
