"""What the trained reader makes of each sentence of an offer: packing's third look.

The reader sees every passage under its title, as it does when the agent reads. Its scores for starts and ends of an
answer are then gathered by sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.reader_model import MAX_ANSWER_TOKENS, Encoded, ReaderModel, Scored
from index.offered import Offer
from index.readings import COLUMNS, FLOOR, OF_SENTENCE, Floats

Bounds = Sequence[tuple[int, int]]  # characters of the text read


class SentenceReadings:
    """Reads offers with the trained reader (index.readings.SentenceReader). Safe for threads."""

    def __init__(self, model: ReaderModel) -> None:
        self._model = model

    def __call__(self, offered: Offer) -> Floats:
        """Shape (sentences, len(COLUMNS))."""
        if not offered.sentences:
            return np.zeros((0, len(COLUMNS)), dtype=np.float32)
        return np.concatenate(self.of_hits(offered, range(len(offered.hits))))

    def of_hits(self, offered: Offer, hits: Sequence[int]) -> list[Floats]:
        """The same for some of the hits: of each, shape (its sentences, len(COLUMNS))."""
        read = [shown(offered, hit) for hit in hits]
        scored = self._model.scores(offered.question, [text for text, _ in read])
        return [_gathered(windows, bounds) for (_, bounds), windows in zip(read, scored, strict=True)]


def shown(offered: Offer, hit: int) -> tuple[str, list[tuple[int, int]]]:
    """The text read of a hit, and where its parts stand in it: the title, then each sentence."""
    passage = offered.hits[hit].passage
    body = len(passage.title) + 1
    own = [one for one in offered.sentences if one.hit == hit]
    places = [(body + one.start - passage.start, body + one.end - passage.start) for one in own]
    return f"{passage.title}\n{passage.text}", [(0, body - 1), *places]


def _gathered(windows: Sequence[Scored], bounds: Bounds) -> Floats:
    """Readings of a text's sentences from all of its windows, shape (bounds - 1, len(COLUMNS))."""
    parts = np.max([by_part(one.encoded, one.logs, bounds) for one in windows], axis=0)
    surest = max(windows, key=lambda one: one.reading.sureness)
    reading, in_title = surest.reading, parts[0, OF_SENTENCE.index("span")]
    of_passage = [
        reading.answered,
        reading.yes,
        reading.no,
        reading.enough,
        max(surest.best, FLOOR),
        in_title,
    ]
    return np.concatenate(
        [parts[1:], np.tile(np.array(of_passage, dtype=np.float32), (len(bounds) - 1, 1))], axis=1
    )


def by_part(one: Encoded, logs: Floats, bounds: Bounds) -> Floats:
    """Scores of each part of a text, shape (parts, len(OF_SENTENCE)), FLOOR where it has no token in this window.

    logs: (text's tokens, 2) log probabilities of start and end. bounds: in order, without overlap.
    """
    out = np.full((len(bounds), len(OF_SENTENCE)), FLOOR, dtype=np.float32)
    if not len(logs):
        return out
    places = np.array([start for start, _ in one.offsets])
    lows, highs = np.array(bounds).T
    part = np.searchsorted(lows, places, side="right") - 1
    part[(part >= 0) & (places >= highs[part])] = -1
    reach = np.full(len(logs), -np.inf, dtype=np.float32)  # best end for each start, in the same part
    for ahead in range(min(MAX_ANSWER_TOKENS, len(logs))):
        same = part[ahead:] == part[: len(part) - ahead]
        ends = np.where(same, logs[ahead:, 1], -np.inf)
        reach[: len(ends)] = np.maximum(reach[: len(ends)], ends)
    spans = logs[:, 0] + reach
    for at in np.unique(part[part >= 0]):
        own = part == at
        out[at] = [
            logs[own, 0].max(), logs[own, 1].max(), spans[own].max(),
            np.logaddexp.reduce(logs[own, 0]), np.logaddexp.reduce(logs[own, 1]),
        ]  # fmt: skip
    return np.maximum(out, FLOOR)
