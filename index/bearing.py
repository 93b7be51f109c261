"""Cuts what a search found to what bears on the question, before anybody reads it.

A passage keeps the stretch from the first to the last of its sentences that a reader probably needs
(index.evidence_pack), and is left out where it has none. The stretch stays whole: a sentence between two needed ones
mostly says whom "she" means, and people who follow a citation meet the text as it stands in the document. So a reader
is handed fewer tokens of more passages (docs/decisions/0014-passages-are-cut-before-they-are-read.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from index.evidence_pack import load_packer
from index.offered import offer
from index.retrieve import Searcher
from index.types import Hit, Mode, Scope

RATED: tuple[Mode, ...] = (
    "ranked",
    "deep",
)  # modes whose scores are the usefulness that the packer learned from


def bearing(
    searcher: Searcher, query: str, hits: Sequence[Hit], scope: Scope, worth: float
) -> tuple[Hit, ...]:
    """The hits in their order with shorter passages; `start` and `end` stay true to the document.

    worth: chance of being needed from which a sentence of usual length is kept (`agent.evidence_worth`).

    Hits of modes that do not rate usefulness, and all hits at worth 0, come back as they are. At least one is kept.
    StoreError when the packer's weights are missing.
    """
    if worth <= 0 or not hits or hits[0].retriever not in RATED:
        return tuple(hits)
    offered = offer(
        searcher.store, query, searcher.asked(query, scope), searcher.entities(query, scope), hits
    )
    needed = load_packer().needed(offered, worth)
    stretches: dict[int, tuple[int, int]] = {}
    for sentence in (offered.sentences[at] for at in needed):
        start, end = stretches.get(sentence.hit, (sentence.start, sentence.end))
        stretches[sentence.hit] = (min(start, sentence.start), max(end, sentence.end))
    return tuple(_cut(hit, *stretches[at]) for at, hit in enumerate(offered.hits) if at in stretches)


def _cut(hit: Hit, start: int, end: int) -> Hit:
    """The hit with its passage from `start` to `end`, characters of the document."""
    passage = hit.passage
    text = passage.text[start - passage.start : end - passage.start]
    return replace(hit, passage=replace(passage, start=start, end=end, text=text))
