"""Evidence chains: one to three sentences, connected by names, that together cover the question.

"In which city was the founder of Halden Observatory born?" needs a sentence that ties the observatory
to a founder and one that ties the founder to a city. A beam search over the read sentences finds the
set that covers most of the question with the fewest sentences, each linked to one before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.matching import stems
from agent.question import Question, names_in
from agent.reader import Evidence, is_row
from agent.reader_model import Reading
from agent.spans import Candidate, candidates
from index.names import title_names

BEAM = 8
POOL = 24  # best sentences of each hop that take part
NAME_PRICE = 0.8  # what is not about the question's names is about something else
LINK_PRICE = 0.04  # a longer chain must cover this much more


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Sentences in reading order of the argument, and the short answer they lead to."""

    links: tuple[Evidence, ...]
    covered: np.ndarray  # degree of each question term over all links
    coverage: float  # rarity-weighted share of the question that is covered
    cosine: float  # mean over the links
    score: float
    answers: tuple[Candidate, ...] = ()  # best first, from the last link
    reading: Reading | None = None  # what the trained reader makes of it
    joint: bool = False  # read from packed evidence of several passages at once
    why: str = ""  # how code worked its answer out of what was read

    @property
    def last(self) -> Evidence:
        """The sentence that holds the answer."""
        return self.links[-1]


def best_chains(
    question: Question, weights: np.ndarray, pool: Sequence[Evidence], max_links: int = 3
) -> list[Chain]:
    """Chains over the pool, best first; empty when nothing was read."""
    hops = {e.hop for e in pool}
    chosen = [
        e for hop in hops for e in sorted((e for e in pool if e.hop == hop), key=lambda e: -e.score)[:POOL]
    ]
    chosen = list({e.key: e for e in sorted(chosen, key=lambda e: e.score)}.values())
    names = {e.key: link_names(e) for e in chosen}
    beam = sorted((make_chain(question, weights, (e,)) for e in chosen), key=lambda c: -c.score)
    found = beam[: 2 * BEAM]
    beam = beam[: 2 * BEAM]
    for _ in range(max_links - 1):
        grown = [
            make_chain(question, weights, (*chain.links, e))
            for chain in beam
            for e in chosen
            if all(_apart(e, link) for link in chain.links)
            and _gain(chain, e, weights) > LINK_PRICE
            and _linked(question, chain, e, names)
        ]
        beam = sorted(grown, key=lambda c: -c.score)[:BEAM]
        found = [*found, *beam]
    return sorted(found, key=lambda c: -c.score)


def named_terms(question: Question) -> np.ndarray:
    """Which terms are parts of names: a mask over the question's terms."""
    named = stems(" ".join(question.names))
    return np.array([stems(term) <= named for term in question.terms], dtype=bool)


def link_names(evidence: Evidence) -> frozenset[str]:
    """Names a sentence speaks of, with the title it stands under."""
    found = {*names_in(evidence.text), evidence.passage.title}
    return frozenset(name for name in found if len(name) > 2)


def make_chain(question: Question, weights: np.ndarray, links: tuple[Evidence, ...]) -> Chain:
    """A chain with its coverage, rule-based answers and score."""
    covered = np.max(np.stack([e.degrees for e in links]), axis=0)
    coverage = float(covered @ weights) if len(weights) else 0.0
    cosine = float(np.mean([e.cosine for e in links]))
    known = [name for link in links[:-1] for name in link_names(link)]
    degrees = dict(zip(question.terms, links[-1].own.tolist(), strict=True))
    answers = candidates(question, links[-1].text, links[-1].passage.title, degrees, known)
    typed = question.expects in ("yes_no", "reason") or bool(answers)
    named = named_terms(question)
    unnamed = 1.0 - float((covered * weights)[named].sum() / weights[named].sum()) if named.any() else 0.0
    score = (
        0.55 * coverage + 0.35 * cosine + (0.1 if typed else 0.0)
        - NAME_PRICE * unnamed - LINK_PRICE * (len(links) - 1)
        + (0.05 * min(answers[0].score, 1.5) if answers else 0.0)
    )  # fmt: skip
    return Chain(links, covered, coverage, cosine, score, tuple(answers[:3]))


def _gain(chain: Chain, evidence: Evidence, weights: np.ndarray) -> float:
    if not len(weights):
        return 0.0
    return float(np.maximum(chain.covered, evidence.degrees) @ weights) - chain.coverage


def _linked(
    question: Question, chain: Chain, evidence: Evidence, names: dict[tuple[str, int, int], frozenset[str]]
) -> bool:
    """Whether the sentence speaks of something the chain's last sentence introduced."""
    asked = stems(" ".join(question.names))
    before = {n for n in names[chain.last.key] if not stems(n) <= asked}
    text = f"{evidence.context}\n{evidence.text}"
    return any(speaks_of(text, name) for name in before) or any(
        speaks_of(chain.last.text, name) for name in names[evidence.key] if not stems(name) <= asked
    )


def _apart(one: Evidence, other: Evidence) -> bool:
    """Whether two sentences may be links: of different passages (read whole anyway), or rows of a table."""
    return one.passage.id != other.passage.id or (
        one.key != other.key and is_row(one.text) and is_row(other.text)
    )


def speaks_of(text: str, name: str) -> bool:
    """Whether a text holds a name as whole words."""
    if name not in text:  # nearly always, and much cheaper
        return False
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def names_document(text: str, title: str) -> bool:
    """Whether a text names a document: by its title, or by the number that the title opens with."""
    return any(len(name) > 2 and speaks_of(text, name) for name in title_names(title))
