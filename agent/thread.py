"""One line of search: its question, what was read for it, and what that adds up to.

A thread searches with its question first and then, while words of the question stay uncovered, with those words
and the names that the best evidence brought in: that is how it walks from one document to the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from agent.chain import Chain, best_chains, link_names
from agent.columns import Lead, cell_answer
from agent.concepts import other_words
from agent.fields import field_answer
from agent.joint import joint_chains
from agent.judge import FEATURES, Judged, features, judged
from agent.matching import stems
from agent.proposals import ranked_chains
from agent.question import Question, names_in
from agent.reader import Evidence
from agent.reader_model import ReaderModel
from agent.rereading import reread
from agent.sides import worked_out
from agent.types import Goal
from index.types import Hit, Passage

STOP_AT = 0.60  # probability of a right answer at which searching further does not pay
SETTLED_AT = 0.80  # the same for a comparison, whose parts are worked out by code and surer than a reading
ANSWER_AT = 0.25  # below it the honest reply is "not in your documents"; docs/LOG.md tells how it was chosen
ABSENT = 0.05  # probability at most when the collection never mentions something that the question names
MISSING_BELOW = 0.5  # degree under which a question word counts as not covered


def _no_lead(passage: Passage, characters: int) -> str:
    return ""


@dataclass(slots=True)
class Thread:
    """One line of search with its evidence."""

    question: Question
    weights: np.ndarray
    model: ReaderModel | None = None  # the trained reader; without one, spans come from rules
    absent: tuple[str, ...] = ()  # names of the question that no passage of the scope holds a word of
    pool: list[Evidence] = field(default_factory=list)
    useful: dict[int, float] = field(default_factory=dict)  # passage id -> best usefulness of any search
    judged: list[Judged] = field(default_factory=list)  # best first
    asked: list[str] = field(default_factory=list)
    lead: Lead = _no_lead
    single: bool = False  # its answer stands in one sentence: chains of several are not read

    @property
    def best(self) -> Chain | None:
        """The chain most probably right so far."""
        return self.judged[0].chain if self.judged else None

    @property
    def probability(self) -> float:
        """Probability that its answer is right."""
        said = self.judged[0].probability if self.judged else 0.0
        return min(said, ABSENT) if self.absent else said

    @property
    def seen(self) -> dict[str, float]:
        """What the judge saw of it."""
        return dict(self.judged[0].features) if self.judged else {}

    def missing(self) -> tuple[str, ...]:
        """Question words that the best evidence does not cover."""
        if self.absent:
            return self.absent
        if self.best is None:
            return self.question.terms
        pairs = zip(self.question.terms, self.best.covered, strict=True)
        return tuple(term for term, degree in pairs if degree < MISSING_BELOW)

    def next_goal(self) -> Goal | None:
        """What to look for now; None when enough is known or nothing new can be asked."""
        if not self.asked:
            return self.first_goal()
        if self.probability >= STOP_AT or self.best is None or self.absent:
            return None
        options = self.follow_ups()
        return options.get("bridge") or options.get("again")

    def first_goal(self) -> Goal:
        """The thread's first goal: its question as it stands."""
        return self.goal(f"Find: {self.question.text}", self.question.text)

    def follow_ups(self, eager: bool = False) -> dict[str, Goal]:
        """What could be asked now that was not: "bridge" walks on from names the evidence brought in, "again"
        asks for the missing words and others that mean the same. Empty where nothing was found or nothing is missing;
        `eager`: where nothing is missing, the words of the relation are asked for again."""
        if self.best is None or self.absent:
            return {}
        missing = " ".join(self.missing() or (self._relation() if eager else ()))
        bridges = self._bridges()
        head = self.question.head if self.question.head not in self.missing() else ""
        wanted = " ".join(filter(None, (missing, head)))
        also = " ".join([wanted, *(other for word in wanted.split() for other in other_words(word))])
        asked = {_key(q) for q in self.asked}
        found: dict[str, Goal] = {}
        for kind, query, text in (
            (
                "bridge",
                f"{' '.join(bridges)} {wanted}",
                f"Find {wanted or 'more'} of {', '.join(bridges)}",
            ),
            ("again", f"{also} {' '.join(self.question.names)}", f"Find again: {wanted}"),
        ):
            usable = missing and (bridges or query.endswith(tuple(self.question.names) or " "))
            if usable and _key(query) not in asked:
                found[kind] = self.goal(text, query)
        return found

    def take(self, goal: Goal, evidence: Sequence[Evidence], hits: Sequence[Hit]) -> int:
        """Add what a search brought and judge anew; how many sentences were new."""
        self.asked.append(goal.query)
        for hit in hits:
            key = hit.passage.id
            self.useful[key] = max(self.useful.get(key, 0.0), hit.score)
        held = {e.key: e for e in self.pool}
        new = [e for e in evidence if e.key not in held]
        better = {e.key: e for e in evidence if e.key in held and e.cosine > held[e.key].cosine}
        self.pool = [better.get(e.key, e) for e in self.pool] + new
        chains = [
            *ranked_chains(self.question, self.weights, self.pool, self.useful),
            *best_chains(self.question, self.weights, self.pool),
        ]
        chains = [chain for chain in chains if len(chain.links) == 1] if self.single else chains
        apart = field_answer(self.question, self.weights, self.pool, self.useful) or cell_answer(
            self.question, self.weights, self.pool, self.useful, self.lead
        )
        if self.model is not None:
            apart = apart or worked_out(self.model, self.question, self.weights, self.pool, self.useful)
            together = joint_chains(self.model, self.question, self.weights, self.pool, self.useful)
            chains = [*together, *reread(self.model, self.question, chains)]
        self.judged = judged(self.question, self.weights, chains, self.useful, apart)
        return len(new)

    def weigh_in(self, chain: Chain, probability: float) -> None:
        """Add a chain worked out step by step: first where it is no less probable than what was read at once."""
        answer = chain.answers[0].text
        said = {stems(one.answer): one.probability for one in reversed(self.judged)}.get(stems(answer), 0.0)
        others = [one.chain for one in self.judged]
        answers = [answer, *(one.answer for one in self.judged)]
        row = features(self.question, self.weights, [chain, *others], answers, self.useful)[0]
        seen = dict(zip(FEATURES, row.round(4).tolist(), strict=True))
        ours = Judged(chain, answer, max(probability, said), seen)
        self.judged = sorted([ours, *self.judged], key=lambda one: -one.probability)

    def doubt(self, keeps: Callable[[Chain, str], float]) -> None:
        """Leave what was not worked out step by step only a share of its probability. keeps: by chain and answer."""
        held = [
            one if one.chain.why else replace(one, probability=one.probability * keeps(one.chain, one.answer))
            for one in self.judged
        ]
        self.judged = sorted(held, key=lambda one: -one.probability)

    def goal(self, text: str, query: str) -> Goal:
        """A goal of this thread."""
        return Goal(text=text, query=query, expects=self.question.expects, hop=len(self.asked) + 1)

    def _relation(self) -> tuple[str, ...]:
        named = stems(" ".join(self.question.names))
        return tuple(term for term in self.question.terms if not stems(term) <= named)

    def _bridges(self) -> list[str]:
        """Names that the evidence brought in and the question did not hold, best evidence first."""
        asked = stems(self.question.text)
        found: dict[str, None] = {}
        for one in self.judged[:3]:
            for link in one.chain.links:
                for name in (*names_in(link.text), link.passage.title):
                    if not stems(name) <= asked and name in link_names(link):
                        found.setdefault(name)
        return list(found)[:3]


def _key(query: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", query.lower()))
