"""Sources are drawn by share, gone through whole, and resumed where they stood."""

import random
from collections import Counter

import pytest

from index.errors import InputError
from training.skills.mixture import Mixture, Source, by_length


def source(name: str, size: int, early: float, late: float) -> Source[str, str]:
    return Source(name, [f"{name}{i}" for i in range(size)], lambda one, rng, at: one, early, late)


def test_shares_change_while_the_run_goes_on() -> None:
    mixture = Mixture([source("a", 10, 1.0, 0.5), source("b", 10, 0.0, 0.5)], 7)
    assert Counter(one[0] for one in mixture.draw(200, 0.0)) == {"a": 200}
    later = Counter(one[0] for one in mixture.draw(2000, 0.9))
    assert later["a"] == pytest.approx(1000, abs=120)


def test_each_pass_shows_every_record_once() -> None:
    mixture = Mixture([source("a", 50, 1.0, 1.0)], 7)
    first, second = mixture.draw(50, 0.5), mixture.draw(50, 0.5)
    assert sorted(first) == sorted(second) and first != second
    assert mixture.passes() == {"a": 2.0}


def test_a_restored_mixture_goes_on_the_same() -> None:
    sources = [source("a", 30, 0.5, 0.5), source("b", 7, 0.5, 0.5)]
    mixture, copy = Mixture(sources, 7), Mixture(sources, 7)
    mixture.draw(40, 0.2)
    copy.restore(mixture.state())
    assert copy.draw(40, 0.2) == mixture.draw(40, 0.2)


def test_a_checkpoint_of_other_data_is_refused() -> None:
    state = Mixture([source("a", 30, 1, 1)], 7).state()
    for other in (Mixture([source("a", 31, 1, 1)], 7), Mixture([source("a", 30, 1, 1)], 8)):
        with pytest.raises(InputError, match="--out"):
            other.restore(state)


def test_records_that_yield_nothing_are_passed_over() -> None:
    half = Source("a", list(range(10)), lambda one, rng, at: one if one % 2 else None, 1.0, 1.0)
    assert sorted(Mixture([half], 1).draw(10, 0.0)) == [1, 3, 5, 7, 9]


def test_batches_are_of_like_length_and_bounded() -> None:
    lengths = [random.Random(4).randint(10, 100) for _ in range(200)]
    batches = by_length(lengths, 400, random.Random(1))
    assert sorted(row for batch in batches for row in batch) == list(range(200))
    for batch in batches:
        longest = max(lengths[row] for row in batch)
        assert len(batch) * longest <= 400 or len(batch) == 1
