from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import ConfigError
from training.rewards.advantages import (
    advantages,
    batch_normalise,
    decoupled,
    group_advantages,
    keep_right_on_top,
)
from training.rewards.compose import Preset, compose, load_presets
from training.rewards.contract import Episode
from training.rewards.hack_scenes import SCENES, blundering, honest, refusing, wrong

GROUP = [honest(SCENES[0]), wrong(SCENES[0]), blundering(SCENES[0]), refusing(SCENES[0])]
PRESETS = load_presets()


def test_packaged_presets() -> None:
    assert list(PRESETS) == ["balanced", "boundary", "citation", "cost", "live"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_wrong_answer_never_outranks_a_right_one(name: str) -> None:
    scored = compose(PRESETS[name], GROUP)
    assert [s.right for s in scored] == [True, False, True, False]
    totals = [s.total or 0.0 for s in scored]
    assert min(totals[0], totals[2]) > max(totals[1], totals[3])
    assert totals[0] > totals[2]  # the honest run is also the better one


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("decouple", [True, False])
def test_advantages_keep_right_on_top(name: str, decouple: bool) -> None:
    made = advantages(PRESETS[name], [GROUP, [honest(SCENES[1]), wrong(SCENES[1])]], decouple=decouple)
    assert min(made[0][0], made[0][2]) > max(made[0][1], made[0][3])
    assert made[1][0] > 0 > made[1][1]


def test_a_closed_gate_is_zero_even_for_a_right_answer() -> None:
    scored = compose(PRESETS["balanced"], [replace(GROUP[0], well_formed=False), GROUP[1]])
    assert scored[0].gated and scored[0].total == 0.0
    made = advantages(PRESETS["balanced"], [[replace(GROUP[0], well_formed=False), GROUP[0]]])
    assert made[0][1] > made[0][0]


def test_what_does_not_apply_to_one_counts_for_none() -> None:
    preset = Preset("p", "", (), {"tokens": 1.0, "searches": 1.0}, {})
    free = replace(GROUP[0], steps=())  # no tokens counted
    totals = [s.total for s in compose(preset, [GROUP[0], free])]
    assert totals == pytest.approx([0.49 + 0.51 * (1 - 2 / 6), 1.0])


def test_nobody_knows_what_is_right() -> None:
    scored = compose(PRESETS["balanced"], [Episode("q", answer="x")])
    assert scored[0].total is None and scored[0].right is None
    assert advantages(PRESETS["balanced"], [[Episode("q", answer="x")] * 2], decouple=False) == [[0.0, 0.0]]


def test_raw_values_are_kept() -> None:
    scored = compose(PRESETS["boundary"], GROUP)
    assert scored[0].raw["ikea"] == pytest.approx(1.2)
    assert set(scored[0].raw) == set(PRESETS["boundary"].components)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[p]\ngates = ['nonsense']", "no reward of episodes"),
        ("[p]\n[p.right]\nretro_star = 1", "no reward of episodes"),
        ("[p]\nwrong_ceiling = 0.6\nright_floor = 0.5", "outrank"),
        ("[p]\n[p.right]\nem = -1", "positive number"),
        ("[p]\n[p.right]\nem = 'much'", "positive number"),
        ("[p]\nweights = 1", "unknown keys"),
        ("p = 1", "single value"),
        ("[p", "could not be read"),
    ],
)
def test_mistakes_in_presets_are_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "presets.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_presets(path)


def test_own_presets(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[mine]\nabout = 'EM only'\n", encoding="utf-8")
    made = load_presets(path)["mine"]
    assert [s.total for s in compose(made, GROUP[:2])] == pytest.approx([0.745, 0.15])


def test_gdpo_vector() -> None:
    columns = {"accuracy": [1.0, 1, 0, 0], "format": [1.0, 0, 1, 0]}
    assert decoupled(columns) == pytest.approx([1.7318, 0, 0, -1.7318], abs=1e-4)
    summed = [a + b for a, b in zip(*columns.values(), strict=True)]
    assert group_advantages(summed) == pytest.approx([1.2246, 0, 0, -1.2246], abs=1e-4)
    assert decoupled(columns, {"accuracy": 1.0, "format": 0.0}) == pytest.approx(
        group_advantages([1, 1, 0, 0])
    )


def test_decoupling_keeps_apart_what_a_sum_merges() -> None:
    columns = {"a": [1.0, 0.0, 0.0, 0.0], "b": [0.0, 1.0, 1.0, 0.0]}
    made = decoupled(columns)
    assert made[0] != pytest.approx(made[1])  # both sum to 1


def test_group_floor_and_none() -> None:
    assert group_advantages([0.91, 0.90, 0.905, 0.90]) == [0.0] * 4
    assert group_advantages([1, None, 0, 0])[1] == 0.0
    assert group_advantages([1, None, 0])[0] == pytest.approx(group_advantages([1, 0])[0])
    assert group_advantages([None, None]) == [0.0, 0.0]
    assert group_advantages([1, 0, 0, 0], scale=False) == [0.75, -0.25, -0.25, -0.25]


def test_batch_stage() -> None:
    made = batch_normalise([[1.7318, -1.7318], [0.0, 0.0]])
    assert sum(map(sum, made)) == pytest.approx(0.0)
    assert batch_normalise([[0.0, 0.0]]) == [[0.0, 0.0]]
    assert batch_normalise([]) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.booleans()), min_size=2, max_size=8))
def test_lifting_keeps_the_orders_within(drawn: list[tuple[float, bool]]) -> None:
    values, right = [v for v, _ in drawn], [r for _, r in drawn]
    made = keep_right_on_top(values, right)
    if True in right and False in right:
        assert min(m for m, r in zip(made, right, strict=True) if r) > max(
            m for m, r in zip(made, right, strict=True) if not r
        )
    for kind in (True, False):
        before = [v for v, r in zip(values, right, strict=True) if r is kind]
        after = [m for m, r in zip(made, right, strict=True) if r is kind]
        for i in range(len(before)):
            for j in range(i):
                assert (before[i] - before[j]) * (after[i] - after[j]) >= 0
