"""A graph that grew is the graph made anew; a neighbourhood's links are those of the whole graph."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.graph import CorpusGraph
from index.graph_cache import GraphCache
from index.link import Linker
from index.store import Store
from tests.index.test_graph import NAMES, add, documents

QUESTIONS = ("Who knows Ada Kell?", "What did Kell do?", "Where is Ostar?", "What does the HSB do in 1901?")


def named(made: CorpusGraph) -> dict[str, object]:
    """All that a graph holds, by names."""
    keys, ids = made.edges.keys, made.edges.passages
    columns = {at for key, places in made.columns.items() for at in places if keys[at] == key}
    found: dict[str, object] = {"columns": len(columns) == len(keys), "passages": ids.tolist()}
    for name in ("mentions", "by_entity", "titled", "titled_by_entity"):
        matrix = getattr(made, name)
        matrix.check_format()
        entries = matrix.tocoo()
        found[name] = {
            (int(ids[row]), keys[column]): round(float(value), 5)
            for row, column, value in zip(entries.row, entries.col, entries.data, strict=True)
        }
    found["rarity"] = {
        key: round(float(made.rarity[at]), 5) for at, key in enumerate(keys) if made.frequency[at]
    }
    found["aliases"] = {(keys[a], keys[b]) for a, b in made.edges.aliases}
    return found


def linked(linker: Linker) -> list[dict[str, str]]:
    return [{link.key: link.how for link in linker.link(question)} for question in QUESTIONS]


@pytest.fixture
def always_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.graph_cache.AT_ONCE", 0)
    monkeypatch.setattr("index.graph_cache.FEW", 0)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(documents, min_size=2, max_size=4), flat=st.sampled_from([1, 3, 20_000]))
@pytest.mark.usefixtures("always_grows")
def test_a_grown_graph_is_the_graph_made_anew(
    parts: list[dict[str, tuple[str, str]]],
    flat: int,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("index.graph_growth.FLAT_FROM", flat)
    store = Store.open(tmp_path_factory.mktemp("growing"))
    cache = GraphCache(store)
    held = []
    for number, part in enumerate(parts):
        add(store, [(f"{number}-{key}", *row) for key, row in part.items()])
        _, made, linker, _ = cache._renew(1)
        held.append((made, linker, named(made), linked(linker)))
    anew, fresh = GraphCache(store).current(1)
    assert named(made) == named(anew)
    assert linked(linker) == linked(fresh)
    for made, linker, said, links in held:  # the graphs before still serve whoever holds them
        assert (named(made), linked(linker)) == (said, links)
    store.close()


@pytest.mark.usefixtures("always_grows")
def test_an_alias_waits_for_its_name(store: Store) -> None:
    cache = GraphCache(store)
    add(store, [("1", "Ports", "The Harbour Safety Board (HSB) inspects ports.")])
    before = cache._renew(1)[1]
    add(store, [("2", "Lanes", "The Lane Council (LC) inspects lanes."), ("3", "LC", "LC met HSB and LC.")])
    made = cache._renew(1)[1]
    assert made.edges.passages[: before.size].tolist() == before.edges.passages.tolist()
    assert named(made)["aliases"] == named(GraphCache(store).current(1)[0])["aliases"] != set()


@pytest.mark.usefixtures("always_grows")
def test_after_a_deletion_a_graph_is_made_anew(store: Store) -> None:
    cache = GraphCache(store)
    add(store, [("1", "Oster", "Oster knows Ada Kell."), ("2", "Bo Finn", "Bo Finn met Ada Kell.")])
    cache._renew(1)
    store.delete_document(next(d.id for d in store.documents() if d.source == "1"))
    add(store, [("3", "Teal Bridge", "Bo Finn built it in Oster.")])
    assert named(cache._renew(1)[1])["mentions"] == named(GraphCache(store).current(1)[0])["mentions"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=documents, seed=st.integers(0, 9))
def test_links_of_a_neighbourhood(
    rows: dict[str, tuple[str, str]], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("near")
    store = Store.open(folder)
    text = " ".join(f"{name} is near." for name in NAMES)
    add(store, [*((key, *row) for key, row in rows.items()), ("long", "Long", f"{text} (HSB) " * 60)])
    made = GraphCache(store).current(1)[0]
    chosen = np.flatnonzero(np.random.default_rng(seed).random(made.size) < 0.6)
    entities = np.unique(made.mentions[chosen].indices).astype(np.int64)
    near = np.concatenate([chosen, entities + made.size])
    whole = made.links[near][:, near].toarray()
    assert made.links_among(chosen, entities).toarray() == pytest.approx(whole, abs=1e-6)
    store.close()
