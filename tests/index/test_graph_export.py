"""A collection's graph as a file and in numbers."""

import json
from pathlib import Path

import networkx
import numpy as np
import pytest

from index.errors import InputError, NotFoundError
from index.graph_cache import GraphCache
from index.graph_export import corpus_network, export_graph
from index.graph_summary import TopEntity, connections, graph_counts
from index.ingest import ingest_passages
from index.store import Store
from index.types import Vectors

ROWS = [
    ("bridge", "Teal Bridge", "The Teal Bridge was designed by Mira Vell in 1887."),
    ("vell", "Mira Vell", "The Harbour Safety Board (HSB) paid Mira Vell. Mira Vell was born in Tarsholm."),
    ("fair", "Tarsholm Fair", "The Tarsholm Fair is held in Tarsholm. Last year HSB closed it."),
    ("alone", "Gingerbread", "Put it into the oven in 1887."),
]


class Flat:
    """Embeds nothing: the graph does not look at vectors."""

    name, dimension = "flat", 4

    def embed(self, texts: list[str]) -> Vectors:
        return np.full((len(texts), 4), 0.5, dtype=np.float32)


def add(store: Store, rows: list[tuple[str, str, str]], collection: str = "c") -> None:
    ingest_passages(
        store, [{"id": i, "title": t, "text": x} for i, t, x in rows], collection, embedder=Flat()
    )


def test_both_formats_hold_the_same_graph(store: Store, tmp_path: Path) -> None:
    add(store, ROWS)
    add(store, [("other", "Elsewhere", "Mira Vell was never here.")], "other")
    net = corpus_network(store, "c")
    counts = export_graph(store, "c", "graphml", tmp_path / "g.graphml")
    assert counts == export_graph(store, "c", "json", tmp_path / "g.json") == (len(net), net.size())
    graphml = networkx.read_graphml(tmp_path / "g.graphml", force_multigraph=True)
    node_link = networkx.node_link_graph(json.loads((tmp_path / "g.json").read_text("utf-8")), edges="edges")
    for read in (graphml, node_link):
        assert read.is_directed() and dict(read.nodes(data=True)) == dict(net.nodes(data=True))
        assert sorted((a, b, sorted(d.items())) for a, b, d in read.edges(data=True)) == sorted(
            (a, b, sorted(d.items())) for a, b, d in net.edges(data=True)
        )
    passages = {node: data["label"] for node, data in net.nodes(data=True) if data["kind"] == "passage"}
    assert sorted(passages.values()) == sorted(title for _, title, _ in ROWS), "nothing of another collection"
    stated = [(a, d["relation"], b) for a, b, d in net.edges(data=True) if d["kind"] == "states"]
    assert ("e:mira vell", "was born in", "e:tarsholm") in stated
    aliases = [(a, b) for a, b, d in net.edges(data=True) if d["kind"] == "alias"]
    assert aliases == [("e:hsb", "e:harbour safety board")]
    assert list(tmp_path.glob(".*")) == [], "no half-written file stays"


def test_hostile_words_are_data_in_both_formats(store: Store, tmp_path: Path) -> None:
    title = '<img src=x onerror="alert(1)"> & ]]> \x00\x0b\u202e {c}'
    add(store, [("x", title, "The <script>alert(1)</script> of Mira Vell.")])
    export_graph(store, "c", "graphml", tmp_path / "g.graphml")
    read = networkx.read_graphml(tmp_path / "g.graphml", force_multigraph=True)
    assert any("<img src=x" in data["label"] for _, data in read.nodes(data=True))
    assert "<img" not in (tmp_path / "g.graphml").read_text("utf-8")
    export_graph(store, "c", "json", tmp_path / "g.json")
    assert json.loads((tmp_path / "g.json").read_text("utf-8"))["nodes"]


def test_documents_of_an_older_recipe_are_extracted_first(store: Store) -> None:
    add(store, ROWS)
    before = corpus_network(store, "c").size()
    with store.writing() as connection:
        connection.execute("UPDATE documents SET extracted = 'older'")
        connection.execute("DELETE FROM mentions")
    assert graph_counts(store, "c").waiting == len(ROWS)
    assert corpus_network(store, "c").size() == before
    assert graph_counts(store, "c").waiting == 0


def test_mistakes(store: Store, tmp_path: Path) -> None:
    add(store, ROWS)
    with pytest.raises(InputError, match="graphml, json"):
        export_graph(store, "c", "gexf", tmp_path / "g")
    with pytest.raises(InputError, match="its folder does not exist"):
        export_graph(store, "c", "json", tmp_path / "no" / "g.json")
    with pytest.raises(InputError, match="it is a folder"):
        export_graph(store, "c", "json", tmp_path)
    with pytest.raises(NotFoundError):
        export_graph(store, "none", "json", tmp_path / "g.json")


def test_an_empty_collection(store: Store, tmp_path: Path) -> None:
    store.create_collection("empty")
    assert export_graph(store, "empty", "graphml", tmp_path / "g") == (0, 0)
    counts = graph_counts(store, "empty")
    assert (counts.documents, counts.passages, counts.entities, counts.edges, counts.top) == (0, 0, 0, 0, ())
    linked = connections(store, GraphCache(store).current(store.collection_id("empty"))[0])
    assert (linked.components, linked.isolated_count) == (0, 0)


def test_the_numbers_of_a_collection(store: Store) -> None:
    add(store, ROWS)
    add(store, [("other", "Elsewhere", "Mira Vell was never here.")], "other")
    net = corpus_network(store, "c")
    kinds = [data["kind"] for *_, data in net.edges(data=True)]
    counts = graph_counts(store, "c")
    assert (counts.documents, counts.passages, counts.waiting) == (4, 4, 0)
    assert counts.entities == sum(data["kind"] == "entity" for _, data in net.nodes(data=True))
    assert (counts.edges, counts.triplets) == (kinds.count("names"), kinds.count("states"))
    assert counts.top[:2] == (TopEntity("HSB", 2), TopEntity("Mira Vell", 2))
    linked = connections(store, GraphCache(store).current(store.collection_id("c"))[0])
    shared = [(document.title, document.shared) for document in linked.most_connected]
    assert shared == [("Mira Vell", 3), ("Tarsholm Fair", 2), ("Teal Bridge", 1)]
    assert [document.title for document in linked.isolated] == ["Gingerbread"], "a year alone is no link"
    assert (linked.components, linked.largest, linked.isolated_count) == (1, 1.0, 1)
