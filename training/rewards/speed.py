"""What a reward that needs the encoder costs for one answer, beside the bare encoder on the same answers.

Two measures, both over groups of runs of one question as trainers score them. *Siblings*: the runs as they come,
nothing encoded before, the gold texts counted in. *New words*: eight answers of which no sentence was ever seen, gold
texts and passages known, which is the worst case of a second round. Processor time of all cores together, and time on
the clock, which tells something only where nothing else runs.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import torch

from index.encoders import count_tokens, tokenizer
from training.report import Grid
from training.rewards import guards, rubrics
from training.rewards.contract import Episode, Reward, encode_for, mean, score_group
from training.rewards.embedding import shared, warm
from training.rewards.guards import negations, sentences, without_marks
from training.rewards.scenarios import Pair

ALONE, TOGETHER = "(the encoder alone)", "(all of these together)"
GROUP = 8  # siblings of the second measure
_PLAIN = re.compile(r"\b[a-z]{5,9}\b")
Times = tuple[float, float]  # processor and clock


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds of one answer over groups of siblings: mean and 95th percentile of the processor's time, and mean
    on the clock."""

    mean: float
    p95: float
    clock: float
    answers: int


def siblings(pairs: Sequence[Pair]) -> list[list[Episode]]:
    """The different runs of each question."""
    found: dict[str, list[Episode]] = {}
    for pair in pairs:
        runs = found.setdefault(f"{pair.source}/{pair.case}", [])
        runs += [episode for episode in (pair.better, pair.worse) if episode not in runs]
    return list(found.values())


def speed(rewards: Sequence[Reward], groups: Sequence[Sequence[Episode]]) -> Speed:
    """Scoring groups of siblings of which nothing is known: neither answers nor references nor passages.

    Several rewards score one after the other, as in a mixture, and share what was encoded.
    """
    return _timed(groups, partial(_score_all, rewards))


def speed_of_new_words(rewards: Sequence[Reward], pairs: Sequence[Pair], groups: int) -> Speed:
    """Scoring groups of eight new answers, as long as the old ones: in each sentence one plain word is another."""
    spent = []
    _forget()
    for pair, group in _new_words(pairs, groups):
        _score_all(rewards, [pair.better, pair.worse])  # the question, its reference and its passages
        spent.append(_milliseconds(partial(_score_all, rewards, group), len(group)))
    return _summary(spent, groups * GROUP)


def encoder_alone(groups: Sequence[Sequence[Episode]]) -> Speed:
    """The measure for `speed`: one pass of the encoder over the different answers and the reference of each group."""
    return _timed(groups, lambda group: warm([group[0].reference, *(e.written for e in group)]))


def encoder_on_new_words(pairs: Sequence[Pair], groups: int) -> Speed:
    """The measure for `speed_of_new_words`: one pass of the encoder over as many new answers, each as one text."""
    _forget()
    spent = [
        _milliseconds(partial(warm, [without_marks(episode.written) for episode in group]), len(group))
        for _, group in _new_words(pairs, groups)
    ]
    return _summary(spent, groups * GROUP)


def measured(rewards: Sequence[Reward], pairs: Sequence[Pair], groups: int) -> dict[str, Any]:
    """Both measures of every reward that needs the encoder, and of all of them together, as JSON."""
    runs = siblings(pairs)[:groups]
    chosen = [reward for reward in rewards if "encoder" in reward.needs]
    for known in ([r] for r in chosen):
        speed(known, runs[:1])  # weights and tables are loaded once
    rows = {ALONE: (encoder_alone(runs), encoder_on_new_words(pairs, groups))}
    for name, tested in {**{r.name: [r] for r in chosen}, TOGETHER: chosen}.items():
        rows[name] = speed(tested, runs), speed_of_new_words(tested, pairs, groups)
    answers = [e.written for _, group in _new_words(pairs, groups) for e in group]
    return {
        "words": mean([float(len(e.written.split())) for group in runs for e in group]),
        "new words": mean([float(len(text.split())) for text in answers]),
        "tokens": mean([float(count) for count in count_tokens([without_marks(text) for text in answers])]),
        "siblings": mean([float(len(group)) for group in runs]),
        "threads": torch.get_num_threads(),
        "rewards": {name: {"siblings": asdict(a), "new words": asdict(b)} for name, (a, b) in rows.items()},
    }


def grid(found: Mapping[str, Any]) -> Grid:
    """The table, each reward also against the bare encoder."""
    kinds = ("siblings", "new words")
    alone = found["rewards"][ALONE]
    columns = (
        "Reward",
        *(f"{kind}{what}" for kind in kinds for what in ("", ", p95", ", clock", " / encoder")),
    )
    rows = tuple(
        (
            name,
            *(
                text
                for kind in kinds
                for text in (
                    f"{row[kind]['mean']:.1f}",
                    f"{row[kind]['p95']:.1f}",
                    f"{row[kind]['clock']:.1f}",
                    f"{row[kind]['mean'] / alone[kind]['mean']:.2f}",
                )
            ),
        )
        for name, row in found["rewards"].items()
    )
    title = (
        f"Milliseconds of one answer, processor ({found['threads']} threads) and clock: runs as they come, nothing "
        f"encoded before ({found['words']:.0f} words, {found['siblings']:.1f} siblings a question on average); "
        f"{GROUP} answers in words never seen ({found['new words']:.0f} words, {found['tokens']:.0f} tokens)"
    )
    return Grid(title, columns, rows)


def _forget() -> None:
    shared().forget()
    for known in (*guards.REMEMBERING, rubrics.best_label):
        known.cache_clear()


def _score_all(rewards: Sequence[Reward], group: Sequence[Episode]) -> None:
    encode_for(rewards, group)
    for reward in rewards:
        score_group(reward, group)


def _timed(groups: Sequence[Sequence[Episode]], work: Callable[[Sequence[Episode]], object]) -> Speed:
    spent = []
    for group in groups:
        _forget()
        spent.append(_milliseconds(partial(work, group), len(group)))
    return _summary(spent, sum(map(len, groups)))


def _milliseconds(work: Callable[[], object], answers: int) -> Times:
    began, clock = time.process_time(), time.perf_counter()
    work()
    return 1000 * (time.process_time() - began) / answers, 1000 * (time.perf_counter() - clock) / answers


def _summary(spent: Sequence[Times], answers: int) -> Speed:
    processor, clock = np.array(spent).T
    return Speed(float(processor.mean()), float(np.quantile(processor, 0.95)), float(clock.mean()), answers)


def _new_words(pairs: Sequence[Pair], groups: int) -> Iterator[tuple[Pair, list[Episode]]]:
    """Groups of new answers, the same at every call."""
    marks = itertools.count()
    for pair in itertools.islice(itertools.cycle(pairs), groups):
        yield pair, [_fresh(pair.better if at % 2 else pair.worse, next(marks)) for at in range(GROUP)]


def _fresh(episode: Episode, mark: int) -> Episode:
    """The same run in words that were never encoded. Its names and numbers stay, so that no guard rejects it sooner,
    and so does a headline, which is one of a few."""
    told = sentences(without_marks(episode.written)) or ["Nothing was found."]
    word = _words()[mark % len(_words())]
    if len(told) == 1:
        return replace(episode, text=_reworded(told[0], word))
    return replace(episode, text=" ".join([told[0], *(_reworded(text, word) for text in told[1:])]))


def _reworded(sentence: str, word: str) -> str:
    """The sentence with its last plain word replaced, or with one word more where it has none."""
    plain = list(_PLAIN.finditer(sentence))
    if plain:
        return sentence[: plain[-1].start()] + word + sentence[plain[-1].end() :]
    return f"{sentence.rstrip('.')} {word}."


@cache
def _words() -> tuple[str, ...]:
    """Words that the encoder knows as one token and that neither deny nor doubt anything."""
    found = (word for word in tokenizer().get_vocab() if _PLAIN.fullmatch(word))
    return tuple(sorted(w for w in found if not negations(w) and not rubrics.hedged(w)))
