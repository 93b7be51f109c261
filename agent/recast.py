"""A question asked again with another question word: "Who designed X?" + "when?" -> "When was X designed?"."""

from __future__ import annotations

import re

from agent.discourse import PERSON_NOUNS

_ASKS = re.compile(
    r"^(?:(?:in|on|at|from|by|to|for|since) )?(?:who|whom|what|which|when|where|why|how)"
    r"(?: (?:year|date|town|city|country|place|river|month|day|school|way|long|many|much|old|deep|high))?"
    r" (?P<rest>(?P<aux>is|are|was|were|did|does|do|has|have|had) .*)$",
    re.I,
)
_DID = re.compile(r"^(?:who|which [a-z]+|what) (?P<verb>[a-z]+) (?P<object>.+)$", re.I)
_PAST = {
    "wrote": "written", "built": "built", "made": "made", "led": "led", "taught": "taught", "sang": "sung",
    "won": "won", "found": "found", "sold": "sold", "bought": "bought", "drew": "drawn", "gave": "given",
    "took": "taken", "began": "begun", "held": "held", "paid": "paid", "lent": "lent", "kept": "kept",
}  # fmt: skip


def recast(question: str, short: str, wh: str) -> str | None:
    """The last question with `wh` in front; None where its grammar is not known here.

    >>> recast("Who designed the Teal Bridge?", "Mira Vell", "when")
    'When was the Teal Bridge designed?'
    >>> recast("When was Mira Vell born?", "1850", "where")
    'Where was Mira Vell born?'
    """
    flat = question.strip(" ?")
    front = wh[:1].upper() + wh[1:].lower()
    if front == "Whom":
        front = "By whom"
    asked = _ASKS.match(flat)
    if asked:
        rest = asked.group("rest")
        if front == "Who" and re.match(r"(?:was|is|were|are) .* \w+(?:ed|t|n|ght)$", rest):
            front = "By whom"
        return f"{front} {rest}?"
    did = _DID.match(flat)
    if did:
        verb, thing = did.group("verb").lower(), did.group("object")
        past = _PAST.get(verb) or (verb if verb.endswith("ed") else "")
        if past:
            return f"{front} was {thing} {past}?"
    return None


def attribute_of(phrase: str) -> str:
    """ "her teacher" -> "Who is the teacher", "the length" -> "What is the length"."""
    noun = re.sub(r"^(?:its|his|her|their|the|a|an) ", "", phrase.strip(" ?"), flags=re.I)
    return f"Who is the {noun}" if noun.split()[-1].lower() in PERSON_NOUNS else f"What is the {noun}"
