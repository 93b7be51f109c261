"""Follow-up questions made whole: pronouns, "that bridge", "and in 2019?", "the second one", "why?".

Rules over the wording and over what the conversation spoke of (agent.discourse), so that the person can see what
became of the question and correct it. Where two things could be meant, the documents are asked which of them they
connect with the words of the question (`support`). A question that stands on its own is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.discourse import PERSON_NOUNS, Mention, pair_of, spoken_of
from agent.question import analyse, content_words, names_in, words
from agent.recast import attribute_of, recast
from agent.types import Turn

Support = Callable[[str, Sequence[str]], float]  # name, words -> how far passages connect them, 0 to 1

_PERSON = re.compile(r"\b(?:he|she|him|her|his|hers|himself|herself)\b", re.I)
_THING = re.compile(r"\b(?:it|its|itself)\b", re.I)
_MANY = re.compile(r"\b(?:they|them|their|theirs)\b", re.I)
_THERE = re.compile(r"(?<!is )(?<!are )(?<!was )(?<!were )\b(?P<lead>from |to )?there\b", re.I)
_THEN = re.compile(r"\b(?:in that year|that year|at that time|back then|then(?=\?))", re.I)
_THAT = re.compile(
    r"\b(?P<article>that|this|the same|the said|those|these|the) (?P<noun>[a-z]{3,})\b(?P<after>['’]s)?", re.I
)
_TWO = re.compile(
    r"\bthe (?P<which>first|second|former|latter|other|last|earlier|later)(?: (?:one|of (?:them|the two)))?\b"
    r"(?! \w+(?:s|ed)?\b(?<! one))",
    re.I,
)
_WHICH_OF = re.compile(
    r"^(?P<which>which|who)(?: one)?(?: of (?:them|the two|these|those|the pair))? "
    r"(?P<rest>(?:is|was|has|had|opened|came|lived|are|were|did) .*)",
    re.I,
)
_LEAD = re.compile(r"^\W*(?:(?:and|but|so|ok|okay|also|well|then)\b,?\s+)*(?:(?:what|how) about\s+)?", re.I)
_ABOUT = re.compile(r"^\W*(?:(?:and|but|so|ok|okay)\b,?\s+)?(?:what|how) about\s|^\W*(?:and|but)\s", re.I)
_CLAUSE = re.compile(
    r"^(?:(?:in|on|at|from|by|to|for|since|until|of) )?(?:who|whom|whose|what|which|when|where|why|how)\b.*\s\S"
    r"|^(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|tell|list|name|give|show|explain)\b",
    re.I,
)
_BARE = re.compile(
    r"^(?P<wh>(?:in |on |at |by |since |from )?(?:why|when|where|who|whom|how|what year|which year|what date|"
    r"which (?:town|city|country|place|river)))$",
    re.I,
)
_EMPTY_IT = re.compile(
    r"\b(?:what time is it|is it (?:true|possible|known|likely|raining)|was it (?:true|possible))\b", re.I
)
_TIME = re.compile(r"^(?P<when>(?:in|since|before|after|by|on|during) .*\d{4}|\d{4})$", re.I)
_SPEAKING = re.compile(
    r"^\W*(?:hi|hello|hey|thanks?|thank you|bye|ok(?:ay)?|great|good (?:morning|evening|day))\b", re.I
)


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


def resolve(question: str, history: tuple[Turn, ...], support: Support | None = None) -> str:
    """The question on its own.

    >>> resolve("When was she born?", (Turn("Who founded Teal Works?", "Mira Vell. [1]", "Mira Vell"),))
    'When was Mira Vell born?'
    """
    return rewrite(question, history, support).text


def rewrite(question: str, history: tuple[Turn, ...], support: Support | None = None) -> Rewriting:
    """The question on its own, with what its words stand for. `history`: oldest first; Turn.question stands alone."""
    text = " ".join(question.split())
    turns = tuple(_spelled(turn) for turn in history if turn.question.strip())
    talk = [turn for turn in turns if analyse(turn.question).names or turn.short]
    if not talk or _SPEAKING.match(text):
        return Rewriting(text, "as asked")
    made = _Rewriter(tuple(talk), support or (lambda name, terms: 0.0)).whole(text)
    if made.text == text:
        return Rewriting(text, "new topic")
    return replace(made, text=_tidy(made.text))


class _Rewriter:
    """One rewriting: the conversation's mentions, and what was linked so far."""

    def __init__(self, history: tuple[Turn, ...], support: Support) -> None:
        self.history = history
        self.support = support
        self.mentions = spoken_of(history)
        self.links: list[tuple[str, str]] = []

    def whole(self, text: str) -> Rewriting:
        rest = _LEAD.sub("", text).strip(" ?.!")
        if rest and not _CLAUSE.match(rest) or _BARE.match(rest):
            made = self._fragment(text, rest)
            if made is not None:
                return Rewriting(made, "follow-up", tuple(self.links))
        body = text if not _ABOUT.match(text) else _LEAD.sub("", text)
        changed = self._references(body)
        if self.links:
            return Rewriting(changed, "follow-up", tuple(self.links))
        return Rewriting(text, "new topic")

    # ---- fragments -----------------------------------------------------------------------------

    def _fragment(self, text: str, rest: str) -> str | None:
        """A question that is only a part of one: the last question says the rest."""
        last = self.history[-1]
        bare = _BARE.match(rest)
        if bare:
            made = recast(last.question, last.short, bare.group("wh"))
            return self._link(text, made) if made else None
        when = _TIME.match(rest)
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
        chosen = self._one_of_two(rest) if _TWO.fullmatch(rest) else None
        named = names_in(rest, opening=False) or names_in(rest[:1].upper() + rest[1:], opening=False)
        if re.match(r"(?:its|his|her|their)\b", rest, re.I) or re.search(
            r"\bof (?:it|him|her|them)$", rest, re.I
        ):
            whole = attribute_of(re.sub(r" of (?:it|him|her|them)$", "", rest))
            return self._references(f"{whole} of {_pronoun(rest)}?")
        if chosen is None and not named:
            known = self._called(rest)
            if known is not None:
                chosen = known.text
            elif _ABOUT.match(text) and re.match(r"(?:the )?[a-z][a-z ]+$", rest):
                return self._of_topic(rest)
        new = chosen or (rest if named else None)
        old = self._counterpart(new or "", last)
        if new is None or old is None or (not _ABOUT.match(text) and not chosen):
            return None
        return self._link(
            rest, re.sub(rf"(?:\bthe )?{re.escape(old)}", _with_article(new), last.question, flags=re.I)
        )

    def _of_topic(self, attribute: str) -> str | None:
        """ "And the captain?": an attribute of what the conversation is about."""
        noun = re.sub(r"^(?:the|a|an) ", "", attribute)
        topics = [m for m in self.mentions if m.kind in ("thing", "person", "place") and m.age == 0]
        topic = self._likeliest(topics, words(noun))
        if topic is None:
            return None
        return self._link(attribute, f"{attribute_of(noun)} of {_with_article(topic.text)}?")

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
        text = _TWO.sub(self._two, text)
        text = self._pronouns(text, _PERSON, ("person",))
        if not _EMPTY_IT.search(text):
            text = self._pronouns(text, _THING, ("thing", "place"))
        text = self._pronouns(text, _MANY, ("thing", "person", "place"))
        text = _THAT.sub(self._noun, text)
        place = next((m for m in self.mentions if m.kind == "place"), None) or self._town()
        if place is not None and not re.match(r"(?:is|are|was|were) there\b", text, re.I):
            text = _THERE.sub(
                lambda m: self._said(m.group(), f"{m.group('lead') or 'in '}{place.text}"), text
            )
        moment = next((m for m in self.mentions if m.kind == "date"), None)
        if moment is not None:
            text = _THEN.sub(lambda m: self._said(m.group(), f"in {_year(moment.text)}"), text)
        return text

    def _pronouns(self, text: str, pattern: re.Pattern[str], kinds: tuple[str, ...]) -> str:
        first = pattern.search(text)
        if first is None or self._own_name(text[: first.start()], kinds):
            return text
        fit = [m for m in self.mentions if m.kind in kinds]
        chosen = self._likeliest(fit, content_words(text))
        if chosen is None:
            return text
        name = _with_article(chosen.text)

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
        if found is None or found.text.lower() in match.string.lower():
            return match.group()
        return self._said(match.group(), _with_article(found.text) + (match.group("after") or ""))

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

    def _town(self) -> Mention | None:
        return next((m for m in self.mentions if m.kind == "place"), None)

    def _which_of(self, text: str) -> str:
        """ "Which of them is longer?" names the two again."""
        match = _WHICH_OF.match(text.strip(" ?"))
        two = pair_of(self.history)
        explicit = bool(match) and bool(re.search(r"\b(?:one|of (?:them|the two|these|those))\b", text, re.I))
        if match is None or two is None or not explicit or names_in(text):
            return text
        self.links.append((match.group()[: match.start("rest")].strip(), f"{two[0]} or {two[1]}"))
        either = f"{_with_article(two[0])} or {_with_article(two[1])}"
        return f"{match.group('which').capitalize()} {match.group('rest')}, {either}?"

    def _two(self, match: re.Match[str]) -> str:
        chosen = self._one_of_two(match.group())
        return self._said(match.group(), _with_article(chosen)) if chosen else match.group()

    def _one_of_two(self, phrase: str) -> str | None:
        two = pair_of(self.history)
        match = _TWO.search(phrase)
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


def _spelled(turn: Turn) -> Turn:
    """The bare answer of a turn; records from before it was kept have only the sentence."""
    if turn.short or not turn.answer:
        return turn
    first = re.sub(r"\[\d+\]", "", turn.answer).split("\n")[0].split(". ")[0]
    names = names_in(first, opening=False)
    asked = {n.lower() for n in names_in(turn.question)}
    new = [n for n in names if n.lower() not in asked]
    return replace(
        turn, short=new[0] if new and analyse(turn.question).expects in ("person", "place") else ""
    )


def _pronoun(rest: str) -> str:
    lower = rest.lower()
    found = re.search(r"\b(his|her|him|its|it|their|them)\b", lower)
    word = found.group() if found else "it"
    return {"his": "him", "its": "it", "their": "them"}.get(word, word)


def _with_article(name: str) -> str:
    """ "the Teal Bridge", "Mira Vell": a name whose last word is a common noun takes the article."""
    if re.match(r"(?:the|a|an)\b", name, re.I):
        return name
    last = words(name)[-1:] or [""]
    return f"the {name}" if last[0] in _COMMON or words(name)[:1] == ["river"] else name


def _tidy(text: str) -> str:
    text = re.sub(r"\bthe the\b", "the", re.sub(r"\bin in\b", "in", " ".join(text.split())), flags=re.I)
    text = text[:1].upper() + text[1:]
    return text if text.endswith(("?", ".", "!")) else text + "?"


def _year(date: str) -> str:
    found = re.search(r"\d{4}", date)
    return found.group() if found else date


_COMMON = frozenset(
    (
        "bridge museum academy library society observatory press yard line festival expedition organ globe refractor "
        "week river university college school church company war battle team band club institute association "
        "hospital tower palace castle hotel theatre theater station railway committee commission council agency "
        "prize award treaty act empire kingdom republic party league union channel canal harbour port island islands "
        "mountains sea ocean desert times post gazette fair market works mill"
    ).split()
)
