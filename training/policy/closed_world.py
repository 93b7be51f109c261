"""The closed world as decision trees: every truth about a question is exact, so boundary learning can be proven.

A fictional world's documents can be searched at three depths; a tiny language model was taught a part of the world. For
each question it is known whether that model knows the answer, how many documents it takes, and whether any document
holds it. Perception is exact too (a sentence is read by its annotation): what is learned here is to decide.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from training.metrics import exact_match, normalize
from training.policy.question_forms import Forms, asked_about
from training.policy.taught_lm import Recall
from training.policy.trees import Ending, Move, Situation, Tree
from training.world.closed_world import World
from training.world.records import Question
from training.world.schema import RELATIONS

ACTIONS = ("memory", "answer", "hybrid", "graph", "deep", "refine", "next_goal", "abstain")
DEPTHS = {"hybrid": 1, "graph": 4, "deep": 24}  # sentences that a search returns
UNITS = {"memory": 0.02, "hybrid": 0.4, "graph": 0.7, "deep": 1.0}
TOKENS_A_SENTENCE = 24
MAX_SEARCHES = 5
KINDS = ("single", "two_hop", "three_hop", "unanswerable")
FEATURES = (
    "certainty", "certainty_first", "certainty_weakest", "lead", "agreement", "forms_agree", "forms_say", "forms_least",
    "certainty_nines", "weakest_nines", "forms_nines", "least_nines", "shaken", "shaken_nines", "known",
    "known_odds",
    "strange_words",
    "recall_words", "hops", "hops_left", "searches", "here",
    "tried_hybrid", "tried_graph", "tried_deep", "found", "last_hop", "top_score", "second_score", "score_margin",
    "covered", "name_in_world",
)  # fmt: skip
# What a language model goes without: what the conversation itself tells from turn to turn, and all measures of how sure
# the taught model is but the chance of knowing that follows from them. With each measure told as a level, it learns
# its questions by heart (docs/LOG.md).
UNTOLD = (
    "searches", "here", "tried_hybrid", "tried_graph", "tried_deep", "second_score", "score_margin", "covered",
    "certainty", "certainty_first", "certainty_weakest", "lead", "agreement", "forms_agree", "forms_say", "forms_least",
    "certainty_nines", "weakest_nines", "forms_nines", "least_nines", "shaken", "shaken_nines", "known_odds",
    "strange_words", "recall_words",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """What one search of a hop shows: the sentences' numbers, their scores, and what was read."""

    rows: tuple[int, ...]
    scores: tuple[float, ...]
    read: str | None  # id of the fact that was looked for, if one of the sentences states it


class Library:
    """Every sentence of a world with what it states, searchable by words."""

    def __init__(self, world: World) -> None:
        rows = [(s.text, document.title, s.facts) for document in world.documents()
                for block in document.blocks for s in block.sentences]  # fmt: skip
        rows += [(quote, document.title, (fact,)) for document in world.documents() for fact, quote in document.claims()
                 if not quote.endswith(".")]  # fmt: skip
        self.world = world
        self.texts = tuple(f"{title}. {text}" for text, title, _ in rows)
        self.states = tuple(frozenset(facts) for _, _, facts in rows)
        self._vectorizer = TfidfVectorizer(ngram_range=(1, 1), sublinear_tf=True, token_pattern=r"(?u)\w+")
        self._matrix = self._vectorizer.fit_transform(self.texts)

    def search(self, query: str, count: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """The best sentences with their cosines, best first; ties in the order of the documents."""
        scores = np.asarray((self._matrix @ self._vectorizer.transform([query]).T).todense()).ravel()
        best = np.argsort(-scores, kind="stable")[:count]
        return tuple(int(i) for i in best), tuple(float(scores[i]) for i in best)

    def knows_word(self, text: str) -> float:
        """Share of a name's words that the documents hold."""
        words = set(re.findall(r"\w+", text.lower()))
        return sum(word in self._vectorizer.vocabulary_ for word in words) / max(1, len(words))


class Explorer:
    """Explores all decisions of a question in a world; searches are made once for each (hop, depth)."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._memo: dict[tuple[str, str, str], Seen] = {}

    def tree(self, question: Question, recall: Recall, forms: Forms, known: float) -> Tree:
        """The question's whole tree of decisions. `knows` is whether the model's own answer is right; `forms` how it
        answers the question's other forms; `known` the calibrated chance that it knows."""
        walk = _Walk(self, question, recall, forms, known)
        walk.grow((), hop=0, tried=())
        facts = question.facts if question.answerable else ()
        return Tree(
            question.id, question.text, f"world-{question.type}", tuple(walk.situations),
            tuple(walk.endings), walk.moves,
            golds=question.answers, evidence=facts, answerable=question.answerable,
            knows=knows(question, recall),
        )  # fmt: skip

    def look(self, subject: str, relation: str, level: str) -> Seen:
        """Search for what a relation says of an entity."""
        key = (subject, relation, level)
        if key not in self._memo:
            entity = self.library.world.entities.get(subject)
            name = entity.text if entity else subject
            words = " ".join(asks.format(s="") for asks in RELATIONS[relation].asks[:1])
            rows, scores = self.library.search(f"{name} {name} {words}", DEPTHS[level])
            wanted = f"{subject}.{relation}"
            read = next((wanted for row in rows if wanted in self.library.states[row]), None)
            self._memo[key] = Seen(rows, scores, read)
        return self._memo[key]


@dataclass
class _Walk:
    explorer: Explorer
    question: Question
    recall: Recall
    forms: Forms
    known: float

    def __post_init__(self) -> None:
        self.situations: list[Situation] = []
        self.endings: list[Ending] = []
        self.moves: dict[str, Move] = {}

    @cached_property
    def chain(self) -> tuple[tuple[str, str], ...]:
        """(subject, relation) of each hop. An invented thing is its own name, as the question words it."""
        if not self.question.facts:
            return ((asked_about(self.question)[0], self.question.relations[0]),)
        facts = [self.explorer.library.world.facts[fact] for fact in self.question.facts]
        return tuple((fact.subject, fact.relation) for fact in facts)

    def grow(
        self, path: tuple[str, ...], hop: int, tried: tuple[str, ...], read: tuple[str, ...] = ()
    ) -> None:
        searches = sum(action in DEPTHS for action in path)
        seen = self.explorer.look(*self.chain[hop], tried[-1]) if tried else None
        found = bool(seen and seen.read)
        legal = self._legal(path, hop, tried, found, searches, read)
        self.situations.append(Situation(path, self._features(path, hop, tried, seen, searches), legal))
        held = read if not found or seen is None or seen.read in read else (*read, str(seen.read))
        for action in legal:
            self._take(action, (*path, action), hop, tried, held)

    def _take(
        self, action: str, path: tuple[str, ...], hop: int, tried: tuple[str, ...], held: tuple[str, ...]
    ) -> None:
        key = "/".join(path)
        if action in DEPTHS:
            seen = self.explorer.look(*self.chain[hop], action)
            self.moves[key] = Move(action, " ".join(self.chain[hop]), tuple(self._ids(seen)),
                                   TOKENS_A_SENTENCE * len(seen.rows), 0.0, seen.read is not None, True)  # fmt: skip
            self.grow(path, hop, (*tried, action), held)
        elif action == "next_goal":
            self.moves[key] = Move(action)
            self.grow(path, hop + 1, (), held)
        else:
            self.moves[key] = Move(action)
            self.endings.append(self._end(action, path, held))

    def _ids(self, seen: Seen) -> list[str]:
        """A sentence goes by the fact that was looked for where it states it, else by the first it states."""
        stated = [
            sorted(self.explorer.library.states[row], key=lambda f: (f != seen.read, f)) for row in seen.rows
        ]
        return [ids[0] if ids else f"sentence-{row}" for ids, row in zip(stated, seen.rows, strict=True)]

    def _legal(self, path: tuple[str, ...], hop: int, tried: tuple[str, ...], found: bool, searches: int,
               held: tuple[str, ...]) -> tuple[str, ...]:  # fmt: skip
        legal = {"abstain"}
        if not path:
            legal.add("memory")
        if searches < MAX_SEARCHES and not found:
            deepest = max((list(DEPTHS).index(level) for level in tried), default=-1)
            legal |= set(list(DEPTHS)[deepest + 1 :])
        if found and hop + 1 < len(self.chain) and searches < MAX_SEARCHES:
            legal.add("next_goal")
        if found or held:
            legal.add("answer")
        return tuple(action for action in ACTIONS if action in legal)

    def _end(self, action: str, path: tuple[str, ...], held: tuple[str, ...]) -> Ending:
        if action == "abstain":
            return Ending(path, abstained=True)
        if action == "memory":
            return Ending(path, self.recall.answer, confidence=self.recall.certainty)
        fact = self.explorer.library.world.facts[held[-1]]
        value = (
            fact.value.aliases[0] if fact.value else self.explorer.library.world.entities[fact.object].name
        )
        return Ending(path, value, confidence=1.0, cited=held, supported=(True,) * len(held))

    def _features(
        self, path: tuple[str, ...], hop: int, tried: tuple[str, ...], seen: Seen | None, searches: int
    ) -> tuple[float, ...]:
        top, second = ((*seen.scores, 0.0, 0.0)[:2]) if seen else (0.0, 0.0)
        name = self.chain[0][0]
        entity = self.explorer.library.world.entities.get(name)
        hops, found = len(self.chain), bool(seen and seen.read)
        values: dict[str, Any] = {
            "certainty": self.recall.certainty, "certainty_first": self.recall.first,
            "certainty_weakest": self.recall.weakest, "agreement": self.recall.agreement,
            "lead": self.recall.lead,
            "forms_agree": self.forms.agree, "forms_say": self.forms.say, "forms_least": self.forms.least,
            "certainty_nines": nines(self.recall.certainty), "weakest_nines": nines(self.recall.weakest),
            "forms_nines": nines(self.forms.say), "least_nines": nines(self.forms.least),
            "shaken": self.forms.shaken, "shaken_nines": nines(self.forms.shaken),
            "known": self.known, "known_odds": math.log(self.known / (1 - self.known)) / 5,
            "strange_words": self.recall.strange, "recall_words": len(self.recall.answer.split()) / 8,
            "hops": hops / 3, "hops_left": (hops - hop - 1) / 3, "searches": searches / MAX_SEARCHES,
            "here": len(tried) / 3, "tried_hybrid": "hybrid" in tried, "tried_graph": "graph" in tried,
            "tried_deep": "deep" in tried, "found": found, "last_hop": hop + 1 == hops, "top_score": top,
            "second_score": second, "score_margin": top - second, "covered": found and hop + 1 == hops,
            "name_in_world": self.explorer.library.knows_word(entity.name if entity else name),
        }  # fmt: skip
        return tuple(float(values[name]) for name in FEATURES)


def nines(chance: float) -> float:
    """How many nines a probability has, over 5: what was learned by heart and what only seems so differ there.

    >>> [round(nines(p), 2) for p in (0.5, 0.9, 0.99, 0.999, 1.0)]
    [0.06, 0.2, 0.4, 0.6, 1.0]
    """
    return -math.log10(1 - min(chance, 1.0) + 1e-5) / 5


def right_recall(answer: str, question: Question) -> bool:
    """Whether an answer from memory is right; the model writes words apart, so signs do not count."""
    said = normalize(answer).replace(" ", "")
    return bool(said) and any(
        exact_match(answer, [gold]) or said == normalize(gold).replace(" ", "") for gold in question.answers
    )


def knows(question: Question, recall: Recall) -> bool:
    """Whether the taught model's answer from memory is right."""
    return bool(question.answerable and right_recall(recall.answer, question))
