"""Answers that stand in a field: "Status: Withdrawn", "- 3.7.0 final: 2018-06-27", "Name: Ada; Born: 1931".

Headers, forms and rows of tables hold facts that are no sentences; a reader of prose takes the wrong line of them. Here
plain code finds the field whose label the question asks for, in a record that the question is about: every word of the
label must be asked for, and what else the question names must stand in the record's title or in its other fields. Two
records that fit equally and say different things give no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.chain import Chain, make_chain
from agent.concepts import CONCEPTS
from agent.designations import identifiers
from agent.matching import stems
from agent.question import Question, content_words, words
from agent.reader import Evidence, is_row
from agent.spans import Candidate
from agent.statuses import LABELS, outcome_asked, verdict
from index.types import Hit, Passage

KNOWN = 0.5  # rarity-weighted share of the rest of the question that the record must hold
KNOWN_AROUND = 0.7  # the same where the text that a header stands above is counted too
LABEL_WORDS, VALUE_CHARACTERS = 6, 160  # at most: longer ones are prose
SENTENCE_WORDS = 8  # a value of as many words that ends with a full stop is a sentence, not a value
FIELD = "field"  # kind of an answer that was read off a field
BESIDE = 16  # best lexical hits that are looked through for a field, beside what is read
_LINE = re.compile(
    r"^[ \t]*(?:(?:[-*•+]|\d+[.)])[ \t]+)?[\"'*_`]*(?P<label>[^\W_][^:\n\"|]{0,58}?)[\"'*_`]*[ \t]*:[\"'*_`]*[ \t]+"
    r"[\"'`]?(?P<value>[^\n]+?)[\"'`]?,?[ \t]*$",
    re.M,
)
_ORDINALS = {
    w: str(n) for n, w in enumerate("first second third fourth fifth sixth seventh eighth".split(), 1)
}
_CELL = re.compile(r"(?P<label>[^:;|\n]{1,60}): (?P<value>[^;\n]+)")
_YEAR = re.compile(r"(?<!\d)[12]\d{3}(?!\d)")
_ADDRESS = re.compile(r"\s*<[^<>\s]*@[^<>]*>|\s*<https?:[^<>]*>|\s*\(@[\w.-]+\)")
# Words of a label that the kind of question implies: "when" asks for a date though it does not say so.
_IMPLIED: Mapping[str, frozenset[str]] = {
    "date": stems("date day time"),
    "year": stems("date year"),
    "person": stems("name person"),
    "number": stems("number count total amount"),
    "place": stems("place location"),
}
_KINDS = (*_IMPLIED, "thing")
# Of papers many words mean one field of their header; a bridge may be opened long after it was begun.
_PAPERS = stems(
    "proposal rfc pep eip issue ticket request report document draft record form policy specification"
)
_BEGUN = frozenset("created started begun began opened filed submitted".split())
_PROPOSED = frozenset("proposed proposes proposing submitted drafted".split())


@dataclass(frozen=True, slots=True)
class Field:
    """One label with its value; offsets of the value in its passage's text."""

    label: str
    value: str
    start: int
    end: int
    record: str  # what stands beside it: the row, or the other fields of the passage
    around: str = ""  # of a header: the text that it stands above, which says what the document is about


@dataclass(frozen=True, slots=True)
class Held:
    """A field that answers, and how much of the rest of the question its record holds (0 to 1)."""

    field: Field
    passage: Passage
    known: float
    closely: bool = True  # held by the record itself, not only by the text that a header stands above


def fields_of(text: str) -> tuple[Field, ...]:
    """The fields of a passage in their order; rows of tables are records of their own.

    >>> [(f.label, f.value) for f in fields_of("PEP: 304\\nStatus: Withdrawn\\n\\nThe text of it.")]
    [('PEP', '304'), ('Status', 'Withdrawn')]
    """
    rows = [line for line in _lines(text) if is_row(line[0])]
    cells = [
        Field(m["label"].strip(), m["value"].strip(), at + m.start("value"), at + m.end("value"), line)
        for line, at in rows
        for m in _CELL.finditer(line)
    ]
    lines = [m for m in _LINE.finditer(text) if not is_row(m[0].strip())]
    block = "\n".join(m[0] for m in lines)
    found = [Field(m["label"].strip(), m["value"], *m.span("value"), block, text) for m in lines]
    return tuple(
        f
        for f in sorted([*cells, *found], key=lambda f: f.start)
        if len(f.label.split()) <= LABEL_WORDS and len(f.value) <= VALUE_CHARACTERS
    )


def _lines(text: str) -> Iterator[tuple[str, int]]:
    at = 0
    for line in text.splitlines(keepends=True):
        yield line.rstrip("\n"), at
        at += len(line)


def field_in(question: Question, weights: np.ndarray, passages: Sequence[Passage]) -> Held | None:
    """The field that answers the question, from passages in order of usefulness; None where none or several do.

    weights: one per question term, sum 1.
    """
    if not may_stand_in_field(question):
        return None
    question = replace(question, text=_counted(question.text))
    asked = _concepts(question.text) | _of_paper(question)
    fitting = [
        held
        for passage in passages
        for one in fields_of(passage.text)
        if (held := _held(question, asked, weights, one, passage)) is not None
    ]
    fitting = [held for held in fitting if held.closely] or fitting
    if not fitting:
        return None
    best = max(fitting, key=lambda held: (held.known, len(stems(held.field.label))))
    said = stems(best.field.value)
    rivals = [h for h in fitting if h.known >= best.known - 0.01 and stems(h.field.value) != said]
    outcome = outcome_asked(question)
    if outcome and (rivals or not verdict(outcome, best.field.value)):
        return None
    longer = [h for h in rivals if stems(h.field.label) >= stems(best.field.label)]
    return None if longer else best


def may_stand_in_field(question: Question) -> bool:
    """Whether a question asks for one value or whether a status holds: not for a comparison or a reason."""
    if outcome_asked(question):
        return True
    return question.expects in _KINDS and not question.options and " or " not in question.text


def record_beside(
    question: Question, weights: np.ndarray, hits: Sequence[Hit], others: Sequence[Hit]
) -> Hit | None:
    """The one of `others` whose field answers the question; None where none does or one of `hits` does already."""
    held = field_in(question, weights, [hit.passage for hit in (*hits, *others)])
    if held is None or any(hit.passage == held.passage for hit in hits):
        return None
    return next(hit for hit in others if hit.passage == held.passage)


def _concepts(text: str) -> frozenset[str]:
    """Stems of a text's words, those that mean the same as one: a label "Author" is asked for by "wrote"."""
    return frozenset().union(*(stems(CONCEPTS.get(word, word)) for word in words(text)))


def _counted(text: str) -> str:
    """A question with the number of each ordinal: the second beta is "beta 2" in a list."""
    return " ".join([text, *(_ORDINALS[word] for word in words(text) if word in _ORDINALS)])


def _of_paper(question: Question) -> frozenset[str]:
    """Concepts of all words for what the question asks about a paper: when it began, or who wrote it."""
    said = set(words(question.text))
    if not stems(question.text) & _PAPERS:
        return frozenset()
    if question.expects in ("date", "year") and said & _BEGUN:
        return _concepts(" ".join(_BEGUN))
    return _concepts("author") if question.expects == "person" and said & _PROPOSED else frozenset()


def _held(
    question: Question, asked: frozenset[str], weights: np.ndarray, field: Field, passage: Passage
) -> Held | None:
    """The field with how much of the rest of the question its record holds; None where it does not answer it."""
    outcome = outcome_asked(question)
    parts = re.sub(r"[-_/]", " ", field.label)  # "Python-Version"
    label = stems(outcome) if outcome else _concepts(" ".join(content_words(parts)))
    implied = _IMPLIED.get(question.expects, frozenset())
    if outcome:
        if not stems(field.label) <= LABELS:
            return None
    elif not _asked_for(field, label, asked, implied, question):
        return None
    record = f"{passage.title}\n{passage.heading}\n{field.record}"
    held = stems(record) | stems(re.sub(r"[-_/.]", " ", record))
    about = held | stems(field.around)
    named = stems(" ".join(question.names))
    rest = [
        (term, weight)
        for term, weight in zip(question.terms, weights.tolist(), strict=True)
        if not _concepts(term) <= label | implied and _ORDINALS.get(term) not in label
    ]
    if any(not stems(term) <= held for term, _ in rest if stems(term) <= named):
        return None
    if not identifiers(question.text) <= identifiers(record) | identifiers(field.label):
        return None
    total = sum(weight for _, weight in rest)
    for words_held, enough in ((held, KNOWN), (about, KNOWN_AROUND)):
        known = sum(w for term, w in rest if stems(term) <= words_held) / total if total else 1.0
        if known >= enough:
            return Held(field, passage, known, words_held is held)
    return None


def _asked_for(
    field: Field, label: frozenset[str], asked: frozenset[str], implied: frozenset[str], question: Question
) -> bool:
    """Whether the question asks for the field's label, and for a value of its kind that it does not name itself."""
    if not label or not label <= asked | implied or not label & asked:
        return False
    if not identifiers(field.label) <= identifiers(question.text):
        return False
    return not _concepts(field.value) <= asked and _fits(question.expects, field.value)


def _fits(expects: str, value: str) -> bool:
    if expects in ("date", "year"):
        return _YEAR.search(value) is not None
    if expects == "number":
        return any(c.isdigit() for c in value)
    if expects == "thing" and value.endswith(".") and len(value.split()) >= SENTENCE_WORDS:
        return False
    if expects == "person":
        return value[:1].isupper() and not value[:1].isdigit()
    return True


def answer_of(expects: str, value: str) -> str:
    """The short answer in a field's value: without addresses, for a number the figure at the end of a code.

    >>> answer_of("person", "Inada Naoki <naoki@example.org>"), answer_of("number", "lang/lang#35073")
    ('Inada Naoki', '35073')
    """
    bare = _ADDRESS.sub("", value).strip(" ,;()")
    code = re.fullmatch(r"[^\s#]*#(\d+)", bare)
    return code[1] if expects == "number" and code else bare or value


def field_answer(
    question: Question, weights: np.ndarray, pool: Sequence[Evidence], useful: Mapping[int, float]
) -> Chain | None:
    """The field's answer as an evidence chain of the line it stands in; None where no field answers.

    weights: one per question term; useful: passage id -> usefulness (0 to 1).
    """
    passages = {one.passage.id: one.passage for one in pool}
    held = field_in(question, weights, sorted(passages.values(), key=lambda p: -useful.get(p.id, 0.0)))
    if held is None:
        return None
    start, end = (held.passage.start + at for at in (held.field.start, held.field.end))
    line = [e for e in pool if e.passage.id == held.passage.id and e.start <= start and end <= e.end]
    if not line:
        return None
    chain = make_chain(question, weights, (max(line, key=lambda e: e.score),))
    outcome = outcome_asked(question)
    said = verdict(outcome, held.field.value) if outcome else answer_of(question.expects, held.field.value)
    answer = Candidate(said, -1, -1, FIELD, held.known)
    return replace(chain, answers=(answer,), why=f"So says the field “{held.field.label}”.")
