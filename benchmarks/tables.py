"""docs/BENCHMARKS.md, written from the result files: `python -m benchmarks.tables --write`.

Every section is one file of benchmarks/results with the command and the commit it came from.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import (
    agent_ablation,
    calibration,
    compression,
    documents,
    gate,
    held_out,
    memory,
    own_policy,
    parallel,
    policy,
    precision,
    reading,
    retrieval,
    single_hop,
    sufficiency,
)
from benchmarks.ablation import ablation_grids
from benchmarks.growth import growth_grid
from benchmarks.measure import RESULTS, ROOT
from benchmarks.walk_speed import pagerank_grid
from training import evaluate_abstention
from training.policy import contrast, proof
from training.rewards import evaluate, speed

PAGE = ROOT / "docs" / "BENCHMARKS.md"
HEAD = """# Benchmarks

Each section is one result file of `benchmarks/results`, with its command and commit (`+`: with changes not yet
committed), put here by `python -m benchmarks.tables --write`. Two shared x86-64 cores; times are processor time of one
thread (`FORAGE_CLOCK=cpu OMP_NUM_THREADS=1`), and other work on the machine still makes them up to three times longer:
compare rows of one table, not tables. Nothing is sampled at run time, so there is one seed; intervals are 95 %
bootstrap over questions.

What to look for: index cost beside encoding stands below each table of search; adding and deleting in the growth table.

Missed or not measured at this code:

- Packed evidence without reading, with the answers of the best five passages in half of their tokens: at its shipped
  setting on no pool. After reading it is, at one setting on all five, on MuSiQue only just (table; the setting was
  chosen on training questions, its last 5 % on these pools). Over all 816 development questions it loses against the
  best five passages 1 answer of 178 on HotpotQA, 2 of 198 on QED and 1 of 198 on SQuAD 2 (docs/LOG.md). What the
  reader made of the passages of that table was computed on an H100 and kept as float16; the milliseconds are of five
  questions a pool, read anew on one core of a slow host: compare them with the bare pass.
- Milliseconds of the multi-hop tables were taken on an overloaded machine before search was made faster. Searching
  since (README; wall clock, two cores with nothing else to do, encoding a question 9 to 11 ms of what took 20 to 24
  before), p95 of graph, ranked and deep: 2Wiki's 5,518 passages 22.8, 50.7 and 212; MuSiQue's 3,482 19.4, 65.9 and
  226; HotpotQA's 18,046 51.0, 83.6 and 287. Aimed at, for 6,000 passages, 30 and 80; for 10,000, deep 400. Beside
  other work, two busy cores, the first row was 34.8, 91.1 and 380 two hours before: these are the milliseconds of an
  idle machine.
- The judge's calibration where half of the questions lack a passage: 0.164 on the twins, aimed at 0.05, which it
  meets over whole collections (0.040, table). On MuSiQue alone it claims too much (0.40 stated, 0.20 right, 35
  questions).
- The ablation of packing is of the learned packing without reading.
- Two hundred questions from eight sessions (`pytest -m slow -s tests/agent/test_parallel.py`, at 5deb326; one core
  shared with other work, one thread): no state mixed up; searching p50 3.7, p95 7.5 s, resident memory grown by 66
  MB; answered from memory 0.54, 1.26 s, 8 MB. `python -m benchmarks.parallel` (dialogues instead, each turn compared
  with the same turn held alone) was not measured.
- In the growth table the p95 at 100,000 passages are several times the medians: other commands ran on the machine in
  these minutes, which is the likely cause. Single runs on a folder of that size right after, nothing else running,
  twice each (40 questions), p95: graph 49.3 and 54.9, ranked 145.1 and 140.4. Aims: 60 and 150.
- Growth to 1,000,000 passages.
- Searching less costs right answers: the boundary preset against both others (table of presets, row `right`), most
  of it in one of three worlds.
- Encoder rewards under 5 ms an answer on two cores, where every sentence of an answer is new: 4.3 to 5.7 on the clock
  of two otherwise idle cores, one bare pass over them 6.8 (table of costs). Groups of runs as they come hold it: 1.3
  (`rubric`, `carr`) to 4.6 (`knowledge`), learned rewards 5.3 not quite; a run before gave the same to half a
  millisecond but for `adaptive`, 5.1. Without an index `contrastive` takes 6.9 and `page` 11.8.
- The table of presets is of its commit. At 033fc83 one world, 120 held-out questions (`--presets boundary,citation
  --seeds 1 --questions 60`): searches -0.73 [-0.94, -0.53], citation F1 0.07 [0.05, 0.11] and 1.00, right -0.03
  [-0.08, 0.01].
- How sure a learned reward is says little: its surer half is never better (table of confidence).
- F1 of the knowledge boundary on the closed world, aimed at 90: on two worlds looked at before (seeds 11 and 13) the
  compact policy has 90.5 and 89.8 after three rounds of IP-DPO, 89.3 and 89.8 after GRPO, the language model 88.7 and
  88.4; on two never looked at (21 and 22) 92.4 and 92.1, 92.1 and 92.6, 93.4 and 92.3 (tables). GRPO's rounds of the
  language model are mostly refused: imitation leaves little to gain.
- A policy trained on a person's own documents costs less than the one that ships (table); more right answers on the 20
  questions by hand are just not beyond chance, and on the 60 self-made ones one answer more is wrong.
- The shipped policy beside the rules: its F1 is better within chance only (+0.6 [-1.6, 3.0] on 485 development
  questions); a third of the cost is what it saves. Of always-deep's F1 it has 99.7 % (right answers 101.5 %) at 37.7 %
  of the cost, where 100 % at 35 % was aimed at: an agent that searches once spends 30 to 33 %.
- Policies learned from today's agent alone (288 questions, table) are better than one plain search and the router
  beyond chance, but not than one deep search, and worse than the shipped one, which learned with readers that had not
  seen its questions. In 74 of the 485 trees the shipped policy's search had not been explored, and
  always-deep was cut short in many: both were extended (docs/decisions/0021).
- In the table of what each part of the agent is worth, seconds are of three questions of each set, asked beside other
  work; the first row pays for pages that were not yet in memory (about a fifth; since then one question is asked
  before). Forty questions of a set tell differences of 10 points at most: that nothing beats the full agent beyond
  chance is all that they say. Refinement, the gate and the checking of citations change nothing on these sets.
"""


def main() -> None:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace docs/BENCHMARKS.md")
    options = parser.parse_args()
    page = "\n".join([HEAD, *sections()])
    if options.write:
        PAGE.write_text(page, encoding="utf-8")
    else:
        sys.stdout.write(page)


def sections() -> Iterator[str]:
    """The sections whose files there are."""
    for name, title, render in SECTIONS:
        path = RESULTS / f"{name}.json"
        if not path.is_file():
            continue
        found = json.loads(path.read_text(encoding="utf-8"))
        origin = _origin(found)
        command = origin["command"].replace(" --markdown", "")
        parts = "\n".join(render(found))
        yield f"## {title}\n\n`{command}` at {origin['commit']}\n\n{parts}"


def _origin(found: dict[str, Any]) -> dict[str, Any]:
    """Where a file's command and commit stand: in the file, or with each of its sets (the first is told)."""
    if "facts" in found and "command" in found["facts"]:
        return dict(found["facts"])
    return found if "command" in found else next(iter(found.values()))


def _retrieval(found: dict[str, Any]) -> Iterator[str]:
    for name, pool in found["pools"].items():
        yield retrieval.grid(name, pool).markdown()
        yield retrieval.note(pool)


def _single_hop(found: dict[str, Any]) -> Iterator[str]:
    yield single_hop.grid(found["pools"]).markdown()


def _held_out(found: dict[str, Any]) -> Iterator[str]:
    yield held_out.grid(found["sets"]).markdown()


def _compression(found: dict[str, Any]) -> Iterator[str]:
    yield compression.summary(found["pools"]).markdown()
    for name, pool in found["pools"].items():
        yield compression.grid(name, pool).markdown()
        yield compression.verdict(pool)


def _reading(found: dict[str, Any]) -> Iterator[str]:
    for name, one in found["sets"].items():
        yield reading.table(name, one).markdown()


def _sufficiency(found: dict[str, Any]) -> Iterator[str]:
    yield sufficiency.table(found).markdown()


def _calibration(found: dict[str, Any]) -> Iterator[str]:
    for grid in calibration.tables(found):
        yield grid.markdown()


def _abstention(found: dict[str, Any]) -> Iterator[str]:
    for grid in evaluate_abstention.grids(found, found["data"]):
        yield grid.markdown()


def _precision(found: dict[str, Any]) -> Iterator[str]:
    yield precision.table(found["formats"], found["questions"]).markdown()


def _gate(found: dict[str, Any]) -> Iterator[str]:
    yield f"{gate.ABOUT}\n"
    for grid in gate.grids(found):
        yield grid.markdown()


def _memory(found: dict[str, Any]) -> Iterator[str]:
    yield memory.grid(found).markdown()


def _parallel(found: dict[str, Any]) -> Iterator[str]:
    yield parallel.grid(found).markdown()


def _agent_ablation(found: dict[str, Any]) -> Iterator[str]:
    yield agent_ablation.summary(found).markdown()
    for name, one in found.items():
        yield agent_ablation.as_markdown(name, one["variants"], one["n"]) + "\n"


def _documents(found: dict[str, Any]) -> Iterator[str]:
    yield f"{documents.ABOUT}\n"
    for grid in documents.grids(found):
        yield grid.markdown()


def _rewards(found: dict[str, Any]) -> Iterator[str]:
    yield (
        f"Seed {found['seed']}, at most {found['limit']} questions of each type of the world and of each set "
        f"({', '.join(found['sets'])}; split dev). A pair is two runs of one question of which one has one known "
        "fault less. Rewards are meant for one thing each: what a reward does not read, it cannot tell apart.\n"
    )
    for grid in evaluate.grids(found):
        yield grid.markdown()


def _reward_speed(found: dict[str, Any]) -> Iterator[str]:
    yield (
        "The passages that an answer was shown come out of an index, which holds their vectors already; *no index* is "
        "a run without one. New words: the worst case, in which no sentence of an answer was ever seen.\n"
    )
    yield speed.grid(found["speed"]).markdown()


def _presets(found: dict[str, Any]) -> Iterator[str]:
    yield f"{contrast.ABOUT}\n"
    yield contrast.grid(found).markdown()


def _policy(found: dict[str, Any]) -> Iterator[str]:
    for grid in policy.grids(found):
        yield grid.markdown()


def _closed_world(found: dict[str, Any]) -> Iterator[str]:
    yield f"{proof.ABOUT}\n"
    for seed, one in found.items():
        for grid in proof.Proof(one["rows"], one["known"], one["questions"], one["minutes"]).grids:
            yield f"Seed {seed}.\n\n{grid.markdown()}"


def _own_policy(found: dict[str, Any]) -> Iterator[str]:
    yield f"{own_policy.ABOUT}\n"
    yield own_policy.grid(found).markdown()


def _growth(found: dict[str, Any]) -> Iterator[str]:
    yield growth_grid(found["growth"]).markdown()
    yield pagerank_grid(found["pagerank"]).markdown()


def _ablation(found: dict[str, Any]) -> Iterator[str]:
    for grid in ablation_grids(found["ablation"]):
        yield grid.markdown()


SECTIONS: tuple[tuple[str, str, Callable[[dict[str, Any]], Iterator[str]]], ...] = (
    ("retrieval-multi-hop", "Search beside its rivals, multi-hop pools", _retrieval),
    ("held-out", "The ranker on sets it never learned from", _held_out),
    ("single-hop", "The ranker on single-hop pools, with and without titles", _single_hop),
    ("compression", "Tokens for the evidence", _compression),
    ("reading", "Reading after search, beside plainer ways", _reading),
    ("precision", "Number formats of the networks", _precision),
    ("sufficiency", "Does the judge know when evidence does not suffice?", _sufficiency),
    ("calibration", "Is a stated 0.8 right four times out of five?", _calibration),
    ("abstention-squad2", "Silence where the answer is missing: SQuAD 2, own passages", _abstention),
    (
        "abstention-twins",
        "Silence where the answer is missing: HotpotQA with and without a needed passage",
        _abstention,
    ),
    ("gate", "Where a search would be in vain", _gate),
    ("memory", "Asked twice, the second time in other words; then the documents change", _memory),
    ("parallel", "Many conversations at once", _parallel),
    ("agent-ablation", "What each part of the agent is worth", _agent_ablation),
    ("documents", "Domain shift: real documents", _documents),
    ("rewards", "Rewards on pairs of runs", _rewards),
    ("reward-speed", "What rewards that need the encoder cost", _reward_speed),
    ("presets", "Policies trained with different presets", _presets),
    ("policy", "Decision policies", _policy),
    ("own-policy", "A decision policy from a person's own documents", _own_policy),
    ("closed-world", "Decision policies where every truth is known", _closed_world),
    ("graph-growth", "Growth, adding, deleting, PageRank", _growth),
    ("graph-ablation", "What each part is worth", _ablation),
)


if __name__ == "__main__":
    main()
