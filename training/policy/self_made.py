"""Questions made from a person's own documents, with known evidence: no labels, no language model.

After MaskSearch (arXiv 2505.20285, RAMP): hide a fact of a sentence and ask for it. A sentence with a subject and a
name or number in it becomes a question of one document; one whose subject is what another document's sentence ends in
becomes a question of two; a question that asks of one subject what is only said of another has no answer.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from hashlib import sha256
from random import Random

from index.store import Store
from training.policy.trees import Tree

_NAME = r"(?:[A-Z][\w'’.-]+(?: (?:of|the|de|and|for|van|von) [A-Z][\w'’.-]+| [A-Z0-9][\w'’.-]*)*)"
# subject, verb phrase, object: "The Tern Bridge was designed by Ilse Marn"
_FACT = re.compile(
    rf"(?:^|(?<=[.!?] ))(?:The )?(?P<subject>{_NAME}(?: \d+)?) (?P<verb>(?:is|was|were|are|has|had|became|lies|stands|"
    r"won|wrote|designed|founded|led|replaced|introduced|added|defines|describes|requires|specifies|proposes|uses|"
    r"contains)\b[^.;:!?()]{0,60}?) "
    rf"(?P<object>{_NAME}|\d[\d,.]*\d|\d)(?=[ .,;)])"
)
LONGEST = 160  # characters of a question
VAGUE = frozenset(
    """this that these those it he she they we you i a an the there here if when for in on at as its his
her their our and but or so all each any some note however example section""".split()
)  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence's fact with the place it stands in."""

    subject: str
    verb: str
    object: str
    document: str

    @property
    def asks(self) -> str:
        """The question that hides the object."""
        word = "What number" if self.object[0].isdigit() else "What"
        return f"{word} completes this: {self.subject} {self.verb} ...?"


def statements(store: Store) -> list[Statement]:
    """All facts of that form, each once, those of vague subjects left out."""
    found: dict[Statement, None] = {}
    for collection in store.collections():
        for document in store.documents(collection.name):
            if document.status != "ready":
                continue
            text = " ".join(store.document_text(document.id).split())
            for match in _FACT.finditer(text):
                one = Statement(
                    match["subject"].strip(), match["verb"].strip(), match["object"].rstrip(".,"), document.id
                )
                if _usable(one):
                    found.setdefault(one)
    return list(found)


def _usable(one: Statement) -> bool:
    first = one.subject.split()[0].lower()
    return (
        first not in VAGUE
        and len(one.subject) > 3
        and one.object not in one.subject
        and one.subject not in one.object
        and len(one.asks) <= LONGEST
    )


def own_questions(store: Store, count: int, seed: int = 7) -> list[Tree]:
    """Up to `count` questions: half of one document, a quarter of two, a quarter without an answer."""
    rng = Random(f"forage-own/{seed}")
    facts = statements(store)
    rng.shuffle(facts)
    said = Counter((fact.subject, fact.verb) for fact in facts)
    clear = [fact for fact in facts if said[fact.subject, fact.verb] == 1]
    singles = [_tree(fact.asks, (fact.object,), (fact.document,), "own-single") for fact in clear]
    doubles = [_tree(text, (second.object,), (first.document, second.document), "own-two-hop")
               for text, first, second in _joined(clear)]  # fmt: skip
    none = [_tree(text, (), (), "own-unanswerable") for text in _unanswerable(clear, rng)]
    parts = ((singles, count - count // 2), (doubles, count // 4), (none, count // 4))
    made = [tree for trees, wanted in parts for tree in trees[:wanted]]
    rng.shuffle(made)
    return made


def _joined(facts: list[Statement]) -> list[tuple[str, Statement, Statement]]:
    """Two facts of different documents where the first one's object is the second one's subject."""
    by_subject: dict[str, list[Statement]] = defaultdict(list)
    for fact in facts:
        by_subject[fact.subject].append(fact)
    found = []
    for first in facts:
        for second in by_subject.get(first.object, ())[:1]:
            if first.document != second.document and second.object not in (first.subject, first.object):
                text = f"{_word(second)} completes this: what {first.subject} {first.verb} {second.verb} ...?"
                if len(text) <= LONGEST:
                    found.append((text, first, second))
    return found


def _word(fact: Statement) -> str:
    return "What number" if fact.object[0].isdigit() else "What"


def _unanswerable(facts: list[Statement], rng: Random) -> list[str]:
    """What is said of one subject, asked of another one of another document."""
    held = {(fact.subject, fact.verb) for fact in facts}
    found = []
    for fact in facts:
        other = rng.choice(facts)
        if (
            other.document != fact.document
            and (other.subject, fact.verb) not in held
            and len(fact.verb.split()) > 1
        ):
            found.append(Statement(other.subject, fact.verb, fact.object, fact.document).asks)
    return [text for text in found if len(text) <= LONGEST]


def _tree(text: str, golds: tuple[str, ...], evidence: tuple[str, ...], source: str) -> Tree:
    key = sha256(text.encode()).hexdigest()[:12]
    return Tree(
        key, text, source, (), (), golds=golds, evidence=evidence, answerable=bool(golds), origin="self-made"
    )
