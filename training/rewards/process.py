"""Process quality after TeaRAG (arXiv 2511.05385, formulas read in the paper), and shaping that is safe.

A path earns for consistent subqueries and for gold evidence that its queries, its context and its summaries
remember. Dividing by the number of steps is the length penalty: more steps without new evidence lower all
three memories.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from training.metrics import normalize
from training.rewards.bounds import Mask, axes, chosen, equal, filled, unsettled
from training.rewards.contract import Episode, Score, Step
from training.rewards.embedding import Calibration, cosines
from training.rewards.guards import guard
from training.rewards.outcome import right, word_f1
from training.rewards.sentences import sentences

WEIGHTS = (0.1, 0.3, 0.3, 0.3)  # consistency, then memory of queries, of context, of summaries
SIMILAR = Calibration(0.35, 0.85)  # a gold sentence against a sentence that says the same; ours


def memory(best: Sequence[float], steps: int) -> float:
    """Sum of each gold item's best similarity, divided by the number of steps. 0.0 without steps.

    Two gold items remembered at .9 and .8 in two steps: 1.7 / 2.

    >>> round(memory([0.9, 0.8], 2), 4)
    0.85
    """
    return sum(best) / steps if steps else 0.0


def process_score(consistency: float, queries: float, context: float, summaries: float) -> float:
    """0.1 consistency + 0.3 of each memory.

    Gold l = 2; queries (.9, .8), context (.95, .9), summaries (.9, .7). Two steps, all consistent: 0.8725;
    three steps, two consistent: 0.5817.

    >>> round(process_score(1, 1.7 / 2, 1.85 / 2, 1.6 / 2), 4)
    0.8725
    >>> round(process_score(2 / 3, 1.7 / 3, 1.85 / 3, 1.6 / 3), 4)
    0.5817
    """
    parts = (consistency, queries, context, summaries)
    return sum(weight * part for weight, part in zip(WEIGHTS, parts, strict=True))


def consistency(episode: Episode) -> Score:
    """Share of searches whose query holds every key entity of its step. None without a search.

    >>> steps = (Step("search", query="Where is Oster Mill?", key_entities=("Oster Mill",)),
    ...          Step("search", query="its builder", key_entities=("Oster Mill",)))
    >>> consistency(Episode("q", steps=steps))
    0.5
    """
    steps = episode.searches
    return sum(map(_consistent, steps)) / len(steps) if steps else None


def _consistent(step: Step) -> bool:
    query = f" {normalize(step.query)} "
    return all(f" {normalize(entity)} " in query for entity in step.key_entities)


def knowledge(episode: Episode) -> Score:
    """TeaRAG's process reward, 0 to 1 by clipping. None without gold evidence or without a search.

    For questions of one hop, which have no gold evidence there, the paper sets it to 0 and divides the outcome
    instead: `single_hop_outcome`. Similarity in the paper is a reranker's sigmoid; ours is an identifier match
    (1.0), else the calibrated cosine of the encoder with guards for numbers and names.

    The search shows the one gold passage and its notes say what it says, the query does not: 0.1 + 0.3 + 0.3.

    >>> from training.rewards.contract import Evidence, Passage
    >>> built = "Mira Vell built the mill."
    >>> found = Step("search", query="the Aske", results=(Passage("a", built),), summary=built)
    >>> round(knowledge(Episode("q", evidence=(Evidence("a", built),), steps=(found,))), 4)
    0.7
    """
    steps = episode.searches
    if not episode.evidence or not steps:
        return None
    seen = episode.retrieved
    queries, context, summaries = (_best(*pair) for pair in _compared(episode))
    context += [1.0] * sum(item.id in seen for item in episode.evidence)
    scores = [memory(best, len(steps)) for best in (queries, context, summaries)]
    return min(process_score(consistency(episode) or 0.0, *scores), 1.0)


def _compared(episode: Episode) -> list[tuple[list[str], list[str]]]:
    """Gold texts with the texts that may remember them: queries, context (gold passages not shown), summaries."""
    steps, seen = episode.searches, episode.retrieved
    gold = [item.text for item in episode.evidence]
    missed = [item.text for item in episode.evidence if item.id not in seen]
    shown = [text for step in steps for p in step.results for text in sentences(p.text)] if missed else []
    return [
        (gold, [step.query for step in steps]),
        (missed, shown),
        (gold, [text for step in steps for text in sentences(step.summary)]),
    ]


@lru_cache(maxsize=2_000)
def _compare(
    gold: tuple[str, ...], texts: tuple[str, ...]
) -> tuple[tuple[str, ...], npt.NDArray[np.float64], Mask, Mask]:
    """The different texts; what the guards leave of each against each gold text (row), whether they are equal, and
    whether their cosine matters."""
    told = tuple(text for text in dict.fromkeys(texts) if text.strip())
    most = np.array([[guard(t, item) if item.strip() else 0.0 for t in told] for item in gold])
    most, same = most.reshape(len(gold), len(told)), equal(gold, told)
    return told, most, same, unsettled(most.T, same.T).T


def _best(gold: Sequence[str], texts: Sequence[str]) -> list[float]:
    """Best guarded similarity of each gold text over the texts."""
    told, most, same, needed = _compare(tuple(gold), tuple(texts))
    found = np.zeros((0, 0))
    if needed.any():
        rows, columns = axes(needed)
        found = np.vectorize(SIMILAR)(cosines(chosen(gold, rows), chosen(told, columns)))
    return [float(value) for value in filled(most, same, needed, found).max(axis=1, initial=0.0)]


def knowledge_texts(episode: Episode) -> list[str]:
    """What `knowledge` looks up."""
    found: list[str] = []
    for gold, texts in _compared(episode) if episode.evidence else ():
        told, _, _, needed = _compare(tuple(gold), tuple(texts))
        rows, columns = axes(needed)
        found += [*chosen(gold, rows), *chosen(told, columns)]
    return found


def sufficiency(episode: Episode) -> Score:
    """Share of the gold evidence that was retrieved, by identifier: 0 to 1. None without gold evidence.

    >>> from training.rewards.contract import Evidence, Passage
    >>> sufficiency(Episode("q", evidence=(Evidence("a"), Evidence("b")),
    ...                     steps=(Step("search", results=(Passage("a"),)),)))
    0.5
    """
    gold = episode.gold_ids
    return len(gold & episode.retrieved.keys()) / len(gold) if gold else None


def single_hop_outcome(episode: Episode, published: bool = False) -> Score:
    """TeaRAG's outcome for one-hop questions: word F1 divided by the number of searches (at least 1).

    As published half a right answer after one search beats a right one after six. Ours keeps them apart: a right
    answer earns 0.5 + 0.5 / searches, any other at most half its word F1 / searches. None with two or more gold items
    (then `knowledge` judges the path) or without a gold answer.

    >>> twice = Episode("q", answer="Oster", golds=("Oster",), steps=(Step("search"),) * 2)
    >>> single_hop_outcome(twice, published=True), single_hop_outcome(twice)
    (0.5, 0.75)
    """
    outcome = word_f1(episode)
    if outcome is None or len(episode.evidence) > 1:
        return None
    count = max(len(episode.searches), 1)
    if published:
        return outcome / count
    return 0.5 + 0.5 / count if right(episode) else 0.5 * outcome / count


def potential_shaping(potentials: Sequence[float], gamma: float = 1.0) -> list[float]:
    """F(s, s') = gamma * Phi(s') - Phi(s) for each transition, with Phi of the last state set to 0.

    Ng, Harada and Russell 1999 (from knowledge): shaping of this form keeps the best policy the best. With
    gamma 1 the terms sum to -Phi(s0), whatever the path.

    >>> potential_shaping([0.0, 0.5, 1.0])
    [0.5, -0.5]
    """
    held = [*potentials[:-1], 0.0] if potentials else []
    return [gamma * after - before for before, after in zip(held, held[1:], strict=False)]


REMEMBERING = (_compare,)  # what keeps results by text
