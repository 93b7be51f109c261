"""The choice of what to cite, and that policies trained with two presets differ as their sources say."""

from pathlib import Path

import pytest

from training.policy.contrast import CITING, citing, contrast, grid, main, measures
from training.policy.recipe import Recipe
from training.policy.trees import Ending, Move, Situation, Tree

PLAIN = Tree(
    "q", "Who?", "world-two_hop",
    (Situation((), (1.0,), ("memory", "deep", "abstain")), Situation(("deep",), (2.0,), ("answer", "abstain"))),
    (Ending(("memory",), "Oster"), Ending(("abstain",), abstained=True), Ending(("deep", "abstain"), abstained=True),
     Ending(("deep", "answer"), "Oster", cited=("a", "b"), supported=(True, True))),
    {"deep": Move("deep", "q", ("x", "a", "b"), 10, 0.0, True, True), "deep/answer": Move("answer")},
    golds=("Oster",), evidence=("a", "b"), answerable=True, knows=True,
)  # fmt: skip


def test_every_answer_out_of_documents_chooses_its_citations() -> None:
    tree = citing(PLAIN)
    assert tree.situations[-1] == Situation(("deep", "answer"), (2.0,), CITING)
    cited = {
        ending.path[-1]: ending.cited for ending in tree.endings if ending.path[:2] == ("deep", "answer")
    }
    assert cited == {
        "cite_read": ("a", "b"),
        "cite_last": ("b",),
        "cite_shown": ("x", "a", "b"),
        "cite_nothing": (),
    }
    assert [e.path for e in tree.endings[:3]] == [e.path for e in PLAIN.endings[:3]]


def test_measures_of_what_policies_do() -> None:
    tree = citing(PLAIN)
    found = measures([tree.episode(ending) for ending in tree.endings])
    assert found["answered from memory"] == [1.0, None, None, 0.0, 0.0, 0.0, 0.0]
    assert found["searches"] == [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert found["citation F1"][3:] == pytest.approx([1.0, 2 / 3, 0.8, 0.0])
    assert found["citation F1 of searched answers"][0] is None


@pytest.mark.slow  # teaches a small model and trains six policies: some minutes
def test_boundary_searches_less_and_citation_cites_better(tmp_path: Path) -> None:
    result = contrast(("boundary", "citation"), (1, 2, 3), 30, tmp_path, Recipe(rounds=1, foresight=False))
    assert result["rows"]["searches"]["differences"]["boundary - citation"]["high"] < 0
    assert result["rows"]["citation F1"]["differences"]["boundary - citation"]["high"] < 0
    assert "boundary - citation" in grid(result).markdown()


def test_the_command_refuses_one_preset(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--presets", "cost"])
    assert "two different names" in capsys.readouterr().err
