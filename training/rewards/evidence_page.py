"""The list of evidence a person sees, judged as a page and item by item (PageLLM, arXiv 2506.09084).

That page and items deserve separate rewards and that both matter is from the abstract; the formulas are ours. The
four ways to spoil a page give training pairs for a learned reward without a single label.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from training.rewards.contract import Episode, Passage, Score
from training.rewards.embedding import Calibration, shared

PAGE_WEIGHTS = (0.6, 0.2, 0.2)  # coverage, diversity, freedom from copies
COPY = 0.9
PAGE_SHARE = 0.5
RELEVANT = Calibration(0.1, 0.7)  # a question against a passage that answers it


def page_score(aspects: Sequence[str], passages: Sequence[str]) -> float:
    """0.6 coverage of the aspects + coverage * (0.2 diversity + 0.2 freedom from copies), 0 to 1.

    Coverage: each aspect's best calibrated cosine (facility location). Diversity: 1 - mean pairwise cosine. Copies:
    pairs over 0.9. The last two are multiplied by coverage, so that random variety earns nothing. An empty page
    is 0.0. Passages of an index keep the vectors they have there.
    """
    if not passages or not aspects:
        return 0.0
    known = shared().passages(passages).astype(np.float64)
    relevance = shared().embed(aspects).astype(np.float64) @ known.T
    covered = float(np.mean([RELEVANT(float(row.max())) for row in relevance]))
    among = (known @ known.T)[np.triu_indices(len(passages), k=1)]
    diversity = float(1 - np.clip(among, 0, 1).mean()) if len(among) else 1.0
    single = float(1 - (among > COPY).mean()) if len(among) else 1.0
    coverage, varied, plain = PAGE_WEIGHTS
    return covered * (coverage + varied * diversity + plain * single)


def item_scores(relevance: Sequence[float], seen: Sequence[float] | None = None) -> list[float]:
    """Relevance (0..1) of each item with its position's discount 1 / log2(1 + rank), 0 to 1.

    `seen`: the share of people who looked at each position. Clicks divided by it (capped at 1) are free of the bias
    that the top is seen more.

    >>> [round(v, 4) for v in item_scores([1.0, 0.5])]
    [1.0, 0.3155]
    >>> item_scores([0.4], seen=[0.5])
    [0.8]
    """
    looked = seen if seen is not None else [1.0] * len(relevance)
    corrected = [min(r / max(s, 0.05), 1.0) for r, s in zip(relevance, looked, strict=True)]
    return [value / math.log2(1 + rank) for rank, value in enumerate(corrected, start=1)]


def shown(episode: Episode) -> list[Passage]:
    """What the person saw: the cited passages in order, else all that was retrieved."""
    known = episode.retrieved
    cited = [known[c.passage_id] for c in episode.citations if c.passage_id in known]
    return cited or list(known.values())


def page(episode: Episode) -> Score:
    """Half `page_score`, half the mean of gold item scores over the ideal; 0 to 1. None without passage texts.

    Aspects are the question and, where known, the rubric's nuggets. Without gold evidence the page part is all.

    The one passage says what is asked (page 1) and is one of two gold ones: 0.5 + 0.5 / (1 + 1 / log2 3).

    >>> from training.rewards.contract import Evidence, Step
    >>> said = "Mira Vell built the mill."
    >>> shows = (Step("search", results=(Passage("a", said),)),)
    >>> round(page(Episode(said, evidence=(Evidence("a"), Evidence("b")), steps=shows)), 4)
    0.8066
    """
    passages = shown(episode)
    if not any(p.text for p in passages):
        return None
    whole = page_score([episode.question, *episode.nuggets], [p.text for p in passages])
    if not episode.evidence:
        return whole
    hits: set[str] = set()
    relevance = []
    for passage in passages:  # a second copy of a gold passage is no second hit
        relevance.append(float(passage.id in episode.gold_ids and passage.id not in hits))
        hits.add(passage.id)
    ideal = sum(item_scores([1.0] * len(episode.gold_ids)))
    return PAGE_SHARE * whole + (1 - PAGE_SHARE) * sum(item_scores(relevance)) / ideal


def page_texts(episode: Episode) -> list[str]:
    """What `page` looks up."""
    texts = [p.text for p in shown(episode)]
    return [episode.question, *episode.nuggets, *shared().unstored(texts)] if any(texts) else []


def corruptions(episode: Episode, irrelevant: Passage) -> dict[str, Episode]:
    """The page spoiled in four ways: a relevant item swapped for an irrelevant one, the order reversed, all topics
    but the first dropped, the first item repeated over the rest. Needs two shown passages.

    Raises ValueError for a page with fewer than two passages.
    """
    passages = shown(episode)
    if len(passages) < 2:
        raise ValueError("a page needs at least two passages to be spoiled")
    first, *rest = passages
    spoiled = {
        "relevance": [irrelevant, *rest],
        "ranking": passages[::-1],
        "diversity": [first],
        "redundancy": [first] * len(passages),
    }
    step = next(step for step in episode.steps if step.searched)
    return {
        kind: replace(episode, citations=(), steps=(replace(step, results=tuple(_named(kept))),))
        for kind, kept in spoiled.items()
    }


def _named(passages: Sequence[Passage]) -> list[Passage]:
    """Repeats under ids of their own, as a duplicate in a collection has."""
    seen: dict[str, int] = {}
    named = []
    for passage in passages:
        count = seen.get(passage.id, 0)
        seen[passage.id] = count + 1
        named.append(replace(passage, id=f"{passage.id}#{count}") if count else passage)
    return named
