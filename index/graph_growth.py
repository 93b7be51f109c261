"""A large graph with a few passages more, made out of the one before: a new document is linked in a moment.

Making the matrices of 100,000 passages takes more than a second; extending them takes copies of arrays. What comes
out is equal to a graph made anew, entity numbers apart.
"""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from index.graph import CorpusGraph
from index.graph_rows import KINDS, Edges

FLAT_FROM = 20_000  # keys in the newest map from which all become one map again


def grown(
    before: CorpusGraph,
    passages: Sequence[tuple[int, int]],
    mentions: Iterable[tuple[int, str, str]],
    aliases: Iterable[tuple[str, str]],
) -> CorpusGraph:
    """`before`, the graph of one collection, with more passages (id, number of its document).

    Their ids must be greater than all before. mentions: (id, entity key, kind); aliases: (alias, entity) of the new
    passages.
    """
    old = before.edges
    new = sorted(passages)
    row_of = {key: at for at, (key, _) in enumerate(new)}
    kinds = {kind: at for at, kind in enumerate(KINDS)}
    fresh: dict[str, int] = {}
    counts: Counter[tuple[int, int, int]] = Counter()
    for passage, key, kind in mentions:
        held = before.columns.get(key)
        column = held[0] if held else fresh.setdefault(key, len(old.keys) + len(fresh))
        counts[row_of[passage], column, kinds[kind]] += 1
    added = np.array([(*key, count) for key, count in sorted(counts.items())], dtype=np.int64).reshape(-1, 4)
    part = Edges(
        passages=np.array([key for key, _ in new], dtype=np.int64),
        documents=np.array([number for _, number in new], dtype=np.int64),
        keys=(*old.keys, *fresh),
        row=added[:, 0].astype(np.int32),
        column=added[:, 1].astype(np.int32),
        kind=added[:, 2].astype(np.int8),
        count=added[:, 3].astype(np.int32),
    )
    columns = _with(before.columns, {key: (at,) for key, at in fresh.items()})
    known, unknown = _aliases(old, columns, aliases)
    made = CorpusGraph(
        Edges(
            passages=np.concatenate([old.passages, part.passages]),
            documents=np.concatenate([old.documents, part.documents]),
            keys=part.keys,
            row=np.concatenate([old.row, part.row + np.int32(before.size)]),
            column=np.concatenate([old.column, part.column]),
            kind=np.concatenate([old.kind, part.kind]),
            count=np.concatenate([old.count, part.count]),
            aliases=known,
            open_aliases=unknown,
        )
    )
    extra = CorpusGraph(replace(part, aliases=(), open_aliases=()))
    vars(made).update(  # what the graph would make of its rows when asked
        columns=columns,
        mentions=_below(before.mentions, extra.mentions),
        by_entity=_inside(before.by_entity, extra.mentions),
        titled=_below(before.titled, extra.titled),
        titled_by_entity=_inside(before.titled_by_entity, extra.titled),
    )
    return made


def _aliases(
    old: Edges, columns: Mapping[str, tuple[int, ...]], more: Iterable[tuple[str, str]]
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[str, str], ...]]:
    """Aliases by column and open ones, with those of the new passages."""
    known = set[tuple[int, int]]()
    unknown = set[tuple[str, str]]()
    for pair in {*old.open_aliases, *more}:
        alias, entity = (columns.get(key) for key in pair)
        if alias and entity:
            known.add((alias[0], entity[0]))
        else:
            unknown.add(pair)
    added = known.difference(old.aliases)
    return (tuple(sorted({*old.aliases, *added})) if added else old.aliases), tuple(sorted(unknown))


def _with(
    columns: MutableMapping[str, tuple[int, ...]], fresh: dict[str, tuple[int, ...]]
) -> MutableMapping[str, tuple[int, ...]]:
    """Keys of both; the large map below is shared with the graph before."""
    maps = columns.maps if isinstance(columns, ChainMap) else [{}, columns]
    newest = {**maps[0], **fresh}
    if len(newest) < FLAT_FROM:
        return ChainMap(newest, *maps[1:])
    return dict(ChainMap(newest, *maps[1:]))


def _below(matrix: sparse.csr_matrix, rows: sparse.csr_matrix) -> sparse.csr_matrix:
    """`matrix` with `rows`, which are as wide or wider, under it."""
    return sparse.csr_matrix(
        (
            np.concatenate([matrix.data, rows.data]),
            np.concatenate([matrix.indices, rows.indices]),
            np.concatenate([matrix.indptr, rows.indptr[1:] + matrix.indptr[-1]]),
        ),
        shape=(matrix.shape[0] + rows.shape[0], rows.shape[1]),
    )


def _inside(matrix: sparse.csc_matrix, rows: sparse.csr_matrix) -> sparse.csc_matrix:
    """The same by column: every new entry goes to the end of its column."""
    more = rows.tocsc()
    columns = np.repeat(np.arange(rows.shape[1]), np.diff(more.indptr))
    ends = np.concatenate(
        [matrix.indptr, np.full(rows.shape[1] - matrix.shape[1], matrix.indptr[-1], matrix.indptr.dtype)]
    )
    at = ends[columns + 1]
    return sparse.csc_matrix(
        (
            np.insert(matrix.data, at, more.data),
            np.insert(matrix.indices, at, more.indices + matrix.shape[0]),
            ends + more.indptr,
        ),
        shape=(matrix.shape[0] + rows.shape[0], rows.shape[1]),
    )
