import pytest

from training.rewards.contract import Episode, Evidence, Passage, Step
from training.rewards.coverage import (
    coverage,
    early_evidence,
    first_seen_ndcg,
    forage_score,
    inforage,
    information_gain,
    visual_score,
    vrag,
)
from training.rewards.format import list_factors, re_searcher, search_r1_score, soft_overlong, tags_in_order
from training.rewards.judging import discounted, judge_agreement, reflection, verdict_score
from training.rewards.queries import (
    chatr1,
    expansion,
    expansion_score,
    good_queries,
    intent,
    novel,
    novelty,
    overlaps,
    search_efficiency,
    search_quality,
    smartsearch,
    smartsearch_score,
    usefulness,
)


def _search(*ids: str, useful: bool | None = None, query: str = "q") -> Step:
    return Step("search", query=query, results=tuple(Passage(i) for i in ids), useful=useful)


@pytest.mark.parametrize(
    ("right", "bad", "good", "well_formed", "expected"),
    [(True, 2, 0, True, 0.9), (True, 5, 0, True, 0.8), (False, 0, 2, True, 0.3), (False, 0, 6, False, 0.3)],
)
def test_smartsearch_vector(right: bool, bad: int, good: int, well_formed: bool, expected: float) -> None:
    assert smartsearch_score(right, bad, good, well_formed) == pytest.approx(expected)


def test_a_broken_search_is_nothing() -> None:
    assert smartsearch_score(True, 0, 0, True, readable=False) == 0.0
    broken = Episode("q", answer="x", golds=("x",), steps=(Step("search", valid=False),))
    assert smartsearch(broken) == 0.0


def test_novelty_vector() -> None:
    first, one, two = list("abcde"), list("efghi"), list("dejkl")
    assert overlaps([first, one]) == [0, 1]
    assert novel([first, one]) == [True, True]
    assert novel([first, two]) == [True, False]
    assert novel([["a"], ["a"]]) == [True, False]  # one passage again and nothing else is no news


def test_good_queries() -> None:
    made = Episode("q", steps=(_search("a", useful=True), _search("a", useful=True), _search("b")))
    assert good_queries(made) == [True, False, None]
    assert usefulness(made) == 0.5
    assert novelty(made) == pytest.approx(2 / 3)
    assert novelty(Episode("q", steps=(_search(),))) == 0.0
    assert (usefulness(Episode("q")), novelty(Episode("q"))) == (None, None)


def test_search_measures() -> None:
    assert search_efficiency([0.5, 1.0], [0, 4]) == 0.375
    perfect = Episode("q", answer="x", golds=("x",), steps=(_search("a", useful=True),))
    partial = Episode(
        "q", answer="y", golds=("x",), steps=(_search("a", useful=True), _search("b", useful=False))
    )
    neither = Episode("q", answer="x", golds=("x",), steps=(_search("a", useful=False),))
    assert search_quality([perfect, partial, neither, Episode("q")]) == pytest.approx(2 / 3)
    assert search_quality([]) is None


@pytest.mark.parametrize(
    ("accepted", "relevance", "expected"),
    [(True, 0.71, 0.3), (True, 0.70, -0.6), (False, 0.9, -0.3), (False, 0.1, 0.3)],
)
def test_reseek_vector(accepted: bool, relevance: float, expected: float) -> None:
    assert verdict_score(accepted, relevance) == expected


def test_verdicts_of_episodes() -> None:
    judged = Episode("q", steps=(Step("search", accepted=True, relevance=0.9, useful=False), Step("search")))
    assert judge_agreement(judged) == 0.3
    assert reflection(judged) == 0.0
    assert judge_agreement(Episode("q", steps=(Step("search"),))) is None
    assert reflection(Episode("q")) is None
    assert discounted([0.3, 0.3], 1.0, 0.5) == pytest.approx(0.7)


def test_inforage_vector() -> None:
    assert forage_score(0.8, 2 / 3, 3) == pytest.approx(0.8002, abs=1e-4)
    assert forage_score(0.8, 2 / 3, 1) == pytest.approx(0.9333, abs=1e-4)


def test_inforage_of_episodes_takes_the_union() -> None:
    gold = (Evidence("a"), Evidence("b"))
    made = Episode("q", answer="x", golds=("x",), evidence=gold, steps=(_search("a"), _search("b")))
    assert inforage(made) == pytest.approx(1.2)
    assert inforage(made, union=False) == pytest.approx(1.1)
    assert inforage(Episode("q", answer="x", golds=("x",))) is None
    with pytest.raises(ValueError, match="gold"):
        coverage([["a"]], [])


def test_vrag_vector() -> None:
    ndcg = first_seen_ndcg(["b", "g1", "c", "g2"], {"g1", "g2"})
    assert ndcg == pytest.approx(0.6509, abs=1e-4)
    assert visual_score(1.0, ndcg, True) == pytest.approx(0.9302, abs=1e-4)
    assert visual_score(1.0, ndcg, False) == 0.0


def test_vrag_of_episodes() -> None:
    made = Episode("q", answer="x", golds=("x",), evidence=(Evidence("a"),), steps=(_search("b", "a", "a"),))
    assert early_evidence(made) == pytest.approx(0.6309, abs=1e-4)
    assert vrag(made) == pytest.approx(0.7 + 0.2 * 0.6309 + 0.1, abs=1e-4)
    assert (
        vrag(Episode("q", answer="x", golds=("x",), evidence=(Evidence("a"),))) == 0.0
    )  # no search: bad format
    assert vrag(Episode("q")) is None
    assert information_gain([0.5, 0.2, 0.9]) == pytest.approx([0.5, 0.0, 0.4])


def test_intent() -> None:
    made = Episode(
        "And he?", rewrite="Who built Oster Mill", steps=(_search(query="mill"), _search(query="Oster Mill"))
    )
    assert intent(made) == pytest.approx(2 / 3)
    assert intent(Episode("q", steps=made.steps)) is None
    scored = Episode("q", answer="x", golds=("x",), rewrite="Who built Oster Mill", steps=made.steps)
    assert chatr1(scored) == pytest.approx(1 + 0.2 * 2 / 3)
    assert chatr1(made) is None


def test_expansion() -> None:
    # Drift: new but irrelevant results earn nothing. A copy of the query brings nothing new.
    assert expansion_score({"a"}, {"x", "y"}, {"a", "b"}) == 0.0
    assert expansion_score({"a"}, {"a"}, {"a", "b"}, broken=1.0) == -0.2
    gold = (Evidence("a"), Evidence("b"))
    good = Episode("q", evidence=gold, steps=(_search("a", query="one"), _search("b", query="two")))
    copy = Episode("q", evidence=gold, steps=(_search("a", query="one"), _search("a", query="One!")))
    assert expansion(good) == pytest.approx(0.5 + 0.5 / 3)
    assert expansion(copy) == -0.2
    assert expansion(Episode("q", evidence=gold, steps=good.steps[:1])) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "<think>a</think><search>b</search>\n<information>c</information><think>d</think><answer>e</answer>",
            True,
        ),
        ("<think>a</think><search>b</search><answer>e</answer>", False),
        ("<think>a</think><answer>e</answer> more", False),
        ("<think>a<answer>e</answer></think>", False),
        ("<answer>e</answer>", False),
        ("<think>a</think><answer>e", False),
        ("", False),
    ],
)
def test_order_of_tags(text: str, expected: bool) -> None:
    assert tags_in_order(text) is expected


def test_format_tables() -> None:
    assert search_r1_score(True, False, False, True) == pytest.approx(0.8)
    assert search_r1_score(False, True, False, True) == pytest.approx(0.2)
    right_broken = Episode("q", answer="x", golds=("x",), steps=(Step("search", valid=False),))
    assert re_searcher(right_broken) == pytest.approx(0.8)
    assert re_searcher(Episode("q", answer="x", golds=("x",), well_formed=False)) == 0.0
    reflected = Episode("q", answer="x", golds=("x",), steps=(Step("search", accepted=True, useful=True),))
    assert re_searcher(reflected) == pytest.approx(1.1)
    assert re_searcher(Episode("q")) is None


def test_soft_overlong_vector() -> None:
    assert [soft_overlong(n, 100, 20) for n in (80, 90, 100, 101)] == [0.0, -0.5, -1.0, -1.0]
    with pytest.raises(ValueError, match="cache"):
        soft_overlong(1, 10, 10)


def test_list_factors_merge_repeats_and_stay_positive() -> None:
    assert list_factors([2, 2, 2], 3) == pytest.approx(1 / 3)
    assert list_factors(list(range(1, 10)), 3) == 0.0  # far too many
    assert list_factors([], 3) == list_factors([1], 3, readable=False) == 0.0
