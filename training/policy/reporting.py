"""What a run says of itself: held-out table of all policies, comparison with what is live, report in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.config import AgentConfig
from agent.policies import NAMED
from agent.policy import ACTIONS, Policy, Rules, always_single, fixed_three_hop
from agent.promotion import audit, live_name
from agent.trained import open_trained
from index.errors import InputError
from training.policy.contest import contest, open_named, score_policy, winner
from training.policy.forest import Forest, plant
from training.policy.rewarding import Pricing, load_policy_preset
from training.policy.router import fit_router, strategies
from training.policy.run import WEIGHTS, Run
from training.policy.scores import MEASURES, Scores, gap_closed, score_endings, summary
from training.policy.trees import read_trees, write_trees
from training.report import Grid, number

SHOWN = (
    "right",
    "f1",
    "cost",
    "searches",
    "tokens",
    "abstained",
    "abstain_right",
    "citation_precision",
    "value",
)
HELD_OUT, PARETO, COMPARISON, REPORT = "held_out.jsonl", "policies.json", "comparison.json", "report.md"


@dataclass(frozen=True, slots=True)
class Finished:
    """What is shown at the end of a run."""

    grids: tuple[Grid, ...]
    verdict: str


def finish_run(run: Run, data_dir: Path | None) -> Finished:
    """Score the run's policy beside all others on its held-out questions and write what a person needs to judge it."""
    trained = open_trained(run.folder / WEIGHTS, run.folder.name)
    live = open_named("live", run.folder.parent, data_dir)
    scores = held_out_table(run, trained, live)
    pricing = run.recipe.pricing
    write_trees(run.folder / HELD_OUT, run.whole.trees)
    rows = {one.policy: summary(one) for one in scores}
    _write(run.folder / PARETO, {"policies": rows, "questions": len(run.whole.trees), "price": pricing.price})
    ours = scores[0]
    found = contest(ours, score_policy(live, run.whole, pricing, "live"), _texts(run.whole))
    _write(run.folder / COMPARISON, found)
    grids = (scores_grid(f"{len(run.whole.trees)} held-out questions", scores), stages_grid(run))
    oracle, rules = (next(s for s in scores if s.policy == name) for name in ("oracle", "rules"))
    closed = gap_closed(ours, rules, oracle)
    verdict = "; ".join(found["reasons"])
    shown = "" if closed is None else f" Share of the gap from the rules to the oracle: {100 * closed:.0f} %."
    text = [f"# {run.folder.name}", "", f"Against what is live: {verdict}.{shown}", "",
            f"Data {run.data}, recipe {run.recipe.fingerprint}, seed {run.recipe.seed}: config.json.", ""]  # fmt: skip
    (run.folder / REPORT).write_text(
        "\n".join([*text, *(grid.markdown() for grid in grids)]), encoding="utf-8"
    )
    return Finished(grids, verdict + "." + shown)


def held_out_table(run: Run, trained: Policy, live: Policy | None) -> list[Scores]:
    """The run's policy first, then live, the baselines, the router and the oracle."""
    pricing = run.recipe.pricing
    config = AgentConfig()
    scores = [score_policy(trained, run.whole, pricing, run.folder.name)]
    if live is not None and live.name not in NAMED:
        scores.append(score_policy(live, run.whole, pricing, "live"))
    scores += [score_policy(make(config), run.whole, pricing, name) for name, make in NAMED.items()]
    fixed: dict[str, Policy] = {
        "hybrid": Rules("hybrid"),
        "single": always_single(),
        "three": fixed_three_hop(),
    }
    router = fit_router(run.train, strategies(fixed, run.train))
    scores.append(
        score_endings(
            run.whole, router.endings(run.whole, strategies(fixed, run.whole)), pricing.units, "router"
        )
    )
    scores.append(score_policy(None, run.whole, pricing, "oracle"))
    return scores


def scores_grid(title: str, scores: list[Scores]) -> Grid:
    """Policies by measures."""
    rows = tuple((one.policy, *(number(one.mean(name), 3) for name in SHOWN)) for one in scores)
    return Grid(title, ("policy", *SHOWN), rows)


def stages_grid(run: Run) -> Grid:
    """Held-out means after each stage."""
    stages = json.loads((run.folder / "curves.json").read_text("utf-8"))["stages"]
    names = ("right", "f1", "cost", "searches", "value")
    rows = tuple(
        (name, "yes" if one["accepted"] else "no", *(number(one["held_out"][key], 3) for key in names))
        for name, one in stages.items()
    )
    return Grid("Stages", ("stage", "accepted", *names), rows)


def contest_grid(found: dict[str, Any]) -> Grid:
    """A comparison as a table: means, difference with interval, and who is ahead beyond noise."""
    from training.metrics import Interval

    rows = []
    for name in MEASURES:
        one = found["measures"][name]
        gap = Interval(**one["difference"])
        interval = f"[{number(gap.low, 3)}, {number(gap.high, 3)}]"
        ahead = {"a": found["a"], "b": found["b"], "": ""}[winner(name, gap)]
        rows.append(
            (
                name,
                number(one["a"]["mean"], 3),
                number(one["b"]["mean"], 3),
                number(gap.mean, 3),
                interval,
                ahead,
            )
        )
    title = f"{found['a']} against {found['b']}: {found['n']} questions, {found['changed_count']} changed"
    return Grid(title, ("measure", found["a"], found["b"] + " ", "difference", "95 %", "ahead"), tuple(rows))


def evidence_for(
    run: Path, comparison: Path | None, data_dir: Path
) -> tuple[bool, list[str], dict[str, Any]]:
    """Whether a run may be promoted: by a comparison given, else on its held-out questions against what is live now.

    Returns (better, reasons, what the record keeps). InputError for a comparison of another run.
    """
    if comparison is not None:
        found = json.loads(comparison.read_text("utf-8"))
        if found.get("a") != run.name or found.get("b") != "live":
            raise InputError(
                f"{comparison} compares {found.get('a')} with {found.get('b')}; expected {run.name} with live."
            )
    else:
        missing = [name for name in ("config.json", HELD_OUT) if not (run / name).is_file()]
        if missing:
            raise InputError(
                f"{run} holds no {' and no '.join(missing)}, so nothing says how good its policy is. Take the whole "
                "run folder, or compare it with what is live and give --comparison."
            )
        config = json.loads((run / "config.json").read_text("utf-8"))
        pricing = Pricing(**config["recipe"]["pricing"])
        forest = plant(tuple(read_trees(run / HELD_OUT)), ACTIONS, load_policy_preset(), pricing)
        ours = score_policy(open_trained(run / WEIGHTS, run.name), forest, pricing, run.name)
        theirs = score_policy(open_named("live", run.parent, data_dir), forest, pricing, "live")
        found = contest(ours, theirs, _texts(forest))
    kept = {name: one["difference"] for name, one in found["measures"].items()}
    return bool(found["better"]), list(found["reasons"]), {"n": found["n"], "against": found["b"], **kept}


def listed(runs: Path, data_dir: Path) -> dict[str, Any]:
    """All runs, what is live, and the audit."""
    rows = []
    for path in sorted(runs.glob("*/config.json")):
        config = json.loads(path.read_text("utf-8"))
        card = path.parent / "policy.json"
        finished = card.is_file()
        held = json.loads(card.read_text("utf-8")).get("held_out", {}) if finished else {}
        rows.append({"name": path.parent.name, "finished": finished, "algorithm": config["recipe"]["algorithm"],
                     "seed": config["recipe"]["seed"], "data": config["data"], "held_out": held})  # fmt: skip
    records = [{key: getattr(one, key) for key in one.__slots__} for one in audit(data_dir)]
    return {"live": live_name(data_dir), "runs": rows, "audit": records}


def listed_grid(found: dict[str, Any]) -> Grid:
    """Runs as a table; the live one has a star."""
    names = ("right", "f1", "cost", "value")
    rows = tuple(
        (("* " if one["name"] == found["live"] else "") + one["name"], one["algorithm"], str(one["seed"]),
         *(number(one["held_out"].get(name), 3) for name in names))
        for one in found["runs"]
    )  # fmt: skip
    live = found["live"] or "the default"
    return Grid(f"Live: {live}", ("run", "algorithm", "seed", *names), rows)


def _texts(forest: Forest) -> list[tuple[str, str]]:
    return [(tree.id, tree.question) for tree in forest.trees]


def _write(path: Path, value: Any) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps({**value, "at": now}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
