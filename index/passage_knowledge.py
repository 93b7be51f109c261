"""What a few passages say: their entities, triplets and aliases, read for a picture of one answer.

From the store where the passage's document was extracted with the recipe of today; else extracted on the spot
and not stored, so that a picture of a few passages never waits for a whole older collection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.extract import VERSION, Extractor, RuleExtractor
from index.knowledge import triplets_of
from index.names import bare_title, name_key
from index.normalise import squeeze
from index.store import Store
from index.types import Draft, Passage


@dataclass(frozen=True, slots=True)
class Named:
    """A passage names an entity at [start, end) of its document's text (empty for a title or heading)."""

    passage_id: int
    key: str
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stated:
    """A triplet with the passage it stands in; subject and object are entity keys."""

    passage_id: int
    subject: str
    relation: str
    object: str


@dataclass(frozen=True, slots=True)
class PassageKnowledge:
    """What some passages say together. `aliases`: (alias key, entity key)."""

    named: tuple[Named, ...]
    stated: tuple[Stated, ...]
    aliases: tuple[tuple[str, str], ...]


def knowledge_of(store: Store, passages: Sequence[Passage]) -> PassageKnowledge:
    """Entities, triplets and aliases of some passages; triplets whose ends nobody names are left out."""
    current = _extracted(store, passages)
    ids = [passage.id for passage in passages if passage.document_id in current]
    marks = ",".join("?" * len(ids))
    named = [
        Named(*row)
        for row in store.connection.execute(
            f'SELECT passage_id, entity, kind, start, "end" FROM mentions WHERE passage_id IN ({marks})', ids
        )
    ]
    stated = [Stated(key, *triplet[:3]) for key, _, *triplet in triplets_of(store.connection, ids)]
    aliases: list[tuple[str, str]] = store.connection.execute(
        f"SELECT DISTINCT alias, entity FROM aliases WHERE passage_id IN ({marks})", ids
    ).fetchall()
    for document_id in dict.fromkeys(p.document_id for p in passages if p.document_id not in current):
        wanted = {passage.id: passage for passage in passages if passage.document_id == document_id}
        more = _extract(store, document_id, wanted)
        named, stated, aliases = [*named, *more.named], [*stated, *more.stated], [*aliases, *more.aliases]
    keys = {one.key for one in named}
    return PassageKnowledge(
        tuple(named),
        tuple(one for one in stated if one.subject in keys and one.object in keys),
        tuple(aliases),
    )


def spellings(named: Sequence[Named], passages: Mapping[int, Passage]) -> dict[str, str]:
    """How the passages spell each entity, most often; its key where no mention shows it."""
    spelled: dict[str, Counter[str]] = {one.key: Counter() for one in named}
    for one in named:
        passage = passages[one.passage_id]
        written = passage.text[max(one.start - passage.start, 0) : max(one.end - passage.start, 0)]
        for text in (written, passage.title, bare_title(passage.title), *passage.heading.split(" > ")):
            if text and name_key(text) == one.key:
                spelled[one.key][squeeze(text)] += 1
                break
    return {
        key: min(seen, key=lambda text: (-seen[text], text)) if seen else key for key, seen in spelled.items()
    }


def _extracted(store: Store, passages: Sequence[Passage]) -> set[str]:
    """Documents of these passages whose extraction is up to date."""
    ids = list(dict.fromkeys(passage.document_id for passage in passages))
    rows = store.connection.execute(
        f"SELECT id FROM documents WHERE extracted = ? AND id IN ({','.join('?' * len(ids))})",
        (VERSION, *ids),
    )
    return {row[0] for row in rows}


def _extract(
    store: Store, document_id: str, wanted: Mapping[int, Passage], extractor: Extractor | None = None
) -> PassageKnowledge:
    """The same from the document's stored text; the whole document, for names are resolved along it."""
    whole = store.passages_of(document_id)
    drafts = [Draft(p.start, p.end, p.text, p.heading) for p in whole]
    title = whole[0].title if whole else ""
    made = (extractor or RuleExtractor()).extract(title, store.document_text(document_id), drafts)
    named: list[Named] = []
    stated: list[Stated] = []
    aliases: list[tuple[str, str]] = []
    for passage, known in zip(whole, made, strict=True):
        if passage.id in wanted:
            named += [Named(passage.id, m.key, m.kind, m.start, m.end) for _, m in known.mentions]
            stated += [Stated(passage.id, t.subject, t.relation, t.object) for t in known.triplets]
            aliases += known.aliases
    return PassageKnowledge(tuple(named), tuple(stated), tuple(aliases))
