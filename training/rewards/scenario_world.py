"""Cases for the scenarios from the closed fictional world: gold is exact, no data folder is needed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from training.rewards.contract import Passage
from training.rewards.scenarios import Case, Lie, false_passage
from training.world.closed_world import World
from training.world.records import Question, Variant, WorldDocument

SOURCE = "closed world"
DOCUMENTS = 240  # four provinces
NOISE = 4


def world_cases(seed: int, limit: int) -> list[Case]:
    """Up to `limit` cases of each type of question; questions whose gold stands only in tables are left out."""
    return list(_Builder(World.generate(seed, DOCUMENTS), seed).cases(limit))


class _Builder:
    def __init__(self, world: World, seed: int) -> None:
        self._world, self._draw = world, random.Random(f"scenarios/{seed}")
        self._documents = {document.id: document for document in world.documents()}
        self._blocks: list[Passage] = [p for d in world.documents() for p in _passages(d)]
        self._answers: dict[str, list[str]] = {}  # what questions about a relation may be answered with
        for fact in world.facts.values():
            text = fact.value.text if fact.value else world.entities[fact.object].name
            self._answers.setdefault(fact.relation, []).append(text)

    def cases(self, limit: int) -> Iterator[Case]:
        """Questions in turn, until each type has `limit` cases."""
        counts: dict[str, int] = {}
        for question in self._world.questions(limit * 4):
            if counts.get(question.type, 0) < limit:
                made = self._case(question)
                if made is not None:
                    counts[question.type] = counts.get(question.type, 0) + 1
                    yield made

    def _case(self, question: Question) -> Case | None:
        gold = [self._passage(e.document, e.quote) for e in question.evidence]
        kept = [p for p in gold if p is not None]
        answer = self._answer(question)
        # Prose only, and an answer as it stands there: a table row would betray itself by its form.
        if len(kept) < len(gold) or (answer is None and question.answerable):
            return None
        decoy = self._decoy(question, answer or "")
        sentences = tuple(e.quote for e in question.evidence)
        lies = tuple(lie for variant in question.variants if (lie := self._lie(variant)))
        if answer and decoy and not lies and question.type != "comparison":
            lies = tuple(filter(None, [false_passage(kept[-1], sentences[-1], answer, decoy)]))
        bridges = self._bridge(question)
        return Case(
            question.id, SOURCE, question.text, (answer, *question.answers) if answer else (), tuple(kept), sentences,
            tuple(self._noise(question)), decoy, bridges, lies, knows=False,
        )  # fmt: skip

    def _passage(self, document: str, quote: str) -> Passage | None:
        return next((p for p in _passages(self._documents[document]) if quote in p.text), None)

    def _answer(self, question: Question) -> str | None:
        """The spelling of the gold answer that the last sentence uses; a comparison's is its best one."""
        if not question.answerable:
            return None
        if question.type == "comparison":
            return question.answers[0]
        last = question.evidence[-1].quote
        return max((a for a in question.answers if a in last), key=len, default=None)

    def _decoy(self, question: Question, answer: str) -> str:
        """Another answer of the same kind: of another subject for the same relation."""
        if question.type == "comparison":
            if answer in ("yes", "no"):
                return "no" if answer == "yes" else "yes"
            names = [self._world.entities[self._world.facts[f].subject].name for f in question.facts]
            return next((name for name in names if name not in question.answers), "")
        known = [a for a in self._answers[question.relations[-1]] if a not in (*question.answers, answer)]
        return self._draw.choice(known) if known else ""

    def _bridge(self, question: Question) -> str:
        """What the first hop finds, as the second hop's sentence spells it."""
        if question.type not in ("two_hop", "three_hop"):
            return ""
        entity = self._world.entities[self._world.facts[question.facts[0]].object]
        spelled = (entity.name, entity.text, *entity.aliases)
        return next((s for s in spelled if s in question.evidence[0].quote), "")

    def _lie(self, variant: Variant) -> Lie | None:
        passage = self._passage(variant.document, variant.quote)
        return Lie(passage, variant.quote, variant.value.text) if passage else None

    def _noise(self, question: Question) -> list[Passage]:
        """Passages of other documents about the same things, filled up with any."""
        gold = {e.document for e in question.evidence}
        subjects = {self._world.entities[self._world.facts[f].subject].name for f in question.facts}
        near = [
            p for p in self._blocks if p.id.split("/")[0] not in gold and any(s in p.text for s in subjects)
        ]
        drawn = self._draw.sample(near, min(len(near), NOISE // 2))
        return drawn + self._draw.sample(
            [p for p in self._blocks if p.id.split("/")[0] not in gold], NOISE - len(drawn)
        )


def _passages(document: WorldDocument) -> list[Passage]:
    """The paragraphs and lists of a document, each a passage."""
    return [
        Passage(f"{document.id}/{at}", block.text, 0.5)
        for at, block in enumerate(document.blocks)
        if block.kind in ("paragraph", "list") and block.text.strip()
    ]
