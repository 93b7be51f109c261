import math
from dataclasses import replace

import numpy as np
import pytest

from training.rewards.contract import score_group
from training.rewards.diagnostics import (
    best_of_n,
    best_of_n_divergence,
    correlation,
    diagnose,
    expected_calibration_error,
    proxy_gap,
)
from training.rewards.embedding import shared
from training.rewards.hack_scenes import SCENES, honest, padded, wrong
from training.rewards.probes import Confidence, only_when_sure, probe
from training.rewards.registry import REWARDS


def test_report_by_hand() -> None:
    groups = [[honest(scene), wrong(scene)] for scene in SCENES]
    report = diagnose(["em", "format", "citation_f1", "query_quality"], groups)
    em = report.components["em"]
    assert (em.count, em.mean, em.deviation, em.saturated, em.silent_groups) == (10, 0.5, 0.5, 1.0, 0.0)
    assert em.gold_correlation is not None and em.gold_correlation > 0.9
    assert report.components["format"].silent_groups == 1.0
    assert any("format tells nothing apart in 100%" in text for text in report.warnings)


def test_length_is_noticed() -> None:
    about = [
        f"The Halden ferry was {word}." for word in ("old", "small", "slow", "wooden", "loved by the town")
    ]
    long = [[padded(honest(SCENES[4]), about[:n]) for n in range(6)]]
    report = diagnose(["relevance"], long)
    assert any("rises with the length" in text for text in report.warnings)


def test_a_component_that_never_applies() -> None:
    report = diagnose(["judge_agreement"], [[replace(honest(SCENES[0]), steps=())]])
    assert report.components["judge_agreement"].mean is None
    assert report.warnings == ("judge_agreement applied to no episode.",)


def test_twins_are_noticed() -> None:
    groups = [[honest(scene), wrong(scene)] for scene in SCENES]
    report = diagnose(["em", "correct"], groups)
    assert report.correlations[("correct", "em")] == pytest.approx(1.0)
    assert "correct and em say the same (1.00)." in report.warnings


def test_correlation() -> None:
    assert correlation([1, 2, 3], [1, 8, 27]) == pytest.approx(1.0)
    assert correlation([1, 2, 3], [1, 1, 1]) is None
    assert correlation([1, 2], [1, 2]) is None


def test_best_of_n_is_exact() -> None:
    draw = np.random.default_rng(0)
    proxy, gold = draw.normal(size=8).round(1), draw.normal(size=8)
    made = best_of_n([proxy.tolist()], [gold.tolist()], sizes=(1, 3))
    assert made.gold[0] == pytest.approx(gold.mean())
    from itertools import combinations

    best = []
    for rows in combinations(range(8), 3):
        top = max(proxy[list(rows)])
        best.append((top, rows))
    assert made.proxy[1] == pytest.approx(np.mean([top for top, _ in best]))


def test_goodhart_is_caught() -> None:
    proxy = [[float(n) for n in range(64)]]
    good_then_bad = [[1.0 if n in range(32, 60) else 0.0 for n in range(64)]]
    assert best_of_n(proxy, good_then_bad).caught
    assert not best_of_n(proxy, proxy).caught
    with pytest.raises(ValueError, match="same questions"):
        best_of_n([[1.0]], [[1.0, 2.0]])


def test_small_measures() -> None:
    assert best_of_n_divergence(1) == 0.0
    assert best_of_n_divergence(64) == pytest.approx(math.log(64) - 63 / 64)
    assert proxy_gap([1.0, 0.8], [0.5, 0.3]).mean == pytest.approx(0.5)
    assert expected_calibration_error([1.0, 0.0], [False, True]) == 1.0


GROUNDED = [f"The mill number {n} was built in {1800 + n} [1]." for n in range(12)]
VAGUE = [f"Well, who can say anything about matter {n}, people think many things." for n in range(12)]


def test_probe_beats_its_control() -> None:
    features = shared().embed([*GROUNDED, *VAGUE]).astype(np.float64)
    found = probe(features, {"grounded": [1] * 12 + [0] * 12})["grounded"]
    assert found.accuracy > 0.95 > found.control
    assert found.majority == 0.5
    with pytest.raises(ValueError, match="at least 4"):
        probe(features, {"rare": [1] * 22 + [0] * 2})


def test_strange_texts_have_less_confidence() -> None:
    seen = shared().embed([*GROUNDED, *VAGUE]).astype(np.float64)
    confidence = Confidence(seen, [1] * 12 + [0] * 12)
    known = shared().embed(["The mill number 90 was built in 1890 [1]."]).astype(np.float64)
    strange = shared().embed(["ACGTTGCA protein folding enzymes"]).astype(np.float64)
    assert confidence(known)[0] > confidence(strange)[0]


def test_a_reward_is_silent_where_it_is_not_sure() -> None:
    texts = [text for scene in SCENES for text in (honest(scene).written, *scene.facts, *scene.noise)]
    confidence = Confidence(shared().embed(texts).astype(np.float64), [1] * len(texts))
    sure = only_when_sure(REWARDS["encoder"], confidence, 0.2)
    strange = replace(honest(SCENES[0]), text="ACGTTGCA protein folding enzymes")
    assert score_group(sure, [honest(SCENES[0]), strange])[1] is None
    assert score_group(sure, [honest(SCENES[0])])[0] is not None
    with pytest.raises(ValueError, match="single episodes"):
        only_when_sure(REWARDS["carr"], confidence, 0.2)
