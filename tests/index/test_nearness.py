"""Words by meaning: what a sentence says in other words than the question's."""

import numpy as np
import pytest

from index.features import Asked
from index.nearness import Nearness, nearness
from index.word_vectors import word_vectors
from index.words import stems_of


def rows(question: str, titles: list[str], sentences: list[str]) -> Nearness:
    words = tuple(stems_of(question))
    asked = Asked(words, np.full(len(words), 1 / max(len(words), 1), dtype=np.float32), compares=False)
    return nearness(
        question,
        asked,
        [frozenset(stems_of(t)) for t in titles],
        [(s, frozenset(stems_of(s))) for s in sentences],
    )


def test_vectors_are_unit_and_of_one_size() -> None:
    vectors = word_vectors(["spouse", "zyxwvutsrq", "人", "1887"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-3)
    assert word_vectors([]).shape == (0, vectors.shape[1])


@pytest.mark.parametrize(
    ("word", "near", "far"),
    [("spouse", "married", "river"), ("birth", "born", "film"), ("died", "killed", "opened")],
)
def test_near_words_are_nearer(word: str, near: str, far: str) -> None:
    one, other, third = word_vectors([word, near, far])
    assert one @ other > one @ third + 0.2


def test_what_is_asked_is_what_no_title_names() -> None:
    near = rows(
        "spouse mira vell",
        ["Mira Vell"],
        ["Mira Vell was an engineer.", "She married Jon Aske.", "His spouse sang."],
    )
    assert near.relation.tolist() == pytest.approx([1 / 3, 0.0, 0.0])
    assert near.words[0, 1:].tolist() == [1.0, 1.0]
    assert near.words[0, 0] < near.words[1, 0] < near.words[2, 0] == 1.0
    assert near.alike[1, 1] > near.alike[0, 1]


@pytest.mark.parametrize("question", ["", "?!", "who"])
def test_nothing_to_compare(question: str) -> None:
    near = rows(question, [""], ["", "The of."])
    assert near.words.shape == (2, len(stems_of(question)))
    assert np.isfinite(near.alike).all()
    assert rows(question, [], []).alike.shape == (0, 2)
