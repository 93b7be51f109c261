"""Follow-up questions: "and when did she move there?" gets its name from the conversation."""

from __future__ import annotations

import re

from agent.question import names_in
from agent.types import Turn

_PRONOUN = re.compile(r"\b(?:he|she|it|they|him|her|them|his|hers|its|their|theirs)\b", re.I)
_POSSESSIVE = frozenset({"his", "her", "its", "their", "hers", "theirs"})


def resolve(question: str, history: tuple[Turn, ...]) -> str:
    """The question with its pronoun replaced by the last name spoken of; unchanged when it needs none.

    >>> resolve("When was she born?", (Turn("Who founded Teal Works?", "Mira Vell. [1]"),))
    'When was Mira Vell born?'
    """
    pronoun = _PRONOUN.search(question)
    if not history or pronoun is None or names_in(question):
        return question
    last = history[-1]
    spoken = names_in(re.sub(r"\[\d+\]", "", last.answer).split("\n")[0].split(". ")[0], opening=False)
    asked = names_in(last.question)
    neuter = pronoun.group().lower() in ("it", "its")
    candidates = [*asked, *spoken] if neuter else [*spoken, *asked]
    if not candidates:
        return question
    name, word = candidates[0], pronoun.group().lower()
    follows = question[pronoun.end() :].lstrip()
    owning = word in _POSSESSIVE and bool(re.match(r"[a-z]", follows))
    return question[: pronoun.start()] + (f"{name}'s" if owning else name) + question[pronoun.end() :]
