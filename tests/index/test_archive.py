import os
import stat
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from index.archive import expand, is_litter
from index.errors import LimitError, ParseError
from index.limits import LoadLimits

DEFLATED = zipfile.ZIP_DEFLATED


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def members(path: Path, tmp_path: Path, **limits):
    return list(expand(path, tmp_path / "work", LoadLimits(**limits)))


def test_members_with_their_content(tmp_path):
    inner = archive(tmp_path / "inner.zip", {"deep/note.md": b"deep"}).read_bytes()
    path = archive(
        tmp_path / "a.zip",
        {
            "b/two.txt": b"two",
            "one.md": b"one",
            "in.zip": inner,
            ".hidden": b"",
            "__MACOSX/x": b"",
            "~$a.docx": b"",
        },
    )
    found = members(path, tmp_path)
    assert [(member.name, member.path.read_bytes(), member.error) for member in found] == [
        ("b/two.txt", b"two", ""),
        ("one.md", b"one", ""),
        ("in.zip!deep/note.md", b"deep", ""),
    ]
    assert found[0].path.suffix == ".txt"


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt",
        "a/../../evil.txt",
        "/etc/evil.txt",
        "C:\\evil.txt",
        "..\\evil.txt",
        "\\\\host\\evil.txt",
    ],
)
def test_names_that_leave_the_archive_are_refused(tmp_path, name):
    path = archive(tmp_path / "a.zip", {name: b"evil", "good.txt": b"good"})
    before = {file for file in tmp_path.rglob("*") if file.is_file()}
    bad, good = members(path, tmp_path)
    assert bad.path is None and "points outside" in bad.error
    assert good.path.read_bytes() == b"good"
    assert {file for file in tmp_path.rglob("*") if file.is_file()} - before == {good.path}


def test_links_are_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    (member,) = members(path, tmp_path)
    assert member.path is None and "link" in member.error


def test_bomb_by_ratio(tmp_path):
    path = archive(tmp_path / "a.zip", {"zeros.txt": bytes(30_000_000), "b.txt": b"b"})
    with pytest.raises(LimitError, match="zip bomb"):
        members(path, tmp_path)
    assert not list((tmp_path / "work").iterdir())


def test_one_bomb_among_honest_files_is_refused_alone(tmp_path):
    path = archive(tmp_path / "a.zip", {"zeros.txt": bytes(30_000_000), "noise.bin": os.urandom(300_000)})
    bomb, noise = members(path, tmp_path)
    assert "zip bomb" in bomb.error and noise.path.stat().st_size == 300_000


def test_bomb_by_total_size_counts_nested_archives(tmp_path):
    noise = os.urandom(400_000)
    inner = archive(tmp_path / "inner.zip", {"x.txt": noise}).read_bytes()
    path = archive(tmp_path / "a.zip", {f"{n}.zip": inner for n in range(4)})
    found = members(path, tmp_path, max_expanded_bytes=2_500_000)
    assert [bool(member.path) for member in found] == [True, True, True, False]
    assert "unpacks to more than 2 MB" in found[-1].error
    with pytest.raises(LimitError, match="unpacks to more than"):
        members(path, tmp_path, max_expanded_bytes=1_000_000)


def test_nested_bomb_is_refused_and_the_rest_is_read(tmp_path):
    bomb = archive(tmp_path / "bomb.zip", {"zeros.txt": bytes(50_000_000)}).read_bytes()
    path = archive(tmp_path / "a.zip", {"bomb.zip": bomb, "good.txt": b"good"})
    refused, good = members(path, tmp_path)
    assert (refused.name, refused.path) == ("bomb.zip", None) and "zip bomb" in refused.error
    assert good.path.read_bytes() == b"good"


def test_nesting_has_an_end(tmp_path):
    data = b"the core"
    for depth in range(4):
        data = archive(
            tmp_path / "n.zip", {f"level{depth}" + (".zip" if depth else ".txt"): data}
        ).read_bytes()
    (tmp_path / "a.zip").write_bytes(data)
    (member,) = members(tmp_path / "a.zip", tmp_path)
    assert (member.name, member.path) == ("level3.zip!level2.zip", None) and "depth of 2" in member.error


def test_too_many_members_and_too_large_ones(tmp_path):
    path = archive(tmp_path / "a.zip", {f"{n}.txt": b"x" for n in range(12)})
    with pytest.raises(LimitError, match="more than 10 files"):
        members(path, tmp_path, max_members=10)
    (large,) = members(archive(tmp_path / "b.zip", {"x.txt": os.urandom(9000)}), tmp_path, max_bytes=5000)
    assert "larger than 5 kB" in large.error


def test_damage(tmp_path):
    path = archive(tmp_path / "a.zip", {"one.txt": b"one" * 1000, "two.txt": b"two" * 1000})
    data = bytearray(path.read_bytes())
    data[40] ^= 0xFF  # inside the first member's data
    path.write_bytes(data)
    bad, good = members(path, tmp_path)
    assert "damaged" in bad.error and good.path.read_bytes() == b"two" * 1000
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ParseError, match="not a zip archive, or is damaged"):
        members(path, tmp_path)


def test_password_and_double_names(tmp_path):
    path = archive(tmp_path / "a.zip", {"a.txt": b"secret"})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    (member,) = members(path, tmp_path)
    assert "password" in member.error
    with zipfile.ZipFile(path, "w") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("a.txt", "one")
        file.writestr("a.txt", "two")
    first, second = members(path, tmp_path)
    assert first.path.read_bytes() and "twice" in second.error


@pytest.mark.parametrize(
    "name", [".git/config", "a/.env", "~$report.docx", "x.lock", "Thumbs.db", "a.pyc", "b.txt~"]
)
def test_litter(name):
    assert is_litter(PurePosixPath(name))
    assert not is_litter(PurePosixPath("notes/report.docx"))
