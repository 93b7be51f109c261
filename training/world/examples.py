"""Forty questions about the example collection, chosen from a world's questions to show every kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from training.world.closed_world import World
from training.world.files import file_names
from training.world.records import Question, QuestionType

_FORMATS = (
    *(".pdf", ".docx", ".xlsx", ".eml", ".html", ".csv"),
    *(".json", ".pptx", ".epub", ".rst", ".txt", ".md"),
)
# Relations in hop order that read well; what a world lacks is replaced by other questions of the type.
_TWO_HOPS = (
    *(("designer", "born_in"), ("spans", "river_length"), ("author", "born_on"), ("kept_at", "org_founder")),
    *(("vessel", "captain"), ("held_in", "known_for"), ("based_in", "population"), ("maker", "taught_by")),
)
_THREE_HOPS = (
    *(("vessel", "captain", "born_in"), ("author", "born_in", "known_for")),
    *(("depicts", "lies_on", "river_length"), ("author", "taught_by", "born_on")),
)
_COMPARISONS = (("opened_on",), ("river_length",), ("born_in",), ("pages",))
_UNANSWERABLE = (("bridge_cost",), ("org_founder",), ("weight",), ("town_founded",), ("designer", "born_on"))
_SMALL_TALK = (
    "Hello!",
    "What documents do you have?",
    "How many documents are in this collection?",
    "Thank you!",
)
_TYPES = ("single", "two_hop", "three_hop", "comparison", "unanswerable")
_POOL = 2000  # questions of each type to choose from: more than a sixty-document world has


def example_questions(world: World) -> list[dict[str, Any]]:
    """Records {id, question, answers, type, evidence, meta}: 14 single, 8 two-hop, 4 three-hop, 4 comparison,
    6 unanswerable, 4 small talk. ValueError when the world is too small for that.
    """
    names = file_names(world.documents())
    chosen = sorted(_Chooser(world, names).choose(), key=lambda question: _TYPES.index(question.type))
    counts: dict[str, int] = {}
    records = []
    for question in chosen:
        counts[question.type] = counts.get(question.type, 0) + 1
        records.append(_record(f"{question.type}-{counts[question.type]}", question, names))
    return records + [_talk(i, text, len(names)) for i, text in enumerate(_SMALL_TALK, start=1)]


class _Chooser:
    """Chooses among a world's questions: of those that fit, the one about the least used documents."""

    def __init__(self, world: World, names: Mapping[str, str]) -> None:
        self._world, self._names = world, names
        self._pool = [question for question in world.questions(_POOL) if self._is_clear(question)]
        self._asked: Counter[str] = Counter()  # per document and per subject

    def choose(self) -> list[Question]:
        return [
            *self._in_order(self._of("two_hop"), _TWO_HOPS),  # first: the demonstration has the free choice
            *self._in_order(self._of("three_hop"), _THREE_HOPS),
            *self._singles(),
            *self._in_order(self._of("comparison"), _COMPARISONS),
            *self._in_order([q for q in self._of("unanswerable") if q.facts], _UNANSWERABLE),
            self._take([q for q in self._of("unanswerable") if not q.facts]),
        ]

    def _of(self, kind: QuestionType) -> list[Question]:
        return [question for question in self._pool if question.type == kind]

    def _is_clear(self, question: Question) -> bool:
        """Gold is complete: each fact stands in one document only, an unsaid answer nowhere."""
        if question.type == "unanswerable":
            return not question.facts or not self._appears(question)
        places = [{place.document for place in self._world.evidence[fact]} for fact in question.facts]
        return all(len(documents) == 1 for documents in places)

    def _appears(self, question: Question) -> bool:
        """Whether the unsaid answer stands somewhere, so that a guess could look supported."""
        fact = self._world.facts[question.facts[-1]]
        name = self._world.entities[fact.object].name if fact.object else ""
        spellings = (fact.value.text, fact.value.cell) if fact.value else (name,)
        texts = [document.text for document in self._world.documents()]
        return any(re.search(rf"\b{re.escape(s)}\b", text) for s in spellings for text in texts)

    def _singles(self) -> list[Question]:
        """One for each file format, all of other relations; then the contradicted and the superseded."""
        singles, chosen = self._of("single"), list[Question]()
        for suffix in _FORMATS:
            used = {question.relations for question in chosen}
            fits = [q for q in singles if not q.variants and q.relations not in used]
            chosen.append(self._take([q for q in fits if self._source(q).endswith(suffix)]))
        for kind in ("contradicted", "superseded"):
            chosen.append(self._take([q for q in singles if any(v.kind == kind for v in q.variants)]))
        return chosen

    def _in_order(self, pool: Sequence[Question], wanted: Sequence[tuple[str, ...]]) -> list[Question]:
        """For each wanted path of relations one question; where the world has none, one of another path."""
        chosen: list[Question] = []
        for relations in wanted:
            taken = {question.relations for question in chosen} | set(wanted)
            fits = [question for question in pool if question.relations == relations]
            chosen.append(
                self._take(fits or [question for question in pool if question.relations not in taken])
            )
        return chosen

    def _take(self, candidates: Sequence[Question]) -> Question:
        """The question about the least used documents; among equals one that starts on a PDF page."""
        if not candidates:
            raise ValueError(
                "this world has not enough questions of each kind; try more documents or another seed"
            )
        best = min(candidates, key=self._rank)
        self._asked.update(self._keys(best))
        return best

    def _rank(self, question: Question) -> tuple[int, bool]:
        uses = sum(self._asked[key] for key in self._keys(question))
        return uses, not self._source(question).endswith(".pdf")

    def _source(self, question: Question) -> str:
        """File name of the first evidence."""
        return self._names[question.evidence[0].document] if question.evidence else ""

    def _keys(self, question: Question) -> list[str]:
        documents = [place.document for place in question.evidence]
        return documents + [self._world.facts[fact].subject for fact in question.facts]


def _record(name: str, question: Question, names: Mapping[str, str]) -> dict[str, Any]:
    evidence = [{"source": names[place.document], "quote": place.quote} for place in question.evidence]
    meta: dict[str, Any] = {"hops": question.hops, "unanswerable": question.type == "unanswerable"}
    meta["relations"] = list(question.relations)
    for variant in question.variants:
        other = {"source": names[variant.document], "quote": variant.quote, "answer": variant.value.text}
        meta["contradiction" if variant.kind == "contradicted" else "superseded"] = other
        if variant.kind == "contradicted":  # both are on paper: an answer may rest on either
            evidence.append({"source": other["source"], "quote": other["quote"]})
    return {
        "id": name,
        "question": question.text,
        "answers": list(question.answers),
        "type": question.type,
        "evidence": evidence,
        "meta": meta,
    }


def _talk(number: int, text: str, documents: int) -> dict[str, Any]:
    answers = [str(documents)] if text.startswith("How many") else []
    meta = {"hops": 0, "unanswerable": False}
    return {
        "id": f"small_talk-{number}",
        "question": text,
        "answers": answers,
        "type": "small_talk",
        "evidence": [],
        "meta": meta,
    }
