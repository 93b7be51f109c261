"""Does the policy's own judge tell useful results from useless ones? (ReSeek, RE-Searcher)"""

from __future__ import annotations

from training.rewards.contract import Episode, Score, mean

RELEVANT_ABOVE = 0.7
AGREED, ACCEPTED_USELESS, REJECTED_USEFUL = 0.3, -0.6, -0.3


def verdict_score(accepted: bool, relevance: float) -> float:
    """ReSeek (arXiv 2510.00568; constants read in a note on the paper): one verdict, -0.6 to 0.3.

    The ideal verdict accepts iff a reranker's relevance to the gold answer is above 0.7 (strictly).

    >>> verdict_score(True, 0.71), verdict_score(True, 0.70), verdict_score(False, 0.9), verdict_score(False, 0.1)
    (0.3, -0.6, -0.3, 0.3)
    """
    ideal = relevance > RELEVANT_ABOVE
    if accepted == ideal:
        return AGREED
    return ACCEPTED_USELESS if accepted else REJECTED_USEFUL


def judge_agreement(episode: Episode) -> Score:
    """Mean `verdict_score` over the searches that have a verdict and a teacher's relevance; else None.

    The paper sums discounted turn rewards with the outcome (`discounted`); the mean is ours: a sum would pay
    for judging often.

    A useful result and a useless one, both accepted: (0.3 - 0.6) / 2.

    >>> from training.rewards.contract import Step
    >>> steps = (Step("search", accepted=True, relevance=0.9), Step("search", accepted=True, relevance=0.1))
    >>> round(judge_agreement(Episode("q", steps=steps)), 4)
    -0.15
    """
    return mean(
        [
            verdict_score(step.accepted, step.relevance)
            for step in episode.searches
            if step.accepted is not None and step.relevance is not None
        ]
    )


def discounted(turns: list[float], outcome: float, gamma: float = 1.0) -> float:
    """ReSeek's episode reward: the sum of gamma^(t-1) r_t, the last turn being the outcome.

    0.3 - 0.6 + 1 with gamma 1.

    >>> round(discounted([0.3, -0.6], 1.0), 4)
    0.7
    """
    return sum(gamma**at * value for at, value in enumerate([*turns, outcome]))


def reflection(episode: Episode) -> Score:
    """RE-Searcher (arXiv 2509.26048): share of verdicts that agree with a stronger judge, 0 to 1.

    Weight 0.1 beside the outcome (read in public reviews); averaging over turns is ours. None without both labels.

    >>> from training.rewards.contract import Step
    >>> reflection(Episode("q", steps=(Step("search", accepted=True, useful=True),
    ...                                Step("search", accepted=True, useful=False))))
    0.5
    """
    return mean(
        [
            float(step.accepted == step.useful)
            for step in episode.searches
            if step.accepted is not None and step.useful is not None
        ]
    )
