"""Contexts that a reader could be handed, and what they hold: whole passages, TeaRAG's concatenation, packed evidence.

Context is counted as a reader would get it: each passage's title once, then what is kept of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index.encoders import count_tokens, load_embedder
from index.errors import InputError
from index.evidence_pack import AMPLE, WORTH, Packed, lean_worth, load_packer
from index.features import Asked, covered
from index.graph_cache import GraphCache
from index.knowledge import triplets_of
from index.offered import Offer, offer
from index.readings import SentenceReader
from index.retrieve import Searcher
from index.sentence_features import Floats
from index.store import Store
from index.types import Hit, Mode, Scope
from index.words import stems_of
from training import report
from training.benchmark_index import open_index
from training.data import QAExample, load_questions, open_data, question_files
from training.evidence import locate
from training.metrics import normalize

DEEPEST = 10  # passages of a search
TRIPLETS = 10  # of TeaRAG's concatenation
STRICT = "2wiki_distractor"  # only its first answer is not an alias that may be wrong

Span = tuple[str, int, int]  # document id, characters of its text


@dataclass(frozen=True, slots=True)
class Found:
    """A question with what search found for it and what it should find."""

    answers: tuple[str, ...]  # normalised; empty for yes and no
    gold: tuple[Span, ...]  # supporting sentences or whole gold passages
    whole: bool  # gold are passages: any part of one counts
    question: str
    hits: tuple[Hit, ...]
    asked: Asked
    entities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a context. A triplet says something of its span without holding its text."""

    title: str
    text: str
    span: Span
    quotes: bool = True


@dataclass(frozen=True, slots=True)
class Weighed:
    """The sentences of a question's passages and their needs, for packings of several sizes."""

    offered: Offer
    needs: Floats


@dataclass(slots=True)
class Tally:
    """Values of one method at one setting, one for each question it can be judged by."""

    tokens: list[float]
    answers: list[float]
    evidence: list[float]

    def to_dict(self) -> dict[str, float | None]:
        means = {
            "tokens": self.tokens,
            "answer_recall": self.answers,
            "evidence_recall": self.evidence,
        }
        return {name: round(float(np.mean(v)), 4) if v else None for name, v in means.items()}


def collect(folder: Path, split: str, limit: int | None, mode: Mode) -> tuple[Store, list[Found]]:
    """The questions of a pool with their ten best passages, and the open store they stand in."""
    data, embedder = open_data(folder), load_embedder()
    files = question_files(data, split)
    examples = [e for e in load_questions(*files) if e.supporting and not e.unanswerable][:limit]
    if not examples:
        raise InputError(f"No question of {data.name} names its passages, so there is nothing to measure.")
    index = open_index(data, examples, embedder)
    sentences = _supporting_sentences(files)
    searcher, scope = Searcher(index.store, embedder), Scope(collections=(index.collection,))
    _, linker = GraphCache(index.store).current(index.store.collection_id(index.collection))
    vectors = embedder.embed([e.question for e in examples])
    found = []
    for example, vector in zip(report.track(examples, len(examples), data.name), vectors, strict=True):
        marked = sentences.get(example.id, [])
        ids = index.locator.ids_by_source
        spans = [_sentence_span(index.store, ids[pid], text) for pid, text in marked if pid in ids]
        known = tuple(span for span in spans if span is not None)
        passages = tuple((ids[pid], 0, 10**9) for pid in example.supporting)
        found.append(
            Found(
                answers=_answers(example, data.name),
                gold=known or passages,
                whole=not known,
                question=example.question,
                hits=searcher.search_vector(example.question, vector, DEEPEST, mode, scope),
                asked=searcher.asked(example.question, scope),
                entities=tuple(dict.fromkeys(link.key for link in linker.link(example.question))),
            )
        )
    return index.store, found


def passages(found: Found, depth: int) -> list[Piece]:
    """The best passages whole."""
    return [
        Piece(p.title, p.text, (p.document_id, p.start, p.end))
        for p in (hit.passage for hit in found.hits[:depth])
    ]


def triplets(store: Store, found: Found, depth: int) -> list[Piece]:
    """The triplets of the best passages that share most with the question."""
    held = {hit.passage.id: hit.passage for hit in found.hits[:depth]}
    scored = []
    for key, _, subject, relation, other in triplets_of(store.connection, list(held)):
        text = f"{subject} {relation} {other}"
        scored.append((-covered(found.asked, frozenset(stems_of(text))), key, text))
    return [
        Piece("", text, (held[key].document_id, held[key].start, held[key].end), quotes=False)
        for _, key, text in sorted(scored)[:TRIPLETS]
    ]


def weigh(store: Store, found: Found) -> Weighed:
    """The sentences that packing chooses from, with how likely each is needed."""
    offered = offer(store, found.question, found.asked, found.entities, found.hits)
    return Weighed(offered, load_packer().needs(offered))


def weigh_read(weighed: Weighed, reader: SentenceReader) -> Weighed:
    """The same sentences weighed after their passages were read."""
    return Weighed(weighed.offered, load_packer("packer-read").needs(weighed.offered, reader))


def packed(weighed: Weighed, budget: int, worth: float = WORTH) -> list[Piece]:
    """What index.evidence_pack keeps."""
    return _pieces(load_packer().pack(weighed.offered, budget, worth, weighed.needs))


def lean(weighed: Weighed) -> list[Piece]:
    """The same where packing is lean."""
    return packed(weighed, AMPLE, lean_worth(weighed.offered, weighed.needs))


def _pieces(items: Sequence[Packed]) -> list[Piece]:
    return [
        Piece(
            "" if item.kind == "triplet" else item.title,
            item.text,
            (item.document_id, item.start, item.end),
            quotes=item.kind != "triplet",
        )
        for item in items
    ]


def measure(contexts: Sequence[tuple[Found, Sequence[Piece]]]) -> dict[str, float | None]:
    """Means over the questions."""
    tally = Tally([], [], [])
    texts = [written(pieces) for _, pieces in contexts]
    for (found, pieces), text, size in zip(contexts, texts, count_tokens(texts), strict=True):
        tally.tokens.append(float(size))
        if found.answers:
            read = f" {normalize(text)} "
            tally.answers.append(float(any(f" {answer} " in read for answer in found.answers)))
        tally.evidence.append(float(np.mean([_covers(pieces, gold, found.whole) for gold in found.gold])))
    return tally.to_dict()


def written(pieces: Sequence[Piece]) -> str:
    """A context as a reader gets it: documents in order of their best piece, each piece in reading order."""
    groups: dict[str, list[Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.span[0] if piece.quotes else "", []).append(piece)
    blocks = []
    for key, group in groups.items():
        ordered = sorted(group, key=lambda piece: piece.span[1]) if key else group
        title = f"{group[0].title}: " if key and group[0].title else ""
        blocks.append(title + (" " if key else "; ").join(piece.text for piece in ordered))
    return "\n".join(blocks)


def _answers(example: QAExample, pool: str) -> tuple[str, ...]:
    texts = example.answers[:1] if pool == STRICT else example.answers
    normal = [normalize(text) for text in texts]
    return tuple(dict.fromkeys(text for text in normal if text and text not in ("yes", "no")))


def _supporting_sentences(files: Sequence[Path]) -> dict[str, list[tuple[str, str]]]:
    """Question id -> (passage id, sentence) as the set marks them."""
    found = {}
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line) if line.strip() else {}
            if row.get("supporting_sentences"):
                found[row["id"]] = [(one["pid"], one["text"]) for one in row["supporting_sentences"]]
    return found


def _sentence_span(store: Store, document_id: str, sentence: str) -> Span | None:
    span = locate(re.sub(r"\s+", " ", sentence).strip(), store.document_text(document_id))
    return (document_id, *span) if span else None


def _covers(pieces: Sequence[Piece], gold: Span, whole: bool) -> bool:
    """Whether more than half of a gold sentence stands in the pieces, or any part of a gold passage."""
    inside = 0
    for piece in pieces:
        document, start, end = piece.span
        if piece.quotes and document == gold[0]:
            inside += max(0, min(end, gold[2]) - max(start, gold[1]))
    return inside > (0 if whole else 0.5 * (gold[2] - gold[1]))
