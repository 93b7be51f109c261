"""The trained reader: question + passage, or several packed -> answer span, yes, no, or "not here", with scores.

The packaged MiniLM encoder with its transformer layers shifted by a trained change (index/delta.py) and two small
heads: start/end of the span; and the kind of answer, with one more output that says whether what was read suffices.
Texts that are too long are read in overlapping windows; the one that answers most surely counts. Trained by
`forage train skill reader`; its model card lies beside the file and holds the three numbers that turn the heads'
scores into a calibrated "not here".
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from index import delta
from index.backbone import Backbone, backbone, batches, padded
from index.encoders import tokenizer
from index.minilm import load_bert, model_folder

KINDS = ("none", "span", "yes", "no")
OUTPUTS = len(KINDS) + 1  # the last one: does the evidence suffice?
MAX_TOKENS = 384  # question and passage together
STRIDE = 96  # tokens that two windows of a long text share
MAX_QUESTION_TOKENS = 64
MAX_ANSWER_TOKENS = 24
_IN_FIGURE = re.compile(r"\d[.,]\d")
_IDENTIFIER = re.compile(r"\w+(?:::\w+)*", re.ASCII)  # "__init__", "Entry::or_insert"
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
    enough: float = 0.0  # probability that what was read suffices; taught on packed evidence

    @property
    def answered(self) -> float:
        """Probability that the passage answers at all."""
        return 1.0 - self.none

    @property
    def sureness(self) -> float:
        """Probability of its likeliest answer."""
        return max(self.probability, self.yes, self.no)


@dataclass(frozen=True, slots=True)
class Calibration:
    """From the heads' scores to the probability that a passage does not answer.

    P(none) = sigmoid(none * d + span * s + bias), where d is the logit of "none" against all other kinds and s
    the log probability of the best span. Fitted on questions that training never saw; as it stands here it
    leaves the kinds' own probability unchanged.
    """

    none: float = 1.0
    span: float = 0.0
    bias: float = 0.0

    def probability(self, kind: float, best: float) -> float:
        """P(none) of one reading."""
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, self.none * kind + self.span * best + self.bias))))


@dataclass(frozen=True, slots=True)
class Encoded:
    """One input of the reader."""

    ids: list[int]
    types: list[int]
    offsets: list[tuple[int, int]]  # of the text's tokens
    first: int  # position of the text's first token


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A window of a text with what the reader made of its tokens."""

    encoded: Encoded
    logs: np.ndarray  # (text's tokens in it, 2): log probabilities of start and end
    best: float  # log probability of its best span
    reading: Reading


def encode(question: str, text: str) -> Encoded:
    """[CLS] question [SEP] text [SEP], cut to MAX_TOKENS; offsets are characters of `text`."""
    return windows(question, text)[0]


def windows(question: str, text: str) -> list[Encoded]:
    """The same for a text of any length: as many inputs as it takes, each sharing STRIDE tokens with the next."""
    asked, read = tokenizer().encode_batch([question, text], add_special_tokens=False)
    head = asked.ids[:MAX_QUESTION_TOKENS]
    room = MAX_TOKENS - len(head) - 3
    made = []
    for at in range(0, max(1, len(read.ids) - STRIDE), room - STRIDE):
        ids = [CLS, *head, SEP, *read.ids[at : at + room], SEP]
        types = [0] * (len(head) + 2) + [1] * (len(ids) - len(head) - 2)
        made.append(Encoded(ids, types, list(read.offsets[at : at + room]), len(head) + 2))
    return made


class ReaderModel:
    """Reads passages. Safe for threads; weights load on first use."""

    def __init__(self, weights: Path, layers: Backbone | None = None) -> None:
        self._path = weights
        self._lock = threading.Lock()
        self._backbone = layers  # as this processor runs them best, unless given
        self._heads: dict[str, np.ndarray] = {}
        self._calibration = Calibration()

    def read(self, question: str, texts: Sequence[str]) -> list[Reading]:
        """One reading for each text, in order."""
        found: list[list[Reading]] = [[] for _ in texts]
        for row, one, spans, kinds in self._outputs(question, texts):
            found[row].append(decode(texts[row], one, spans, kinds, self._calibration))
        return [max(readings, key=lambda one: one.sureness) for readings in found]

    def scores(self, question: str, texts: Sequence[str]) -> list[list[Scored]]:
        """What was made of every token, for each text in order and window by window."""
        found: list[list[Scored]] = [[] for _ in texts]
        for row, one, spans, kinds in self._outputs(question, texts):
            logs = (spans - np.logaddexp.reduce(spans, axis=0))[one.first : one.first + len(one.offsets)]
            reading = decode(texts[row], one, spans, kinds, self._calibration)
            found[row].append(Scored(one, logs, best_span(one, spans)[2], reading))
        return found

    def _outputs(
        self, question: str, texts: Sequence[str]
    ) -> Iterator[tuple[int, Encoded, np.ndarray, np.ndarray]]:
        """Place of the text, input, (tokens, 2) span logits and (5,) kind logits of every window, short ones first."""
        if not texts:
            return
        layers = self._load()
        inputs = [(row, one) for row, text in enumerate(texts) for one in windows(question, text)]
        for rows in batches([len(one.ids) for _, one in inputs]):
            some = [inputs[at] for at in rows]
            states = layers(*padded([(one.ids, one.types) for _, one in some]))
            spans = states @ self._heads["span.weight"].T + self._heads["span.bias"]
            kinds = states[:, 0] @ self._heads["kind.weight"].T + self._heads["kind.bias"]
            for line, (row, one) in enumerate(some):
                spans[line, len(one.ids) :] = -1e4
                yield row, one, spans[line], kinds[line]

    def _load(self) -> Backbone:
        """The layers, with heads and calibration, on first use. StoreError when the file is not what its card says."""
        with self._lock:
            if not self._heads:
                self._calibration = Calibration(**delta.read_card(self._path).get("calibration", {}))
                change = delta.load_arrays(self._path).items()
                self._backbone = self._backbone or backbone(self._path)
                self._heads = {name: one for name, one in change if not name.startswith(delta.ENCODER)}
            assert self._backbone is not None
            return self._backbone


def decode(
    text: str, one: Encoded, spans: np.ndarray, kinds: np.ndarray, calibration: Calibration | None = None
) -> Reading:
    """Best span of at most MAX_ANSWER_TOKENS tokens and the kinds' probabilities.

    spans: (tokens, 2) logits of start and end; kinds: (5,) logits, the last of "enough".
    """
    left, right, best = best_span(one, spans)
    none = (calibration or Calibration()).probability(none_logit(kinds), best)
    answers = kinds[1 : len(KINDS)]
    shares = np.exp(answers - answers.max())
    shares *= (1.0 - none) / shares.sum()
    enough = 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, float(kinds[len(KINDS)])))))
    if right < 0:
        return Reading(0, 0, "", 0.0, float(shares[1]), float(shares[2]), none, enough)
    start, end = whole(text, one.offsets[left][0], one.offsets[right][1])
    return Reading(
        start, end, text[start:end], float(shares[0]), float(shares[1]), float(shares[2]), none, enough
    )


def widened(text: str, reading: Reading) -> Reading:
    """A reading whose span cuts no word, figure or identifier of the text it was read from."""
    start, end = whole(text, reading.start, reading.end) if reading.end else (0, 0)
    return replace(reading, start=start, end=end, answer=text[start:end])


def whole(text: str, start: int, end: int) -> tuple[int, int]:
    """A span widened to the words, figures and identifiers that it cuts: tokens are smaller than "943,626,804".

    >>> text = "They cast 943,626,804 votes with Box::open_all."
    >>> [text[slice(*whole(text, at, at + 3))] for at in (14, 33, 38)]
    ['943,626,804', 'Box::open_all', 'Box::open_all']
    """
    while start > 0 and _one_piece(text, start):
        start -= 1
    while end < len(text) and _one_piece(text, end):
        end += 1
    return start, end


def _one_piece(text: str, at: int) -> bool:
    """Whether the characters before and at a position belong to one word, one figure or one identifier."""
    before, after = text[at - 1], text[at]
    if before.isalnum() and after.isalnum():
        return before.isdigit() == after.isdigit() and before.isascii() == after.isascii()
    if before in "_:" or after in "_:":
        return any(m.start() < at < m.end() for m in _IDENTIFIER.finditer(text, max(0, at - 60), at + 60))
    return (before in ",." or after in ",.") and bool(_IN_FIGURE.search(text[max(0, at - 2) : at + 2]))


def best_span(one: Encoded, spans: np.ndarray) -> tuple[int, int, float]:
    """First and last token of the likeliest span among the text's tokens, and its log probability.

    Without any text: (0, -1, 0.0). spans: (tokens, 2) logits of start and end.
    """
    count = len(one.offsets)
    if count == 0:
        return 0, -1, 0.0
    logs = spans - np.logaddexp.reduce(spans, axis=0)
    inside = logs[one.first : one.first + count]
    table = inside[:, 0][:, None] + inside[:, 1][None, :]
    rows, columns = np.indices(table.shape)
    table = np.where((columns >= rows) & (columns < rows + MAX_ANSWER_TOKENS), table, -np.inf)
    best = int(table.argmax())
    left, right = divmod(best, count)
    return left, right, float(table[left, right])


def none_logit(kinds: np.ndarray) -> float:
    """Logit of "none" against all other kinds together. kinds: (5,)."""
    return float(kinds[0] - np.logaddexp.reduce(kinds[1 : len(KINDS)]))


def build_network(weights: Path | None = None) -> Any:
    """What is trained, in PyTorch: the encoder with its heads, new or with what a weights file stores.

    (ids, types, mask) -> span logits (b, t, 2), kind logits (b, 5).
    """
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = load_bert(model_folder(), half=False)
            self.span = torch.nn.Linear(384, 2)
            self.kind = torch.nn.Linear(384, OUTPUTS)

        def forward(self, ids: Any, types: Any, mask: Any) -> tuple[Any, Any]:
            states = self.encoder(input_ids=ids, token_type_ids=types, attention_mask=mask).last_hidden_state
            states = states.float()
            spans = self.span(states).masked_fill(mask.unsqueeze(-1) == 0, -1e4)
            return spans, self.kind(states[:, 0])

    network = Network()
    if weights is not None:
        delta.apply(network, delta.load(weights))
    return network


def shipped_weights() -> Path | None:
    """The trained reader that ships with the package, or None when this checkout has none."""
    path = Path(str(files("agent").joinpath("weights/reader.safetensors")))
    return path if path.is_file() else None


@cache
def load_reader() -> ReaderModel | None:
    """The reader of this process; None when no weights ship."""
    path = shipped_weights()
    return ReaderModel(path) if path else None
