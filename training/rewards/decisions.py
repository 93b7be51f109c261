"""Are the policy's own decisions well judged: when it stopped, and how sure it said it was?

Both read probabilities that every policy logs with its decisions, so that they score the live agent, the compact
policy and a language model alike. The roles (confidence-weighted outcome, search count) are named in the survey of
RL-based agentic search (arXiv 2510.16724, abstract and tables); the formulas are ours.
"""

from __future__ import annotations

from training.rewards.contract import Episode, Score, Step, mean
from training.rewards.outcome import right


def calibrated(episode: Episode) -> Score:
    """1 - (confidence - right)^2, 0 to 1: the Brier score turned round. None without gold or a stated confidence.

    Strictly proper: over many answers nothing pays better than stating the true share of right ones. Sure and right
    1, sure and wrong 0, undecided always 0.75. A right answer at confidence 0.8: 1 - 0.2^2.

    >>> round(calibrated(Episode("q", answer="Oster", golds=("Oster",), confidence=0.8)), 4)
    0.96
    >>> round(calibrated(Episode("q", answer="Tarn", golds=("Oster",), confidence=0.8)), 4)
    0.36
    """
    found = right(episode)
    if found is None or episode.confidence is None:
        return None
    return 1 - (min(max(episode.confidence, 0.0), 1.0) - float(found)) ** 2


def stop_choice(episode: Episode) -> Score:
    """Mean probability given to the right choice after each search, 0 to 1: to stop once all gold evidence was shown,
    to go on before. None without gold evidence or a verdict.

    A search after the evidence was complete counts 0 whatever is decided after it: otherwise repeats would be paid. A
    verdict without a probability counts as 1 or 0. Evidence complete after the second search; stopping got .2, then .9.

    >>> from training.rewards.contract import Evidence, Passage
    >>> steps = (Step("search", results=(Passage("a"),), stop=0.2), Step("search", results=(Passage("b"),), stop=0.9))
    >>> round(stop_choice(Episode("q", evidence=(Evidence("a"), Evidence("b")), steps=steps)), 4)
    0.85
    """
    if not episode.evidence:
        return None
    missing, values = set(episode.gold_ids), []
    for step in episode.searches:
        stop = _stop(step)
        if stop is None:
            missing -= set(step.ids)
        elif not missing:
            values.append(0.0)
        else:
            missing -= set(step.ids)
            values.append(1 - stop if missing else stop)
    return mean(values)


def _stop(step: Step) -> float | None:
    """The probability of stopping, or the verdict as 1 or 0; None where neither was logged."""
    if step.stop is not None:
        return min(max(step.stop, 0.0), 1.0)
    return None if step.accepted is None else float(step.accepted)
