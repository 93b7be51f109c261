"""What a reading model says of the sentences that packing may choose from, as a plain array.

`index` holds no reading model: whoever has one hands its scores over through `SentenceReader`.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from index.offered import Offer

Floats = npt.NDArray[np.float32]
FLOOR = -30.0  # log probability of what was not read
# Log probabilities within the passage: of the best start, the best end and the best span inside the sentence, and of
# all starts and all ends in it.
OF_SENTENCE = ("start", "end", "span", "starts", "ends")
# Of its passage: probability that it answers, by yes, by no, that it suffices; log probability of its best span, and
# of the best one in its title.
OF_PASSAGE = ("answers", "yes", "no", "enough", "best", "title")
COLUMNS = (*OF_SENTENCE, *OF_PASSAGE)


class SentenceReader(Protocol):
    """Reads the passages of an offer."""

    def __call__(self, offered: Offer) -> Floats:
        """Shape (sentences, len(COLUMNS)), in the order of the offer's sentences."""
        ...
