"""Zip archives without their dangers: bombs, names that climb out, links, endless nesting.

Everything is decided on the directory of the archive before a byte is unpacked, and counted again while
unpacking. Members get file names of our own in the workspace, so their names never reach the disk.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from defusedxml import DTDForbidden
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError as XmlSyntaxError
from defusedxml.ElementTree import iterparse

from index.errors import LimitError, ParseError
from index.limits import MEGABYTE, LoadLimits, megabytes

_SMALL = 10 * MEGABYTE  # unpacked sizes below this are harmless at any ratio
_BLOCK = 1024 * 1024
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
_OLE = b"\xd0\xcf\x11\xe0"  # first bytes of old Office files, and of password-protected new ones
_DAMAGED = "The archive is damaged or incomplete ({}). Download or create it again."


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive, unpacked (`path`) or refused (`error`)."""

    name: str  # path inside the archive, of nested archives joined by "!"
    path: Path | None
    error: str = ""


@dataclass(slots=True)
class Budget:
    """What a top-level archive, nested ones included, may still unpack."""

    limits: LoadLimits
    members: int = 0
    unpacked: int = 0
    files: int = 0  # names of unpacked files are their numbers


def expand(archive: Path, workspace: Path, limits: LoadLimits) -> Iterator[Member]:
    """Unpack the files of a zip archive one by one, nested archives included.

    Hidden files and system litter are left out. Raises ParseError or LimitError when the archive as a
    whole is refused; a member that is refused alone comes with its `error`.
    """
    workspace.mkdir(parents=True, exist_ok=True)
    return _expand(archive, workspace, Budget(limits), depth=1)


def check_container(path: Path, limits: LoadLimits, kind: str) -> None:
    """Refuse an Office or EPUB container that is a bomb, damaged, or whose XML declares entities."""
    with path.open("rb") as file:
        if file.read(4) == _OLE:
            raise ParseError(
                f"The {kind} is protected by a password or in the old Office format. Open it and save it in"
                " the current format without a password."
            )
    with _opened(path, f"The file is not a readable {kind}: it is damaged or incomplete") as container:
        _check_directory(container, path.stat().st_size, Budget(limits))
        for info in container.infolist():
            if info.filename.lower().endswith((".xml", ".rels")) and not kind.startswith("EPUB"):
                _check_prolog(container, info, kind)


def _expand(archive: Path, workspace: Path, budget: Budget, depth: int) -> Iterator[Member]:
    with _opened(archive, "The file is not a zip archive, or is damaged") as opened:
        _check_directory(opened, archive.stat().st_size, budget)
        seen: set[str] = set()
        for info in opened.infolist():
            name = info.filename
            if info.is_dir() or is_litter(PurePosixPath(name)):
                continue
            error = _objection(info, budget.limits)
            if name in seen:
                error = "The archive holds this name twice; only the first was read."
            seen.add(name)
            if error:
                yield Member(name, None, error)
            else:
                yield from _unpack(opened, info, workspace, budget, depth)


def _unpack(
    opened: zipfile.ZipFile, info: zipfile.ZipInfo, workspace: Path, budget: Budget, depth: int
) -> Iterator[Member]:
    budget.files += 1
    target = workspace / f"{budget.files:06d}{_safe_ending(info.filename)}"
    try:
        _copy(opened, info, target, budget)
    except LimitError as error:
        target.unlink(missing_ok=True)
        yield Member(info.filename, None, str(error))
        return
    except _BROKEN as error:
        target.unlink(missing_ok=True)
        yield Member(info.filename, None, _DAMAGED.format(error))
        return
    if target.suffix != ".zip":
        yield Member(info.filename, target)
        return
    yield from _nested(info.filename, target, workspace, budget, depth)


def _safe_ending(name: str) -> str:
    ending = PurePosixPath(name).suffix.lower()
    return ending if ending[1:].isalnum() and len(ending) < 12 else ""


def _nested(name: str, target: Path, workspace: Path, budget: Budget, depth: int) -> Iterator[Member]:
    """Members of an archive inside an archive; its own refusal does not touch the outer one."""
    if depth >= budget.limits.max_depth:
        deep = (
            f"Archives are opened to a depth of {budget.limits.max_depth}; this one lies deeper. Unpack it."
        )
        yield Member(name, None, deep)
        return
    try:
        for member in _expand(target, workspace, budget, depth + 1):
            yield Member(f"{name}!{member.name}", member.path, member.error)
    except ParseError as error:
        yield Member(name, None, str(error))
    finally:
        target.unlink(missing_ok=True)


def is_litter(path: PurePosixPath) -> bool:
    """Hidden files, lock files and what operating systems and editors leave behind."""
    parts = path.parts
    if any(part.startswith(".") and not part.startswith("..") for part in parts):
        return True
    if not {"__MACOSX", "__pycache__", "node_modules"}.isdisjoint(parts):
        return True
    name = path.name.lower()
    return (
        name in ("thumbs.db", "desktop.ini", "icon\r")
        or name.startswith("~$")
        or name.endswith(
            ("~", ".lock", ".tmp", ".swp", ".part", ".crdownload", ".pyc", ".pyo", ".class", ".o")
        )
    )


def _opened(path: Path, complaint: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _BROKEN as error:
        raise ParseError(f"{complaint} ({error}). Create or download it again.") from error


def _check_directory(opened: zipfile.ZipFile, packed: int, budget: Budget) -> None:
    """Sizes the archive itself declares: number of files, sum of sizes, ratio."""
    limits = budget.limits
    infos = opened.infolist()
    budget.members += len(infos)
    if budget.members > limits.max_members:
        raise LimitError(
            f"The archive holds more than {limits.max_members:,} files. Split it, or add the folder instead."
        )
    total = sum(info.file_size for info in infos)
    if budget.unpacked + total > limits.max_expanded_bytes:
        raise LimitError(
            f"The archive unpacks to more than {megabytes(limits.max_expanded_bytes)}; it was not opened."
            " Unpack it and add the files you need."
        )
    if total > _SMALL and total > limits.max_ratio * max(packed, 1):
        raise LimitError(
            f"The archive unpacks to {total // max(packed, 1):,} times its size, more than the allowed"
            f" {limits.max_ratio}: that is how a zip bomb looks. It was not opened."
        )


def _objection(info: zipfile.ZipInfo, limits: LoadLimits) -> str:
    """Why one member is not unpacked; empty when nothing speaks against it."""
    name = info.filename.replace("\\", "/")
    climbs = ".." in PurePosixPath(name).parts or name.startswith("/") or name[1:2] == ":"
    if climbs or "\0" in info.orig_filename:
        return "The name points outside the archive; for safety this file was not unpacked."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "The file is a link, and links in archives are not followed. Put the file itself in."
    if info.flag_bits & 0x1:
        return "The file is protected by a password. Unpack the archive and add the file itself."
    if info.file_size > limits.max_bytes:
        return f"The file is larger than {megabytes(limits.max_bytes)}, the limit for one file. Split it."
    if info.file_size > _SMALL and info.file_size > limits.max_ratio * max(info.compress_size, 1):
        return f"The file unpacks to more than {limits.max_ratio} times its size, as a zip bomb does."
    return ""


def _copy(opened: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, budget: Budget) -> None:
    """Unpack one member, counting real bytes: the directory may have lied."""
    with opened.open(info) as source, target.open("wb") as sink:
        while block := source.read(_BLOCK):
            budget.unpacked += len(block)
            if budget.unpacked > budget.limits.max_expanded_bytes:
                raise LimitError(
                    f"The archive unpacks to more than {megabytes(budget.limits.max_expanded_bytes)}."
                )
            sink.write(block)


def _check_prolog(container: zipfile.ZipFile, info: zipfile.ZipInfo, kind: str) -> None:
    """Office formats forbid document type declarations: one in a part is an attack on the XML reader."""
    try:
        with container.open(info) as part:
            next(iter(iterparse(part, events=("start",), forbid_dtd=True)), None)
    except DTDForbidden as error:
        raise ParseError(
            f"The {kind} declares XML entities in {info.filename}, which no office program writes and which"
            " can be used to attack a reader. It was not opened; save it again with an office program."
        ) from error
    except (XmlSyntaxError, DefusedXmlException):
        return  # the reader of the format will say what is wrong with it
    except _BROKEN as error:
        raise ParseError(_DAMAGED.format(error)) from error
