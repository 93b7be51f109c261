"""A question that describes things, step by step: each description asked on its own, its answer put in its place.

What a step finds must be read somewhere; what stays unread is the next goal. The last step's reading is a chain for
the whole question, with the sentences of all steps in it, and competes with the readings of the question as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.chain import Chain, make_chain
from agent.judge import Judged
from agent.judge_rules import holding
from agent.matching import stems
from agent.nested import innermost, put
from agent.question import Question
from agent.reader import Evidence
from agent.spans import Candidate

STEPWISE = "step by step"  # kind of the answer of such a chain
MOST = 4  # steps of one question
SURE = 0.35  # probability of a step's answer from which it is taken without a search of its own
FOUND = 0.10  # the same after one
LINKS = 2  # sentences of each step that are kept

# A question, and whether its answer stands in one sentence -> what the passages at hand say.
Ask = Callable[[str, bool], Judged | None]


@dataclass(frozen=True, slots=True)
class Step:
    """One description, resolved."""

    asks: str
    read: Judged


@dataclass(slots=True)
class Stepwise:
    """How far a question is resolved. Make it anew with `advanced` after each search."""

    asked: str
    question: str  # with what was resolved put in
    steps: tuple[Step, ...] = ()
    waits: str = ""  # the question of the step that is still to be found; "" where none is
    final: Judged | None = None  # of the question with everything put in

    @property
    def sure(self) -> float:
        """How surely the described things were found: the root of the weakest step's probability (decision 0019)."""
        return float(np.sqrt(min((step.read.probability for step in self.steps), default=0.0)))

    @property
    def probability(self) -> float:
        """That the answer is right: the last reading and what it rests on must be."""
        return self.sure * self.final.probability if self.final is not None else 0.0

    def keeps(self, chain: Chain, answer: str) -> float:
        """Share of its probability that an answer keeps which was read without steps.

        Where its sentence never speaks of the thing last found, it can only be right if a step was wrong.
        """
        if not self.steps:
            return 1.0
        link = holding(chain, answer)
        thing = stems(self.steps[-1].read.answer)
        if 3 * len(thing & stems(f"{link.context} {link.text}")) >= 2 * len(thing):
            return 1.0
        return 1.0 - self.sure**2


def begin(question: Question) -> Stepwise | None:
    """Nothing resolved yet; None where a question describes nothing, or compares."""
    if question.options or question.expects == "yes_no" or innermost(question.text) is None:
        return None
    return Stepwise(question.text, question.text)


def advanced(state: Stepwise, ask: Ask, searched: Callable[[str], bool]) -> Stepwise:
    """As far as the passages at hand lead. searched: whether a question had a search of its own."""
    text, steps = state.question, list(state.steps)
    while (described := innermost(text)) is not None and len(steps) < MOST:
        if any(step.asks == described.asks for step in steps):
            break
        read = ask(described.asks, True)
        enough = FOUND if searched(described.asks) else SURE
        if read is None or not _names(read.answer, described.asks) or read.probability < enough:
            return Stepwise(state.asked, text, tuple(steps), described.asks)
        steps.append(Step(described.asks, read))
        text = put(text, described, read.answer)
    if not steps:
        return Stepwise(state.asked, text)
    final = ask(text, False)
    if final is None or not final.answer or stems(final.answer) <= stems(f"{state.asked} {text}"):
        final = None
    unread = final is None or final.probability < SURE
    return Stepwise(state.asked, text, tuple(steps), text if unread and not searched(text) else "", final)


def _names(answer: str, asks: str) -> bool:
    """Whether an answer may stand where one thing was described: a name, no list of several, not one out of the
    question."""
    several = re.search(r"[A-Z].*\band\b.*[A-Z]|,.*,", answer)
    return not several and any(letter.isupper() for letter in answer) and not stems(answer) <= stems(asks)


def as_chain(
    state: Stepwise, question: Question, weights: np.ndarray, pool: Sequence[Evidence]
) -> Chain | None:
    """The steps' sentences and the last reading's as one chain for the question as it was asked; None without one.

    weights: one per question term; pool: the same sentences, scored for the question.
    """
    if state.final is None:
        return None
    own = {evidence.key: evidence for evidence in pool}
    links: dict[object, Evidence] = {}
    for read in (*(step.read for step in state.steps), state.final):
        for link in read.chain.links[-LINKS:]:
            links.pop(link.key, None)
            links |= {link.key: own[link.key]} if link.key in own else {}
    if state.final.chain.last.key not in links:
        return None
    chain = make_chain(question, weights, tuple(links.values()))
    answer = Candidate(state.final.answer, -1, -1, STEPWISE, state.final.probability)
    why = " ".join(f"{step.asks} {step.read.answer}." for step in state.steps)
    return replace(chain, answers=(answer,), reading=state.final.chain.reading, why=why)
