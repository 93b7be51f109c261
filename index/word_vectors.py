"""Vectors of single words, looked up and not computed: the encoder's input embeddings without what all words share.

"Spouse" is near "married" and "birth" near "born", at the price of a table of 23 MB and microseconds a word. The mean
and the strongest directions, which say how frequent a word is, are taken out (Mu and Viswanath 2018, All-but-the-Top).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
from safetensors import safe_open

from index.encoders import tokenizer
from index.minilm import model_folder

Floats = npt.NDArray[np.float32]
COMMON = 3  # directions taken out


def word_vectors(words: Sequence[str]) -> Floats:
    """Unit rows of shape (words, dimension); a word of several pieces has their mean."""
    return (
        np.stack([_vector(word) for word in words]) if words else np.zeros((0, _table().shape[1]), np.float32)
    )


@lru_cache(maxsize=20_000)
def _vector(word: str) -> Floats:
    pieces = tokenizer().encode(word, add_special_tokens=False).ids
    mean = (
        _table()[pieces].astype(np.float32).mean(axis=0)
        if pieces
        else np.zeros(_table().shape[1], np.float32)
    )
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), dtype=np.float32)


@cache
def _table() -> npt.NDArray[np.float16]:
    with safe_open(str(model_folder() / "model.safetensors"), "numpy") as held:
        name = next(key for key in held.keys() if key.endswith("word_embeddings.weight"))  # noqa: SIM118
        rows = held.get_tensor(name).astype(np.float32)
    centred = rows - rows.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)  # ascending
    common = directions[:, -COMMON:]
    return np.asarray(centred - (centred @ common) @ common.T, dtype=np.float16)
