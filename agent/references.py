"""What the words of a question point back to: pronouns, "that bridge", "the second one", "there", "then".

Decided by what the conversation spoke of (agent.discourse). Where two things could be meant, the documents are asked
which of them they connect with the words of the question (`support`), and what was never named is looked for in them
(`beside`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from agent.discourse import PERSON_NOUNS, Mention, pair_of, spoken_of
from agent.question import content_words, names_in, words
from agent.types import Turn
from agent.wording import (
    EMPTY_IT,
    MANY,
    PERSON,
    THAT,
    THEN,
    THERE,
    THING,
    TWO,
    WHICH_OF,
    with_article,
    year_of,
)

Support = Callable[[str, Sequence[str]], float]  # name, words -> how far passages connect them, 0 to 1
Beside = Callable[
    [str, str], str | None
]  # topic, noun -> the one thing of that kind that passages about it name
_POINTING = ("that", "this", "the said", "the same")
_NEVER_NAMED = frozenset("year date day month time moment century decade case way reason one".split())


class References:
    """The things that a conversation spoke of, and which of them a question's words were found to mean (`links`)."""

    def __init__(self, history: tuple[Turn, ...], support: Support, beside: Beside) -> None:
        self.history = history
        self.support = support
        self.beside = beside
        self.mentions = spoken_of(history)
        self.links: list[tuple[str, str]] = []  # what was said -> what it stands for

    def settled(self, text: str) -> str:
        """The text with every word that points back replaced by what it stands for."""
        text = self._which_of(text)
        text = TWO.sub(self._two, text)
        text = self._pronouns(text, PERSON, ("person",))
        if not EMPTY_IT.search(text):
            text = self._pronouns(text, THING, ("thing", "place"))
        text = self._pronouns(text, MANY, ("thing", "person", "place"))
        text = THAT.sub(self._noun, text)
        place = self._town()
        if place is not None and not re.match(r"(?:is|are|was|were) there\b", text, re.I):
            text = THERE.sub(lambda m: self._said(m.group(), f"{m.group('lead') or 'in '}{place.text}"), text)
        moment = next((m for m in self.mentions if m.kind == "date"), None)
        if moment is not None:
            text = THEN.sub(lambda m: self._said(m.group(), f"in {year_of(moment.text)}"), text)
        return text

    def _pronouns(self, text: str, pattern: re.Pattern[str], kinds: tuple[str, ...]) -> str:
        first = pattern.search(text)
        if first is None or self._own_name(text[: first.start()], kinds):
            return text
        fit = [m for m in self.mentions if m.kind in kinds]
        chosen = self.likeliest(fit, content_words(text))
        if chosen is None:
            return text
        name = with_article(chosen.text)

        def put(match: re.Match[str]) -> str:
            word, follows = match.group().lower(), text[match.end() :].lstrip()
            owning = word in ("his", "its", "their") or (word == "her" and bool(re.match(r"[a-z]", follows)))
            if word == "her" and re.match(r"(?:in|at|on|to|from|when|where|and|or|about)\b", follows):
                owning = False
            return self._said(match.group(), f"{name}'s" if owning else name)

        return pattern.sub(put, text)

    def _own_name(self, before: str, kinds: tuple[str, ...]) -> bool:
        """Whether the question itself names, before its pronoun, what the pronoun may stand for."""
        own = names_in(before)
        return bool(own) and not (kinds == ("person",) and all(self._is_thing(name) for name in own))

    def _is_thing(self, name: str) -> bool:
        return any(m.text.lower() in name.lower() and m.kind != "person" for m in self.mentions)

    def likeliest(self, fit: list[Mention], terms: Sequence[str]) -> Mention | None:
        """The newest that fits; of those of one turn the one the documents connect with the question's words."""
        if not fit:
            return None
        newest = [m for m in fit if m.age == min(other.age for other in fit)]
        if len(newest) == 1:
            return newest[0]
        return max(newest, key=lambda m: (round(self.support(m.text, terms), 3), m.kind != "place"))

    def _noun(self, match: re.Match[str]) -> str:
        """ "that bridge", "the town": what was called so; a "the" needs to stand alone."""
        article, noun = match.group("article").lower(), match.group("noun").lower()
        after = match.string[match.end() :]
        if article == "the" and re.match(r" (?:of|that|who|which|in|on|at|for|from|with|[A-Z])|-", after):
            return match.group()
        before = match.string[: match.start()]
        asked = re.search(r"\b(?:who|what|which) (?:is|was|are|were)\s+$", before, re.I)
        if article == "the" and asked and re.match(r"(?:\s+(?:there|here|of \w+))?\W*$", after):
            return match.group()  # "Who is the mayor there?" asks for a mayor
        found = self.called(noun)
        if found is not None and found.text.lower() in match.string.lower():
            return match.group()
        pointed = found is None and article in _POINTING and noun not in _NEVER_NAMED
        name = with_article(found.text) if found else self._bridged(noun) if pointed else None
        return self._said(match.group(), name + (match.group("after") or "")) if name else match.group()

    def called(self, phrase: str) -> Mention | None:
        """The newest thing that was called so."""
        noun = re.sub(r"^(?:the|that|this|a|an) ", "", phrase.lower())
        for mention in self.mentions:
            if mention.kind in ("date", "number", "words"):
                continue
            if noun in mention.nouns or (noun in PERSON_NOUNS and mention.kind == "person"):
                return mention
        if noun in ("town", "city", "village", "place"):
            return self._town()
        return None

    def _bridged(self, noun: str) -> str | None:
        """What the documents call so beside what the last turn was about: first what it asked of, then its answer."""
        spoken = [m for m in self.mentions if m.age == 0 and m.kind in ("thing", "person", "place")]
        for mention in sorted(spoken, key=lambda m: m.answered):
            name = self.beside(mention.text, noun)
            if name is not None:
                return f"the {name}" if words(name)[-1:] == [noun] else with_article(name)
        return None

    def _town(self) -> Mention | None:
        return next((m for m in self.mentions if m.kind == "place"), None)

    def _which_of(self, text: str) -> str:
        """ "Which of them is longer?" names the two again."""
        match = WHICH_OF.match(text.strip(" ?"))
        two = pair_of(self.history)
        explicit = bool(match) and bool(re.search(r"\b(?:one|of (?:them|the two|these|those))\b", text, re.I))
        if match is None or two is None or not explicit or names_in(text):
            return text
        self.links.append((match.group()[: match.start("rest")].strip(), f"{two[0]} or {two[1]}"))
        either = f"{with_article(two[0])} or {with_article(two[1])}"
        return f"{match.group('which').capitalize()} {match.group('rest')}, {either}?"

    def _two(self, match: re.Match[str]) -> str:
        chosen = self.one_of_two(match.group())
        return self._said(match.group(), with_article(chosen)) if chosen else match.group()

    def one_of_two(self, phrase: str) -> str | None:
        """ "The second one", "the other": which of the two things that were spoken of."""
        two = pair_of(self.history)
        match = TWO.search(phrase)
        if two is None or match is None:
            return None
        which = match.group("which").lower()
        if which == "other":
            shorts = " ".join(turn.short.lower() for turn in self.history[-1:])
            return two[1] if re.sub(r"^the ", "", two[0].lower()) in shorts else two[0]
        return two[0] if which in ("first", "former", "earlier") else two[1]

    def _said(self, said: str, meant: str) -> str:
        self.links.append((said, meant.removesuffix("'s").removeprefix("in ")))
        return meant
