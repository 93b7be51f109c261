"""What an answer cost, and whether an abstention was due.

A cost alone is best paid by doing nothing. Where gold is known, these components therefore pay right answers only;
where it is not, they must stand beside something else.
"""

from __future__ import annotations

from training.metrics import normalize
from training.rewards.contract import Episode, Score
from training.rewards.outcome import right

SEARCH_BUDGET = 6
TOKEN_BUDGET = 2000  # tokens of evidence and thought of one question
STEP_BUDGET = 12
RIGHT_AT_ALL = 0.2  # of thrift: even the dearest right answer is worth more than a wrong one
ABSTAINED = 0.5  # due: plus, undue: minus; so always abstaining means 0 over a balanced set


def _within(used: float, budget: float) -> float:
    return max(0.0, 1.0 - used / budget)


def _saved(episode: Episode, share: float) -> float:
    """The share where the answer is right or nobody knows; 0 where it is wrong: nothing is saved by being wrong."""
    return 0.0 if right(episode) is False else share


def searches(episode: Episode) -> Score:
    """Share of the search budget (6) left unused, 0 to 1. Three searches: 0.5. A wrong answer: 0.

    The survey of RL-based agentic search counts cost among right answers only; without gold the share is all.

    >>> from training.rewards.contract import Step
    >>> searches(Episode("q", steps=(Step("search"),) * 3)), searches(Episode("q", answer="x", golds=("y",)))
    (0.5, 0.0)
    """
    return _saved(episode, _within(len(episode.searches), SEARCH_BUDGET))


def tokens(episode: Episode) -> Score:
    """Share of the token budget (2000) left unused, 0 to 1. None where no step counted tokens. A wrong answer: 0.

    >>> from training.rewards.contract import Step
    >>> tokens(Episode("q", steps=(Step("search", tokens=500),)))
    0.75
    """
    return _saved(episode, _within(episode.tokens, TOKEN_BUDGET)) if episode.tokens else None


def steps(episode: Episode) -> Score:
    """Share of the step budget (12) left unused, 0 to 1. None without a step. A wrong answer: 0.

    >>> from training.rewards.contract import Step
    >>> steps(Episode("q", steps=(Step("search"),) * 3))
    0.75
    """
    return _saved(episode, _within(len(episode.steps), STEP_BUDGET)) if episode.steps else None


def right_and_cheap(episode: Episode) -> Score:
    """0.2 for a right answer and 0.8 of the search budget left unused; 0 for a wrong one. None without gold.

    A due abstention earns 0.5 whatever it cost: otherwise refusing at once would be the cheapest right answer. The
    survey of RL-based agentic search names cost terms; counting them among right answers only is ours.

    >>> from training.rewards.contract import Step
    >>> round(right_and_cheap(Episode("q", answer="Oster", golds=("Oster",), steps=(Step("search"),) * 3)), 4)
    0.6
    """
    found = right(episode)
    if found is None:
        return None
    if found and episode.abstained:
        return 0.5
    if not found or not episode.well_formed:
        return 0.0
    return RIGHT_AT_ALL + (1 - RIGHT_AT_ALL) * _within(len(episode.searches), SEARCH_BUDGET)


def abstention(episode: Episode) -> Score:
    """1 for a right answer, 0.5 for a due abstention, -0.5 for an undue one, -1 for a wrong answer. Ours.

    None where nobody knows whether an answer exists. On a half-and-half set, always abstaining and always
    answering (right wherever an answer exists) both mean 0; doing each where it is due means 0.75.

    >>> abstention(Episode("q", abstained=True, answerable=False))
    0.5
    >>> abstention(Episode("q", abstained=True, answerable=True, golds=("x",)))
    -0.5
    >>> abstention(Episode("q", answer="y", answerable=False))
    -1.0
    """
    if not episode.well_formed:
        return -1.0
    answerable = bool(episode.golds) if episode.answerable is None and episode.golds else episode.answerable
    if answerable is None:
        return None
    if episode.abstained:
        return -ABSTAINED if answerable else ABSTAINED
    found = right(episode)
    return None if found is None else 1.0 if found else -1.0


def repeated_queries(episode: Episode) -> int:
    """Searches whose normalised query was asked before in the same episode."""
    asked = [normalize(step.query) for step in episode.searches]
    return len(asked) - len(set(asked))


def redundancy(episode: Episode) -> Score:
    """1 minus the share of retrieved passages that an earlier search had shown, 0 to 1. None without results.

    First search a, b; second b, c: one of four was seen before. (Survey of agentic search; formula ours.)

    >>> from training.rewards.contract import Passage, Step
    >>> redundancy(Episode("q", steps=(Step("search", results=(Passage("a"), Passage("b"))),
    ...                                Step("search", results=(Passage("b"), Passage("c"))))))
    0.75
    """
    seen: set[str] = set()
    total = again = 0
    for step in episode.searches:
        total += len(step.ids)
        again += sum(found in seen for found in step.ids)
        seen |= set(step.ids)
    return 1 - again / total if total else None
