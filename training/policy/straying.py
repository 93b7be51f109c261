"""Where a policy would go beyond what was explored of a question.

On explored trees a policy can only choose what somebody has tried there. Where it would have chosen something else its
score is that of another policy, cheaper than itself more often than not: the search that it wants was never made.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.policy import Policy, Rules, Situation
from agent.run import decided
from training.policy.trees import Path_, Tree


def strays(policy: Policy, tree: Tree) -> bool | None:
    """Whether the policy leaves the explored part; None where the file does not tell what could have been explored."""
    places = {situation.path: situation for situation in tree.situations}
    path: Path_ = ()
    earlier: tuple[tuple[tuple[float, ...], str], ...] = ()
    while path in places:
        here = places[path]
        if not here.allowed:
            return None
        now = Situation(
            here.features, here.allowed, tree.question, vector=tree.vector or None, earlier=earlier
        )
        action = decided(policy, now, Rules()).action
        if action not in here.legal:
            return True
        earlier = (*earlier, (here.features, action))
        path = (*path, action)
    return False


def share_straying(policy: Policy, trees: Sequence[Tree]) -> float | None:
    """Share of the questions on which the policy leaves what was explored; None where that cannot be told of one."""
    found = [strays(policy, tree) for tree in trees]
    return None if not found or None in found else sum(map(bool, found)) / len(found)
