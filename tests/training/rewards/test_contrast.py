"""Policies trained with two presets differ as their sources say; what decides is a question's own tree."""

import pytest

from training.rewards.compose import Preset
from training.rewards.contrast import contrast, follow, grid, learn, main, measures, trees

FOREST = trees(1, 3)
THRIFT = Preset("thrift", "", (), {"right_and_cheap": 1.0}, {"abstention": 1.0})


def test_trees_hold_right_and_wrong_runs() -> None:
    from training.rewards.outcome import right

    for tree in FOREST:
        hops = tree.situation[0]
        assert right(tree.runs[3, "well"]) is (hops <= 3 or right(tree.runs[0, "none"]))
        assert not right(tree.runs[0, "abstain"])
        assert len(tree.runs[2, "all"].citations) > len(tree.runs[2, "well"].citations) > 0
        assert not tree.runs[2, "none"].citations


def test_a_table_learns_what_its_preset_pays() -> None:
    table = learn(FOREST, THRIFT, 0)
    assert set(table) == {tree.situation for tree in FOREST}
    for (hops, suffices), (searches, _) in table.items():
        assert searches <= hops
        if not suffices and hops == 1:
            assert searches == 1
    found = measures(follow(table, FOREST))
    assert sum(found["right"]) / len(FOREST) > 0.7


@pytest.mark.slow
def test_boundary_searches_less_and_citation_cites_better() -> None:
    result = contrast(("boundary", "citation"), (1, 2, 3), 12)
    assert result["rows"]["searches"]["difference"]["high"] < 0
    assert result["rows"]["citation F1"]["difference"]["high"] < 0
    assert "boundary" in grid(result).markdown()


def test_the_command_refuses_one_preset(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--presets", "cost"])
    assert "two different names" in capsys.readouterr().err
