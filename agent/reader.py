"""Reading without a model of its own: the sentences of the found passages, scored for a question.

A sentence is judged with the place it stands in (title, heading), because "It was opened in 1887" says
nothing without them. Two signals that fail differently are averaged: the encoder's cosine and the
rarity-weighted share of question words that the sentence covers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.matching import WordMatcher, stems
from agent.question import Question
from index.chunk import sentence_spans
from index.types import Embedder, Hit, Passage, Vectors

_ROW = re.compile(r"[^:;|]{1,60}: [^;]*; [^:;|]{1,60}: |.*\S\s*\|\s*\S.*\||[^|]+\|[^|]+\|")
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
    """Sentence spans of a passage; rows of tables and list items count as sentences, headings do not."""
    headings = {part.strip().lower() for part in (*passage.heading.split(" > "), passage.title)}
    spans: list[tuple[int, int]] = []
    at = passage.start
    for line in passage.text.splitlines(keepends=True):
        text = line.strip()
        if is_row(text):
            left = at + len(line) - len(line.lstrip())
            spans.append((left, left + len(text)))
        elif len(text) >= MIN_CHARACTERS and text.lower() not in headings:
            spans.extend(sentence_spans(line, at))
        at += len(line)
    return _joined(passage, spans)


def is_row(text: str) -> bool:
    """Whether a line is a table row: "Key: value; Key: value" or cells between bars."""
    return bool(_ROW.match(text))


def _joined(passage: Passage, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Undo line breaks inside sentences (plain text and PDF wrap their lines)."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and _wrapped(passage, *joined[-1], start):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _wrapped(passage: Passage, start: int, end: int, following: int) -> bool:
    """Whether a line goes on in the next one: long, not ended, one line break, and not a row."""
    text, gap = _slice(passage, start, end), _slice(passage, end, following)
    one_break = gap.count("\n") == 1 and not gap.strip()
    return one_break and len(text) > 45 and text[-1] not in '.!?:;|"”)' and not is_row(text)


def _slice(passage: Passage, start: int, end: int) -> str:
    return passage.text[start - passage.start : end - passage.start]


def _context(passage: Passage) -> str:
    return passage.title if not passage.heading else f"{passage.title} > {passage.heading}"
