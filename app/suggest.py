"""Example questions made from a person's own documents, for the empty chat.

Plain sentences such as "The Tern Bridge was designed by Ilse Marn." are turned round into questions, and
a question is only offered if the agent itself answers it from the document it came from.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.types import Answer
from index.store import Store
from index.types import Document, Passage, Scope

WANTED = 3
DOCUMENTS = 40  # looked at for candidates
TRIES = 12  # questions put to the agent
LONGEST = 110  # characters of a question that still fits a button

_NAME = r"(?:[Tt]he )?[A-Z][\w'’-]+(?:(?: (?:of|the|de|and|for|from|in|on|von|van) | |-)[A-Z0-9][\w'’-]*)*"
_WHEN = re.compile(rf"^({_NAME}) (was|were) (\w+(?:ed|en|ilt|orn|ld|ade|un)) (?:in|on) [^.]*\b\d{{4}}\b")
_BY = re.compile(rf"^({_NAME}) (?:was|were|is) (\w+(?:ed|en|ilt|awn)) by [A-Z]")
_ROLE = re.compile(rf"^({_NAME}) (is|was) the ([a-z][\w -]{{2,40}}?) of ({_NAME})[,. ]")
_IS_A = re.compile(rf"^({_NAME}) (is|was) an? ([a-z][^.,;]{{3,80}})")
_HAS = re.compile(
    rf"^({_NAME}) (?:has|had) an? ([a-z][a-z ]{{2,24}}?) of (?:about |some |nearly |over )?[\d$€£]"
)
# Names of people's work. Endings alone do not tell a writer from a river.
_PERSON = re.compile(
    r"\b(?:man|woman|king|queen|chief|poet|captain|monk|nun|mayor|author|(?:act|direct|invent|sculpt|profess|edit|"
    r"govern|sail|tail|translat)or|(?:writ|paint|teach|found|sing|lawy|offic|lead|play|compos|minist|philosoph|"
    r"explor|photograph|programm|design|build|mak|print|publish|merchant|keep|manag|preach|farm)er|doctor|"
    r"\w{3,}(?:ist|ian|eer|ess))\b"
)
_HEAD = re.compile(r"\b(?:of|on|in|at|from|for|by|with|who|which|that|and|whose)\b")
_ACTIVE = {"written": "wrote", "built": "built", "drawn": "drew", "given": "gave", "chosen": "chose"}
_NOT_NAMES = frozenset(
    """it he she they we you this that these those there here its his her their our in on at by for from
    as if when while after before during since because although however an a all some many most each both
    no not section chapter table figure appendix note part page item""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question and the document that should answer it."""

    question: str
    document_id: str
    kind: str


def turned_round(sentence: str) -> tuple[str, str] | None:
    """(kind, question) for a sentence of a known shape, or None.

    >>> turned_round("The Tern Bridge was designed by Ilse Marn.")
    ('by', 'Who designed the Tern Bridge?')
    """
    sentence = " ".join(sentence.split())
    for shape in (_by, _when, _role, _has, _is_a):
        found = shape(sentence)
        if found is not None and len(found[1]) <= LONGEST:
            return found
    return None


def _by(sentence: str) -> tuple[str, str] | None:
    if not (match := _BY.match(sentence)) or not _named(match[1]):
        return None
    verb = match[2] if match[2].endswith("ed") else _ACTIVE.get(match[2])
    return ("by", f"Who {verb} {_inside(match[1])}?") if verb else None


def _when(sentence: str) -> tuple[str, str] | None:
    if not (match := _WHEN.match(sentence)) or not _named(match[1]):
        return None
    return "when", f"When {match[2]} {_inside(match[1])} {match[3]}?"


def _role(sentence: str) -> tuple[str, str] | None:
    if not (match := _ROLE.match(sentence)) or not _named(match[1]) or not _named(match[4]):
        return None
    asked = _who_or_what(match[3])
    return "role", f"{asked} {match[2]} the {match[3]} of {_inside(match[4])}?"


def _has(sentence: str) -> tuple[str, str] | None:
    if not (match := _HAS.match(sentence)) or not _named(match[1]):
        return None
    return "has", f"What is the {match[2]} of {_inside(match[1])}?"


def _is_a(sentence: str) -> tuple[str, str] | None:
    if not (match := _IS_A.match(sentence)) or not _named(match[1]) or " " not in match[1]:
        return None
    return "is", f"{_who_or_what(match[3])} {match[2]} {_inside(match[1])}?"


def _who_or_what(description: str) -> str:
    """`an engineer of the old school` is a who, `a foundry on the river` a what."""
    return "Who" if _PERSON.search(_HEAD.split(description)[0]) else "What"


def _named(name: str) -> bool:
    """True for a name that still says who or what is meant when it stands alone."""
    words = name.removeprefix("The ").removeprefix("the ").split()
    strange = any(word[0].isupper() and word.lower() in _NOT_NAMES for word in words)
    return bool(words) and not strange and (len(words) > 1 or len(words[0]) > 3)


def _inside(name: str) -> str:
    """A name in the middle of a sentence."""
    return "the " + name[4:] if name.startswith("The ") else name


def candidates(store: Store, scope: Scope, seed: int = 0) -> Iterator[Candidate]:
    """Questions from documents in scope, no document twice in a row, the plainest shapes first."""
    documents = [document for document in in_scope(store, scope) if document.status == "ready"]
    chosen = random.Random(seed).sample(documents, min(DOCUMENTS, len(documents)))
    lists = [_of_document(document, store.passages_of(document.id)) for document in chosen]
    ranked = [
        (found[rank].kind == "heading", rank, at)
        for at, found in enumerate(lists)
        for rank in range(len(found))
    ]
    yield from (lists[at][rank] for _, rank, at in sorted(ranked))


def _of_document(document: Document, passages: tuple[Passage, ...]) -> list[Candidate]:
    found: dict[str, Candidate] = {}
    for passage in passages[:30]:
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", passage.text):
            turned = turned_round(sentence)
            if turned:
                found.setdefault(turned[0], Candidate(turned[1], document.id, turned[0]))
    headings = [p.heading.split(" > ")[-1].strip() for p in passages if p.heading]
    topic = next(
        (h for h in headings if 2 <= len(h.split()) <= 7 and h.lower() != document.title.lower()), ""
    )
    if topic and len(document.title) < 60:
        question = f"What does “{document.title}” say about “{topic}”?"
        found.setdefault("heading", Candidate(question, document.id, "heading"))
    return list(found.values())


def in_scope(store: Store, scope: Scope) -> list[Document]:
    """Documents a scope allows; collections that were deleted meanwhile are left out."""
    known = [collection.name for collection in store.collections()]
    wanted = [name for name in known if not scope.collections or name in scope.collections]
    found = [document for name in wanted for document in store.documents(name)]
    return [document for document in found if not scope.documents or document.id in scope.documents]


def suggest(
    store: Store, ask: Callable[[str, Scope], Answer], scope: Scope, cancelled: Callable[[], bool]
) -> list[str]:
    """Up to three questions the agent answers from the document they were made of, of different shapes."""
    good: list[Candidate] = []
    for tried, candidate in enumerate(candidates(store, scope)):
        if len(good) == WANTED or tried == TRIES or cancelled():
            break
        late = tried > TRIES // 2  # better the same shape twice than too few
        if any(
            c.document_id == candidate.document_id or (c.kind == candidate.kind and not late) for c in good
        ):
            continue
        answer = ask(candidate.question, scope)
        if answer.kind == "answer" and any(c.document_id == candidate.document_id for c in answer.citations):
            good.append(candidate)
    return [candidate.question for candidate in good]
