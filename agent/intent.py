"""Whether two questions ask for the same thing: same names, same numbers, same relation.

Vectors alone cannot tell: "When was A born?" is nearer to "When was B born?" than to "What is A's date of birth?".
So similarity only proposes, and two questions are the same when nothing that could change the answer differs.
A missed paraphrase costs a search, a false match costs a wrong answer: every doubt says no.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from agent.concepts import EXACT, LIGHT, RELATIONS, REWRITES, concept
from agent.question import analyse, names_in, plainly, words
from index.stop_words import STOP_WORDS

_BROAD_PLACE = frozenset({"", "place", "location", "town", "city", "village"})
_BROAD_PERSON = frozenset({"", "person", "man", "woman"})
_BROAD = frozenset(concept(w) if w else "" for w in _BROAD_PLACE | _BROAD_PERSON)
_POSSESSIVE = re.compile(
    r"((?:[A-Z][\w'’\-]*(?:\s+(?:of|the|and|de|van|von)\s+)?\s*)+)['’]s?\s+((?:[a-z\-]+['’]s\s+)*)([a-z\-]+)"
)
_YEAR = re.compile(r"(?:1\d|20)\d\d")
_HOW_MANY = re.compile(r"\bhow (?:many|much)\b", re.I)


@dataclass(frozen=True, slots=True)
class Intent:
    """What a question asks for, in comparable parts."""

    text: str
    expects: str
    head: str
    names: tuple[str, ...]  # words of its names, in order, plain letters
    words: frozenset[str]  # all its words
    numbers: tuple[str, ...]
    sense: tuple[tuple[str, int], ...]  # concepts of its other content words, counted
    exact: frozenset[int]
    chain: tuple[str, ...]  # relations in order
    order: tuple[str, ...]  # its other concepts in order
    role: str  # of its one name: "agent", "patient" or unknown
    options: frozenset[str]
    direction: str


def intent_of(text: str) -> Intent:
    """Take a question apart for comparison."""
    plain = plainly(_plain(text))
    original = analyse(plain)
    changed = _one_form(plain)
    question = analyse(changed[:1].upper() + changed[1:])
    names = [w for name in names_in(plain) for w in words(name) if w not in STOP_WORDS]
    direction = original.direction or question.direction
    options = frozenset(" ".join(words(o)) for o in (original.options or question.options))
    expects = question.expects if question.expects != "thing" else original.expects
    tokens = words(changed)
    held = frozenset(tokens)
    numbers = tuple(sorted(t for t in tokens if any(c.isdigit() for c in t)))
    head = question.head or original.head
    content = [
        w
        for w in tokens
        if w not in names and w not in STOP_WORDS and w not in LIGHT and w not in EXACT
        and not any(c.isdigit() for c in w)
    ]  # fmt: skip
    sense = Counter(concept(w) for w in content)
    order = tuple(c for w in content if (c := concept(w)) not in RELATIONS)
    compares = direction not in ("", "same") and "or" in tokens and not _HOW_MANY.search(plain)
    exact = frozenset() if compares else frozenset(EXACT[w] for w in tokens if w in EXACT)
    if compares:
        expects = "choice"
    elif direction == "same":
        direction, options = "", frozenset()
    chain = tuple(dict.fromkeys(c for w in tokens if w not in names and (c := concept(w)) in RELATIONS))
    return Intent(
        plain, expects, concept(head) if head else "", tuple(dict.fromkeys(names)), held, numbers,
        tuple(sorted(sense.items())), exact, chain, order, _role(changed, names), options, direction,
    )  # fmt: skip


def same_question(a: Intent, b: Intent, short: str = "") -> str:
    """Empty when the two ask for the same thing, else what differs.

    short: the known answer of one of them; a bare year answers "when" and "what year" alike.
    """
    if a.text.casefold() == b.text.casefold():
        return ""
    if bool(a.names) != bool(b.names):
        a, b = _spelled(a, b), _spelled(b, a)
    checks = (
        (a.numbers == b.numbers, "numbers"),
        (_same_names(a, b), "names"),
        (_same_kind(a, b, short), "kind of answer"),
        (a.exact == b.exact, "a word such as first, not or both"),
        (a.direction == b.direction and _same_options(a, b), "what is compared"),
        (_sense(a, b) == _sense(b, a), "what is asked about"),
        (a.chain == b.chain or len(set(a.chain)) < 2, "order of relations"),
        (not (a.role and b.role) or a.role == b.role, "who does and who is done to"),
        (_same_order(a, b), "order of names"),
        (bool(a.names or b.names) or a.order == b.order, "order of words"),
    )
    return next((what for held, what in checks if not held), "")


def _plain(text: str) -> str:
    flat = unicodedata.normalize("NFKC", " ".join(text.split())).replace("’", "'")
    return flat.strip(" ?.!").strip() + "?"


def _one_form(text: str) -> str:
    for pattern, by in REWRITES:
        text = pattern.sub(by, text)

    def turned(match: re.Match[str]) -> str:
        """Mira's father's job -> job of father of Mira."""
        between = [w[:-2] for w in match.group(2).split()]
        return " of ".join([match.group(3), *reversed(between), match.group(1).strip()])

    return _POSSESSIVE.sub(turned, text)


def _role(text: str, names: list[str]) -> str:
    """Whether the name of a question with one name does what is asked, or has it done to it."""
    if not names:
        return ""
    first = re.escape(names[0])
    lower = text.lower()
    if re.search(rf"\b(?:did|does|do)\s+(?:the\s+)?{first}\b|\bby\s+(?:the\s+)?{first}\b", lower):
        return "agent"
    being = r"(?!is\b|was\b|are\b|were\b|did\b|does\b|do\b)"
    if re.search(rf"^(?:who|which \w+|what \w+)\s+{being}[a-z]+(?:\s+the)?\s+{first}\b", lower):
        return "patient"
    if re.search(rf"\b(?:was|were|is|are)\s+(?:the\s+)?{first}\b.*\bby\b|\bby whom\b", lower):
        return "patient"
    return ""


def _spelled(one: Intent, other: Intent) -> Intent:
    """A question typed without capitals, with those of the other one's names that it holds."""
    if one.names or not other.names:
        return one
    held = "|".join(re.escape(name) for name in other.names)
    opened = one.text.split(" ", 1)
    rest = re.sub(rf"\b(?:{held})\b", lambda m: m.group()[:1].upper() + m.group()[1:], opened[-1])
    return intent_of(" ".join([*opened[:-1], rest]))


def _same_names(a: Intent, b: Intent) -> bool:
    return set(a.names) <= b.words and set(b.names) <= a.words


def _same_options(a: Intent, b: Intent) -> bool:
    """What is chosen from: names say it; options without names must be the same words."""
    return bool(a.names and b.names) or a.options == b.options


def _sense(a: Intent, b: Intent) -> dict[str, int]:
    """Concepts of `a` without names of either question (one of them may write them small) and without the nouns
    that only say what kind of thing is wanted."""
    named = {concept(w) for w in (*a.names, *b.names)}
    heads = {h for h, other in ((a.head, b), (b.head, a)) if h and (h in _BROAD or _mentions(other, h))}
    if a.expects in ("person", "date", "year") and b.expects in ("person", "date", "year"):
        heads |= {a.head, b.head}
    return {c: 1 for c, _ in a.sense if c not in named and c not in heads}


def _same_kind(a: Intent, b: Intent, short: str) -> bool:
    kinds = {a.expects, b.expects}
    if kinds == {"date", "year"}:
        return bool(_YEAR.fullmatch(short.strip()))
    if len(kinds) > 1:
        return kinds in ({"thing", "person"}, {"thing", "number"}, {"thing", "place"}) and _heads_agree(a, b)
    return a.expects not in ("place", "person", "thing") or _heads_agree(a, b)


def _heads_agree(a: Intent, b: Intent) -> bool:
    heads = (a.head, b.head)
    if heads[0] == heads[1]:
        return True
    # "Which river does X lie on?" and "What is the river on which X lies?": the noun stands in both.
    return all(not h or h in _BROAD or _mentions(x, h) for h, x in ((a.head, b), (b.head, a)))


def _mentions(other: Intent, head: str) -> bool:
    return any(concept(w) == head for w in other.words)


def _same_order(a: Intent, b: Intent) -> bool:
    """Two names may change places only where the wording shows that their parts stay the same."""
    alike = {EXACT["same"], EXACT["both"]} & a.exact
    if len(a.names) < 2 or alike or (a.direction and "or" in a.words & b.words):
        return True
    either = "or" in a.words & b.words and a.options == b.options
    free = {w for option in a.options for w in option.split()} if either else set()
    mine = [n for n in a.names if n in b.words and n not in free]
    theirs = _positions(b, mine)
    if theirs == sorted(theirs):
        return True
    placed = _prepositions(a)
    return placed == _prepositions(b) and list(placed.values()).count("") <= 1


def _positions(b: Intent, names: list[str]) -> list[int]:
    tokens = words(b.text)
    return [tokens.index(name) if name in tokens else -1 for name in names]


def _prepositions(a: Intent) -> dict[str, str]:
    """Name -> the small word before it."""
    found: dict[str, str] = {}
    tokens = words(a.text)
    for at, token in enumerate(tokens):
        if token in a.names and (at == 0 or tokens[at - 1] not in a.names):
            before = [t for t in tokens[max(0, at - 2) : at] if t not in ("the", "a", "an")]
            found[token] = before[-1] if before and before[-1] in _PLACING else ""
    return found


_PLACING = frozenset("in at on of from to by with for during under near over about than".split())
