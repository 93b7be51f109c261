"""Two policies over the same questions: live runs of the agent or explored trees, compared question by question.

`better` is the rule of promotion: better beyond noise in value, and no guard worse beyond noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from agent.board import level_of
from agent.config import AgentConfig
from agent.policies import NAMED
from agent.policy import ACTIONS, Policy, Rules, Situation
from agent.policy_lm import CARD, open_text_policy
from agent.policy_net import PolicyNet
from agent.promotion import LivePolicy, pinned
from agent.trained import TrainedPolicy, open_trained, packaged
from index.errors import InputError
from training.metrics import Interval
from training.policy.collect import Asked, Plan, agent_of, explore_question
from training.policy.explore import Explorer
from training.policy.forest import Forest, Ints, plant
from training.policy.rewarding import Pricing, load_policy_preset
from training.policy.scores import LESS_IS_BETTER, MEASURES, Scores, differences, score_endings, summary
from training.policy.trees import Tree

ORACLE = "oracle"
GUARDS = ("f1", "right", "abstain_right", "citation_precision")  # none may get worse beyond noise
SLACK = 0.02  # nor may F1 fall by more than this on the mean, however noisy
EXAMPLES = 40


class Named(Protocol):
    """How names become policies."""

    def __call__(self, name: str) -> Policy | None: ...


def open_named(name: str, runs: Path, data_dir: Path | None) -> Policy | None:
    """A baseline, "live", or a run by name or folder; None for the oracle. InputError for anything else."""
    config = AgentConfig()
    if name == ORACLE:
        return None
    if name in NAMED:
        return NAMED[name](config)
    if name == "live":
        default = packaged() or Rules(level_of(config.mode))
        return pinned(LivePolicy(data_dir, default)) if data_dir is not None else default
    for folder in (runs / name, Path(name)):
        path = folder / "policy.safetensors"
        if path.is_file():
            return open_trained(path, folder.name)
        if (folder / "policy-lm" / CARD).is_file():
            return open_text_policy(folder / "policy-lm", folder.name, Rules(level_of(config.mode)))
    known = sorted(path.parent.name for path in runs.glob("*/policy.safetensors"))
    raise InputError(
        f"There is no policy {name!r}. Known are: live, oracle, {', '.join(NAMED)}; runs in {runs}: "
        f"{', '.join(known) or 'none'}."
    )


def network_of(name: str, runs: Path, data_dir: Path | None) -> PolicyNet:
    """The network of "live" or of a run. InputError where it has none: the rules, a language model."""
    policy = open_named(name, runs, data_dir)
    if not isinstance(policy, TrainedPolicy):
        raise InputError(
            f"{name} is no trained network, so nothing can be trained on from it. Give a run of forage train policy."
        )
    return policy.net


def choices(policy: Policy, forest: Forest) -> Ints:
    """What a policy chooses in each situation (S,) among what was explored there; the rules where it is at a loss."""
    index = {action: a for a, action in enumerate(forest.actions)}
    states = [tuple(row) for row in forest.features.tolist()]
    before = _earlier(forest, states)
    chosen = []
    for s, (row, legal) in enumerate(zip(states, forest.legal, strict=True)):
        names = tuple(action for action, ok in zip(forest.actions, legal, strict=True) if ok)
        vector = forest.vectors[forest.question[s]] if forest.vectors.shape[1] else None
        now = Situation(
            row, names, forest.trees[forest.question[s]].question,
            vector=tuple(vector) if vector is not None else None, earlier=before[s],
        )  # fmt: skip
        action = policy.decide(now).action
        if action not in names:
            action = Rules().decide(now).action
        chosen.append(index[action if action in names else "abstain"])
    return np.array(chosen, dtype=np.int64)


def _earlier(
    forest: Forest, states: Sequence[tuple[float, ...]]
) -> list[tuple[tuple[tuple[float, ...], str], ...]]:
    """(S) what was decided before each situation, and on what."""
    found: list[tuple[tuple[tuple[float, ...], str], ...]] = [() for _ in states]
    for s in np.argsort(forest.depth, kind="stable").tolist():
        for a in np.flatnonzero(forest.legal[s]).tolist():
            to = int(forest.child[s, a])
            if to < len(states):
                found[to] = (*found[s], (states[s], forest.actions[a]))
    return found


def score_policy(policy: Policy | None, forest: Forest, pricing: Pricing, name: str) -> Scores:
    """Scores on explored trees; the oracle takes the path of highest value."""
    chosen = forest.q_values(None)[0].argmax(axis=1) if policy is None else choices(policy, forest)
    return score_endings(forest, forest.follow(chosen), pricing.units, name)


def play(
    policies: Sequence[tuple[str, Policy | None]],
    asked: Sequence[Asked],
    pricing: Pricing,
    tell: Callable[[int], None] = lambda done: None,
) -> list[Scores]:
    """Live runs of each policy, each with a memory of its own, so that seconds are honest; one Scores a policy."""
    trees: list[list[Tree]] = [[] for _ in policies]
    paths: list[list[tuple[str, ...]]] = [[] for _ in policies]
    for done, one in enumerate(asked, start=1):
        agent = agent_of(one.data_dir)
        for at, (_, policy) in enumerate(policies):
            if policy is None:
                tree = explore_question(agent, one, Plan())
                path: tuple[str, ...] = ()
            else:
                explorer = Explorer(
                    agent.open_run(one.blank.question, one.scope), frozenset(one.blank.evidence), 99
                )
                path = explorer.follow([policy])[0]
                tree = explorer.tree(one.blank)
                if tree is not None:
                    # The situations of a single path; every legal action but the one taken is unknown.
                    tree = replace(tree, situations=tuple(s for s in tree.situations if s.legal))
            if tree is not None:
                trees[at].append(tree)
                paths[at].append(path)
        tell(done)
    preset = load_policy_preset()
    found = []
    for (name, policy), mine, walked in zip(policies, trees, paths, strict=True):
        forest = plant(mine, ACTIONS, preset, pricing)
        if policy is None:
            found.append(score_policy(None, forest, pricing, name))
        else:
            ends = {place: e for e, place in enumerate(forest.endings)}
            reached = [
                ends[t, [e.path for e in tree.endings].index(path)]
                for t, (tree, path) in enumerate(zip(mine, walked, strict=True))
            ]
            found.append(score_endings(forest, np.array(reached, dtype=np.int64), pricing.units, name))
    return found


def contest(ours: Scores, theirs: Scores, questions: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The comparison as JSON. `questions`: (id, text) in the order of the scores."""
    gaps = differences(ours, theirs)
    texts = dict(questions)
    changed = [
        {
            "question": texts.get(key, key),
            ours.policy: _example(ours, at),
            theirs.policy: _example(theirs, at),
        }
        for at, key in enumerate(ours.ids)
        if (ours.answers[at], ours.columns["right"][at]) != (theirs.answers[at], theirs.columns["right"][at])
    ]
    verdict, reasons = better(gaps)
    return {
        "a": ours.policy, "b": theirs.policy, "n": len(ours.ids),
        "measures": {
            name: {"a": ours.interval(name).to_dict(), "b": theirs.interval(name).to_dict(),
                   "difference": gaps[name].to_dict()}
            for name in MEASURES
        },
        "summary": {"a": summary(ours), "b": summary(theirs)},
        "better": verdict, "reasons": reasons, "changed": changed[:EXAMPLES], "changed_count": len(changed),
    }  # fmt: skip


def _example(scores: Scores, at: int) -> dict[str, Any]:
    return {
        "answer": scores.answers[at] or "(abstained)",
        "right": bool(scores.columns["right"][at]),
        "path": " > ".join(scores.paths[at]),
    }


def better(gaps: dict[str, Interval]) -> tuple[bool, list[str]]:
    """Whether `ours` may replace `theirs`, with every reason in words.

    Better beyond noise: the 95 % interval of the difference in value (right answers minus the price of searching) lies
    above 0. A guard is worse beyond noise when its whole interval lies below 0.
    """
    reasons = []
    value = gaps["value"]
    if value.low is None or value.low <= 0:
        reasons.append(f"not better beyond noise: value {_told(value)}")
    for name in GUARDS:
        gap = gaps[name]
        if gap.high is not None and gap.high < 0:
            reasons.append(f"{name} is worse: {_told(gap)}")
    f1 = gaps["f1"]
    if f1.mean is not None and f1.mean < -SLACK:
        reasons.append(f"f1 falls by more than {SLACK}: {_told(f1)}")
    return not reasons, reasons or [f"better beyond noise: value {_told(value)}"]


def _told(gap: Interval) -> str:
    if gap.mean is None:
        return "nothing to compare"
    return f"{gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"


def winner(name: str, gap: Interval) -> str:
    """a, b or "" (within noise) for one measure."""
    if gap.low is None or gap.high is None or gap.low <= 0 <= gap.high:
        return ""
    return "a" if (gap.low > 0) != (name in LESS_IS_BETTER) else "b"
