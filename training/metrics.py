"""Scores of answers and rankings as pure functions, and how sure a mean of them is.

The ranked metrics are set formulas of one line over ranks that are already known, and all-gold@k is in no
library. `ir-measures` re-sorts by score with its own rule for ties and needs a compiled TREC program, so
it serves as the oracle of the tests, not at run time.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SEED = 0
RESAMPLES = 2000
_BATCH_CELLS = 4_000_000  # resampled values held at once: about 32 MB
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_CLOSED = {"yes", "no", "noanswer"}


def normalize(text: str) -> str:
    """Lower case without ASCII punctuation, articles and extra spaces, as SQuAD and HotpotQA score.

    >>> normalize("The  U.S. Navy!")
    'us navy'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, golds: Sequence[str]) -> float:
    """1.0 if the normalised answer equals a normalised gold.

    >>> exact_match("the Eiffel Tower.", ["Eiffel tower", "Paris"])
    1.0
    """
    said = normalize(answer)
    return float(bool(said) and any(said == normalize(gold) for gold in golds))


def f1(answer: str, golds: Sequence[str]) -> float:
    """Best word F1 over the golds. As in HotpotQA's script, yes, no and noanswer count whole or not at all.

    "Mira Vell of Oster" against "Mira Vell": 2 words shared, precision 2/4, recall 2/2, F1 = 2/3.

    >>> round(f1("Mira Vell of Oster", ["Mira Vell"]), 4)
    0.6667
    >>> f1("no way", ["no"])
    0.0
    """
    return max((_word_f1(normalize(answer), normalize(gold)) for gold in golds), default=0.0)


def _word_f1(answer: str, gold: str) -> float:
    if answer != gold and (answer in _CLOSED or gold in _CLOSED):
        return 0.0
    said, right = Counter(answer.split()), Counter(gold.split())
    shared = (said & right).total()
    if not shared:
        return 0.0
    precision, recall = shared / said.total(), shared / right.total()
    return 2 * precision * recall / (precision + recall)


def recall_at_k(ranked: Sequence[Collection[str]], gold: Collection[str], k: int) -> float:
    """Share of the gold items in the first `k` results; each result is the set of items it holds.

    Gold {a, b}, results [{x}, {a}, {b}]: recall@2 = 1/2, recall@3 = 1.

    >>> recall_at_k([{"x"}, {"a"}, {"b"}], {"a", "b"}, 2)
    0.5
    """
    if not gold:
        raise ValueError("recall needs at least one gold item")
    wanted = set(gold)
    found = {item for items in ranked[:k] for item in items}
    return len(wanted & found) / len(wanted)


def all_gold_at_k(ranked: Sequence[Collection[str]], gold: Collection[str], k: int) -> float:
    """1.0 if every gold item is in the first `k` results: what a multi-hop reader needs.

    >>> all_gold_at_k([{"x"}, {"a"}, {"b"}], {"a", "b"}, 2)
    0.0
    """
    return float(recall_at_k(ranked, gold, k) == 1.0)


def mrr(ranked: Sequence[Collection[str]], gold: Collection[str]) -> float:
    """One over the rank of the first result that holds a gold item; 0 where none does.

    >>> mrr([{"x"}, {"a"}, {"b"}], {"a", "b"})
    0.5
    """
    wanted = set(gold)
    return next((1 / rank for rank, items in enumerate(ranked, start=1) if wanted.intersection(items)), 0.0)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its bootstrap interval. All None where there was nothing to average."""

    mean: float | None
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, float | None]:
        return {"mean": self.mean, "low": self.low, "high": self.high}


def bootstrap(
    values: Sequence[float], *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = SEED
) -> Interval:
    """Mean of `values` (one per question) and its percentile interval over resampled questions.

    Values 0, 0, 1, 1: a resample is all 0 with probability (1/2)^4 = 6.25 %, more than the 2.5 % cut off
    at each end, so the 95 % interval is [0, 1]. Equal values give an interval of no width.

    >>> bootstrap([0.5, 0.5, 0.5])
    Interval(mean=0.5, low=0.5, high=0.5)
    """
    data = np.asarray(values, dtype=np.float64)
    if not data.size:
        return Interval(None, None, None)
    tail = (1 - level) / 2
    low, high = np.quantile(_resampled_means(data, resamples, seed), [tail, 1 - tail])
    return Interval(float(data.mean()), float(low), float(high))


def paired_difference(
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Mean of `ours - theirs` over the same questions, with its interval: clear of 0 = a real difference.

    >>> paired_difference([1, 1, 0], [0, 0, 0]).mean
    0.6666666666666666
    """
    if len(ours) != len(theirs):
        raise ValueError(f"paired scores need the same questions: {len(ours)} against {len(theirs)}")
    gaps = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    return bootstrap(gaps.tolist(), level=level, resamples=resamples, seed=seed)


def _resampled_means(data: npt.NDArray[np.float64], resamples: int, seed: int) -> npt.NDArray[np.float64]:
    """Shape (resamples,). Drawn in batches so that a large question set needs little memory."""
    generator = np.random.default_rng(seed)
    batch = max(1, _BATCH_CELLS // data.size)
    means = [
        data[generator.integers(data.size, size=(min(batch, resamples - done), data.size))].mean(axis=1)
        for done in range(0, resamples, batch)
    ]
    return np.concatenate(means)
