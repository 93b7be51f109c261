"""What a question compares by date, amount or country: its two things, what to ask of each, and of whom.

Where "A or B" begins and ends is not always plain from the words ("..., Now, Voyager or Blue Weir?"), so several
readings are kept; which of them names things that the passages are about is found out by agent.sides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.named import citations
from agent.question import Question

READINGS = 12  # of where the two things of a question begin and end
_ROLE = re.compile(  # not "which writer died first": there the things are the writers
    r"(?<!which )(?<!what )\b(directors?|composers?|authors?|writers?|performers?|founders?|producers?|singers?|"
    r"creators?|developers?|editors?|designers?|architects?|painters?)\b",
    re.I,
)
DIED, PUBLISHED = "When did {} die?", "When was {} first published?"
_DATES = (  # wording of the question, what to ask each thing
    (r"\bdie[ds]?\b|\bdeath\b", DIED),
    (r"\bborn\b|\bbirth\b|\bolder\b|\byounger\b|\boldest\b|\byoungest\b", "When was {} born?"),
    (r"\breleased?\b|\bcame out\b|\bcome out\b|\bcomes out\b", "When was {} released?"),
    (r"\b(?:founded|foundation|formed|established|created|started|began)\b", "When was {} founded?"),
    (r"\bpublished\b|\bprinted\b|\blaunched\b", PUBLISHED),
    (r"\bopened\b|\bbuilt\b|\bcompleted\b|\bconstructed\b", "When was {} built?"),
    (r"\bwritten\b|\bcomposed\b|\brecorded\b|\bproduced\b|\bmade\b", "When was {} made?"),
)  # fmt: skip
_IS, _ODDS = r"\b(?:is|was|are|were|be)\s+(?:the\s+)?", r"\s+(?:the\s+)?(?:more|most|less|least)\b"
_AMOUNTS = (  # wording of the question, what to ask each thing: one figure must say which is the greater
    (_IS + r"(?:longe|shorte)(?:r|st)\b", "How long is {}?"),
    (_IS + r"talle(?:r|st)\b", "How tall is {}?"),
    (_IS + r"(?:highe|lowe)(?:r|st)\b", "How high is {}?"),
    (_IS + r"(?:deepe|shallowe)(?:r|st)\b", "How deep is {}?"),
    (_IS + r"(?:wide|broade|narrowe)(?:r|st)\b", "How wide is {}?"),
    (_IS + r"(?:heavie|lighte)(?:r|st)\b|\bweighs?" + _ODDS, "How much does {} weigh?"),
    (_IS + r"(?:(?:more|most|less|least) expensive|costlie(?:r|st)|cheape(?:r|st))\b|\bcosts?" + _ODDS,
     "How much did {} cost?"),
    (r"\b(?:large|highe|greate|bigge|smalle|lowe)(?:r|st)\s+population\b", "What is the population of {}?"),
)  # fmt: skip
_LESS = re.compile(
    r"\b(?:(?:shorte|lowe|shallowe|narrowe|lighte|cheape|smalle)(?:r|st)|less|least|fewer|fewest)\b", re.I
)
_COUNTED = re.compile(  # "has more species", "contains the fewest rooms"
    r"\b(?:has|have|had|contains?|holds?|with)\s+(?:the\s+)?(?:more|most|fewer|fewest)\s+((?:[a-z-]+\s+)?[a-z-]+s)\b"
    r"(?=\s*(?:in it\s*)?[,:?])",
    re.I,
)
_COUNTRY = re.compile(r"\bsame (?:country|nationality|nation)\b|\bnationality\b", re.I)
_PLACED = re.compile(r"\b(?:located|situated|lie|lies|based|found)\b", re.I)
_LATER = re.compile(
    r"\b(?:later|last|latest|younger|youngest|newer|newest|after|(?:more|most) recent(?:ly)?)\b", re.I
)
_EARLIER = re.compile(r"\b(?:earlier|first|earliest|older|oldest|before)\b", re.I)
_BEFORE_PAIR = re.compile(  # what may stand before "A or B" and "A and B"
    r"[,:]\s+|\b(?:between|out of|earlier|later|first|last|older|younger|recently)\s+|^(?:who|was|were|is|did)\s+",
    re.I,
)
_AFTER_PAIR = re.compile(
    r"\s*\?|\s+(?:born|died|die|released|founded|older|younger|published|established|formed|first)\b"
)
_ALIKE = re.compile(  # "Are both A and B located in the same country?"
    r"^(?:are|were|do|did|does|have|is|was)\s+(.*?),?\s+(?:both\s+|all\s+|films?\s+|movies?\s+)*"
    r"(?:located|situated|based|from|originat\w+|shar\w+|have|has|having|of the same|in the same|who|whose|come)\b",
    re.I,
)  # fmt: skip
_BEFORE_NAME = re.compile(
    r"^(?:(?:the|both|either)\s+)*(?:(?:directors?|composers?|performers?|authors?)\s+of\s+(?:the\s+)?)?",
    re.I,
)
_KIND_WORDS = re.compile(r"^(?:[a-z]+[,:]?\s+)+(?=\S)")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a question compares: possible readings of its two things, what to ask each, whom of it."""

    pairs: tuple[tuple[str, str], ...]
    direction: str  # earlier, later, same, more, less
    asks: str  # with {} for the thing
    role: str  # "director", or "" for the thing itself

    @property
    def counted(self) -> str:
        """What is counted, "species", where it is compared how many of them each thing has; else ""."""
        found = re.match(r"How many (.+) does", self.asks)
        return found[1] if found else ""


def comparison_in(question: Question) -> Comparison | None:
    """What a question compares by date, amount or country; None for any other question.

    >>> from agent.question import analyse
    >>> found = comparison_in(analyse("Which film has the director born earlier, Blue Weir or Red Mill?"))
    >>> found.pairs[0], found.direction, found.asks, found.role
    (('Blue Weir', 'Red Mill'), 'earlier', 'When was {} born?', 'director')
    """
    text = question.text
    alike = _ALIKE.match(text)
    if alike and _COUNTRY.search(text):
        pairs = _splits(_KIND_WORDS.sub("", alike[1]), " and ")
        about = text if not pairs else text.replace(pairs[0][0], " ").replace(pairs[-1][1], " ")
        asks = "In which country is {} located?" if _PLACED.search(about) else "Which country is {} from?"
        direction = "same"
    else:
        pairs = _alternatives(text) or _in_time(question)
        about = text if not pairs else text.replace(pairs[0][0], " ").replace(pairs[0][1], " ")
        later, earlier = _LATER.search(about), _EARLIER.search(about)
        direction = "later" if later else "earlier" if earlier else ""
        asks = next((asks for wording, asks in _DATES if re.search(wording, about, re.I)), "")
        asks = asks or (PUBLISHED if len(citations(text)) > 1 else "")  # "Which is newer, RFC 12 or RFC 340?"
        if not (direction and asks) and (amounts := _amount_asked(about)):
            asks, direction = amounts, "less" if _LESS.search(about) else "more"
    if not pairs or not direction or not asks:
        return None
    role = _ROLE.search(about) or (
        _ROLE.search(re.sub(r"\([^)]*\)", "", text)) if direction == "same" else None
    )
    return Comparison(tuple(pairs), direction, asks, role[1].lower().rstrip("s") if role else "")


def _amount_asked(about: str) -> str:
    """What to ask each thing that is compared by a figure; "" where none says it.

    about: the question without the two things.
    """
    counted = _COUNTED.search(about)
    if counted:
        return f"How many {counted[1].lower()} does {{}} have?"
    return next((asks for wording, asks in _AMOUNTS if re.search(wording, about, re.I)), "")


def _in_time(question: Question) -> list[tuple[str, str]]:
    """The two things of "Was A built before B?"."""
    return [(question.options[0], question.options[1])] if len(question.options) == 2 else []


def _alternatives(text: str) -> list[tuple[str, str]]:
    """Readings of "A or B" and of "out of A and B": where each begins and ends is not always plain."""
    found = []
    for start in _BEFORE_PAIR.finditer(text):
        joiner = " and " if start[0].lower().startswith(("between", "out of")) else " or "
        for end in _AFTER_PAIR.finditer(text, start.end()):
            found += _splits(text[start.end() : end.start()], joiner)
    return sorted(dict.fromkeys(found), key=lambda pair: len(pair[0]) + len(pair[1]))[:READINGS]


def _splits(text: str, joiner: str) -> list[tuple[str, str]]:
    parts = [part.strip(" ,") for part in text.split(joiner)]
    found = [(joiner.join(parts[:at]), joiner.join(parts[at:])) for at in range(1, len(parts))]
    return [(one, other) for one, other in found if one and other]


def bare_option(option: str) -> str:
    """An option without what only says what kind of thing it is.

    >>> bare_option("director of film Blue Weir (1934 film)")
    'Blue Weir'
    """
    text = re.sub(r"\s*\([^)]*\)\s*$", "", option)
    text = _BEFORE_NAME.sub("", text)
    return (
        re.sub(r"^(?:films?|movies?|songs?|books?|magazines?|bands?)[,:]?\s+(?=[A-Z0-9])", "", text).strip(
            " ,"
        )
        or option
    )
