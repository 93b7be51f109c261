"""What packing may choose from: the sentences of the best passages, with what the store knows of them.

Copies of one text are offered once. A passage that is not extracted yet counts as one sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.association import AssociatedChunk, AssociatedTriplet, associate, rank
from index.encoders import count_tokens
from index.features import Asked, covered
from index.knowledge import mentions_of, sentences_of, triplets_of
from index.names import bare_title, name_key
from index.nearness import Nearness, nearness
from index.store import Store
from index.types import Hit
from index.words import stems_of

CHUNKS, TRIPLETS = 10, 10  # of them at most enter the association graph (k_t = 10 in TeaRAG)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a hit that may be kept. `start` and `end` are characters of the document's text."""

    hit: int  # place of its passage among the hits
    number: int  # in its passage, from 0
    start: int
    end: int
    text: str
    tokens: int
    stems: frozenset[str]
    mentions: tuple[tuple[str, str], ...]  # (entity key, kind), the passage's title and headings left out
    triplets: int
    triplet: str  # its statement nearest to the question, or ""
    triplet_covered: float  # weight of the question's words in that statement


@dataclass(frozen=True, slots=True)
class Offer:
    """The choice for one question: passages best first, and all their sentences."""

    question: str
    asked: Asked
    entities: frozenset[str]  # keys of the question's entities
    hits: tuple[Hit, ...]
    titles: tuple[str, ...]  # entity key of each hit's title, or ""
    title_stems: tuple[frozenset[str], ...]
    title_tokens: tuple[int, ...]
    masses: tuple[float, ...]  # PageRank of each hit in the association graph
    sentences: tuple[Sentence, ...]  # hit by hit, in reading order
    near: Nearness  # of the sentences


def offer(store: Store, question: str, asked: Asked, entities: Sequence[str], hits: Sequence[Hit]) -> Offer:
    """The sentences of the CHUNKS best hits. A hit's score is its usefulness (0 to 1)."""
    chosen = _distinct(hits)[:CHUNKS]
    stated, linked = _triplets(store, asked, chosen)
    titles = tuple(name_key(bare_title(hit.passage.title)) for hit in chosen)
    drawn = associate(
        [
            AssociatedChunk(str(hit.passage.id), title, logit(hit.score))
            for hit, title in zip(chosen, titles, strict=True)
        ],
        linked,
        entities,
    )
    ranks = rank(drawn, entities)
    title_stems = tuple(frozenset(stems_of(hit.passage.title)) for hit in chosen)
    sentences = tuple(_sentences(store, chosen, stated))
    return Offer(
        question,
        asked,
        frozenset(entities),
        tuple(chosen),
        titles,
        title_stems,
        tuple(count_tokens([hit.passage.title for hit in chosen])),
        tuple(ranks["chunk", str(hit.passage.id)] for hit in chosen),
        sentences,
        nearness(question, asked, title_stems, [(one.text, one.stems) for one in sentences]),
    )


def _sentences(
    store: Store, hits: Sequence[Hit], stated: Mapping[tuple[int, int], tuple[str, float, int]]
) -> list[Sentence]:
    ids = [hit.passage.id for hit in hits]
    spans: dict[int, list[tuple[int, int, int]]] = {key: [] for key in ids}
    for key, number, start, end in sentences_of(store.connection, ids):
        spans[key].append((number, start, end))
    mentions: dict[tuple[int, int], list[tuple[str, str]]] = {}
    for key, number, entity, kind in mentions_of(store.connection, ids):
        if kind not in ("title", "heading"):
            mentions.setdefault((key, number), []).append((entity, kind))
    found: list[Sentence] = []
    for at, passage in enumerate(hit.passage for hit in hits):
        places = spans[passage.id] or [(0, passage.start, passage.end)]
        texts = [passage.text[start - passage.start : end - passage.start] for _, start, end in places]
        for (number, start, end), text, size in zip(places, texts, count_tokens(texts), strict=True):
            place = (passage.id, number)
            triplet, share, count = stated.get(place, ("", 0.0, 0))
            found.append(
                Sentence(
                    at, number, start, end, text, size, frozenset(stems_of(text)),
                    tuple(dict.fromkeys(mentions.get(place, ()))), count, triplet, share,
                )
            )  # fmt: skip
    return found


def _triplets(
    store: Store, asked: Asked, hits: Sequence[Hit]
) -> tuple[dict[tuple[int, int], tuple[str, float, int]], list[AssociatedTriplet]]:
    """The nearest triplet of each sentence (text, words of the question covered, triplets of the sentence), and
    the triplets nearest to the question over all."""
    useful = {hit.passage.id: hit.score for hit in hits}
    scored = []
    for passage, sentence, subject, relation, other in triplets_of(store.connection, list(useful)):
        text = f"{subject} {relation} {other}"
        share = covered(asked, frozenset(stems_of(text)))
        scored.append((share + 0.5 * useful[passage], passage, sentence, subject, other, text, share))
    scored.sort(key=lambda one: (-one[0], one[1:]))
    linked: list[AssociatedTriplet] = []
    stated: dict[tuple[int, int], tuple[str, float, int]] = {}
    for at, (_, passage, sentence, subject, other, text, share) in enumerate(scored):
        best, cover, count = stated.get((passage, sentence), (text, share, 0))
        stated[passage, sentence] = (best, cover, count + 1)
        if at < TRIPLETS:
            odds = logit(min(0.95, share + 0.5 * useful[passage]))
            linked.append(AssociatedTriplet(str(at), subject, other, str(passage), odds))
    return stated, linked


def _distinct(hits: Sequence[Hit]) -> list[Hit]:
    """Hits without copies of the same text."""
    found: dict[str, Hit] = {}
    for hit in hits:
        found.setdefault(" ".join(hit.passage.text.split()), hit)
    return list(found.values())


def logit(probability: float) -> float:
    """Log-odds of a probability, within +-6.9."""
    inside = min(max(probability, 1e-3), 1 - 1e-3)
    return math.log(inside / (1 - inside))
