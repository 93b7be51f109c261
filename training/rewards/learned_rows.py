"""The three learned rewards, trained on another world than the one they are tested on.

Pairs: the better run's answer against the worse one's. Labels: the same answers as right and wrong. Demonstrations: the
better runs' answers against those of all runs, good ones among them. Only the written
answer is seen, as for every learned reward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.rewards.contract import Episode, Reward
from training.rewards.fit_learned import Example, train
from training.rewards.learned import Objective, RewardModel
from training.rewards.scenario_world import world_cases
from training.rewards.scenarios import pairs_of
from training.rewards.sentences import sentences, without_marks

SEED, CASES = 5, 30
LEARNED: dict[str, Objective] = {
    "learned pairs": "pairs",
    "learned labels": "labels",
    "learned demonstrations": "demonstrations",
}


@dataclass(frozen=True, slots=True)
class Trained:
    """A learned reward with the answers it was trained on."""

    name: str
    model: RewardModel
    examples: tuple[Example, ...]

    @property
    def reward(self) -> Reward:
        return Reward(
            self.name, self.model.rewards, 0, 1, "IRL survey 2507.13158", "outcome", ("answer",),
            ("feedback", "encoder"), "sees the answer's words alone, not the evidence", "group", encodes=_texts,
        )  # fmt: skip


def trained(names: Sequence[str], seed: int = SEED, cases: int = CASES) -> list[Trained]:
    """A learned reward for each name; seconds of training each. Raises KeyError for a name that is not there."""
    examples = [
        Example(pair.better.question, pair.better.written, pair.worse.written)
        for case in world_cases(seed, cases)
        for pair in pairs_of(case)
        if pair.better.written and pair.worse.written and pair.better.written != pair.worse.written
    ]
    mixed = [*examples, *(Example(example.question, worse=example.better) for example in examples)]
    made = []
    for name in names:
        used = mixed if LEARNED[name] == "demonstrations" else examples
        made.append(Trained(name, train(used, LEARNED[name]), tuple(examples)))
    return made


def _texts(episode: Episode) -> list[str]:
    """What a learned reward looks up."""
    told = without_marks(episode.written)
    return [episode.question, *(sentences(told) or [told])] if told and not episode.abstained else []
