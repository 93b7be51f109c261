"""Texts to unit vectors with the packaged MiniLM, and exact token counts.

The tokenizer comes from the `tokenizers` library and the network is made on first use (index/backbone.py), so
counting tokens or opening the store costs no model.
"""

from __future__ import annotations

import importlib.metadata
import threading
from collections.abc import Sequence
from functools import cache

import numpy as np
from tokenizers import Tokenizer

from index.backbone import Backbone, backbone, batches, padded, unit_means
from index.minilm import MODEL_PACKAGE, model_folder
from index.types import Vectors

MAX_TOKENS = 256  # what the model was trained on; longer texts are cut


@cache
def tokenizer() -> Tokenizer:
    """The encoder's tokenizer without truncation or padding."""
    made = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made


def count_tokens(texts: Sequence[str]) -> list[int]:
    """Tokens of each text, special tokens not counted."""
    return [len(e.ids) for e in tokenizer().encode_batch_fast(list(texts), add_special_tokens=False)]


class MiniLMEmbedder:
    """all-MiniLM-L6-v2: mean pooling over tokens, unit length, 384 dimensions. Safe for threads."""

    dimension = 384

    def __init__(self) -> None:
        version = importlib.metadata.version(MODEL_PACKAGE)
        self.name = f"{MODEL_PACKAGE}-{version}-mean-{MAX_TOKENS}"
        self._lock = threading.Lock()
        self._backbone: Backbone | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit rows of shape (len(texts), 384), float32. Batches hold texts of like length."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        if not texts:
            return vectors
        ids = [e.ids[:MAX_TOKENS] for e in tokenizer().encode_batch_fast(list(texts))]
        layers = self._load()
        for rows in batches([len(i) for i in ids]):
            given = padded([(ids[row], [0] * len(ids[row])) for row in rows])
            vectors[rows] = unit_means(layers(*given), given[2])
        return vectors

    def _load(self) -> Backbone:
        with self._lock:
            if self._backbone is None:
                self._backbone = backbone()
            return self._backbone


@cache
def load_embedder() -> MiniLMEmbedder:
    """The one embedder of this process; its weights load on first use."""
    return MiniLMEmbedder()
