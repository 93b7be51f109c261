import math
from dataclasses import replace

import pytest

from training.rewards.contract import Episode, Passage, Reward, Step, score_group, unit
from training.rewards.hack_scenes import SCENES, honest, wrong
from training.rewards.registry import REWARDS, with_model

EPISODES = [honest(SCENES[0]), wrong(SCENES[0])]


def _reward(score: object, level: str = "episode") -> Reward:
    return Reward("tried", score, 0, 2, "ours", "outcome", ("answer",), (), "", level)  # type: ignore[arg-type]


def test_a_reward_that_raises_is_not_a_zero() -> None:
    def broken(episode: Episode) -> float:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        score_group(_reward(broken), EPISODES)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_only_finite_numbers_count(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        score_group(_reward(lambda episode: value), EPISODES)


def test_a_group_reward_scores_each() -> None:
    with pytest.raises(ValueError, match="1 scores for 2"):
        score_group(_reward(lambda episodes: [1.0], "group"), EPISODES)


def test_a_formula_does_not_score_episodes() -> None:
    with pytest.raises(ValueError, match="formula"):
        score_group(REWARDS["retro_star"], EPISODES)


def test_unreadable_output_scores_lowest_but_none_stays() -> None:
    broken = [replace(episode, well_formed=False) for episode in EPISODES]
    assert score_group(REWARDS["sufficiency"], broken) == [0, 0]
    assert score_group(REWARDS["expansion"], [replace(broken[0], steps=())]) == [None]


def test_unit_scale() -> None:
    assert unit(_reward(None), 1.0) == 0.5
    assert unit(_reward(None), 7.0) == 1.0
    assert unit(_reward(None), None) is None
    assert unit(REWARDS["ikea"], 1.6) == 1.0


def test_first_sight_of_a_passage_counts() -> None:
    episode = Episode(
        "q",
        steps=(
            Step("search", results=(Passage("a", "first"),)),
            Step("refine", results=(Passage("a", "late"),)),
        ),
    )
    assert [p.text for p in episode.retrieved.values()] == ["first"]
    assert len(episode.searches) == 2


@pytest.mark.parametrize(
    "reward", [r for r in REWARDS.values() if r.level != "formula"], ids=lambda r: r.name
)
def test_honest_work_stays_in_the_declared_range(reward: Reward) -> None:
    for scene in SCENES:
        for value in score_group(reward, [honest(scene), wrong(scene), Episode(scene.question)]):
            assert value is None or reward.low <= value <= reward.high


@pytest.mark.parametrize(
    "reward", [r for r in REWARDS.values() if r.level != "formula"], ids=lambda r: r.name
)
def test_without_any_gold_what_needs_it_says_none(reward: Reward) -> None:
    bare = Episode(
        "Who?", answer="Mira Vell", steps=(Step("search", query="Who?", results=(Passage("a", "A text."),)),)
    )
    value = score_group(reward, [bare])[0]
    if {"gold", "evidence", "label", "teacher", "reference"} & set(reward.needs):
        assert value is None


def test_metadata_is_complete() -> None:
    for name, reward in REWARDS.items():
        assert name == reward.name
        assert reward.low < reward.high
        assert reward.hack and reward.paper and reward.reads


class Model:
    """A language model that answers with a fixed text."""

    name = "fixed"

    def __init__(self, reply: str) -> None:
        self.reply = reply

    def complete(
        self, system: str, prompt: str, *, max_tokens: int = 512, deadline: float | None = None
    ) -> object:
        from agent.types import Completion

        return Completion(self.reply, 1, 1, "stop")


def test_language_model_bodies_are_labelled_and_share_the_signature() -> None:
    rewards = with_model(Model('["support", "not_support"]'))  # type: ignore[arg-type]
    assert {reward.body for reward in rewards.values()} == {"llm"}
    assert score_group(rewards["nuggets_llm"], EPISODES[:1]) == [0.5]
    assert score_group(rewards["principle_llm"], EPISODES) == [None, None]  # no scores in that reply
