"""What tells one thing from its like: versions, numbers and codes ("Python 3.11", "PEP 597", "i686").

Two release schedules differ in nothing but the number; evidence about another number is about something else.
"""

from __future__ import annotations

import re

from index.stop_words import STOP_WORDS

_IDENTIFIER = re.compile(r"[^\W_]*\d[\w.,/#-]*")
_NUMBERED = re.compile(r"\b([A-Z][\w.+]*)\s(\d+(?:\.\d+)*)\b")
_YEAR = re.compile(r"1\d{3}|20\d{2}")
SMALL = 20  # numbers up to it are written in words and Roman figures too


def identifiers(text: str) -> frozenset[str]:
    """All tokens with a digit, lower case.

    >>> sorted(identifiers("Was Python 3.7.0 or i686-apple released (in 2018)?"))
    ['2018', '3.7.0', 'i686-apple']
    """
    return frozenset(found.rstrip(".,-/#") for found in _IDENTIFIER.findall(text.lower()))


def designations(question: str) -> frozenset[str]:
    """Those that say which one is meant: versions and numbers that follow a name. No years, no small numbers.

    >>> sorted(designations("Did PEP 597 of 2019 warn 30 users of Python 3.11?"))
    ['3.11', '597']
    """
    found = {number for name, number in _NUMBERED.findall(question) if name.lower() not in STOP_WORDS}
    return frozenset(n for n in found if "." in n or (int(n) > SMALL and not _YEAR.fullmatch(n)))


def holds(text: str, designation: str) -> bool:
    """Whether a text names it: "3.1" is not in "3.11".

    >>> holds("Python 3.11", "3.1"), holds("pep-0597", "597")
    (False, True)
    """
    return re.search(rf"(?<!\d)(?<!\d\.)0*{re.escape(designation)}(?!\d|\.\d)", text.lower()) is not None
