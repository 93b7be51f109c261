"""The working memory of one question: what was read so far, what is still missing, what it adds up to.

A question is one thread; a comparison that its thread does not settle adds one thread for each thing compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from agent import compare, stepwise
from agent.judge import Judged
from agent.judge_rules import holding, names_asked
from agent.matching import weigh
from agent.question import Question, analyse, words
from agent.reader import Reader
from agent.reader_model import ReaderModel
from agent.stepwise import Stepwise
from agent.thread import SETTLED_AT, STOP_AT, Thread
from agent.types import Goal
from index.retrieve import Searcher
from index.types import Hit, Scope

PASSAGES = 8  # in which a step is looked for, newest first
STEP_BELOW = 0.9  # probability of an answer from which a question is not taken apart


@dataclass(slots=True)
class Inquiry:
    """All threads of a question: the question itself, then one for each thing that it compares."""

    question: Question
    threads: list[Thread]
    at: int = 0  # the thread being worked on
    line: Callable[[Question], Thread] | None = None  # opens one for a question of the same scope
    steps: Stepwise | None = None  # how far the question's descriptions are resolved; None: it has none
    hits: list[Hit] = field(default_factory=list)  # of all searches, newest first

    @classmethod
    def open(
        cls,
        text: str,
        searcher: Searcher,
        scope: Scope,
        model: ReaderModel | None = None,
        *,
        apart: bool = True,
    ) -> Inquiry:
        """Take the question apart and weigh its words by their rarity in the scope.

        apart: whether its descriptions become questions of their own, which only a reader can answer.
        """
        question = analyse(text)
        parts = compare.sub_questions(question) if compare.is_comparison(question) else ()

        def line(part: Question) -> Thread:
            counts, total = searcher.words.frequencies(part.terms, scope)
            absent, lead = _absent(part, counts), searcher.store.text_before
            return Thread(part, weigh(counts, total), model, absent, lead=lead)

        steps = stepwise.begin(question) if apart and model is not None else None
        return cls(question, [line(part) for part in (question, *parts)], line=line, steps=steps)

    @property
    def compares(self) -> bool:
        """Whether two things are compared."""
        return len(self.threads) > 1

    @property
    def whole(self) -> Thread:
        """The thread of the question as it was asked."""
        return self.threads[0]

    @property
    def parts(self) -> list[Thread]:
        """One thread for each thing compared."""
        return self.threads[1:]

    @property
    def thread(self) -> Thread:
        """The thread being worked on."""
        return self.threads[self.at]

    def next_goal(self) -> Goal | None:
        """The next thing to look for, moving on to the next thread when one is done."""
        while True:
            allowed = len(self.thread.asked) < (1 if self.at == 0 else 2) or not self.compares
            goal = self.thread.next_goal() if allowed else None
            if goal is not None:
                return goal
            if self.at + 1 >= len(self.threads) or self.whole.probability >= SETTLED_AT:
                return None
            self.at += 1

    def following(self) -> tuple[Goal, int] | None:
        """The goal after the present one with the thread it belongs to: the next document of this thread, or of
        a comparison the next thing compared. Changes nothing; None when there is none."""
        thread, whole = self.thread, self.compares and self.at == 0
        if not thread.asked:
            return thread.first_goal(), self.at
        if self.waits:
            return thread.goal(f"Find first: {self.waits}", self.waits), self.at
        settled = self.compares and (thread.probability >= STOP_AT or len(thread.asked) >= 2)
        bridge = thread.follow_ups(eager=True).get("bridge") if not whole and not settled else None
        if bridge is not None:
            return bridge, self.at
        if self.at + 1 < len(self.threads):
            return self.threads[self.at + 1].first_goal(), self.at + 1
        return None

    def again(self) -> Goal | None:
        """The present goal in another wording, out of what is still missing; None when there is none."""
        return self.thread.follow_ups(eager=True).get("again") if self.thread.asked else None

    def fork(self) -> Inquiry:
        """A copy that may go its own way; the evidence is shared, nothing changes it."""
        threads = [
            replace(t, pool=list(t.pool), useful=dict(t.useful), judged=list(t.judged), asked=list(t.asked))
            for t in self.threads
        ]
        return replace(self, threads=threads, hits=list(self.hits))

    def read(self, reader: Reader, goal: Goal, hits: Sequence[Hit]) -> int:
        """Read what a search found; how many sentences were new."""
        thread = self.thread
        evidence = reader.read(thread.question, thread.weights, goal.query, hits, goal.hop)
        new = thread.take(goal, evidence, hits)
        if self.steps is not None and thread.probability < STEP_BELOW:
            known = {(hit.passage.id, hit.passage.start) for hit in hits}
            self.hits = [*hits, *(h for h in self.hits if (h.passage.id, h.passage.start) not in known)]
            self._step_by_step(reader)
        return new

    @property
    def waits(self) -> str:
        """The question of a described thing that the passages at hand do not tell; "" where there is none."""
        asked = self.whole.asked
        waits = self.steps.waits if self.steps is not None else ""
        return "" if waits in asked or self.whole.absent or self.whole.probability >= STOP_AT else waits

    def _step_by_step(self, reader: Reader) -> None:
        """Resolve what the question describes as far as the passages at hand lead."""
        assert self.steps is not None and self.line is not None
        whole, open_line = self.whole, self.line

        def ask(text: str, single: bool) -> Judged | None:
            part = replace(open_line(analyse(text)), single=single)
            hits = self.hits[:PASSAGES]
            evidence = reader.read(part.question, part.weights, text, hits, 1)
            part.take(part.goal(text, text), evidence, hits)
            about = (
                one
                for one in part.judged
                if names_asked(part.question, part.weights, holding(one.chain, one.answer))
            )
            return next(about, None) if not part.absent else None

        self.steps = stepwise.advanced(self.steps, ask, lambda text: text in whole.asked)
        chain = stepwise.as_chain(self.steps, whole.question, whole.weights, whole.pool)
        if chain is not None:
            whole.weigh_in(chain, self.steps.probability)
        whole.doubt(self.steps.keeps)

    @property
    def probability(self) -> float:
        """Probability that an answer from the evidence at hand is right: of a comparison by parts the weakest."""
        apart = min((thread.probability for thread in self.parts), default=0.0)
        return max(self.whole.probability, apart)

    def missing(self) -> tuple[str, ...]:
        """Words of the question that no evidence covers."""
        found = [term for thread in self.threads[: self.at + 1] for term in thread.missing()]
        return tuple(dict.fromkeys(found))


def _absent(question: Question, counts: Sequence[int]) -> tuple[str, ...]:
    """Names of the question of which no word is in the scope: nothing there can be about them."""
    held = dict(zip(question.terms, counts, strict=True))
    return tuple(
        name
        for name in question.names
        if (parts := words(name)) and all(held.get(part, 1) == 0 for part in parts)
    )
