"""The left edge of every page: where to go, and the conversations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import render
from app.conversations import Conversation
from app.session import Workspace, workspace

SHOWN = 25  # conversations before "Show all"


def sidebar(pages: Sequence[Any]) -> None:
    """Draw the sidebar; a click on a conversation opens it in the chat."""
    opened = workspace()
    with st.sidebar:
        st.html('<div class="fg-brand">Forage</div>')
        with st.container(key="nav", gap="xsmall"):
            for page in pages:
                st.page_link(page, label=page.title, icon=page.icon)
        if st.button("New chat", key="new-chat", icon=":material/add:", width="stretch", shortcut="Alt+N"):
            st.session_state.pop("evidence", None)
            st.switch_page("chat.py")
        everything = bool(st.session_state.get("all-conversations"))
        found = opened.conversations.list(1000 if everything else SHOWN + 1)
        if found:
            st.html('<div class="fg-label">Conversations</div>')
        with st.container(key="conversations", gap=None):
            for conversation in found if everything else found[:SHOWN]:
                _row(opened, conversation)
        if len(found) > SHOWN and not everything:
            st.button("Show all", key="show-all", type="tertiary", on_click=_show_all)


def _show_all() -> None:
    st.session_state["all-conversations"] = True


def _row(opened: Workspace, conversation: Conversation) -> None:
    here = st.query_params.get("c") == conversation.id
    state = "here" if here else "row"
    with st.container(key=f"{state}-{conversation.id}", horizontal=True, gap=None, wrap=False):
        if st.button(
            render.plain(conversation.title), key=f"open-{conversation.id}", type="tertiary", width="stretch"
        ):
            st.session_state.pop("evidence", None)
            st.switch_page("chat.py", query_params={"c": conversation.id})
        chosen = st.menu_button(
            "Rename or delete",
            ["Rename", "Delete"],
            key=f"menu-{conversation.id}",
            type="tertiary",
            icon=":material/more_horiz:",
        )
    if chosen == "Rename":
        _rename(opened, conversation)
    elif chosen == "Delete":
        _delete(opened, conversation)


@st.dialog("Rename conversation")
def _rename(opened: Workspace, conversation: Conversation) -> None:
    title = st.text_input("Name", conversation.title, key=f"title-{conversation.id}", max_chars=80)
    if st.button("Save", type="primary", disabled=not title.strip()):
        opened.conversations.rename(conversation.id, title)
        st.rerun()


@st.dialog("Delete conversation?")
def _delete(opened: Workspace, conversation: Conversation) -> None:
    st.text(f"“{conversation.title}” and its answers will be gone. Your documents stay.")
    if st.button("Delete", type="primary", key="delete-conversation"):
        for message in opened.conversations.messages(conversation.id):
            opened.runner.cancel(message.job_id)
        opened.conversations.delete(conversation.id)
        if st.query_params.get("c") == conversation.id:
            del st.query_params["c"]
            st.session_state.pop("evidence", None)
        st.rerun()
