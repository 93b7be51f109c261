"""Was the gold evidence found, and how early? (InForage, VRAG-RL, information gain)"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from training.metrics import normalize
from training.rewards.contract import Episode, Score
from training.rewards.outcome import exact, word_f1

COVERAGE_WEIGHT, DISCOUNT, FREE_TURNS = 0.2, 0.95, 1
VISUAL_WEIGHTS = (0.7, 0.2, 0.1)  # answer, ranking, format


def coverage(found: Sequence[Collection[str]], gold: Collection[str], union: bool = True) -> float:
    """Share of the gold identifiers found: by all searches together, or by the best one as published.

    >>> coverage([{"a"}, {"b", "c"}], {"a", "b", "c"}), round(coverage([{"a"}, {"b", "c"}], {"a", "b", "c"}, False), 3)
    (1.0, 0.667)
    """
    if not gold:
        raise ValueError("coverage needs at least one gold item")
    wanted = set(gold)
    if union:
        return len(wanted & {item for ids in found for item in ids}) / len(wanted)
    return max((len(wanted & set(ids)) / len(wanted) for ids in found), default=0.0)


def forage_score(outcome: float, covered: float, last_turn: int) -> float:
    """InForage (arXiv 2505.09316; read in its code): (outcome + 0.2 coverage) * 0.95^T. 0 to 1.2.

    T is the index, from 0, of the last active turn, and counts only above 1: the first two turns are free.

    >>> round(forage_score(0.8, 2 / 3, 3), 4), round(forage_score(0.8, 2 / 3, 1), 4)
    (0.8002, 0.9333)
    """
    turns = last_turn if last_turn > FREE_TURNS else 0
    return (outcome + COVERAGE_WEIGHT * covered) * DISCOUNT**turns


def inforage(episode: Episode, union: bool = True) -> Score:
    """`forage_score` with word F1. None without a gold answer or gold evidence.

    Coverage is the union over searches (ours); `union=False` takes the best single search as published. The
    gold of an episode is its own: no pairing by position in a batch.

    A right answer, one of two gold passages, one search: 1 + 0.2 / 2.

    >>> from training.rewards.contract import Evidence, Passage, Step
    >>> inforage(Episode("q", answer="Oster", golds=("Oster",), evidence=(Evidence("a"), Evidence("b")),
    ...                  steps=(Step("search", results=(Passage("a"),)),)))
    1.1
    """
    outcome = word_f1(episode)
    if outcome is None or not episode.evidence:
        return None
    found = [step.ids for step in episode.searches]
    return forage_score(outcome, coverage(found, episode.gold_ids, union), len(found) - 1)


def first_seen_ndcg(shown: Sequence[str], gold: Collection[str]) -> float:
    """VRAG-RL's nDCG over the order in which items were first shown (read in its code), 0 to 1.

    Binary relevance, gain 1 / log2(rank + 1), ideal = all gold items first. Shown b, g1, c, g2:
    (1 / log2 3 + 1 / log2 5) / (1 + 1 / log2 3).

    >>> round(first_seen_ndcg(["b", "g1", "c", "g2"], {"g1", "g2"}), 4)
    0.6509
    """
    if not gold:
        raise ValueError("nDCG needs at least one gold item")
    order = list(dict.fromkeys(shown))
    gained = sum(1 / math.log2(rank + 1) for rank, item in enumerate(order, start=1) if item in set(gold))
    return gained / sum(1 / math.log2(rank + 1) for rank in range(1, len(set(gold)) + 1))


def early_evidence(episode: Episode) -> Score:
    """`first_seen_ndcg` of the passages in the order they were shown. None without gold evidence or a search.

    The one gold passage came second: 1 / log2 3.

    >>> from training.rewards.contract import Evidence, Passage, Step
    >>> shown = (Step("search", results=(Passage("x"), Passage("a"))),)
    >>> round(early_evidence(Episode("q", evidence=(Evidence("a"),), steps=shown)), 4)
    0.6309
    """
    if not episode.evidence or not episode.searches:
        return None
    return first_seen_ndcg(list(episode.retrieved), episode.gold_ids)


def visual_score(judged: float, ndcg: float, format_holds: bool) -> float:
    """VRAG-RL (read in its code): 0.7 answer + 0.2 nDCG + 0.1; 0 where the format does not hold. 0 to 1.

    >>> round(visual_score(1.0, 0.6509, True), 4), visual_score(1.0, 1.0, False)
    (0.9302, 0.0)
    """
    if not format_holds:
        return 0.0
    answer, ranking, shape = VISUAL_WEIGHTS
    return answer * judged + ranking * ndcg + shape


def vrag(episode: Episode) -> Score:
    """`visual_score` with exact match as the judge. None without gold answer or evidence.

    The format needs a search and an answer, as published.

    A right answer, its passage second: 0.7 + 0.2 * 0.6309 + 0.1.

    >>> from training.rewards.contract import Evidence, Passage, Step
    >>> shown = (Step("search", results=(Passage("x"), Passage("a"))),)
    >>> round(vrag(Episode("q", answer="Oster", golds=("Oster",), evidence=(Evidence("a"),), steps=shown)), 4)
    0.9262
    """
    judged = exact(episode)
    if judged is None or not episode.evidence:
        return None
    holds = episode.well_formed and bool(episode.searches) and bool(episode.answer)
    return visual_score(judged, early_evidence(episode) or 0.0, holds)


def information_gain(similarities: Sequence[float]) -> list[float]:
    """What each step adds over the best so far: max(0, sim_t - best). Survey of agentic search; formula ours.

    >>> [round(g, 2) for g in information_gain([0.2, 0.5, 0.4])]
    [0.2, 0.3, 0.0]
    """
    gains, best = [], 0.0
    for value in similarities:
        gains.append(max(0.0, value - best))
        best = max(best, value)
    return gains


def answer_shown(episode: Episode) -> Score:
    """Search-R1's retrieval hit: 1 if a gold answer stands word by word in a passage that was shown, else 0.

    Read in its code (arXiv 2505.15117), where it is the term beside outcome and format. None without a gold answer,
    for yes and no, and without the texts of passages.

    >>> from training.rewards.contract import Passage, Step
    >>> shown = (Step("search", results=(Passage("a", "It lies on the Aske."),)),)
    >>> [answer_shown(Episode("q", golds=(gold,), steps=shown)) for gold in ("Aske", "Orse")]
    [1.0, 0.0]
    """
    golds = [gold for gold in map(normalize, episode.golds) if gold not in ("", "yes", "no")]
    texts = [f" {normalize(passage.text)} " for passage in episode.retrieved.values() if passage.text]
    if not golds or not texts:
        return None
    return float(any(f" {gold} " in text for gold in golds for text in texts))
