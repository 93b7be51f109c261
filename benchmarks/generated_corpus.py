"""Made-up passages of any number, seeded: how the index grows can be measured without anybody's texts.

Shaped like an encyclopaedia's pool, where it was counted: about 13 names or dates a passage, 8 entities for
each passage in all, five of six named once, the commonest in about a sixth of the passages. Words and shared
names follow Zipf's law, so hubs, rare names and chains between passages occur at every size.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate

import numpy as np

from index.types import Vectors

SYLLABLES = (
    "ba bel cor dan dor el en fi fen gal hu ir jo kan ker lo lu mar mer mi no or os pa per quin ra ren sa sol tar "
    "tem ul va vel wen xo yar zan zi"
).split()
WORDS = 20_000  # of the language
SHARED_SHARE = 1.2  # names that several passages may share, for each passage
LINKS, OWN = 5, 6  # shared names and names of its own in one passage
NEAR = 0.5  # share of the links that lead to a title chosen evenly; the others follow Zipf's law
ZIPF = 0.9
RELATIONS = "designed by,born in,part of,published by,named after,led by,found near,married to".split(",")


@dataclass(frozen=True, slots=True)
class MadePassage:
    """A passage and the titles it names."""

    id: str
    title: str
    text: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MadeQuestion:
    """A question whose answer is two passages away: it names the first, which names the second."""

    text: str
    first: str  # ids of the passages
    second: str


class GeneratedCorpus:
    """`size` passages; the same for the same size and seed."""

    def __init__(self, size: int, seed: int = 0) -> None:
        self.size, self.seed = size, seed
        draw = random.Random(seed)
        self._words = _words(draw, WORDS)
        self._word_weights = list(accumulate(1 / (rank + 10) for rank in range(WORDS)))
        self._shared = max(8, int(SHARED_SHARE * size))
        self._order = list(range(self._shared))  # rank of popularity -> number of the shared name
        draw.shuffle(self._order)
        self._popularity = list(accumulate((rank + 3) ** -ZIPF for rank in range(self._shared)))

    def passages(self, start: int = 0) -> Iterator[MadePassage]:
        """All passages from number `start` on."""
        for number in range(start, self.size):
            yield self.passage(number)

    def passage(self, number: int) -> MadePassage:
        """One passage; numbers beyond the size make more of the same kind."""
        draw = random.Random(f"{self.seed}/{number}")
        title = self.name(number)
        linked = [self._link(draw) for _ in range(LINKS)]
        sentences = [f"{title} is {draw.choice(('a', 'the'))} {self._phrase(draw, 3)} of {linked[0]}."]
        for other in linked[1:]:
            own = self._own_name(draw)
            sentences.append(
                f"{'It' if draw.random() < 0.5 else own} was {draw.choice(RELATIONS)} {other} "
                f"{self._phrase(draw, draw.randint(4, 12))} with {own} in {draw.randint(1700, 2020)}."
            )
        for _ in range(OWN - len(linked) + 1):
            sentences.append(f"{self._own_name(draw)} {self._phrase(draw, draw.randint(6, 16))}.")
        return MadePassage(f"p{number}", title, " ".join(sentences), tuple(linked))

    def questions(self, count: int) -> list[MadeQuestion]:
        """Two-hop questions over passages chosen evenly."""
        draw = random.Random(f"{self.seed}/questions")
        by_title = {self.name(number): number for number in range(self.size)}
        found: list[MadeQuestion] = []
        while len(found) < count:
            first = self.passage(draw.randrange(self.size))
            others = [name for name in first.names if name in by_title and name != first.title]
            if not others:
                continue
            second = self.passage(by_title[draw.choice(others)])
            words = [word for word in second.text.rstrip(".").split() if word.islower() and len(word) > 3]
            asked = " ".join(draw.sample(words, min(3, len(words))))
            text = f"What {asked} concerns the one that {first.title} was {draw.choice(RELATIONS)}?"
            found.append(MadeQuestion(text, first.id, second.id))
        return found

    def name(self, number: int) -> str:
        """Title of a passage, and of what no passage is about: two capitalised words, one for each number."""
        base = len(SYLLABLES)
        mixed = (number * 2_654_435_761 + self.seed) % base**6  # neighbours in number do not look alike
        parts = []
        for _ in range(6):
            mixed, at = divmod(mixed, base)
            parts.append(SYLLABLES[at])
        return f"{''.join(parts[:2]).title()} {''.join(parts[2:]).title()}"

    def _link(self, draw: random.Random) -> str:
        if draw.random() < NEAR:
            return self.name(draw.randrange(self.size))
        (rank,) = draw.choices(range(self._shared), cum_weights=self._popularity)
        return self.name(self._order[rank])

    def _own_name(self, draw: random.Random) -> str:
        return " ".join("".join(draw.choices(SYLLABLES, k=length)).title() for length in (2, 3))

    def _phrase(self, draw: random.Random, length: int) -> str:
        return " ".join(draw.choices(self._words, cum_weights=self._word_weights, k=length))


class WordHashEmbedder:
    """Unit sums of one fixed random vector for each word: texts that share rare words are near each other.

    Stands in for the encoder where encoding would take hours; a vector of the same size costs as much to search.
    """

    name, dimension = "word-hash", 384

    def __init__(self) -> None:
        self._rows: dict[str, Vectors] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit rows of shape (len(texts), 384), float32."""
        made = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for at, text in enumerate(texts):
            for word in text.lower().replace(".", " ").replace("?", " ").split():
                made[at] += self._row(word)
        made /= np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-9)
        return made

    def _row(self, word: str) -> Vectors:
        held = self._rows.get(word)
        if held is None:
            seed = int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")
            held = np.random.default_rng(seed).standard_normal(self.dimension, dtype=np.float32)
            if len(word) < 4:
                held *= 0.2  # short words are common ones
            if len(self._rows) < 100_000:
                self._rows[word] = held
        return held


def _words(draw: random.Random, count: int) -> list[str]:
    """Different words of two to four syllables, shorter ones first and so more frequent."""
    found: dict[str, None] = {}
    while len(found) < count:
        length = 2 if len(found) < 800 else 3 if len(found) < 12_000 else 4
        found["".join(draw.choices(SYLLABLES, k=length))] = None
    return list(found)
