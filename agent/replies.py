"""Replies that need no search: courtesy, facts about the collection, and saying that something is not there."""

from __future__ import annotations

import re

from index.store import Store
from index.types import Document, Scope

SHOWN_TITLES = 12


def small_talk(message: str, store: Store, scope: Scope) -> str:
    """A short, honest reply that leads back to the documents."""
    count = len(documents_in(store, scope))
    have = (
        f"I can search the {_plural(count, 'document')} here and show you where each answer stands."
        if count
        else "There are no documents here yet: add some in the Library, or with `forage ingest`."
    )
    if re.search(r"\b(?:thanks?|thank you|thx|helped|great|nice|cool)\b", message, re.I):
        return "You are welcome. Ask me anything else about your documents."
    if re.search(r"\b(?:bye|goodbye|see you)\b", message, re.I):
        return "Goodbye. Your documents and this conversation stay where they are."
    if re.search(r"\b(?:wrong|incorrect|bad)\b", message, re.I):
        return "Sorry about that. Mark the answer with a thumbs-down, or ask with other words and I will look again."
    if re.search(r"\b(?:who|what) (?:are|can) you\b|\bhow do you work\b|\bhelp\b", message, re.I):
        return f"I am Forage. I answer questions from your own documents and cite every claim. {have}"
    return f"Hello! {have}"


def about_library(message: str, store: Store, scope: Scope) -> str:
    """Facts about the collections and documents in scope, straight from the store."""
    documents = documents_in(store, scope)
    if not documents:
        return small_talk("hello", store, scope)
    names = sorted({d.collection for d in documents})
    where = (
        f"the collection '{names[0]}'"
        if len(names) == 1
        else f"{len(names)} collections ({', '.join(names)})"
    )
    passages = sum(d.passages for d in documents)
    head = f"There are {_plural(len(documents), 'document')} ({passages:,} passages) in {where}."
    kinds: dict[str, int] = {}
    for document in documents:
        kind = _kind(document)
        kinds[kind] = kinds.get(kind, 0) + 1
    by_kind = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items(), key=lambda item: -item[1]))
    if re.search(r"\bhow (?:many|big|large)\b", message, re.I):
        return f"{head} By type: {by_kind}."
    titles = [d.title for d in documents]
    listed = "\n".join(f"- {title}" for title in titles[:SHOWN_TITLES])
    more = f"\n- and {len(titles) - SHOWN_TITLES} more" if len(titles) > SHOWN_TITLES else ""
    return f"{head} By type: {by_kind}. Their titles:\n{listed}{more}"


def abstention(missing: tuple[str, ...], searches: int, nearest: str) -> tuple[str, str]:
    """(text, what is missing) when the documents do not hold the answer."""
    what = ", ".join(f"“{term}”" for term in missing)
    text = "I could not find this in your documents."
    if what and not searches:
        text += f" No document here mentions {what}, so nothing was searched."
    elif what:
        text += f" Nothing I read in {_plural(searches, 'search')} says enough about {what}."
    if nearest:
        text += f" The nearest document is “{nearest}”."
    return text, ", ".join(missing)


def documents_in(store: Store, scope: Scope) -> list[Document]:
    """Searchable documents of a scope."""
    collections = scope.collections or (None,)
    found = [d for name in collections for d in store.documents(name) if d.status == "ready"]
    wanted = set(scope.documents)
    return [d for d in found if not wanted or d.id in wanted]


def _kind(document: Document) -> str:
    name = document.meta.get("name", document.source)
    return name.rsplit(".", 1)[-1].lower() if "." in name else document.media_type


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}{'es' if noun.endswith('ch') else 's'}"
