"""Short answers inside a sentence: names, dates, numbers, table values, or the part the question left open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.matching import stem, stems
from agent.question import MONTHS, SHORT_MONTHS, Question, names_in, words
from index.stop_words import STOP_WORDS

_MONTH = rf"(?:{MONTHS}|{SHORT_MONTHS})"
DATE = re.compile(
    rf"\b(?:(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?(?:\s+of)?\s+{_MONTH},?(?:\s+\d{{3,4}})?"
    rf"|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,\s*\d{{3,4}})?(?!\d)|{_MONTH}\s+\d{{3,4}}"
    rf"|\d{{1,2}}-{_MONTH}-\d{{4}}"
    r"|\d{4}-\d{2}-\d{2}|\b[12]\d{3}\b|\b\d{3}\s+(?:BC|AD|CE|BCE)\b)"
)
YEAR = re.compile(r"\b[12]\d{3}\b")
NUMBER = re.compile(
    r"(?:[$€£¥]\s?)?(?<![\w.])\d+(?:[,  ]\d{3})*(?:\.\d+)?(?:\s?(?:%|percent|per cent))?"
    r"(?:\s(?:hundred|thousand|million|billion|trillion)\b)?"
)
NUMBER_WORD = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|dozen)"
    r"(?:[-\s](?:one|two|three|four|five|six|seven|eight|nine|hundred|thousand|million))*\b",
    re.I,
)
PAIR = re.compile(r"(?:^|[|;\n])\s*(?:[-*•]\s*)?([^:|;\n]{1,60}?)\s*:\s+([^|;\n]+?)\s*(?=$|[|;\n])")
_CLAUSE = re.compile(r"[,;:()\[\]\"“”|]|\s[-–—]\s|\.\s|\.$|\n")
_UNIT_NOT = STOP_WORDS | {"when", "while", "since", "until", "before", "after", "later"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible short answer: its text, its place in the sentence, how good it looks."""

    text: str
    start: int  # -1: taken from the document's title, for sentences that say "she" or "it"
    end: int
    kind: str
    score: float


def candidates(
    question: Question, sentence: str, title: str, degrees: dict[str, float], known: Sequence[str] = ()
) -> list[Candidate]:
    """Possible short answers of the expected type in a sentence, best first.

    degrees: how far the sentence itself covers each question term; known: names that are already part
    of the question or of earlier hops and so cannot be the answer.
    """
    anchors = _anchors(question, sentence)
    taken = stems(question.text) | frozenset(s for name in known for s in stems(name))
    found = _pairs(question, sentence)
    for kind, start, end in _typed(question, sentence):
        text = sentence[start:end]
        own = stems(text)
        if kind in ("name", "rest") and own <= taken:
            continue
        if kind in ("date", "number") and own <= stems(question.text):
            continue
        score = _nearness(anchors, start, end) + _cue(question, sentence, start, end, kind)
        if kind == "rest":
            score -= 0.35
        if kind == "name" and own & taken:
            score -= 0.2
        found.append(Candidate(text, start, end, kind, score))
    pronoun = re.match(r"\W*(?:he|she|it|they|his|her|its|their|this|the)\b", sentence, re.I)
    if title and pronoun and question.expects in ("person", "place", "thing", "choice"):
        own = stems(title)
        if own and not own & taken:
            found.append(Candidate(title, -1, -1, "title", 0.45))
    return sorted(found, key=lambda c: -c.score)


def _typed(question: Question, sentence: str) -> list[tuple[str, int, int]]:
    """(kind, start, end) of the spans that fit the expected type."""
    expects = question.expects
    if expects == "year":
        return [("date", *m.span()) for m in YEAR.finditer(sentence)]
    if expects == "date":
        return [("date", *m.span()) for m in DATE.finditer(sentence)]
    if expects == "number":
        return _numbers(sentence)
    named = _names(sentence)
    if expects in ("person", "place"):
        return named
    return named + [("rest", *span) for span in _rest(question, sentence)]


def _numbers(sentence: str) -> list[tuple[str, int, int]]:
    dates = [m.span() for m in DATE.finditer(sentence)]
    found = []
    for pattern in (NUMBER, NUMBER_WORD):
        for match in pattern.finditer(sentence):
            start, end = match.span()
            if any(left <= start and end <= right for left, right in dates) and not re.match(
                r"\s[a-z]", sentence[end:]
            ):
                continue
            unit = re.match(r"[\s-]([a-zA-Z°²³/]+)", sentence[end:])
            if unit and unit.group(1).lower() not in _UNIT_NOT:
                end += unit.end()
            found.append(("number", start, end))
    return found


def _names(sentence: str) -> list[tuple[str, int, int]]:
    found = []
    for name in names_in(sentence):
        for match in re.finditer(re.escape(name), sentence):
            found.append(("name", *match.span()))
    return found


def _rest(question: Question, sentence: str) -> list[tuple[int, int]]:
    """Runs of words that the question does not hold, inside one clause, small words trimmed off."""
    asked = stems(question.text)
    spans: list[tuple[int, int]] = []
    breaks = [m.span() for m in _CLAUSE.finditer(sentence)] + [(len(sentence), len(sentence))]
    at = 0
    for left, right in breaks:
        run: list[re.Match[str]] = []
        for word in [*re.finditer(r"[\w'’\-]+", sentence[at:left]), None]:
            if word is not None and stem(word.group().lower()) not in asked:
                run.append(word)
                continue
            while run and run[0].group().lower() in STOP_WORDS:
                run.pop(0)
            while run and run[-1].group().lower() in STOP_WORDS:
                run.pop()
            if run:
                spans.append((at + run[0].start(), at + run[-1].end()))
            run = []
        at = right
    return spans


def _pairs(question: Question, sentence: str) -> list[Candidate]:
    """Values of "Key: value" rows whose key the question asks for."""
    wanted = {stem(t) for t in question.terms} | ({stem(question.head)} if question.head else set())
    found = []
    for match in PAIR.finditer(sentence):
        key, value = stems(match.group(1)), match.group(2).strip()
        if key & wanted and not stems(value) <= stems(question.text):
            share = len(key & wanted) / len(key)
            found.append(
                Candidate(value, match.start(2), match.start(2) + len(value), "value", 0.6 + 0.6 * share)
            )
    return found


def _anchors(question: Question, sentence: str) -> list[tuple[int, int]]:
    """Places of question words that are not part of a name: the relation asked for."""
    named = frozenset(s for name in question.names for s in stems(name))
    wanted = {stem(t) for t in question.terms} - named
    return [
        match.span()
        for match in re.finditer(r"[\w'’\-]+", sentence)
        if wanted & {stem(w) for w in words(match.group())}
    ]


def _nearness(anchors: Sequence[tuple[int, int]], start: int, end: int) -> float:
    """1 next to a word of the asked relation, falling with distance; 0.5 where none is in the sentence."""
    if not anchors:
        return 0.5
    # A little preference for what follows the relation ("was designed by ...").
    gap = min((start - right) if start >= right else (left - end) * 1.3 + 4 for left, right in anchors)
    return 1.0 / (1.0 + max(gap, 0.0) / 25.0)


_CUES = {
    "person": re.compile(r"\b(?:by|named|called|under|with)\s+(?:[a-z]+\s+){0,3}$", re.I),
    "place": re.compile(
        r"\b(?:in|at|near|from|to|of|on|into|outside)\s+(?:the\s+)?(?:[a-z]+\s+){0,3}$", re.I
    ),
}


def _cue(question: Question, sentence: str, start: int, end: int, kind: str) -> float:
    before, score = sentence[max(0, start - 40) : start], 0.0
    cue = _CUES.get(question.expects)
    if cue is not None and cue.search(before):
        score += 0.35
    if question.head:
        near = sentence[max(0, start - 30) : end + 25].lower()
        if re.search(rf"\b{re.escape(question.head)}", sentence[start:end].lower()):
            score += 0.5
        elif question.head in near:
            score += 0.25
    if question.expects == "date":
        score += min(len(sentence[start:end]) / 60, 0.25)  # "3 March 1921" says more than "1921"
    if question.expects == "person" and kind == "name" and not re.search(r"\d", sentence[start:end]):
        score += 0.1 if 2 <= len(sentence[start:end].split()) <= 3 else 0.0
    return score
