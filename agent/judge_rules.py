"""Which chains no trees may prefer: rules on what an answer to a question can be, and what a chain must tell of.

Each rule is about what the judge's trees see too little of in their rows; a chain that one excludes is stated at most
agent.judge.UNCONNECTED and never preferred.
"""

from __future__ import annotations

import re
from pathlib import PurePath

import numpy as np

from agent.answer_types import plausible
from agent.chain import Chain, named_terms, names_document
from agent.designations import designations, holds
from agent.matching import stems
from agent.question import Question
from agent.reader import Evidence
from index.names import title_names

NAMES_NEEDED = 0.6  # share of the question's names that an unconnected sentence with the answer must hold
CLOSED = ("yes", "no")
_CHOOSES = re.compile(r"\b(?:or|and|both|either|between|among)\b", re.I)
PAY = frozenset("salary wage wages pay income revenue budget compensation".split())


def excluded(question: Question, weights: np.ndarray, chain: Chain, answer: str) -> bool:
    """Whether any rule excludes a chain with the answer it gives. weights: one per question term."""
    return (
        not plausible(question.expects, answer)
        or echoes(question, answer)
        or too_little(question, answer)
        or own_number(question, chain, answer)
        or unconnected(question, weights, chain, answer)
        or _another(designations(question.text), chain)
    )


def unconnected(question: Question, weights: np.ndarray, chain: Chain, answer: str) -> bool:
    """Whether nothing connects a chain's sentences and the one with the answer is about something else: another
    bridge's cost next to the bridge that was asked about."""
    if not answer or answer in CLOSED:
        return False
    alone = len(chain.links) < 2  # the trees know single chains; of packed evidence they have seen little
    if (alone and (not chain.joint or question.options)) or (not alone and joined(chain)):
        return False
    return not names_asked(question, weights, holding(chain, answer))


def holding(chain: Chain, answer: str) -> Evidence:
    """The last sentence of a chain that tells its answer, or whose passage does; else the last."""
    told = (link for link in reversed(chain.links) if answer in link.text or answer in link.passage.text)
    return next(told, chain.last)


def names_asked(question: Question, weights: np.ndarray, link: Evidence) -> bool:
    """Whether a sentence, with the place it stands in, holds enough of the question's names to be about them."""
    return mean_degree(link.degrees, weights, named_terms(question)) >= NAMES_NEEDED


def echoes(question: Question, answer: str) -> bool:
    """Whether what should be a date or a number only repeats words of the question: "born", asked when; or what
    should be a place or a person, where nothing is there to choose from: "Bulgaria", asked where Neophyte of Bulgaria
    was born (of 2,300 such training and development questions 16 are answered so)."""
    own = stems(answer)
    if question.options or not own or not own <= stems(question.text):
        return False
    if question.expects in ("date", "year", "number"):
        return not re.search(r"\d", answer)
    return question.expects in ("place", "person") and not _CHOOSES.search(question.text)


def too_little(question: Question, answer: str) -> bool:
    """Whether a bare number of one or two digits is taken for somebody's pay: it is an age, a page, a note."""
    return question.head in PAY and bool(re.fullmatch(r"\d{1,2}", answer.strip()))


def own_number(question: Question, chain: Chain, answer: str) -> bool:
    """Whether the answer is only the number that the document goes by, which was not asked for: "PEP 304"."""
    numbers = title_names(chain.last.passage.title)[:-1]
    return answer in numbers and not stems(answer.split()[0].split("-")[0]) & stems(question.text)


def _another(which: frozenset[str], chain: Chain) -> bool:
    """Whether the evidence never names the version or number that the question is about."""
    if not which:
        return False
    passages = [link.passage for link in chain.links]
    texts = [f"{PurePath(p.source).name}\n{p.title}\n{p.heading}\n{p.text}" for p in passages]
    return any(not any(holds(text, one) for text in texts) for one in which)


def joined(chain: Chain) -> float:
    """1 where each link's passage names the next one's title or is named by it; 1 for a single link."""
    pairs = zip(chain.links, chain.links[1:], strict=False)
    return float(
        all(
            names_document(one.text, other.passage.title)
            or names_document(other.passage.text, one.passage.title)
            for one, other in pairs
        )
    )


def mean_degree(degrees: np.ndarray, weights: np.ndarray, chosen: np.ndarray) -> float:
    """Weighted mean degree of the chosen question terms; 1 where none weighs anything."""
    total = float(weights[chosen].sum()) if len(chosen) else 0.0
    return float((degrees[chosen] * weights[chosen]).sum() / total) if total else 1.0
