"""A collection's graph as a file for other programs: GraphML (Gephi, yEd, Cytoscape) or node-link JSON.

Nodes are passages and entities; edges say what a passage names, what a triplet states between two entities
(from subject to object), which name is an alias of which, and which passage follows which. Built from the
store, written by networkx; a file appears whole or not at all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import networkx

from index.errors import InputError
from index.knowledge import backfill
from index.normalise import clean
from index.store import Store

Format = Literal["graphml", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)


def corpus_network(store: Store, collection: str) -> networkx.MultiDiGraph:
    """The graph of one collection; documents that were never extracted are extracted first.

    Nodes `p:<id>` carry kind "passage", label, document, source, heading and page (0: none); nodes `e:<key>`
    kind "entity" and label. Edges carry kind ("names", "states", "alias", "next"), and `count` and `seen_as`
    (names) or `relation` and `passage` (states). NotFoundError for an unknown collection.
    """
    number = store.collection_id(collection)
    backfill(store, number)
    net = networkx.MultiDiGraph(name=_text(collection))
    with store.reading():
        _add_passages(net, store, number)
        for passage, entity, kinds, count in _rows(
            store,
            "SELECT m.passage_id, m.entity, group_concat(DISTINCT m.kind), count(*) FROM passages p"
            " JOIN mentions m ON m.passage_id = p.id WHERE p.collection_id = ? GROUP BY p.id, m.entity",
            number,
        ):
            entity = _add_entity(net, entity)
            seen_as = " ".join(sorted(kinds.split(",")))
            net.add_edge(f"p:{passage}", entity, kind="names", count=count, seen_as=seen_as)
        for passage, subject, relation, thing in _rows(
            store,
            "SELECT t.passage_id, t.subject, t.relation, t.object FROM passages p"
            " JOIN triplets t ON t.passage_id = p.id WHERE p.collection_id = ?",
            number,
        ):
            ends = _add_entity(net, subject), _add_entity(net, thing)
            net.add_edge(*ends, kind="states", relation=_text(relation), passage=f"p:{passage}")
        for alias, entity in _rows(
            store,
            "SELECT DISTINCT a.alias, a.entity FROM passages p JOIN aliases a ON a.passage_id = p.id"
            " WHERE p.collection_id = ?",
            number,
        ):
            ends = f"e:{_text(alias)}", f"e:{_text(entity)}"
            if ends[0] in net and ends[1] in net:  # an alias that no passage uses joins nothing
                net.add_edge(*ends, kind="alias")
    return net


def export_graph(store: Store, collection: str, format_name: str, target: Path) -> tuple[int, int]:
    """Write the graph of one collection to a file; (nodes, edges). InputError for a format or place that will
    not do, NotFoundError for an unknown collection."""
    if format_name not in FORMATS:
        raise InputError(f"There is no graph format '{format_name}'. Choose one of: {', '.join(FORMATS)}.")
    if target.is_dir() or not target.parent.is_dir():
        raise InputError(
            f"The graph cannot be written to {target}: "
            f"{'it is a folder' if target.is_dir() else 'its folder does not exist'}. "
            "Give the path of a file in a folder that exists."
        )
    net = corpus_network(store, collection)
    partial = target.with_name(f".{target.name}.partial-{os.getpid()}")
    try:
        if format_name == "graphml":
            networkx.write_graphml_lxml(net, str(partial), infer_numeric_types=True)
        else:
            with partial.open("w", encoding="utf-8") as out:
                for piece in json.JSONEncoder(ensure_ascii=False).iterencode(_node_link(net)):
                    out.write(piece)
        os.replace(partial, target)
    except OSError as error:
        raise InputError(
            f"The graph cannot be written to {target}: {error}. Choose another place."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return net.number_of_nodes(), net.number_of_edges()


def _node_link(net: networkx.MultiDiGraph) -> dict[str, Any]:
    found: dict[str, Any] = networkx.node_link_data(net, edges="edges")
    return found


def _add_passages(net: networkx.MultiDiGraph, store: Store, number: int) -> None:
    before: tuple[str, str] | None = None  # document, node
    for key, document, source, title, heading, page in _rows(
        store,
        "SELECT p.id, p.document_id, d.source, p.title, p.heading, p.page FROM passages p"
        " JOIN documents d ON d.id = p.document_id WHERE p.collection_id = ? ORDER BY p.document_id, p.start, p.id",
        number,
    ):
        node = f"p:{key}"
        net.add_node(
            node,
            kind="passage",
            label=_text(title),
            document=document,
            source=_text(source),
            heading=_text(heading),
            page=page or 0,
        )
        if before is not None and before[0] == document:
            net.add_edge(before[1], node, kind="next")
        before = document, node


def _add_entity(net: networkx.MultiDiGraph, key: str) -> str:
    node = f"e:{_text(key)}"
    if node not in net:
        net.add_node(node, kind="entity", label=_text(key))
    return node


def _rows(store: Store, query: str, number: int) -> Iterator[tuple[Any, ...]]:
    yield from store.connection.execute(query, (number,))


def _text(text: str) -> str:
    """Text that an XML file may hold."""
    return clean(text)
