"""Nuggets as a rubric (Search-Gen-V, arXiv 2510.14660): atomic facts an answer must show.

The verifier's reward is as released, plus a corrected form: the release counts a label that nobody used as
F1 = 1, so that a verdict which is wrong everywhere still earns 0.417. The embedded verifier and the builder
are our formalisation; a language model can take the verifier's place (`verify_with_model`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.types import LanguageModel
from training.metrics import normalize
from training.rewards.contract import Episode, Score
from training.rewards.embedding import cosines, shared
from training.rewards.guards import missing, names, quantities
from training.rewards.sentences import sentences
from training.rewards.verifying import LABELS, VALUES, Label, verify, verify_texts, verify_with_model

SAME_COSINE = 0.9
MAX_NUGGETS = 10


def verifier_score(
    gold: Sequence[str],
    predicted: Sequence[str],
    *,
    reasoning: bool = True,
    readable: bool = True,
    repeated: bool = False,
    absent_counts: bool = False,
) -> float:
    """Reward of a verifier's labels (read in the code): 0 to 1.

    0.35 macro-F1 over the three labels + 0.35 exact list + 0.2 reasoning tag + 0.1 output format; 0 if the
    counts differ or F1 is 0; a tenth if the reasoning tag repeats. `absent_counts` is the released form, in which
    a label that neither list uses counts as F1 = 1; without it such a label is left out of the mean.

    Gold s s n, predicted s s s. Released: F1 of s 0.8, of p 1 (absent), of n 0: 0.35 * 0.6 + 0.3 = 0.51. Ours:
    0.35 * 0.4 + 0.3 = 0.44.

    >>> round(verifier_score("ssn", "sss", absent_counts=True), 4), round(verifier_score("ssn", "sss"), 4)
    (0.51, 0.44)
    >>> round(verifier_score("sss", "nnn", absent_counts=True), 4), verifier_score("sss", "nnn")
    (0.4167, 0.0)
    """
    if len(gold) != len(predicted) or not gold:
        return 0.0
    labels = [label[0] for label in LABELS]
    pairs = [(g[0], p[0]) for g, p in zip(gold, predicted, strict=True)]
    used = labels if absent_counts else [label for label in labels if any(label in pair for pair in pairs)]
    macro = sum(_label_f1(pairs, label) for label in used) / len(used)
    if macro == 0:
        return 0.0
    exact = all(g == p for g, p in pairs)
    total = 0.35 * macro + 0.35 * exact + 0.2 * reasoning + 0.1 * readable
    return total / 10 if repeated else total


def _label_f1(pairs: Sequence[tuple[str, str]], label: str) -> float:
    hits = sum(g == p == label for g, p in pairs)
    either = sum((g == label) + (p == label) for g, p in pairs)
    return 2 * hits / either if either else 1.0


def answer_score(labels: Sequence[Label], strict: bool = False) -> float:
    """Mean of 1, 0.5 and 0 over the nuggets; strict counts full support only (weights ours).

    >>> answer_score(["support", "partial_support"]), answer_score(["support", "partial_support"], strict=True)
    (0.75, 0.5)
    """
    if not labels:
        raise ValueError("a rubric needs at least one nugget")
    return sum(VALUES[label] if not strict or label == "support" else 0.0 for label in labels) / len(labels)


def distinct(texts: Sequence[str]) -> list[str]:
    """Texts without near copies (cosine over 0.9 and the same numbers and names), the first of each kept."""
    read = _copyable(texts)
    similar = dict(zip(read, shared().embed(read), strict=True))
    kept: list[str] = []
    for text in texts:
        if not any(
            not missing(one, text) and float(similar[one] @ similar[text]) > SAME_COSINE for one in kept
        ):
            kept.append(text)
    return kept


def _copyable(texts: Sequence[str]) -> list[str]:
    """The texts that hold all numbers and names of a later one, and those: no other can be copies."""
    return [
        text
        for at, text in enumerate(texts)
        if any(not missing(text, later) for later in texts[at + 1 :])
        or any(not missing(one, text) for one in texts[:at])
    ]


def nuggets(episode: Episode, model: LanguageModel | None = None) -> Score:
    """Share of the episode's nuggets that its answer shows, 0 to 1. None without nuggets.

    Near copies of a nugget count once. With a model, None where the model could not judge.

    One of two facts is stated: (1 + 0) / 2.

    >>> facts = ("The mill opened in 1887.", "Mira Vell built it.")
    >>> nuggets(Episode("q", text="The mill opened in 1887.", nuggets=facts))
    0.5
    """
    if not episode.nuggets:
        return None
    if episode.abstained or not episode.well_formed:
        return 0.0
    facts = distinct(episode.nuggets)
    labels = verify_with_model(model, episode.written, facts) if model else verify(episode.written, facts)
    return None if labels is None else answer_score(labels)


def nugget_texts(episode: Episode) -> list[str]:
    """What `nuggets` looks up."""
    if not episode.nuggets or episode.abstained:
        return []
    return [*_copyable(episode.nuggets), *verify_texts(episode.written, episode.nuggets)]


def build_nuggets(
    question: str, passages: Sequence[str], golds: Sequence[str], limit: int = MAX_NUGGETS
) -> list[str]:
    """Sentences that carry a gold answer or a name of the question, best first, near copies left out.

    The embedded builder of rubrics: sentences with a number or a name, ranked by whether they hold the answer and
    by their cosine to the question.
    """
    found = list(dict.fromkeys(s for passage in passages for s in sentences(passage)))
    wanted = [normalize(gold) for gold in golds if normalize(gold)]
    asked = names(question)
    kept = [s for s in found if names(s) or quantities(s)]
    kept = [s for s in kept if any(f" {w} " in f" {normalize(s)} " for w in (*wanted, *asked))]
    if not kept:
        return []
    holds = np.array([any(f" {w} " in f" {normalize(s)} " for w in wanted) for s in kept], dtype=float)
    order = np.argsort(-(holds + cosines([question], kept)[0]), kind="stable")
    return distinct([kept[at] for at in order])[:limit]
