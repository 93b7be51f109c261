"""The loop as a picture: gate, then goal -> search -> read -> judge until it is enough, then answer or abstain."""

from __future__ import annotations

from typing import Any

from langgraph.graph import END, START, StateGraph

from agent import nodes
from agent.nodes import State, Tools


def build_graph() -> Any:
    """The compiled graph; run it with a `Tools` as context.

    gate -+-> reply ------------------------------------------> end
          `-> goal -+-> search -> read -> judge -> goal ...
                    `-> conclude -+-> answer (with checked citations) -> end
                                  `-> abstain ---------------------> end
    """
    graph = StateGraph(State, context_schema=Tools)
    for name, work in (
        ("gate", nodes.gate),
        ("reply", nodes.reply),
        ("plan", nodes.goal),
        ("search", nodes.search),
        ("read", nodes.read),
        ("judge", nodes.judge),
        ("conclude", nodes.conclude_notes),
        ("write", nodes.answer),
        ("abstain", nodes.abstain),
    ):
        graph.add_node(name, work)
    graph.add_edge(START, "gate")
    graph.add_conditional_edges("gate", _after_gate, ["plan", "reply"])
    graph.add_conditional_edges("plan", _after_goal, ["search", "conclude"])
    graph.add_edge("search", "read")
    graph.add_edge("read", "judge")
    graph.add_edge("judge", "plan")
    graph.add_conditional_edges("conclude", _after_conclude, ["write", "abstain"])
    for last in ("reply", "write", "abstain"):
        graph.add_edge(last, END)
    return graph.compile()


def _after_gate(state: State) -> str:
    return "plan" if state["gate"] == "search" else "reply"


def _after_goal(state: State) -> str:
    return "search" if state["goal"] is not None else "conclude"


def _after_conclude(state: State) -> str:
    return "write" if state["enough"] else "abstain"
