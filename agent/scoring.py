"""How well each found passage serves the question, 0 to 100, from several views (Retro*, arXiv 2509.24869).

The views are the ranking's usefulness, the trained reader's belief that the passage answers, and how far its best
sentence covers the question; a language model's own scores join them where the views disagree. The mean is the score,
the spread the doubt. At 60 and more a passage is kept, from 40 on where there is room, below it is left out of what
later prompts show; its label stays in the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from agent.thread import Thread
from index.types import Hit

KEEP, ROOM = 60, 40
DOUBT = 10  # spread (points) from which another view is worth asking for


@dataclass(frozen=True, slots=True)
class PassageScore:
    """The integrated score of one passage."""

    passage_id: int
    views: tuple[float, ...]

    @property
    def score(self) -> float:
        """Mean of the views, equal weights."""
        return integrated(self.views)

    @property
    def doubt(self) -> float:
        """Spread of the views, in points."""
        return pstdev(self.views) if len(self.views) > 1 else 0.0

    @property
    def label(self) -> str:
        """keep, room or drop."""
        return label_of(self.score)


def integrated(views: Sequence[float]) -> float:
    """Mean of the views; a view that could not be read counts 0 and stays in the count.

    >>> integrated([80, 60, 0])
    46.666666666666664
    """
    return fmean(views) if views else 0.0


def label_of(score: float) -> str:
    """Retro*'s bands.

    >>> label_of(60), label_of(59.9), label_of(40), label_of(39.9)
    ('keep', 'room', 'room', 'drop')
    """
    return "keep" if score >= KEEP else "room" if score >= ROOM else "drop"


def passage_scores(hits: Sequence[Hit], thread: Thread) -> tuple[PassageScore, ...]:
    """Scores of the hits after they were read, in their order."""
    best: dict[int, float] = {}
    for evidence in thread.pool:
        covered = float(evidence.degrees @ thread.weights) if len(thread.weights) else 0.0
        best[evidence.passage.id] = max(best.get(evidence.passage.id, 0.0), (covered + evidence.cosine) / 2)
    read: dict[int, float] = {}
    for one in thread.judged:
        if one.chain.reading is not None:
            # A chain lends its reading to all its passages: the first leads to what the last answers.
            for link in one.chain.links:
                believed = one.chain.reading.answered
                read[link.passage.id] = max(read.get(link.passage.id, 0.0), believed)
    top = max((hit.score for hit in hits), default=1.0)
    scale = max(top, 1.0)  # usefulness is a probability; scores of other modes are brought to 1
    return tuple(
        PassageScore(
            hit.passage.id,
            tuple(
                round(100 * max(0.0, min(1.0, view)), 1)
                for view in (
                    hit.score / scale,
                    *([read[hit.passage.id]] if hit.passage.id in read else []),
                    best.get(hit.passage.id, 0.0),
                )
            ),
        )
        for hit in hits
    )
