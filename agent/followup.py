"""Follow-up questions made whole: pronouns, "that bridge", "and in 2019?", "the second one", "why?".

Rules over the wording and over what the conversation spoke of, so that the person can see what became of the question
and correct it. A fragment gets the rest from the last question; what points back is settled by `agent.references`. A
question that stands on its own is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.discourse import with_short
from agent.question import analyse, names_in, words
from agent.recast import attribute_of, recast
from agent.references import Beside, References, Support
from agent.types import Turn
from agent.wording import ABOUT, BARE, CLAUSE, LEAD, SPEAKING, TIME, TWO, objective, tidy, with_article


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
    """One rewriting: a question that is only a part of one gets its rest, and what points back is settled."""

    def __init__(self, history: tuple[Turn, ...], support: Support, beside: Beside) -> None:
        self.history = history
        self.references = References(history, support, beside)

    def whole(self, text: str) -> Rewriting:
        rest = LEAD.sub("", text).strip(" ?.!")
        if rest and not CLAUSE.match(rest) or BARE.match(rest):
            made = self._fragment(text, rest)
            if made is not None:
                return Rewriting(made, "follow-up", tuple(self.references.links))
        body = text if not ABOUT.match(text) else LEAD.sub("", text)
        changed = self.references.settled(body)
        if self.references.links:
            return Rewriting(changed, "follow-up", tuple(self.references.links))
        return Rewriting(text, "new topic")

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
        chosen = self.references.one_of_two(rest) if TWO.fullmatch(rest) else None
        named = names_in(rest, opening=False) or names_in(rest[:1].upper() + rest[1:], opening=False)
        if re.match(r"(?:its|his|her|their)\b", rest, re.I) or re.search(
            r"\bof (?:it|him|her|them)$", rest, re.I
        ):
            whole = attribute_of(re.sub(r" of (?:it|him|her|them)$", "", rest))
            return self.references.settled(f"{whole} of {objective(rest)}?")
        if chosen is None and not named:
            known = self.references.called(rest)
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
        topics = [
            m for m in self.references.mentions if m.kind in ("thing", "person", "place") and m.age == 0
        ]
        topic = self.references.likeliest(topics, words(noun))
        if topic is None:
            return None
        return self._link(attribute, f"{attribute_of(noun)} of {with_article(topic.text)}?")

    def _counterpart(self, new: str, last: Turn) -> str | None:
        """What in the last question the new thing takes the place of."""
        question = analyse(last.question)
        names = [re.sub(r"^(?:the|a|an) ", "", n) for n in question.names if n.lower() != new.lower()]
        if not names:
            described = [m.text for m in self.references.mentions if m.age == 0 and m.text in last.question]
            return described[0] if described else None
        nouns = set(words(new))
        alike = [n for n in names if nouns & set(words(n))]
        return (alike or names)[-1]

    def _link(self, said: str, made: str) -> str:
        self.references.links.append((said.strip(" ?"), made.strip(" ?")))
        return made
