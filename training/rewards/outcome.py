"""Is the answer right? Exact match, word F1 and their uses as rewards of the outcome."""

from __future__ import annotations

from training.metrics import exact_match, f1
from training.rewards.contract import Episode, Score
from training.rewards.guards import negation_guard, number_guard
from training.rewards.typed import typed_answer

RIGHT_F1 = 0.8  # SmartSearch: an answer counts as right from this word F1 (read in the code)


def said(episode: Episode) -> str:
    """The bare answer; nothing where the policy abstained or its output could not be read."""
    return "" if episode.abstained or not episode.well_formed else episode.answer


def exact(episode: Episode) -> Score:
    """Exact match after normalisation: 0 or 1. None without a gold answer.

    >>> exact(Episode("Who?", answer="the Mira Vell.", golds=("Mira Vell",)))
    1.0
    """
    return exact_match(said(episode), episode.golds) if episode.golds else None


def word_f1(episode: Episode) -> Score:
    """Best word F1 over the golds, 0 to 1. None without a gold answer.

    "Mira Vell of Oster" against "Mira Vell": precision 2/4, recall 2/2, F1 = 2/3.

    >>> round(word_f1(Episode("Who?", answer="Mira Vell of Oster", golds=("Mira Vell",))), 4)
    0.6667
    """
    return f1(said(episode), episode.golds) if episode.golds else None


def typed(episode: Episode) -> Score:
    """Best typed match over the golds (Mixed-R1's router), 0 to 1. None without a gold answer.

    >>> typed(Episode("How long?", answer="172,000 m", golds=("172 km",)))
    1.0
    """
    if not episode.golds:
        return None
    return max(typed_answer(said(episode), gold, episode.kind) for gold in episode.golds)


def right(episode: Episode, threshold: float = RIGHT_F1) -> bool | None:
    """Whether the episode ended well: F1 from the threshold, or an abstention that was due.

    None where neither gold answers nor the answerable flag are known. A short gold in a long answer is not
    right: F1 punishes the padding. Numbers and negation must agree (ours).
    """
    if episode.answerable is False:
        return episode.abstained
    if not episode.golds:
        return None
    answer = said(episode)
    return any(_agrees(answer, gold, threshold) for gold in episode.golds)


def _agrees(answer: str, gold: str, threshold: float) -> bool:
    """Word F1 reached, and neither a number nor a negation differs: five words with one wrong digit have F1 0.8."""
    same = number_guard(answer, gold) == 1.0 and negation_guard(answer, gold) == 1.0
    return same and f1(answer, [gold]) >= threshold


def correct(episode: Episode) -> Score:
    """`right` as 1 or 0.

    >>> correct(Episode("Who?", abstained=True, answerable=False))
    1.0
    """
    found = right(episode)
    return None if found is None else float(found)


def beyond_single_search(ours: float, single: float) -> float:
    """Gain over plain retrieval-augmented answering, -1 to 1: our score minus that of one search.

    From the survey of RL-based agentic search (roles: abstract; formula: ours).

    >>> beyond_single_search(1.0, 0.25)
    0.75
    """
    return ours - single
