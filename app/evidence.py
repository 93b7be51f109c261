"""The evidence panel: a citation's quote in its place in the document."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from PIL import Image

from app import render
from app.conversations import Message
from app.preview import PagePicture, excerpt, page_picture
from app.session import Workspace
from index.errors import NotFoundError, ParseError

CLOSE_UP = 0.14  # of the page's height shown above and below the mark


def chosen_citation(messages: Sequence[Message]) -> dict[str, Any] | None:
    """The citation whose chip was clicked last, if it belongs to this conversation."""
    shown = st.session_state.get("evidence")
    for message in messages:
        if shown and shown[0] == message.id and message.trajectory:
            citations = message.trajectory["answer"]["citations"]
            return next((found for found in citations if found["number"] == shown[1]), None)
    return None


def evidence(opened: Workspace, citation: dict[str, Any]) -> None:
    """Draw the panel: title and place, the quote, and the page or text it stands in."""
    with st.container(key="evidence", gap="small"):
        with st.container(key="evidence-head", horizontal=True, wrap=False, vertical_alignment="center"):
            st.html(f'<div class="fg-label">Evidence {int(citation["number"])}</div>', width="stretch")
            st.button(
                "Close", key="close-evidence", icon=":material/close:", type="tertiary", on_click=_close
            )
        st.html(render.said_html(citation["title"], "fg-title"))
        if not citation["supported"]:
            st.html(render.said_html("This quote could not be confirmed to bear the claim.", "fg-doubt"))
        try:
            document = opened.store.document(citation["document_id"])
        except NotFoundError:
            st.html(render.said_html("The document has been deleted since this was answered.", "fg-doubt"))
            return
        _place(opened, citation)
        name = document.meta.get("name") or Path(document.source).name
        page = str(citation["page"]) if citation["page"] else ""
        st.html(
            render.facts_html(
                [
                    ("Section", citation["heading"]),
                    ("Page", page),
                    ("File", name),
                    ("Collection", document.collection),
                ]
            )
        )
        if st.button("Open document", key="open-document", icon=":material/article:"):
            st.switch_page("library.py", query_params={"document": document.id})


def _close() -> None:
    st.session_state.pop("evidence", None)


def _place(opened: Workspace, citation: dict[str, Any]) -> None:
    text = opened.store.document_text(citation["document_id"])
    original = opened.store.original(citation["document_id"])
    if original is not None and citation["page"]:
        try:
            picture = page_picture(
                original, citation["page"], citation["quote"], text, citation["start"], citation["end"]
            )
        except ParseError as error:
            st.html(render.said_html(str(error), "fg-doubt"))
        else:
            _picture(picture, citation)
            return
    _excerpt(text, citation)


def _excerpt(text: str, citation: dict[str, Any]) -> None:
    found = excerpt(text, citation["start"], citation["end"], citation["quote"])
    if not found.quote:
        st.html(render.said_html(citation["quote"], "fg-quote"))
        st.html(
            render.said_html("The quote is not in the document as it is now. Nothing is marked.", "fg-doubt")
        )
    before, after = "…" if found.cut_before else "", "…" if found.cut_after else ""
    st.html(render.quoted_html(before + found.before, found.quote, found.after + after))


def _picture(picture: PagePicture, citation: dict[str, Any]) -> None:
    st.html(render.said_html(citation["quote"], "fg-quote"))
    with st.container(key="page-marked" if picture.marked else "page-unmarked", gap="small"):
        if picture.marked:
            alt = f"Page {citation['page']}, the lines around the marked quote"
            st.image(close_up(picture), width="stretch", alt=alt)
        else:
            st.html(
                render.said_html(
                    "The quote could not be located on the page for sure. Nothing is marked.", "fg-doubt"
                )
            )
        st.image(picture.jpeg, width="stretch", alt=f"Page {citation['page']} of {picture.pages}")


def close_up(picture: PagePicture) -> bytes:
    """The band of the page around the mark, margins cut, so that it can be read in a narrow panel."""
    page = Image.open(io.BytesIO(picture.jpeg))
    spare = round(picture.height * CLOSE_UP)
    top = max(0, min(box[1] for box in picture.boxes) - spare)
    bottom = min(picture.height, max(box[3] for box in picture.boxes) + spare)
    band = page.crop((0, top, page.width, bottom))
    ink = band.convert("L").point(lambda shade: 255 if shade < 200 else 0).getbbox()
    if ink is not None:
        band = band.crop((max(0, ink[0] - 24), 0, min(band.width, ink[2] + 24), band.height))
    out = io.BytesIO()
    band.save(out, "JPEG", quality=90)
    return out.getvalue()
