"""What a reward that needs the encoder costs for one answer, beside the bare encoder on the same answers.

Three measures, all over groups of runs of one question as trainers score them. *Siblings*: the runs as they come, no
sentence encoded before, the gold texts counted in; the passages that were shown keep the vectors they have in the index
that showed them, as `scoring` hands them over. *No index*: the same where those vectors are unknown too. *New words*:
eight answers of which no sentence was ever seen, gold texts and passages known, which is the worst case of a second
round. Processor time of all cores together, and time on the clock, which tells something only where nothing else runs.
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

from index.backbone import threads
from index.encoders import count_tokens, load_embedder, tokenizer
from index.types import Vectors
from training.report import Grid
from training.rewards import guards, process, similarity, verifying
from training.rewards.contract import Episode, Reward, encode_for, mean, score_group
from training.rewards.embedding import shared, warm
from training.rewards.guards import negations
from training.rewards.scenarios import Pair
from training.rewards.sentences import REMEMBERING, sentences, without_marks

ALONE, TOGETHER = "(the encoder alone)", "(all of these together)"
KINDS = ("siblings", "no index", "new words")
GROUP = 8  # siblings of the second measure
TOLD = ("", ", p95", ", clock", " / encoder")
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


def speed(rewards: Sequence[Reward], groups: Sequence[Sequence[Episode]], index: bool = True) -> Speed:
    """Scoring groups of siblings of which nothing is known but, with `index`, the vectors of the passages shown.

    Several rewards score one after the other, as in a mixture, and share what was encoded.
    """
    return _timed(groups, partial(_score_all, rewards), index)


def speed_of_new_words(rewards: Sequence[Reward], pairs: Sequence[Pair], groups: int) -> Speed:
    """Scoring groups of eight new answers, as long as the old ones: in each sentence one plain word is another."""
    spent = []
    _forget()
    for pair, group in _new_words(pairs, groups):
        shared().store(_held([pair.better, pair.worse]))
        _score_all(rewards, [pair.better, pair.worse])  # the question, its reference and its passages
        spent.append(_milliseconds(partial(_score_all, rewards, group), len(group)))
    return _summary(spent, groups * GROUP)


def encoder_alone(groups: Sequence[Sequence[Episode]]) -> Speed:
    """The measure for `speed`: one pass of the encoder over the different answers and the reference of each group."""
    return _timed(groups, lambda group: warm([group[0].reference, *(e.written for e in group)]), index=False)


def encoder_on_new_words(pairs: Sequence[Pair], groups: int) -> Speed:
    """The measure for `speed_of_new_words`: one pass of the encoder over as many new answers, each as one text."""
    _forget()
    spent = [
        _milliseconds(partial(warm, [without_marks(episode.written) for episode in group]), len(group))
        for _, group in _new_words(pairs, groups)
    ]
    return _summary(spent, groups * GROUP)


def measured(rewards: Sequence[Reward], pairs: Sequence[Pair], groups: int) -> dict[str, Any]:
    """The measures of every reward that needs the encoder, and of all of them together, as JSON."""
    runs = siblings(pairs)[:groups]
    chosen = [reward for reward in rewards if "encoder" in reward.needs]
    for known in ([r] for r in chosen):
        speed(known, runs[:1])  # weights and tables are loaded once
    alone = encoder_alone(runs)
    rows = {ALONE: (alone, alone, encoder_on_new_words(pairs, groups))}
    for name, tested in {**{r.name: [r] for r in chosen}, TOGETHER: chosen}.items():
        rows[name] = (
            speed(tested, runs),
            speed(tested, runs, False),
            speed_of_new_words(tested, pairs, groups),
        )
    answers = [e.written for _, group in _new_words(pairs, groups) for e in group]
    return {
        "words": mean([float(len(e.written.split())) for group in runs for e in group]),
        "new words": mean([float(len(text.split())) for text in answers]),
        "tokens": mean([float(count) for count in count_tokens([without_marks(text) for text in answers])]),
        "siblings": mean([float(len(group)) for group in runs]),
        "threads": threads(),
        "rewards": {
            name: {kind: asdict(one) for kind, one in zip(KINDS, row, strict=True)}
            for name, row in rows.items()
        },
    }


def grid(found: Mapping[str, Any]) -> Grid:
    """The table, each reward also against the bare encoder."""
    alone = found["rewards"][ALONE]
    shown = {"siblings": TOLD, "no index": TOLD[::2], "new words": TOLD}
    columns = ("Reward", *(f"{kind}{what}" for kind, told in shown.items() for what in told))
    rows = []
    for name, row in found["rewards"].items():
        cells = [name]
        for kind, told in shown.items():
            spent, bare = row[kind], alone[kind]["mean"]
            values = (spent["mean"], spent["p95"], spent["clock"])
            texts = (*(f"{value:.1f}" for value in values), f"{spent['mean'] / bare:.2f}")
            cells += [text for text, what in zip(texts, TOLD, strict=True) if what in told]
        rows.append(tuple(cells))
    title = (
        f"Milliseconds of one answer, processor ({found['threads']} threads) and clock: runs as they come, no sentence "
        f"encoded before ({found['words']:.0f} words, {found['siblings']:.1f} siblings a question on average), the "
        "vectors of the passages shown those of the index, or unknown too (no index); "
        f"{GROUP} answers in words never seen ({found['new words']:.0f} words, {found['tokens']:.0f} tokens)"
    )
    return Grid(title, columns, tuple(rows))


def _forget() -> None:
    shared().forget()
    for known in (
        *REMEMBERING,
        *guards.REMEMBERING,
        *process.REMEMBERING,
        *verifying.REMEMBERING,
        similarity.guarded,
    ):
        known.cache_clear()


def _held(group: Sequence[Episode]) -> dict[str, Vectors]:
    """The vectors of all passages that the runs were shown, by text, as an index holds them."""
    return {p.text: _indexed(p.text) for episode in group for p in episode.retrieved.values()}


@cache
def _indexed(text: str) -> Vectors:
    return np.asarray(load_embedder().embed([text])[0])


def _score_all(rewards: Sequence[Reward], group: Sequence[Episode]) -> None:
    encode_for(rewards, group)
    for reward in rewards:
        score_group(reward, group)


def _timed(
    groups: Sequence[Sequence[Episode]], work: Callable[[Sequence[Episode]], object], index: bool
) -> Speed:
    spent = []
    for group in groups:
        _forget()
        if index:
            shared().store(_held(group))
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
    return tuple(sorted(w for w in found if not negations(w) and not verifying.hedged(w)))
