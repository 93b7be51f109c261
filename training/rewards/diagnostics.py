"""What a trainer should look at each round: do the rewards still tell answers apart, and for the right reason?

Per component mean and deviation, saturation, groups in which nothing differs, correlation with length and with one
another, and how far a proxy runs ahead of the gold measure (Goodhart). The list follows common practice; the
limits of the warnings are ours.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import ConstantInputWarning, pearsonr, spearmanr

from training.metrics import Interval, bootstrap
from training.rewards.advantages import GROUP_FLOOR
from training.rewards.compose import components
from training.rewards.contract import Episode, Score, unit
from training.rewards.outcome import word_f1
from training.rewards.registry import REWARDS

SATURATED_HIGH, SATURATED_LOW = 0.98, 0.02
LENGTH_WARNING, COPY_WARNING, SATURATION_WARNING, SILENT_WARNING, GAP_WARNING = 0.5, 0.95, 0.9, 0.5, 0.02


@dataclass(frozen=True, slots=True)
class ComponentReport:
    """One component over all episodes; values in 0..1."""

    count: int  # episodes it applied to
    mean: float | None
    deviation: float | None
    saturated: float | None  # share above 0.98 or below 0.02
    silent_groups: float | None  # share of groups in which its range is under the floor
    length_correlation: float | None  # Spearman with the words of the written answer
    gold_correlation: float | None  # Spearman with word F1


@dataclass(frozen=True, slots=True)
class Report:
    """All components, how they correlate (Pearson), and warnings in plain words."""

    components: dict[str, ComponentReport]
    correlations: dict[tuple[str, str], float]
    warnings: tuple[str, ...] = field(default=())


def correlation(a: Sequence[float], b: Sequence[float], *, ranks: bool = True) -> Score:
    """Spearman (or Pearson) correlation, -1 to 1; None for fewer than three values or where one side is constant.

    >>> correlation([1, 2, 3], [10, 20, 40])
    1.0
    """
    if len(a) < 3:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantInputWarning)
        found = float((spearmanr if ranks else pearsonr)(a, b).statistic)
    return None if math.isnan(found) else found


def diagnose(names: Sequence[str], groups: Sequence[Sequence[Episode]]) -> Report:
    """Report on components (by registry name) over groups of siblings, with warnings."""
    columns: dict[str, list[Score]] = {name: [] for name in names}
    silent: dict[str, list[float]] = {name: [] for name in names}
    for episodes in groups:
        for name, scores in components(names, episodes).items():
            values = [unit(REWARDS[name], score) for score in scores]
            columns[name] += values
            known = [value for value in values if value is not None]
            if len(known) > 1:
                silent[name].append(float(max(known) - min(known) < GROUP_FLOOR))
    episodes = [episode for group in groups for episode in group]
    lengths = [float(len(episode.written.split())) for episode in episodes]
    gold = [word_f1(episode) for episode in episodes]
    reports = {name: _component(columns[name], silent[name], lengths, gold) for name in names}
    pairs = {
        (a, b): value
        for i, a in enumerate(names)
        for b in list(names)[:i]
        if (value := _correlated(columns[a], columns[b], ranks=False)) is not None
    }
    return Report(reports, pairs, tuple(_warnings(reports, pairs)))


def _component(
    values: Sequence[Score], silent: Sequence[float], lengths: Sequence[float], gold: Sequence[Score]
) -> ComponentReport:
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    if not len(known):
        return ComponentReport(0, None, None, None, None, None, None)
    return ComponentReport(
        len(known),
        float(known.mean()),
        float(known.std()),
        float(((known > SATURATED_HIGH) | (known < SATURATED_LOW)).mean()),
        float(np.mean(silent)) if silent else None,
        _correlated(values, lengths),
        _correlated(values, gold),
    )


def _correlated(a: Sequence[Score], b: Sequence[Score], *, ranks: bool = True) -> Score:
    both = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    return correlation([x for x, _ in both], [y for _, y in both], ranks=ranks)


def _warnings(reports: Mapping[str, ComponentReport], pairs: Mapping[tuple[str, str], float]) -> list[str]:
    found = []
    for name, report in reports.items():
        if not report.count:
            found.append(f"{name} applied to no episode.")
        if (report.length_correlation or 0) > LENGTH_WARNING:
            found.append(f"{name} rises with the length of the answer ({report.length_correlation:.2f}).")
        if (report.gold_correlation or 0) < 0:
            found.append(f"{name} falls where the answers are right ({report.gold_correlation:.2f}).")
        if (report.saturated or 0) > SATURATION_WARNING and (report.silent_groups or 0) > SILENT_WARNING:
            found.append(f"{name} is saturated in {report.saturated:.0%} of the episodes.")
        if (report.silent_groups or 0) > SILENT_WARNING:
            found.append(f"{name} tells nothing apart in {report.silent_groups:.0%} of the groups.")
    found += [f"{a} and {b} say the same ({v:.2f})." for (a, b), v in pairs.items() if v > COPY_WARNING]
    return found


@dataclass(frozen=True, slots=True)
class Goodhart:
    """Best of n by the proxy: its own mean and the gold mean of what it chose, for each n."""

    sizes: tuple[int, ...]
    proxy: tuple[float, ...]
    gold: tuple[float, ...]

    @property
    def caught(self) -> bool:
        """The proxy rises while gold falls by more than 0.02 from its best earlier value."""
        best = np.maximum.accumulate(self.gold)
        fell = bool(np.any(np.array(self.gold) < best - GAP_WARNING))
        return fell and self.proxy[-1] > self.proxy[0]


def best_of_n(
    proxy: Sequence[Sequence[float]],
    gold: Sequence[Sequence[float]],
    sizes: Sequence[int] = (1, 2, 4, 8, 16, 32, 64),
) -> Goodhart:
    """Expected proxy and gold value of the best of n draws by the proxy, over questions; exact, no sampling.

    Rows are questions, columns their samples. Ties in the proxy share. Sizes beyond the smallest row are left out.
    Raises ValueError where rows differ in shape.

    Proxy 1, 0 and gold 0, 1: n = 1 gives both means 0.5; n = 2 takes the first: proxy 1, gold 0.

    >>> best_of_n([[1.0, 0.0]], [[0.0, 1.0]], sizes=(1, 2)).gold
    (0.5, 0.0)
    """
    if len(proxy) != len(gold) or any(len(a) != len(b) for a, b in zip(proxy, gold, strict=False)):
        raise ValueError("the proxy and the gold values need the same questions and samples")
    kept = tuple(n for n in sizes if n <= min(map(len, proxy), default=0))
    tables = [_expected(np.array(p), np.array(g), kept) for p, g in zip(proxy, gold, strict=True)]
    means = np.mean(tables, axis=0) if tables and kept else np.zeros((0, 2))
    return Goodhart(kept, tuple(map(float, means[:, 0])), tuple(map(float, means[:, 1])))


def _expected(proxy: np.ndarray, gold: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Mean over all subsets of size n of the proxy's best element: shape (sizes, 2)."""
    values, inverse = np.unique(proxy, return_inverse=True)
    tied = np.array([gold[inverse == at].mean() for at in range(len(values))])
    upto = np.array([(proxy <= value).sum() for value in values])
    rows = []
    for n in sizes:
        below = np.array([math.comb(int(count), n) for count in upto], dtype=np.float64) / math.comb(
            len(proxy), n
        )
        chance = np.diff(below, prepend=0.0)
        rows.append((float(chance @ values), float(chance @ tied)))
    return np.array(rows)


def best_of_n_divergence(n: int) -> float:
    """KL of best-of-n from the policy: log n - (n - 1) / n.

    >>> round(best_of_n_divergence(4), 4)
    0.6363
    """
    return math.log(n) - (n - 1) / n


def proxy_gap(proxy: Sequence[float], gold: Sequence[float]) -> Interval:
    """Mean of proxy - gold on a fixed audit set, both in 0..1, with its bootstrap interval.

    A gap that grows from round to round while gold stands still is hacking.

    >>> proxy_gap([0.9, 0.9], [0.5, 0.5]).mean
    0.4
    """
    return bootstrap([p - g for p, g in zip(proxy, gold, strict=True)])


def expected_calibration_error(
    probabilities: Sequence[float], outcomes: Sequence[bool], bins: int = 10
) -> float:
    """Mean gap of stated probability and observed share over equal-width bins, by their size. 0 to 1.

    >>> expected_calibration_error([0.8, 0.8, 0.8, 0.8, 0.8], [True, True, True, True, False])
    0.0
    """
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    place = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [abs(p[place == b].mean() - y[place == b].mean()) * (place == b).mean() for b in np.unique(place)]
    return float(round(sum(gaps), 12))
