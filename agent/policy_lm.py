"""A language model that was trained to decide (`forage train policy-lm`), as a policy of the agent.

Its folder holds a causal model with its tokenizer as transformers writes them, and a card. It reads the same text that
it was trained on (agent.policy_text) and writes nothing: the probabilities of the legal actions' names decide. Where
it cannot be asked, the fallback decides and the mistake goes on record.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from agent.causal_lm import Weights, weights_of
from agent.policy import FEATURES, Choice, Policy, Situation
from agent.policy_text import Levels, conversation
from agent.trained import settled
from index.errors import ModelError, StoreError

CARD = "forage-policy.json"
_one_at_a_time = Lock()  # a model fills the machine


@dataclass(frozen=True)
class TextPolicy:
    """Decides by the probability that the model gives to each legal action's name, the best first."""

    name: str
    weights: Weights
    card: Mapping[str, Any]
    fallback: Policy
    levels: Levels
    _features: tuple[int, ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "_features", tuple(FEATURES.index(name) for name in self.levels.bounds))

    @property
    def fingerprint(self) -> str:
        """Of the weights, as the card holds it."""
        return str(self.card["sha256"])[:12]

    def decide(self, situation: Situation) -> Choice:
        """See the class."""
        try:
            return settled(situation, self.card["unseen"], lambda legal: self._odds(situation, legal))
        except (ModelError, RuntimeError, ValueError, LookupError) as error:  # also CUDA out of memory
            said = " ".join(str(error).split())[:300]
            return replace(self.fallback.decide(situation), error=f"{self.name} could not decide: {said}")

    def _odds(self, situation: Situation, legal: tuple[str, ...]) -> dict[str, float]:
        if not legal:
            return {}
        with _one_at_a_time:
            self.weights.load()
            scorer = self.weights.scorer()
            turns = [(self._state(values), action) for values, action in situation.earlier]
            end = str(scorer.tokenizer.eos_token)
            text = conversation(situation.question, turns, self._state(situation.values), self.levels, end)
            scores = np.array(scorer.scores([scorer.prompt_ids(text)], [legal])[0])
        odds = np.exp(scores - scores.max())
        return dict(zip(legal, (odds / odds.sum()).tolist(), strict=True))

    def _state(self, values: tuple[float, ...]) -> dict[str, float]:
        return {FEATURES[at]: values[at] for at in self._features}


def open_text_policy(folder: Path, name: str, fallback: Policy) -> TextPolicy:
    """The policy of a folder; its model is loaded by the first decision. StoreError where the card is missing, damaged,
    or names features that this version of the agent does not have."""
    try:
        card = json.loads((folder / CARD).read_text("utf-8"))
        features, unseen, _ = card["features"], card["unseen"], card["sha256"]
        levels = Levels.from_dict({name: card["levels"][name] for name in features})
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise StoreError(
            f"{folder} holds no language-model policy: {CARD} is missing or damaged ({error}). A folder written by "
            "`forage train policy-lm` was expected."
        ) from error
    strange = [feature for feature in features if feature not in FEATURES]
    if strange or not isinstance(unseen, list):
        raise StoreError(
            f"The policy {name} was trained for other features of the agent ({', '.join(strange[:3])}). Train it "
            "again: forage train policy-lm"
        )
    return TextPolicy(name, weights_of(folder), card, fallback, levels)


def hash_of(folder: Path) -> str:
    """SHA-256 of a model folder's weights and tokenizer, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.safetensors"), *folder.glob("tokenizer*")]):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
