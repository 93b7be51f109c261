"""Reading without a model of its own: the sentences of the found passages, scored for a question.

A sentence is judged with the place it stands in (title, heading), because "It was opened in 1887" says
nothing without them. Two signals that fail differently are averaged: the encoder's cosine and the
rarity-weighted share of question words that the sentence covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.matching import WordMatcher, stems
from agent.question import Question
from index.chunk import sentence_spans
from index.types import Embedder, Hit, Passage, Vectors

MIN_CHARACTERS = 12  # shorter pieces are headings and table debris
MAX_SENTENCES = 96  # read per search


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A sentence of a passage with its value for the question."""

    passage: Passage
    start: int  # offsets in the document's text
    end: int
    text: str
    context: str  # title and heading it stands under
    cosine: float  # with the query it was read for
    degrees: np.ndarray  # how far it covers each question term, with its context
    own: np.ndarray  # the same without the context
    score: float
    hop: int

    @property
    def key(self) -> tuple[str, int, int]:
        """Identity: the document and the span."""
        return (self.passage.document_id, self.start, self.end)


class Reader:
    """Finds the sentences that bear on a question. Safe for threads."""

    def __init__(self, embedder: Embedder, matcher: WordMatcher) -> None:
        self._embedder = embedder
        self._matcher = matcher

    def read(
        self, question: Question, weights: np.ndarray, query: str, hits: Sequence[Hit], hop: int
    ) -> list[Evidence]:
        """Sentences of the hits, best first.

        weights: one per question term, sum 1; query: what the passages were searched with.
        """
        spans = [
            (hit, start, end)
            for hit in hits
            for start, end in sentences(hit.passage)
            if end - start >= MIN_CHARACTERS
        ][:MAX_SENTENCES]
        if not spans:
            return []
        texts = [_slice(hit.passage, start, end) for hit, start, end in spans]
        contexts = [_context(hit.passage) for hit, _, _ in spans]
        vectors = self._embedder.embed([query, *(f"{c}\n{t}" for c, t in zip(contexts, texts, strict=True))])
        cosines: Vectors = vectors[1:] @ vectors[0]
        names = stems(" ".join(question.names))
        own = self._matcher.cover(question.terms, texts, names)
        around = self._matcher.cover(question.terms, contexts, names)
        degrees = np.maximum(own, around)
        covered = degrees @ weights if len(weights) else np.zeros(len(texts))
        top = max(hit.score for hit in hits) or 1.0
        evidence = [
            Evidence(
                passage=hit.passage, start=start, end=end, text=texts[at], context=contexts[at],
                cosine=float(cosines[at]), degrees=degrees[at], own=own[at],
                score=float(0.45 * cosines[at] + 0.45 * covered[at] + 0.1 * hit.score / top), hop=hop,
            )
            for at, (hit, start, end) in enumerate(spans)
        ]  # fmt: skip
        return sorted(evidence, key=lambda e: -e.score)


def sentences(passage: Passage) -> list[tuple[int, int]]:
    """Sentence spans; rows of tables and lists count as sentences."""
    spans: list[tuple[int, int]] = []
    at = passage.start
    for line in passage.text.splitlines(keepends=True):
        spans.extend(sentence_spans(line, at) if len(line.strip()) >= MIN_CHARACTERS else [])
        at += len(line)
    return _joined(passage, spans)


def _joined(passage: Passage, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Undo line breaks inside sentences (plain text and PDF wrap their lines)."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined:
            last_start, last_end = joined[-1]
            gap = _slice(passage, last_end, start)
            open_end = _slice(passage, last_end - 1, last_end)[-1:] not in '.!?:|"”)'
            wrapped = gap.count("\n") == 1 and not gap.replace("\n", "").strip()
            low = _slice(passage, start, start + 1)[:1]
            prose = (
                "|" not in _slice(passage, last_start, end)
                and len(_slice(passage, last_start, last_end)) > 45
            )
            if wrapped and open_end and prose and (low.islower() or low.isalnum()):
                joined[-1] = (last_start, end)
                continue
        joined.append((start, end))
    return joined


def _slice(passage: Passage, start: int, end: int) -> str:
    return passage.text[start - passage.start : end - passage.start]


def _context(passage: Passage) -> str:
    return passage.title if not passage.heading else f"{passage.title} > {passage.heading}"
