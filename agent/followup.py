"""Follow-up questions made whole: pronouns, "that bridge", "and in 2019?", "the second one", "why?".

Rules over the wording and over what the conversation spoke of (agent.discourse), so that the person can see what
became of the question and correct it. Where two things could be meant, the documents are asked which of them they
connect with the words of the question (`support`), and what was never named is looked for in them (`beside`). A
question that stands on its own is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.discourse import PERSON_NOUNS, Mention, pair_of, spoken_of, with_short
from agent.question import analyse, content_words, names_in, words
from agent.recast import attribute_of, recast
from agent.types import Turn
from agent.wording import (
    ABOUT,
    BARE,
    CLAUSE,
    EMPTY_IT,
    LEAD,
    MANY,
    PERSON,
    SPEAKING,
    THAT,
    THEN,
    THERE,
    THING,
    TIME,
    TWO,
    WHICH_OF,
    objective,
    tidy,
    with_article,
    year_of,
)

Support = Callable[[str, Sequence[str]], float]  # name, words -> how far passages connect them, 0 to 1
Beside = Callable[
    [str, str], str | None
]  # topic, noun -> the one thing of that kind that passages about it name
_POINTING = ("that", "this", "the said", "the same")
_NEVER_NAMED = frozenset("year date day month time moment century decade case way reason one".split())


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A question on its own, and how it came about."""

    text: str
    kind: str  # "as asked", "new topic" (it stands alone though there is a history), "follow-up"
    links: tuple[tuple[str, str], ...] = ()  # what was said -> what it stands for

    @property
    def why(self) -> str:
        """One line for the person."""
        return "; ".join(f"“{said}” is {meant}" for said, meant in self.links)


def _unconnected(name: str, terms: Sequence[str]) -> float:
    return 0.0


def _unknown(topic: str, noun: str) -> str | None:
    return None


def resolve(question: str, history: tuple[Turn, ...], support: Support = _unconnected) -> str:
    """The question on its own.

    >>> resolve("When was she born?", (Turn("Who founded Teal Works?", "Mira Vell. [1]", "Mira Vell"),))
    'When was Mira Vell born?'
    """
    return rewrite(question, history, support).text


def rewrite(
    question: str, history: tuple[Turn, ...], support: Support = _unconnected, beside: Beside = _unknown
) -> Rewriting:
    """The question on its own, with what its words stand for. `history`: oldest first; Turn.question stands alone."""
    text = " ".join(question.split())
    turns = tuple(with_short(turn) for turn in history if turn.question.strip())
    talk = [turn for turn in turns if analyse(turn.question).names or turn.short]
    if not talk or SPEAKING.match(text):
        return Rewriting(text, "as asked")
    made = _Rewriter(tuple(talk), support, beside).whole(text)
    if made.text == text:
        return Rewriting(text, "new topic")
    return replace(made, text=tidy(made.text))


class _Rewriter:
    """One rewriting: the conversation's mentions, and what was linked so far."""

    def __init__(self, history: tuple[Turn, ...], support: Support, beside: Beside) -> None:
        self.history = history
        self.support = support
        self.beside = beside
        self.mentions = spoken_of(history)
        self.links: list[tuple[str, str]] = []

    def whole(self, text: str) -> Rewriting:
        rest = LEAD.sub("", text).strip(" ?.!")
        if rest and not CLAUSE.match(rest) or BARE.match(rest):
            made = self._fragment(text, rest)
            if made is not None:
                return Rewriting(made, "follow-up", tuple(self.links))
        body = text if not ABOUT.match(text) else LEAD.sub("", text)
        changed = self._references(body)
        if self.links:
            return Rewriting(changed, "follow-up", tuple(self.links))
        return Rewriting(text, "new topic")

    # ---- fragments -----------------------------------------------------------------------------

    def _fragment(self, text: str, rest: str) -> str | None:
        """A question that is only a part of one: the last question says the rest."""
        last = self.history[-1]
        bare = BARE.match(rest)
        if bare:
            made = recast(last.question, last.short, bare.group("wh"))
            return self._link(text, made) if made else None
        when = TIME.match(rest)
        if when:
            moment = when.group("when")
            moment = f"in {moment}" if moment.isdigit() else moment
            years = re.search(r"\b(?:in |on |since |before |after )?\d{4}\b", last.question)
            base = last.question.rstrip(" ?")
            made = base.replace(years.group(), moment) if years else f"{base} {moment}"
            return self._link(rest, made + "?")
        return self._swapped(text, rest)

    def _swapped(self, text: str, rest: str) -> str | None:
        """ "What about the Iron Bridge?": the same question of another thing; "and its length?": another of it."""
        last = self.history[-1]
        chosen = self._one_of_two(rest) if TWO.fullmatch(rest) else None
        named = names_in(rest, opening=False) or names_in(rest[:1].upper() + rest[1:], opening=False)
        if re.match(r"(?:its|his|her|their)\b", rest, re.I) or re.search(
            r"\bof (?:it|him|her|them)$", rest, re.I
        ):
            whole = attribute_of(re.sub(r" of (?:it|him|her|them)$", "", rest))
            return self._references(f"{whole} of {objective(rest)}?")
        if chosen is None and not named:
            known = self._called(rest)
            if known is not None:
                chosen = known.text
            elif ABOUT.match(text) and re.match(r"(?:the )?[a-z][a-z ]+$", rest):
                return self._of_topic(rest)
        new = chosen or (rest if named else None)
        old = self._counterpart(new or "", last)
        if new is None or old is None or (not ABOUT.match(text) and not chosen):
            return None
        return self._link(
            rest, re.sub(rf"(?:\bthe )?{re.escape(old)}", with_article(new), last.question, flags=re.I)
        )

    def _of_topic(self, attribute: str) -> str | None:
        """ "And the captain?": an attribute of what the conversation is about."""
        noun = re.sub(r"^(?:the|a|an) ", "", attribute)
        topics = [m for m in self.mentions if m.kind in ("thing", "person", "place") and m.age == 0]
        topic = self._likeliest(topics, words(noun))
        if topic is None:
            return None
        return self._link(attribute, f"{attribute_of(noun)} of {with_article(topic.text)}?")

    def _counterpart(self, new: str, last: Turn) -> str | None:
        """What in the last question the new thing takes the place of."""
        question = analyse(last.question)
        names = [re.sub(r"^(?:the|a|an) ", "", n) for n in question.names if n.lower() != new.lower()]
        if not names:
            described = [m.text for m in self.mentions if m.age == 0 and m.text in last.question]
            return described[0] if described else None
        nouns = set(words(new))
        alike = [n for n in names if nouns & set(words(n))]
        return (alike or names)[-1]

    # ---- references inside a whole question ----------------------------------------------------

    def _references(self, text: str) -> str:
        text = self._which_of(text)
        text = TWO.sub(self._two, text)
        text = self._pronouns(text, PERSON, ("person",))
        if not EMPTY_IT.search(text):
            text = self._pronouns(text, THING, ("thing", "place"))
        text = self._pronouns(text, MANY, ("thing", "person", "place"))
        text = THAT.sub(self._noun, text)
        place = next((m for m in self.mentions if m.kind == "place"), None) or self._town()
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
        chosen = self._likeliest(fit, content_words(text))
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

    def _likeliest(self, fit: list[Mention], terms: Sequence[str]) -> Mention | None:
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
        found = self._called(noun)
        if found is not None and found.text.lower() in match.string.lower():
            return match.group()
        pointed = found is None and article in _POINTING and noun not in _NEVER_NAMED
        name = with_article(found.text) if found else self._bridged(noun) if pointed else None
        return self._said(match.group(), name + (match.group("after") or "")) if name else match.group()

    def _called(self, phrase: str) -> Mention | None:
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
        chosen = self._one_of_two(match.group())
        return self._said(match.group(), with_article(chosen)) if chosen else match.group()

    def _one_of_two(self, phrase: str) -> str | None:
        two = pair_of(self.history)
        match = TWO.search(phrase)
        if two is None or match is None:
            return None
        which = match.group("which").lower()
        if which == "other":
            shorts = " ".join(turn.short.lower() for turn in self.history[-1:])
            return two[1] if re.sub(r"^the ", "", two[0].lower()) in shorts else two[0]
        return two[0] if which in ("first", "former", "earlier") else two[1]

    def _link(self, said: str, made: str) -> str:
        self.links.append((said.strip(" ?"), made.strip(" ?")))
        return made

    def _said(self, said: str, meant: str) -> str:
        self.links.append((said, meant.removesuffix("'s").removeprefix("in ")))
        return meant
