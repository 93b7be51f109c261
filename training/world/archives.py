"""Zip archives that come out byte for byte the same: no time of writing, no trace of the platform."""

from __future__ import annotations

import io
import re
import zipfile

_STAMP = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip archive can hold


def fixed(archive: bytes, date: str) -> bytes:
    """The same office file without the time of writing, neither in the zip entries nor in the properties."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                modified = rb"(<dcterms:modified[^>]*>)[^<]*"
                content = re.sub(modified, rb"\g<1>" + f"{date}T00:00:00Z".encode(), content)
            put(new, name, content)
    return out.getvalue()


def put(archive: zipfile.ZipFile, name: str, content: bytes, *, stored: bool = False) -> None:
    """Add one member with a fixed date."""
    entry = zipfile.ZipInfo(name, _STAMP)
    entry.create_system = 3  # the same on every platform
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    archive.writestr(entry, content, compresslevel=9)
