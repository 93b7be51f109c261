"""Wordings of follow-up questions: what refers back, what is only a part of a question, and how names are put in."""

from __future__ import annotations

import re

from agent.question import words

PERSON = re.compile(r"\b(?:he|she|him|her|his|hers|himself|herself)\b", re.I)
THING = re.compile(r"\b(?:it|its|itself)\b", re.I)
MANY = re.compile(r"\b(?:they|them|their|theirs)\b", re.I)
THERE = re.compile(r"(?<!is )(?<!are )(?<!was )(?<!were )\b(?P<lead>from |to )?there\b", re.I)
THEN = re.compile(r"\b(?:in that year|that year|at that time|back then|then(?=\?))", re.I)
THAT = re.compile(
    r"\b(?P<article>that|this|the same|the said|those|these|the) (?P<noun>[a-z]{3,})\b(?P<after>['’]s)?", re.I
)
TWO = re.compile(
    r"\bthe (?P<which>first|second|former|latter|other|last|earlier|later)(?: (?:one|of (?:them|the two)))?\b"
    r"(?! \w+(?:s|ed)?\b(?<! one))",
    re.I,
)
WHICH_OF = re.compile(
    r"^(?P<which>which|who)(?: one)?(?: of (?:them|the two|these|those|the pair))? "
    r"(?P<rest>(?:is|was|has|had|opened|came|lived|are|were|did) .*)",
    re.I,
)
LEAD = re.compile(r"^\W*(?:(?:and|but|so|ok|okay|also|well|then)\b,?\s+)*(?:(?:what|how) about\s+)?", re.I)
ABOUT = re.compile(r"^\W*(?:(?:and|but|so|ok|okay)\b,?\s+)?(?:what|how) about\s|^\W*(?:and|but)\s", re.I)
CLAUSE = re.compile(
    r"^(?:(?:in|on|at|from|by|to|for|since|until|of) )?(?:who|whom|whose|what|which|when|where|why|how)\b.*\s\S"
    r"|^(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|tell|list|name|give|show|explain)\b",
    re.I,
)
BARE = re.compile(
    r"^(?P<wh>(?:in |on |at |by |since |from )?(?:why|when|where|who|whom|how|what year|which year|what date|"
    r"which (?:town|city|country|place|river)))$",
    re.I,
)
EMPTY_IT = re.compile(
    r"\b(?:what time is it|is it (?:true|possible|known|likely|raining)|was it (?:true|possible))\b", re.I
)
TIME = re.compile(r"^(?P<when>(?:in|since|before|after|by|on|during) .*\d{4}|\d{4})$", re.I)
SPEAKING = re.compile(
    r"^\W*(?:hi|hello|hey|thanks?|thank you|bye|ok(?:ay)?|great|good (?:morning|evening|day))\b", re.I
)
COMMON = frozenset(
    (
        "bridge museum academy library society observatory press yard line festival expedition organ globe refractor "
        "week river university college school church company war battle team band club institute association "
        "hospital tower palace castle hotel theatre theater station railway committee commission council agency "
        "prize award treaty act empire kingdom republic party league union channel canal harbour port island islands "
        "mountains sea ocean desert times post gazette fair market works mill"
    ).split()
)


def with_article(name: str) -> str:
    """ "the Teal Bridge", "Mira Vell": a name whose last word is a common noun takes the article."""
    if re.match(r"(?:the|a|an)\b", name, re.I):
        return name
    last = words(name)[-1:] or [""]
    return f"the {name}" if last[0] in COMMON or words(name)[:1] == ["river"] else name


def tidy(text: str) -> str:
    """A sentence again: one article, a capital, a question mark."""
    text = re.sub(r"\bthe the\b", "the", re.sub(r"\bin in\b", "in", " ".join(text.split())), flags=re.I)
    text = text[:1].upper() + text[1:]
    return text if text.endswith(("?", ".", "!")) else text + "?"


def year_of(date: str) -> str:
    """The year of a date, or the date."""
    found = re.search(r"\d{4}", date)
    return found.group() if found else date


def objective(rest: str) -> str:
    """The pronoun of a text as it follows "of": its -> it, his -> him."""
    lower = rest.lower()
    found = re.search(r"\b(his|her|him|its|it|their|them)\b", lower)
    word = found.group() if found else "it"
    return {"his": "him", "its": "it", "their": "them"}.get(word, word)
