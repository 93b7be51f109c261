"""The hop-conditioned query encoder: question + evidence found so far -> what to look for next, as a vector.

A copy of the packaged encoder whose layers were trained (`forage train skill hop`) so that its unit vector lies
near the stored passage vectors that are still missing. Passages keep the vectors they have: nothing is indexed
again. The state is read as [CLS] question [SEP] evidence [SEP] evidence ... [SEP], each evidence "title\\ntext",
cut so that all of them share EVIDENCE_TOKENS.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from index import delta
from index.backbone import Backbone, backbone, batches, padded, unit_means
from index.encoders import tokenizer
from index.errors import StoreError
from index.minilm import load_bert, model_folder
from index.types import Vectors

DIMENSION = 384
MAX_QUESTION_TOKENS = 48
EVIDENCE_TOKENS = 120  # of all evidence together
MAX_EVIDENCE = 3  # of more, the last ones count
CLS, SEP = 101, 102
State = tuple[str, Sequence[str]]  # question, evidence texts


class HopEncoder:
    """Encodes search states. Safe for threads; weights load on first use."""

    dimension = DIMENSION

    def __init__(self, weights: Path, layers: Backbone | None = None) -> None:
        self._path = weights
        self._lock = threading.Lock()
        self._backbone = layers  # as this processor runs them best, unless given

    def encode(self, question: str, evidence: Sequence[str]) -> Vectors:
        """Unit vector of shape (384,): its dot product with a stored passage vector says how useful it is now."""
        vector: Vectors = self.encode_batch([(question, evidence)])[0]
        return vector

    def encode_batch(self, states: Sequence[State]) -> Vectors:
        """Unit rows of shape (len(states), 384), float32, in order."""
        vectors = np.zeros((len(states), DIMENSION), dtype=np.float32)
        if not states:
            return vectors
        layers = self._load()
        encoded = [encode_state(question, evidence) for question, evidence in states]
        for rows in batches([len(ids) for ids, _ in encoded]):
            given = padded([encoded[row] for row in rows])
            vectors[rows] = unit_means(layers(*given), given[2])
        return vectors

    def _load(self) -> Backbone:
        with self._lock:
            if self._backbone is None:
                self._backbone = backbone(self._path)
            return self._backbone


def encode_state(question: str, evidence: Sequence[str]) -> tuple[list[int], list[int]]:
    """Token ids and types (0 question, 1 evidence) of a state.

    >>> encode_state("Who?", ["Mill"])
    ([101, 2040, 1029, 102, 4971, 102], [0, 0, 0, 0, 1, 1])
    """
    kept = list(evidence)[-MAX_EVIDENCE:]
    asked, *found = tokenizer().encode_batch([question, *kept], add_special_tokens=False)
    ids = [CLS, *asked.ids[:MAX_QUESTION_TOKENS], SEP]
    types = [0] * len(ids)
    for one in found:
        part = [*one.ids[: EVIDENCE_TOKENS // len(found)], SEP]
        ids += part
        types += [1] * len(part)
    return ids, types


def build_network(weights: Path | None = None) -> Any:
    """What is trained, in PyTorch: the encoder as packaged, or with the change that a weights file stores.

    (ids, types, mask) -> unit vectors (b, 384); `sharpness` serves training alone. Without evidence it
    starts as the packaged embedder: mean over the tokens, unit length.
    """
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = load_bert(model_folder(), half=False)
            self.sharpness = torch.nn.Parameter(torch.tensor(20.0).log())  # of the softmax: 1 / temperature

        def forward(self, ids: Any, types: Any, mask: Any) -> Any:
            states = self.encoder(input_ids=ids, token_type_ids=types, attention_mask=mask).last_hidden_state
            weights = mask.unsqueeze(-1).float()
            pooled = (states.float() * weights).sum(1) / weights.sum(1)
            return torch.nn.functional.normalize(pooled, dim=-1)

    network = Network()
    if weights is not None:
        delta.apply(network, delta.load(weights))
    return network


def shipped_weights() -> Path | None:
    """The trained weights that ship with the package, or None when this checkout has none."""
    path = Path(str(files("index").joinpath("weights/hop.safetensors")))
    return path if path.is_file() else None


@cache
def load_hop_encoder() -> HopEncoder:
    """The hop encoder of this process. StoreError when no weights ship."""
    path = shipped_weights()
    if path is None:
        raise StoreError(
            "The weights of the hop encoder (index/weights/hop.safetensors) are missing from this installation. "
            "Install Forage again, or search with --mode ranked."
        )
    return HopEncoder(path)
