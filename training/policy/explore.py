"""Explores one question's decisions with the live agent: forks its run at every decision that is worth a look.

The whole tree would be thousands of searches. What is explored is all that the baselines would do, and a few searches
more at decisions drawn at random; the memory of the run answers repeated searches and readings.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from agent.policy import ACTIONS, FINAL, LEVELS, Policy, Rules
from agent.run import Run, decided
from index.errors import Cancelled, ForageError
from training.policy.trees import Ending, Move, Path_, Situation, Tree

PLANS = ("next_goal", "refine")


@dataclass
class _Node:
    run: Run
    features: tuple[float, ...]
    allowed: tuple[str, ...]
    taken: set[str] = field(default_factory=set)


class Explorer:
    """The growing tree of one question. Raises nothing for a failed action: the failure is an ending."""

    def __init__(self, run: Run, gold: frozenset[str], max_searches: int = 3) -> None:
        self._gold, self._max = gold, max_searches
        self.nodes: dict[Path_, _Node] = {}
        self.moves: dict[str, Move] = {}
        self.endings: list[Ending] = []
        self.searches = 0
        run.begin()
        if run.finished:
            self._finish((), run)
        else:
            self._open((), run)

    def follow(self, policies: Sequence[Policy]) -> list[Path_]:
        """Explore what each policy does, to its end; the path of each."""
        paths = []
        for policy in policies:
            path: Path_ = ()
            while path in self.nodes:
                node = self.nodes[path]
                now = replace(node.run.situation(), legal=self._within(path, node))
                action = decided(policy, now, Rules()).action
                self.take(path, action)
                path = (*path, action)
            paths.append(path)
        return paths

    def wander(self, budget: int, rng: Random) -> None:
        """Explore decisions at random for `budget` more searches, or until nothing is left."""
        budget += self.searches
        while self.searches < budget:
            open_ = [
                (path, steps) for path, node in self.nodes.items() for steps in self._untried(path, node)
            ]
            if not open_:
                return
            path, steps = open_[rng.randrange(len(open_))]
            for action in steps:
                self.take(path, action)
                path = (*path, action)
                if path not in self.nodes:
                    break

    def close(self) -> None:
        """Explore what ends the question everywhere: answering, memory, abstaining cost no search."""
        for path in list(self.nodes):
            for action in FINAL:
                if action in self.nodes[path].allowed:
                    self.take(path, action)

    def _within(self, path: Path_, node: _Node) -> tuple[str, ...]:
        if sum(action in LEVELS for action in path) < self._max:
            return node.allowed
        return tuple(action for action in node.allowed if action in FINAL)

    def _untried(self, path: Path_, node: _Node) -> list[Path_]:
        """Searches not yet made here, alone or behind a new plan."""
        found: list[Path_] = []
        for action in self._within(path, node):
            if action in LEVELS and action not in node.taken:
                found.append((action,))
            elif action in PLANS and action not in node.taken:
                # A plan is free, but pointless without a search behind it.
                found += [(action, level) for level in LEVELS if level != "hybrid"]
        return found

    def take(self, path: Path_, action: str) -> None:
        """Carry out an action from a situation, once."""
        node = self.nodes[path]
        if action in node.taken or action not in node.allowed:
            return
        node.taken.add(action)
        fork, new = node.run.fork(), (*path, action)
        seen = {hit.passage.document_id for found in fork.board.found for hit in found.hits}
        began, tokens = time.thread_time(), fork.board.context_tokens
        try:
            fork.act(action)
        except Cancelled:
            raise
        except ForageError as error:
            self._fail(new, action, str(error), time.thread_time() - began)
            return
        self.moves["/".join(new)] = self._move(fork, action, tokens, time.thread_time() - began, seen)
        self.searches += action in LEVELS
        if fork.finished:
            self._finish(new, fork)
        else:
            self._open(new, fork)

    def _move(self, run: Run, action: str, tokens: int, seconds: float, seen: set[str]) -> Move:
        if action not in LEVELS:
            return Move(action, seconds=seconds)
        last = run.board.found[-1]
        ids = tuple(dict.fromkeys(hit.passage.document_id for hit in last.hits))
        useful = bool((self._gold & set(ids)) - seen) if self._gold else None
        return Move(
            action, last.goal.query, ids, run.board.context_tokens - tokens, seconds, useful, searched=True
        )

    def _fail(self, path: Path_, action: str, error: str, seconds: float) -> None:
        self.moves["/".join(path)] = Move(action, seconds=seconds, searched=action in LEVELS, error=error)
        self.endings.append(Ending(path, abstained=True, failed=error))

    def _open(self, path: Path_, run: Run) -> None:
        now = run.situation()
        self.nodes[path] = _Node(run, now.values, now.legal)

    def _finish(self, path: Path_, run: Run) -> None:
        answer = run.answer
        assert answer is not None
        self.endings.append(
            Ending(
                path,
                "" if answer.abstained else answer.short,
                answer.abstained,
                answer.confidence,
                tuple(citation.document_id for citation in answer.citations),
                tuple(citation.supported for citation in answer.citations),
            )
        )

    def tree(self, blank: Tree) -> Tree | None:
        """`blank` with what was explored; None where nothing was to be decided (small talk)."""
        if not self.nodes:
            return None
        situations = tuple(
            Situation(
                path,
                node.features,
                tuple(a for a in ACTIONS if a in node.taken),
                self._within(path, node),
            )
            for path, node in self.nodes.items()
        )
        return replace(blank, situations=situations, endings=tuple(self.endings), moves=self.moves)
