"""The learned evidence ranker: every list proposes, some fifty features judge, twice.

What to judge is gathered in index.gather. Boosted trees score the candidates by their first look; the best become
seeds, from which the graph proposes what follows; a second ensemble scores all of them with the seeds in view. Its
probability is a calibrated usefulness. Weights: `index/weights/ranker.safetensors`, trained by
`forage train skill ranker`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import numpy as np
import regex

from index import delta
from index.errors import StoreError
from index.features import Asked
from index.gather import Gatherer, Situation
from index.trees import Trees
from index.types import Scope, Vectors

_COMPARES = regex.compile(r"\b(?:both|or|same|than|earlier|later|older|younger|first|between)\b", regex.I)


class EvidenceRanker:
    """Ranks passages by learned usefulness. Safe for threads."""

    def __init__(self, gatherer: Gatherer, first: Trees, second: Trees) -> None:
        self._gatherer, self.first, self._second = gatherer, first, second

    def rank(
        self,
        question: str,
        vector: Vectors,
        text: Mapping[str, Mapping[int, float]],
        asked: Asked,
        scope: Scope,
    ) -> dict[int, float]:
        """Passage id -> usefulness (calibrated probability), best first; empty for an empty collection."""
        at = self._gatherer.situation(question, vector, text, asked, scope)
        if not at.rows:
            return dict(text["hybrid"])
        found = self.judge(at)
        found.update(_unknown(found, text["hybrid"]))
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def judge(self, at: Situation) -> dict[int, float]:
        """Passage id -> usefulness of the candidates of a situation and of what follows from its seeds."""
        grown, looks = self._gatherer.continued(at, self.first)
        useful = 1.0 / (1.0 + np.exp(-self._second.score(looks)))
        ids = [int(grown.graph.edges.passages[row]) for row in grown.rows]
        return dict(zip(ids, useful.tolist(), strict=True))


def _unknown(found: Mapping[int, float], hybrid: Mapping[int, float]) -> dict[int, float]:
    """Usefulness of what text search found and was not judged: that of its equals in text search.

    So new that the graph does not hold it yet, or too far down the list to be a candidate.
    """
    new = [key for key in hybrid if key not in found]
    known = sorted((hybrid[key], found[key]) for key in hybrid if key in found)
    if not new or not known:
        return {key: 0.5 * hybrid[key] for key in new}
    return {key: float(np.interp(hybrid[key], [a for a, _ in known], [b for _, b in known])) for key in new}


def compares(question: str) -> bool:
    """Whether the wording weighs two things against each other."""
    return bool(_COMPARES.search(question))


def load_ranker(name: str, gatherer: Gatherer) -> EvidenceRanker:
    """The ranker of that name as it ships, over a gatherer. StoreError when its weights are missing."""
    path = Path(str(files("index").joinpath(f"weights/{name}.safetensors")))
    try:
        arrays = delta.load_arrays(path)
        return EvidenceRanker(
            gatherer, Trees.from_arrays(arrays, "first"), Trees.from_arrays(arrays, "second")
        )
    except (StoreError, KeyError) as error:
        raise StoreError(
            f"The evidence ranker cannot be used: {error} To search without it: --mode hybrid."
        ) from error
