import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from index import pagerank
from index.pagerank import combine, personalised_pagerank, steps_for, walk


def random_links(seed: int, size: int = 30) -> sparse.csr_matrix:
    draw = np.random.default_rng(seed)
    dense = draw.random((size, size)) * (draw.random((size, size)) < 0.15)
    return sparse.csr_matrix(dense.astype(np.float32))


def oracle(links: np.ndarray, reset: np.ndarray, damping: float) -> np.ndarray:
    """networkx.pagerank over the same edges; [i, j] is an edge from j to i."""
    drawn = networkx.DiGraph()
    drawn.add_nodes_from(range(len(links)))
    for i, j in zip(*np.nonzero(links), strict=True):
        drawn.add_edge(int(j), int(i), weight=float(links[i, j]))
    ranks = networkx.pagerank(
        drawn, alpha=damping, personalization=dict(enumerate(reset.tolist())), tol=1e-12, max_iter=1000
    )
    return np.array([ranks[node] for node in range(len(links))])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.5, 0.85]))
def test_equals_networkx(seed: int, damping: float) -> None:
    links = random_links(seed)
    reset = np.random.default_rng(seed + 1).random((30, 3)).astype(np.float32)
    ours = personalised_pagerank(links, reset, damping, 1e-8)
    for column in range(3):
        assert np.abs(ours[:, column] - oracle(links.toarray(), reset[:, column], damping)).max() < 1e-6


def test_guided_walk_is_the_plain_walk_of_the_guided_graph() -> None:
    links, draw = random_links(5), np.random.default_rng(6)
    gains = draw.random((30, 1)).astype(np.float32) + 0.1
    reset = draw.random((30, 1)).astype(np.float32)
    guided = combine(walk(links, reset, 40, gains), 0.5)
    scaled = links.toarray() * gains
    assert np.abs(guided[:, 0] - oracle(scaled, reset[:, 0], 0.5)).max() < 1e-6


def test_damping_zero_is_the_reset_and_scaling_changes_nothing() -> None:
    links, reset = random_links(1), np.random.default_rng(2).random((30, 1)).astype(np.float32)
    assert personalised_pagerank(links, reset, 0.0) == pytest.approx(reset / reset.sum(), abs=1e-6)
    assert personalised_pagerank(links, 7 * reset, 0.5) == pytest.approx(
        personalised_pagerank(links, reset, 0.5), abs=1e-6
    )


def test_an_empty_reset_stays_empty() -> None:
    assert not personalised_pagerank(random_links(1), np.zeros((30, 1), np.float32), 0.5).any()


@pytest.mark.parametrize(("damping", "tolerance"), [(0.5, 1e-3), (0.92, 0.05), (0.1, 1e-6)])
def test_what_is_left_out_is_within_the_bound(damping: float, tolerance: float) -> None:
    links, reset = random_links(3), np.ones((30, 1), np.float32)
    steps = steps_for(damping, tolerance)
    assert damping ** (steps + 1) <= tolerance * 1.0001  # float rounding of a power
    near = combine(walk(links, reset, steps), damping)
    exact = personalised_pagerank(links, reset, damping, 1e-9)
    assert np.abs(near - exact).sum() <= 2 * tolerance + 1e-5


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    links = sparse.random(60, 60, 0.2, format="csr", dtype=np.float32, random_state=random)
    resets = random.random((60, 5), dtype=np.float32)
    alone = walk(links, resets, 6)
    monkeypatch.setattr(pagerank, "THREADED", 0)
    for one, other in zip(alone, walk(links, resets, 6), strict=True):
        assert (one == other).all()
