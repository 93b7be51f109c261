"""The corpus graph: passages and entities as one sparse matrix per collection, a cache built from the store.

Nodes are the collection's passages (first) and entities (after them). A passage reaches its entities by how
often it names them (log-scaled) times how rare they are; an entity reaches its passages by how often they name
it; a passage's title is an entity with extra weight (LinearRAG's relation-free graph; HippoRAG's node
specificity as rarity, so a hub that half of the passages name passes little on). Neighbouring passages of one
document and an alias with its entity are joined too. All rows belong to a passage in the store, so adding and
deleting is exact; the arrays here follow the store's generation and are saved like the dense cache.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

KINDS = ("title", "heading", "name", "quoted", "date", "number", "phrase")
KIND_WEIGHT = np.array([8.0, 1.0, 1.0, 1.0, 0.3, 0.3, 0.5], dtype=np.float32)
NEIGHBOUR_WEIGHT = 0.1  # of the passage before and after, against all entities of a passage together
ALIAS_WEIGHT = 1.0
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


@dataclass(frozen=True, slots=True)
class Merged:
    """A smaller graph that a walk over the whole one may take instead. Passages keep their numbers."""

    node: Integers  # (nodes of the whole graph,) number of each here
    links: sparse.csr_matrix
    links_reversed: sparse.csr_matrix  # transposed, by row


@dataclass(frozen=True)
class CorpusGraph:
    """The graph of one collection, read-only."""

    edges: Edges

    @property
    def size(self) -> int:
        """Passages."""
        return len(self.edges.passages)

    @property
    def nodes(self) -> int:
        """Passages and entities."""
        return self.size + len(self.edges.keys)

    @cached_property
    def columns(self) -> dict[str, tuple[int, ...]]:
        """Entity key -> its columns: one, or one for each collection of a joined graph."""
        found: dict[str, tuple[int, ...]] = {}
        for at, key in enumerate(self.edges.keys):
            found[key] = (*found[key], at) if key in found else (at,)
        return found

    @cached_property
    def mentions(self) -> sparse.csr_matrix:
        """(passages, entities) weights: log(1 + sum of counts by kind)."""
        weight = KIND_WEIGHT[self.edges.kind] * self.edges.count
        summed = sparse.coo_matrix(
            (weight, (self.edges.row, self.edges.column)), shape=(self.size, len(self.edges.keys))
        ).tocsr()
        summed.sum_duplicates()
        summed.data = np.log1p(summed.data).astype(np.float32)
        return summed

    @cached_property
    def by_entity(self) -> sparse.csc_matrix:
        """`mentions` by column: which passages name an entity."""
        return self.mentions.tocsc()

    @cached_property
    def titled(self) -> sparse.csr_matrix:
        """(passages, entities) 1 where the entity is the passage's title."""
        own = self.edges.kind == 0
        made = sparse.coo_matrix(
            (np.ones(int(own.sum()), dtype=np.float32), (self.edges.row[own], self.edges.column[own])),
            shape=(self.size, len(self.edges.keys)),
        ).tocsr()
        made.data[:] = 1.0
        return made

    @cached_property
    def titled_by_entity(self) -> sparse.csc_matrix:
        """`titled` by column: which passages bear an entity as their title."""
        return self.titled.tocsc()

    @cached_property
    def titles_shared(self) -> npt.NDArray[np.int64]:
        """Passages that each entity is the title of."""
        return np.bincount(self.titled.indices, minlength=len(self.edges.keys)).astype(np.int64)

    @cached_property
    def frequency(self) -> npt.NDArray[np.int64]:
        """Passages that name each entity."""
        return np.asarray(np.diff(self.by_entity.indptr), dtype=np.int64)

    @cached_property
    def rarity(self) -> npt.NDArray[np.float32]:
        """log(1 + passages / frequency) of each entity, scaled so that an entity of one passage has 1."""
        top = np.log1p(max(self.size, 1))
        return np.asarray(np.log1p(self.size / np.maximum(self.frequency, 1)) / top, dtype=np.float32)

    @cached_property
    def links(self) -> sparse.csr_matrix:
        """(nodes, nodes) weights of the walk: [i, j] is how strongly j leads to i."""
        to_entities = self.mentions.multiply(self.rarity[None, :]).tocsr()
        blocks = sparse.bmat([[self._neighbours(), self.mentions], [to_entities.T, self._synonyms()]])
        return sparse.csr_matrix(blocks, dtype=np.float32)

    @cached_property
    def merged(self) -> Merged:
        """The graph with all entities of a passage that nothing else knows as one: the same walk, half the work.

        Whatever such an entity gets it gives back to its one passage, so passages get the same mass (exact).
        """
        joined = np.zeros(len(self.edges.keys), dtype=bool)
        joined[[column for pair in self.edges.aliases for column in pair]] = True
        alone = (self.frequency == 1) & ~joined
        entry = self.by_entity.indptr[:-1][alone]
        group = np.cumsum(~alone) - 1  # the others keep their order
        group[alone] = (~alone).sum() + self.by_entity.indices[entry]
        group += self.size
        count = self.size + int((~alone).sum()) + self.size
        node = np.concatenate([np.arange(self.size), group])
        whole = self.links.tocoo()
        links = sparse.coo_matrix((whole.data, (node[whole.row], node[whole.col])), shape=(count, count))
        summed = sparse.csr_matrix(links, dtype=np.float32)
        return Merged(node, summed, sparse.csr_matrix(summed.T))

    def rows(self, ids: Iterable[int]) -> npt.NDArray[np.int64]:
        """Rows of passage ids; ids that the graph does not hold are left out."""
        wanted = np.fromiter(ids, dtype=np.int64)
        at = np.searchsorted(self.edges.passages, wanted)
        at = np.minimum(at, max(self.size - 1, 0))
        return np.asarray(at[self.edges.passages[at] == wanted] if self.size else at[:0])

    def entities_of(self, row: int) -> npt.NDArray[np.int32]:
        """Columns of the entities a passage names."""
        found = self.mentions.indices[self.mentions.indptr[row] : self.mentions.indptr[row + 1]]
        return np.asarray(found)

    def passages_of(self, column: int) -> npt.NDArray[np.int32]:
        """Rows of the passages that name an entity."""
        found = self.by_entity.indices[self.by_entity.indptr[column] : self.by_entity.indptr[column + 1]]
        return np.asarray(found)

    def _neighbours(self) -> sparse.coo_matrix:
        """Consecutive passages of one document, weighted by NEIGHBOUR_WEIGHT of what leaves the passage."""
        same = np.flatnonzero(np.diff(self.edges.documents) == 0)
        leaving = np.asarray(self.mentions.multiply(self.rarity[None, :]).sum(axis=1)).ravel()
        out = NEIGHBOUR_WEIGHT * np.maximum(leaving, 1e-3)
        rows = np.concatenate([same, same + 1])
        columns = np.concatenate([same + 1, same])
        return sparse.coo_matrix((out[columns], (rows, columns)), shape=(self.size, self.size))

    def _synonyms(self) -> sparse.coo_matrix:
        """An alias and its entity, both ways."""
        pairs = [(a, b) for a, b in self.edges.aliases if a != b]
        both = sorted({*pairs, *((b, a) for a, b in pairs)})
        rows, columns = [a for a, _ in both], [b for _, b in both]
        data = np.full(len(both), ALIAS_WEIGHT, dtype=np.float32)
        size = len(self.edges.keys)
        return sparse.coo_matrix((data, (rows, columns)), shape=(size, size))


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
    """Edges with these (alias, entity) keys as their only aliases; pairs with an unknown key are left out."""
    number = {key: at for at, key in enumerate(edges.keys)}
    known = {(number[a], number[b]) for a, b in aliases if a in number and b in number}
    return replace(edges, aliases=tuple(sorted(known)))


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
