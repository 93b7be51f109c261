"""Explored questions as a trained policy would play them: what is settled for it in use is not its to learn.

In use the gate alone says before any search that nothing is to be found, and the judge's probability draws the line
between an answer and silence (`agent.trained.offered`). A policy that learns with those choices open learns values that
it never gets: it keeps silent where it will be overruled, and counts on silence where an answer will be given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.policy import Situation as Seen
from agent.trained import offered
from training.policy.trees import Situation, Tree


def as_played(trees: Sequence[Tree]) -> list[Tree]:
    """The trees without the endings that are not a trained policy's to choose. Features in the agent's order."""
    return [replace(tree, situations=tuple(_settled(one) for one in tree.situations)) for tree in trees]


def _settled(one: Situation) -> Situation:
    return replace(one, legal=offered(Seen(one.features, one.legal)))
