"""What a person sees of memory: one entry for each remembered question."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from index.derived import Derived


@dataclass(frozen=True, slots=True)
class Quote:
    """A span that an answer rests on."""

    text: str
    title: str
    source: str
    document_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Remembered:
    """An episode with its answer, if one is kept."""

    key: str
    question: str
    outcome: str
    short: str
    text: str  # of the kept answer, without citation marks; empty when none is kept
    quotes: tuple[Quote, ...]
    q: float
    visits: int
    strategy: tuple[str, ...]
    created_at: float
    updated_at: float
    corrected: bool

    def exported(self) -> dict[str, Any]:
        """As a JSON line."""
        return asdict(self)


def remembered(episode: Derived, answer: Derived | None) -> Remembered:
    """The entry of an episode."""
    value, kept = episode.value, answer.value if answer is not None else None
    notes = kept["notes"] if kept else ()
    said = kept["answer"] if kept else {"short": "", "text": ""}
    quotes = (
        Quote(n["quote"], n["title"], n["source"], n["document_id"], n["start"], n["end"]) for n in notes
    )
    return Remembered(
        key=episode.key, question=value["question"], outcome=value["outcome"],
        short=said["short"], text=re.sub(r"\s*\[\d+\]", "", said["text"]), quotes=tuple(quotes),
        q=value["q"], visits=value["visits"], strategy=tuple(value["strategy"]),
        created_at=episode.created_at, updated_at=episode.updated_at, corrected=bool(kept and kept.get("corrected")),
    )  # fmt: skip
