"""Rewards at the knowledge boundary: search when needed, not otherwise (IKEA, AdaSearch, SAAS).

None of them counts searches alone: an answer that is wrong without a search earns less than one that
searched, and labels of "knows" come from probing the very model that is trained.
"""

from __future__ import annotations

from collections.abc import Sequence

from training.rewards.contract import Episode, Score
from training.rewards.cost import repeated_queries
from training.rewards.outcome import exact, right

IKEA_MAX_SEARCHES = 3
IKEA_RIGHT, IKEA_WRONG = 0.6, 0.05
SUFFICES_AT = 0.5  # share of right answers without search from which knowledge suffices; ours
SAAS_BETA, SAAS_REPEAT, SAAS_EASY_FROM = 0.05, 0.1, 2


def ikea_score(right: bool, searches: int, well_formed: bool) -> float:
    """IKEA (arXiv 2505.07596; read in its code). Range -1 to 1.6.

    Malformed: -1. Right: 1 + 0.6 * max(0, 1 - searches / 3). Wrong: 0 without a search, 0.05 with one.
    Executed searches are counted, not tags in the text.

    >>> [round(ikea_score(True, n, True), 2) for n in range(4)]
    [1.6, 1.4, 1.2, 1.0]
    >>> ikea_score(False, 0, True), ikea_score(False, 2, True), ikea_score(True, 0, False)
    (0.0, 0.05, -1.0)
    """
    if not well_formed:
        return -1.0
    if right:
        return 1.0 + IKEA_RIGHT * max(0.0, 1 - searches / IKEA_MAX_SEARCHES)
    return IKEA_WRONG if searches else 0.0


def ikea(episode: Episode) -> Score:
    """`ikea_score` with exact match as right. None without gold.

    A due abstention is right without the bonus for few searches (ours): nobody knows without looking that there is
    no answer, and a policy that always refused would live on that bonus.

    Right after one search: 1 + 0.6 * 2 / 3.

    >>> from training.rewards.contract import Step
    >>> ikea(Episode("q", answer="Oster", golds=("Oster",), steps=(Step("search"),)))
    1.4
    """
    if episode.answerable is False and episode.abstained and episode.well_formed:
        return 1.0
    if episode.answerable is False:
        return ikea_score(False, len(episode.searches), episode.well_formed)
    found = exact(episode)
    return None if found is None else ikea_score(found == 1.0, len(episode.searches), episode.well_formed)


def suffices(right_without_search: Sequence[bool], threshold: float = SUFFICES_AT) -> bool | None:
    """AdaSearch's label: the share of right answers over K probes without search reaches the threshold.

    K and the threshold are not published; 8 and 0.5 are ours. None without a probe.

    >>> suffices([True, True, False, False])
    True
    """
    if not right_without_search:
        return None
    return sum(right_without_search) / len(right_without_search) >= threshold


def gate_label(episode: Episode) -> Score:
    """AdaSearch stage 2 (arXiv 2512.16883): 1.0 if the choice to search agrees with the label, else 0.0.

    None where the label is unknown.

    >>> gate_label(Episode("q", knows=True)), gate_label(Episode("q", knows=False))
    (1.0, 0.0)
    """
    if episode.knows is None:
        return None
    return float(episode.knows != bool(episode.searches))


def f1_aware(knows: Sequence[bool], searched: Sequence[bool]) -> float:
    """F1 of "own knowledge suffices", predicted by not searching. Read in reviews of AdaSearch.

    Always searching has no true positive: 0. A perfect gate: 1. Raises ValueError for unequal lengths.

    >>> f1_aware([True, False], [True, True]), f1_aware([True, False], [False, True])
    (0.0, 1.0)
    """
    pairs = list(zip(knows, searched, strict=True))
    hits = sum(k and not s for k, s in pairs)
    wrong = sum((not k and not s) or (k and s) for k, s in pairs)
    return 2 * hits / (2 * hits + wrong) if hits else 0.0


def saas_scores(
    right: Sequence[bool], searches: Sequence[int], allowed: Sequence[bool], repeats: Sequence[int]
) -> list[float]:
    """SAAS (arXiv 2605.29796; read in its code) for the rollouts of one question. Range -inf to 1.

    Easy: two probes without search were right; a right rollout then pays 0.05 a search. Middle: some rollout
    with search was right; a right one pays for searches beyond the fewest among the right ones. Hard: nothing
    to pay. Each repeated query costs 0.1 more. Wrong rollouts score 0.

    Two right probes, then one right rollout with 2 searches: 1, 1, 0.9.

    >>> saas_scores([True, True, True], [0, 0, 2], [False, False, True], [0, 0, 0])
    [1.0, 1.0, 0.9]
    >>> saas_scores([False, True, True], [0, 1, 3], [False, True, True], [0, 0, 0])
    [0.0, 1.0, 0.9]
    """
    probes = sum(r and not a for r, a in zip(right, allowed, strict=True))
    fewest = min((n for r, n, a in zip(right, searches, allowed, strict=True) if r and a), default=0)
    free = 0 if probes >= SAAS_EASY_FROM else fewest
    return [
        (1.0 - SAAS_BETA * max(0, n - free) if r else 0.0) - SAAS_REPEAT * again
        for r, n, again in zip(right, searches, repeats, strict=True)
    ]


def saas(episodes: Sequence[Episode]) -> list[Score]:
    """`saas_scores` over a group of one question; None for all where right is unknown for one of them.

    Two probes without a search are right: the question is easy and two searches cost 0.1.

    >>> from training.rewards.contract import Step
    >>> probe = Episode("q", answer="Oster", golds=("Oster",), search_allowed=False)
    >>> steps = (Step("search", query="mill"), Step("search", query="Oster"))
    >>> saas([probe, probe, Episode("q", answer="Oster", golds=("Oster",), steps=steps)])
    [1.0, 1.0, 0.9]
    """
    found = [right(episode) for episode in episodes]
    if any(r is None for r in found):
        return [None] * len(episodes)
    return list(
        saas_scores(
            [bool(r) and e.well_formed for r, e in zip(found, episodes, strict=True)],
            [len(e.searches) for e in episodes],
            [e.search_allowed for e in episodes],
            [repeated_queries(e) for e in episodes],
        )
    )
