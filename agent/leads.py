"""Which sentences of a chain are told: the one with the answer, and those that lead from the question to it.

Chains are searched for what they cover together, so that one may begin with a sentence that shares no more than a word
with the question. Told to a person it is a citation that bears nothing.
"""

from __future__ import annotations

import numpy as np

from agent.chain import Chain, named_terms, names_document
from agent.judge_rules import holding
from agent.matching import stems
from agent.reader import Evidence
from agent.thread import MISSING_BELOW, Thread

NAMED = 0.1  # share of the question's names that a lead must add to what the answer's sentence holds
ADDED = 0.3  # the same of all the question's words: a description is no name


def leading(thread: Thread, chain: Chain, answer: str) -> tuple[Evidence, ...]:
    """The chain's links without those that lead nowhere; in their order.

    A lead is tied to the answer's sentence by a document that names the other, or brings in names that the question
    holds and the answer's sentence does not, or much of its other words, or tells the answer as well.
    """
    told, said = holding(chain, answer), stems(answer)
    named = named_terms(thread.question)
    names = float(thread.weights[named].sum())

    def leads(link: Evidence) -> bool:
        added = np.maximum(link.degrees - told.degrees, 0.0) * thread.weights
        brings = float(added[named].sum()) > NAMED * names or float(added.sum()) > ADDED
        return brings or _tied(link, told) or (bool(said) and said <= stems(link.text))

    return tuple(link for link in chain.links if link is told or leads(link))


def _tied(one: Evidence, other: Evidence) -> bool:
    return names_document(one.passage.text, other.passage.title) or names_document(
        other.passage.text, one.passage.title
    )


def common_ground(thread: Thread, told: Evidence, other: Evidence) -> float:
    """Of the question's words that one sentence speaks of, the share (by weight) that another's passage speaks of too.

    Only who speaks of the same can gainsay an answer.
    """
    held = told.degrees >= MISSING_BELOW
    total = float(thread.weights[held].sum())
    body = stems(f"{other.context}\n{other.passage.title}\n{other.passage.text}")
    shared = sum(
        float(thread.weights[at])
        for at in held.nonzero()[0]
        if other.degrees[at] >= MISSING_BELOW or stems(thread.question.terms[at]) <= body
    )
    return shared / total if total else 1.0
