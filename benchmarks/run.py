"""`make bench`: the tables of the README, printed by one command; `--write` puts them there.

Retrieval needs the public question sets (FORAGE_DATA, default ../shared/data); answers on the bundled
examples need nothing. Full results go to benchmarks/results/*.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = "benchmarks/results"
POOLS = (("2wiki_distractor", "dev"), ("musique_distractor", "dev"), ("hotpotqa_distractor", "dev"))
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"


def main() -> None:
    """Run every table, print it, and with --write put all of them into README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="also replace the tables in README.md")
    options = parser.parse_args()
    (ROOT / RESULTS).mkdir(exist_ok=True)
    sections = []
    for arguments, shown in _commands():
        table = _run(arguments)
        sections.append(f"`{shown}`\n\n{table.strip()}\n")
        print(sections[-1], flush=True)
    sections.append(_stored_answers())
    print(sections[-1], flush=True)
    if options.write:
        readme = ROOT / "README.md"
        before, rest = readme.read_text().split(BEGIN)
        after = rest.split(END)[1]
        readme.write_text(f"{before}{BEGIN}\n{chr(10).join(sections)}{END}{after}")


def _commands() -> Iterator[tuple[list[str], str]]:
    """(arguments of `forage`, the command as a reader would type it)."""
    out = ["--json", f"{RESULTS}/answers-examples.json"]
    yield ["eval", "answers", "--data", "examples", *out], "forage eval answers --data examples"
    data = Path(
        os.path.relpath(Path(os.environ.get("FORAGE_DATA", ROOT.parent / "shared" / "data")) / "qa", ROOT)
    )
    if not (ROOT / data).is_dir():
        print(
            f"The public question sets are not at {data}; set FORAGE_DATA to measure retrieval.",
            file=sys.stderr,
        )
        return
    for name, split in POOLS:
        more = ["--split", split, "--modes", "bm25s,bm25,dense,hybrid,graph,ranked,deep"]
        arguments = ["eval", "retrieval", "--data", str(data / name), *more]
        yield (
            [*arguments, "--json", f"{RESULTS}/retrieval-{name}.json"],
            f"forage eval retrieval --data $FORAGE_DATA/qa/{name} {' '.join(more)}",
        )


def _stored_answers() -> str:
    """Answers over whole pools, from the files of earlier runs: they take too long to repeat each time."""
    names = ("em", "f1", "evidence_recall", "citation_precision", "searches", "context_tokens", "seconds")
    lines = [
        "Answers with the whole pool as the collection, no language model, 95 % bootstrap intervals, from the files "
        f"of `forage eval answers --data $FORAGE_DATA/qa/NAME --json ...` in `{RESULTS}`:\n",
        f"| dev set | questions | commit | {' | '.join(names)} |",
        f"| --- | ---: | --- |{' ---: |' * len(names)}",
    ]
    typed = [*((name, "") for name, _ in POOLS), *((f"lower-{name}", " --lower-case") for name, _ in POOLS)]
    for name, option in typed:
        path = ROOT / RESULTS / f"answers-{name}.json"
        if not path.is_file():
            continue
        found = json.loads(path.read_text(encoding="utf-8"))
        cells = [
            _cell(found[key], 1 if key in ("searches", "context_tokens", "seconds") else 100) for key in names
        ]
        lines.append(f"| {found['data']}{option} | {found['n']} | {found['commit']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(interval: dict[str, float], scale: int) -> str:
    mean, low, high = (round(scale * interval[key], 1) for key in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]"


def _run(arguments: list[str]) -> str:
    command = [sys.executable, "-m", "app", *arguments, "--markdown"]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
