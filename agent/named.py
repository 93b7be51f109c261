"""Documents that a question names by number ("PEP 304", "RFC #12", "EIP-20"): where its answer should be looked for.

People cite the papers of a series by number, and the text of such a paper hardly ever repeats its own. So the
documents meant are found by their titles, which hold the number (index.parse), and are searched on their own too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from agent.question import spelled_out
from index.bearing import bearing
from index.retrieve import Searcher
from index.types import Hit, Mode, Scope

EACH = 3  # passages of a named document beside its opening one
MOST = 2  # documents that one number may mean; more say that it means none
_CITED = re.compile(r"\b([A-Z]{2,}[A-Za-z]?)(?:\s#?|-)(\d{1,9})\b(?![.-]\d)")


@dataclass(frozen=True, slots=True)
class Citation:
    """A paper cited by its series and number."""

    series: str
    number: str

    @property
    def text(self) -> str:
        """As people write it."""
        return f"{self.series} {self.number}"


def citations(question: str) -> tuple[Citation, ...]:
    """The papers that a question cites, in order.

    >>> [cited.text for cited in citations("Was EIP-20 created before RFC #12, in UTC 3.5 of May 2019?")]
    ['EIP 20', 'RFC 12']
    """
    found = (Citation(series, str(int(number))) for series, number in _CITED.findall(spelled_out(question)))
    return tuple(dict.fromkeys(found))


def named_documents(question: str, searcher: Searcher, scope: Scope) -> tuple[str, ...]:
    """Ids of the documents of the scope that the question cites, in its order."""
    found: dict[str, None] = {}
    for cited in citations(question):
        meant = _meant(cited, searcher, scope)
        found.update(dict.fromkeys(meant if len(meant) <= MOST else ()))
    return tuple(found)


def hits_within(
    documents: Sequence[str], query: str, mode: Mode, searcher: Searcher, scope: Scope, worth: float = 0.0
) -> tuple[Hit, ...]:
    """The best passages of each document for a query and the passage it opens with; of several in turn.

    worth: passages are cut to what bears on the query (index.bearing), all but the opening one; 0: none.
    """
    lists: list[list[Hit]] = []
    for document in documents:
        inside = Scope(scope.collections, (document,))
        opening = [Hit(p, 0.0, EACH + 1, mode) for p in searcher.store.passages_of(document)[:1]]
        found = bearing(searcher, query, searcher.search(query, EACH, mode, inside), inside, worth)
        known = {hit.passage.id: hit.score for hit in found}
        opening = [replace(hit, score=known.get(hit.passage.id, 0.0)) for hit in opening]
        hits = [hit for hit in found if hit.passage.id not in {one.passage.id for one in opening}]
        lists.append([*hits[:1], *opening, *hits[1:]])
    return tuple(hit for turn in zip_longest(*lists) for hit in turn if hit is not None)


def _meant(cited: Citation, searcher: Searcher, scope: Scope) -> list[str]:
    """Documents whose title holds the number and whose words hold the series; those whose title holds both, if any."""
    store = searcher.store
    numbers = store.scope_ids(scope)
    if not numbers:
        return []
    spellings = " OR ".join(f'"{cited.number.zfill(width)}"' for width in range(len(cited.number), 6))
    series = cited.series.lower()
    collections = " OR ".join(f"c{number}" for number in numbers)
    rows = store.connection.execute(
        "SELECT DISTINCT p.document_id, p.title FROM passages_text t JOIN passages p ON p.id = t.rowid"
        " WHERE passages_text MATCH ? LIMIT 50",
        (
            f"scope : ({collections}) AND title : ({spellings or cited.number})"
            f' AND {{title heading text}} : ("{series}" OR "{series}s")',
        ),
    ).fetchall()
    rows = [row for row in rows if not scope.documents or row[0] in scope.documents]
    both = re.compile(rf"\b{series}s?[\s_-]*0*{cited.number}\b", re.I)
    titled = [row[0] for row in rows if both.search(row[1])]
    return titled or [row[0] for row in rows]
