"""The library page: add files, watch them being read, see, search, retry and delete documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app import render
from app.document import show_document
from app.graph_panel import collection_graph
from app.progress import ingests
from app.session import Workspace, workspace
from app.work import file_behind, forget_upload, keep_upload
from index.errors import InputError
from index.types import Document

FIRST_COLLECTION = "documents"


def show() -> None:
    """Draw one document if the address names one, else the whole library."""
    opened = workspace()
    with st.container(key="library", gap="medium"):
        chosen = st.query_params.get("document")
        if chosen:
            show_document(opened, chosen)
            return
        st.html('<div class="fg-h1">Library</div>')
        _upload(opened)
        ingests(opened)
        _documents(opened)


def _upload(opened: Workspace) -> None:
    """Drop files, choose a collection, start."""
    known = [collection.name for collection in opened.store.collections()]
    round_number = st.session_state.setdefault("upload-round", 0)  # a new key empties the drop zone
    with st.container(border=True, key="upload", gap="small"):
        files = st.file_uploader(
            "Drop files here: PDF, Word, PowerPoint, Excel, HTML, Markdown, text, CSV, JSON, mail, zip",
            accept_multiple_files=True,
            key=f"files-{round_number}",
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            collection = st.selectbox(
                "Into collection",
                known or [FIRST_COLLECTION],
                accept_new_options=True,
                key="into",
                help="Choose one, or type the name of a new one.",
            )
            pressed = st.button(
                f"Add {render.plural(len(files), 'file')}" if files else "Add files",
                type="primary",
                disabled=not files or not (collection or "").strip(),
                key="add",
            )
    if pressed and files and collection:
        paths = [keep_upload(opened.store, opened.data_dir, collection, f.name, f) for f in files]
        opened.ingest(tuple(paths), collection.strip())
        st.session_state["upload-round"] = round_number + 1
        st.rerun()


def _documents(opened: Workspace) -> None:
    collections = opened.store.collections()
    if not collections:
        st.html('<div class="fg-sub">Nothing here yet. What you add stays on this machine.</div>')
        return
    names = [collection.name for collection in collections]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = st.selectbox("Collection", ["All collections", *names], key="shown")
        wanted = st.text_input("Find", placeholder="Title, file or error", key="find")
    collection = shown if shown in names else None
    words = (wanted or "").lower().split()
    everything = sorted(opened.store.documents(collection), key=lambda d: d.updated_at, reverse=True)
    found = [d for d in everything if all(word in _searched(d) for word in words)]
    bar = st.container(horizontal=True, vertical_alignment="center", key="actions")
    chosen = _table(found)
    with bar:
        passages = render.plural(sum(d.passages for d in found), "passage")
        counts = f"{render.plural(len(found), 'document')}, {passages}"
        st.html(f'<div class="fg-count">{counts}</div>', width="stretch")
        _actions(opened, chosen, [d for d in found if d.error], collection)
    summarised = collection or (names[0] if len(names) == 1 else None)
    if summarised is not None:
        collection_graph(opened, summarised)


def _searched(document: Document) -> str:
    return f"{document.title} {document.source} {document.error} {document.collection}".lower()


def _table(documents: Sequence[Document]) -> list[Document]:
    """The table; returns the documents ticked in it."""
    if not documents:
        return []
    columns: dict[str, list[Any]] = {
        "Title": [d.title for d in documents],
        "Status": [
            "ready" if not d.error else "failed" if d.status == "failed" else "old version" for d in documents
        ],
        "Passages": [d.passages for d in documents],
        "Pages": [d.pages for d in documents],
        "Type": [_kind(d) for d in documents],
        "Size": [render.size(d.size) for d in documents],
        "Added": [render.when(d.added_at) for d in documents],
        "Collection": [d.collection for d in documents],
    }
    if any(d.error for d in documents):
        columns["Problem"] = [d.error for d in documents]
    picked = st.dataframe(
        columns,
        hide_index=True,
        key="documents",
        on_select="rerun",
        selection_mode="multi-row",
        height=min(38 + 35 * len(documents), 560),
        placeholder="",
        column_order=[
            name for name in dict.fromkeys(("Title", "Status", "Problem", *columns)) if name in columns
        ],
        column_config={"Title": {"width": 300}, "Problem": {"width": 300}},
    )
    return [documents[row] for row in picked["selection"]["rows"] if row < len(documents)]


def _kind(document: Document) -> str:
    suffix = Path(document.meta.get("name") or document.source).suffix.lstrip(".").upper()
    return suffix or document.media_type


def _actions(
    opened: Workspace, chosen: list[Document], failed: list[Document], collection: str | None
) -> None:
    """What can be done with the ticked documents, or with all failed ones, or with the collection."""
    if len(chosen) == 1 and st.button("Open", key="open", icon=":material/article:"):
        st.query_params["document"] = chosen[0].id
        st.rerun()
    label = "Read again" if chosen else f"Retry {len(failed)} failed"
    if (chosen or failed) and st.button(label, key="retry", icon=":material/refresh:"):
        _retry(opened, chosen or failed)
    if chosen and st.button(f"Delete {len(chosen)}", key="delete", icon=":material/delete:"):
        _delete(opened, chosen)
    whole = collection is not None and not chosen
    if whole and st.button("Delete collection", key="delete-collection", icon=":material/delete:"):
        _delete_collection(opened, str(collection))


def _retry(opened: Workspace, documents: Sequence[Document]) -> None:
    by_collection: dict[str, dict[Path, None]] = {}
    for document in documents:
        try:
            by_collection.setdefault(document.collection, {})[file_behind(document.source)] = None
        except InputError as error:
            st.toast(render.plain(str(error)), icon=":material/error:")
    for collection, paths in by_collection.items():
        opened.ingest(tuple(paths), collection)
    if by_collection:
        st.rerun()


@st.dialog("Delete documents?")
def _delete(opened: Workspace, documents: Sequence[Document]) -> None:
    for document in documents[:8]:
        st.text(document.title)
    if len(documents) > 8:
        st.text(f"and {len(documents) - 8} more")
    st.text("They can no longer be searched. Your own files outside Forage stay where they are.")
    if st.button(f"Delete {render.plural(len(documents), 'document')}", type="primary", key="confirm-delete"):
        for document in documents:
            opened.store.delete_document(document.id)
            forget_upload(opened.data_dir, document.source)
        st.rerun()


@st.dialog("Delete collection?")
def _delete_collection(opened: Workspace, collection: str) -> None:
    documents = opened.store.documents(collection)
    st.text(f"“{collection}” with {render.plural(len(documents), 'document')} can no longer be searched.")
    if st.button("Delete collection", type="primary", key="confirm-delete-collection"):
        opened.store.delete_collection(collection)
        for document in documents:
            forget_upload(opened.data_dir, document.source)
        st.rerun()


if __name__ == "__main__":
    show()
