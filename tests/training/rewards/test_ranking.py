from dataclasses import replace

import pytest

from training.rewards.contract import Citation, Episode, Evidence, Passage, Step
from training.rewards.evidence_page import corruptions, item_scores, page, page_score, shown
from training.rewards.hack_scenes import SCENES, honest
from training.rewards.ranking import (
    first_results,
    integrate,
    inter,
    intra,
    inverse_cube,
    query_choice,
    retro_scores,
)


@pytest.mark.parametrize(
    ("order", "gold", "expected"),
    [("312", "3", 1.0), ("132", "3", 0.125), ("132", "23", 0.144), ("123", "13", 0.9218), ("12", "9", 0.0)],
)
def test_inverse_cube_vector(order: str, gold: str, expected: float) -> None:
    assert inverse_cube(order, set(gold)) == pytest.approx(expected, abs=1e-4)


def test_a_repeated_id_is_one_id() -> None:
    assert inverse_cube("3333", {"3", "2"}) == inverse_cube("3", {"3", "2"})
    with pytest.raises(ValueError, match="gold"):
        inverse_cube("12", set())


def test_ranking_of_episodes() -> None:
    made = Episode(
        "q", evidence=(Evidence("b"),), steps=(Step("search", results=(Passage("a"), Passage("b"))),)
    )
    assert first_results(made) == 0.125
    assert first_results(Episode("q", evidence=made.evidence)) is None


def test_retro_vectors() -> None:
    assert intra([80, 70, 60, 20]) == [0.0, 0.0, 1.0, -1.0]
    assert inter([80, 60], [70, 20]) == ([1.0, 0.5], [0.5, 1.0])
    assert integrate([80, 70, 60, 20])[0] == 57.5
    assert integrate([80, 20], [3, 1])[0] == 65.0


def test_no_inner_reward_without_spread_and_none_for_ties() -> None:
    assert intra([60, 61, 62, 63]) == [0.0] * 4
    assert intra([20, 80]) == [0.0, 0.0]  # both as far from the mean
    assert inter([50, 50], [50, 50]) == ([0.0, 0.0], [0.0, 0.0])
    with pytest.raises(ValueError, match="samples"):
        inter([], [1])


def test_agreeing_on_a_wrong_score_pays_inside_only() -> None:
    wrong_positive, negative = [20.0, 20.0, 20.0, 60.0], [70.0, 70.0]
    assert sum(intra(wrong_positive)) == 0.0 and intra(wrong_positive)[0] == 1.0
    mixed, _ = retro_scores(wrong_positive, negative)
    assert mixed[0] == 0.75  # consensus still pays: never train on the inner part alone
    assert inter(wrong_positive, negative)[0] == [0.0] * 4


def test_all_gold_tools_are_needed() -> None:
    tools = [
        "Search the web for pages.",
        "Compute sums and products.",
        "Send a letter by mail.",
        "Play a song.",
    ]
    one = query_choice(["search web pages"], tools, {0, 1}, k=1)
    both = query_choice(["search web pages", "calculate a product of numbers"], tools, {0, 1}, k=2)
    assert (one, both) == (0.5, 1.0)
    assert query_choice([], tools, {0}) == 0.0
    with pytest.raises(ValueError, match="gold"):
        query_choice(["x"], tools, set())


ASPECTS = ["Who designed the Teal Bridge?", "How long is the River Aske?"]
PAGE = ["The Teal Bridge was designed by Mira Vell.", "The River Aske is 172 km long."]


def test_copies_and_random_variety_do_not_pay() -> None:
    good = page_score(ASPECTS, PAGE)
    assert page_score(ASPECTS, [*PAGE, *PAGE]) < good
    assert page_score(ASPECTS, ["Rye bread needs a hot oven.", "The choir sings on Sundays."]) < 0.2 * good
    assert page_score(ASPECTS, []) == 0.0


def test_item_scores_by_hand() -> None:
    assert item_scores([1.0, 1.0]) == pytest.approx([1.0, 0.6309], abs=1e-4)
    # Half as many looked at the second place: the same clicks there mean twice the interest.
    assert item_scores([0.4, 0.2], seen=[1.0, 0.5]) == pytest.approx([0.4, 0.4 * 0.6309], abs=1e-4)


def test_each_corruption_lowers_the_page() -> None:
    good = replace(honest(SCENES[0]), citations=())
    ordered = replace(
        good,
        steps=(
            replace(good.steps[0], results=tuple(sorted(shown(good), key=lambda p: p.id))),
            *good.steps[2:],
        ),
    )
    before = page(ordered)
    assert before is not None
    for kind, spoiled in corruptions(ordered, Passage("off", "Rye bread needs a very hot oven.")).items():
        after = page(spoiled)
        assert after is not None and after < before, kind


def test_pages_of_episodes() -> None:
    good = honest(SCENES[0])
    assert [p.id for p in shown(good)] == ["gold0", "gold1"]
    assert page(replace(good, citations=(Citation("gold1"),))) != page(good)
    assert page(Episode("q")) is None
    assert (page(replace(good, evidence=())) or 0) > 0.5
    with pytest.raises(ValueError, match="two passages"):
        corruptions(Episode("q"), Passage("x"))
