"""What a reading model says of the sentences that packing may choose from, as a plain array.

`index` holds no reading model: whoever has one hands its scores over through `SentenceReader`. A passage can be read
by itself, or after a lead: the sentence of another passage that is needed most, with its title.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from index.offered import Offer

Floats = npt.NDArray[np.float32]
FLOOR = -30.0  # log probability of what was not read
# Log probabilities within the passage: of the best start, the best end and the best span inside the sentence, and of
# all starts and all ends in it.
OF_SENTENCE = ("start", "end", "span", "starts", "ends")
# Of its passage: probability that it answers, by yes, by no, that it suffices; log probability of its best span, of
# the best one in its title and in what was read before it.
OF_PASSAGE = ("answers", "yes", "no", "enough", "best", "title", "before")
COLUMNS = (*OF_SENTENCE, *OF_PASSAGE)


class SentenceReader(Protocol):
    """Reads the passages of an offer."""

    def __call__(self, offered: Offer, leads: Sequence[str]) -> Floats:
        """Shape (sentences, len(COLUMNS)). leads: what stands before each hit, "" for nothing."""
        ...


def leads_of(offered: Offer, scores: Floats) -> list[int]:
    """For each hit the place of the best sentence of all other hits; -1 where there is none."""
    order = np.argsort(-scores, kind="stable").tolist()
    return [
        next((at for at in order if offered.sentences[at].hit != hit), -1) for hit in range(len(offered.hits))
    ]


def lead_of(offered: Offer, at: int) -> str:
    """A sentence under its passage's title, as it is read before another passage; "" for -1."""
    if at < 0:
        return ""
    one = offered.sentences[at]
    return f"{offered.hits[one.hit].passage.title}\n{one.text}\n"
