"""The corpus graph: passages and entities as one sparse matrix per collection, a cache built from the store.

Nodes are the collection's passages (first) and entities (after them). A passage reaches its entities by how
often it names them (log-scaled) times how rare they are; an entity reaches its passages by how often they name
it; a passage's title is an entity with extra weight (LinearRAG's relation-free graph; HippoRAG's node
specificity as rarity, so a hub that half of the passages name passes little on). Neighbouring passages of one
document and an alias with its entity are joined too. All rows belong to a passage in the store, so adding and
deleting is exact; the arrays here follow the store's generation and are saved like the dense cache.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from index.graph_rows import Edges, Integers

KIND_WEIGHT = np.array([8.0, 1.0, 1.0, 1.0, 0.3, 0.3, 0.5], dtype=np.float32)
NEIGHBOUR_WEIGHT = 0.1  # of the passage before and after, against all entities of a passage together
ALIAS_WEIGHT = 1.0


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
    def columns(self) -> MutableMapping[str, tuple[int, ...]]:
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
        return self.links_among(np.arange(self.size), np.arange(len(self.edges.keys)))

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

    def links_among(self, rows: Integers, columns: Integers) -> sparse.csr_matrix:
        """`links` between some passages and entities (ascending), without making those of the whole graph.

        Exact where the entities hold all that the passages name.
        """
        names = self.mentions[rows][:, columns].tocsr()
        leaving = names.multiply(self.rarity[columns][None, :]).tocsr()
        same = np.flatnonzero((np.diff(self.edges.documents[rows]) == 0) & (np.diff(rows) == 1))
        blocks = sparse.bmat(
            [
                [_neighbours(len(rows), same, leaving), names],
                [leaving.T, _synonyms(len(columns), self._aliases_among(columns))],
            ]
        )
        return sparse.csr_matrix(blocks, dtype=np.float32)

    def _aliases_among(self, columns: Integers) -> list[tuple[int, int]]:
        """Places among `columns` of each alias and its entity, where both are there."""
        pairs = np.asarray(self.edges.aliases, dtype=np.int64).reshape(-1, 2)
        at = np.minimum(np.searchsorted(columns, pairs), max(len(columns) - 1, 0))
        held = (columns[at] == pairs).all(axis=1) if len(columns) else np.zeros(len(pairs), dtype=bool)
        return [(a, b) for a, b in at[held].tolist()]


def _neighbours(size: int, same: Integers, leaving: sparse.csr_matrix) -> sparse.coo_matrix:
    """Consecutive passages of one document (`same`: the first of each two), both ways.

    Weight: NEIGHBOUR_WEIGHT of what leaves the passage to its entities.
    """
    out = NEIGHBOUR_WEIGHT * np.maximum(np.asarray(leaving.sum(axis=1)).ravel(), 1e-3)
    rows = np.concatenate([same, same + 1])
    columns = np.concatenate([same + 1, same])
    return sparse.coo_matrix((out[columns], (rows, columns)), shape=(size, size))


def _synonyms(size: int, aliases: Iterable[tuple[int, int]]) -> sparse.coo_matrix:
    """An alias and its entity, both ways."""
    pairs = [(a, b) for a, b in aliases if a != b]
    both = sorted({*pairs, *((b, a) for a, b in pairs)})
    rows, columns = [a for a, _ in both], [b for _, b in both]
    data = np.full(len(both), ALIAS_WEIGHT, dtype=np.float32)
    return sparse.coo_matrix((data, (rows, columns)), shape=(size, size))
