"""The chat page: messages in the middle, the composer at the bottom, the evidence at the right."""

from __future__ import annotations

import streamlit as st

from app import render
from app.evidence import chosen_citation, evidence
from app.message import exchange, job_of
from app.session import Workspace, open_conversation, workspace
from app.suggest import in_scope
from index.types import Scope

PAGE = 15  # exchanges drawn; earlier ones on request
LONGEST_QUESTION = 4000  # characters


def show() -> None:
    """Draw the page for the conversation of the address bar, or the empty state."""
    opened = workspace()
    conversation = open_conversation(opened)
    messages = opened.conversations.messages(conversation) if conversation else ()
    running = [m for m in messages if (job := job_of(opened, m)) is not None and job.active]
    with st.container(key="thread", gap="medium"):
        if conversation is None:
            _empty(opened)
        everything = st.session_state.get("all-messages") == conversation
        if len(messages) > PAGE and not everything:
            st.button(
                f"Show {render.plural(len(messages) - PAGE, 'earlier message')}",
                type="tertiary",
                on_click=_show_all,
                args=(conversation,),
            )
        for message in messages if everything else messages[-PAGE:]:
            exchange(opened, message)
    citation = chosen_citation(messages)
    if citation is not None:
        evidence(opened, citation)
    with st.bottom, st.container(key="composer", gap="small"):
        _composer(opened, conversation, [message.job_id for message in running])


def _show_all(conversation: str) -> None:
    st.session_state["all-messages"] = conversation


def _send(opened: Workspace, conversation: str | None, question: str) -> None:
    """Ask, and put the conversation into the address bar."""
    scope = _scope(opened, conversation)
    conversation = conversation or opened.conversations.start(question, scope)
    opened.ask(conversation, question, scope)
    st.query_params["c"] = conversation
    st.session_state[f"scope-{conversation}"] = scope
    st.rerun()


def _composer(opened: Workspace, conversation: str | None, running: list[str]) -> None:
    """The scope and the question box; while an answer is being made, Stop stands where Send was."""
    _scope_picker(opened, conversation)
    question = st.chat_input(
        "Answering…" if running else "Ask your documents",
        key="question",
        disabled=bool(running),
        max_chars=LONGEST_QUESTION,
    )
    if running and st.button("Stop", key="stop", icon=":material/stop_circle:", shortcut="Esc"):
        for job_id in running:
            opened.runner.cancel(job_id)
        st.rerun()
    if question and question.strip():
        _send(opened, conversation, question.strip())


# ---- scope -----------------------------------------------------------------------------------


def _scope(opened: Workspace, conversation: str | None) -> Scope:
    """What the next question is about: chosen here, else as the conversation remembers it."""
    chosen = st.session_state.get(f"scope-{conversation}")
    if isinstance(chosen, Scope):
        return chosen
    return opened.conversations.get(conversation).scope if conversation else Scope()


def _scope_picker(opened: Workspace, conversation: str | None) -> None:
    """A line that says what will be searched; a click changes it."""
    scope = _scope(opened, conversation)
    name = render.plain(_scope_name(opened, scope))
    if st.button(name, key="scope", icon=":material/filter_list:", type="tertiary"):
        st.session_state["choosing-scope"] = True
    if st.session_state.get("choosing-scope"):  # an answer that ends meanwhile must not close the dialog
        _choose_scope(opened, conversation, scope)


def _chosen() -> None:
    st.session_state.pop("choosing-scope", None)


@st.dialog("What to search", on_dismiss=_chosen)
def _choose_scope(opened: Workspace, conversation: str | None, scope: Scope) -> None:
    known = [collection.name for collection in opened.store.collections()]
    kept = [name for name in scope.collections if name in known]
    chosen = st.multiselect(
        "Collections", known, kept, placeholder="All collections", key="scope-collections"
    )
    documents = {d.id: d for d in in_scope(opened.store, Scope(tuple(chosen))) if d.status == "ready"}
    narrowed = st.multiselect(
        "Only these documents",
        list(documents),
        [name for name in scope.documents if name in documents],
        format_func=lambda name: documents[name].title if name in documents else name,
        placeholder="All of them",
        key="scope-documents",
    )
    if st.button("Search these", type="primary", key="scope-apply"):
        picked = Scope(tuple(chosen), tuple(name for name in narrowed if name in documents))
        st.session_state[f"scope-{conversation}"] = picked
        _chosen()
        st.rerun()


def _scope_name(opened: Workspace, scope: Scope) -> str:
    if scope.documents:
        return render.plural(len(scope.documents), "document")
    if scope.collections:
        return ", ".join(scope.collections)
    collections = opened.store.collections()
    return collections[0].name if len(collections) == 1 else "All documents"


# ---- empty state -----------------------------------------------------------------------------


def _empty(opened: Workspace) -> None:
    ready = sum(collection.documents for collection in opened.store.collections())
    with st.container(key="empty", gap="medium"):
        if not ready:
            st.html(
                '<div class="fg-hello">Ask your own documents</div>'
                '<div class="fg-sub">Add PDFs, Office files, web pages, mail or plain text. '
                "They stay on this machine.</div>"
            )
            if st.button("Add documents", type="primary", icon=":material/upload_file:"):
                st.switch_page("library.py")
            return
        st.html(
            '<div class="fg-hello">What would you like to know?</div>'
            '<div class="fg-sub">Answers come from your '
            f"{render.plural(ready, 'document')}, with the sentence they rest on.</div>"
        )
        questions = opened.suggestions(_scope(opened, None))
        with st.container(key="examples", gap="small"):
            if questions is None:
                _looking(opened)
            for number, question in enumerate(questions or ()):
                if st.button(render.plain(question), key=f"example-{number}", width="stretch"):
                    _send(opened, None, question)


@st.fragment(run_every=1.0)
def _looking(opened: Workspace) -> None:
    """Polls while questions are being made from the documents in scope."""
    if opened.suggestions(_scope(opened, None)) is not None:
        st.rerun()
    st.html('<div class="fg-sub fg-wait">Looking for good questions in your documents</div>')


if __name__ == "__main__":
    show()
