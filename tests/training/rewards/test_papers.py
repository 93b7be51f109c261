"""Every paper's mixture loads, scores whole trajectories, and gives its printed sum, moved to 0..1."""

from dataclasses import replace

import pytest

from training.policy.rewarding import load_policy_preset
from training.rewards.advantages import advantages
from training.rewards.compose import compose, load_papers
from training.rewards.contract import Call, Episode, Evidence, Passage, Step, score_group
from training.rewards.hack_scenes import SCENES, blundering, honest, refusing, wrong
from training.rewards.registry import REWARDS

PAPERS = load_papers()
CALLS = (Call("search", (("q", "x"), ("k", 5))),)
GROUP = [
    replace(
        made(SCENES[0]), gold_calls=CALLS, calls=CALLS if at % 2 else (), principle="be concise", knows=False
    )
    for at, made in enumerate((honest, wrong, blundering, refusing))
]


@pytest.mark.parametrize("name", PAPERS)
def test_scores_trajectories_by_the_printed_sum(name: str) -> None:
    paper = PAPERS[name]
    assert paper.about and paper.read_in in ("code", "paper", "summary", "ours")
    assert load_policy_preset(name) == paper  # forage train policy --reward NAME
    columns = {key: score_group(REWARDS[key], GROUP) for key in paper.sum}
    applied = {key: weight for key, weight in paper.sum.items() if None not in columns[key]}
    totals = [one.total for one in compose(paper, GROUP)]
    if not applied:  # nothing of it applies to all of these runs: the neutral mix, or nothing at all
        assert set(totals) <= {None, 0.5}
        return
    least = sum(weight * REWARDS[key].low for key, weight in applied.items())
    most = sum(weight * REWARDS[key].high for key, weight in applied.items())
    for at, total in enumerate(totals):
        printed = sum(weight * float(columns[key][at] or 0.0) for key, weight in applied.items())
        assert total == pytest.approx((printed - least) / (most - least))
    assert len(advantages(paper, [GROUP])[0]) == len(GROUP)


def test_totals_are_the_published_values() -> None:
    """IKEA's 1.4 of -1 to 1.6; ToolRL's exact call with format, 4 of -3 to 4; ChatR1: F1 1 and intent 1, 1.2 of 1.2."""
    step = Step("search", query="who built it", results=(Passage("a", "Oster built it."),))
    run = Episode("who?", answer="Oster", golds=("Oster",), steps=(step,), evidence=(Evidence("a", "Oster built it."),),
                  rewrite="who built it", gold_calls=CALLS, calls=CALLS)  # fmt: skip

    def total(name: str) -> float:
        return compose(PAPERS[name], [run])[0].total or 0.0

    assert total("ikea") * 2.6 - 1 == pytest.approx(1.4)
    assert total("toolrl") * 7 - 3 == pytest.approx(4.0)
    assert total("chatr1") * 1.2 == pytest.approx(1.2)
    assert total("inforage") * 1.2 == pytest.approx(1.2)
    assert total("search_r1") == 1.0


def test_weights_are_those_of_the_papers() -> None:
    assert PAPERS["chatr1"].sum == {"f1": 1.0, "intent": 0.2}
    assert PAPERS["armed"].sum == {"f1": 0.5, "adaptive": 0.5}
    assert PAPERS["encoder_grpo"].sum == {"encoder": 1.0, "correct": 1.0, "format": 0.2}
    assert PAPERS["oni"].sum == {"correct": 0.1, "intrinsic_hash": 0.4}


def test_a_papers_gate() -> None:
    assert compose(PAPERS["mm_r5"], [replace(GROUP[0], well_formed=False)])[0].total == 0.0
