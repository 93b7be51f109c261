"""Reading the best evidence together: sentences of several passages under their titles, in one look.

A question over several documents is often answered by none of them alone. The reader was taught on packed evidence
(training/skills/reader_packed.py), so it is shown the sentences that bear most on the question, of the most useful
passages in their order, once widely (more passages, fewer sentences) and once closely (the two best, nearly whole).
Each look becomes a chain like any other: the sentence with the answer, led by the sentences that connect it with
the question. Whether it is right is the judge's to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.chain import Chain, make_chain, speaks_of
from agent.question import Question
from agent.reader import Evidence
from agent.reader_model import ReaderModel, Reading
from agent.spans import Candidate
from index.names import bare_title

ROOM = 1450  # characters, as in training
LOOKS = ((5, 3), (2, 7))  # passages, and sentences of each at most
LEADS = 2  # sentences that may lead to the one with the answer


@dataclass(frozen=True, slots=True)
class _Packed:
    """The text shown, and where each sentence stands in it."""

    text: str
    places: tuple[tuple[int, int, Evidence], ...]


def joint_chains(
    model: ReaderModel,
    question: Question,
    weights: np.ndarray,
    pool: Sequence[Evidence],
    useful: Mapping[int, float],
) -> list[Chain]:
    """One chain for each look that the reader makes something of; the first look first.

    weights: one per question term; useful: passage id -> usefulness (0 to 1).
    """
    ranked = _by_passage(pool, useful)
    shown: dict[str, _Packed] = {}
    for passages, sentences in LOOKS:
        packed = _pack(ranked[:passages], sentences)
        if packed.places:
            shown.setdefault(packed.text, packed)
    readings = model.read(question.text, list(shown))
    made = (
        _chain(question, weights, packed, reading)
        for packed, reading in zip(shown.values(), readings, strict=True)
    )
    return [chain for chain in made if chain is not None]


def _by_passage(pool: Sequence[Evidence], useful: Mapping[int, float]) -> list[list[Evidence]]:
    """Sentences of each passage, best first; the most useful passage first."""
    found: dict[int, list[Evidence]] = {}
    for evidence in sorted(pool, key=lambda e: -e.score):
        found.setdefault(evidence.passage.id, []).append(evidence)
    order = sorted(found, key=lambda passage: (-useful.get(passage, 0.0), -found[passage][0].score, passage))
    return [found[passage] for passage in order]


def _pack(passages: Sequence[Sequence[Evidence]], most: int) -> _Packed:
    """Titles and sentences within ROOM, each passage's sentences in their own order."""
    chosen: list[list[Evidence]] = [[] for _ in passages]
    left = ROOM - sum(len(sentences[0].passage.title) + 1 for sentences in passages)
    for turn in range(most):  # every passage gets its best before any gets more
        for at, sentences in enumerate(passages):
            if turn < len(sentences) and len(sentences[turn].text) < left:
                chosen[at].append(sentences[turn])
                left -= len(sentences[turn].text) + 1
    text = ""
    places: list[tuple[int, int, Evidence]] = []
    for kept in chosen:
        if not kept:
            continue
        text += f"{kept[0].passage.title}\n" if kept[0].passage.title else ""
        for evidence in sorted(kept, key=lambda e: e.start):
            places.append((len(text), len(text) + len(evidence.text), evidence))
            text += evidence.text + " "
        text = text.rstrip() + "\n"
    return _Packed(text.rstrip(), tuple(places))


def _chain(question: Question, weights: np.ndarray, packed: _Packed, reading: Reading) -> Chain | None:
    closed = question.expects == "yes_no"
    if closed:
        links = _leading(packed, packed.places[0][2], LEADS)
        return replace(make_chain(question, weights, links), reading=reading, joint=True)
    if not reading.answer.strip():
        return None
    place = _holding(packed, reading)
    if place is None:  # the answer is a title: the passage's best sentence stands for it
        last, found = _titled(packed, reading), Candidate(reading.answer, -1, -1, "read", reading.probability)
    else:
        start, _, last = place
        found = Candidate(
            reading.answer, reading.start - start, reading.end - start, "read", reading.probability
        )
    if last is None:
        return None
    chain = make_chain(question, weights, _leading(packed, last, LEADS))
    return replace(chain, reading=reading, answers=(found,), joint=True)


def _holding(packed: _Packed, reading: Reading) -> tuple[int, int, Evidence] | None:
    """The sentence in which the span stands."""
    return next((p for p in packed.places if p[0] <= reading.start and reading.end <= p[1]), None)


def _titled(packed: _Packed, reading: Reading) -> Evidence | None:
    """The first sentence after a span outside all sentences: that of the passage whose title it is."""
    return next((evidence for start, _, evidence in packed.places if start >= reading.end), None)


def _leading(packed: _Packed, last: Evidence, most: int) -> tuple[Evidence, ...]:
    """The sentence with the answer, after up to `most` best sentences of other passages that connect with it."""
    title = bare_title(last.passage.title)
    best: dict[int, tuple[bool, float, Evidence]] = {}
    for _, _, evidence in packed.places:
        if evidence.passage.id == last.passage.id:
            continue
        own = bare_title(evidence.passage.title)
        joined = (len(title) > 2 and speaks_of(evidence.text, title)) or (
            len(own) > 2 and speaks_of(last.text, own)
        )
        known = best.get(evidence.passage.id)
        if known is None or (joined, evidence.score) > known[:2]:
            best[evidence.passage.id] = (joined, evidence.score, evidence)
    ranked = sorted(best.values(), key=lambda one: (not one[0], -one[1]))
    joined_only = [evidence for joined, _, evidence in ranked if joined] or [e for _, _, e in ranked[:1]]
    return (*joined_only[:most], last)
