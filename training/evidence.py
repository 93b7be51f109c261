"""Which gold evidence a passage or a citation covers, the same for pools and for libraries of files.

A pool's gold is a passage id, and every document there is one passage, so a document covers it or not. A
library's gold is a quote: it is located in the stored text of its file, and a span covers it when the two
overlap by half of the shorter one. Half, because cutting and quoting shift borders by a few words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from index.errors import InputError
from index.store import Store
from training.data import QAExample

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Gold:
    """One piece of gold evidence in the index. `span` None: the whole document."""

    key: str
    document_id: str
    span: tuple[int, int] | None = None

    def covered_by(self, document_id: str, start: int, end: int) -> bool:
        if document_id != self.document_id:
            return False
        if self.span is None:
            return True
        shared = min(end, self.span[1]) - max(start, self.span[0])
        return shared > 0 and 2 * shared >= min(end - start, self.span[1] - self.span[0])


class GoldLocator:
    """Finds the gold evidence of questions in one collection of a store."""

    def __init__(self, store: Store, collection: str) -> None:
        self._store = store
        self.ids_by_source = {
            document.source: document.id
            for document in store.documents(collection)
            if document.status == "ready"
        }
        self._by_name: dict[str, list[str]] = {}
        for source in self.ids_by_source:
            self._by_name.setdefault(_parts(source)[-1], []).append(source)

    def gold_of(self, example: QAExample) -> tuple[Gold, ...]:
        """All gold evidence of a question. InputError where a source or a quote is not in the index."""
        passages = [Gold(pid, self.ids_by_source[pid]) for pid in example.supporting]
        quotes = [
            self._quote(example, number, item.source, item.quote)
            for number, item in enumerate(example.evidence)
        ]
        return (*passages, *quotes)

    def document_ids(self, sources: Sequence[str]) -> tuple[str, ...]:
        """Document ids of passage ids of a pool, or of file paths of a library."""
        return tuple(self.ids_by_source.get(source) or self._file(source) for source in sources)

    def _quote(self, example: QAExample, number: int, source: str, quote: str) -> Gold:
        document_id = self._file(source)
        span = locate(quote, self._store.document_text(document_id))
        if span is None:
            raise InputError(
                f"Question {example.id}: its evidence {quote!r:.80} does not stand in {source} as indexed. "
                "Expected a quote of the file's text, word by word."
            )
        return Gold(f"{source}#{number}", document_id, span)

    def _file(self, source: str) -> str:
        """The one document whose path ends in `source` (stored sources are absolute paths)."""
        tail = _parts(source)
        matches = [s for s in self._by_name.get(tail[-1], ()) if _parts(s)[-len(tail) :] == tail]
        if len(matches) != 1:
            found = "is not in the collection" if not matches else f"names {len(matches)} documents"
            raise InputError(f"The evidence source {source!r} {found}. Expected a path below collection/.")
        return self.ids_by_source[matches[0]]


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """Where `quote` stands in `text`, as characters [start, end), or None.

    Letter by letter first; else word by word, whatever case, spacing and signs stand between the words
    (a table cell or a broken line reads the same to a person).

    >>> locate("built in 1901", "The mill, built\\n| in | 1901.")
    (10, 27)
    """
    start = text.find(quote)
    if start >= 0:
        return start, start + len(quote)
    words = _WORD.findall(quote)
    if not words:
        return None
    match = re.search(r"\b" + r"\W+".join(map(re.escape, words)) + r"\b", text, re.IGNORECASE)
    return match.span() if match else None


def _parts(source: str) -> tuple[str, ...]:
    return PurePath(source.replace("\\", "/").replace("!", "/")).parts
