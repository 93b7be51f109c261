"""What there is to read: paths, folders and zip archives to single files, and from there to documents.

`discover` finds the files and says why it leaves one out; `parse_all` and `Parser` (index.supervise) read
them in a child process; `LoadLimits` bounds both.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from index.archive import expand, is_litter
from index.errors import InputError, ParseError
from index.limits import LoadLimits, megabytes
from index.parse import format_of, supported_extensions
from index.supervise import Parser, parse_all
from index.types import SourceFile

__all__ = ["FailedFile", "LoadLimits", "Parser", "discover", "parse_all", "supported_extensions"]

ARCHIVE = ".zip"


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that was found but will not be read, and why."""

    source: str
    name: str
    error: str


def discover(paths: Sequence[Path], limits: LoadLimits, workspace: Path) -> Iterator[SourceFile | FailedFile]:
    """All files under the given paths, each once: folders in sorted order, zip archives unpacked.

    `source` is the absolute path, inside an archive "/path/archive.zip!inner/name.md". Hidden files, lock
    files and system litter in folders and archives are left out silently; everything else that cannot be
    read is a FailedFile. Archive members are unpacked into `workspace`, which the caller removes afterwards.
    Raises InputError, before anything is read, for a path that does not exist.
    """
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise InputError(f"Not found: {', '.join(missing)}. Give existing files, folders or zip archives.")
    return _each_once(paths, limits, workspace)


def _each_once(
    paths: Sequence[Path], limits: LoadLimits, workspace: Path
) -> Iterator[SourceFile | FailedFile]:
    seen: set[str] = set()
    for path in paths:
        for file in _files(Path(os.path.abspath(path))):
            if str(file) in seen:
                continue
            seen.add(str(file))
            if file.suffix.lower() == ARCHIVE:
                yield from _archive(file, limits, workspace / f"{len(seen):06d}")
            else:
                yield _checked(file, limits)


def _files(path: Path) -> Iterator[Path]:
    """The path itself, or the files below it; a folder reached twice (by links) is entered once."""
    if not path.is_dir():
        yield path
        return
    entered: set[tuple[int, int]] = set()
    for folder, folders, names in os.walk(path, followlinks=True, onerror=None):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in entered:
            folders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not is_litter(PurePosixPath(name)))
        for name in sorted(names):
            if not is_litter(PurePosixPath(name)):
                yield Path(folder, name)


def _checked(file: Path, limits: LoadLimits) -> SourceFile | FailedFile:
    """The file, or why it cannot be read; looks at the name and the directory entry only."""
    source, name = str(file), file.name
    try:
        format_of(name)
        status = file.stat()
    except ParseError as error:
        return FailedFile(source, name, str(error))
    except OSError as error:
        reason = f"The file cannot be opened ({error.strerror}). Check the link or the rights."
        return FailedFile(source, name, reason)
    if not stat.S_ISREG(status.st_mode):
        return FailedFile(source, name, "This is a device or pipe, not a file. Give a file with a document.")
    if status.st_size > limits.max_bytes:
        size, most = megabytes(status.st_size), megabytes(limits.max_bytes)
        reason = (
            f"The file has {size}, more than the limit of {most} for one file. Split it into smaller files."
        )
        return FailedFile(source, name, reason)
    if not os.access(file, os.R_OK):
        return FailedFile(source, name, "The file may not be read by this user. Change its rights.")
    return SourceFile(source, file, name)


def _archive(file: Path, limits: LoadLimits, workspace: Path) -> Iterator[SourceFile | FailedFile]:
    """Members of a zip archive; an archive that is refused as a whole is one FailedFile."""
    try:
        for member in expand(file, workspace, limits):
            source, name = f"{file}!{member.name}", PurePosixPath(member.name).name
            if member.path is None:
                yield FailedFile(source, name, member.error)
                continue
            try:
                format_of(name)
            except ParseError as error:
                member.path.unlink()
                yield FailedFile(source, name, str(error))
            else:
                yield SourceFile(source, member.path, name)
    except ParseError as error:
        yield FailedFile(str(file), file.name, str(error))
