"""How well a reader reads: development questions with their gold passage, and the calibration of "not here".

SQuAD 1, QED-NQ and nq_oracle: every question has its answer in the passage, so the best span counts, whatever the
reader's doubt. SQuAD 2: the answer is empty where P(none) is above one half, and F1 is 1 for a due empty answer
(Rajpurkar, Jia and Liang, 2018); `best` is the F1 at the best threshold, as their script also prints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.reader_model import Encoded, ReaderModel, Reading, best_span, build_network, encode, none_logit
from training.metrics import bootstrap, exact_match, f1
from training.skills import loop
from training.skills.leaks import LeakAudit
from training.skills.reader_data import asked, calibration_set, world_source
from training.skills.reader_recipes import Asked, ReaderExample

SCORED = ("squad1_duetest", "squad2_dev_half", "qed_nq", "nq_oracle")
DEV_WORLD = (201,)  # a seed that no training uses
SHOWN = 32  # texts handed to the reader at a time


def evaluate(weights: Path, folder: Path) -> dict[str, Any]:
    """EM and F1 (percent, with 95 % intervals) of the shipped file on the whole development sets."""
    model = ReaderModel(weights)
    scores: dict[str, Any] = {}
    for name in SCORED:
        questions = [one for one in asked(folder, name, None, "dev") if one.gold]
        readings = read_all(model, questions)
        scores[name] = _answerable(questions, readings)
        if name == "squad2_dev_half":
            scores[name] = _with_none(questions, readings)
    return scores


def evaluate_worlds(weights: Path, limit: int = 400) -> dict[str, Any]:
    """EM and F1 on questions of a fictional world that no training uses, and how often "not here" is right."""
    found: Sequence[ReaderExample] = world_source(DEV_WORLD, 1).records[:limit]
    model = ReaderModel(weights)
    readings = [model.read(one.question, [one.text])[0] for one in found]
    spans = [(one, reading) for one, reading in zip(found, readings, strict=True) if one.spans]
    golds = [[one.text[a:b] for a, b in one.spans] for one, _ in spans]
    right = [(r.none < 0.5) == (one.kind != "none") for one, r in zip(found, readings, strict=True)]
    return {
        "worlds": {
            "n": len(spans),
            "em": _percent([exact_match(r.answer, g) for (_, r), g in zip(spans, golds, strict=True)]),
            "f1": _percent([f1(r.answer, g) for (_, r), g in zip(spans, golds, strict=True)]),
            "answers_or_not": _percent([float(x) for x in right]),
        }
    }


def of_examples(network: Any, questions: Sequence[ReaderExample]) -> list[float]:
    """F1 of the best span, for examples that have one."""
    found = forward(network, [(one.question, one.text) for one in questions])
    said = [
        one.text[e.offsets[left][0] : e.offsets[right][1]] if right >= 0 else ""
        for one, (e, left, right, _, _) in zip(questions, found, strict=True)
    ]
    golds = [[one.text[a:b] for a, b in one.spans] for one in questions]
    return [f1(a, g) for a, g in zip(said, golds, strict=True)]


def score(dev: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One number to compare two readers that were measured on the same sets."""
    names = sorted(dev)
    return {
        "of": "mean F1 of " + ", ".join(names),
        "value": round(float(np.mean([dev[n]["f1"] for n in names])), 2),
    }


def quick(network: Any, folder: Path | None, limit: int) -> dict[str, Any]:
    """EM and F1 of an unfinished network on the first SQuAD 1 and SQuAD 2 development questions."""
    if folder is None:
        return {}
    scores = {}
    for name in SCORED[:2]:
        every = [one for one in asked(folder, name, None, "dev") if one.gold]
        chosen = every[:: max(1, len(every) // limit)][:limit]
        pairs = heads(network, chosen)
        golds = [one.answers for one in chosen]
        said = [
            "" if name != SCORED[0] and kind > 0 else _span_text(one, encoded, left, right)
            for one, (encoded, left, right, _, kind) in zip(chosen, pairs, strict=True)
        ]
        scores[name] = round(
            100 * float(np.mean([_overlap(a, g) for a, g in zip(said, golds, strict=True)])), 1
        )
    return scores


def calibrate(weights: Path, folder: Path) -> dict[str, float]:
    """The three numbers of agent.reader_model.Calibration, fitted on training questions that were held out."""
    from sklearn.linear_model import LogisticRegression

    held_out = [one for one in calibration_set(folder, LeakAudit.of(folder)) if one.gold]
    found = heads(build_network(weights).eval(), held_out)
    matrix = np.array([[kind, best] for _, _, _, best, kind in found])
    empty = np.array([not one.answers for one in held_out], dtype=int)
    model = LogisticRegression(C=10.0).fit(matrix, empty)
    none, span = model.coef_[0]
    return {
        "none": round(float(none), 4),
        "span": round(float(span), 4),
        "bias": round(float(model.intercept_[0]), 4),
    }


def heads(network: Any, questions: Sequence[Asked]) -> list[tuple[Encoded, int, int, float, float]]:
    """For each question with its gold passage: (input, first, last token, log P(span), logit of none)."""
    return forward(network, [(one.question, shown(one)) for one in questions])


def forward(network: Any, pairs: Sequence[tuple[str, str]]) -> list[tuple[Encoded, int, int, float, float]]:
    """The same for pairs of question and text."""
    import torch

    device = next(network.parameters()).device
    found = []
    for question, text in pairs:
        encoded = encode(question, text)
        ids, types = torch.tensor([encoded.ids], device=device), torch.tensor([encoded.types], device=device)
        with torch.inference_mode(), loop.autocast(device.type):
            spans, kinds = network(ids, types, torch.ones_like(ids))
        left, right, best = best_span(encoded, spans[0].float().cpu().numpy())
        found.append((encoded, left, right, best, none_logit(kinds[0].float().cpu().numpy())))
    return found


def read_all(model: ReaderModel, questions: Sequence[Asked]) -> list[Reading]:
    """Each question with its gold passage, title first."""
    return [model.read(one.question, [shown(one)])[0] for one in questions]


def shown(one: Asked) -> str:
    """The gold passage as the reader sees it."""
    passage = one.gold[0]
    return f"{passage.title}\n{passage.text}" if passage.title else passage.text


def _span_text(one: Asked, encoded: Encoded, left: int, right: int) -> str:
    return shown(one)[encoded.offsets[left][0] : encoded.offsets[right][1]] if right >= 0 else ""


def _answerable(questions: Sequence[Asked], readings: Sequence[Reading]) -> dict[str, Any]:
    pairs = [(r.answer, q.answers) for q, r in zip(questions, readings, strict=True) if q.answers]
    return _scores([exact_match(a, g) for a, g in pairs], [f1(a, g) for a, g in pairs])


def _with_none(questions: Sequence[Asked], readings: Sequence[Reading]) -> dict[str, Any]:
    golds = [q.answers for q in questions]
    said = ["" if r.none > 0.5 else r.answer for r in readings]
    exact = [float(not a) if not g else exact_match(a, g) for a, g in zip(said, golds, strict=True)]
    overlap = [_overlap(a, g) for a, g in zip(said, golds, strict=True)]
    full = np.array([_overlap(r.answer, g) for r, g in zip(readings, golds, strict=True)])
    none = np.array([r.none for r in readings])
    empty = np.array([float(not g) for g in golds])
    best = max(float(np.where(none > cut, empty, full).mean()) for cut in np.unique(none))
    right = [(r.none < 0.5) == bool(g) for r, g in zip(readings, golds, strict=True)]
    has = [x for x, g in zip(overlap, golds, strict=True) if g]
    return _scores(exact, overlap) | {
        "f1_answerable": _percent(has),
        "f1_best_threshold": round(100 * best, 1),
        "answers_or_not": _percent([float(x) for x in right]),
        "auroc_none": round(_auroc(none, empty), 3),
    }


def _overlap(said: str, golds: Sequence[str]) -> float:
    return f1(said, list(golds)) if golds else float(not said)


def _auroc(scores: np.ndarray, labels: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, scores))


def _scores(exact: Sequence[float], overlap: Sequence[float]) -> dict[str, Any]:
    interval = bootstrap(overlap)
    return {
        "n": len(exact),
        "em": _percent(exact),
        "f1": _percent(overlap),
        "f1_interval": [round(100 * (interval.low or 0.0), 1), round(100 * (interval.high or 0.0), 1)],
    }


def _percent(values: Sequence[float]) -> float:
    return round(100 * float(np.mean(values)), 1) if len(values) else 0.0
