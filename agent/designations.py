"""What tells one thing from its like: versions, numbers and codes ("Python 3.11", "PEP 597", "i686").

Two release schedules differ in nothing but the number; evidence about another number is about something else.
"""

from __future__ import annotations

import re

from index.stop_words import STOP_WORDS

_IDENTIFIER = re.compile(r"[^\W_]*\d[\w.,/#-]*")
_NUMBERED = re.compile(r"\b([A-Z][\w.+]*)(\s#?|-)(\d+(?:\.\d+)*)\b(?!-)")
_YEAR, _RECENT = re.compile(r"1\d{3}|20\d{2}"), re.compile(r"(?:19|20)\d{2}")
SMALL = 20  # numbers up to it are written in words and Roman figures too


def identifiers(text: str) -> frozenset[str]:
    """All tokens with a digit, lower case.

    >>> sorted(identifiers("Was Python 3.7.0 or i686-apple released (in 2018)?"))
    ['2018', '3.7.0', 'i686-apple']
    """
    return frozenset(found.rstrip(".,-/#") for found in _IDENTIFIER.findall(text.lower()))


def designations(question: str) -> frozenset[str]:
    """Those that say which one is meant: versions and numbers that follow a name. No small numbers, and no years
    but where a hyphen or an abbreviation says that it is a number.

    >>> sorted(designations("Did PEP 597 of Spring 1559, like EIP-1559 and RFC 1510, warn 30 users of Python 3.11?"))
    ['1510', '1559', '3.11', '597']
    """
    return frozenset(
        number
        for name, joint, number in _NUMBERED.findall(question)
        if name.lower() not in STOP_WORDS
        and ("." in number or (int(number) > SMALL and not _may_be_year(name, joint, number)))
    )


def _may_be_year(name: str, joint: str, number: str) -> bool:
    if joint.strip():
        return False
    return (_RECENT if len(name) > 1 and name.isupper() else _YEAR).fullmatch(number) is not None


def holds(text: str, designation: str) -> bool:
    """Whether a text names it: "3.1" is not in "3.11".

    >>> holds("Python 3.11", "3.1"), holds("pep-0597", "597")
    (False, True)
    """
    return re.search(rf"(?<!\d)(?<!\d\.)0*{re.escape(designation)}(?!\d|\.\d)", text.lower()) is not None
