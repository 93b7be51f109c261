"""Fits what a search found into the reader's token budget: best passages first, never one twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.config import AgentConfig
from agent.memo import MemoSearch
from index.encoders import count_tokens
from index.types import Hit, Mode


def evidence(
    search: MemoSearch, query: str, mode: Mode, config: AgentConfig, first: Sequence[Hit] = ()
) -> tuple[tuple[Hit, ...], int]:
    """What one search hands to the reader: the best passages, cut to what bears on the query; and their tokens.

    first: hits that come before them, with the score that the search gave the same passage if it found it.
    """
    found = {h.passage.id: h for h in search.bearing(query, config.top_k, mode, config.evidence_worth)}
    lead = {
        h.passage.id: replace(h, score=found[h.passage.id].score) if h.passage.id in found else h
        for h in first
    }
    rest = [hit for key, hit in found.items() if key not in lead]
    return pack((*lead.values(), *rest), config.context_tokens)


def pack(hits: Sequence[Hit], budget: int) -> tuple[tuple[Hit, ...], int]:
    """The best hits whose passages fit into `budget` tokens (always at least one), and their tokens.

    Passages with the same text (copies of one document) are read once.
    """
    kept: list[Hit] = []
    used = 0
    seen: set[str] = set()
    for hit, size in zip(hits, count_tokens([hit.passage.text for hit in hits]), strict=True):
        text = " ".join(hit.passage.text.split())
        if text in seen:
            continue
        if kept and used + size > budget:
            continue
        seen.add(text)
        kept.append(hit)
        used += size
    return tuple(kept), used
