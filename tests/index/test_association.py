import pytest

from index.association import SUBQUERY, AssociatedChunk, AssociatedTriplet, associate, content, rank


def test_the_toy_graph_of_the_paper() -> None:
    """Two equally similar chunks: the one connected to the key entity by a triplet wins."""
    drawn = associate(
        [AssociatedChunk("d1", "", 2.0), AssociatedChunk("d2", "", 2.0)],
        [AssociatedTriplet("e1", "v1", "v2", "d1", 1.0)],
        ["v1"],
    )
    ranks = rank(drawn, ["v1"])
    expected = {
        SUBQUERY: 0.395,
        ("entity", "v1"): 0.212,
        ("chunk", "d1"): 0.138,
        ("triplet", "e1"): 0.110,
        ("chunk", "d2"): 0.076,
        ("entity", "v2"): 0.069,
    }
    assert ranks == pytest.approx(expected, abs=6e-4)
    assert content(ranks)[:2] == [("chunk", "d1"), ("triplet", "e1")]
