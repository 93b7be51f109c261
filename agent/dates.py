"""The date a document states for itself, to tell a newer version from an older one."""

from __future__ import annotations

import re

from agent.spans import DATE
from index.errors import NotFoundError
from index.store import Store

HEAD = 600  # characters at the top of a document where its date stands
_MARKED = re.compile(
    r"\b(?:dated?|issued|published|updated|revised|effective|version|as of|valid from|in force)\b[^.\n]{0,30}$",
    re.I,
)


def stated_date(store: Store, document_id: str) -> str:
    """The document's own date as written: from its title, the top of its text or its metadata."""
    try:
        document, head = store.document(document_id), store.document_text(document_id)[:HEAD]
    except NotFoundError:  # deleted while the question runs
        return ""
    in_title = DATE.search(document.title)
    if in_title:
        return in_title.group()
    found = list(DATE.finditer(head))
    marked = [m for m in found if _MARKED.search(head[: m.start()])]
    if marked:
        return marked[0].group()
    # What a program wrote into the file counts less than what the text says, more than any date in it.
    stamped = [
        document.meta[key] for key in ("date", "updated", "published", "created") if document.meta.get(key)
    ]
    return stamped[0] if stamped else found[0].group() if found else ""
