"""What a reward that needs the encoder costs for one answer, beside the bare encoder on the same answers.

Two measures, both over groups of runs of one question as trainers score them. *Siblings*: the runs as they come,
nothing encoded before, the gold texts counted in. *New words*: eight answers of which no sentence was ever seen, gold
texts and passages known, which is the worst case of a second round. Processor time of all cores together: two free
cores need about half of it on the clock.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from training.report import Grid
from training.rewards import guards, rubrics
from training.rewards.contract import Episode, Reward, mean, score_group
from training.rewards.embedding import shared, warm
from training.rewards.guards import sentences, without_marks
from training.rewards.scenarios import Pair

ALONE = "(the encoder alone)"
GROUP = 8  # siblings of the second measure
_marks = itertools.count()


@dataclass(frozen=True, slots=True)
class Speed:
    """Processor milliseconds of one answer: mean and 95th percentile over groups of siblings."""

    mean: float
    p95: float
    answers: int


def siblings(pairs: Sequence[Pair]) -> list[list[Episode]]:
    """The different runs of each question."""
    found: dict[str, list[Episode]] = {}
    for pair in pairs:
        runs = found.setdefault(f"{pair.source}/{pair.case}", [])
        runs += [episode for episode in (pair.better, pair.worse) if episode not in runs]
    return list(found.values())


def speed(reward: Reward, groups: Sequence[Sequence[Episode]]) -> Speed:
    """Scoring groups of siblings of which nothing is known: neither answers nor references nor passages."""
    return _timed(groups, lambda group: score_group(reward, group))


def speed_of_new_words(reward: Reward, pairs: Sequence[Pair], groups: int) -> Speed:
    """Scoring groups of eight new answers; each sentence carries a number that no text had before."""
    spent = []
    for pair, group in _new_words(pairs, groups):
        score_group(reward, [pair.better])  # the question, its reference and its passages
        spent.append(_milliseconds(partial(score_group, reward, group), len(group)))
    return _summary(spent, groups * GROUP)


def encoder_alone(groups: Sequence[Sequence[Episode]]) -> Speed:
    """The measure for `speed`: one pass of the encoder over the different answers and the reference of each group."""
    return _timed(groups, lambda group: warm([group[0].reference, *(e.written for e in group)]))


def encoder_on_new_words(pairs: Sequence[Pair], groups: int) -> Speed:
    """The measure for `speed_of_new_words`: one pass of the encoder over as many new answers, each as one text."""
    spent = [
        _milliseconds(partial(warm, [episode.written for episode in group]), len(group))
        for _, group in _new_words(pairs, groups)
    ]
    return _summary(spent, groups * GROUP)


def measured(rewards: Sequence[Reward], pairs: Sequence[Pair], groups: int) -> dict[str, Any]:
    """Both measures of every reward that needs the encoder, as JSON."""
    runs = siblings(pairs)[:groups]
    warm(["The weights are loaded once."])
    rows = {ALONE: (encoder_alone(runs), encoder_on_new_words(pairs, groups))}
    for reward in rewards:
        if "encoder" in reward.needs:
            rows[reward.name] = speed(reward, runs), speed_of_new_words(reward, pairs, groups)
    return {
        "words": mean([float(len(e.written.split())) for group in runs for e in group]),
        "siblings": mean([float(len(group)) for group in runs]),
        "rewards": {name: {"siblings": asdict(a), "new words": asdict(b)} for name, (a, b) in rows.items()},
    }


def grid(found: Mapping[str, Any]) -> Grid:
    """The table, each reward also against the bare encoder."""
    kinds = ("siblings", "new words")
    alone = found["rewards"][ALONE]
    columns = ("Reward", *(f"{kind}{what}" for kind in kinds for what in ("", ", p95", " / encoder")))
    rows = tuple(
        (
            name,
            *(
                text
                for kind in kinds
                for text in (
                    f"{row[kind]['mean']:.1f}",
                    f"{row[kind]['p95']:.1f}",
                    f"{row[kind]['mean'] / alone[kind]['mean']:.2f}",
                )
            ),
        )
        for name, row in found["rewards"].items()
    )
    title = (
        f"Processor milliseconds of one answer ({found['words']:.0f} words, {found['siblings']:.1f} siblings a "
        f"question on average): runs as they come, nothing encoded before; {GROUP} answers in words never seen"
    )
    return Grid(title, columns, rows)


def _forget() -> None:
    shared().forget()
    for known in (*guards.REMEMBERING, rubrics.best_label):
        known.cache_clear()


def _timed(groups: Sequence[Sequence[Episode]], work: Callable[[Sequence[Episode]], object]) -> Speed:
    spent = []
    for group in groups:
        _forget()
        spent.append(_milliseconds(partial(work, group), len(group)))
    return _summary(spent, sum(map(len, groups)))


def _milliseconds(work: Callable[[], object], answers: int) -> float:
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began) / answers


def _summary(spent: Sequence[float], answers: int) -> Speed:
    return Speed(float(np.mean(spent)), float(np.quantile(spent, 0.95)), answers)


def _new_words(pairs: Sequence[Pair], groups: int) -> Iterator[tuple[Pair, list[Episode]]]:
    for pair in itertools.islice(itertools.cycle(pairs), groups):
        yield pair, [_fresh(pair.better if at % 2 else pair.worse, next(_marks)) for at in range(GROUP)]


def _fresh(episode: Episode, mark: int) -> Episode:
    """The same run in words that were never encoded."""
    told = sentences(without_marks(episode.written)) or ["Nothing."]
    return replace(episode, text=" ".join(f"{sentence.rstrip('.')} ({mark})." for sentence in told))
