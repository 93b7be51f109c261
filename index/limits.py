"""Bounds on what one file or archive may cost: loading untrusted files must always end."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """Limits per file (and per top-level archive, where it says so)."""

    max_bytes: int = 100 * MEGABYTE  # size of a file on disk
    max_pages: int = 2000
    max_seconds: float = 60.0  # wall clock for parsing one file
    max_memory_mb: int = 2048  # address space of the parsing process
    max_characters: int = 20_000_000  # text taken from one file
    max_members: int = 5000  # files in one archive, nested archives included
    max_depth: int = 2  # 1: no archive inside an archive
    max_expanded_bytes: int = 1024 * MEGABYTE  # one archive, everything in it unpacked
    max_ratio: int = 200  # unpacked size / packed size, where the unpacked size is not small


def megabytes(size: int) -> str:
    """A size in bytes as people read it."""
    return f"{size / MEGABYTE:,.0f} MB" if size >= MEGABYTE else f"{max(1, round(size / 1024)):,} kB"
