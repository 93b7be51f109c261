"""Under an answer: its graph as a picture to drag, zoom and hover. In the library: a collection's graph in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app import render
from app.conversations import Message
from app.graph_picture import HEIGHT, picture, way_of
from app.session import Workspace
from index.graph_summary import GraphCounts, graph_counts
from index.graph_view import MOST, answer_graph
from index.store import Store
from index.view_records import Answered, GraphView

OVERVIEW, MORE = "Overview", "More"
FEW = 24  # nodes of the overview


def has_graph(trajectory: Mapping[str, Any]) -> bool:
    """Whether anything was searched for this answer."""
    return any(step["detail"].get("hits") for step in trajectory["steps"])


def toggle_graph(message_id: str) -> None:
    """Open the graph of an answer, or close it."""
    shown = set(st.session_state.get("graphs", ()))
    st.session_state["graphs"] = shown ^ {message_id}


def graph_open(message_id: str) -> bool:
    """Whether the graph of an answer is shown."""
    return message_id in st.session_state.get("graphs", ())


@st.fragment
def answer_picture(opened: Workspace, message: Message, trajectory: Mapping[str, Any]) -> None:
    """The graph of an answer, made now from the passages it found and cites."""
    with st.container(key=f"graph-{message.id}", border=True, gap="small"):
        detail = st.segmented_control(
            "How much of it",
            [OVERVIEW, MORE],
            default=OVERVIEW,
            required=True,
            key=f"graph-detail-{message.id}",
            label_visibility="collapsed",
        )
        view = answer_graph(opened.store, answered(trajectory), MOST if detail == MORE else FEW)
        if not any(node.passage_id for node in view.nodes):
            st.html(render.said_html("The passages of this answer are no longer in the library.", "fg-doubt"))
            return
        way = way_of(view)
        st.echarts_chart(picture(view), height=HEIGHT, key=f"picture-{message.id}", alt=_described(view, way))
        if way:
            st.html(render.said_html(way, "fg-way"))
        st.html(render.said_html(_left_out(view), "fg-count"))


def answered(trajectory: Mapping[str, Any]) -> Answered:
    """What a picture needs of an answered question's record."""
    answer = trajectory["answer"]
    hits: dict[int, float] = {}
    for step in trajectory["steps"]:
        for hit in step["detail"].get("hits", ()):
            hits[hit["passage_id"]] = max(hits.get(hit["passage_id"], 0.0), float(hit["score"]))
    quotes: dict[int, list[str]] = {}
    for citation in answer["citations"]:
        quotes.setdefault(citation["passage_id"], []).append(citation["quote"])
    reasoning = [note["passage_id"] for note in trajectory["notes"] if note["passage_id"] in quotes]
    cited = tuple(dict.fromkeys([*reasoning, *quotes]))
    short = str(answer["short"])
    bearing = [key for key in cited if short and short.casefold() in " ".join(quotes[key]).casefold()]
    return Answered(
        question=str(trajectory["question"]),
        short=short,
        cited=cited,
        answer=(bearing or list(cited) or [None])[-1],
        hits=dict(sorted(hits.items(), key=lambda item: -item[1])),
        quotes={key: " … ".join(dict.fromkeys(said)) for key, said in quotes.items()},
    )


def _described(view: GraphView, way: str) -> str:
    """The picture for who cannot see it."""
    passages = sum(node.passage_id is not None for node in view.nodes)
    entities = len(view.nodes) - passages - 1
    said = (
        f"Graph of the answer: {render.plural(passages, 'passage')} and {entities} of the entities they name."
    )
    return f"{said} Way to the answer: {way}" if way else said


def _left_out(view: GraphView) -> str:
    parts = ["Drag to move, scroll or pinch to zoom, hover or tap to read."]
    if view.left_out:
        parts.append(f"{render.plural(view.left_out, 'less important node')} left out.")
    if view.deleted:
        parts.append(f"{render.plural(view.deleted, 'passage')} deleted since.")
    return " ".join(parts)


# ---- library ---------------------------------------------------------------------------------


def collection_graph(opened: Workspace, collection: str) -> None:
    """A fold with the collection's graph in numbers, counted when it is opened."""
    fold = st.expander("Graph", key=f"graph-of-{collection}", icon=":material/hub:", on_change="rerun")
    if not fold.open:
        return
    with fold:
        generation = opened.store.generation(opened.store.collection_id(collection))
        with st.spinner("Counting what the documents name"):
            counts = _counted(str(opened.data_dir), collection, generation)
        if counts.waiting:
            told = f"{render.plural(counts.waiting, 'document')} not counted yet: read by the next search over links."
            st.html(render.said_html(told, "fg-doubt"))
        st.html(
            render.facts_html(
                [
                    ("Documents", f"{counts.documents:,}"),
                    ("Passages", f"{counts.passages:,}"),
                    ("Entities", f"{counts.entities:,}"),
                    ("Edges", f"{counts.edges:,} between passages and entities"),
                    ("Triplets", f"{counts.triplets:,}"),
                ]
            )
        )
        if counts.top:
            st.html('<div class="fg-label">Named by most documents</div>')
            st.html(
                render.facts_html((top.name, render.plural(top.documents, "document")) for top in counts.top)
            )


@st.cache_data(show_spinner=False, max_entries=32)
def _counted(data_dir: str, collection: str, generation: int) -> GraphCounts:
    """Counted once for each state of a collection; `generation` is part of the key."""
    store = Store(Path(data_dir))
    try:
        return graph_counts(store, collection)
    finally:
        store.close()
