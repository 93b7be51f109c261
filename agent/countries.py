"""Which countries a text names: by name, by what their people are called, else by one of their states or provinces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

WORDS = 4  # a name has at most so many that count
# Nations and former states that no list of today's countries holds, with today's country.
_OLDER = {
    word: country
    for country, said in {
        "United Kingdom": "england english scotland scottish wales welsh british britain",
        "Russia": "soviet ussr russian",
        "Germany": "prussia prussian german",
        "United States": "u.s american america",
        "South Korea": "korean",
        "Iran": "persian persia",
        "Turkey": "ottoman turkish",
        "Netherlands": "dutch holland",
        "Czech Republic": "czech czechoslovak czechoslovakia bohemian",
        "Switzerland": "swiss",
        "Spain": "spanish spaniard",
        "France": "french",
        "Ireland": "irish",
        "Denmark": "danish",
        "Sweden": "swedish",
        "Finland": "finnish",
        "Poland": "polish",
        "Iceland": "icelandic",
        "Argentina": "argentine",
        "Philippines": "filipino",
        "Georgia": "georgian",
        "Serbia": "serbian",
        "Croatia": "croatian",
        "Thailand": "thai",
    }.items()
    for word in said.split()
} | {
    "soviet union": "Russia", "russian empire": "Russia", "west germany": "Germany", "east germany": "Germany",
    "german empire": "Germany", "united states": "United States", "south korean": "South Korea",
    "new zealander": "New Zealand", "south african": "South Africa", "sri lankan": "Sri Lanka",
}  # fmt: skip
_AMBIGUOUS = {
    "georgia",
    "jersey",
    "man",
    "central",
    "northern",
    "southern",
    "eastern",
    "western",
    "north",
    "south",
}


def countries_of(text: str) -> frozenset[str]:
    """Names of the countries a text speaks of; provinces count only where no country is named.

    >>> sorted(countries_of("an American film shot in Norway"))
    ['Norway', 'United States']
    >>> sorted(countries_of("a township in Ohio"))
    ['United States']
    """
    names, provinces = _table()
    grams = list(_grams(text))
    found = {names[gram] for gram in grams if gram in names}
    return frozenset(found or {provinces[gram] for gram in grams if gram in provinces})


def _grams(text: str) -> Iterable[str]:
    """Runs of words that begin with a capital letter, lower case, longest first; no word counts twice."""
    words = re.findall(r"[^\W\d_][\w.'’-]*", text)
    at = 0
    names, provinces = _table()
    while at < len(words):
        step = 1
        if words[at][0].isupper():
            for size in range(min(WORDS, len(words) - at), 0, -1):
                gram = " ".join(words[at : at + size]).lower().rstrip(".'’")
                if gram in names or gram in provinces:
                    yield gram
                    step = size
                    break
        at += step


@cache
def _table() -> tuple[dict[str, str], dict[str, str]]:
    """(names, provinces), lower case, to a country's name; of several the most populous."""
    from countryinfo import all_countries

    names: dict[str, str] = {}
    provinces: dict[str, str] = {}
    for country in sorted(all_countries(), key=lambda c: -(c.population() or 0)):
        known = country.info()
        name = known["name"]
        spoken = [name, known.get("demonym") or "", *(known.get("altSpellings") or ())]
        for one in spoken:
            key = one.lower().strip()
            if len(key) > 3 and key not in _AMBIGUOUS:
                names.setdefault(key, name)
        for one in known.get("provinces") or ():
            key = str(one).lower().strip()
            if len(key) > 3 and key not in _AMBIGUOUS:
                provinces.setdefault(key, name)
    return names | _OLDER, provinces
