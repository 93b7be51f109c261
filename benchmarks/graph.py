"""The corpus graph measured: how it grows, how fast PageRank is, and what each part of it is worth.

    python -m benchmarks.graph                                    # growth to 100,000 passages, PageRank, ablation
    python -m benchmarks.graph --parts growth --million --json OUT
    python -m benchmarks.graph --parts ablation --limit 100       # needs FORAGE_DATA
    python -m benchmarks.graph --parts packing --limit 60         # of the ablation only packing

The parts stand in benchmarks.growth, benchmarks.walk_speed and benchmarks.ablation.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from benchmarks.ablation import ablation, ablation_grids, packing_ablation
from benchmarks.growth import growth, growth_grid
from benchmarks.measure import alone, facts, mistakes_told
from benchmarks.walk_speed import pagerank, pagerank_grid
from training import report

SIZES = (1000, 10_000, 100_000)
PARTS = ("growth", "pagerank", "ablation")
PACKING = "packing"  # the second half of the ablation, to be asked for by name


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", default=",".join(PARTS), help="which, joined by commas")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="passages, joined by commas")
    parser.add_argument("--million", action="store_true", help="grow to 1,000,000 passages (hours)")
    parser.add_argument("--questions", type=int, default=100, help="for each size and mode")
    parser.add_argument("--limit", type=int, help="ablation: only the first N questions of each pool")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with mistakes_told():
        parts = report.choices(options.parts, "--parts", (*PARTS, PACKING))
        sizes = report.whole_numbers(options.sizes, "--sizes") + ((1_000_000,) if options.million else ())
        grids: list[report.Grid] = []
        if "growth" in parts:
            found["growth"] = growth(sizes, options.questions, options.seed)
            grids += [growth_grid(found["growth"])]
        if "pagerank" in parts:
            found["pagerank"] = alone(pagerank, options.seed)
            grids += [pagerank_grid(found["pagerank"])]
        if "ablation" in parts:
            found["ablation"] = ablation(options.limit)
            grids += ablation_grids(found["ablation"])
        elif PACKING in parts:
            found["ablation"] = {"search": {}, "packing": packing_ablation(options.limit)}
            grids += ablation_grids(found["ablation"])
    for grid in grids:
        report.show(grid, markdown=options.markdown)
    if options.json:
        report.write_json(report.open_output(options.json), {**found, **facts("graph", options)})


if __name__ == "__main__":
    main()
