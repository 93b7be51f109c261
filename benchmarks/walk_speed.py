"""How fast PageRank is: our power iteration over a large random graph, and beside networkx over a smaller one."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.measure import clock
from index.pagerank import combine, personalised_pagerank, walk
from index.walks import DAMPING, STEPS
from training import report

NODES, EDGES, BATCH = 200_000, 2_000_000, 16
SMALL = 10  # networkx walks a graph so many times smaller


def pagerank(seed: int) -> dict[str, Any]:
    """Our power iteration over a large random graph, and beside networkx over a smaller one."""
    import networkx

    random = np.random.default_rng(seed)
    links = _random_graph(random, NODES, EDGES)
    back = sparse.csr_matrix(links.T)
    found: dict[str, Any] = {"nodes": NODES, "edges": int(links.nnz)}
    for count in (1, BATCH):
        resets = np.zeros((NODES, count), dtype=np.float32)
        for column in range(count):
            resets[random.integers(NODES, size=10), column] = 1.0
        for name, damping, steps in (("deep", DAMPING, STEPS), ("half", 0.5, 19)):
            ms = []
            for _ in range(3):
                began = clock()
                combine(walk(links, resets, steps, reversed_links=back), damping)
                ms.append((clock() - began) * 1000 / count)
            found[f"{name}_batch_{count}_ms"] = round(min(ms), 1)
    small = _random_graph(random, NODES // SMALL, EDGES // SMALL)
    drawn = networkx.from_scipy_sparse_array(small.T, create_using=networkx.DiGraph)
    reset = np.zeros((NODES // SMALL, 1), dtype=np.float32)
    reset[:10] = 1.0
    began = clock()
    ours = personalised_pagerank(small, reset, 0.5, 1e-6)[:, 0]
    found["small_ours_ms"] = round((clock() - began) * 1000, 1)
    began = clock()
    theirs = networkx.pagerank(drawn, alpha=0.5, personalization=dict.fromkeys(range(10), 1.0), tol=1e-12)
    found["small_networkx_ms"] = round((clock() - began) * 1000, 1)
    found["largest_difference"] = float(np.abs(ours - [theirs[at] for at in range(NODES // SMALL)]).max())
    return found


def _random_graph(random: np.random.Generator, nodes: int, edges: int) -> sparse.csr_matrix:
    ends = random.integers(nodes, size=(2, edges))
    made = sparse.coo_matrix(
        (random.random(edges, dtype=np.float32) + 0.1, ends), shape=(nodes, nodes)
    ).tocsr()
    made.sum_duplicates()
    return made


def pagerank_grid(found: dict[str, Any]) -> report.Grid:
    """Milliseconds a question."""
    small = f"{NODES // SMALL:,} nodes, {EDGES // SMALL:,} edges"
    rows = (
        (f"damping {DAMPING}, {STEPS} steps, one question", f"{found['deep_batch_1_ms']:.1f}"),
        (f"damping {DAMPING}, {STEPS} steps, {BATCH} together", f"{found[f'deep_batch_{BATCH}_ms']:.1f}"),
        ("damping 0.5, within 1e-6, one question", f"{found['half_batch_1_ms']:.1f}"),
        (f"damping 0.5, within 1e-6, {BATCH} together", f"{found[f'half_batch_{BATCH}_ms']:.1f}"),
        (f"{small}: ours", f"{found['small_ours_ms']:.1f}"),
        (f"{small}: networkx", f"{found['small_networkx_ms']:.1f}"),
        ("largest difference between the two", f"{found['largest_difference']:.1e}"),
    )
    return report.Grid(
        f"PageRank, {found['nodes']:,} nodes and {found['edges']:,} edges", ("", "ms a question"), rows
    )
