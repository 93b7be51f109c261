import time
from collections.abc import Sequence

import numpy as np
import pytest

from index.encoders import load_embedder
from index.types import Vectors
from training.rewards import contrastive as contrast
from training.rewards import embedding, evidence_page, rubrics, verifying
from training.rewards import similarity as guarded
from training.rewards.contract import Episode, encode_for, score_group
from training.rewards.contrastive import contrastive, contrastive_margin
from training.rewards.embedding import CachedEmbedder, Calibration, cosine, fit, shared
from training.rewards.registry import REWARDS
from training.rewards.scenario_world import world_cases
from training.rewards.scenarios import pairs_of
from training.rewards.semantic import (
    AdaptiveSemantic,
    adapt,
    encoder,
    question_kind,
    regularised,
    relevance,
)
from training.rewards.sentences import sentences
from training.rewards.similarity import sentence_bmas, similarity, without_thought
from training.rewards.speed import siblings

TEXT = (
    "The Teal Bridge was designed by Mira Vell and opened in 1887. It crosses the River Aske near Tarsholm."
)

BF16 = 1e-3  # where the processor multiplies in bfloat16, a vector depends on its batch in the fourth digit


def test_similarity_orders_answers() -> None:
    same = similarity(TEXT, TEXT)
    other_words = similarity(
        "Mira Vell designed the Teal Bridge, which opened in 1887. Near Tarsholm it spans the River Aske.",
        TEXT,
    )
    half = similarity("The Teal Bridge was designed by Mira Vell.", TEXT)
    assert same == pytest.approx(1.0, abs=1e-3)
    assert same >= other_words > 0.8 > half > 0.1
    assert similarity("Rye bread needs a hot oven.", TEXT) < 0.1
    assert similarity("", TEXT) == 0.0


def test_errors_count_even_after_the_encoders_window() -> None:
    filler = " ".join(
        f"The mill number {n} stands at the river since {1500 + n} and grinds rye." for n in range(40)
    )
    long = f"{filler} {TEXT}"
    assert similarity(long.replace("1887", "1878"), long) < similarity(long, long)


def test_thought_is_left_out() -> None:
    assert similarity(f"<think>Rye bread, hot oven, who knows</think> {TEXT}", TEXT) == pytest.approx(
        1.0, abs=1e-3
    )
    assert without_thought("<think>never closed") == ""


class Counting:
    """An embedder that counts its calls and notes the texts."""

    name, dimension = "counting", 384

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(list(texts))
        return load_embedder().embed(texts)


def _use(cache: CachedEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every reward looks vectors up in this cache."""
    for module in (embedding, guarded, verifying, rubrics, contrast, evidence_page):
        monkeypatch.setattr(module, "shared", lambda: cache)


@pytest.mark.parametrize(
    "name", ["encoder", "relevance", "contrastive", "nuggets", "knowledge", "rubric", "page"]
)
def test_a_group_takes_one_pass_of_the_encoder(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in world_cases(11, 2) if case.bridge)
    runs = siblings(list(pairs_of(case)))[0]
    before = score_group(REWARDS[name], runs)
    counting = Counting()
    cache = CachedEmbedder(counting)
    _use(cache, monkeypatch)
    assert score_group(REWARDS[name], runs) == pytest.approx(before, abs=BF16)
    assert len(counting.calls) == 1
    assert score_group(REWARDS[name], runs) == pytest.approx(before, abs=BF16)
    assert len(counting.calls) == 1  # everything is known now


def test_a_mixture_takes_one_pass_and_stored_passages_none(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in world_cases(11, 2) if case.bridge)
    runs = siblings(list(pairs_of(case)))[0]
    chosen = [REWARDS[name] for name in ("encoder", "contrastive", "nuggets", "page")]
    texts = {p.text for run in runs for p in run.retrieved.values()}
    counting = Counting()
    cache = CachedEmbedder(counting)
    _use(cache, monkeypatch)
    cache.store({text: load_embedder().embed([f"Title\n{text}"])[0] for text in texts})
    encode_for(chosen, runs)
    alone = [score_group(reward, runs) for reward in chosen]
    assert len(counting.calls) == 1
    long = {text for text in texts if sentences(text) != [text]}  # of others an answer may quote the sentence
    assert long and not long & set(counting.calls[0])
    cache.forget()  # what the store gave too: now the passages are encoded, without their titles
    assert score_group(chosen[3], runs) != alone[3] and texts <= set(counting.calls[1])


def test_a_headline_is_judged_apart_only_where_nothing_repeats_it() -> None:
    told, wrong = "Mira Vell designed the Teal Bridge.", "Jon Aldin, not Mira Vell, designed the Teal Bridge."
    assert similarity(f"Mira Vell. {told}", told) == similarity(told, told)
    assert similarity(f"Jon Aldin. {told}", told) < 0.8 * similarity(told, told)
    assert similarity(f"Jon Aldin. {wrong}", told) < similarity(f"Mira Vell. {told}", told) / 2


def test_what_the_guards_reject_is_not_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting()
    cache = CachedEmbedder(counting)
    _use(cache, monkeypatch)
    assert similarity("Jon Aldin built the school in 1999.", "Mira Vell designed the bridge in 1887.") == 0.0
    assert counting.calls == []


@pytest.mark.slow  # a matter of the machine, not of the code
def test_encoder_reward_is_fast_enough() -> None:
    answers = [f"{TEXT} It has {n} arches." for n in range(40)]
    similarity(TEXT, TEXT)  # the weights load once
    started = time.perf_counter()
    for answer in answers:
        encoder(Episode("q", text=answer, reference=TEXT))
    assert (time.perf_counter() - started) / len(answers) < 0.1  # aim: 5 ms on two free cores


def test_armed_vector() -> None:
    raw = np.random.default_rng(0).normal(0.86, 0.03, 2000)
    shaped = np.array(adapt(raw.tolist(), raw.tolist()))
    assert raw.std() == pytest.approx(0.0303, abs=1e-3)
    assert shaped.std() == pytest.approx(0.3454, abs=0.01)
    low, high = np.quantile(shaped, [0.2, 0.8])
    assert (low, high) == pytest.approx((0.1, 0.9), abs=0.02)


def test_armed_waits_for_history_and_changes_nothing_by_itself() -> None:
    reward = AdaptiveSemantic()
    episodes = [
        Episode("q", text=TEXT, reference=TEXT),
        Episode("q", text="Bread.", reference=TEXT),
        Episode("q"),
    ]
    first = reward(episodes)
    assert first == reward(episodes)
    assert first[0] == pytest.approx(1.0, abs=1e-3) and first[2] is None
    for _ in range(40):
        reward.remember(episodes)
    assert len(reward.history) == 80
    assert reward(episodes)[0] != first[0]


def test_a_group_of_garbage_earns_no_spread() -> None:
    history = np.random.default_rng(1).normal(0.6, 0.1, 512).tolist()
    garbage, mixed = adapt([0.01, 0.02, 0.03], history), adapt([0.4, 0.6, 0.8], history)
    assert np.ptp(garbage) < 0.02 < np.ptp(mixed)  # under the floor of a group


def test_r3_vector() -> None:
    assert regularised(0.5, 50, 1.0) == 0.25
    assert regularised(0.5, 200, 1.0) == 0.5
    assert regularised(0.5, 200, 1.0, capped=False) == 1.0
    assert regularised(-0.2, 50, 1.0) == 0.0


def test_relevance() -> None:
    why = "Why did the Oster mill close?"
    good = (
        "The Oster mill closed because the river had changed its bed after the flood and the wheel stood dry."
    )
    assert relevance(Episode(why, text=why)) == 0.0
    assert (relevance(Episode(why, text=good)) or 0) > (
        relevance(Episode(why, text="Rye bread needs a hot oven.")) or 0
    )
    assert relevance(Episode("How long is the Aske?", text=good)) is None  # closed, no reference
    assert question_kind("How long is it?") == "closed"
    assert question_kind("When?", "text") == "open"


@pytest.mark.parametrize(
    ("positive", "negative", "text"),
    [
        ("Mira Vell designed the bridge.", "Jon Aldin designed the bridge.", "The bridge was designed by Mira Vell."),
        ("Mira Vell hat die Brücke entworfen.", "Jon Aldin hat die Brücke entworfen.",
         "Die Brücke wurde von Mira Vell entworfen."),
        ("Mira Vell a conçu le pont.", "Jon Aldin a conçu le pont.", "Le pont a été conçu par Mira Vell."),
        ("Mira Vell diseñó el puente.", "Jon Aldin diseñó el puente.", "El puente fue diseñado por Mira Vell."),
    ],
)  # fmt: skip
def test_contrast_in_four_languages(positive: str, negative: str, text: str) -> None:
    assert (contrastive_margin(text, positive, [negative]) or 0) > 0.7


def test_harder_negatives_lower_the_margin() -> None:
    text, positive = "The bridge was designed by Mira Vell.", "Mira Vell designed the bridge."
    easy = contrastive_margin(text, positive, ["Rye bread needs a hot oven."])
    hard = contrastive_margin(text, positive, ["Mira Sand designed the bridge."])
    assert easy is not None and hard is not None and easy > hard


def test_copies_of_the_positive_are_no_negatives() -> None:
    positive = "Mira Vell designed the bridge."
    assert (
        contrastive_margin("It was Mira Vell.", positive, [positive, "Mira Vell designed the bridge!"])
        is None
    )
    assert contrastive(Episode("q", answer="x", golds=("x",))) is None
    assert contrastive(Episode("q", golds=("x",), distractors=("y",))) == 0.0


def test_sentence_bmas() -> None:
    assert sentence_bmas(TEXT, TEXT) == pytest.approx(1.0, abs=1e-3)
    assert sentence_bmas(TEXT, "Rye bread needs a hot oven.", harmonic=True) < 0.3
    assert sentence_bmas("", TEXT) == 0.0


def test_calibration() -> None:
    found = fit(
        [(TEXT, "Rye bread needs a hot oven."), ("Lake Brune is deep.", "The choir sings.")],
        [
            (TEXT, "Mira Vell designed the Teal Bridge in 1887."),
            ("The lake is deep.", "Lake Brune is very deep."),
        ],
    )
    assert found.low < found.high
    assert found(found.low) == 0.0
    assert found(found.high) == pytest.approx(min((found.high - found.low) / 0.1, 1.0))
    assert Calibration(0.5, 0.5)(0.55) == pytest.approx(0.5)  # never steeper than 1 / 0.1
    with pytest.raises(ValueError, match="unrelated"):
        fit([], [])


def test_cache_forgets_what_was_not_asked_for_longest() -> None:
    cache = CachedEmbedder(shared(), size=2)  # type: ignore[arg-type]
    rows = cache.embed(["one", "two", "three"])
    assert rows.shape == (3, 384)
    assert list(cache._known) == ["two", "three"]
    assert np.array_equal(cache.embed(["two"])[0], rows[1])
    cache.embed(["four"])
    assert list(cache._known) == ["two", "four"]
    assert cosine("", "one") == 0.0
