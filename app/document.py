"""One document as it was read: its facts, its text page by page, and for PDFs the pages themselves."""

from __future__ import annotations

import math

import streamlit as st

from app import render
from app.preview import page_picture
from app.session import Workspace
from index.errors import NotFoundError, ParseError
from index.types import Document

SHEET = 6000  # characters of text shown at a time


def show_document(opened: Workspace, document_id: str) -> None:
    """Draw a document with a way back to the library."""
    if st.button("Library", key="back", icon=":material/arrow_back:", type="tertiary"):
        del st.query_params["document"]
        st.rerun()
    try:
        document = opened.store.document(document_id)
    except NotFoundError:
        st.html(render.said_html("This document does not exist here, or it was deleted.", "fg-doubt"))
        return
    with st.container(key="document", gap="medium"):
        st.html(render.said_html(document.title, "fg-h1"))
        _facts(document)
        if document.error:
            st.warning(render.plain(document.error), icon=":material/error:")
        if document.status == "ready":
            _pages(opened, document)


def _facts(document: Document) -> None:
    rows = [
        ("File", document.meta.get("name", "")),
        ("Where", document.source),
        ("Collection", document.collection),
        ("Type", document.media_type),
        ("Size", render.size(document.size)),
        ("Pages", str(document.pages or "")),
        ("Passages", f"{document.passages:,}"),
        ("Added", render.when(document.added_at)),
        ("Updated", render.when(document.updated_at) if document.updated_at > document.added_at + 1 else ""),
    ]
    rows += [(key.capitalize(), value) for key, value in document.meta.items() if key != "name"]
    st.html(render.facts_html(rows))


def _pages(opened: Workspace, document: Document) -> None:
    original = opened.store.original(document.id)
    view = "Text"
    if original is not None and document.pages:
        view = st.segmented_control(
            "View",
            ["Pages", "Text"],
            default="Pages",
            required=True,
            key="view",
            label_visibility="collapsed",
        )
    if view == "Pages" and original is not None and document.pages:
        number = st.pagination(document.pages, key=f"page-{document.id}")
        try:
            picture = page_picture(original, number)
        except ParseError as error:
            st.html(render.said_html(str(error), "fg-doubt"))
        else:
            st.image(picture.jpeg, width="stretch", alt=f"Page {number} of {document.pages}")
        return
    text = opened.store.document_text(document.id)
    sheets = max(1, math.ceil(len(text) / SHEET))
    number = st.pagination(sheets, key=f"sheet-{document.id}") if sheets > 1 else 1
    with st.container(key="document-text"):
        st.html(render.quoted_html(text[(number - 1) * SHEET : number * SHEET], "", ""))
