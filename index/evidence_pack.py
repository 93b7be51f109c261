"""Packs what a search found into few tokens: whole passages, their bearing sentences, or single triplets.

Sentence by sentence the context takes what is worth most for its tokens. A sentence is worth more in a useful
passage, more where the association graph (index.association) connects that passage, more when it holds question
words that no kept sentence held, when it names what another useful passage is about, and when it opens its
passage and so says what it is about. A passage of which every sentence was kept is one item again. A sentence
that does not fit leaves its best triplet, at a fraction of the tokens. Every item says where it stands; none
comes twice. The constants were chosen on training questions of five sets (docs/LOG.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from index.association import AssociatedChunk, AssociatedTriplet, associate, rank
from index.encoders import count_tokens
from index.features import Asked, covered
from index.knowledge import mentions_of, sentences_of, triplets_of
from index.names import bare_title, name_key
from index.store import Store
from index.types import Hit
from index.words import stems_of

CHUNKS, TRIPLETS = 10, 10  # of them at most enter the association graph (k_t = 10 in TeaRAG)
STANDS = 0.3  # value of any sentence of a passage, before its usefulness
OPENING = 0.3  # value of a passage's first sentence on top of that
COVERS, COVERS_FIRST = 0.3, 0.5  # value of all question words (weights sum to 1), and of those not yet held
CONNECTS = 0.3  # value of naming what a surely useful passage is about
TRUST = 0.5  # power of a passage's usefulness: the greater, the fewer passages share the budget
MASS = 1.0  # weight of a passage's PageRank beside that
SPARED = 15  # tokens on top of each sentence's own: long sentences are not spared too much
WORTH = 0.08  # value from which a sentence is kept at all


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
    tokens: int  # of the text


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of a hit that may be kept."""

    hit: int  # place of its passage among the hits
    start: int
    end: int
    text: str
    tokens: int
    words: Mapping[str, float]  # question words it holds, with their weights
    value: float  # before what it may be the first to hold, and before its passage's usefulness
    triplet: str  # its statement nearest to the question, or ""


def pack_evidence(
    store: Store, asked: Asked, entities: Sequence[str], hits: Sequence[Hit], budget: int
) -> tuple[Packed, ...]:
    """Items for a question within `budget` tokens, best passage first; empty without hits.

    The title of each passage counts once. One sentence is given even where it does not fit. entities: keys of
    the question's entities. A hit's score is its usefulness (0 to 1), as ranked modes give it.
    """
    chosen = _distinct(hits)[:CHUNKS]
    if not chosen:
        return ()
    triplets, places = _triplets(store, asked, chosen)
    drawn = associate(
        [AssociatedChunk(str(h.passage.id), _title(h), _logit(h.score)) for h in chosen], triplets, entities
    )
    ranks = rank(drawn, entities)
    masses = [ranks["chunk", str(hit.passage.id)] for hit in chosen]
    sentences = _sentences(store, asked, chosen, places)
    kept, stated = _choose(chosen, masses, sentences, budget)
    packed: list[Packed] = []
    for at in dict.fromkeys(one.hit for one in kept):
        own = sorted((one for one in kept if one.hit == at), key=lambda one: one.start)
        whole = len(own) == sum(one.hit == at for one in sentences)
        packed += _items(chosen[at], masses[at], own, whole)
    for one, size in stated:
        span = (one.start, one.end)
        packed.append(_item("triplet", chosen[one.hit], masses[one.hit], one.triplet, span, size))
    return tuple(packed)


def _choose(
    hits: Sequence[Hit], masses: Sequence[float], sentences: Sequence[_Sentence], budget: int
) -> tuple[list[_Sentence], list[tuple[_Sentence, int]]]:
    """The sentences to keep, and those whose triplet stands for them, with its tokens. Both best first."""
    titles = count_tokens([hit.passage.title for hit in hits])
    trusted = [hit.score**TRUST + MASS * mass for hit, mass in zip(hits, masses, strict=True)]
    held: set[str] = set()  # question words of the kept sentences
    opened: set[int] = set()  # passages whose title is counted
    kept: list[_Sentence] = []
    stated: list[tuple[_Sentence, int]] = []
    waiting = list(sentences)
    used = 0

    def worth(one: _Sentence) -> float:
        first = sum(weight for word, weight in one.words.items() if word not in held)
        return float(trusted[one.hit] * (one.value + COVERS_FIRST * first))

    def cost(one: _Sentence) -> int:
        return one.tokens + (0 if one.hit in opened else titles[one.hit])

    while waiting:
        best = max(waiting, key=lambda one: worth(one) / (cost(one) + SPARED) ** 0.5)
        waiting.remove(best)
        if kept and worth(best) < WORTH:
            continue
        if not kept or used + cost(best) <= budget:
            used += cost(best)
            kept.append(best)
            opened.add(best.hit)
            held |= best.words.keys()
        elif best.triplet:
            (size,) = count_tokens([best.triplet])
            if used + size <= budget:
                used += size
                stated.append((best, size))
    return kept, stated


def _items(hit: Hit, mass: float, sentences: Sequence[_Sentence], whole: bool) -> list[Packed]:
    """The kept sentences of a passage in reading order; one item where that is all of it."""
    passage = hit.passage
    if whole:
        (size,) = count_tokens([passage.text])
        if size <= sum(one.tokens for one in sentences):
            return [_item("passage", hit, mass, passage.text, (passage.start, passage.end), size)]
    return [_item("sentence", hit, mass, one.text, (one.start, one.end), one.tokens) for one in sentences]


def _item(
    kind: Literal["passage", "sentence", "triplet"],
    hit: Hit,
    mass: float,
    text: str,
    span: tuple[int, int],
    size: int,
) -> Packed:
    passage = hit.passage
    return Packed(
        kind, passage.id, passage.document_id, passage.title, text, *span, hit.score, mass, size
    )  # fmt: skip


def _sentences(
    store: Store, asked: Asked, hits: Sequence[Hit], triplets: Mapping[tuple[int, int], str]
) -> list[_Sentence]:
    """Every sentence of the hits with its value. triplets: by passage id and number of the sentence."""
    ids = [hit.passage.id for hit in hits]
    useful = {_title(hit): (hit.passage.id, hit.score) for hit in reversed(hits)}
    connects: dict[tuple[int, int], float] = {}
    for key, number, entity, kind in mentions_of(store.connection, ids):
        other, score = useful.get(entity, (key, 0.0))
        if kind in ("name", "quoted") and other != key:
            connects[key, number] = max(connects.get((key, number), 0.0), score)
    spans: dict[int, list[tuple[int, int, int]]] = {key: [] for key in ids}
    for key, number, start, end in sentences_of(store.connection, ids):
        spans[key].append((number, start, end))
    weights = dict(zip(asked.words, asked.weights.tolist(), strict=True))
    found = []
    for at, passage in enumerate(hit.passage for hit in hits):
        places = spans[passage.id] or [(0, passage.start, passage.end)]
        texts = [passage.text[start - passage.start : end - passage.start] for _, start, end in places]
        for (number, start, end), text, size in zip(places, texts, count_tokens(texts), strict=True):
            words = {word: weights[word] for word in stems_of(text) if word in weights}
            place = (passage.id, number)
            value = STANDS + OPENING * (number == 0) + CONNECTS * connects.get(place, 0.0)
            value += COVERS * sum(words.values())
            found.append(
                _Sentence(at, start, end, text, size, words, value, triplets.get(place, ""))
            )  # fmt: skip
    return found


def _triplets(
    store: Store, asked: Asked, hits: Sequence[Hit]
) -> tuple[list[AssociatedTriplet], dict[tuple[int, int], str]]:
    """The triplets nearest to the question by its words, and the nearest one of each sentence as text."""
    useful = {hit.passage.id: hit.score for hit in hits}
    scored = []
    for passage, sentence, subject, relation, other in triplets_of(store.connection, list(useful)):
        text = f"{subject} {relation} {other}"
        share = covered(asked, frozenset(stems_of(text)))
        scored.append((share + 0.5 * useful[passage], passage, sentence, subject, other, text, share))
    scored.sort(key=lambda one: (-one[0], one[1:]))
    found: list[AssociatedTriplet] = []
    places: dict[tuple[int, int], str] = {}
    for at, (_, passage, sentence, subject, other, text, share) in enumerate(scored):
        places.setdefault((passage, sentence), text)
        if at < TRIPLETS:
            logit = _logit(min(0.95, share + 0.5 * useful[passage]))
            found.append(AssociatedTriplet(str(at), subject, other, str(passage), logit))
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
