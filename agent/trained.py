"""A trained network as a policy of the agent: greedy for people, sampling at a temperature for training."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from agent.policy import FEATURES, LEVELS, Choice, Situation, described, gate_choice
from agent.policy_net import PolicyNet, load_net
from agent.thread import ANSWER_AT, STOP_AT
from index.errors import StoreError

ENDINGS = ("answer", "abstain")
PACKAGED = "policy"  # name of the weights that come with Forage, where there are any


@dataclass(frozen=True)
class TrainedPolicy:
    """Decides by a network's scores. temperature 0 takes the best action; above, actions are drawn."""

    name: str
    net: PolicyNet
    temperature: float = 0.0
    seed: int = 0

    @property
    def fingerprint(self) -> str:
        """Of the weights."""
        return self.net.fingerprint

    def decide(self, situation: Situation) -> Choice:
        """The legal action of the highest score (ties: the first), or one drawn by probability.

        What is drawn depends on the seed and on the situation alone, so that a run can be repeated. Where training
        never saw what the gate looks at (no memory, no language model), the gate decides as it does for the rules.
        """
        unseen, played = self.net.card.get("unseen", ()), bool(self.net.card.get("played"))

        def odds_of(legal: tuple[str, ...]) -> dict[str, float]:
            return self.net.probabilities(situation.values, legal, situation.vector, self.temperature or 1.0)

        if not self.temperature:
            return settled(situation, unseen, odds_of, played)
        early = gate_choice(situation, unseen)
        if early is not None:
            return early
        odds = _known(situation, unseen, odds_of, played)
        key = np.frombuffer(np.asarray(situation.values, np.float64).tobytes(), np.uint32)
        rng = np.random.default_rng([self.seed, *key.tolist()])
        action = str(rng.choice(list(odds), p=np.array(list(odds.values())) / sum(odds.values())))
        return Choice(action, odds, _said(action, odds))


Odds = Callable[[tuple[str, ...]], dict[str, float]]  # actions -> a probability for each


def settled(situation: Situation, unseen: Collection[str], odds_of: Odds, played: bool = False) -> Choice:
    """The most probable action under a trained policy (ties: the first), where training has a say at all.

    Where training never saw what the gate looks at (no memory, no language model: `unseen`), the gate decides as it
    does for the rules. The judge is calibrated anew with every reader, a policy knows the one it learned with: the line
    between an answer and silence is the judge's to draw, where to look and when to stop the policy's. `played`: it
    learned so, and chooses only among what is offered; one that learned to end by itself keeps its time to end.
    """
    early = gate_choice(situation, unseen)
    if early is not None:
        return early
    odds = _known(situation, unseen, odds_of, played)
    action = max(odds, key=lambda option: odds[option])
    if action in ENDINGS and not played:
        further = _described(situation, odds)
        if further is not None:
            return further
    if situation["searches"] and action in ENDINGS and set(ENDINGS) <= set(situation.legal):
        ending = ENDINGS[situation["probability"] < ANSWER_AT]
        if ending != action:
            kind = "enough for an answer" if ending == "answer" else "too little for an answer"
            said = f"The answer is {situation['probability']:.0%} likely to be right: {kind}."
            return Choice(ending, odds, said)
    return Choice(action, odds, _said(action, odds))


def _described(situation: Situation, odds: dict[str, float]) -> Choice | None:
    """The way on where the question describes what is still to be found: its goal, then the search for it.

    A policy that learned before the agent took questions apart knows nothing of it.
    """
    if situation["probability"] >= STOP_AT:
        return None
    if described(situation):
        return Choice("next_goal", odds, "What the question describes is to be found first.")
    levels = [action for action in LEVELS if action in odds]
    if levels and situation["searches"] and situation["parts_left"] and not situation["goal_searched"]:
        best = max(levels, key=lambda level: odds[level])
        return Choice(best, odds, "What the question describes has not been searched for yet.")
    return None


def offered(situation: Situation) -> tuple[str, ...]:
    """The legal actions that are a trained policy's to choose among.

    Less the ending that the judge speaks against; and before any search only the gate says that nothing is to be found:
    that its training sets seldom answer questions of a kind is no reason for a policy to keep silent unseen.
    """
    out = set()
    if not situation["searches"]:
        out |= {"abstain"} if situation["gate_hopeless"] <= 0.5 else set()
    elif set(ENDINGS) <= set(situation.legal):
        out.add(ENDINGS[situation["probability"] >= ANSWER_AT])
    return tuple(action for action in situation.legal if action not in out) or situation.legal


def _known(
    situation: Situation, unseen: Collection[str], odds_of: Odds, played: bool = False
) -> dict[str, float]:
    """A probability for each legal action; 0 for those that are not offered or that training never met here."""
    options = offered(situation) if played else situation.legal
    odds = odds_of(tuple(action for action in options if not _unknown(action, situation, unseen)))
    return {action: odds.get(action, 0.0) for action in situation.legal}


def _said(action: str, odds: Mapping[str, float]) -> str:
    others = sorted((p for option, p in odds.items() if option != action), reverse=True)
    close = f", the next best {others[0]:.0%}" if others else ""
    return f"The trained policy is {odds[action]:.0%} for it{close}."


def _unknown(action: str, situation: Situation, unseen: Collection[str]) -> bool:
    """Whether training never met an action here: remembering, or answering before any search."""
    if action == "memory":
        return "gate_memory" in unseen
    return action == "answer" and not situation["searches"] and "gate_knows" in unseen


def open_trained(path: Path, name: str) -> TrainedPolicy:
    """The policy of a weights file. StoreError where it is damaged or was trained for other features."""
    net = load_net(path)
    if net.features != FEATURES:
        raise StoreError(
            f"The policy {name} was trained for other features of the agent ({len(net.features)} of them; this "
            f"version has {len(FEATURES)}). Train it again: forage train policy"
        )
    return TrainedPolicy(name, net)


@cache
def packaged() -> TrainedPolicy | None:
    """The policy that comes with Forage; None where this version comes without one."""
    path = Path(str(files("agent").joinpath("weights", f"{PACKAGED}.safetensors")))
    return open_trained(path, "packaged") if path.is_file() else None
