"""The loop as a picture: the gate, then the policy decides again and again until there is an answer."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from langgraph.graph import END, START, StateGraph

from agent import nodes
from agent.nodes import DECIDE, Context, State
from agent.stages import STAGES


def build_graph(checkpointer: Any = None) -> Any:
    """The compiled graph; run it with a `Context`.

    gate -+-> reply ------------------------------------------> end
          `-> plan -> decide -+-> search -> read -> judge -> decide ...
                              +-> plan (next goal, refine) -> decide ...
                              +-> recall -> end
                              +-> note -> write (checked citations) -> end
                              `-> abstain --------------------> end
    """
    graph = StateGraph(State, context_schema=Context)
    graph.add_node(DECIDE, nodes.decide)
    targets: dict[Hashable, str] = {DECIDE: DECIDE, nodes.END: END, **{name: name for name in STAGES}}
    for name in STAGES:
        graph.add_node(name, nodes.stage(name))
    for name in (DECIDE, *STAGES):
        graph.add_conditional_edges(name, _following, targets)
    graph.add_edge(START, "gate")
    return graph.compile(checkpointer=checkpointer)


def _following(state: State) -> str:
    return state["following"]
