import os
import zipfile
from pathlib import Path

import pytest

from index.errors import InputError, LimitError
from index.load import FailedFile, LoadLimits, Parser, discover, supported_extensions
from index.types import SourceFile


def found(tmp_path: Path, *paths: Path, **limits):
    return list(discover(paths, LoadLimits(**limits), tmp_path.parent / f"{tmp_path.name}-work"))


def names(results):
    return [result.name for result in results if isinstance(result, SourceFile)]


def test_folders_are_walked_in_order_without_litter(tmp_path):
    for name in (
        "b/two.md",
        "b/c/three.txt",
        "a.html",
        ".git/x.md",
        "b/~$d.docx",
        "b/.hidden.md",
        "x.lock",
        "Thumbs.db",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("words")
    results = found(tmp_path, tmp_path)
    assert names(results) == ["a.html", "two.md", "three.txt"]
    assert results[0] == SourceFile(str(tmp_path / "a.html"), tmp_path / "a.html", "a.html")
    assert found(tmp_path, tmp_path) == results


def test_each_file_once_and_hidden_files_when_asked_for(tmp_path):
    (tmp_path / "a.md").write_text("words")
    (tmp_path / ".b.md").write_text("words")
    assert names(found(tmp_path, tmp_path, tmp_path / "a.md", tmp_path / ".b.md")) == ["a.md", ".b.md"]


def test_relative_paths_have_absolute_sources(tmp_path, monkeypatch):
    (tmp_path / "a.md").write_text("words")
    monkeypatch.chdir(tmp_path)
    (result,) = found(tmp_path, Path("a.md"))
    assert result.source == str(tmp_path / "a.md")


def test_a_path_that_does_not_exist_stops_everything(tmp_path):
    (tmp_path / "a.md").write_text("words")
    with pytest.raises(InputError, match=r"Not found: .*nothing\.md"):
        discover([tmp_path / "a.md", tmp_path / "nothing.md"], LoadLimits(), tmp_path)


def test_unsupported_files_are_reported(tmp_path):
    (tmp_path / "photo.PNG").write_bytes(b"\x89PNG")
    (tmp_path / "README").write_text("words")
    failed = found(tmp_path, tmp_path)
    assert [result.name for result in failed] == ["README", "photo.PNG"]
    assert '".png" are not supported' in failed[1].error and ".docx" in failed[1].error
    assert ".pdf" in supported_extensions()


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_link_loops_and_broken_links(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.md").write_text("words")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "up").symlink_to(tmp_path, target_is_directory=True)
    (folder / "gone.md").symlink_to(tmp_path / "nothing.md")
    results = found(tmp_path, folder)
    assert len([name for name in names(results) if name == "a.md"]) <= 2
    failed = [result for result in results if isinstance(result, FailedFile)]
    assert failed and all("cannot be opened" in result.error for result in failed)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_do_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    (result,) = found(tmp_path, tmp_path)
    assert isinstance(result, FailedFile) and "not a file" in result.error


def test_a_huge_file_is_refused_unread(tmp_path):
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)  # sparse: takes no room
    (result,) = found(tmp_path, path)
    assert isinstance(result, FailedFile) and "200 MB, more than the limit of 100 MB" in result.error
    with Parser(LoadLimits()) as parser, pytest.raises(LimitError, match="200 MB, more than the limit"):
        parser.parse(SourceFile(str(path), path, path.name))


def test_archives(tmp_path):
    path = tmp_path / "docs.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("guide/intro.md", "# Intro")
        file.writestr("photo.png", b"\x89PNG")
        file.writestr("../evil.md", "evil")
    intro, photo, evil = found(tmp_path, path)
    assert intro.source == f"{path}!guide/intro.md"
    assert (intro.name, intro.path.read_text()) == ("intro.md", "# Intro")
    assert "not supported" in photo.error and photo.source == f"{path}!photo.png"
    assert "points outside" in evil.error
    assert not (tmp_path.parent / "evil.md").exists()


def test_two_archives_do_not_disturb_each_other(tmp_path):
    for name in ("a.zip", "b.zip", "bad.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as file:
            file.writestr("same.md", name)
    (tmp_path / "bad.zip").write_bytes(b"PK no archive")
    results = found(tmp_path, tmp_path)
    assert [result.path.read_text() for result in results[:2]] == ["a.zip", "b.zip"]
    assert isinstance(results[2], FailedFile) and "not a zip archive" in results[2].error
