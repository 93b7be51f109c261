"""Names in running text without a model: capitalised spans, quoted titles, dates, numbers with units.

Capital letters are a strong signal in most European scripts; where a script has none, titles, quotes and
repeated phrases carry the graph instead (index.extract). A name is known by its key: case, accents,
possessives, articles and punctuation away, so that spellings of one thing meet.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import regex

Kind = Literal["title", "heading", "name", "quoted", "date", "number", "phrase"]
MAX_NAME_CHARACTERS = 100

_WORD = r"(?:\p{Lu}[\p{L}\p{M}\p{N}'’\-&/]*\.?|\p{Lu}\.)"
_TAIL = rf"(?:{_WORD}|\p{{N}}{{1,3}}(?:st|nd|rd|th)?\b)"  # a year after a name is not part of it
# Words that stand inside one name ("Order of the Lamp"), and words that may join two ("Ann and Bob").
_INSIDE = r"(?:of|the|de|du|des|la|le|les|el|van|von|vom|zu|zur|der|den|dem|del|della|di|da|dos|do|al|bin|ibn|y|’s|'s)"
_JOINING = r"(?:and|&|for|in|on|to|at|und|et|from)"
NAME = regex.compile(rf"{_WORD}(?:(?:\s+{_INSIDE}){{0,2}}\s+{_TAIL})*")
JOINED = regex.compile(
    rf"{_WORD}(?:(?:\s+{_INSIDE}){{0,2}}\s+{_TAIL})*"
    rf"(?:\s+{_JOINING}(?:\s+the)?\s+{_WORD}(?:(?:\s+{_INSIDE}){{0,2}}\s+{_TAIL})*)+"
)
QUOTED = regex.compile(r"[\"“«„「『《]([^\"”»“」』》\n]{2,80})[\"”»“」』》]")
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember|janvier|février|mars|avril|mai|juin|juillet|août|"
    r"septembre|octobre|novembre|décembre)"
)
DATE = regex.compile(
    rf"\b(?:\d{{1,2}}\.?\s+{_MONTH}(?:\s+\d{{4}})?|{_MONTH}\s+\d{{1,2}}(?:,\s*\d{{4}})?|{_MONTH}\s+\d{{4}}|"
    r"\d{4}-\d{2}-\d{2}|1\d{3}|20\d{2})\b"
)
NUMBER = regex.compile(
    r"(?<![\w.])(?:[$€£]\s?\d[\d,.]*\d(?:\s?(?:million|billion|m|bn))?|\d[\d,.]*\s?(?:%|percent|per cent|km|kilometres|"
    r"kilometers|metres|meters|miles|feet|ft|kg|tonnes|tons|million|billion|hectares|acres|people|inhabitants|"
    r"years|seats|MB|GB|ms|kB))(?!\w)"
)
_SERIES = regex.compile(r"(\p{Lu}{2,4}) (\d{1,9}): (?=\S)")  # as index.parse numbers a title
_SENTENCE_OPENERS = frozenset(
    (
        "a about according after all also although among an and another any as at based because before "
        "being both but by despite due during each every few first following for from further given he her here "
        "his how however i if in instead is it its later like many more most much my near no not now of on "
        "once one only or other our over several she since so some such that the their then there these they this "
        "those though three through thus to today together two under unlike until upon was we were what when "
        "where which while who whom whose why will with within without yet you your do does did are has have had can "
        "could would should may might please tell name list der die das ein eine im am und in er sie es le la les un "
        "une il elle dans en au aux"
    ).split()
)
_ARTICLES = frozenset(("the", "a", "an", "der", "die", "das", "le", "la", "les"))
_MONTHS = frozenset(regex.sub(r"\(\?:|\)", "", _MONTH).casefold().split("|"))


@dataclass(frozen=True, slots=True)
class Mention:
    """A named thing at [start, end) of a text. `key` is the entity; `kind` says how it was seen."""

    start: int
    end: int
    key: str
    kind: Kind


@lru_cache(maxsize=200_000)
def name_key(name: str) -> str:
    """The identity of a name across spellings; "" for one that holds no letter or digit.

    >>> name_key("The Café's "), name_key("U.S. Navy"), name_key("Lovers (1927 film)")
    ('cafe', 'us navy', 'lovers 1927 film')
    """
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = regex.sub(r"['’]s?(?=\s|$)", "", plain).replace(".", "").replace("'", "").replace("’", "")
    words = regex.findall(r"[\p{L}\p{N}\p{M}]+", plain)
    if len(words) > 1 and words[0] in ("the", "a", "an"):
        words = words[1:]
    return " ".join(words)


def bare_title(title: str) -> str:
    """A title without its disambiguation: "Lovers (1927 film)" -> "Lovers".

    >>> bare_title("Mercury (planet)"), bare_title("(untitled)")
    ('Mercury', '(untitled)')
    """
    return regex.sub(r"\s*[(\[][^()\[\]]*[)\]]\s*$", "", title).strip() or title


def title_names(title: str) -> tuple[str, ...]:
    """What others call a document by: the number that its title opens with, and the title without disambiguation.

    >>> title_names("PEP 304: Milling"), title_names("Lovers (1927 film)")
    (('PEP 304', 'PEP-304', 'Milling'), ('Lovers',))
    """
    series, bare = _SERIES.match(title), bare_title(title)
    if series is None:
        return (bare,)
    return (f"{series[1]} {series[2]}", f"{series[1]}-{series[2]}", bare[series.end() :] or bare)


def names_in(text: str, openings: frozenset[int] = frozenset({0})) -> list[Mention]:
    """Capitalised spans and quoted titles, in order; spans may nest where "and" joins two names.

    openings: where sentences start; a capital there may be one of position only, so a lone common word
    is dropped and leading function words are cut.
    """
    found: dict[tuple[int, int], Mention] = {}
    lowered: set[str] | None = None
    for pattern in (NAME, JOINED):
        for match in pattern.finditer(text):
            start, end = _trim(text, *match.span(), openings)
            if end <= start or end - start > MAX_NAME_CHARACTERS:
                continue
            key = name_key(text[start:end])
            first = key.split(" ", 1)[0]
            if (
                len(key) < 2
                or key in _SENTENCE_OPENERS
                or (first in _MONTHS and not key[len(first) :].strip("0123456789 "))
            ):
                continue
            if start in openings and " " not in key:
                if lowered is None:
                    lowered = set(regex.findall(r"\b\p{Ll}[\p{L}\p{M}]+", text))
                if key in lowered:  # the same word stands in lower case elsewhere: no name
                    continue
            found.setdefault((start, end), Mention(start, end, key, "name"))
    for match in QUOTED.finditer(text):
        key = name_key(match.group(1))
        if key:
            found.setdefault(match.span(1), Mention(*match.span(1), key, "quoted"))
    return sorted(found.values(), key=lambda m: (m.start, -m.end))


def figures_in(text: str) -> list[Mention]:
    """Dates and numbers with units, in order."""
    found = []
    for pattern, kind in ((DATE, "date"), (NUMBER, "number")):
        for match in pattern.finditer(text):
            key = name_key(match.group())
            found.append(Mention(*match.span(), key, kind))  # type: ignore[arg-type]
            year = regex.search(r"\b(1\d{3}|20\d{2})$", match.group())
            if kind == "date" and year and year.start() > 0:
                at = match.start() + year.start()
                found.append(Mention(at, match.end(), year.group(), "date"))
    return sorted(found, key=lambda m: (m.start, -m.end))


def _trim(text: str, start: int, end: int, openings: frozenset[int]) -> tuple[int, int]:
    """Cut function words where a sentence opens, a trailing possessive and the sentence's full stop."""
    opens = start in openings
    while match := regex.match(r"([\p{L}'’]+)\s+", text, pos=start, endpos=end):
        word = match.group(1).casefold()
        if word not in _ARTICLES and not (opens and word in _SENTENCE_OPENERS):
            break
        start = match.end()
    span = text[start:end]
    if opens and span.casefold() in _SENTENCE_OPENERS:
        return start, start
    span = regex.sub(r"['’]s$", "", span)
    if span.endswith(".") and not regex.search(r"(?:^|[\s.])\p{Lu}\.$", span):
        span = span[:-1]
    return start, start + len(span)
