"""Packs what a search found into few tokens: whole passages, their bearing sentences, or single triplets.

The association graph (index.association) orders chunks and triplets by relevance and connection. A passage that
is surely useful is kept whole; of the others only the sentences that bear on the question stay: those that hold
question words no kept sentence held, and those that name what connects the passages. A triplet is kept for a
sentence that was left out, at a fraction of its tokens. Every item says where it stands; none comes twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from index.association import AssociatedChunk, AssociatedTriplet, associate, content, rank
from index.encoders import count_tokens
from index.features import Asked, covered
from index.knowledge import mentions_of, sentences_of, triplets_of
from index.names import bare_title, name_key
from index.store import Store
from index.types import Hit
from index.words import stems_of

CHUNKS, TRIPLETS = 8, 10  # of them at most enter the association graph (k_t = 10 in TeaRAG)
WHOLE = 0.5  # usefulness from which a passage is kept whole
LEAST = 0.02  # usefulness below which a passage is left out, but for the first two
CONNECTS = 0.15  # value of naming what another chosen passage is about, against question words (sum 1)
OPENING = 0.1  # value of a passage's first sentence, which says what it is about
WORTH = 0.12  # value from which a sentence is kept


Place = tuple[int, int]  # passage, number of the sentence in it


@dataclass(frozen=True, slots=True)
class Packed:
    """One item of the context. `start` and `end` are characters of the document's text."""

    kind: Literal["passage", "sentence", "triplet"]
    passage_id: int
    document_id: str
    title: str
    text: str
    start: int
    end: int
    usefulness: float
    mass: float  # PageRank in the association graph
    tokens: int


def pack_evidence(
    store: Store, asked: Asked, entities: Sequence[str], hits: Sequence[Hit], budget: int
) -> tuple[Packed, ...]:
    """Items for a question within `budget` tokens, best first; empty without hits.

    entities: keys of the question's entities. A hit's score is its usefulness (0 to 1), as ranked modes give it.
    """
    chosen = [hit for at, hit in enumerate(_distinct(hits)) if at < 2 or hit.score >= LEAST][:CHUNKS]
    if not chosen:
        return ()
    sentences = _sentences(store, chosen)
    triplets, places = _triplets(store, asked, chosen)
    drawn = associate(
        [AssociatedChunk(str(h.passage.id), _title(h), _logit(h.score)) for h in chosen], triplets, entities
    )
    ranks = rank(drawn, entities)
    by_id = {str(hit.passage.id): hit for hit in chosen}
    packed: list[Packed] = []
    held: set[Place] = set()
    seen: set[str] = set()  # question stems that some kept sentence holds
    topics = {_title(hit): hit.passage.id for hit in chosen if hit.score >= LEAST}
    used = 0
    for node in content(ranks):
        kind, key = node
        if kind == "chunk":
            found = _bearing(by_id[key], sentences[int(key)], asked, seen, topics, ranks[node])
        else:
            number, sentence, text = places[key]
            hit, place = by_id[str(number)], (number, sentence)
            bears = place not in held and hit.score >= LEAST
            found = (
                [(_triplet(hit, sentences[number], sentence, text, ranks[node]), {place})] if bears else []
            )
        for item, holds in found:
            if holds <= held or (packed and used + item.tokens > budget):
                continue
            held |= holds
            seen.update(stems_of(item.text))
            packed.append(item)
            used += item.tokens
    return tuple(packed)


def _bearing(
    hit: Hit,
    sentences: Sequence[tuple[int, int, str, frozenset[str]]],
    asked: Asked,
    seen: set[str],
    topics: dict[str, int],
    mass: float,
) -> list[tuple[Packed, set[Place]]]:
    """The passage whole, or its sentences worth their tokens, in reading order."""
    passage = hit.passage
    if hit.score >= WHOLE or len(sentences) <= 1:
        (size,) = count_tokens([passage.text])
        item = Packed(
            "passage", passage.id, passage.document_id, passage.title, passage.text, passage.start, passage.end,
            hit.score, mass, size,
        )  # fmt: skip
        return [(item, {(passage.id, number) for number in range(len(sentences) or 1)})]
    kept = []
    sizes = count_tokens([text for _, _, text, _ in sentences])
    for number, ((start, end, text, named), size) in enumerate(zip(sentences, sizes, strict=True)):
        body = frozenset(stems_of(text))
        value = covered(asked, body, frozenset(seen)) + 0.3 * covered(asked, body)
        value += CONNECTS * any(topics.get(key, passage.id) != passage.id for key in named)
        value += OPENING * (number == 0)
        if value >= WORTH:
            item = Packed(
                "sentence",
                passage.id,
                passage.document_id,
                passage.title,
                text,
                start,
                end,
                hit.score,
                mass,
                size,
            )
            kept.append((item, {(passage.id, number)}))
    return kept


def _triplet(
    hit: Hit, sentences: Sequence[tuple[int, int, str, frozenset[str]]], number: int, text: str, mass: float
) -> Packed:
    start, end = sentences[number][:2] if number < len(sentences) else (hit.passage.start, hit.passage.end)
    (size,) = count_tokens([text])
    return Packed(
        "triplet",
        hit.passage.id,
        hit.passage.document_id,
        hit.passage.title,
        text,
        start,
        end,
        hit.score,
        mass,
        size,
    )


def _sentences(store: Store, hits: Sequence[Hit]) -> dict[int, list[tuple[int, int, str, frozenset[str]]]]:
    """(start, end, text, entity keys) of each sentence of each passage."""
    ids = [hit.passage.id for hit in hits]
    named: dict[tuple[int, int], set[str]] = {}
    for passage, sentence, entity, kind in mentions_of(store.connection, ids):
        if kind in ("name", "quoted"):
            named.setdefault((passage, sentence), set()).add(entity)
    passages = {hit.passage.id: hit.passage for hit in hits}
    found: dict[int, list[tuple[int, int, str, frozenset[str]]]] = {key: [] for key in ids}
    for key, number, start, end in sentences_of(store.connection, ids):
        text = passages[key].text[start - passages[key].start : end - passages[key].start]
        found[key].append((start, end, text, frozenset(named.get((key, number), ()))))
    return found


def _triplets(
    store: Store, asked: Asked, hits: Sequence[Hit]
) -> tuple[list[AssociatedTriplet], dict[str, tuple[int, int, str]]]:
    """The triplets nearest to the question by its words, with where they stand and how they read."""
    useful = {hit.passage.id: hit.score for hit in hits}
    scored = []
    for passage, sentence, subject, relation, other in triplets_of(store.connection, list(useful)):
        text = f"{subject} {relation} {other}"
        share = covered(asked, frozenset(stems_of(text)))
        scored.append((share + 0.5 * useful[passage], passage, sentence, subject, other, text, share))
    scored.sort(key=lambda one: (-one[0], one[1:]))
    found, places = [], {}
    for at, (_, passage, sentence, subject, other, text, share) in enumerate(scored[:TRIPLETS]):
        logit = _logit(min(0.95, share + 0.5 * useful[passage]))
        found.append(AssociatedTriplet(str(at), subject, other, str(passage), logit))
        places[str(at)] = (passage, sentence, text)
    return found, places


def _distinct(hits: Sequence[Hit]) -> list[Hit]:
    """Hits without copies of the same text."""
    found: dict[str, Hit] = {}
    for hit in hits:
        found.setdefault(" ".join(hit.passage.text.split()), hit)
    return list(found.values())


def _title(hit: Hit) -> str:
    return name_key(bare_title(hit.passage.title))


def _logit(probability: float) -> float:
    inside = min(max(probability, 1e-3), 1 - 1e-3)
    return math.log(inside / (1 - inside))
