"""Whether an answer can be of the kind that is asked for: nobody is called "December 31", "Retail" is no count.

And the form in which a count is told.
"""

from __future__ import annotations

import re

from agent.compare import amount
from agent.matching import stems
from agent.question import words
from agent.spans import DATE

_CELLS = re.compile(r"\d\S*\s{2,}[$€£¥(\d—–]|[\d%)]\s*\n\s*\S")  # figures of several cells or rows
_NAMED_NUMBER = re.compile(r"[A-Z][\w.+]*[\s-]\d[\w.]*|\d+[KQ]\w?")  # "PEP 454", "10K": a name, not a count
_VAGUE = re.compile(  # amounts without a figure
    r"\b(?:once|twice|daily|weekly|monthly|yearly|annually|every|each|half|both|couple|pair|few|many|several|none|no|"
    r"dozens|hundreds|thousands|millions|billions)\b",
    re.I,
)

_HOW_MANY = re.compile(r"\bhow many\b(.*)", re.I | re.S)
_COUNT = re.compile(r"((?:(?:about|around|over|nearly|almost)\s+)?\d[\d.,]*)\s+([^\W\d][\w\s'’-]*)")
_SCALE = frozenset(
    "hundred hundreds thousand thousands million millions billion billions trillion percent".split()
)


def plausible(expects: str, answer: str) -> bool:
    """Whether the answer may be of that kind; what is not sure to be of another is.

    >>> plausible("person", "PEP 454"), plausible("person", "Ann Lee"), plausible("number", "662  18.2 %")
    (False, True, False)
    """
    text = answer.strip()
    if _CELLS.search(text):
        return False
    if expects == "person":
        return not DATE.fullmatch(text) and not _NAMED_NUMBER.fullmatch(text)
    if expects == "number":
        return not _NAMED_NUMBER.fullmatch(text) and _counts(text)
    return True


def _counts(text: str) -> bool:
    return amount(text) is not None or _VAGUE.search(text) is not None


def bare_count(question: str, answer: str) -> str:
    """The figure alone where the question itself says what is counted; other answers unchanged.

    >>> bare_count("How many boats does the yard own?", "37 boats"), bare_count("How long is it?", "37 metres")
    ('37', '37 metres')
    """
    asked, found = _HOW_MANY.search(question), _COUNT.fullmatch(answer.strip())
    if asked is None or found is None:
        return answer
    own = words(found[2])
    return found[1] if own and stems(found[2]) <= stems(asked[1]) and not _SCALE & set(own) else answer
