"""`make bench`: the tables of the README, printed by one command.

Retrieval needs the public question sets (FORAGE_DATA, default ../shared/data); answers on the bundled
examples need nothing. Results are also written to benchmarks/results/*.json.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
POOLS = (("2wiki_distractor", "dev"), ("musique_distractor", "train,dev"), ("hotpotqa_distractor", "dev"))


def main() -> None:
    """Run every table; stop at the first that fails."""
    RESULTS.mkdir(exist_ok=True)
    data = Path(os.environ.get("FORAGE_DATA", ROOT.parent / "shared" / "data")) / "qa"
    _run("answers", "--data", "examples", "--json", str(RESULTS / "answers-examples.json"))
    if not data.is_dir():
        print(f"\nThe public question sets are not at {data}; set FORAGE_DATA to measure retrieval.")
        return
    for name, split in POOLS:
        out = str(RESULTS / f"retrieval-{name}.json")
        modes = "bm25s,bm25,dense,hybrid"
        _run("retrieval", "--data", str(data / name), "--split", split, "--modes", modes, "--json", out)


def _run(*arguments: str) -> None:
    print(f"\n$ forage eval {' '.join(arguments)}\n", flush=True)
    command = [sys.executable, "-m", "app", "eval", *arguments, "--markdown"]
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
