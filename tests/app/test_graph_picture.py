"""The drawing of an answer's graph: an option without code, places inside the picture, hostile words as words."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.graph_layout import spots
from app.graph_picture import KINDS, LYING, UPRIGHT, WAY, picture, way_of
from index.view_records import GraphView, ViewEdge, ViewNode

HOSTILE = "<img src=x onerror=alert(1)> {c} $& {b|"


def view(entities: int = 3, title: str = "Mira Vell", path: bool = True) -> GraphView:
    """A question, an asked entity, a cited passage, an answer, and as many entities as wanted."""
    way = ("question", "e:asked", "p:1", "e:answer") if path else ()
    nodes = [
        ViewNode("question", "question", "Question", "Who is it?", 0.4, path),
        ViewNode("e:asked", "asked", "Teal Bridge", "", 0.2, path),
        ViewNode("p:1", "evidence", title, f"{title} was born.", 0.1, path, "Life", 1),
        ViewNode("e:answer", "answer", "Tarsholm", "", 0.05, path),
    ]
    nodes += [
        ViewNode(f"e:{at}", "entity", f"Entity number {at}", "", 0.1 / (at + 1), False)
        for at in range(entities)
    ]
    edges = [
        ViewEdge("question", "e:asked", "asks", "", path),
        ViewEdge("e:asked", "p:1", "names", "", path),
        ViewEdge("e:answer", "p:1", "names", "", path),
        ViewEdge("e:asked", "e:answer", "states", title),
        *(ViewEdge(f"e:{at}", "p:1", "names") for at in range(entities)),
    ]
    return GraphView(tuple(nodes), tuple(edges), way, 0, 0)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(inner)


def nodes_of(option: dict[str, Any], media: int = 1) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = option["media"][media]["option"]["series"][0]["data"]
    return found


@pytest.mark.parametrize("entities", [0, 1, 12, 56])
@pytest.mark.parametrize("room", [LYING, UPRIGHT])
def test_nodes_lie_inside_and_apart(entities: int, room: tuple[int, int]) -> None:
    made = view(entities)
    labels = {node.id: node.label for node in made.nodes}
    places = spots(made, labels, dict.fromkeys(labels, 14.0), *room)
    assert places == spots(made, labels, dict.fromkeys(labels, 14.0), *room), "the same picture every time"
    assert all(-1 <= s.x <= room[0] + 1 and -1 <= s.y <= room[1] + 1 for s in places.values())
    near = sum(
        abs(a.x - b.x) < 10 and abs(a.y - b.y) < 10 for a, b in itertools.combinations(places.values(), 2)
    )
    assert near <= entities // 10
    along = [places[node].x if room is LYING else places[node].y for node in made.path]
    assert along == sorted(along), "the way runs in one direction"
    assert all(places[node].label for node in made.path)


def test_kinds_differ_in_shape_and_colour_and_stand_in_the_legend() -> None:
    shapes = [shape for _, shape, _ in KINDS.values()]
    colours = [colour for _, _, colour in KINDS.values()]
    assert len(set(shapes)) == len(shapes) - 1, "cited and found passages share a shape: filled and outlined"
    assert len(set(colours)) == len(colours)
    option = picture(view())
    legend = [entry["name"] for entry in option["baseOption"]["legend"]["data"]]
    assert legend == ["Question", "Named in the question", "Entity", "Passage cited", "Answer", WAY]
    assert WAY not in str(picture(view(path=False))["baseOption"]["legend"])


def test_the_way_stands_out_and_is_told_in_words() -> None:
    made = view()
    assert way_of(made) == "Question → Teal Bridge → “Mira Vell: Life” → Tarsholm"
    assert way_of(view(path=False)) == ""
    edges = picture(made)["baseOption"]["series"][0]["edges"]
    widths = (
        {edge["lineStyle"]["width"] for edge in edges[:3]},
        {edge["lineStyle"]["width"] for edge in edges[3:]},
    )
    assert min(widths[0]) > max(widths[1])


def test_hostile_words_meet_no_template_and_no_code() -> None:
    option = picture(view(title=HOSTILE))
    assert json.loads(json.dumps(option)) == option
    formatters = [option["baseOption"]["tooltip"]["formatter"]]
    assert formatters == ["{c}"], "the one template escapes what it puts in"
    assert "formatter" not in json.dumps(nodes_of(option)) and "formatter" not in json.dumps(
        option["baseOption"]["series"]
    )
    for said in strings([*nodes_of(option), option["baseOption"]["series"][0]["edges"]]):
        assert not any(mark in said for mark in ("{c}", "{b|", "$&"))
    assert any("<img src=x" in said for said in strings(nodes_of(option))), "words are kept, as words"


def test_passages_of_one_document_are_known_by_their_headings() -> None:
    nodes = [
        ViewNode("question", "question", "Question", "?", 0.4, False),
        *(ViewNode(f"p:{at}", "passage", "Survey", "", 0.1, False, f"Part {at}", at) for at in (1, 2)),
    ]
    made = GraphView(tuple(nodes), tuple(ViewEdge("question", f"p:{at}", "found") for at in (1, 2)), (), 0, 0)
    assert [node["name"] for node in nodes_of(picture(made))] == ["Question", "… Part 1", "… Part 2"]


def test_a_picture_of_the_question_alone() -> None:
    alone = GraphView((ViewNode("question", "question", "Question", "?", 1.0, False),), (), (), 0, 0)
    assert len(nodes_of(picture(alone))) == 1
