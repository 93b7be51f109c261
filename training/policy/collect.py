"""Collects explored questions: the live agent over question sets, kept in a file that a kill cannot harm.

A question's tree is explored once; a later call goes on after the last finished one and adds only what another policy
would do (of a question's lines the last one counts). A question that failed as a whole leaves a record of its failure.
Workers are processes: exploring is arithmetic.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random

from agent.agent import Agent
from agent.config import AgentConfig, Settings
from agent.policy import Policy, Rules, always_deep, always_single, fixed_three_hop
from agent.reader_model import ReaderModel, load_reader
from index import delta
from index.encoders import load_embedder
from index.errors import Cancelled, ForageError
from index.retrieve import Searcher
from index.store import Store
from index.types import Scope
from training.policy.explore import Explorer
from training.policy.straying import strays
from training.policy.trees import Tree, dump, joined, read_trees
from training.skills.reader_halves import ReaderHalves

FAILED = "failures.jsonl"


@dataclass(frozen=True, slots=True)
class Plan:
    """How widely a question is explored."""

    budget: int = 4  # searches of one question at decisions drawn at random, beside the paths of the policies
    longest: int = 3  # searches of one path
    seed: int = 7
    halves: tuple[Path, ...] = ()  # readers that each left out a half of the questions; none: the one in use


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to explore, where it is asked, and its gold."""

    blank: Tree  # without situations and endings; `evidence` holds document ids
    data_dir: str
    scope: Scope

    @property
    def key(self) -> str:
        return f"{self.blank.source}/{self.blank.id}"


def baselines() -> tuple[Policy, ...]:
    """Whose paths every tree holds, so that each of them can be compared on it."""
    rules: tuple[Policy, ...] = (Rules("graph"), Rules("hybrid"))
    return (*rules, always_single(), fixed_three_hop(), always_deep())


def explore_question(
    agent: Agent, asked: Asked, plan: Plan, policies: Sequence[Policy] = (), tree: Tree | None = None
) -> Tree | None:
    """The question's tree with the whole paths of baselines and `policies`; None where there was nothing to decide.

    tree: what is known of the question; then only such paths are added.
    """
    run = agent.open_run(asked.blank.question, asked.scope)
    explorer = Explorer(run, frozenset(asked.blank.evidence), plan.longest)
    explorer.follow([*policies, *baselines()])
    if tree is not None:
        explorer.close()
        further = explorer.tree(asked.blank)
        return joined(tree, further) if further is not None else tree
    explorer.wander(plan.budget, Random(f"{plan.seed}/{asked.key}"))
    explorer.close()
    return explorer.tree(asked.blank)


def collect(
    asked: Sequence[Asked],
    out: Path,
    plan: Plan,
    *,
    policies: Sequence[Policy] = (),
    workers: int = 1,
    tell: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[Tree, ...]:
    """Trees of all questions in their order, from `out` where they are known there, else explored now.

    policies: whose paths every tree must hold beside the baselines'; a known tree is explored further where one of them
    would leave it.
    `tell(done, of)` is called after each question. Raises Cancelled when `cancelled` turned true; what is done is kept.
    """
    kept = known(out)
    todo = [
        (one, kept.get(one.key))
        for one in asked
        if one.key not in kept
        or any(strays(policy, kept[one.key]) is not False for policy in (*policies, *baselines()))
    ]
    done = len(asked) - len(todo)
    out.parent.mkdir(parents=True, exist_ok=True)
    _mend(out)
    with out.open("a", encoding="utf-8") as lines:
        for one, tree, error in _explored(todo, plan, policies, workers):
            done += 1
            if tree is not None:
                lines.write(dump(tree) + "\n")
                lines.flush()
                kept[one.key] = tree
            elif error:
                _note_failure(out, one, error)
            if tell:
                tell(done, len(asked))
            if cancelled():
                raise Cancelled("Stopped. What was collected is kept.")
    return tuple(kept[one.key] for one in asked if one.key in kept)


def known(path: Path) -> dict[str, Tree]:
    """Trees by set and question of a file; none where there is no file."""
    return {f"{tree.source}/{tree.id}": tree for tree in read_trees(path)} if path.is_file() else {}


def _mend(path: Path) -> None:
    """Cut off a last line that a kill left unfinished."""
    if not path.is_file():
        return
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        path.write_bytes(whole)


def _note_failure(out: Path, one: Asked, error: str) -> None:
    with (out.parent / FAILED).open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"question": one.key, "error": error}) + "\n")


def _explored(
    todo: Sequence[tuple[Asked, Tree | None]], plan: Plan, policies: Sequence[Policy], workers: int
) -> Iterator[tuple[Asked, Tree | None, str]]:
    if workers == 1:
        for one, tree in todo:
            yield (one, *_one(one, plan, policies, tree))
        return
    with ProcessPoolExecutor(workers) as pool:
        waiting = {pool.submit(_one, one, plan, policies, tree): one for one, tree in todo}
        try:
            for future in as_completed(waiting):
                yield (waiting[future], *future.result())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_AGENTS: dict[tuple[str, ReaderModel | None], Agent] = {}  # of this process; opening a folder costs seconds


def _one(asked: Asked, plan: Plan, policies: Sequence[Policy], tree: Tree | None) -> tuple[Tree | None, str]:
    try:
        agent = agent_of(asked.data_dir, plan.halves, asked.blank.question)
        return explore_question(agent, asked, plan, policies, tree), ""
    except ForageError as error:
        return None, str(error)


def agent_of(data_dir: str, halves: tuple[Path, ...] = (), question: str = "") -> Agent:
    """An agent without a model and without records. Time does not cut a run short: it would make results chance.

    halves: the question is read by the one that never saw it, as at the end people's questions are.
    """
    model = _halves(halves)(question) if halves else load_reader()
    key = (data_dir, model)
    if key not in _AGENTS:
        settings = replace(Settings(), agent=AgentConfig(max_seconds=86_400, max_steps=64))
        searcher = Searcher(Store.open(data_dir), load_embedder())
        _AGENTS[key] = Agent(searcher, settings, None, reader=lambda: model)
    return _AGENTS[key]


@cache
def _halves(paths: tuple[Path, ...]) -> ReaderHalves:
    return ReaderHalves(paths)


def plan_key(plan: Plan) -> str:
    """Short hash of the plan; names the file of its trees."""
    told = asdict(plan) | {"halves": [delta.digest(path)[:12] for path in plan.halves]}
    if not plan.halves:
        del told["halves"]
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]
