"""The settings file on disk: read as plain tables, changed in place without losing a person's comments.

It knows TOML and files, not the settings: which keys exist and what they mean is `agent.config`.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

import tomlkit

from index.errors import ConfigError, StoreError

Key = tuple[str, str]  # table, name


def read_values(path: Path) -> dict[Key, object]:
    """All values of the file; nothing where there is no file. Raises ConfigError naming the file."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        problem = error.strerror if isinstance(error, OSError) else error  # str(OSError) repeats the path
        reason = f"{path} cannot be read as TOML: {problem}. Correct the file or remove it."
        raise ConfigError(reason) from None  # a parser's error may quote the line of the key
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigError(
                f"{path}: {name!r} stands alone. Put it under a table such as [model] or [agent]."
            )
    return {(name, key): value for name, table in tables.items() for key, value in table.items()}


def change_values(path: Path, changes: Mapping[Key, str | int | float | bool | None]) -> None:
    """Set (or with None remove) values; the rest of the file stays as it is. Mode 0600, all or nothing."""
    text = path.read_text("utf-8") if path.exists() else ""
    document = tomlkit.parse(text)
    for (name, key), value in changes.items():
        if value is None:
            document.get(name, {}).pop(key, None)
        else:
            document.setdefault(name, tomlkit.table())[key] = value
    _write_private(path, tomlkit.dumps(document))


def _write_private(path: Path, text: str) -> None:
    """Through a temporary file that nobody else can read, so that a crash leaves old or new, not half."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # created 0600
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}. Check the data folder.") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise StoreError(f"{path} cannot be written: {error.strerror}. Nothing was changed.") from error
