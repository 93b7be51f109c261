"""Rewards for rankers and routers: MM-R5's inverse cube, Retro*'s two rewards, queries that choose tools."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from training.rewards.contract import Episode, Score
from training.rewards.embedding import cosines

TAU, ALPHA = 20.0, 0.75
TOP_K = 5


def inverse_cube(ranking: Sequence[str], gold: Collection[str]) -> float:
    """MM-R5 (arXiv 2506.12364; read in paper and code): sum of 1/j^3 over gold ranks, over the ideal. 0 to 1.

    Repeated ids keep their first place and the list closes up. Gold {2, 3}, order 1, 3, 2:
    (1/8 + 1/27) / (1 + 1/8) = 0.144. One gold item at rank 2 gives 0.125: use nDCG early in training.

    >>> round(inverse_cube("132", {"2", "3"}), 4), inverse_cube("312", {"3"}), inverse_cube("132", {"3"})
    (0.144, 1.0, 0.125)
    """
    if not gold:
        raise ValueError("a ranking reward needs at least one gold item")
    order, wanted = list(dict.fromkeys(ranking)), set(gold)
    gained = sum(1 / rank**3 for rank, item in enumerate(order, start=1) if item in wanted)
    return gained / sum(1 / rank**3 for rank in range(1, len(wanted) + 1))


def first_results(episode: Episode) -> Score:
    """`inverse_cube` of the passages in the order they were first shown. None without gold evidence or search.

    The one gold passage came second: 1 / 2^3.

    >>> from training.rewards.contract import Evidence, Passage, Step
    >>> shown = (Step("search", results=(Passage("x"), Passage("a"))),)
    >>> first_results(Episode("q", evidence=(Evidence("a"),), steps=shown))
    0.125
    """
    if not episode.evidence or not episode.searches:
        return None
    return inverse_cube(list(episode.retrieved), episode.gold_ids)


def integrate(scores: Sequence[float], weights: Sequence[float] | None = None) -> tuple[float, float]:
    """Retro*'s score integration: weighted mean of a stochastic judge's samples, and their standard deviation.

    >>> integrate([80, 70, 60, 20])[0]
    57.5
    """
    if not scores:
        raise ValueError("integration needs at least one sample")
    data = np.asarray(scores, dtype=np.float64)
    return float(np.average(data, weights=weights)), float(data.std())


def intra(scores: Sequence[float], tau: float = TAU) -> list[float]:
    """Retro* (arXiv 2509.24869; read in the paper): +1 for the sample nearest the mean, -1 for the furthest.

    Only if the furthest gap reaches tau and the gaps differ; else all 0. Ties go to the first. It rewards
    consensus, not truth: mix it with `inter`. Samples 80, 70, 60, 20: mean 57.5, gaps 22.5, 12.5, 2.5, 37.5.

    >>> intra([80, 70, 60, 20]), intra([60, 61, 62])
    ([0.0, 0.0, 1.0, -1.0], [0.0, 0.0, 0.0])
    """
    if not scores:
        return []
    gaps = np.abs(np.asarray(scores, dtype=np.float64) - integrate(scores)[0])
    rewards = [0.0] * len(scores)
    if gaps.max() >= tau and gaps.max() > gaps.min():
        rewards[int(gaps.argmin())], rewards[int(gaps.argmax())] = 1.0, -1.0
    return rewards


def inter(positive: Sequence[float], negative: Sequence[float]) -> tuple[list[float], list[float]]:
    """Retro*: for each sample of the positive the share of negatives below it, and the other way round.

    Ties earn nothing. Positive 80, 60 against negative 70, 20.

    >>> inter([80, 60], [70, 20])
    ([1.0, 0.5], [0.5, 1.0])
    """
    if not positive or not negative:
        raise ValueError("the pairwise reward needs samples of a positive and of a negative")
    return (
        [sum(p > n for n in negative) / len(negative) for p in positive],
        [sum(n < p for p in positive) / len(positive) for n in negative],
    )


def retro_scores(
    positive: Sequence[float], negative: Sequence[float], alpha: float = ALPHA, tau: float = TAU
) -> tuple[list[float], list[float]]:
    """alpha * intra + (1 - alpha) * inter for both documents' samples (alpha 0.75, tau 20). -0.75 to 1.

    >>> retro_scores([80, 60], [70, 20])
    ([0.25, 0.125], [0.125, 0.25])
    """
    up, down = inter(positive, negative)

    def mixed(within: list[float], between: list[float]) -> list[float]:
        return [alpha * a + (1 - alpha) * b for a, b in zip(within, between, strict=True)]

    return mixed(intra(positive, tau), up), mixed(intra(negative, tau), down)


def query_choice(
    queries: Sequence[str], descriptions: Sequence[str], gold: Collection[int], k: int = TOP_K
) -> float:
    """Share of the gold tools or collections among the k best by any of the queries, 0 to 1.

    Query generation for tool retrieval (arXiv 2412.03573, abstract; formula ours): the score of a tool is the
    largest cosine of a query with its description, so 1.0 needs queries that cover every gold tool. Raises
    ValueError without a gold tool.

    Two tools are needed and the one query asks for one of them.

    >>> tools = ["search the library", "convert a currency", "play a melody"]
    >>> query_choice(["search the library"], tools, {0, 1}, k=1)
    0.5
    """
    if not gold:
        raise ValueError("choosing among tools needs at least one gold tool")
    if not queries or not descriptions:
        return 0.0
    best = cosines(list(queries), list(descriptions)).max(axis=0)
    top = set(np.argsort(-best, kind="stable")[:k].tolist())
    return len(top & set(gold)) / len(set(gold))
