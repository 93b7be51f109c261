"""A mixture of example sources whose shares change while a run goes on."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from index.errors import InputError

Record = TypeVar("Record")
Example = TypeVar("Example")


@dataclass(frozen=True, slots=True)
class Source(Generic[Record, Example]):
    """Records and how one becomes an example; the maker draws windows and neighbours anew each time.

    `make(record, random, progress)` may return None: this record yields nothing this time. `early` and `late`
    are shares at the start of the run and from a third of it on.
    """

    name: str
    records: Sequence[Record]
    make: Callable[[Record, random.Random, float], Example | None]
    early: float
    late: float

    def share(self, progress: float) -> float:
        """Weight at a point of the run."""
        return self.early + (self.late - self.early) * min(1.0, 3 * progress) if self.records else 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make in one round: (source, record) in order."""

    key: str  # seeds the makers' draws
    progress: float
    rows: tuple[tuple[int, int], ...]


class Mixture(Generic[Example]):
    """Draws from its sources by their shares; each source is gone through in a new order on each pass."""

    def __init__(self, sources: Sequence[Source[Any, Example]], seed: int) -> None:
        self.sources = tuple(source for source in sources if source.records)
        if not self.sources:
            raise ValueError("a mixture needs at least one source with records")
        self._seed = seed
        self._drawn = dict.fromkeys((source.name for source in self.sources), 0)
        self._orders: dict[str, tuple[int, list[int]]] = {}
        self._rounds = 0

    def draw(self, count: int, progress: float) -> list[Example]:
        """About `count` examples at this point of the run (fewer where makers return None)."""
        return self.make(self.plan(count, progress))

    def plan(self, count: int, progress: float) -> Plan:
        """Which records come next: cheap, and all that changes the mixture's state."""
        key = f"{self._seed}-{self._rounds}"
        rng = random.Random(key)
        self._rounds += 1
        shares = [source.share(progress) for source in self.sources]
        chosen = rng.choices(range(len(self.sources)), shares, k=count)
        return Plan(key, progress, tuple((at, self._next(self.sources[at])) for at in chosen))

    def make(self, plan: Plan) -> list[Example]:
        """The examples of a plan; reads the records only, so that worker processes may do it."""
        rng = random.Random(plan.key + "-made")
        made = (
            self.sources[at].make(self.sources[at].records[row], rng, plan.progress) for at, row in plan.rows
        )
        return [example for example in made if example is not None]

    def _next(self, source: Source[Any, Example]) -> int:
        turn, at = divmod(self._drawn[source.name], len(source.records))
        self._drawn[source.name] += 1
        known = self._orders.get(source.name)
        if known is None or known[0] != turn:
            order = list(range(len(source.records)))
            random.Random(f"{self._seed}-{source.name}-{turn}").shuffle(order)
            known = self._orders[source.name] = (turn, order)
        return known[1][at]

    def passes(self) -> dict[str, float]:
        """How often each source has been gone through."""
        return {s.name: round(self._drawn[s.name] / len(s.records), 2) for s in self.sources}

    def state(self) -> dict[str, Any]:
        """Where it stands, as JSON."""
        return {"drawn": dict(self._drawn), "rounds": self._rounds, "made_of": self._made_of()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from an earlier `state`. InputError when that was of other data or another seed."""
        if state["made_of"] != self._made_of():
            raise InputError(
                "The checkpoint in the output folder is of a run on other data or with another --seed. "
                "Give another --out, or remove the checkpoint to start anew."
            )
        self._drawn.update(state["drawn"])
        self._rounds = state["rounds"]

    def _made_of(self) -> dict[str, int]:
        return {"seed": self._seed, **{source.name: len(source.records) for source in self.sources}}


def by_length(lengths: Sequence[int], tokens: int, rng: random.Random) -> list[list[int]]:
    """Row numbers in batches of like length, at most `tokens` padded tokens each, in random order."""
    batches: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches and lengths[row] * (len(batches[-1]) + 1) <= tokens:
            batches[-1].append(row)
        else:
            batches.append([row])
    rng.shuffle(batches)
    return batches
