"""Search by words: BM25 over SQLite's FTS5, and in how many passages a word stands."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from index.stop_words import STOP_WORDS
from index.store import Store
from index.types import Scope

TITLE_WEIGHT, HEADING_WEIGHT = 2.0, 1.5
COMMON = 0.3  # share of the passages from which a word is not scored where rarer ones stay
FREQUENT = 2500  # the same in a scope of more than LARGE passages; no stated frequency is larger
LARGE = 25_000
MAX_QUERY_CHARACTERS = 2000  # longer questions are cut: nothing past this helps a search


def query_terms(question: str) -> list[str]:
    """Search words of a question, in order, without stop words (with them when nothing else is left)."""
    words = list(dict.fromkeys(re.findall(r"\w+", question[:MAX_QUERY_CHARACTERS].lower())))
    return [word for word in words if word not in STOP_WORDS] or words


class TextSearch:
    """Search by words over a store; remembers how frequent words are until their collections change."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._counts: dict[tuple[tuple[tuple[int, int], ...], str], int] = {}  # of terms, by generation

    def frequencies(self, terms: Sequence[str], scope: Scope) -> tuple[list[int], int]:
        """Passages of the scope that hold each term (at most FREQUENT), and all passages."""
        return [min(count, FREQUENT) for count in self._holding(terms, scope)], self._size(scope)

    def _holding(self, terms: Sequence[str], scope: Scope) -> list[int]:
        """Passages of the scope that hold each term; counting stops where it is frequent and common."""
        numbers = self.store.scope_ids(scope)
        if not numbers:
            return [0] * len(terms)
        most = max(FREQUENT, self._common(scope))
        generations = tuple((number, self.store.generation(number)) for number in numbers)
        return [self._count(generations, term, most) for term in terms]

    def _count(self, generations: tuple[tuple[int, int], ...], term: str, most: int) -> int:
        key = (generations, term)
        if key not in self._counts:
            rows = _matching(
                self.store,
                "SELECT count(*) FROM (SELECT 1 FROM passages_text WHERE passages_text MATCH ? LIMIT ?)",
                tuple(number for number, _ in generations),
                f'"{term}"',
                [most],
            )
            if len(self._counts) > 50_000:
                self._counts.clear()
            self._counts[key] = rows[0][0]
        return self._counts[key]

    def _common(self, scope: Scope) -> int:
        """Passages of the scope from which a word counts as common."""
        size = self._size(scope)
        return FREQUENT if size > LARGE else max(1, math.ceil(COMMON * size))

    def search(self, query: str, k: int, scope: Scope) -> dict[int, float]:
        """Passage id -> BM25 score (positive, larger is better; FTS5's k1 1.2, b 0.75), best first."""
        terms = query_terms(query)
        if not terms or not self.store.scope_ids(scope):
            return {}
        rare = self.telling(terms, scope)
        found = self._ranked(rare, k, scope)
        return found if len(found) >= k or len(rare) == len(terms) else self._ranked(terms, k, scope)

    def telling(self, terms: list[str], scope: Scope) -> list[str]:
        """The terms worth scoring. A word that a third of the passages hold, or thousands, costs most of the time
        and moves no first place (docs/LOG.md): it goes when at least two rarer words stay."""
        if len(terms) <= 2:
            return terms
        common = self._common(scope)
        rare = [
            term for term, count in zip(terms, self._holding(terms, scope), strict=True) if count < common
        ]
        return rare if len(rare) >= 2 else terms

    def _ranked(self, terms: list[str], k: int, scope: Scope) -> dict[int, float]:
        words = " OR ".join(f'"{term}"' for term in terms)
        narrowed, values = "", []
        if scope.documents:
            marks = ",".join("?" * len(scope.documents))
            narrowed = (
                f"AND (SELECT document_id FROM passages p WHERE p.id = passages_text.rowid) IN ({marks})"
            )
            values = list(scope.documents)
        rows = _matching(
            self.store,
            f"SELECT rowid, -bm25(passages_text, 0.0, {TITLE_WEIGHT}, {HEADING_WEIGHT}, 1.0) AS score"
            f" FROM passages_text WHERE passages_text MATCH ? {narrowed} ORDER BY score DESC, rowid LIMIT ?",
            self.store.scope_ids(scope),
            words,
            [*values, k],
        )
        return dict(rows)

    def _size(self, scope: Scope) -> int:
        """Passages in the collections of a scope; counted once for each generation."""
        total = 0
        for number in self.store.scope_ids(scope):
            key = (((number, self.store.generation(number)),), "")
            if key not in self._counts:
                rows = self.store.connection.execute(
                    "SELECT count(*) FROM passages WHERE collection_id = ?", (number,)
                )
                self._counts[key] = int(rows.fetchone()[0])
            total += self._counts[key]
        return total


def _matching(
    store: Store, statement: str, numbers: tuple[int, ...], words: str, values: Sequence[object]
) -> list[Any]:
    """Rows of a statement whose first value is what to match: `words`, in passages of the collections `numbers`.

    The scope's own list of passages costs a third of the time, so it is left out where these are all collections
    there are; looking again afterwards keeps out one that came meanwhile.
    """
    anywhere = f"{{title heading text}} : ({words})"
    if store.holds_only(numbers):
        rows = store.connection.execute(statement, [anywhere, *values]).fetchall()
        if store.holds_only(numbers):
            return rows
    scopes = " OR ".join(f"c{number}" for number in numbers)
    return store.connection.execute(statement, [f"scope : ({scopes}) AND {anywhere}", *values]).fetchall()
