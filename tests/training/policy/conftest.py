"""A small family of decision trees with a known best policy, made by rule: no agent, no models."""

import random

import pytest

from training.policy.trees import Ending, Move, Situation, Tree

ACTIONS = ("answer", "hybrid", "deep", "abstain")
FEATURES = ("hint", "found", "searched", "noise")


def make_tree(number: int, rng: random.Random) -> Tree:
    """An easy question is answered by a cheap search, a hard one by a deep one, a hopeless one by none.

    `hint` tells which it is at the root, `found` after a search.
    """
    kind = ("easy", "hard", "hopeless")[number % 3]
    situations, endings, moves = [], [], {}
    for path in ((), ("hybrid",), ("deep",), ("hybrid", "deep")):
        found = (kind == "easy" and bool(path)) or (kind == "hard" and "deep" in path)
        hint = {"easy": 1.0, "hard": 0.0, "hopeless": -1.0}[kind] + rng.gauss(0, 0.1)
        legal = tuple(
            action
            for action in ACTIONS
            if not (action == "answer" and not path) and not (action in path or (action == "hybrid" and path))
        )
        situations.append(Situation(path, (hint, float(found), len(path) / 2, rng.gauss(0, 1)), legal))
        for action in legal:
            new = (*path, action)
            key = "/".join(new)
            if action in ("hybrid", "deep"):
                moves[key] = Move(
                    action, "q", (f"gold-{number}",) if found else ("other",), 100, 0.1, None, True
                )
            elif action == "answer":
                moves[key] = Move(action)
                endings.append(Ending(new, "gold" if found else "wrong"))
            else:
                endings.append(Ending(new, abstained=True))
    return Tree(f"q{number}", f"question number {number}?", kind, tuple(situations), tuple(endings), moves,
                golds=() if kind == "hopeless" else ("gold",), evidence=(), answerable=kind != "hopeless")  # fmt: skip


@pytest.fixture(scope="session")
def trees() -> list[Tree]:
    rng = random.Random(3)
    return [make_tree(number, rng) for number in range(90)]
