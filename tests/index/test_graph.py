"""The corpus graph in the store: exact when documents come and go, closed between collections."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index import graph_rows
from index.encoders import MiniLMEmbedder
from index.extract import VERSION
from index.graph import CorpusGraph
from index.graph_cache import GraphCache
from index.ingest import ingest_passages
from index.link import Linker
from index.pagerank import walk
from index.store import Store
from index.types import Vectors
from index.walks import walk_question

NAMES = ["Ada Kell", "Bo Finn", "Oster", "Teal Bridge", "Harbour Board", "1901"]


class Flat:
    """Embeds nothing: the graph does not look at vectors."""

    name, dimension = "flat", 4

    def embed(self, texts: list[str]) -> Vectors:
        return np.full((len(texts), 4), 0.5, dtype=np.float32)


def add(store: Store, rows: list[tuple[str, str, str]], collection: str = "c") -> None:
    ingest_passages(
        store, [{"id": i, "title": t, "text": x} for i, t, x in rows], collection, embedder=Flat()
    )


def edges_of(made: CorpusGraph) -> dict[tuple[str, str], float]:
    """The matrix with names instead of numbers: what must be equal whatever happened before."""
    mentions = made.mentions.tocoo()
    return {
        (str(row), made.edges.keys[column]): round(float(value), 5)
        for row, column, value in zip(mentions.row, mentions.col, mentions.data, strict=True)
    }


sentences = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(
    lambda names: "It concerns " + " near ".join(names) + "."
)
documents = st.dictionaries(
    st.sampled_from("abcdef"), st.tuples(st.sampled_from(NAMES), sentences), min_size=1, max_size=6
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=documents, passing=documents)
def test_add_then_delete_equals_never_added(
    first: dict[str, tuple[str, str]],
    passing: dict[str, tuple[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    clean = Store.open(tmp_path_factory.mktemp("clean"))
    add(clean, [(f"keep-{k}", *v) for k, v in first.items()])
    busy = Store.open(tmp_path_factory.mktemp("busy"))
    cache = GraphCache(busy)
    add(busy, [(f"gone-{k}", *v) for k, v in passing.items()])
    cache.current(1)
    add(busy, [(f"keep-{k}", *v) for k, v in first.items()])
    cache.current(1)
    for document in busy.documents():
        if document.source.startswith("gone"):
            busy.delete_document(document.id)
    expected = GraphCache(clean).current(1)[0]
    assert edges_of(cache.current(1)[0]) == edges_of(expected)
    assert edges_of(GraphCache(busy).current(1)[0]) == edges_of(expected)
    for table in ("mentions", "sentences", "triplets", "aliases"):
        counts = [s.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for s in (clean, busy)]
        assert counts[0] == counts[1], table
    clean.close()
    busy.close()


def test_no_walk_leaves_its_collection(store: Store) -> None:
    rows = [("1", "Oster", "Oster knows Ada Kell."), ("2", "Ada Kell", "Ada Kell lives in Oster.")]
    add(store, rows, "mine")
    add(store, [(f"{i}x", t, x) for i, t, x in rows], "theirs")
    cache = GraphCache(store)
    made, linker = cache.of([1, 2])
    cosines = np.full(made.size, 0.5, dtype=np.float32)
    alone, alone_linker = cache.of([1])
    links = linker.link("Who is Ada Kell?")
    assert {link.column < len(alone.edges.keys) for link in links} == {True, False}  # seeds in both blocks
    mine = [link for link in links if link.column < len(alone.edges.keys)]
    resets = np.zeros((made.nodes, 1), np.float32)
    for link in mine:
        resets[made.size + link.column] = 1.0
    from index.pagerank import personalised_pagerank

    mass = personalised_pagerank(made.links, resets, 0.85)[: made.size, 0]
    theirs = {p.id for d in store.documents("theirs") for p in store.passages_of(d.id)}
    for row, key in enumerate(made.edges.passages.tolist()):
        assert (mass[row] == 0) == (key in theirs)
    both = walk_question(made, linker, "Who is Ada Kell?", cosines, {})
    single = walk_question(alone, alone_linker, "Who is Ada Kell?", cosines[: alone.size], {})
    inside = both.from_names[made.rows(alone.edges.passages)]
    assert inside / inside.sum() == pytest.approx(single.from_names / single.from_names.sum(), abs=1e-5)


def test_rows_are_those_of_the_store(store: Store) -> None:
    add(store, [("1", "Oster", "Oster knows Ada Kell. Oster again.")])
    made = GraphCache(store).current(1)[0]
    key = made.columns["oster"][0]
    assert made.frequency[key] == 1
    assert made.titled[0, key] == 1.0
    assert {made.edges.keys[c] for c in made.entities_of(0)} == {"oster", "ada kell"}
    assert made.passages_of(key).tolist() == [0]


def test_a_snapshot_is_read_again_and_a_damaged_one_rebuilt(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.graph_cache.SNAPSHOT_FROM", 1)
    add(store, [("1", "Oster", "Oster knows Ada Kell."), ("2", "Bo Finn", "Bo Finn met Ada Kell.")])
    made = GraphCache(store).current(1)[0]
    GraphCache(store).refresh(1)
    path = store.data_dir / "cache" / "graph" / "1.npz"
    assert path.is_file()
    again = GraphCache(store)
    assert again._load(1) is not None
    assert edges_of(again.current(1)[0]) == edges_of(made)
    store.delete_document(next(d.id for d in store.documents() if d.source == "2"))
    after = GraphCache(store).current(1)[0]
    assert b"bo finn" not in path.read_bytes()
    path.write_bytes(b"not a snapshot")
    assert edges_of(GraphCache(store).current(1)[0]) == edges_of(after)


def test_documents_of_an_older_recipe_are_extracted_again(store: Store) -> None:
    add(store, [("1", "Oster", "Oster knows Ada Kell.")])
    before = edges_of(GraphCache(store).current(1)[0])
    with store.writing() as connection:
        connection.execute("UPDATE documents SET extracted = 'older'")
        connection.execute("DELETE FROM mentions")
    assert edges_of(GraphCache(store).current(1)[0]) == before
    assert store.connection.execute("SELECT extracted FROM documents").fetchone()[0] == VERSION


def test_a_large_graph_serves_while_it_is_renewed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.graph_cache.AT_ONCE", 0)
    cache = GraphCache(store)
    add(store, [("1", "Oster", "Oster knows Ada Kell.")])
    assert cache.current(1)[0].size == 1  # the first one is waited for
    add(store, [("2", "Bo Finn", "Bo Finn met Ada Kell.")])
    assert cache.current(1)[0].size == 1
    import time

    for _ in range(200):
        if cache.current(1)[0].size == 2:
            return
        time.sleep(0.02)
    pytest.fail("the renewed graph never came")


def test_aliases_join_what_they_name(store: Store) -> None:
    add(
        store,
        [
            ("1", "Ports", "The Harbour Safety Board (HSB) inspects ports."),
            ("2", "Fines", "Last year HSB fined Ada Kell."),
        ],
    )
    made, linker = GraphCache(store).current(1)
    walks = walk_question(
        made, linker, "Whom did the Harbour Safety Board fine?", np.zeros(2, np.float32), {}
    )
    assert walks.from_names[1] > 0.1 * walks.from_names[0]


def link(linker: Linker, question: str) -> dict[str, str]:
    return {found.key: found.how for found in linker.link(question)}


def test_questions_are_linked_exactly_nearly_and_by_part(store: Store) -> None:
    add(
        store,
        [
            ("1", "Teal Bridge", "The Teal Bridge was designed by Mira Vell."),
            ("2", "Order of the Lamp", "Ada Kell founded it."),
        ],
    )
    linker = GraphCache(store).current(1)[1]
    assert link(linker, "Who designed the Teal Bridge?")["teal bridge"] == "exact"
    assert link(linker, "who designed the teal bridge")["teal bridge"] == "exact"
    assert link(linker, "Who is Myra Vell?")["mira vell"] == "near"
    assert link(linker, "What did Kell found?")["ada kell"] == "partial"
    assert link(linker, "Who leads the Order of the Lamp?")["order of the lamp"] == "exact"
    assert linker.link("what is the price of tea") == ()
    assert linker.link("") == ()


def test_empty_graph() -> None:
    made = CorpusGraph(graph_rows.empty())
    walks = walk_question(made, Linker(made), "Who is Ada Kell?", np.zeros(0, np.float32), {})
    assert walks.score.shape == (0,)


def test_search_modes_over_the_graph(corpus_dir: Path, embedder: MiniLMEmbedder) -> None:
    from index.retrieve import Searcher

    searcher = Searcher(Store.open(corpus_dir), embedder)
    hits = searcher.search("Where was the designer of the Teal Bridge born?", 5, "graph")
    assert {"bridge", "vell"} <= {hit.passage.source for hit in hits[:3]}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=documents, seed=st.integers(0, 5))
def test_the_merged_graph_walks_like_the_whole_one(
    rows: dict[str, tuple[str, str]], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Passages get the same mass from any reset, guided or not."""
    filled = Store.open(tmp_path_factory.mktemp("merged"))
    add(filled, [(key, *row) for key, row in rows.items()])
    made = GraphCache(filled).current(1)[0]
    draw = np.random.default_rng(seed)
    resets = draw.random((made.nodes, 2), dtype=np.float32)
    gain = np.ones((made.nodes, 1), dtype=np.float32)
    gain[: made.size] = draw.random((made.size, 1), dtype=np.float32) + 0.1
    merged = made.merged
    fewer = np.zeros((merged.links.shape[0], 2), dtype=np.float32)
    np.add.at(fewer, merged.node, resets)
    less = np.ones((len(fewer), 1), dtype=np.float32)
    less[: made.size] = gain[: made.size]
    for power, other in zip(
        walk(made.links, resets, 8, gain),
        walk(merged.links, fewer, 8, less, merged.links_reversed),
        strict=True,
    ):
        assert power[: made.size] == pytest.approx(other[: made.size], abs=1e-6)
    filled.close()
