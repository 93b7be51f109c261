"""Packs what a search found into few tokens: whole passages, their bearing sentences, or single triplets.

Two ensembles of boosted trees say how likely a reader needs each sentence of the best passages (features:
index.sentence_features; the first by itself, the second after what scored higher). A third says it again where a
reading model has read the passages (index.read_look): reading is dear, but costs no token of a language model. The
context takes what is worth most for its tokens, and stops where nothing is worth them any more: a question whose
evidence is plain gets little, a doubtful one more. A passage of which every sentence was kept is one item. A sentence
that does not fit into the budget leaves its best triplet, at a fraction of the tokens. Every item says where it
stands; none comes twice.
Weights: `index/weights/packer.safetensors`, and with the third look `packer-read.safetensors`; trained by `forage
train skill packer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np

from index import delta
from index.encoders import count_tokens
from index.errors import StoreError
from index.features import Asked
from index.offered import Offer, Sentence, offer
from index.read_look import third_look
from index.readings import SentenceReader
from index.sentence_features import Floats, chances, first_look, second_look
from index.store import Store
from index.trees import Trees
from index.types import Hit

WORTH = 0.04  # chance of being needed from which a sentence of USUAL tokens is kept (docs/LOG.md)
USUAL = 30
AMPLE = 100_000  # tokens that nothing exceeds: worth alone decides
SPARED = 15  # tokens on top of each sentence's own: long sentences are not spared too much
POWER = 0.65  # of the tokens that a sentence's chance is divided by
LEAN = 15.4  # tokens of average need that a usual sentence must be worth where packing is lean (docs/LOG.md)
BEST = 5  # passages whose tokens are the measure of leanness


@dataclass(frozen=True, slots=True)
class Packed:
    """One item of the context. `start` and `end` are characters of the document's text."""

    kind: Literal["passage", "sentence", "triplet"]
    passage_id: int
    document_id: str
    title: str
    text: str
    start: int
    end: int
    usefulness: float  # of its passage
    needed: float  # chance that a reader needs it; of a passage: its best sentence's
    tokens: int  # of the text


class Packer:
    """Chooses sentences by learned need. Safe for threads."""

    def __init__(self, first: Trees, second: Trees, third: Trees | None = None) -> None:
        self._first, self._second, self._third = first, second, third

    def needs(self, offered: Offer, reader: SentenceReader | None = None) -> Floats:
        """Chance that a reader needs each sentence, shape (sentences,): the mean of both looks.

        reader: reads the passages first, and the third look decides. StoreError where its weights are missing.
        """
        if not offered.sentences:
            return chances([])
        first = first_look(offered)
        scores = self._first.score(first)
        seen = second_look(offered, first, scores)
        second = self._second.score(seen)
        if reader is None:
            return np.asarray((chances(scores) + chances(second)) / 2, dtype=np.float32)
        if self._third is None:
            raise StoreError(
                "This packer was not trained to pack after reading. Use the one named packer-read; to make one: "
                "forage train skill packer --half FILE --half FILE."
            )
        return chances(self._third.score(third_look(offered, seen, scores, second, reader(offered))))

    def needed(self, offered: Offer, worth: float = WORTH) -> list[int]:
        """Places of the sentences worth their tokens, the one worth most first; at least one where there are any."""
        return _choose(offered, self.needs(offered).tolist(), AMPLE, worth)[0] if offered.sentences else []

    def pack(
        self, offered: Offer, budget: int, worth: float = WORTH, known: Floats | None = None
    ) -> tuple[Packed, ...]:
        """Items within `budget` tokens, each title counted once; best passage first, empty without sentences.

        One sentence is given even where it does not fit. worth: 0 fills the budget, 1 keeps almost nothing.
        known: what `needs` said, where it was asked before.
        """
        needs = (self.needs(offered) if known is None else known).tolist()
        kept, stated = _choose(offered, needs, budget, worth)
        packed: list[Packed] = []
        for hit in dict.fromkeys(offered.sentences[at].hit for at in kept):
            packed += _items(
                offered, hit, sorted(at for at in kept if offered.sentences[at].hit == hit), needs
            )
        for at, size in stated:
            one = offered.sentences[at]
            span = (one.start, one.end)
            packed.append(_item("triplet", offered.hits[one.hit], one.triplet, span, needs[at], size))
        return tuple(packed)


def lean_worth(offered: Offer, needs: Floats) -> float:
    """Worth for one question by which packed output takes less than half of the tokens of the best BEST passages.

    The needs of all sentences are shared out over the tokens of the best passages; a usual sentence stays where it is
    needed as much as LEAN such tokens are. So a question whose need is spread over many sentences asks more of each
    of them than one whose need is in few, and a token counts for less beside longer passages. Meant for needs after
    reading; always above 0.
    """
    best = sum(one.tokens for one in offered.sentences if one.hit < BEST) + sum(offered.title_tokens[:BEST])
    return max(LEAN * float(np.sum(needs)) / max(best, 1), 1e-6)


def pack_evidence(
    store: Store, question: str, asked: Asked, entities: Sequence[str], hits: Sequence[Hit], budget: int,
    worth: float = WORTH, reader: SentenceReader | None = None,
) -> tuple[Packed, ...]:  # fmt: skip
    """Items for a question within `budget` tokens; empty without hits. StoreError where the weights are missing.

    asked: `Searcher.asked`. entities: keys of the question's entities. A hit's score is its usefulness (0 to 1), as
    ranked mode gives it. reader: reads the hits first; then packing is lean (`lean_worth`) and `worth` not asked.
    """
    if not hits:
        return ()
    offered = offer(store, question, asked, entities, hits)
    if reader is None:
        return load_packer().pack(offered, budget, worth)
    packer = load_packer("packer-read")
    needs = packer.needs(offered, reader)
    return packer.pack(offered, budget, lean_worth(offered, needs), needs)


@cache
def load_packer(name: str = "packer") -> Packer:
    """The packer of that name as it ships, "packer" or "packer-read". StoreError when its weights are missing."""
    path = Path(str(files("index").joinpath(f"weights/{name}.safetensors")))
    try:
        arrays = delta.load_arrays(path)
        third = Trees.from_arrays(arrays, "third") if "third.depth" in arrays else None
        return Packer(Trees.from_arrays(arrays, "first"), Trees.from_arrays(arrays, "second"), third)
    except (StoreError, KeyError) as error:
        raise StoreError(
            f"The packer cannot be used: {error} To make one: forage train skill packer."
        ) from error


def _choose(
    offered: Offer, needs: Sequence[float], budget: int, worth: float
) -> tuple[list[int], list[tuple[int, int]]]:
    """Places of the sentences to keep, and those whose triplet stands for them with its tokens. Best first."""
    sentences = offered.sentences
    least = worth / (USUAL + SPARED) ** POWER
    opened: set[int] = set()  # passages whose title is counted
    kept: list[int] = []
    stated: list[tuple[int, int]] = []
    waiting = set(range(len(sentences)))
    used = 0

    def cost(at: int) -> int:
        hit = sentences[at].hit
        return sentences[at].tokens + (0 if hit in opened else offered.title_tokens[hit])

    def value(at: int) -> float:
        return float(needs[at] / (cost(at) + SPARED) ** POWER)

    while waiting:
        best = max(waiting, key=lambda at: (value(at), -at))
        if kept and value(best) < least:
            break
        waiting.remove(best)
        if not kept or used + cost(best) <= budget:
            used += cost(best)
            kept.append(best)
            opened.add(sentences[best].hit)
        elif sentences[best].triplet:
            (size,) = count_tokens([sentences[best].triplet])
            if used + size <= budget:
                used += size
                stated.append((best, size))
    return kept, stated


def _items(offered: Offer, hit: int, kept: Sequence[int], needs: Sequence[float]) -> list[Packed]:
    """The kept sentences of a passage in reading order; one item where that is all of it."""
    passage = offered.hits[hit].passage
    own: list[Sentence] = [offered.sentences[at] for at in kept]
    if len(own) == sum(one.hit == hit for one in offered.sentences):
        (size,) = count_tokens([passage.text])
        if size <= sum(one.tokens for one in own):
            span = (passage.start, passage.end)
            needed = max(needs[at] for at in kept)
            return [_item("passage", offered.hits[hit], passage.text, span, needed, size)]
    return [
        _item("sentence", offered.hits[hit], one.text, (one.start, one.end), needs[at], one.tokens)
        for at, one in zip(kept, own, strict=True)
    ]


def _item(
    kind: Literal["passage", "sentence", "triplet"],
    hit: Hit, text: str, span: tuple[int, int], needed: float, size: int,
) -> Packed:  # fmt: skip
    passage = hit.passage
    return Packed(
        kind, passage.id, passage.document_id, passage.title, text, *span, hit.score, needed, size
    )  # fmt: skip
