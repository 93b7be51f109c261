"""The agent with one part changed, and fixed pipelines with the same reader: what the ablation compares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from agent.agent import Agent
from agent.board import Board, Tools
from agent.boundary import RuleBoundary
from agent.matching import WordMatcher
from agent.notebook import Comparison, Notebook, gained_claims
from agent.policy import (
    AdaptiveNote,
    Choice,
    Policy,
    Rules,
    Situation,
    always_deep,
    always_single,
    fixed_three_hop,
)
from agent.run import Run
from agent.types import Answer, Note
from agent.verify import Verifier


@dataclass(frozen=True)
class Without:
    """A policy that may not choose some actions: they are taken out of what it sees as legal."""

    policy: Policy
    banned: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.policy.name} without {', '.join(sorted(self.banned))}"

    @property
    def fingerprint(self) -> str:
        return self.policy.fingerprint

    def decide(self, situation: Situation) -> Choice:
        """The policy's choice among the actions that are left; all of them where none is."""
        left = tuple(action for action in situation.legal if action not in self.banned)
        return self.policy.decide(replace(situation, legal=left or situation.legal))


class LastVersion:
    """Notes without a comparison: the last proposal wins."""

    def compare(self, question: str, old: Notebook, new: Notebook) -> Comparison:
        """Always better."""
        return Comparison(True, gained_claims(old.notes, new.notes), "Not compared.")


class Unchecked(Verifier):
    """Citations as they come: nothing is looked up."""

    def exists(self, note: Note) -> bool:
        """Taken on trust."""
        return True

    def _borne_out(self, *_: object) -> bool:
        return True


def _same(tools: Tools) -> Tools:
    return tools


@dataclass(frozen=True)
class Variant:
    """The agent with something changed."""

    name: str
    policy: Callable[[Agent], Policy]
    change: Callable[[Tools], Tools] = field(default=_same)


def _of(policy: Policy) -> Callable[[Agent], Policy]:
    return lambda agent: policy


def _without(*actions: str) -> Callable[[Agent], Policy]:
    return lambda agent: Without(agent.policy, frozenset(actions))


def _in_one(tools: Tools) -> Tools:
    return replace(tools, config=replace(tools.config, step_by_step=False))


def _unverified(tools: Tools) -> Tools:
    return replace(tools, verifier=Unchecked(tools.searcher.store, WordMatcher(tools.searcher.embedder)))


VARIANTS = (
    Variant("full", lambda agent: agent.policy),
    Variant("no gate", lambda agent: agent.policy,
            lambda tools: replace(tools, boundary=RuleBoundary(hopeless_absent=0.0))),
    Variant("no further goals", _without("next_goal")),
    Variant("no steps", lambda agent: agent.policy, _in_one),
    Variant("no refinement", _without("refine")),
    Variant("no judge", _of(Rules(stop_at=2.0, settled_at=2.0, answer_at=0.0))),
    Variant("no abstention", _of(Rules(answer_at=0.0))),
    Variant("no graph (hybrid only)", _of(Rules(level="hybrid"))),
    Variant("whole passages", lambda agent: agent.policy,
            lambda tools: replace(tools, config=replace(tools.config, evidence_worth=0.0))),
    Variant("no comparison of notes", lambda agent: agent.policy,
            lambda tools: replace(tools, comparer=LastVersion())),
    Variant("no trained reader", lambda agent: agent.policy, lambda tools: replace(tools, reader_model=None)),
    Variant("no verification", lambda agent: agent.policy, _unverified),
    Variant("single-shot", _of(always_single())),
    Variant("fixed-3-hop", _of(fixed_three_hop())),
    Variant("always-deep", _of(always_deep())),
    Variant("adaptive-note", _of(AdaptiveNote())),
)  # fmt: skip


def answer_of(
    agent: Agent,
    tools: Tools,
    variant: Variant,
    question: str,
    known: dict[tuple[str, ...], Run] | None = None,
) -> Answer:
    """The variant's answer, over the searches and readings that `tools` remember.

    known: for variants that change nothing but the policy, the runs of earlier ones by the actions that led there.
    """
    policy = variant.policy(agent)
    known = {} if known is None or variant.change is not _same else known
    if () not in known:
        known[()] = Run(variant.change(tools), Board(question))
        known[()].begin()
    run = known[()]
    while not run.finished:
        choice = policy.decide(run.situation())
        way = (*run.actions, choice.action)
        if way not in known:
            known[way] = run.fork()
            known[way].act(choice)
        run = known[way]
    assert run.answer is not None
    return run.answer
