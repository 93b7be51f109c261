"""Is an answer nearer to the right text than to wrong ones? (contrastive rewards for text-to-SQL, arXiv 2510.13827)"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training.metrics import normalize
from training.rewards.contract import Episode, Score
from training.rewards.embedding import passage_vectors, shared, text_vector, text_vectors
from training.rewards.guards import guard
from training.rewards.sentences import sentences, stated, without_marks
from training.rewards.similarity import without_thought

SAME_TEXT = 0.95
TEMPERATURE = 0.1


def contrastive_margin(text: str, positive: str, negatives: Sequence[str]) -> Score:
    """Probability of the positive among the negatives: exp(s+/t) / (exp(s+/t) + sum exp(s-/t)), t = 0.1.

    After the contrastive term of multilingual text-to-SQL (arXiv 2510.13827, abstract; formula ours). Negatives that
    say the same as the positive (cosine over 0.95) are left out: they would punish a right paraphrase. None without
    a remaining negative. Easy negatives saturate: mine near ones.

    Texts are compared by the means of their sentences' vectors: a wrong answer and the right one share most of theirs.
    A negative that is a passage of an index keeps the vector it has there.

    Cosines .8 to the positive, .6 to the one negative: e^8 / (e^8 + e^6) = 0.881.
    """
    if not negatives or not positive.strip():
        return None
    vectors = np.concatenate([text_vectors([positive]), passage_vectors(negatives)])
    kept = vectors[1:][vectors[1:] @ vectors[0] <= SAME_TEXT]
    if not len(kept):
        return None
    if not text.strip():
        return 0.0
    return margin_of(np.concatenate([vectors[:1], kept]) @ text_vector(text))


def margin_of(similar: npt.NDArray[np.float64]) -> float:
    """The softmax of the first cosine among all of them, at temperature 0.1.

    >>> round(margin_of(np.array([0.8, 0.6])), 4)
    0.8808
    """
    scaled = similar / TEMPERATURE
    return float(np.exp(scaled[0] - np.logaddexp.reduce(scaled)))


def contrastive(episode: Episode) -> Score:
    """`contrastive_margin` of the answer: reference (or gold) against distractors, 0 to 1. None without them.

    The guards for numbers and names apply against the positive.

    >>> right, wrong = "Mira Vell built the mill.", "Ida Marr closed the harbour."
    >>> [round(contrastive(Episode("q", text=t, reference=right, distractors=(wrong,))), 2) for t in (right, wrong)]
    [1.0, 0.0]
    """
    positive = _positive(episode)
    if not positive or not episode.distractors:
        return None
    if episode.abstained or not episode.well_formed or not normalize(episode.written):
        return 0.0
    text = without_marks(without_thought(episode.written))
    factor = guard(text, positive)
    text = " ".join(stated(sentences(text), positive))
    # What the guards reject earns 0 whatever its vector is; whether there is a margin the other texts decide.
    margin = contrastive_margin(text if factor else "", positive, episode.distractors)
    return None if margin is None else margin * factor


def _positive(episode: Episode) -> str:
    return episode.reference or (episode.golds[0] if episode.golds else "")


def contrastive_texts(episode: Episode) -> list[str]:
    """What `contrastive` looks up."""
    positive = _positive(episode)
    if not positive or not episode.distractors or episode.abstained:
        return []
    text = without_marks(without_thought(episode.written))
    new = shared().unstored(episode.distractors)
    return [
        *(sentence for known in (positive, *new) for sentence in sentences(known) or [known]),
        *(stated(sentences(text), positive) if guard(text, positive) else []),
    ]
