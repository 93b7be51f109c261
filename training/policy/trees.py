"""Explored decisions of a question as a tree: situations, legal actions, and what each path ends in.

A question's tree is explored once with the live agent and serves every later round: a policy only chooses among
paths that are already known, so a round costs milliseconds. One JSON line a tree.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from training.rewards.contract import Citation, Episode, Evidence, Passage, Step

Path_ = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """One action taken and what it cost and brought; a `Step` of rewards without the texts."""

    action: str
    query: str = ""
    results: tuple[str, ...] = ()  # ids of the passages shown, best first
    tokens: int = 0  # of evidence handed to the reader
    seconds: float = 0.0  # processor time
    useful: bool | None = None  # the results held gold evidence that was not seen before
    searched: bool = False
    error: str = ""  # a failure is a record too; the path ends there


@dataclass(frozen=True, slots=True)
class Situation:
    """A state where the policy must choose."""

    path: Path_  # actions that lead here
    features: tuple[float, ...]
    legal: tuple[str, ...]  # of what was allowed, what was explored
    allowed: tuple[str, ...] = ()  # what could have been explored; () where a file does not tell


@dataclass(frozen=True, slots=True)
class Ending:
    """What a path ends in."""

    path: Path_
    answer: str = ""
    abstained: bool = False
    confidence: float = 0.0
    cited: tuple[str, ...] = ()  # passage ids
    supported: tuple[bool, ...] = ()
    failed: str = ""  # the run broke here with this message


@dataclass(frozen=True, slots=True)
class Tree:
    """All explored paths of one question with its gold."""

    id: str
    question: str
    source: str  # the question set
    situations: tuple[Situation, ...]
    endings: tuple[Ending, ...]
    moves: dict[str, Move] = field(default_factory=dict)  # "hybrid/deep" -> the last move of that path
    golds: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()  # ids of gold passages
    answerable: bool | None = None
    knows: bool | None = None  # own knowledge suffices
    vector: tuple[float, ...] = ()  # of the question
    origin: str = "labelled"  # labelled, self-made or feedback
    weight: float = 1.0

    def episode(self, ending: Ending) -> Episode:
        """The ending as an episode that rewards can score."""
        moves = [self.moves[key] for key in prefixes(ending.path) if key in self.moves]
        steps = tuple(
            Step(
                action="search" if move.searched else move.action,
                query=move.query,
                results=tuple(Passage(pid) for pid in move.results),
                useful=move.useful,
                tokens=move.tokens,
                milliseconds=1000 * move.seconds,
            )
            for move in moves
        )
        return Episode(
            self.question,
            answer=ending.answer,
            abstained=ending.abstained,
            citations=tuple(
                Citation(pid, supported=ok) for pid, ok in zip(ending.cited, ending.supported, strict=True)
            ),
            steps=steps,
            well_formed=not ending.failed,
            golds=self.golds,
            evidence=tuple(Evidence(pid) for pid in self.evidence),
            answerable=self.answerable,
            knows=self.knows,
        )

    def spent(self, path: Path_, name: str) -> float:
        """Sum over the path's moves: "searches", "tokens" or "seconds"."""
        moves = [self.moves[key] for key in prefixes(path) if key in self.moves]
        if name == "searches":
            return float(sum(move.searched for move in moves))
        return float(sum(getattr(move, name) for move in moves))


def joined(tree: Tree, further: Tree) -> Tree:
    """`tree` with the paths of another exploration of its question."""
    before = {situation.path: situation for situation in tree.situations}
    for new in further.situations:
        old = before.get(new.path)
        legal = new.legal if old is None else (*old.legal, *(a for a in new.legal if a not in old.legal))
        before[new.path] = replace(old or new, legal=legal, allowed=new.allowed)
    endings = {ending.path: ending for ending in (*further.endings, *tree.endings)}
    return replace(tree, situations=tuple(before.values()), endings=tuple(endings.values()),
                   moves={**further.moves, **tree.moves})  # fmt: skip


def prefixes(path: Path_) -> list[str]:
    """Keys of all non-empty prefixes of a path.

    >>> prefixes(("hybrid", "answer"))
    ['hybrid', 'hybrid/answer']
    """
    return ["/".join(path[: n + 1]) for n in range(len(path))]


def dump(tree: Tree) -> str:
    """One JSON line."""
    return json.dumps(asdict(tree), ensure_ascii=False, separators=(",", ":"))


def parse(line: str) -> Tree:
    """The tree of a line written by `dump`. Raises ValueError or KeyError for anything else."""
    raw: dict[str, Any] = json.loads(line)
    raw["situations"] = tuple(
        Situation(tuple(s["path"]), tuple(s["features"]), tuple(s["legal"]), tuple(s.get("allowed", ())))
        for s in raw["situations"]
    )
    raw["endings"] = tuple(
        Ending(
            **{
                **e,
                "path": tuple(e["path"]),
                "cited": tuple(e["cited"]),
                "supported": tuple(e["supported"]),
            }
        )
        for e in raw["endings"]
    )
    raw["moves"] = {key: Move(**{**m, "results": tuple(m["results"])}) for key, m in raw["moves"].items()}
    for name in ("golds", "evidence", "vector"):
        raw[name] = tuple(raw[name])
    return Tree(**raw)


def read_trees(path: Path) -> Iterator[Tree]:
    """Trees of a JSON Lines file; a last line cut short by a kill does not count."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n") and line.strip():
                yield parse(line)


def write_trees(path: Path, trees: Iterable[Tree]) -> None:
    """All trees, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(dump(tree) + "\n" for tree in trees), encoding="utf-8")
