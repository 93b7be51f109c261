"""Questions with exact gold, derived from the fact graph and from what the documents say.

A chain of facts becomes a multi-hop question only when no single document joins its two ends, so that it
really needs one document per hop.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import TypeVar

from training.world.names import NameMaker
from training.world.records import Entity, Evidence, Fact, Question, QuestionType, Variant, WorldDocument
from training.world.schema import COMPARISONS, INVENTED, RELATIONS, SAME

T = TypeVar("T")
Chain = tuple[Fact, ...]
_CHAINS: Mapping[int, QuestionType] = {1: "single", 2: "two_hop", 3: "three_hop"}


class QuestionMaker:
    """Knows which documents say what, and makes questions whose gold follows from that."""

    def __init__(
        self,
        entities: Mapping[str, Entity],
        facts: Mapping[str, Fact],
        evidence: Mapping[str, tuple[Evidence, ...]],
        documents: Sequence[WorldDocument],
        variants: Sequence[Variant],
    ) -> None:
        self._entities, self._facts, self._evidence = entities, facts, evidence
        self._variants = {variant.fact: variant for variant in variants}
        self._mentioned: dict[str, set[str]] = {}
        for document in documents:
            for entity in document.mentions:
                self._mentioned.setdefault(entity, set()).add(document.id)
        self._stated: dict[str, list[Fact]] = {}  # subject -> its stated facts
        for fact in facts.values():
            if fact.id in evidence:
                self._stated.setdefault(fact.subject, []).append(fact)

    def make(self, n: int, rng: Random, names: NameMaker) -> tuple[Question, ...]:
        """Up to `n` questions of each type, spread evenly over relations; ids are "single-0", ..."""
        made: list[Question] = []
        for length in _CHAINS:
            chains = _spread(self._chains(length), lambda chain: tuple(f.relation for f in chain), n, rng)
            made += [self._ask(chain, rng) for chain in chains]
        made += _spread(self._comparisons(), lambda question: question.relations, n, rng)
        withheld = _spread(self._withheld(), lambda chain: tuple(f.relation for f in chain), n - n // 4, rng)
        made += [self._unanswerable(chain, rng) for chain in withheld]
        made += [self._invented(rng, names) for _ in range(n // 4)]
        counts: dict[str, int] = {}
        numbered = []
        for question in made:
            counts[question.type] = counts.get(question.type, 0) + 1
            numbered.append(replace(question, id=f"{question.type}-{counts[question.type] - 1}"))
        return tuple(numbered)

    # --- chains ------------------------------------------------------------------------------------------

    def _chains(self, length: int) -> Iterator[Chain]:
        for facts in self._stated.values():
            for fact in facts:
                if RELATIONS[fact.relation].asks or length > 1:
                    yield from (chain for chain in self._grow((fact,), length) if self._is_honest(chain))

    def _grow(self, chain: Chain, length: int) -> Iterator[Chain]:
        """All ways to go on from the last object to `length` hops, never back to where it came from."""
        if len(chain) == length:
            yield chain
            return
        last = chain[-1]
        if not RELATIONS[last.relation].refers or not last.object or last.id in self._variants:
            return
        seen = {fact.subject for fact in chain} | {last.object}
        for fact in self._stated.get(last.object, ()):
            if fact.object not in seen and fact.id not in self._variants:
                yield from self._grow((*chain, fact), length)

    def _is_honest(self, chain: Chain) -> bool:
        """True when no document alone leads from the named subject to the answer."""
        return all(
            not self._mentioned[chain[i].subject] & self._documents_with(chain[j])
            for i in range(len(chain))
            for j in range(i + 1, len(chain))
        )

    def _documents_with(self, fact: Fact) -> set[str]:
        """Documents in which the fact's object could be found."""
        stating = {place.document for place in self._evidence.get(fact.id, ())}
        return stating | self._mentioned.get(fact.object, set())

    def _ask(self, chain: Chain, rng: Random) -> Question:
        last, variant = chain[-1], self._variants.get(chain[-1].id)
        answers = self._answers(last)
        if variant and variant.kind == "contradicted" and variant.value.aliases:
            answers = (*answers, *(alias for alias in variant.value.aliases if alias not in answers))
        return Question(
            *("", self._text(chain, rng), _CHAINS[len(chain)], answers),
            tuple(self._evidence[fact.id][0] for fact in chain),
            tuple(fact.id for fact in chain),
            tuple(fact.relation for fact in chain),
            (variant,) if variant else (),
        )

    def _text(self, chain: Iterable[Fact], rng: Random) -> str:
        facts = tuple(chain)
        name = self._entities[facts[0].subject].text
        for fact in facts[:-1]:
            name = RELATIONS[fact.relation].refers.format(s=name)
        return rng.choice(RELATIONS[facts[-1].relation].asks).format(s=name)

    def _answers(self, fact: Fact) -> tuple[str, ...]:
        if fact.value:
            return fact.value.aliases
        entity = self._entities[fact.object]
        return tuple(dict.fromkeys((entity.name, *entity.aliases, entity.text)))

    # --- comparisons -------------------------------------------------------------------------------------

    def _comparisons(self) -> Iterator[Question]:
        for relation, (text, larger) in COMPARISONS.items():
            for left, right in self._pairs(relation):
                if left.value and right.value and left.value.order != right.value.order:
                    first = (left.value.order > right.value.order) == larger
                    winner = self._entities[(left if first else right).subject]
                    answers = tuple(dict.fromkeys((winner.name, *winner.aliases, winner.text)))
                    yield self._compare(text, left, right, answers)
        for relation, text in SAME.items():
            for left, right in self._pairs(relation):
                yield self._compare(text, left, right, ("yes" if left.object == right.object else "no",))

    def _pairs(self, relation: str) -> Iterator[tuple[Fact, Fact]]:
        """Neighbours in the order of creation whose facts stand in different documents."""
        facts = [
            fact
            for facts in self._stated.values()
            for fact in facts
            if fact.relation == relation and fact.id not in self._variants
        ]
        for gap in (1, 2):
            for left, right in zip(facts, facts[gap:], strict=False):
                if self._evidence[left.id][0].document != self._evidence[right.id][0].document:
                    yield left, right

    def _compare(self, text: str, left: Fact, right: Fact, answers: tuple[str, ...]) -> Question:
        names = (self._entities[left.subject].text, self._entities[right.subject].text)
        return Question(
            *("", text.format(*names), "comparison", answers),
            (self._evidence[left.id][0], self._evidence[right.id][0]),
            (left.id, right.id),
            (left.relation,),
        )

    # --- unanswerable ------------------------------------------------------------------------------------

    def _withheld(self) -> Iterator[Chain]:
        """True but unsaid facts about something the documents do name, and two-hop chains that end in one."""
        unsaid: dict[str, list[Fact]] = {}
        for fact in self._facts.values():
            if fact.id not in self._evidence and fact.subject in self._mentioned:
                unsaid.setdefault(fact.subject, []).append(fact)
                if not self._mentioned[fact.subject] & self._mentioned.get(fact.object, set()):
                    yield (fact,)
        for facts in self._stated.values():
            for fact in facts:
                if RELATIONS[fact.relation].refers and fact.object in unsaid:
                    yield from ((fact, last) for last in unsaid[fact.object] if not last.object)

    def _unanswerable(self, chain: Chain, rng: Random) -> Question:
        facts, relations = tuple(fact.id for fact in chain), tuple(fact.relation for fact in chain)
        return Question("", self._text(chain, rng), "unanswerable", (), (), facts, relations)

    def _invented(self, rng: Random, names: NameMaker) -> Question:
        """About something that does not exist, named in the manner of the things that do."""
        kind, style, pattern = rng.choice(INVENTED)
        relation = rng.choice([r for r in RELATIONS.values() if kind in r.subjects])
        text = rng.choice(relation.asks).format(s=pattern.format(names.coin(style)))
        return Question("", text, "unanswerable", (), (), (), (relation.name,))


def _spread(items: Iterable[T], key: Callable[[T], Hashable], n: int, rng: Random) -> list[T]:
    """`n` items drawn in turn from the groups that `key` makes, so that no relation dominates."""
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    order = list(groups.values())
    for group in order:
        rng.shuffle(group)
    rng.shuffle(order)
    drawn: list[T] = []
    while order and len(drawn) < n:
        drawn += [group.pop() for group in order]
        order = [group for group in order if group]
    return drawn[:n]
