"""Reading examples as batches of token arrays, made whole by the processes that make the examples.

A fast device takes thousands of examples a second. What crosses from a worker to the process that drives the device
is therefore one compact array a batch; masks and token types follow from lengths and are made on the device.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from agent.reader_model import KINDS, encode
from training.skills.mixture import Mixture, by_length
from training.skills.reader_data import ReaderSource
from training.skills.reader_recipes import ReaderExample
from training.skills.rounds import Rounds, workers_for

BATCH_TOKENS = {"cpu": 2560, "cuda": 20480, "mps": 8192}  # padded; about 18 and 140 examples
ROUND = 800  # examples drawn and sorted by length at a time


@dataclass(frozen=True, slots=True)
class Sample:
    """An encoded example; starts and ends are empty for kinds without a span."""

    ids: list[int]
    text: int  # position of the text's first token
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    kind: int
    enough: float = -1.0  # 1, 0, or -1 where it is not known


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples of like length. `spanned` are the rows with a span; `starts` and `ends` hold (place in `spanned`,
    token) for each place where an answer begins or ends."""

    ids: np.ndarray  # (examples, longest), uint16
    lengths: np.ndarray  # (examples,)
    texts: np.ndarray  # (examples,) position of the text's first token
    kinds: np.ndarray  # (examples,)
    enough: np.ndarray  # (examples,) 1, 0 or -1
    spanned: np.ndarray  # (with a span,)
    starts: np.ndarray  # (places, 2)
    ends: np.ndarray  # (places, 2)

    def __len__(self) -> int:
        return len(self.lengths)

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Batch:
        """Pad to the longest.

        >>> Batch.of([Sample([101, 7, 102, 8, 102], 3, (3,), (3,), 1), Sample([101, 7, 102], 3, (), (), 0)]).ids.shape
        (2, 5)
        """
        ids = np.zeros((len(samples), max(len(one.ids) for one in samples)), dtype=np.uint16)
        for row, one in enumerate(samples):
            ids[row, : len(one.ids)] = one.ids
        spanned = [row for row, one in enumerate(samples) if one.starts]
        return cls(
            ids,
            np.array([len(one.ids) for one in samples]),
            np.array([one.text for one in samples]),
            np.array([one.kind for one in samples]),
            np.array([one.enough for one in samples], dtype=np.float32),
            np.array(spanned, dtype=np.int64),
            _places([samples[row].starts for row in spanned]),
            _places([samples[row].ends for row in spanned]),
        )

    def inputs(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Token ids, types and mask on a device, each (examples, longest)."""
        ids = torch.from_numpy(self.ids.astype(np.int64)).to(device, non_blocking=True)
        place = torch.arange(ids.shape[1], device=device)
        mask = place < torch.from_numpy(self.lengths).to(device, non_blocking=True).unsqueeze(1)
        types = mask & (place >= torch.from_numpy(self.texts).to(device, non_blocking=True).unsqueeze(1))
        return ids, types.long(), mask.long()


def _places(found: Sequence[tuple[int, ...]]) -> np.ndarray:
    pairs = [(line, token) for line, tokens in enumerate(found) for token in tokens]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


class ReaderBatches:
    """Batches of encoded examples from a mixture of sources."""

    def __init__(self, found: Sequence[ReaderSource], seed: int, device: str = "cpu") -> None:
        self.mixture: Mixture[ReaderExample] = Mixture(found, seed)
        self.tokens = BATCH_TOKENS.get(device, BATCH_TOKENS["cpu"])
        size = ROUND * max(1, self.tokens // (4 * BATCH_TOKENS["cpu"]))
        self.rounds: Rounds[ReaderExample, list[Batch]] = Rounds(
            self.mixture, self._batched, size, workers_for(device)
        )

    def _batched(self, examples: Sequence[ReaderExample]) -> list[Batch]:
        samples = [one for one in map(sample, examples) if one is not None]
        order = by_length([len(s.ids) for s in samples], self.tokens, random.Random(len(samples)))
        return [Batch.of([samples[row] for row in rows]) for rows in order]

    def batches(self, progress: float) -> Iterator[Batch]:
        yield from self.rounds.next(progress)

    def state(self) -> dict[str, Any]:
        return self.mixture.state()

    def restore(self, state: dict[str, Any]) -> None:
        self.mixture.restore(state)


def sample(example: ReaderExample) -> Sample | None:
    """An example as token positions; None when all its answers were cut off.

    >>> one = sample(ReaderExample("Who?", "Mira Vell built it.", "span", ((0, 9),)))
    >>> one.starts, one.ends
    ((4,), (6,))
    """
    one = encode(example.question, example.text)
    kind = KINDS.index(example.kind)
    enough = -1.0 if example.enough is None else float(example.enough)
    if example.kind != "span":
        return Sample(one.ids, one.first, (), (), kind, enough)
    places = []
    for start, end in example.spans:
        inside = [at for at, (a, b) in enumerate(one.offsets) if a < end and b > start]
        if inside and one.offsets[inside[-1]][1] >= end:
            places.append((one.first + inside[0], one.first + inside[-1]))
    if not places:
        return None
    starts, ends = tuple(a for a, _ in places), tuple(b for _, b in places)
    return Sample(one.ids, one.first, starts, ends, kind, enough)
