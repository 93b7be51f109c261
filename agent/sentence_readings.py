"""What the trained reader makes of each sentence of an offer: packing's third look.

The reader sees every passage under its title, after a lead where one is given (the way agent.rereading puts an
earlier passage's sentence in front). Its scores for starts and ends of an answer are then gathered by sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.reader_model import MAX_ANSWER_TOKENS, Encoded, ReaderModel
from index.offered import Offer
from index.readings import COLUMNS, FLOOR, OF_SENTENCE, Floats

Bounds = Sequence[tuple[int, int]]  # characters of the text read


class SentenceReadings:
    """Reads offers with the trained reader (index.readings.SentenceReader). Safe for threads."""

    def __init__(self, model: ReaderModel) -> None:
        self._model = model

    def __call__(self, offered: Offer, leads: Sequence[str]) -> Floats:
        """Shape (sentences, len(COLUMNS)). leads: what is read before each hit, "" for nothing."""
        shown = [_shown(offered, hit, lead) for hit, lead in enumerate(leads)]
        scored = self._model.scores(offered.question, [text for text, _ in shown])
        out = np.full((len(offered.sentences), len(COLUMNS)), FLOOR, dtype=np.float32)
        for hit, ((_, bounds), windows) in enumerate(zip(shown, scored, strict=True)):
            at = [place for place, one in enumerate(offered.sentences) if one.hit == hit]
            found = np.max([by_part(one.encoded, one.logs, bounds) for one in windows], axis=0)
            surest = max(windows, key=lambda one: one.reading.sureness)
            reading = surest.reading
            out[at, : len(OF_SENTENCE)] = found[2:]
            out[at, len(OF_SENTENCE) :] = [
                reading.answered, reading.yes, reading.no, reading.enough, max(surest.best, FLOOR),
                found[1, OF_SENTENCE.index("span")], found[0, OF_SENTENCE.index("span")],
            ]  # fmt: skip
        return out


def _shown(offered: Offer, hit: int, lead: str) -> tuple[str, list[tuple[int, int]]]:
    """The text read of a hit, and where its parts stand: the lead, the title, each sentence."""
    passage = offered.hits[hit].passage
    body = len(lead) + len(passage.title) + 1
    parts = [(0, len(lead)), (len(lead), body - 1)]
    parts += [
        (body + one.start - passage.start, body + one.end - passage.start)
        for one in offered.sentences
        if one.hit == hit
    ]
    return f"{lead}{passage.title}\n{passage.text}", parts


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
