"""How well the hop encoder finds gold passages: recall on whole development pools, against plain dense search.

`first` searches once with the question alone. `beam` searches, takes each of the BEAM best passages as evidence,
searches again, and ranks passages by the best pair (sum of both cosines) they occur in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from index.backbone import padded
from index.encoders import load_embedder
from index.hop_encoder import HopEncoder, encode_state
from index.types import Vectors
from training.metrics import all_gold_at_k, recall_at_k
from training.skills import loop
from training.skills.hop_data import MULTI, Hop, Pool, hops, open_pool

DEPTHS = (2, 5, 10)
BEAM = 4
SECOND = 30  # results of a second search that are paired
ALSO = ("nq_oracle", "squad2_dev_half", "qed_nq")  # single-hop pools: must not fall
Encode = Callable[[Sequence[tuple[str, Sequence[str]]]], Vectors]


def evaluate(weights: Path, folder: Path, pools: Mapping[str, Pool]) -> dict[str, Any]:
    """R@2/5/10 and all gold in the top 5 (percent) on development questions: dense, first, beam."""
    encoder = HopEncoder(weights)
    scores: dict[str, Any] = {}
    for name in (*MULTI, *ALSO):
        pool = pools.get(name) or open_pool(folder, name)
        asked = hops(pool, folder, None, "dev")
        scores[name] = {
            "n": len(asked),
            "dense": _recalls(asked, first(asked, plain)),
            "first": _recalls(asked, first(asked, encoder.encode_batch)),
        }
        if name in MULTI:
            scores[name]["beam"] = _recalls(asked, beam(asked, encoder.encode_batch))
            scores[name]["after one gold"] = _after_one(asked, encoder.encode_batch)
    return scores


def score(dev: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One number to compare two encoders that were measured on the same sets."""
    values = [dev[name]["beam" if name in MULTI else "first"]["R@5"] for name in sorted(dev)]
    return {"of": "mean R@5 of " + ", ".join(sorted(dev)), "value": round(float(np.mean(values)), 2)}


class Look:
    """A quick look at an unfinished network: R@5 of `first` and `beam` on a sample of each multi-hop set."""

    def __init__(self, pools: Mapping[str, Pool], folder: Path, limit: int = 80) -> None:
        self._asked = {name: hops(pools[name], folder, None, "dev")[:limit] for name in MULTI}

    def __call__(self, network: Any) -> dict[str, Any]:
        import torch

        def encode(states: Sequence[tuple[str, Sequence[str]]]) -> Vectors:
            device = next(network.parameters()).device
            parts = []
            for at in range(0, len(states), 32):
                batch = padded([encode_state(*state) for state in states[at : at + 32]])
                with torch.inference_mode(), loop.autocast(device.type):
                    parts.append(
                        network(*(torch.from_numpy(one).to(device) for one in batch)).float().cpu().numpy()
                    )
            return np.concatenate(parts)

        return {
            name: {
                "first": _recalls(asked, first(asked, encode))["R@5"],
                "beam": _recalls(asked, beam(asked, encode))["R@5"],
            }
            for name, asked in self._asked.items()
        }


def beam(asked: Sequence[Hop], encode: Encode) -> list[list[int]]:
    """Rows of each question's pool, best first, after a second search from each of the BEAM best of the first."""
    ranked = []
    start = encode([(one.question, ()) for one in asked])
    for one, vector in zip(asked, start, strict=True):
        scores = one.pool.vectors @ vector
        firsts = np.argsort(-scores)[:BEAM]
        second = encode([(one.question, (one.pool.shown(int(row)),)) for row in firsts])
        pairs = []
        for row, again in zip(firsts, second, strict=True):
            next_scores = one.pool.vectors @ again
            next_scores[row] = -1.0
            depth = min(SECOND, len(next_scores) - 1)
            pairs += [
                (float(scores[row] + next_scores[other]), int(row), int(other))
                for other in np.argpartition(-next_scores, depth)[:depth]
            ]
        pairs.sort(reverse=True)
        ranked.append(list(dict.fromkeys(row for _, *pair in pairs for row in pair)))
    return ranked


def first(asked: Sequence[Hop], encode: Encode) -> list[list[int]]:
    """Rows of each question's pool, best first, for the question alone."""
    vectors = encode([(one.question, ()) for one in asked])
    return [
        np.argsort(-(h.pool.vectors @ v))[: DEPTHS[-1]].tolist() for h, v in zip(asked, vectors, strict=True)
    ]


def plain(states: Sequence[tuple[str, Sequence[str]]]) -> Vectors:
    """The packaged encoder: the question alone, whatever the evidence."""
    return load_embedder().embed([question for question, _ in states])


def after_one(asked: Sequence[Hop], encode: Encode) -> list[list[int]]:
    """Rows of each question's pool, best first, with the first gold passage found (and left out)."""
    vectors = encode([(one.question, (one.pool.shown(one.gold[0]),)) for one in asked])
    return [
        [int(row) for row in np.argsort(-(h.pool.vectors @ v))[:12] if row != h.gold[0]]
        for h, v in zip(asked, vectors, strict=True)
    ]


def recalls_at_5(asked: Sequence[Hop], ranked: Sequence[Sequence[int]]) -> list[float]:
    """Share of each question's gold rows among its first five."""
    return [
        recall_at_k([{str(row)} for row in rows], {str(row) for row in hop.gold}, 5)
        for hop, rows in zip(asked, ranked, strict=True)
    ]


def _after_one(asked: Sequence[Hop], encode: Encode) -> dict[str, float]:
    """With the first gold passage found: recall of the rest."""
    several = [one for one in asked if len(one.gold) > 1]
    rest = [Hop(one.pool, one.question, one.gold[1:]) for one in several]
    return _recalls(rest, after_one(several, encode))


def _recalls(asked: Sequence[Hop], ranked: Sequence[Sequence[int]]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for hop, rows in zip(asked, ranked, strict=True):
        results = [{str(row)} for row in rows]
        gold = {str(row) for row in hop.gold}
        for depth in DEPTHS:
            found.setdefault(f"R@{depth}", []).append(recall_at_k(results, gold, depth))
        found.setdefault("all@5", []).append(all_gold_at_k(results, gold, 5))
    return {name: round(100 * float(np.mean(values)), 1) for name, values in found.items()}
