"""Similarity of meaning as a reward, with the guards that keep it honest (encoder only, no language model).

A cosine sees neither numbers nor negation, is high for a copy of the question, and gives many answers nearly the
same value. Each function here states what it does about that. None of them claims entailment.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Sequence

import numpy as np

from training.rewards.contract import Episode, Score
from training.rewards.embedding import cosine, cosines
from training.rewards.guards import word_jaccard
from training.rewards.sentences import is_claim, sentences, trigram_uniqueness, without_marks
from training.rewards.similarity import KEYWORDS, similarity, similarity_texts, without_thought
from training.rewards.typed import static_bmas

HISTORY, WARM_UP = 512, 64
TARGET_WORDS = {"open": 60, "closed": 15}
ABOUT = 0.25  # cosine of a sentence with the question it speaks of; sentences about nothing reach 0.15
_OPEN = re.compile(
    r"^\s*(?:why|how(?! (?:many|much|long|old|far|tall|deep|high|big|often))|describe|explain)\b", re.I
)


def encoder_texts(episode: Episode) -> list[str]:
    """What `encoder` looks up."""
    if not episode.reference or episode.abstained:
        return []
    return similarity_texts(episode.written, episode.reference)


def encoder(episode: Episode) -> Score:
    """`similarity` of the written answer with the reference, 0 to 1. None without a reference.

    >>> [encoder(Episode("q", text=f"It opened in {year}.", reference="It opened in 1887.")) for year in (1887, 1878)]
    [1.0, 0.0]
    """
    if not episode.reference:
        return None
    if episode.abstained or not episode.well_formed:
        return 0.0
    return similarity(episode.written, episode.reference)


def bag_of_words(episode: Episode) -> Score:
    """Mixed-R1's BMAS over static token vectors, times the share of sentences that state something, 0 to 1.

    None without a reference. Milliseconds and no forward pass, but blind to order and negation: an outcome must stand
    beside it. Bare lists of key words count half (ours).

    >>> said = [Episode("q", text=f"Built in {year}.", reference="Built in 1887.") for year in (1887, 1878)]
    >>> [round(bag_of_words(one), 4) for one in said]
    [1.0, 0.0]
    """
    if not episode.reference:
        return None
    if episode.abstained or not episode.well_formed:
        return 0.0
    text = without_marks(episode.written)
    return static_bmas(text, episode.reference) * _claims(text)


def _claims(text: str) -> float:
    """Mean over sentences of 1, or 0.5 for a bare list of key words; 0.0 for an empty text."""
    read = sentences(text)
    return sum(1.0 if is_claim(sentence) else KEYWORDS for sentence in read) / len(read) if read else 0.0


class AdaptiveSemantic:
    """ARMed (arXiv 2508.12957): raw similarities stretched by the quantiles of recent ones, 0 to 1.

    The idea is read in summaries, the map is ours: centre c = median of the last 512 raw scores, k = ln 81 / (q80 -
    q20), r = sigmoid(k (s - c)), so that the 20th and 80th percentile become about 0.1 and 0.9. Until 64 scores are
    known the raw one is returned. The map is monotonic within one call: order is kept (saturated ties apart). Never
    report a shaped value as quality: its scale moves with the history.

    Centre 0.95, spread 0.1: k = 43.9; a raw 1.0 becomes sigmoid(2.197) = 0.9.

    >>> shaped = AdaptiveSemantic()
    >>> shaped.history.extend([0.9] * 40 + [0.95] * 20 + [1.0] * 40)
    >>> [round(v, 4) for v in shaped([Episode("q", text="It opened in 1887.", reference="It opened in 1887.")])]
    [0.9]
    """

    def __init__(self, size: int = HISTORY) -> None:
        self.history: deque[float] = deque(maxlen=size)

    def remember(self, episodes: Sequence[Episode]) -> None:
        """Add the raw scores of a round to the history; the trainer does so once a round, after scoring."""
        self.history.extend(raw for raw in map(encoder, episodes) if raw is not None)

    def __call__(self, episodes: Sequence[Episode]) -> list[Score]:
        """Shaped `encoder` scores of a group by the history so far; None stays None. Changes nothing."""
        raw = [encoder(episode) for episode in episodes]
        shaped = iter(adapt([value for value in raw if value is not None], list(self.history)))
        return [None if value is None else next(shaped) for value in raw]


def adapt(raw: Sequence[float], history: Sequence[float]) -> list[float]:
    """ARMed's map of raw scores for a given history; the raw scores while the history is short.

    Centre 0.86, spread 0.05: k = 87.9; a raw 0.885 becomes sigmoid(2.197).

    >>> adapt([0.3, 0.4], []), round(adapt([0.885], [0.835] * 40 + [0.86] * 20 + [0.885] * 40)[0], 4)
    ([0.3, 0.4], 0.9)
    """
    if len(history) < WARM_UP:
        return list(raw)
    low, centre, high = np.quantile(history, [0.2, 0.5, 0.8])
    steepness = math.log(81) / max(float(high - low), 0.01)
    return [_sigmoid(steepness * (value - float(centre))) for value in raw]


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def regularised(
    relevance: float, words: int, uniqueness: float, target: int = 100, capped: bool = True
) -> float:
    """R^3's open-ended branch (arXiv 2402.03469, read in a review): relevance * length * uniqueness.

    Length is words / 100 in the source, without a cap; ours is capped at 1. A negative relevance is 0: its sign
    would turn the length term around.

    >>> regularised(0.5, 50, 1.0), regularised(-0.5, 50, 1.0)
    (0.25, 0.0)
    """
    length = words / target
    return max(relevance, 0.0) * (min(length, 1.0) if capped else length) * uniqueness


def question_kind(question: str, kind: str = "") -> str:
    """ "open" for why, how, describe and explain or a long answer, else "closed". A rule of ours.

    >>> question_kind("Why did the mill close?"), question_kind("How long is the Aske?")
    ('open', 'closed')
    """
    return "open" if kind == "text" or (not kind and _OPEN.match(question)) else "closed"


def relevance(episode: Episode) -> Score:
    """Regularised relevance R^3, 0 to 1; the one semantic reward that needs no gold for open questions.

    Open questions: cosine of question and answer * length towards 60 words * unique trigrams * what is new against
    the question's own words (ours: a copy of the question earned most in the source). Only different sentences about
    the question (cosine 0.25 or more) add to the length, others take from the share of sentences that count (ours: in
    the source filling up to any length pays). Closed questions: guarded
    similarity to the reference * unique trigrams; None without a reference.

    A copy of an open question, and a closed one answered as its reference.

    >>> from dataclasses import replace
    >>> open_, closed = Episode("Why did it close?", text="Why did it close?"), Episode("When?", text="In 1887.")
    >>> relevance(open_), relevance(replace(closed, reference="In 1887."))
    (0.0, 1.0)
    """
    if question_kind(episode.question, episode.kind) == "closed":
        return encoder(episode)
    text = without_marks(without_thought(episode.written))
    if episode.abstained or not episode.well_formed or not text:
        return 0.0
    read = sentences(text)
    near = dict(zip(read, cosines(read, [episode.question])[:, 0], strict=True))
    about = [sentence for sentence in near if is_claim(sentence) and near[sentence] >= ABOUT]
    share, words = len(about) / max(len(read), 1), sum(len(sentence.split()) for sentence in about)
    value = regularised(cosine(episode.question, text), words, trigram_uniqueness(text), TARGET_WORDS["open"])
    return value * share * (1 - word_jaccard(text, episode.question))


def relevance_texts(episode: Episode) -> list[str]:
    """What `relevance` looks up."""
    if question_kind(episode.question, episode.kind) == "closed":
        return encoder_texts(episode)
    text = without_marks(without_thought(episode.written))
    return [*sentences(text), text, episode.question] if text and not episode.abstained else []
