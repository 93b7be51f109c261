"""A trained network as a policy of the agent: greedy for people, sampling at a temperature for training."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from agent.inquiry import ANSWER_AT
from agent.policy import FEATURES, Choice, Situation, gate_choice
from agent.policy_net import PolicyNet, load_net
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
        unseen = self.net.card.get("unseen", ())
        early = gate_choice(situation, unseen)
        if early is not None:
            return early
        legal = tuple(action for action in situation.legal if not _unknown(action, situation, unseen))
        odds = self.net.probabilities(situation.values, legal, situation.vector, self.temperature or 1.0)
        odds = {action: odds.get(action, 0.0) for action in situation.legal}
        action = max(odds, key=lambda option: odds[option])
        if self.temperature:
            key = np.frombuffer(np.asarray(situation.values, np.float64).tobytes(), np.uint32)
            rng = np.random.default_rng([self.seed, *key.tolist()])
            action = str(rng.choice(list(odds), p=np.array(list(odds.values())) / sum(odds.values())))
        elif situation["searches"] and action in ENDINGS and set(ENDINGS) <= set(legal):
            # The judge is calibrated anew with every reader, a network knows the one it learned with: the line
            # between an answer and silence is the judge's to draw, where to look and when to stop the network's.
            ending = ENDINGS[situation["probability"] < ANSWER_AT]
            if ending != action:
                kind = "enough for an answer" if ending == "answer" else "too little for an answer"
                said = f"The answer is {situation['probability']:.0%} likely to be right: {kind}."
                return Choice(ending, odds, said)
        others = sorted((p for option, p in odds.items() if option != action), reverse=True)
        close = f", the next best {others[0]:.0%}" if others else ""
        return Choice(action, odds, f"The trained policy is {odds[action]:.0%} for it{close}.")


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
