"""Records of an answer's picture: what it is made from (Answered), and what it shows (GraphView)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

NodeKind = Literal["question", "asked", "entity", "passage", "evidence", "answer"]
EdgeKind = Literal["asks", "names", "states", "alias", "found"]


@dataclass(frozen=True, slots=True)
class Answered:
    """What the picture is made from. `hits`: passage id -> score (0 to 1) of the searches, best first."""

    question: str
    short: str  # the bare answer; empty when there is none
    cited: tuple[int, ...]  # passage ids in the order of the reasoning
    answer: int | None  # the cited passage that bears the answer
    hits: Mapping[int, float]
    quotes: Mapping[int, str] = field(default_factory=dict)  # passage id -> cited sentence


@dataclass(frozen=True, slots=True)
class ViewNode:
    """A node of the picture. `mass`: share of PageRank, 0 to 1; all candidates together have 1."""

    id: str
    kind: NodeKind
    label: str
    detail: str  # the question, the quote or an excerpt; empty for an entity
    mass: float
    on_path: bool
    heading: str = ""  # of a passage, where it is another than its title
    passage_id: int | None = None


@dataclass(frozen=True, slots=True)
class ViewEdge:
    """An edge of the picture; only `states` and `alias` have a direction."""

    source: str
    target: str
    kind: EdgeKind
    label: str = ""
    on_path: bool = False


@dataclass(frozen=True, slots=True)
class GraphView:
    """The picture: JSON types only once it is a dict."""

    nodes: tuple[ViewNode, ...]  # most important first
    edges: tuple[ViewEdge, ...]
    path: tuple[str, ...]  # node ids from the question to the answer; empty without an answer
    left_out: int  # nodes that did not fit
    deleted: int  # passages that the store no longer holds

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)
