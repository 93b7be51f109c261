"""The trained reader: question + passage -> answer span, yes, no, or "not here", with scores.

The packaged MiniLM encoder with its transformer layers shifted by a trained delta (8-bit, one scale a
row: the file stays under 12 MB and the shift loses nothing measurable) and two small heads: start/end of
the span, and the kind of answer. Trained by `training.skills.reader`; its model card lies beside the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from index.encoders import LOADING, load_bert, model_folder, multiplies_bf16, tokenizer

KINDS = ("none", "span", "yes", "no")
MAX_TOKENS = 288  # question and passage together
MAX_QUESTION_TOKENS = 64
MAX_ANSWER_TOKENS = 24
BATCH_TOKENS = 4096
CLS, SEP = 101, 102


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader makes of one passage."""

    start: int  # characters in the text read; 0, 0 without a span
    end: int
    answer: str
    probability: float  # that the passage answers the question by a span
    yes: float  # probability of "yes"
    no: float
    none: float  # probability that the passage does not answer

    @property
    def answered(self) -> float:
        """Probability that the passage answers at all."""
        return 1.0 - self.none


@dataclass(frozen=True, slots=True)
class Encoded:
    """One input of the reader."""

    ids: list[int]
    types: list[int]
    offsets: list[tuple[int, int]]  # of the text's tokens
    first: int  # position of the text's first token


def encode(question: str, text: str) -> Encoded:
    """[CLS] question [SEP] text [SEP], cut to MAX_TOKENS; offsets are characters of `text`."""
    asked, read = tokenizer().encode_batch([question, text], add_special_tokens=False)
    head = asked.ids[:MAX_QUESTION_TOKENS]
    room = MAX_TOKENS - len(head) - 3
    ids = [CLS, *head, SEP, *read.ids[:room], SEP]
    types = [0] * (len(head) + 2) + [1] * (len(ids) - len(head) - 2)
    return Encoded(ids, types, list(read.offsets[:room]), len(head) + 2)


class ReaderModel:
    """Reads passages. Safe for threads; weights load on first use."""

    def __init__(self, weights: Path) -> None:
        self._path = weights
        self._net: Any = None

    def read(self, question: str, texts: Sequence[str]) -> list[Reading]:
        """One reading for each text, in order."""
        import torch

        if not texts:
            return []
        net = self._load()
        encoded = [encode(question, text) for text in texts]
        readings: list[Reading | None] = [None] * len(texts)
        order = sorted(range(len(texts)), key=lambda row: len(encoded[row].ids))
        at = 0
        while at < len(order):
            rows = order[at : at + max(1, BATCH_TOKENS // MAX_TOKENS)]
            at += len(rows)
            width = max(len(encoded[row].ids) for row in rows)
            ids = torch.zeros((len(rows), width), dtype=torch.long)
            types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
            for line, row in enumerate(rows):
                one = encoded[row]
                ids[line, : len(one.ids)] = torch.tensor(one.ids)
                types[line, : len(one.ids)] = torch.tensor(one.types)
                mask[line, : len(one.ids)] = 1
            with torch.inference_mode():
                spans, kinds = net(ids, types, mask)
            for line, row in enumerate(rows):
                readings[row] = decode(texts[row], encoded[row], spans[line].numpy(), kinds[line].numpy())
        return [reading for reading in readings if reading is not None]

    def _load(self) -> Any:
        with LOADING:
            if self._net is None:
                from safetensors.torch import load_file

                net = build_network(half=multiplies_bf16())
                apply_delta(net, load_file(str(self._path)))
                self._net = net.eval()
            return self._net


def decode(text: str, one: Encoded, spans: np.ndarray, kinds: np.ndarray) -> Reading:
    """Best span of at most MAX_ANSWER_TOKENS tokens and the kinds' probabilities.

    spans: (tokens, 2) logits of start and end; kinds: (4,) logits.
    """
    shares = np.exp(kinds - kinds.max())
    shares /= shares.sum()
    count = len(one.offsets)
    if count == 0:
        return Reading(0, 0, "", 0.0, float(shares[2]), float(shares[3]), float(shares[0]))
    starts = spans[one.first : one.first + count, 0]
    ends = spans[one.first : one.first + count, 1]
    table = starts[:, None] + ends[None, :]
    rows, columns = np.indices(table.shape)
    table = np.where((columns >= rows) & (columns < rows + MAX_ANSWER_TOKENS), table, -np.inf)
    best = int(table.argmax())
    left, right = divmod(best, count)
    start, end = one.offsets[left][0], one.offsets[right][1]
    return Reading(
        start, end, text[start:end], float(shares[1]), float(shares[2]), float(shares[3]), float(shares[0])
    )


def build_network(half: bool = False) -> Any:
    """The encoder with untrained heads: (ids, types, mask) -> span logits (b, t, 2), kind logits (b, 4)."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = load_bert(model_folder(), half=half)
            self.span = torch.nn.Linear(384, 2)
            self.kind = torch.nn.Linear(384, len(KINDS))

        def forward(self, ids: Any, types: Any, mask: Any) -> tuple[Any, Any]:
            states = self.encoder(input_ids=ids, token_type_ids=types, attention_mask=mask).last_hidden_state
            states = states.float()
            spans = self.span(states).masked_fill(mask.unsqueeze(-1) == 0, -1e4)
            return spans, self.kind(states[:, 0])

    return Network()


def apply_delta(net: Any, delta: dict[str, Any]) -> None:
    """Add a saved delta to the encoder's layers and set the heads.

    Matrices come as `<name>.q` (int8) and `<name>.scale` (one a row); everything else as it is.
    """
    import torch

    parameters = dict(net.named_parameters())
    with torch.no_grad():
        for name, value in delta.items():
            if name.endswith(".scale"):
                continue
            if name.endswith(".q"):
                target = parameters[name.removesuffix(".q")]
                scale = delta[name.removesuffix(".q") + ".scale"].float()
                target.copy_((target.float() + value.float() * scale.unsqueeze(1)).to(target.dtype))
            elif name.startswith("encoder."):
                target = parameters[name]
                target.copy_((target.float() + value.float()).to(target.dtype))
            else:
                parameters[name].copy_(value.float())


def shipped_weights() -> Path | None:
    """The trained reader that ships with the package, or None when this checkout has none."""
    path = Path(str(files("agent").joinpath("weights/reader.safetensors")))
    return path if path.is_file() else None


@cache
def load_reader() -> ReaderModel | None:
    """The reader of this process; None when no weights ship."""
    path = shipped_weights()
    return ReaderModel(path) if path else None
