"""From facts to documents: a scene knows what is true, a page is a document being written about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

from training.world.colour import COLOUR
from training.world.facts import Province
from training.world.phrases import PHRASES
from training.world.records import Block, Entity, Fact, Row, Sentence, Value, Variant, WorldDocument
from training.world.vocabulary import SLOTS

_SLOT = re.compile(r"\{(\w+)\}")


class Deck:
    """Draws without repetition until everything was used, then shuffles again."""

    def __init__(self, rng: Random, cards: Sequence[str]) -> None:
        self._rng, self._cards, self._left = rng, tuple(cards), list[str]()

    def draw(self) -> str:
        if not self._left:
            self._left = list(self._cards)
            self._rng.shuffle(self._left)
        return self._left.pop()


class Scene:
    """Writes the documents of one province; keeps wordings from repeating across them."""

    def __init__(self, province: Province, rng: Random) -> None:
        self.province, self.rng = province, rng
        self.documents: list[WorldDocument] = []
        self.variants: list[Variant] = []
        self._decks: dict[object, Deck] = {}

    def one(self, role: str, index: int = 0) -> Entity:
        return self.province.cast[role][index]

    def fact(self, subject: Entity, relation: str) -> Fact:
        return self.province.facts[f"{subject.id}.{relation}"]

    def object_of(self, subject: Entity, relation: str) -> Entity:
        """The entity at the other end; KeyError when the relation's object is a literal."""
        return self.province.entities[self.fact(subject, relation).object]

    def value_of(self, subject: Entity, relation: str) -> Value:
        value = self.fact(subject, relation).value
        if value is None:
            raise KeyError(f"{subject.id}.{relation} is not a literal")
        return value

    def draw(self, key: object, cards: Sequence[str]) -> str:
        """The next card of the deck named `key`."""
        return self._decks.setdefault(key, Deck(self.rng, cards)).draw()

    def fill(self, template: str, words: dict[str, str]) -> str:
        """`template` with its slots filled and its first letter capitalised."""
        text = _SLOT.sub(lambda slot: words.get(slot[1]) or self.draw(slot[1], SLOTS[slot[1]]), template)
        return text[0].upper() + text[1:]


class Page:
    """A document being written. Each sentence notes the facts it states."""

    def __init__(self, scene: Scene, genre: str, suffix: str, title: str, date: str, **meta: str) -> None:
        self.scene, self.genre, self.suffix, self.title, self.date = scene, genre, suffix, title, date
        self.meta = meta
        self._blocks: list[Block] = []
        self._used: set[str] = set()
        self._focus = ""  # the person or thing that a pronoun would now refer to

    # --- sentences ---------------------------------------------------------------------------------------

    def tell(self, subject: Entity, *relations: str) -> Sentence:
        """A sentence that states these facts together, in one of several wordings."""
        template = _vary(self.scene.draw(relations, PHRASES[relations]))
        words = self._subject_words(subject)
        for relation in relations:
            words[relation] = self._object_text(subject, relation)
        self._focus = subject.id
        return Sentence(
            self.scene.fill(template, words), tuple(self.scene.fact(subject, name).id for name in relations)
        )

    def say(self, text: str, *entities: Entity) -> Sentence:
        """A sentence without facts; {0}, {1}, ... are the entities it names."""
        words = {str(i): entity.text for i, entity in enumerate(entities)}
        return Sentence(self.scene.fill(text, words))

    def claim(self, text: str, subject: Entity, *relations: str) -> Sentence:
        """A hand-written sentence that states facts: {n} is the subject, {relation} its object."""
        words = {"n": subject.text} | {r: self._object_text(subject, r) for r in relations}
        return Sentence(
            self.scene.fill(text, words), tuple(self.scene.fact(subject, r).id for r in relations)
        )

    def colours(self, pool: str, count: int, person: Entity | None = None) -> list[Sentence]:
        """`count` sentences of colour; about a person where the pool needs a pronoun."""
        words = _pronouns(person) if person else {}
        return [Sentence(self.scene.fill(self._fresh(pool), words)) for _ in range(count)]

    # --- blocks ------------------------------------------------------------------------------------------

    def heading(self, text: str, level: int = 1) -> None:
        self._blocks.append(Block("heading", (Sentence(text),), level=level))
        self._focus = ""

    def paragraph(self, *sentences: Sentence | Iterable[Sentence]) -> None:
        self._blocks.append(Block("paragraph", tuple(_flat(sentences))))
        self._focus = ""

    def bullets(self, *items: Sentence) -> None:
        self._blocks.append(Block("list", items))

    def table(self, header: Sequence[str], rows: Iterable[Row]) -> None:
        self._blocks.append(Block("table", header=tuple(header), rows=tuple(rows)))

    def row(self, subject: Entity, *cells: str) -> Row:
        """A table row about `subject`: "=text" is a literal cell, "" its name, else a relation."""
        texts, facts = [], []
        for cell in cells:
            fact = "" if not cell or cell.startswith("=") else self.scene.fact(subject, cell).id
            facts.append(fact)
            texts.append(cell[1:] if cell.startswith("=") else self._cell(subject, cell))
        return Row(tuple(texts), tuple(facts))

    def finish(self, pool: str = "", words: int = 0, person: Entity | None = None) -> WorldDocument:
        """Closes the document; below `words` words its last real paragraph gets more colour from `pool`."""
        while sum(len(block.text.split()) for block in self._blocks) < words:
            last = max(i for i, block in enumerate(self._blocks) if len(block.sentences) > 1)
            block = self._blocks[last]
            self._blocks[last] = Block(block.kind, (*block.sentences, *self.colours(pool, 1, person)))
        document = WorldDocument(
            f"p{self.scene.province.index}-d{len(self.scene.documents)}",
            *(self.title, self.genre, self.suffix, self.date),
            tuple(self._blocks),
            frozenset(),
            self.meta,
        )
        text = " ".join((document.text, *self.meta.values()))
        named = (entity.id for entity in self.scene.province.entities.values() if entity.name in text)
        document = replace(document, mentions=frozenset(named))
        self.scene.documents.append(document)
        return document

    def _fresh(self, pool: str) -> str:
        """A template this document has not used; a repetition only once the pool is used up."""
        for _ in range(2 * len(COLOUR[pool])):  # a deck comes round within two lengths
            template = self.scene.draw(pool, COLOUR[pool])
            if template not in self._used:
                break
        self._used.add(template)
        return template

    # --- parts -------------------------------------------------------------------------------------------

    def _subject_words(self, subject: Entity) -> dict[str, str]:
        name = subject.text
        words = {"n": name, "s": name, "q": "it", "p": f"{name}'s"}
        if subject.kind == "person":
            pronouns = _pronouns(subject)
            words["q"] = pronouns["q"]
            if self._focus == subject.id:
                words |= {"s": pronouns["q"], "p": pronouns["h"]}
        return words

    def _object_text(self, subject: Entity, relation: str) -> str:
        fact = self.scene.fact(subject, relation)
        return fact.value.text if fact.value else self.scene.province.entities[fact.object].text

    def _cell(self, subject: Entity, relation: str) -> str:
        if not relation:
            return subject.name
        fact = self.scene.fact(subject, relation)
        if fact.value:
            return fact.value.cell
        return self.scene.province.entities[fact.object].name


def _vary(template: str) -> str:
    """Names the subject once: every later {s} of the template becomes the pronoun {q}."""
    first = re.search(r"\{[nsp]\}", template)
    if first is None:
        return template
    return template[: first.end()] + template[first.end() :].replace("{s}", "{q}")


def _flat(parts: Iterable[Sentence | Iterable[Sentence]]) -> Iterable[Sentence]:
    for part in parts:
        if isinstance(part, Sentence):
            yield part
        else:
            yield from part


def _pronouns(person: Entity) -> dict[str, str]:
    return dict(zip("qmh", ("she", "her", "her") if person.female else ("he", "him", "his"), strict=True))
