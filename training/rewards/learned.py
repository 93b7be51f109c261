"""Rewards learned from people: from pairs (Bradley-Terry), from right/wrong labels, from demonstrations.

Small networks over the packaged encoder's vectors, three members each; what a trainer gets is the lower
confidence bound, mean minus deviation, because a policy finds the answers a single model is wrong about. The
slope of the score on the answer's length is measured within levels of quality and subtracted. After the standard
forms in the survey of inverse reinforcement learning for post-training (arXiv 2507.13158; from knowledge);
settings are ours. Saved as safetensors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from index.errors import ConfigError
from training.rewards.contract import Episode, Score
from training.rewards.embedding import shared, text_vectors
from training.rewards.guards import word_jaccard
from training.rewards.sentences import citation_marks, trigram_uniqueness, without_marks

Objective = Literal["pairs", "labels", "demonstrations"]
Matrix = npt.NDArray[np.float32]
MEMBERS = 3


@dataclass(frozen=True, slots=True)
class Settings:
    """How a reward model is trained."""

    hidden: int = 256
    dropout: float = 0.1
    rate: float = 1e-3
    decay: float = 1e-2
    epochs: int = 20
    patience: int = 3
    held_out: float = 0.2  # share of the questions that stop the training
    batch: int = 64
    seed: int = 0
    caution: float = 1.0  # deviations taken off the mean


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an ensemble says of one answer. `bound` is the reward."""

    mean: float
    deviation: float
    bound: float


def features(questions: Sequence[str], answers: Sequence[str]) -> Matrix:
    """Rows [q, a, |q - a|, q * a, overlap, unique trigrams, citations a sentence, log length]: (n, 4 * 384 + 4).

    An answer's vector is made of its sentences', which other rewards look up too; the marks of its citations are
    counted, not read.
    """
    plain = [without_marks(answer) for answer in answers]
    q, a = shared().embed(questions), text_vectors(plain).astype(np.float32)
    cheap = np.array(
        [
            [word_jaccard(x, y), trigram_uniqueness(y), citation_marks(z), math.log1p(len(y.split())) / 5]
            for x, y, z in zip(questions, plain, answers, strict=True)
        ],
        dtype=np.float32,
    ).reshape(len(answers), 4)
    return np.concatenate([q, a, np.abs(q - a), q * a, cheap], axis=1).astype(np.float32)


def bradley_terry(better: Tensor, worse: Tensor, margin: float = 0.0) -> Tensor:
    """Mean of -log sigmoid(r+ - r- - margin): shapes (n,) to a scalar.

    Equal scores: log 2 = 0.6931; a difference of 1: 0.3133.

    >>> round(float(bradley_terry(torch.tensor([1.0]), torch.tensor([0.0]))), 4)
    0.3133
    """
    return -nn.functional.logsigmoid(better - worse - margin).mean()


class RewardModel:
    """An ensemble of small networks from features to a score, with its length correction."""

    def __init__(self, width: int, settings: Settings, objective: Objective) -> None:
        self.width, self.settings, self.objective = width, settings, objective
        self.members = [_network(width, settings, settings.seed + at) for at in range(MEMBERS)]
        self.length_slope = 0.0

    def scores(self, rows: Matrix) -> npt.NDArray[np.float64]:
        """Scores of each member: shape (members, n), the length correction applied."""
        data = torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32))
        with torch.inference_mode():
            raw = np.stack([member.eval()(data).squeeze(-1).numpy() for member in self.members])
        return np.asarray(raw - self.length_slope * rows[:, -1], dtype=np.float64)

    def hidden(self, rows: Matrix) -> npt.NDArray[np.float64]:
        """What the first member makes of the features, before its score: shape (n, hidden)."""
        data = torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32))
        with torch.inference_mode():
            return np.asarray(self.members[0].eval()[:-1](data).numpy(), dtype=np.float64)

    def judge(self, question: str, answers: Sequence[str]) -> list[Judgement]:
        """Mean, deviation over members and lower bound for each answer; unbounded real numbers."""
        return self._judged([question] * len(answers), answers)

    def _judged(self, questions: Sequence[str], answers: Sequence[str]) -> list[Judgement]:
        if not answers:
            return []
        found = self.scores(features(questions, answers))
        means, deviations = found.mean(axis=0), found.std(axis=0)
        return [
            Judgement(float(m), float(d), float(m - self.settings.caution * d))
            for m, d in zip(means, deviations, strict=True)
        ]

    def probability(self, question: str, a: str, b: str) -> float:
        """P(a is better than b): the mean over members of sigmoid(r(a) - r(b))."""
        found = self.scores(features([question] * 2, [a, b]))
        return float(np.mean(1 / (1 + np.exp(found[:, 1] - found[:, 0]))))

    def reward(self, episode: Episode) -> Score:
        """The sigmoid of the lower bound, 0 to 1; 0.0 for what could not be read. An abstention is None.

        Three members that all say 1 for every answer: mean 1, deviation 0, sigmoid(1).

        >>> model = RewardModel(features(["q"], ["a"]).shape[1], Settings(), "pairs")
        >>> for member in model.members:
        ...     _ = nn.init.zeros_(member[-1].weight), nn.init.ones_(member[-1].bias)
        >>> round(model.reward(Episode("q", answer="Oster")), 4), model.reward(Episode("q", well_formed=False))
        (0.7311, 0.0)
        """
        return self.rewards([episode])[0]

    def rewards(self, episodes: Sequence[Episode]) -> list[Score]:
        """`reward` of each episode; all of them pass the networks together."""
        told = {(e.question, e.written): 0.0 for e in episodes if _readable(e)}
        judged = self._judged([question for question, _ in told], [answer for _, answer in told])
        for key, found in zip(told, judged, strict=True):
            told[key] = 1 / (1 + math.exp(-min(max(found.bound, -30.0), 30.0)))
        return [
            told[e.question, e.written] if _readable(e) else None if e.well_formed else 0.0 for e in episodes
        ]

    def save(self, path: Path) -> None:
        """One safetensors file: weights, settings, objective and length slope."""
        tensors = {
            f"{at}.{name}": value.contiguous()
            for at, member in enumerate(self.members)
            for name, value in member.state_dict().items()
        }
        about = {
            "width": self.width,
            "objective": self.objective,
            "length_slope": self.length_slope,
            "settings": asdict(self.settings),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, path, metadata={"reward_model": json.dumps(about)})


def _readable(episode: Episode) -> bool:
    return episode.well_formed and not episode.abstained and bool(episode.written)


def load(path: Path) -> RewardModel:
    """A saved model. Raises ConfigError where the file is missing or none of ours."""
    try:
        with safe_open(str(path), framework="pt") as file:
            about = json.loads((file.metadata() or {})["reward_model"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError(f"{path} is no reward model: {error}. Train one and name its file.") from error
    model = RewardModel(about["width"], Settings(**about["settings"]), about["objective"])
    for at, member in enumerate(model.members):
        prefix = f"{at}."
        member.load_state_dict(
            {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        )
    model.length_slope = about["length_slope"]
    return model


def _network(width: int, settings: Settings, seed: int) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Linear(width, settings.hidden),
            nn.GELU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.hidden, 1),
        )
