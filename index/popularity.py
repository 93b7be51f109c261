"""How often a collection speaks of a thing, and of a thing together with a relation (WiTQA, arXiv 2402.13492).

Passages are counted in the lexical index, up to a limit: past it a thing is popular and the exact number says
nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.store import Store
from index.types import Scope

LIMIT = 500


def passages_with(
    store: Store, name: str, scope: Scope, relation: Sequence[str] = (), limit: int = LIMIT
) -> int:
    """Passages of the scope (its documents too) that hold `name` as a phrase and, if given, a word of `relation`.

    Words are compared by stem. 0 for a name without a word.
    """
    phrase = _phrase(name)
    numbers = store.scope_ids(scope)
    if not phrase or not numbers:
        return 0
    match = (
        f"scope : ({' OR '.join(f'c{number}' for number in numbers)}) AND {{title heading text}} : {phrase}"
    )
    if relation:
        match += f" AND {{title heading text}} : ({' OR '.join(filter(None, map(_phrase, relation)))})"
    narrowed = ""
    if scope.documents:
        marks = ",".join("?" * len(scope.documents))
        narrowed = f"AND (SELECT document_id FROM passages p WHERE p.id = passages_text.rowid) IN ({marks})"
    rows = store.connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM passages_text WHERE passages_text MATCH ? {narrowed} LIMIT ?)",
        [match, *scope.documents, limit],
    )
    return int(rows.fetchone()[0])


def _phrase(text: str) -> str:
    words = re.findall(r"\w+", text.lower())
    return f'"{" ".join(words)}"' if words else ""


def connected(store: Store, scope: Scope, name: str, words: Sequence[str]) -> float:
    """Share of the words that some passage of the scope holds together with `name`, 0 to 1."""
    distinct = list(dict.fromkeys(words))[:6]
    if not distinct:
        return 0.0
    return sum(passages_with(store, name, scope, [word], limit=1) for word in distinct) / len(distinct)
