"""Third look of the packer: the sentence after a reading model has read the passages (index.readings).

Everything of the first two looks and their scores, and beside them where the reader sees the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from index.offered import Offer
from index.readings import COLUMNS, Floats
from index.sentence_features import chances

Reals = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.integer[Any]]

# sure: probability of the sentence's best answer within its passage, times that of the passage answering.
READ = (
    "first_score", "second_score", "need", "need_rank", *COLUMNS,
    "sure", "sure_rank", "sure_share", "sure_of_best", "sure_gap", "rank_in_passage", "gap_in_passage",
    "answers_rank", "answers_others", "answers_above", "title_sure", "mass",
    "names_surest", "shares_surest", "same_passage_surest",
)  # fmt: skip


def third_look(offered: Offer, seen: Floats, first: Floats, second: Floats, readings: Floats) -> Floats:
    """Shape (sentences, columns of `seen` + len(READ)).

    seen: the second look's features; first, second: log-odds of the first two ensembles; readings: of a SentenceReader.
    """
    hits = np.array([one.hit for one in offered.sentences])
    need = (chances(first) + chances(second)) / 2
    read = {name: readings[:, at].astype(np.float64) for at, name in enumerate(COLUMNS)}
    sure = np.exp(read["span"]) * read["answers"]
    out = np.concatenate(
        [
            np.stack([first, second, need, _rank(need)], axis=1), readings,
            _of_answer(read, sure, hits), _beside(offered, hits, sure),
        ],
        axis=1,
    )  # fmt: skip
    return np.concatenate([seen, out.astype(np.float32)], axis=1)


def _of_answer(read: Mapping[str, Reals], sure: Reals, hits: Places) -> Reals:
    """How the reader's answer in each sentence stands beside those of other sentences and passages."""
    order = np.argsort(-sure, kind="stable")
    following = sure[order[1]] if len(order) > 1 else 0.0
    best = np.where(np.arange(len(sure)) == order[0], following, sure[order[0]])
    answers = read["answers"]
    places = np.unique(hits)
    by_hit = np.array([answers[hits == hit][0] for hit in places])
    ranks = 1.0 / (1.0 + np.argsort(np.argsort(-by_hit, kind="stable"), kind="stable"))
    in_passage, gap, every, others, above = np.zeros((5, len(sure)))
    for at, hit in enumerate(places):
        own = np.flatnonzero(hits == hit)
        in_passage[own] = _rank(sure[own])
        gap[own] = read["span"][own] - read["span"][own].max()
        every[own] = ranks[at]
        others[own] = max(np.delete(by_hit, at), default=0.0)
        above[own] = by_hit[:at].sum()
    return np.stack(
        [
            sure, _rank(sure), sure / max(sure.sum(), 1e-6), sure / max(sure[order[0]], 1e-6), sure - best,
            in_passage, gap, every, others, above, np.exp(read["title"]) * answers,
            np.exp((read["starts"] + read["ends"]) / 2) * answers,
        ],
        axis=1,
    )  # fmt: skip


def _beside(offered: Offer, hits: Places, sure: Reals) -> Reals:
    """How each sentence stands to the one that answers most surely: names its passage, shares names, same passage."""
    best = int(np.argmax(sure))
    title = offered.titles[hits[best]]
    wanted = {key for key, _ in offered.sentences[best].mentions} | {title}
    out = np.zeros((len(hits), 3))
    for at, one in enumerate(offered.sentences):
        keys = {key for key, _ in one.mentions}
        out[at] = [bool(title) and title in keys, len(keys & wanted), hits[at] == hits[best]]
    return out


def _rank(values: Reals) -> Reals:
    """1 for the largest, then 1/2, 1/3, ..."""
    ranks = np.empty(len(values))
    ranks[np.argsort(-values, kind="stable")] = 1.0 / (1.0 + np.arange(len(values)))
    return ranks
