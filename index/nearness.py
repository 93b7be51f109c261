"""How near the sentences of an offer come to the words of a question, by meaning where the words themselves differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from index.features import Asked
from index.stop_words import STOP_WORDS
from index.word_vectors import word_vectors
from index.words import stem, words_of

Floats = npt.NDArray[np.float32]
NAMED_BY = (
    5  # best passages whose titles say which words of the question name things; the others say what is asked
)


@dataclass(frozen=True, slots=True)
class Nearness:
    """Rows are sentences."""

    words: Floats  # (sentences, question words): cosine of the nearest word, 1 for the word itself
    weights: Floats  # (question words,): rarity of each
    relation: Floats  # (question words,): the same, 0 for those that a title holds
    alike: (
        Floats  # (sentences, 2): cosine of the mean word with that of the question, and of its relation words
    )


def nearness(
    question: str,
    asked: Asked,
    titles: Sequence[frozenset[str]],
    sentences: Sequence[tuple[str, frozenset[str]]],
) -> Nearness:
    """titles: stems of each passage's title, best first; sentences: text and stems."""
    seen: dict[str, str] = {}
    for word in words_of(question):
        seen.setdefault(stem(word), word)
    weights = np.asarray(asked.weights, dtype=np.float32)
    named = frozenset().union(*titles[:NAMED_BY])
    relation = weights * np.array([word not in named for word in asked.words], dtype=np.float32)
    queries = word_vectors([seen.get(word, word) for word in asked.words])
    near = np.zeros((len(sentences), len(asked.words)), dtype=np.float32)
    means = np.zeros((len(sentences), queries.shape[1]), dtype=np.float32)
    for at, (text, stems) in enumerate(sentences):
        words = [word for word in dict.fromkeys(words_of(text)) if word not in STOP_WORDS]
        if not words or not asked.words:
            continue
        vectors = word_vectors(words)
        near[at] = (queries @ vectors.T).max(axis=1)
        near[at, [word in stems for word in asked.words]] = 1.0
        means[at] = vectors.mean(axis=0)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-6)
    asks = np.stack([weights @ queries, relation @ queries], axis=1)
    asks /= np.maximum(np.linalg.norm(asks, axis=0, keepdims=True), 1e-6)
    return Nearness(np.maximum(near, 0.0), weights, relation, means @ asks)
