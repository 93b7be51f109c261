"""The picture of an answer: the way to it is always there, the rest by weight."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.graph_view import answer_graph
from index.ingest import ingest_passages
from index.store import Store
from index.types import Vectors
from index.view_records import Answered, GraphView, ViewEdge

QUESTION = "Where was the designer of the Teal Bridge born?"
ROWS = [
    ("bridge", "Teal Bridge", "The Teal Bridge crosses the Aske. The Teal Bridge was designed by Mira Vell."),
    ("vell", "Mira Vell", "Mira Vell was an engineer. Mira Vell was born in Tarsholm in 1850."),
    ("fair", "Tarsholm Fair", "The Tarsholm Fair is held in Tarsholm every September."),
    ("press", "Lantern Press", "The Lantern Press printed almanacs for Jon Aldin."),
]


class Flat:
    """Embeds nothing: the picture does not look at vectors."""

    name, dimension = "flat", 4

    def embed(self, texts: list[str]) -> Vectors:
        return np.full((len(texts), 4), 0.5, dtype=np.float32)


def add(store: Store, rows: list[tuple[str, str, str]], collection: str = "c") -> dict[str, int]:
    """Passage ids by document."""
    ingest_passages(
        store, [{"id": i, "title": t, "text": x} for i, t, x in rows], collection, embedder=Flat()
    )
    return {d.source: store.passages_of(d.id)[0].id for d in store.documents(collection)}


def answered(ids: dict[str, int], question: str = QUESTION, short: str = "Tarsholm") -> Answered:
    hits = {ids[name]: 0.9 - at / 10 for at, name in enumerate(ids)}
    cited = tuple(ids[name] for name in ("bridge", "vell") if name in ids)
    return Answered(question, short, cited, cited[-1] if cited else None, hits)


def joined(view: GraphView, edge: ViewEdge) -> bool:
    known = {node.id for node in view.nodes}
    return edge.source in known and edge.target in known


def test_the_way_leads_from_the_question_over_the_evidence_to_the_answer(store: Store) -> None:
    ids = add(store, ROWS)
    view = answer_graph(store, answered(ids))
    assert view.path == (
        "question",
        "e:teal bridge",
        f"p:{ids['bridge']}",
        "e:mira vell",
        f"p:{ids['vell']}",
        "e:tarsholm",
    )
    nodes = {node.id: node for node in view.nodes}
    assert [nodes[node].kind for node in view.path] == [
        "question", "asked", "evidence", "entity", "evidence", "answer",
    ]  # fmt: skip
    assert nodes["e:mira vell"].label == "Mira Vell" and nodes[f"p:{ids['press']}"].kind == "passage"
    assert all(nodes[node].on_path for node in view.path)
    told = {(edge.source, edge.target): edge for edge in view.edges}
    assert "born in" in told["e:mira vell", "e:tarsholm"].label
    assert told["e:teal bridge", f"p:{ids['bridge']}"].on_path
    assert all(joined(view, edge) for edge in view.edges)
    assert sum(node.mass for node in view.nodes) == pytest.approx(1.0, abs=1e-3)
    assert json.loads(json.dumps(view.to_dict()))["path"][0] == "question"


def test_a_comparison_shows_the_ways_to_both_sides(store: Store) -> None:
    rows = [
        ("a", "Teal Bridge", "The Teal Bridge was opened in 1887."),
        ("b", "Iron Bridge", "The Iron Bridge was opened in 1902."),
    ]
    ids = add(store, rows)
    both = Answered(
        "Which is older, the Teal Bridge or the Iron Bridge?",
        "Teal Bridge",
        (ids["a"], ids["b"]),
        ids["a"],
        {},
    )
    view = answer_graph(store, both)
    assert view.path[-1] == f"p:{ids['a']}" or view.path[-1] == "e:teal bridge"
    on_path = {node.id for node in view.nodes if node.on_path}
    assert {f"p:{ids['a']}", f"p:{ids['b']}", "e:teal bridge", "e:iron bridge"} <= on_path


@pytest.mark.parametrize("most", [1, 5, 8, 60])
def test_the_least_important_go_first_and_the_way_never(store: Store, most: int) -> None:
    ids = add(store, ROWS)
    view = answer_graph(store, answered(ids), most)
    assert len(view.nodes) <= max(most, len(view.path))
    assert set(view.path) <= {node.id for node in view.nodes} and len(view.path) == 6
    whole = answer_graph(store, answered(ids), 1000)
    assert view.left_out == len(whole.nodes) + whole.left_out - len(view.nodes)
    assert {node.id for node in view.nodes} <= {node.id for node in whole.nodes}


def test_a_question_without_a_known_name_reaches_the_passage_by_text(store: Store) -> None:
    ids = add(store, ROWS)
    unnamed = Answered("what did they print?", "almanacs", (ids["press"],), ids["press"], {ids["press"]: 1.0})
    view = answer_graph(store, unnamed)
    assert view.path == ("question", f"p:{ids['press']}")
    assert ViewEdge("question", f"p:{ids['press']}", "found", "", True) in view.edges
    assert not [node for node in view.nodes if node.kind == "asked"]


def test_an_abstention_has_no_way_but_shows_what_was_found(store: Store) -> None:
    ids = add(store, ROWS)
    view = answer_graph(store, Answered("How tall is Mira Vell?", "", (), None, {ids["vell"]: 0.6}))
    assert view.path == () and not any(edge.on_path for edge in view.edges)
    assert {"question", "e:mira vell", f"p:{ids['vell']}"} <= {node.id for node in view.nodes}


def test_one_passage_and_none(store: Store) -> None:
    ids = add(store, [("only", "…", "nothing here has a name.")])
    view = answer_graph(store, Answered("what?", "", (ids["only"],), ids["only"], {}))
    assert [node.kind for node in view.nodes] == ["question", "evidence"]
    gone = answer_graph(store, Answered("what?", "x", (9999,), 9999, {8888: 1.0}))
    assert [node.id for node in gone.nodes] == ["question"] and gone.deleted == 2 and gone.path == ()


def test_documents_of_an_older_recipe_are_read_without_being_stored(store: Store) -> None:
    ids = add(store, ROWS)
    before = answer_graph(store, answered(ids))
    with store.writing() as connection:
        connection.execute("UPDATE documents SET extracted = 'older'")
        for table in ("mentions", "triplets", "aliases"):
            connection.execute(f"DELETE FROM {table}")
    assert answer_graph(store, answered(ids)) == before
    assert store.connection.execute("SELECT count(*) FROM mentions").fetchone()[0] == 0


def test_every_part_hangs_on_the_question(store: Store) -> None:
    import networkx

    view = answer_graph(store, answered(add(store, ROWS)), 12)
    net = networkx.Graph([(edge.source, edge.target) for edge in view.edges])
    assert networkx.is_connected(net) and len(net) == len(view.nodes)


names = st.sampled_from(["Ada Kell", "Bo Finn", "Oster", "Teal Bridge", "Harbour Board", "1901"])
texts = st.lists(names, min_size=1, max_size=5).map(lambda found: f"It concerns {' near '.join(found)}.")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    documents=st.lists(st.tuples(names, texts), min_size=1, max_size=6),
    question=st.lists(names, max_size=3).map(" and ".join),
    cited=st.integers(0, 3),
    most=st.integers(1, 60),
)
def test_any_picture_holds_together(
    documents: list[tuple[str, str]],
    question: str,
    cited: int,
    most: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = Store.open(tmp_path_factory.mktemp("view"))
    ids = list(add(store, [(str(at), *row) for at, row in enumerate(documents)]).values())
    chosen = tuple(ids[:cited])
    view = answer_graph(
        store,
        Answered(question, "Oster", chosen, chosen[-1] if chosen else None, dict.fromkeys(ids, 0.5)),
        most,
    )
    known = [node.id for node in view.nodes]
    assert len(known) == len(set(known)) and known[0] == "question"
    assert set(view.path) <= set(known) and bool(view.path) == bool(chosen)
    assert all(joined(view, edge) for edge in view.edges)
    ends = {(edge.source, edge.target) for edge in view.edges if edge.on_path}
    for step in zip(view.path, view.path[1:], strict=False):
        assert step in ends or step[::-1] in ends
    store.close()
