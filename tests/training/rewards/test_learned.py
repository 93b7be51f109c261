from pathlib import Path

import numpy as np
import pytest
import torch

from index.errors import ConfigError
from training.rewards.contract import Episode
from training.rewards.diagnostics import best_of_n, expected_calibration_error
from training.rewards.fit_learned import Example, train
from training.rewards.learned import Objective, RewardModel, Settings, bradley_terry, features, load
from training.rewards.preferences import ContextPreference, borda, reversal_pairs

PEOPLE = (
    "Mira Vell|Jon Aldin|Orla Fenn|Tam Rook|Ida Sand|Per Holm|Ada Quill|Bo Lund|Eva Strand|Kai Moor".split(
        "|"
    )
)
THINGS = "mill|bridge|tower|harbour|school|press|choir|lighthouse|market|library".split("|")
FILLERS = ("Nobody can say much about that.", "That is a matter of opinion.", "Who can tell such a thing?")
SETTINGS = Settings(hidden=32, epochs=40, batch=16, patience=5)


def _examples(count: int = 60, seed: int = 0) -> list[Example]:
    draw = np.random.default_rng(seed)
    made = []
    for at in range(count):
        thing, person = THINGS[at % 10], PEOPLE[int(draw.integers(10))]
        filler = FILLERS[int(draw.integers(3))]
        made.append(
            Example(
                f"Who built the {thing} number {at // 10}?",
                f"The {thing} was built by {person}.",
                f"{filler} ({at})",
            )
        )
    return made


@pytest.fixture(scope="module")
def model() -> RewardModel:
    return train(_examples(), "pairs", SETTINGS)


def test_bradley_terry_by_hand() -> None:
    assert float(bradley_terry(torch.zeros(2), torch.zeros(2))) == pytest.approx(0.6931, abs=1e-4)
    assert float(bradley_terry(torch.ones(1), torch.zeros(1), margin=1.0)) == pytest.approx(0.6931, abs=1e-4)


def test_unseen_pairs_are_ordered_and_calibrated(model: RewardModel) -> None:
    tests = _examples(40, seed=9)
    chances = [model.probability(e.question.replace("built", "made"), e.better, e.worse) for e in tests]
    assert np.mean([chance > 0.5 for chance in chances]) > 0.95
    assert expected_calibration_error(chances, [chance > 0.5 for chance in chances]) < 0.1
    assert model.probability("Who?", "a", "b") == pytest.approx(
        1 - model.probability("Who?", "b", "a"), abs=1e-6
    )


def test_the_bound_is_cautious(model: RewardModel) -> None:
    judged = model.judge("Who built the mill?", ["The mill was built by Ada Quill.", "zx qv %% 9"])
    for judgement in judged:
        assert judgement.bound == pytest.approx(judgement.mean - judgement.deviation)
        assert judgement.deviation > 0
    assert model.judge("q", []) == []


def test_saved_and_loaded_bit_for_bit(model: RewardModel, tmp_path: Path) -> None:
    path = tmp_path / "runs" / "reward.safetensors"
    model.save(path)
    again = load(path)
    rows = features(["Who built the mill?"], ["By Mira Vell."])
    assert np.array_equal(again.scores(rows), model.scores(rows))
    assert again.settings == SETTINGS and again.objective == "pairs"


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no reward model"):
        load(tmp_path / "missing.safetensors")


def test_the_same_seed_gives_the_same_model(model: RewardModel) -> None:
    rows = features(["Who built the mill?"], ["By Mira Vell."])
    assert np.array_equal(train(_examples(), "pairs", SETTINGS).scores(rows), model.scores(rows))


@pytest.mark.parametrize("objective", ["labels", "demonstrations"])
def test_labels_and_demonstrations(objective: Objective) -> None:
    alone = [Example(e.question, better=e.better) for e in _examples()]
    alone += [Example(e.question, worse=e.worse) for e in _examples()]
    made = train(alone, objective, SETTINGS)
    good, bad = made.judge("Who built the tower?", ["The tower was built by Ida Sand.", FILLERS[1]])
    assert good.bound > bad.bound


def test_nothing_to_learn_from() -> None:
    with pytest.raises(ValueError, match="no example"):
        train([Example("q", better="only one")], "pairs")


def test_length_is_taken_out(model: RewardModel) -> None:
    pairs = [
        Example(
            e.question,
            f"{e.better} {'It stands there still. ' * (at % 4)}",
            f"{e.worse} {'Well. ' * (at % 3)}",
        )
        for at, e in enumerate(_examples())
    ]
    made = train(pairs, "pairs", SETTINGS)
    rows = features([p.question for p in pairs], [p.better for p in pairs])
    scores = made.scores(rows).mean(axis=0)
    length = rows[:, -1]
    assert (
        abs(float(np.polyfit(length, scores, 1)[0]))
        < abs(float(np.polyfit(length, scores + made.length_slope * length, 1)[0])) + 1e-6
    )


def test_best_of_n_by_the_bound_does_not_lower_gold(model: RewardModel) -> None:
    questions = [f"Who built the {thing}?" for thing in THINGS[:4]]
    proxy, gold = [], []
    for at, question in enumerate(questions):
        answers = [f"The {THINGS[at]} was built by {PEOPLE[n % 10]}." for n in range(16)]
        answers += [f"{FILLERS[n % 3]} {'Well. ' * (n % 5)}" for n in range(48)]
        proxy.append([j.bound for j in model.judge(question, answers)])
        gold.append([1.0] * 16 + [0.0] * 48)
    assert not best_of_n(proxy, gold).caught


def test_reward_of_episodes(model: RewardModel) -> None:
    good = model.reward(Episode("Who built the mill?", text="The mill was built by Mira Vell."))
    assert good is not None and 0 < good < 1
    assert model.reward(Episode("q", abstained=True)) is None
    assert model.reward(Episode("q", text="x", well_formed=False)) == 0.0


SHORT, LONG = "be concise", "be detailed"
LONG_TAIL = (
    "It is told in many books that it was so, and much more could be added to this answer by those who know."
)


@pytest.fixture(scope="module")
def preference() -> ContextPreference:
    pairs = []
    for at, person in enumerate(PEOPLE):
        answers = [f"{person}.", f"It was {person} who built it. {LONG_TAIL} {LONG_TAIL}"]
        pairs += reversal_pairs(f"Who built the {THINGS[at]}?", [SHORT, LONG], answers)
    return ContextPreference(pairs)


A, B = "Nell Ash.", f"It was Nell Ash who built it. {LONG_TAIL} {LONG_TAIL}"


def test_reversal_pairs_hold_both_contexts() -> None:
    pairs = reversal_pairs("Who?", [SHORT, LONG], [A, B])
    assert {(p.context, p.better) for p in pairs} == {(SHORT, A), (LONG, B)}
    assert reversal_pairs("Who?", [SHORT, SHORT], [A, B]) == []


def test_the_context_turns_the_preference(preference: ContextPreference) -> None:
    assert preference.probability("Who built the barn?", SHORT, A, B) > 0.7
    assert preference.probability("Who built the barn?", LONG, A, B) < 0.3


def test_no_or_unknown_context_is_the_marginal(preference: ContextPreference) -> None:
    marginal = preference.marginal("Who built the barn?", A, B)
    assert preference.probability("Who built the barn?", "", A, B) == marginal
    assert preference.probability("Who built the barn?", "purple gravel sings at noon", A, B) == marginal
    assert preference.marginal("Who built the barn?", A, B, weights=[0, 1]) == preference.probability(
        "Who built the barn?", preference.contexts[1], A, B
    )


def test_borda() -> None:
    table = np.full((1, 3, 3), 0.5)
    table[0, 0, 1] = table[0, 0, 2] = 1.0
    table[0, 1, 0] = table[0, 2, 0] = 0.0
    assert borda(table) == [1.0, 0.25, 0.25]
    with pytest.raises(ValueError, match="two answers"):
        borda(np.zeros((1, 1, 1)))
    with pytest.raises(ValueError, match="at least one pair"):
        ContextPreference([])
