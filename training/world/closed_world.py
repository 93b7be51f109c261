"""The closed fictional world: what exists, what is true, what documents say, exact questions about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random

from training.world.names import NameMaker
from training.world.plan import PER_PROVINCE, write_province
from training.world.questions import QuestionMaker
from training.world.records import Entity, Evidence, Fact, Question, Variant, WorldDocument


@dataclass(frozen=True)
class World:
    """A world is a value: the same seed and size give the same one everywhere.

    `facts` holds everything that is true; `stated` tells which of it any document says. The rest is what
    unanswerable questions ask for. A larger world begins with the documents of a smaller one.
    """

    seed: int
    entities: dict[str, Entity]
    facts: dict[str, Fact]
    variants: tuple[Variant, ...]
    _documents: tuple[WorldDocument, ...]
    _names: NameMaker

    @classmethod
    def generate(cls, seed: int, size: int = PER_PROVINCE) -> World:
        """A world told in `size` documents (about 180 words each), sixty for each province."""
        if size < 1:
            raise ValueError(f"size must be at least 1 document, got {size}")
        names = NameMaker(Random(f"forage-names/{seed}"))
        entities: dict[str, Entity] = {}
        facts: dict[str, Fact] = {}
        variants: list[Variant] = []
        documents: list[WorldDocument] = []
        for index in range(-(-size // PER_PROVINCE)):
            scene = write_province(seed, index, names, size - len(documents))
            entities |= scene.province.entities
            facts |= scene.province.facts
            variants += scene.variants
            documents += scene.documents
        return cls(seed, entities, facts, tuple(variants), tuple(documents), names)

    def documents(self) -> tuple[WorldDocument, ...]:
        """All documents, in a fixed order."""
        return self._documents

    @cached_property
    def evidence(self) -> dict[str, tuple[Evidence, ...]]:
        """Where each stated fact can be read, prose before tables; unsaid facts are absent."""
        found: dict[str, list[Evidence]] = {}
        for document in self._documents:
            for fact, quote in document.claims():
                found.setdefault(fact, []).append(Evidence(fact, document.id, quote))
        return {fact: tuple(sorted(places, key=_is_row)) for fact, places in found.items()}

    def stated(self, fact: str) -> bool:
        """Does any document say so?"""
        return fact in self.evidence

    def questions(self, n: int, seed: int = 0) -> tuple[Question, ...]:
        """Up to `n` questions with gold of each type but small_talk; another `seed`, others."""
        maker = QuestionMaker(self.entities, self.facts, self.evidence, self._documents, self.variants)
        return maker.make(n, Random(f"forage-questions/{self.seed}/{seed}"), NameMaker.after(self._names))


def passages(seed: int, n: int) -> Iterator[dict[str, str]]:
    """`n` short passages {id, title, text} of an ever growing world, for load tests."""
    names = NameMaker(Random(f"forage-names/{seed}"))
    index = made = 0
    while made < n:
        for document in write_province(seed, index, names).documents:
            for number, text in enumerate(_sections(document)):
                yield {"id": f"{document.id}-{number}", "title": document.title, "text": text}
                made += 1
                if made == n:
                    return
        index += 1


def _is_row(place: Evidence) -> bool:
    return not place.quote.endswith(".")


def _sections(document: WorldDocument) -> Iterator[str]:
    """The text in pieces of some sixty words, cut before headings."""
    lines: list[str] = []
    for block in document.blocks:
        if block.kind == "heading" and sum(len(line.split()) for line in lines) >= 50:
            yield "\n".join(lines)
            lines = []
        lines.append(block.text)
    if lines:
        yield "\n".join(lines)
