import random
from dataclasses import replace
from pathlib import Path

import numpy as np

from training.policy import feedback
from training.policy.feedback import Vote, capped, lessons
from training.policy.forest import greedy
from training.policy.network import Inputs, probabilities
from training.policy.run import Run, load_file
from training.policy.trees import Tree

from .conftest import ACTIONS, FEATURES, make_tree
from .test_training import recipe


def vote(question: str, person: str = "p", *, up: bool = False, cause: str = "", at: float = 0.0) -> Vote:
    return Vote(person, question, up, cause, "gold", False, ("d1",), at)


def test_each_cause_teaches_something_else() -> None:
    made = {tree.question: tree for tree in lessons([
        vote("good?", up=True), vote("none?", cause=feedback.SHOULD_ABSTAIN), vote("wrong?", cause="answer"),
        vote("evidence?", cause="evidence"), vote("torn?", up=True), vote("torn?", "q", cause=feedback.SHOULD_ABSTAIN),
    ])}  # fmt: skip
    assert set(made) == {"good?", "none?"}
    assert made["good?"].golds == ("gold",) and made["good?"].evidence == ("d1",)
    assert made["none?"].answerable is False and made["none?"].origin == "feedback"


def test_votes_are_capped_for_each_person() -> None:
    flood = [vote(f"question {n}?", "flooder", cause=feedback.SHOULD_ABSTAIN, at=n) for n in range(1000)]
    same = [vote("the same?", "other", up=n % 2 == 0, at=n) for n in range(50)]
    kept = capped([*flood, *same])
    assert sum(v.person == "flooder" for v in kept) == feedback.PER_PERSON
    assert [v.up for v in kept if v.person == "other"] == [False]  # the newest one alone


def test_a_flood_moves_hardly_any_decision(trees: list[Tree], tmp_path: Path) -> None:
    """1,000 hostile votes of one person: every answer is said to be wrong and to deserve an abstention."""
    rng = random.Random(9)
    flood = [
        vote(f"question number {n}?", "flooder", cause=feedback.SHOULD_ABSTAIN, at=n) for n in range(1000)
    ]
    hostile = []
    for n, lesson in enumerate(lessons(flood)):
        explored = make_tree(3 * n + n % 2, rng)  # a question with an answer
        hostile.append(replace(explored, id=f"f{n}", golds=(), answerable=False, origin="feedback",
                               question=lesson.question, weight=lesson.weight))  # fmt: skip
    honest = Run(tmp_path / "honest", trees, ACTIONS, FEATURES, recipe("ip-dpo"))
    flooded = Run(tmp_path / "flooded", [*trees, *hostile], ACTIONS, FEATURES, recipe("ip-dpo"))
    decided = []
    for run in (honest, flooded):
        run.execute()
        network = run.network()
        network.load_state_dict(load_file(str(run.checkpoint(run.plan()[-1]))))
        network.eval()
        decided.append(greedy(probabilities(network, Inputs.of(honest.held))))
    reached = [honest.held.follow(choice) for choice in decided]
    changed = np.mean(
        [honest.held.path_to(int(a)) != honest.held.path_to(int(b)) for a, b in zip(*reached, strict=True)]
    )
    assert changed < 0.01
