"""What a question asks for: expected answer type, names, content words, options to compare.

Rules over the wording, no model: fast, inspectable, and wrong in ways a person can see in the steps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from index.stop_words import STOP_WORDS

MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
SHORT_MONTHS = r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?"
# A name: capitalised words, joined by small connecting words, initials and numbers ("Order of the Lamp", "Pier 9").
NAME = re.compile(
    r"(?:[A-Z][\w'’\-]*\.?|[A-Z]\.)"
    r"(?:(?:\s+(?:of|the|and|de|du|la|le|van|von|der|den|del|di|al|for|in|on|to)){0,2}\s+"
    r"(?:[A-Z]\.(?=\s)|[A-Z][\w'’\-]*|\d+\b))*"
)
QUOTED = re.compile(r"[\"“«']([^\"”»']{2,80})[\"”»'](?!\w)")
_SERIES = re.compile(r"(?<![\w\-])([a-z]+)-(\d+)(?![\w\-])")  # "EIP-20" is "EIP 20"
_ASKING = re.compile(
    r"^(?:what|which|who|whom|whose|where|when|why|how|is|are|was|were|do|does|did|has|have|had|can|could|will|"
    r"would|should|in|on|at|from|by|of|for|to|the|a|an|please|tell|name|list|give|between|and|if|as|both)$",
    re.I,
)
_OPENS = re.compile(  # other words that a question may open with, capital by position only
    r"^(?:before|after|aside|besides|during|since|under|with|without|within|among|amongst|along|alongside|according|"
    r"following|despite|although|though|while|because|based|known|named|called|regarding|concerning|about)$",
    re.I,
)
_AUXILIARY = re.compile(r"^(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)\b", re.I)
_LATER = re.compile(r"\b(?:late[rs]t?|latest|younge[rs]t?|newe[rs]t?|most recent(?:ly)?|last|after)\b", re.I)
_EARLIER = re.compile(r"\b(?:earlie[rs]t?|first|olde[rs]t?|before|sooner)\b", re.I)
_MORE = re.compile(
    r"\b(?:more|most|longe[rs]t?|talle[rs]t?|highe[rs]t?|large[rs]t?|bigge[rs]t?|heavie[rs]t?|greate[rs]t?|"
    r"deepe[rs]t?|wide[rs]t?|faste[rs]t?|riche[rs]t?|farthe[rs]t?|furthe[rs]t?|expensive|costlie[rs]t?)\b",
    re.I,
)
_LESS = re.compile(
    r"\b(?:less|least|fewer|fewest|shorte[rs]t?|smalle[rs]t?|lowe[rs]t?|lighte[rs]t?|cheape[rs]t?|slowe[rs]t?|"
    r"narrowe[rs]t?|shallowe[rs]t?)\b",
    re.I,
)
_PLACE_NOUNS = frozenset(
    (
        "city town village country place region province state district county harbour port island "
        "location street valley capital continent area neighbourhood nation"
    ).split()
)
_PERSON_NOUNS = frozenset(
    (
        "person man woman author writer poet architect engineer founder director composer president "
        "captain painter inventor scientist artist king queen mayor explorer actor singer player leader"
    ).split()
)
_TIME_NOUNS = frozenset(["year", "date", "day", "month", "decade", "century", "time"])
_AMOUNT_NOUNS = frozenset(
    (
        "price cost population height length weight distance number amount age depth width temperature "
        "percentage percent area size speed capacity budget salary total rate score duration fee revenue "
        "income"
    ).split()
)


_GOES_ON = (
    r"(?!(?:of|the|and|de|van|von|for|in|on)\b)(?=[a-z])[^?]*?"  # after a name, which may hold small words
)


_POLITE = re.compile(  # words around a question that ask for nothing themselves
    r"^\W*(?:please\s+|(?:could|can|would|will) you (?:please )?|do you (?:happen to )?)?"
    r"(?:tell (?:me|us)|let me know|know|i(?:['’]d| would) like to know|i (?:want|need) to know|i wonder)"
    r"(?:\s*[,:]\s*|\s+)(?=(?:(?:in|on|at|from|by|to|for|of|since|until) )?"
    r"(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|did|does|do|has|have)\b|[A-Z].*\b(?:who|whom|"
    r"whose|what|which|when|where|why|how)\b)",
    re.I,
)


_IN_TIME = re.compile(r"(?:was|were|did|is|are)\b.*\b(?:before|after)\b", re.I)  # asks whether, not which
_LISTED = re.compile(  # "RFCs 12 and 340", "Which RFC is older, 12 or 340?"
    r"\b(?:([A-Z]{2,})s\s+|([Ww]hich\s+([A-Z]{2,})\s+(?:is|was|came|has|had|got)\s[^?]*?[\s,:]))"
    r"(\d{1,9})(,?\s+(?:or|and)\s+)(\d{1,9})\b(?![.-]\d)"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart."""

    text: str
    expects: str  # person, place, date, year, number, yes_no, choice, reason, thing
    head: str  # the noun that says what kind of thing is asked for ("city"), or ""
    terms: tuple[str, ...]  # content words, lower case, in order
    names: tuple[str, ...]  # named things in it, as written
    options: tuple[str, ...] = ()  # things to compare
    direction: str = ""  # comparisons: earlier, later, more, less, same


def words(text: str) -> list[str]:
    """Words of a text, lower case, possessives cut; the number of a series is a word of its own.

    >>> words("The keeper's EIP-20, PEP 8 and well-known UTF-16")
    ['the', 'keeper', 'eip', '20', 'pep', '8', 'and', 'well-known', 'utf', '16']
    """
    parts = _SERIES.sub(r"\1 \2", text.lower())
    return [re.sub(r"['’]s?$", "", w) for w in re.findall(r"\w[\w'’\-]*", parts)]


def content_words(text: str) -> list[str]:
    """Distinct words that carry meaning, in order."""
    return [w for w in dict.fromkeys(words(text)) if w not in STOP_WORDS and not _ASKING.match(w)]


@lru_cache(maxsize=8192)  # one reading asks many times about the same sentences
def names_in(text: str, *, opening: bool = True) -> tuple[str, ...]:
    """Named things in a text, as written; `opening`: the first word may be capital by position only."""
    found = []
    for match in NAME.finditer(text):
        span, starts = match.group().rstrip("."), match.start() == 0 and opening
        parts = span.split()
        while parts and (_ASKING.match(parts[0]) or (starts and _by_position(parts[0]))):
            parts, starts = parts[1:], False
        while parts and parts[0].islower():
            parts = parts[1:]
        name = re.sub(r"['’]s$", "", " ".join(parts))
        if len(name) > 1 and not re.fullmatch(MONTHS, name):
            found.append(name)
    return tuple(dict.fromkeys([*found, *(m.strip() for m in QUOTED.findall(text))]))


def _by_position(word: str) -> bool:
    return word.lower() in STOP_WORDS or _OPENS.match(word) is not None


def analyse(text: str) -> Question:
    """Take a question apart.

    >>> analyse("In which city was the founder of Halden Observatory born?").expects
    'place'
    """
    text = plainly(text)
    names = names_in(text)
    options = _options(text)
    direction = _direction(text, options)
    head = _head(text)
    chooses = options and direction and direction != "same" and not _IN_TIME.match(text)
    expects = "choice" if chooses else _expects(text.lower(), head)
    asked = {head} if expects in ("place", "person", "date", "year") and head else set()
    terms = tuple(w for w in content_words(text) if w not in asked)
    return Question(text, expects, head, terms, names, options, direction)


def plainly(text: str) -> str:
    """A question without the courtesies around it, its numbers of a series spelled out.

    >>> plainly("Could you tell me: when did  the Teal Bridge open?")
    'When did the Teal Bridge open?'
    """
    text = spelled_out(" ".join(text.split()))
    bare = _POLITE.sub("", text)
    return bare if bare == text else bare[:1].upper() + bare[1:]


def spelled_out(question: str) -> str:
    """A question with the series written before each of two numbers.

    >>> spelled_out("Which PEP is older, 304 or 3107?"), spelled_out("Are PEPs 20 and 304 final?")
    ('Which PEP is older, PEP 304 or PEP 3107?', 'Are PEP 20 and PEP 304 final?')
    """

    def listed(match: re.Match[str]) -> str:
        plural, opening, single, one, joiner, other = match.groups()
        series = plural or single
        return f"{opening or ''}{series} {one}{joiner}{series} {other}"

    return _LISTED.sub(listed, question, count=1)


def _head(text: str) -> str:
    match = re.search(
        r"\b(?:what|which)\s+(?:(?:kind|type|sort|name)\s+of\s+|(?:is|was|are|were)\s+the\s+(?:name\s+of\s+the\s+)?)?"
        r"((?:[a-z\-]+\s+){0,3}?)([a-z\-]+)\s+(?:did|does|do|is|was|are|were|has|have|had|of|in|on|at|by|to|for|"
        r"that|which|who|can|will|from|with|[a-z]+s\b|[a-z]+ed\b|[A-Z])",
        text[:1].lower() + text[1:],
    )
    if not match:
        return ""
    noun = match.group(2)
    return "" if noun in STOP_WORDS or _ASKING.match(noun) else noun


def _expects(lower: str, head: str) -> str:  # noqa: C901 - a flat table of wordings
    if re.search(r"\bwhat year\b|\bwhich year\b", lower):
        return "year"
    if re.match(
        r"(?:on |in |at |since |until |by |from )?(?:when\b|(?:what|which) (?:date|day|month|decade))", lower
    ):
        return "date"
    if re.search(r"\bhow (?:many|much|old|tall|long|far|high|deep|wide|heavy|large|big|fast|often)\b", lower):
        return "number"
    if re.match(r"(?:(?:and|so|but) )?(?:in |at |from |to )?where\b", lower):
        return "place"
    if re.search(r"^(?:(?:to|by|with|for|from) )?who(?:m|se)?\b|, who\b|\bby whom\b", lower):
        return "person"
    if re.match(r"(?:why\b|how\b)", lower):
        return "reason"
    if _AUXILIARY.match(lower):
        return "yes_no"
    for nouns, kind in (
        (_TIME_NOUNS, "date"),
        (_PLACE_NOUNS, "place"),
        (_PERSON_NOUNS, "person"),
        (_AMOUNT_NOUNS, "number"),
    ):
        if head in nouns or (head.endswith("s") and head[:-1] in nouns):
            return kind
    return "thing"


def _options(text: str) -> tuple[str, ...]:
    """The two things of 'A or B', 'between A and B', 'A and B ... same'."""
    thing = r"(?:the |an? )?([A-Z\"“][^,?;:]*?)"
    for pattern in (
        rf"(?:[,:]|\bbetween|\bis|\bwas|\bof)\s+{thing},?\s+or\s+{thing}\s*\?",
        rf"\bbetween\s+{thing}\s+and\s+{thing}\s*[?,]",
        rf"^(?:is|was|did|does|do|has)\s+{thing}\s+.*?\bthan\s+{thing}\s*\?",
        rf"^(?:was|were|did|is|are)\s+{thing}\s+{_GOES_ON}(?<!or )\b(?:before|after)\s+{thing}\s*\?",
        rf"^(?:are|were|do|did|have)\s+(?:both\s+)?{thing}\s+and\s+{thing}\s+(?=[a-z])",
        rf"{thing}\s+or\s+{thing}\s*\?",
    ):
        match = re.search(pattern, text[:1].lower() + text[1:])
        if match:
            return tuple(re.sub(r"[\"“”]", "", option).strip(" .") for option in match.groups())
    return ()


def _direction(text: str, options: tuple[str, ...]) -> str:
    if not options:
        return ""
    if re.search(r"\bsame\b|\bboth\b", text, re.I):
        return "same"
    for pattern, name in ((_LATER, "later"), (_EARLIER, "earlier"), (_MORE, "more"), (_LESS, "less")):
        if pattern.search(text):
            return name
    return ""
