"""Third look of the packer: the sentence after a reading model has read the passages (index.readings).

Everything of the first two looks and their scores, and beside them where the reader sees the answer: by reading each
passage alone, and by reading it after the sentence of another passage that the first look finds needed most.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from index.offered import Offer
from index.readings import COLUMNS, Floats
from index.sentence_features import chances

Reals = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.integer[Any]]

_OF_READING = (
    *COLUMNS, "sure", "sure_rank", "sure_share", "sure_of_best", "sure_gap", "rank_in_passage", "gap_in_passage",
    "answers_rank", "answers_others", "answers_above", "title_sure", "mass",
)  # fmt: skip
READ = (
    "first_score", "second_score", "need", "need_rank",
    *(f"alone_{name}" for name in _OF_READING),
    *(f"led_{name}" for name in _OF_READING),
    "led_gain", "led_answers_gain", "surest", "surest_rank", "lends", "lends_answers", "names_surest",
    "shares_surest", "same_passage_surest",
)  # fmt: skip


def third_look(
    offered: Offer, seen: Floats, first: Floats, second: Floats, alone: Floats, led: Floats, leads: list[int]
) -> Floats:
    """Shape (sentences, columns of `seen` + len(READ)).

    seen: the second look's features; first, second: log-odds of the first two ensembles; alone, led: readings of the
    passages by themselves and after their leads; leads: place of each hit's leading sentence, -1 for none.
    """
    hits = np.array([one.hit for one in offered.sentences])
    need = (chances(first) + chances(second)) / 2
    by_itself, after = _of_reading(alone, hits), _of_reading(led, hits)
    sure, answers = _OF_READING.index("sure"), COLUMNS.index("answers")
    surest = np.maximum(by_itself[:, sure], after[:, sure])
    gain = after[:, sure] - by_itself[:, sure]
    answers_gain = led[:, answers] - alone[:, answers]
    out = np.concatenate(
        [
            np.stack([first, second, need, _rank(need)], axis=1), by_itself, after,
            np.stack([gain, answers_gain, surest, _rank(surest)], axis=1),
            _lent(hits, leads, gain, answers_gain), _beside(offered, hits, surest),
        ],
        axis=1,
    )  # fmt: skip
    return np.concatenate([seen, out.astype(np.float32)], axis=1)


def _of_reading(read: Floats, hits: Places) -> Floats:
    """Numbers of one reading, shape (sentences, len(_OF_READING))."""
    column = {name: read[:, at] for at, name in enumerate(COLUMNS)}
    answers = column["answers"]
    sure = np.exp(column["span"]) * answers
    title = np.exp(column["title"]) * answers
    order = np.argsort(-sure, kind="stable")
    following = sure[order[1]] if len(order) > 1 else 0.0
    best = np.where(np.arange(len(sure)) == order[0], following, sure[order[0]])
    in_passage, gap = np.zeros(len(sure)), np.zeros(len(sure))
    places, every = np.unique(hits), np.zeros(len(sure))
    by_hit = np.array([answers[hits == hit][0] for hit in places])
    ranks = 1.0 / (1.0 + np.argsort(np.argsort(-by_hit, kind="stable"), kind="stable"))
    others, above = np.zeros(len(sure)), np.zeros(len(sure))
    for at, hit in enumerate(places):
        own = np.flatnonzero(hits == hit)
        in_passage[own] = _rank(sure[own])
        gap[own] = column["span"][own] - column["span"][own].max()
        every[own] = ranks[at]
        others[own] = max(np.delete(by_hit, at), default=0.0)
        above[own] = by_hit[:at].sum()
    mass = np.exp((column["starts"] + column["ends"]) / 2) * answers
    derived = [
        sure, _rank(sure), sure / max(sure.sum(), 1e-6), sure / max(sure[order[0]], 1e-6), sure - best, in_passage, gap,
        every, others, above, title, mass,
    ]  # fmt: skip
    return np.concatenate([read, np.stack(derived, axis=1)], axis=1).astype(np.float32)


def _lent(hits: Places, leads: list[int], gain: Reals, answers_gain: Reals) -> Reals:
    """What each sentence brought to the passages that were read after it: best gain of a sentence, of a passage."""
    out = np.zeros((len(hits), 2))
    for hit, lead in enumerate(leads):
        own = hits == hit
        if lead >= 0 and own.any():
            out[lead] = np.maximum(out[lead], [gain[own].max(), answers_gain[own].max()])
    return out


def _beside(offered: Offer, hits: Places, surest: Reals) -> Reals:
    """How each sentence stands to the one that answers most surely: names its passage, shares names, same passage."""
    best = int(np.argmax(surest))
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
