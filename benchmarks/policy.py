"""Decision policies on questions that no training saw: stages of each algorithm over several seeds, baselines, oracle.

    forage policy explore --data $FORAGE_DATA/qa --split train --limit 50 --out explored-train.jsonl    # slow, once
    forage policy explore --data $FORAGE_DATA/qa --split dev --limit 90 --out explored-dev.jsonl
    python -m benchmarks.policy --train explored-train.jsonl --dev explored-dev.jsonl

Reads explored questions (`training/policy/collect.py`), so that a policy's path is looked up, not run again: training
and scoring take minutes. Learned from --train alone; --dev questions are only scored. Beside single seeds stands the
averaged network of all of them. Add `--policy RUN` to explore where a policy of your own goes.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file

from agent.policy import ACTIONS, FEATURES, Fixed, Policy, Rules, always_deep, always_single, fixed_three_hop
from agent.trained import TrainedPolicy, packaged
from benchmarks.measure import facts, mistakes_told
from index.errors import InputError
from training import report
from training.policy.collect import known
from training.policy.contest import score_policy
from training.policy.forest import Forest, plant
from training.policy.played import as_played
from training.policy.recipe import Algorithm, Recipe
from training.policy.rewarding import load_policy_preset
from training.policy.router import fit_router, strategies
from training.policy.run import Run
from training.policy.scores import Scores, differences, gap_closed, score_endings, summary
from training.policy.straying import share_straying
from training.policy.trees import Tree

SHOWN = ("right", "f1", "abstention_f1", "cost", "searches", "tokens", "value")
AGAINST = ("rules", "router", "always-single", "single deep", "always-deep")
LEARNED: tuple[tuple[Algorithm, str], ...] = (("ip-dpo", "policy"), ("grpo", "policy"), ("ip-dpo", "outcome"))
AVERAGED = "ip-dpo, averaged"  # learned from --train; what a training run with members ends in
PACKAGED = "packaged"  # the one that comes with Forage


def main() -> None:
    """Train, score, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--train", type=Path, action="append", required=True, help="explored questions; repeatable"
    )
    parser.add_argument(
        "--dev", type=Path, action="append", required=True, help="explored questions; repeatable"
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    with mistakes_told():
        if options.json:
            report.open_output(options.json)
        found = measure(_trees(options.train), _trees(options.dev), options.seeds)
    for grid in grids(found):
        report.show(grid, markdown=options.markdown)
    if options.json:
        named = argparse.Namespace(
            **{**vars(options), "train": _names(options.train), "dev": _names(options.dev)}
        )
        report.write_json(options.json, {**found, **facts("policy", named)})


def _trees(paths: Sequence[Path]) -> list[Tree]:
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise InputError(
            f"There is no file {', '.join(missing)}. Explore questions first: forage train policy --data ..."
        )
    return [tree for path in paths for tree in known(path).values()]


def _names(paths: Sequence[Path]) -> str:
    return " ".join(path.name for path in paths)


def measure(train: Sequence[Tree], dev: Sequence[Tree], seeds: int) -> dict[str, Any]:
    """Means over the seeds of every stage, and intervals of the averaged network against the baselines."""
    shared = {tree.question for tree in train} & {tree.question for tree in dev}
    if shared:
        raise InputError(f"{len(shared)} questions are in both files, for example: {min(shared)}")
    pricing, preset = Recipe().pricing, load_policy_preset()
    learned, held = plant(train, ACTIONS, preset, pricing), plant(dev, ACTIONS, preset, pricing)
    played = plant(
        as_played(dev), ACTIONS, preset, pricing
    )  # networks before they are frozen: without the agent
    base = _baselines(learned, held, pricing)
    rows: dict[str, list[dict[str, float | None]]] = {name: [summary(one)] for name, one in base.items()}
    best: Scores | None = None
    shipped = packaged()
    straying = {PACKAGED: share_straying(shipped, dev)} if shipped else {}
    with tempfile.TemporaryDirectory(prefix="forage-policy-") as folder:
        for algorithm, reward in report.track(LEARNED, len(LEARNED), "training"):
            recipe = Recipe(algorithm=algorithm, preset=reward, played=True)
            label = algorithm + (f" ({reward} reward)" if reward != "policy" else "")
            for seed in range(recipe.seed, recipe.seed + seeds):
                run = Run(
                    Path(folder, label, str(seed)), train, ACTIONS, FEATURES, replace(recipe, seed=seed)
                )
                run.execute()
                for stage, scores in _stages(run, played):
                    name = (
                        stage
                        if stage == "sft" and reward == "policy"
                        else f"{label} {stage.rpartition('-')[2]}"
                    )
                    if stage != "sft" or (algorithm, reward) == LEARNED[0]:
                        rows.setdefault(name, []).append(summary(scores))
            if (algorithm, reward) == LEARNED[0]:
                run = Run(Path(folder, "all"), train, ACTIONS, FEATURES, replace(recipe, members=seeds))
                averaged = TrainedPolicy(AVERAGED, run.execute())
                best = score_policy(averaged, held, pricing, AVERAGED)
                rows[AVERAGED] = [summary(best)]
                straying[AVERAGED] = share_straying(averaged, dev)
    assert best is not None
    oracle = base["oracle"]
    learned_ones = {AVERAGED: best} | ({PACKAGED: base[PACKAGED]} if PACKAGED in base else {})
    return {
        "questions": {"train": len(train), "dev": len(dev)}, "seeds": seeds, "price": pricing.price,
        "sets": {name: sorted({tree.source for tree in trees}) for name, trees in (("train", train), ("dev", dev))},
        "policies": {name: _mean(found) for name, found in rows.items()},
        "against": {
            one: {
                name: {key: gap.to_dict() for key, gap in differences(scores, base[name]).items()}
                for name in AGAINST
            }
            for one, scores in learned_ones.items()
        },
        "straying": straying,
        "gap_closed": {
            one: gap_closed(scores, base["rules"], oracle) for one, scores in learned_ones.items()
        },
        "by_set": _by_set(held, {**{name: base[name] for name in AGAINST}, **learned_ones, "oracle": oracle}),
    }  # fmt: skip


def _baselines(learned: Forest, held: Forest, pricing: Any) -> dict[str, Scores]:
    fixed: dict[str, Policy] = {
        "hybrid": Rules("hybrid"), "single": always_single(), "three": fixed_three_hop(),
        "deep": Fixed("single-deep", 1, "deep"),
    }  # fmt: skip
    named: dict[str, Policy | None] = {
        "always-single": always_single(), "single deep": Fixed("single-deep", 1, "deep"), "rules": Rules("graph"),
        "fixed-3-hop": fixed_three_hop(), "always-deep": always_deep(),
    }  # fmt: skip
    found = {name: score_policy(policy, held, pricing, name) for name, policy in named.items()}
    router = fit_router(learned, strategies(fixed, learned))
    reached = router.endings(held, strategies(fixed, held))
    found["router"] = score_endings(held, reached, pricing.units, "router")
    shipped = packaged()
    if shipped is not None:
        found[PACKAGED] = score_policy(shipped, held, pricing, PACKAGED)
    found["oracle"] = score_policy(None, held, pricing, "oracle")
    return found


def _stages(run: Run, held: Forest) -> list[tuple[str, Scores]]:
    """Every stage's network on the held questions."""
    network = run.network()
    found = []
    for stage in run.plan():
        network.load_state_dict(load_file(str(run.checkpoint(stage))))
        network.eval()
        found.append((stage.name, run.judge(network, held, stage.name)))
    return found


def _mean(rows: Sequence[Mapping[str, float | None]]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation over seeds of what could be measured."""
    found = {}
    for name in SHOWN:
        values = [value for row in rows if (value := row[name]) is not None]
        if values:
            found[name] = {"mean": float(np.mean(values)), "sd": float(np.std(values)), "n": len(values)}
    return found


def _by_set(held: Forest, scores: Mapping[str, Scores]) -> dict[str, dict[str, float]]:
    sources = [tree.source for tree in held.trees]
    return {
        source: {
            name: float(np.mean([v for v, s in zip(one.columns["right"], sources, strict=True) if s == source]))
            for name, one in scores.items()
        }
        for source in sorted(set(sources))
    }  # fmt: skip


def grids(found: dict[str, Any]) -> tuple[report.Grid, ...]:
    """Policies by measures; the averaged network against baselines; right answers by set."""
    n = found["questions"]
    rows = tuple(
        (name, *(_cell(measures.get(key), key) for key in SHOWN))
        for name, measures in found["policies"].items()
    )
    title = f"{n['dev']} development questions, learned from {n['train']}, {found['seeds']} seeds"
    differing = tuple(
        (
            f"{one} - {name}",
            *(_gap(gaps[key], key) for key in ("f1", "right", "cost", "value")),
        )
        for one, against in found["against"].items()
        for name, gaps in against.items()
    )
    names = list(next(iter(found["by_set"].values())))
    sets = tuple(
        (name, *(report.percent(row[one]) for one in names)) for name, row in found["by_set"].items()
    )
    shares = [f"{one} {100 * share:.0f} %" for one, share in found["gap_closed"].items() if share is not None]
    note = f"; of the gap from the rules to the oracle closed: {', '.join(shares)}" if shares else ""
    left = [f"{one} {100 * share:.1f} %" for one, share in found["straying"].items() if share is not None]
    note += f"; questions on which a policy leaves what was explored: {', '.join(left)}" if left else ""
    return (
        report.Grid(
            title, ("policy", "right", "F1", "abstention F1", "cost", "searches", "tokens", "value"), rows
        ),
        report.Grid(
            f"Differences, 95 % paired bootstrap{note}", ("", "F1", "right", "cost", "value"), differing
        ),
        report.Grid("Right answers by set, %", ("set", *names), sets),
    )


_PERCENT = ("right", "f1", "abstention_f1")


def _cell(one: Mapping[str, float] | None, key: str) -> str:
    if one is None:
        return "-"
    scale, digits = (100, 1) if key in _PERCENT else (1, 0 if key == "tokens" else 2)
    spread = f" ± {scale * one['sd']:.{digits}f}" if one["n"] > 1 else ""
    return f"{scale * one['mean']:.{digits}f}{spread}"


def _gap(one: Mapping[str, float | None], key: str) -> str:
    if one["mean"] is None or one["low"] is None or one["high"] is None:
        return "-"
    scale, digits = (100, 1) if key in _PERCENT else (1, 2)
    return f"{scale * one['mean']:+.{digits}f} [{scale * one['low']:+.{digits}f}, {scale * one['high']:+.{digits}f}]"


if __name__ == "__main__":
    main()
