"""What a policy in the shadow did beside the live one: paired differences with intervals over the shadowed questions.

Nobody judged these answers, so that "right" is not among the measures: what is compared is how often an answer was
given, how sure the judge was of it, whether citations held, and what it cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.shadow import MEASURES, Compared, current, results, spent
from training.metrics import bootstrap, paired_difference
from training.report import Grid

EXAMPLES = 20


def shadowed(data_dir: Path, name: str = "") -> dict[str, Any]:
    """The comparison of one policy (default: the one in the shadow now) as JSON."""
    state = current(data_dir)
    name = name or (state.name if state else "")
    every = results(data_dir, name) if name else ()
    whole = [one for one in every if not one.error]
    found: dict[str, Any] = {
        "name": name, "running": state is not None and state.name == name, "compared": len(whole),
        "failed": len(every) - len(whole), "same": bootstrap([float(one.same) for one in whole]).to_dict(),
        "same_path": bootstrap([float(_path(one)) for one in whole]).to_dict(),
        "measures": {measure: _measure(whole, measure) for measure in MEASURES},
        "changed": [_example(one) for one in whole if not one.same][-EXAMPLES:],
    }  # fmt: skip
    if state is not None and state.name == name:
        found |= {"share": state.share, "since": state.since, "budget_spent": spent(every, state),
                  "budget": {"questions": state.questions, "seconds": state.seconds},
                  "seconds": sum(one.seconds for one in every)}  # fmt: skip
    return found


def _path(one: Compared) -> bool:
    return list(one.live["actions"]) == list(one.candidate["actions"])


def _measure(rows: Sequence[Compared], name: str) -> dict[str, Any]:
    both = [
        (float(one.live[name]), float(one.candidate[name]))
        for one in rows
        if one.live[name] is not None and one.candidate[name] is not None
    ]
    live, candidate = [a for a, _ in both], [b for _, b in both]
    return {
        "live": bootstrap(live).to_dict(), "candidate": bootstrap(candidate).to_dict(),
        "difference": paired_difference(candidate, live).to_dict(), "n": len(both),
    }  # fmt: skip


def _example(one: Compared) -> dict[str, Any]:
    return {
        "question": one.question,
        "live": {"answer": one.live["short"] or "(none)", "path": " > ".join(one.live["actions"])},
        "candidate": {
            "answer": one.candidate["short"] or "(none)",
            "path": " > ".join(one.candidate["actions"]),
        },
    }


def shadow_grid(found: dict[str, Any]) -> Grid:
    """As a table."""
    rows = []
    for name, row in found["measures"].items():
        gap = row["difference"]
        difference = "n/a"
        if gap["mean"] is not None:
            difference = f"{gap['mean']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}]"
        means = [row[side]["mean"] for side in ("live", "candidate")]
        rows.append((name, *("n/a" if mean is None else f"{mean:.3f}" for mean in means), difference))
    same = found["same"]["mean"]
    told = f", the same answer {same:.0%}" if same is not None else ""
    title = f"{found['name']} in the shadow: {found['compared']} questions compared{told}, {found['failed']} failed"
    return Grid(title, ("measure", "live", "candidate", "candidate - live, 95 %"), tuple(rows))
