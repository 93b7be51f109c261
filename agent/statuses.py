"""Yes or no by a field that states a status: "Was the proposal on weighing rejected?" beside "Status: Withdrawn".

Only outcomes that exclude each other decide. "Final" neither proves nor disproves "accepted" (what is final was
accepted once, but a document may use both), so such pairs are left to the reader.
"""

from __future__ import annotations

import re

from agent.matching import stems
from agent.question import Question

LABELS = stems("status state decision outcome resolution disposition")
_SAME_OUTCOME = (
    "accepted approved adopted passed",
    "rejected declined denied refused dismissed",
    "withdrawn retracted abandoned cancelled canceled",
    "deferred postponed suspended",
    "superseded replaced obsoleted obsolete",
    "final finished completed done",
    "active open ongoing",
    "draft pending proposed",
    "closed",
)
_OUTCOMES = {word: at for at, line in enumerate(_SAME_OUTCOME) for word in line.split()}
_AGAINST: dict[
    str, frozenset[str]
] = {  # first word of a line: the lines it excludes, named by their first words
    "accepted": frozenset({"rejected", "withdrawn", "deferred", "draft"}),
    "rejected": frozenset({"accepted", "withdrawn", "deferred", "final", "active", "draft"}),
    "withdrawn": frozenset({"accepted", "rejected", "deferred", "final", "active", "draft"}),
    "deferred": frozenset({"accepted", "rejected", "withdrawn", "final", "active"}),
    "superseded": frozenset({"rejected", "withdrawn", "deferred", "active", "draft"}),
    "final": frozenset({"rejected", "withdrawn", "deferred", "draft"}),
    "active": frozenset({"rejected", "withdrawn", "superseded", "closed"}),
    "draft": frozenset({"accepted", "rejected", "withdrawn", "final", "superseded"}),
    "closed": frozenset({"active"}),
}
_WORD = re.compile(r"[a-z]+")
_OPENS = re.compile(r"(?:was|were|is|are|has|have)\b", re.I)


def outcome_asked(question: Question) -> str:
    """The outcome that a yes/no question ends with; "" for any other question."""
    words = _WORD.findall(question.text.lower())
    asks = question.expects == "yes_no" and not question.options and _OPENS.match(question.text)
    return words[-1] if asks and words and words[-1] in _OUTCOMES else ""


def verdict(asked: str, value: str) -> str:
    """ "yes", "no", or "" where the stated value does not decide.

    >>> verdict("rejected", "Withdrawn"), verdict("approved", "Accepted"), verdict("accepted", "Final")
    ('no', 'yes', '')
    """
    stated = [word for word in _WORD.findall(value.lower()) if word in _OUTCOMES]
    if len({_OUTCOMES[word] for word in stated}) != 1 or re.search(r"\bnot\b|\bnever\b", value.lower()):
        return ""
    wanted, found = (_SAME_OUTCOME[_OUTCOMES[word]].split()[0] for word in (asked, stated[0]))
    if wanted == found:
        return "yes"
    return "no" if found in _AGAINST[wanted] else ""
