"""What is not encoded changes nothing: the bests are those of a full matrix of cosines, and quotations cost no pass."""

import numpy as np
import pytest

from training.rewards import embedding, rubrics, similarity, verifying
from training.rewards.bounds import axes, equal, filled, unsettled
from training.rewards.contract import Episode, Evidence, Passage, Step
from training.rewards.embedding import CachedEmbedder
from training.rewards.process import knowledge, knowledge_texts
from training.rewards.rubrics import distinct, nugget_texts, nuggets
from training.rewards.semantic import encoder, encoder_texts

MILL, BUILT = "The Oster Mill lies on the Aske.", "Mira Vell built the Oster Mill in 1887."


@pytest.mark.parametrize("seed", range(20))
def test_the_bests_are_those_of_the_full_matrix(seed: int) -> None:
    draw = np.random.default_rng(seed)
    shape = (int(draw.integers(1, 7)), int(draw.integers(1, 7)))
    most = draw.choice([0.0, 0.25, 0.5, 1.0], shape)
    same = draw.random(shape) < 0.2
    calibrated = np.where(same, 1.0, draw.random(shape))
    own = draw.random(shape[0]) < 0.5
    needed = unsettled(most, same, own)
    rows, columns = axes(needed)
    got = filled(most, same, needed, calibrated[np.ix_(rows, columns)])
    assert np.array_equal(got.max(axis=0), (calibrated * most).max(axis=0))
    assert np.array_equal(got[own].max(axis=1), (calibrated * most)[own].max(axis=1))
    assert not (needed & (same | (most == 0))).any()


def test_texts_are_equal_as_the_encoder_reads_them() -> None:
    assert equal([MILL, BUILT], [MILL.upper(), "Mira Vell"]).tolist() == [[True, False], [False, False]]
    assert equal([], ["a"]).shape == (0, 1) and equal(["a"], []).shape == (1, 0)


def test_an_answer_that_quotes_its_reference_is_not_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        name, dimension = "refusing", 384

        def embed(self, texts: object) -> None:
            raise AssertionError(f"encoded: {texts}")

    cache = CachedEmbedder(Refusing())  # type: ignore[arg-type]
    for module in (embedding, similarity, verifying, rubrics):
        monkeypatch.setattr(module, "shared", lambda: cache)
    quoting = Episode(
        "Who built the Oster Mill?", text=f"Mira Vell. [1] {BUILT} [1] {MILL} [2]", reference=f"{MILL} {BUILT}",
        nuggets=(MILL, BUILT), evidence=(Evidence("a", BUILT),),
        steps=(Step("search", query="Bruck", results=(Passage("a", BUILT),), summary=f"{MILL} {BUILT}"),),
    )  # fmt: skip
    assert encoder_texts(quoting) == nugget_texts(quoting) == knowledge_texts(quoting) == []
    assert encoder(quoting) == 17 / 18 and nuggets(quoting) == 1.0  # "the oster mill" is said twice
    assert knowledge(quoting) == pytest.approx(0.1 + 0.3 + 0.3)  # consistent, shown, noted; not in the query
    assert distinct([MILL, BUILT]) == [MILL, BUILT]


def test_near_copies_of_a_fact_are_still_compared() -> None:
    assert distinct([BUILT, f"{BUILT[:-1]}", MILL]) == [BUILT, MILL]
    assert distinct([]) == []
