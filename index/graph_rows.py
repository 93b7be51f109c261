"""The rows of a corpus graph: which passage names which entity, as arrays that follow the store.

Every row belongs to a passage in the store, so adding and deleting is exact. The graph itself: index.graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

KINDS = ("title", "heading", "name", "quoted", "date", "number", "phrase")
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Edges:
    """Rows of the store as arrays: passage `passages[row[i]]` names entity `keys[column[i]]`, `count[i]` times."""

    passages: Integers  # ids, ascending
    documents: Integers  # number of each passage's document (equal numbers: same document)
    keys: tuple[str, ...]
    row: npt.NDArray[np.int32]
    column: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int8]
    count: npt.NDArray[np.int32]
    aliases: tuple[tuple[int, int], ...] = ()  # (column of the alias, column of its entity)
    open_aliases: tuple[tuple[str, str], ...] = ()  # (alias, entity) of which no passage names one


def empty() -> Edges:
    """The rows of a collection without passages."""
    whole, small, tiny = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int8)
    return Edges(whole, whole, (), small, small, tiny, small)


def extended(
    edges: Edges,
    passages: Sequence[tuple[int, int]],
    mentions: Iterable[tuple[int, str, str]],
) -> Edges:
    """Edges with more passages (id, number of its document) and their mentions (id, entity key, kind).

    The ids must be new. Entities keep their columns; new ones come after them.
    """
    new = sorted(passages)
    ids = np.concatenate([edges.passages, np.array([key for key, _ in new], dtype=np.int64)])
    documents = np.concatenate([edges.documents, np.array([d for _, d in new], dtype=np.int64)])
    order = np.argsort(ids, kind="stable")
    place = np.empty(len(ids), dtype=np.int32)
    place[order] = np.arange(len(ids), dtype=np.int32)
    row_of = {key: int(place[len(edges.passages) + at]) for at, (key, _) in enumerate(new)}
    kinds = {kind: at for at, kind in enumerate(KINDS)}
    number = {key: at for at, key in enumerate(edges.keys)}
    counts = Counter(
        (row_of[passage], number.setdefault(key, len(number)), kinds[kind])
        for passage, key, kind in mentions
        if passage in row_of
    )
    added = np.array([(*key, count) for key, count in counts.items()], dtype=np.int64).reshape(-1, 4)
    return Edges(
        passages=ids[order],
        documents=documents[order],
        keys=tuple(number),
        row=np.concatenate([place[edges.row], added[:, 0].astype(np.int32)]),
        column=np.concatenate([edges.column, added[:, 1].astype(np.int32)]),
        kind=np.concatenate([edges.kind, added[:, 2].astype(np.int8)]),
        count=np.concatenate([edges.count, added[:, 3].astype(np.int32)]),
        aliases=edges.aliases,
    )


def with_aliases(edges: Edges, aliases: Iterable[tuple[str, str]]) -> Edges:
    """Edges with these (alias, entity) keys as their only aliases; pairs with an unknown key stay open."""
    number = {key: at for at, key in enumerate(edges.keys)}
    known: set[tuple[int, int]] = set()
    unknown: set[tuple[str, str]] = set()
    for alias, entity in aliases:
        if alias in number and entity in number:
            known.add((number[alias], number[entity]))
        else:
            unknown.add((alias, entity))
    return replace(edges, aliases=tuple(sorted(known)), open_aliases=tuple(sorted(unknown)))


def joined(parts: Sequence[Edges]) -> Edges:
    """Several collections as one graph in blocks: no edge leads from one to another, whatever they name."""
    if len(parts) == 1:
        return parts[0]
    ids = np.concatenate([part.passages for part in parts])
    order = np.argsort(ids, kind="stable")
    place = np.empty(len(ids), dtype=np.int32)
    place[order] = np.arange(len(ids), dtype=np.int32)
    rows, columns, aliases = [], [], []
    row_shift = column_shift = 0
    for part in parts:
        rows.append(place[part.row + row_shift])
        columns.append(part.column + column_shift)
        aliases += [(a + column_shift, b + column_shift) for a, b in part.aliases]
        row_shift += len(part.passages)
        column_shift += len(part.keys)
    return Edges(
        passages=ids[order],
        documents=np.concatenate([part.documents for part in parts])[order],
        keys=tuple(key for part in parts for key in part.keys),
        row=np.concatenate(rows),
        column=np.concatenate(columns).astype(np.int32),
        kind=np.concatenate([part.kind for part in parts]),
        count=np.concatenate([part.count for part in parts]),
        aliases=tuple(aliases),
    )


def compacted(edges: Edges) -> Edges:
    """Edges whose keys are only those that some passage still names."""
    used, column = np.unique(edges.column, return_inverse=True)
    place = {int(old): new for new, old in enumerate(used)}
    return replace(
        edges,
        keys=tuple(edges.keys[at] for at in used),
        column=column.astype(np.int32).reshape(-1),
        aliases=tuple((place[a], place[b]) for a, b in edges.aliases if a in place and b in place),
    )


def without(edges: Edges, gone: Iterable[int]) -> Edges:
    """Edges without some passages. An entity that nobody names any more keeps its column and has no edges."""
    dropped = np.isin(edges.passages, np.fromiter(gone, dtype=np.int64))
    if not dropped.any():
        return edges
    place = np.cumsum(~dropped).astype(np.int32) - 1
    kept = ~dropped[edges.row]
    return replace(
        edges,
        passages=edges.passages[~dropped],
        documents=edges.documents[~dropped],
        row=place[edges.row[kept]],
        column=edges.column[kept],
        kind=edges.kind[kept],
        count=edges.count[kept],
    )
