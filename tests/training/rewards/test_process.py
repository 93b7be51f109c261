import pytest

from training.rewards.boundary import f1_aware, gate_label, ikea, ikea_score, saas, saas_scores, suffices
from training.rewards.contract import Episode, Evidence, Passage, Step
from training.rewards.cost import abstention, redundancy, right_and_cheap, searches, steps, tokens
from training.rewards.coverage import answer_shown
from training.rewards.hack_scenes import SCENES, honest
from training.rewards.process import (
    consistency,
    knowledge,
    memory,
    potential_shaping,
    process_score,
    single_hop_outcome,
    sufficiency,
)


@pytest.mark.parametrize(
    ("right", "searches", "well_formed", "expected"),
    [
        (True, 0, True, 1.6), (True, 1, True, 1.4), (True, 2, True, 1.2), (True, 3, True, 1.0), (True, 7, True, 1.0),
        (False, 0, True, 0.0), (False, 2, True, 0.05), (True, 0, False, -1.0), (False, 3, False, -1.0),
    ],
)  # fmt: skip
def test_ikea_vector(right: bool, searches: int, well_formed: bool, expected: float) -> None:
    assert ikea_score(right, searches, well_formed) == pytest.approx(expected)


def test_ikea_gives_no_bonus_for_refusing_unseen() -> None:
    assert ikea(Episode("q", abstained=True, answerable=False)) == 1.0
    assert ikea(Episode("q", answer="x", answerable=False)) == 0.0
    assert ikea(Episode("q", answer="x")) is None


def test_tearag_vector() -> None:
    q, c, s = (0.9, 0.8), (0.95, 0.9), (0.9, 0.7)
    two = process_score(1.0, memory(q, 2), memory(c, 2), memory(s, 2))
    three = process_score(2 / 3, memory(q, 3), memory(c, 3), memory(s, 3))
    assert two == pytest.approx(0.8725)
    assert three == pytest.approx(0.5817, abs=1e-4)


def test_knowledge_of_episodes() -> None:
    good = honest(SCENES[0])
    full = knowledge(good)
    assert full is not None and 0.5 < full <= 1.0
    wasteful = Episode(**{**_fields(good), "steps": good.searches * 2})
    assert (knowledge(wasteful) or 0.0) < full  # more steps, nothing new
    assert knowledge(Episode("q", steps=good.steps)) is None
    assert knowledge(Episode("q", evidence=good.evidence)) is None


def _fields(episode: Episode) -> dict[str, object]:
    return {name: getattr(episode, name) for name in Episode.__slots__}


def test_consistency_and_sufficiency() -> None:
    assert consistency(Episode("q")) is None
    assert sufficiency(Episode("q")) is None
    assert sufficiency(Episode("q", evidence=(Evidence("a"),))) == 0.0


def test_single_hop_divides_the_outcome() -> None:
    made = Episode("q", answer="x", golds=("x",), steps=(Step("search"),) * 4)
    assert single_hop_outcome(made, published=True) == 0.25
    assert single_hop_outcome(made) == 0.625
    half = Episode("q", answer="x z z", golds=("x",), steps=(Step("search"),))
    assert (
        single_hop_outcome(half, published=True) or 0
    ) > 0.25  # as published it beats the right answer above
    assert (single_hop_outcome(half) or 1) < 0.5
    assert single_hop_outcome(Episode("q", answer="x", golds=("x",))) == 1.0
    assert single_hop_outcome(Episode("q", golds=("x",), evidence=(Evidence("a"), Evidence("b")))) is None


def test_shaping_sums_to_minus_the_start() -> None:
    for path in ([0.2, 0.9, 0.4], [0.2, 0.1, 0.1, 0.7, 1.0]):
        assert sum(potential_shaping(path)) == pytest.approx(-0.2)


def test_f1_aware_vector() -> None:
    knows = [True, True, False, False]
    assert f1_aware(knows, [True] * 4) == 0.0
    assert f1_aware(knows, [False, False, True, True]) == 1.0
    # One hit, one false alarm, one miss: 2 / (2 + 2).
    assert f1_aware(knows, [False, True, False, True]) == 0.5


def test_labels() -> None:
    assert suffices([]) is None
    assert suffices([True, False]) is True
    assert suffices([True, False, False]) is False
    assert gate_label(Episode("q")) is None
    assert gate_label(Episode("q", knows=True, steps=(Step("search"),))) == 0.0


def test_saas_easy_middle_hard() -> None:
    assert saas_scores([True, True, True], [0, 0, 2], [False, False, True], [0] * 3) == [1.0, 1.0, 0.9]
    # Middle: the fewest searches among right rollouts with search are free.
    assert saas_scores([False, True, True], [0, 1, 3], [False, True, True], [0] * 3) == [0.0, 1.0, 0.9]
    assert saas_scores([False, False], [0, 4], [False, True], [0, 2]) == [0.0, -0.2]


def test_saas_of_episodes() -> None:
    step = Step("search", query="same")
    right = Episode("q", answer="x", golds=("x",), steps=(step,))
    again = Episode("q", answer="x", golds=("x",), steps=(step, step))
    assert saas([right, again]) == pytest.approx([1.0, 0.85])
    assert saas([right, Episode("q")]) == [None, None]


def test_abstention_over_a_balanced_set() -> None:
    refuse = [Episode("q", abstained=True, answerable=a) for a in (True, False)]
    answer = [Episode("q", answer="x", golds=("x",)), Episode("q", answer="x", answerable=False)]
    due = [answer[0], refuse[1]]
    means = [sum(abstention(e) or 0 for e in episodes) / 2 for episodes in (refuse, answer, due)]
    assert means == [0.0, 0.0, 0.75]
    assert abstention(Episode("q", answer="x")) is None


def test_costs() -> None:
    made = Episode("q", answer="x", golds=("x",), steps=(Step("search", tokens=500),) * 3)
    assert (searches(made), tokens(made), steps(made)) == (0.5, 0.25, 0.75)
    assert (tokens(Episode("q")), steps(Episode("q"))) == (None, None)
    assert right_and_cheap(made) == pytest.approx(0.6)
    assert right_and_cheap(Episode("q", answer="y", golds=("x",))) == 0.0


def test_redundancy_counts_what_was_seen() -> None:
    step = Step("search", results=(Passage("a"),))
    assert redundancy(Episode("q", steps=(step, step))) == 0.5
    assert redundancy(Episode("q")) is None


def test_answer_shown() -> None:
    steps = (Step("search", results=(Passage("a", "The Oster Mill lies on the Aske."),)),)
    assert answer_shown(Episode("q", golds=("the Aske",), steps=steps)) == 1.0
    assert answer_shown(Episode("q", golds=("Ask",), steps=steps)) == 0.0  # words, not letters
    assert answer_shown(Episode("q", golds=("yes",), steps=steps)) is None
    assert answer_shown(Episode("q", golds=("Aske",))) is None
