"""The suite against hacking on every reward and preset; what still fails is named with its reason, and does fail."""

import pytest

from training.rewards.contract import Episode, Reward, Score
from training.rewards.hacks import HACKS, KNOWN, Hack, run, subjects, suite
from training.rewards.outcome import exact

CASES = [(reward, hack) for reward in subjects() for hack in HACKS if hack.applies(reward)]


@pytest.mark.parametrize(("reward", "hack"), CASES, ids=[f"{r.name}-{h.name}" for r, h in CASES])
def test_not_fooled(reward: Reward, hack: Hack) -> None:
    found = suite()[reward.name, hack.name].detail
    if (reward.name, hack.name) in KNOWN:
        assert found, "it holds now: take it off the list of known failures"
    else:
        assert not found


def test_all_twenty_apply_to_something() -> None:
    assert len(HACKS) == 20
    assert {hack.name for _, hack in CASES} == {hack.name for hack in HACKS}


def test_the_list_names_only_what_exists() -> None:
    assert set(KNOWN) <= {(reward.name, hack.name) for reward, hack in CASES}


def test_a_reward_made_to_be_hacked_is_caught() -> None:
    def longest(episode: Episode) -> Score:
        return min(len(episode.written.split()) / 100, 1.0)

    bad = Reward("length", longest, 0, 1, "ours", "outcome", ("answer",), ("gold",), "length")
    failed = {outcome.test for outcome in run(bad) if not outcome.passed}
    assert {"pad", "stuff", "dominance", "goodhart"} <= failed


def test_an_honest_reward_passes() -> None:
    good = Reward("plain", exact, 0, 1, "ours", "outcome", ("answer",), ("gold",), "")
    assert all(outcome.passed for outcome in run(good))
