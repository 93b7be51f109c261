"""Records of a fictional world: entities, facts, documents, questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

ValueKind = Literal["date", "year", "number", "money", "time", "word"]
VariantKind = Literal["contradicted", "superseded"]
BlockKind = Literal["heading", "paragraph", "list", "table"]
QuestionType = Literal["single", "two_hop", "three_hop", "comparison", "unanswerable", "small_talk"]
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Value:
    """A literal: how it reads in prose and in a table cell, what a grader accepts, how it compares."""

    kind: ValueKind
    text: str  # in a sentence: "14 March 1871", "218 metres"
    cell: str  # in a table: "1871-03-14", "218"
    aliases: tuple[str, ...]  # first the best short answer
    order: float  # larger is later, longer, dearer


@dataclass(frozen=True, slots=True)
class Entity:
    """Something with a name. `text` is the name as it stands inside a sentence ("the River Orse")."""

    id: str
    kind: str
    name: str
    text: str
    aliases: tuple[str, ...] = ()
    role: str = ""  # people: the occupation
    female: bool = False  # people: which pronoun


@dataclass(frozen=True, slots=True)
class Fact:
    """One edge of the world: subject, relation, and either another entity or a literal."""

    id: str
    subject: str
    relation: str
    object: str = ""  # entity id
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a document and the facts that can be read from it."""

    text: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A table row; `facts[i]` is the fact in cell i, or empty."""

    cells: tuple[str, ...]
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document in reading order. Tables keep their header in `header`."""

    kind: BlockKind
    sentences: tuple[Sentence, ...] = ()
    level: int = 0
    header: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()

    @property
    def text(self) -> str:
        """Prose in one line; list items and rows one per line."""
        if self.kind == "table":
            return "\n".join(" | ".join(cells) for cells in (self.header, *(row.cells for row in self.rows)))
        return ("\n" if self.kind == "list" else " ").join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True, slots=True)
class WorldDocument:
    """A structured document. `mentions` are the ids of all entities that its text names."""

    id: str
    title: str
    genre: str
    suffix: str  # the file format that suits it: ".md", ".docx", ...
    date: str  # ISO date of writing
    blocks: tuple[Block, ...]
    mentions: frozenset[str]
    meta: dict[str, str] = field(default_factory=dict)  # e-mail headers, author, version

    @property
    def text(self) -> str:
        """Title and all blocks as plain text."""
        return "\n\n".join((self.title, *(block.text for block in self.blocks)))

    def claims(self) -> Iterator[tuple[str, str]]:
        """Pairs (fact id, quote) in reading order: a sentence, or a row as "Town: Orm; Mayor: Ane"."""
        for block in self.blocks:
            for sentence in block.sentences:
                yield from ((fact, sentence.text) for fact in sentence.facts)
            for row in block.rows:
                yield from ((fact, self._read_out(block, row)) for fact in row.facts if fact)

    def _read_out(self, block: Block, row: Row) -> str:
        """A row with its column names; on a PDF page the cells alone, as they stand there."""
        if self.suffix == ".pdf":
            return " ".join(row.cells)
        return "; ".join(f"{name}: {cell}" for name, cell in zip(block.header, row.cells, strict=True))


@dataclass(frozen=True, slots=True)
class Variant:
    """A document that states another value than the world: an honest mistake or an older version."""

    fact: str
    kind: VariantKind
    document: str
    quote: str
    value: Value


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a fact can be read."""

    fact: str
    document: str
    quote: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question with exact gold. `answers[0]` is the best one; unanswerable ones have none."""

    id: str
    text: str
    type: QuestionType
    answers: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    facts: tuple[str, ...]  # in hop order
    relations: tuple[str, ...]  # in hop order
    variants: tuple[Variant, ...] = ()

    @property
    def answerable(self) -> bool:
        return self.type not in ("unanswerable", "small_talk")

    @property
    def hops(self) -> int:
        return {"single": 1, "two_hop": 2, "three_hop": 3, "comparison": 2}.get(self.type, 0)
