"""A quote in its place: the page picture of a PDF, or the text around it for everything else.

If the quote cannot be found with confidence, nothing is marked and the page says so: a mark in the wrong
place is worse than none.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.page_image import find, letters
from index.errors import ParseError

AROUND = 700  # characters of text shown after a quote, and half as many before it
CONTEXT = 80  # characters that tell one occurrence of a quote from another
SECONDS = 20.0  # a page that takes longer is not drawn
WIDTH = 1400  # pixels: sharp at twice the width of the evidence panel


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A drawn page: JPEG bytes, and the marked boxes in pixels (none when the quote was not found)."""

    jpeg: bytes
    width: int
    height: int
    pages: int
    boxes: tuple[tuple[int, int, int, int], ...]

    @property
    def marked(self) -> bool:
        return bool(self.boxes)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Text around a quote; `quote` is empty when it could not be located."""

    before: str
    quote: str
    after: str
    cut_before: bool = False  # the document goes on before
    cut_after: bool = False


def excerpt(text: str, start: int, end: int, quote: str, around: int = AROUND) -> Excerpt:
    """The quote at [start, end) with the text around it.

    When the document has changed and another text stands there, the quote is looked for; if it is
    absent or in doubt, the text around the old place is shown with nothing marked.
    """
    span: tuple[int, int] | None = (start, end)
    if text[start:end] != quote:
        found = find(letters(list(text)), quote)
        span = (found[0], found[1] + 1) if found else None
    centre = span or (min(start, len(text)), min(start, len(text)))
    left = _break(text, max(0, centre[0] - around // 2), forward=True, limit=centre[0])
    right = _break(text, min(len(text), centre[1] + around), forward=False, limit=centre[1])
    return Excerpt(
        before=text[left : centre[0]],
        quote=text[centre[0] : centre[1]],
        after=text[centre[1] : right],
        cut_before=left > 0,
        cut_after=right < len(text),
    )


def _break(text: str, at: int, *, forward: bool, limit: int) -> int:
    """Move a cut to the next blank so that no word is torn, never past `limit`."""
    if at in (0, len(text)):
        return at
    step = 1 if forward else -1
    while at != limit and not text[at - 1].isspace():
        at += step
    return at


def page_picture(
    path: Path, page: int, quote: str = "", text: str = "", start: int = 0, end: int = 0
) -> PagePicture:
    """Draw 1-based `page` of a PDF with the quote marked.

    `text`, `start` and `end` (the document's text and the quote's place in it) tell one occurrence of
    a repeated quote from another. Raises ParseError when the page cannot be drawn.
    """
    before, after = text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT]
    return _draw(str(path), path.stat().st_mtime_ns, page, quote, before, after)


@lru_cache(maxsize=24)
def _draw(path: str, changed: int, page: int, quote: str, before: str, after: str) -> PagePicture:
    """One run of the child process; `changed` keeps a replaced file from showing its old page."""
    request = {
        "path": path, "page": page, "quote": quote, "before": before, "after": after, "width": WIDTH
    }  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, "-m", "app.page_image"],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=SECONDS,
            cwd=Path(__file__).resolve().parent.parent,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ParseError(
            f"Page {page} took longer than {SECONDS:.0f} s to draw. The quote is below."
        ) from error
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [
            "the drawing program crashed"
        ]
        raise ParseError(f"Page {page} cannot be drawn: {reason[0]}. The quote itself is still shown.")
    head, _, jpeg = done.stdout.partition(b"\n")
    facts: dict[str, Any] = json.loads(head)
    boxes = tuple((box[0], box[1], box[2], box[3]) for box in facts["boxes"])
    return PagePicture(jpeg, facts["width"], facts["height"], facts["pages"], boxes)
