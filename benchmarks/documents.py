"""Questions of our own about real document collections: enhancement proposals, RFCs and company filings.

    python -m benchmarks.documents                      # needs FORAGE_DATA with documents/
    python -m benchmarks.documents --cache DIR          # keeps the copied files and the index for the next run

The files that the questions rest on are ingested together with others of the same collections (listed in
`questions/documents-files.json`), and the default agent is asked without a language model. No embedded skill
was trained on questions about them; the reader has seen masked spans of most of the proposals and RFCs. Gold is a file,
not a quote: texts of the collections are not kept here.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any

from agent.build import open_agent
from agent.config import Settings
from benchmarks.measure import ROOT, facts, mistakes_told
from index.encoders import load_embedder
from index.errors import InputError
from training import evaluate_answers as evaluation
from training import report
from training.benchmark_index import BenchmarkIndex, open_index
from training.data import DataFolder, QAExample, load_questions
from training.evaluate_answers import Outcome
from training.evidence import Gold
from training.metrics import bootstrap

QUESTIONS = ROOT / "benchmarks" / "questions" / "documents.jsonl"
FILES = QUESTIONS.with_name("documents-files.json")
ABOUT = """\
No embedded skill was trained on questions about enhancement proposals, RFCs or company filings; the reader has
filled masked spans of most of the proposals and RFCs, of no filing. Thirty questions of our own ask about them: 10
about PEPs, 8 about Rust RFCs, 8 about filings (PDF), and 4 near misses that none of the files answers. Of the
answerable, 17 need a single fact (2 of them a figure in a table), 5 follow a fact of one file into another, 2
compare two files, 2 are yes/no. The 23 files they rest on are ingested with 26 others of the same collections, and
the default agent is asked without a language model. Gold is a file, not a quote. The questions were written from
the files before the agent was asked, and not changed after."""
SHOWN = 60  # characters of an answer in the list of failures
ROWS = {
    "em": "EM of the answerable",
    "f1": "F1 of the answerable",
    "right": "right, all questions",
    "citation_valid": "citations valid",
    "citation_file": "citations that point to a right file",
    "evidence_recall": "right files cited",
    "abstain_recall": "abstained where nothing answers",
    "false_abstention": "abstained where a file answers",
    "searches": "searches",
    "context_tokens": "context tokens",
}


def main() -> None:
    """Ingest, ask, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, help="keep the copied files and the index in this folder")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    with mistakes_told():
        if options.json:
            report.open_output(options.json)
        if options.cache:
            found = measure(options.cache)
        else:
            with TemporaryDirectory(prefix="forage-documents-") as folder:
                found = measure(Path(folder))
    for grid in grids(found):
        report.show(grid, markdown=options.markdown)
    if options.json:
        report.write_json(options.json, {**found, **facts("documents", options)})


def measure(folder: Path) -> dict[str, Any]:
    """Scores of all questions, and each failure. Files and index are kept in `folder`."""
    examples = load_questions(QUESTIONS)
    data = gather_files(documents_root(), folder)
    with open_index(data, (), load_embedder(), folder / "index") as index:
        counts = next(c for c in index.store.collections() if c.name == index.collection)
        agent = open_agent(index.store.data_dir, settings=Settings(), memory=False, durable=False)
        cases = [
            replace(case, gold=gold_files(case.example, index))
            for case in evaluation.make_cases(examples, data, index.locator, "pool")
        ]
        asked = evaluation.evaluate(agent, index.store, cases)
        outcomes = [*report.track(asked, len(cases), "asking: documents")]
    return summary(outcomes, {"files": counts.documents, "passages": counts.passages})


def documents_root() -> Path:
    """The folder of document collections; InputError where there is none."""
    folder = Path(os.environ.get("FORAGE_DATA", ROOT.parent / "shared" / "data")) / "documents"
    if not folder.is_dir():
        raise InputError(
            "The document collections were not found. Set FORAGE_DATA to the folder that holds documents/ "
            "with peps/, rfcs/ and filings/."
        )
    return folder


def gather_files(source: Path, folder: Path) -> DataFolder:
    """Copy the listed files to `folder`/documents/collection/<collection>. InputError names what is missing."""
    root = folder / "documents"
    shutil.rmtree(root, ignore_errors=True)
    for name, files in listed_files().items():
        target = root / "collection" / name
        target.mkdir(parents=True)
        for file in files:
            path = next(
                (p for p in (source / name / "docs" / file, source / name / file) if p.is_file()), None
            )
            if path is None:
                raise InputError(f"FORAGE_DATA has no file {file} in documents/{name}.")
            shutil.copyfile(path, target / file)
    return DataFolder(root, "library")


def listed_files() -> dict[str, list[str]]:
    """Collection -> names of the files that are ingested."""
    listed = json.loads(FILES.read_text(encoding="utf-8"))
    return {name: [*files, *listed["distractors"][name]] for name, files in listed["questions"].items()}


def gold_files(example: QAExample, index: BenchmarkIndex) -> tuple[Gold, ...]:
    """The files a question rests on, each whole."""
    names = example.meta["sources"]
    return tuple(map(Gold, names, index.locator.document_ids(names)))


def summary(outcomes: Sequence[Outcome], counts: dict[str, int]) -> dict[str, Any]:
    """Means with intervals, by type and by collection, and the failures with what was said and cited."""
    answerable = [o for o in outcomes if not o.case.example.unanswerable]
    pointing = [sum(c.in_gold for c in o.checks) / len(o.checks) for o in answerable if o.checks]
    abstained = [float(o.trajectory is not None and o.trajectory.answer.abstained) for o in answerable]
    groups: dict[str, list[float]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.case.example.id.split("-")[0], []).append(outcome.metrics["right"])
    return {
        **evaluation.result(outcomes, counts),
        "citation_file": bootstrap(pointing).to_dict(),
        "false_abstention": bootstrap(abstained).to_dict(),
        "by_collection": {name: {"right": sum(r), "n": len(r)} for name, r in groups.items()},
        "failures": [_failure(o) for o in outcomes if o.metrics["right"] < 1],
    }


def _failure(outcome: Outcome) -> dict[str, Any]:
    example, trajectory = outcome.case.example, outcome.trajectory
    wanted = {gold.key for gold in outcome.case.gold}
    noted = {PurePath(note.source).name for note in trajectory.notes} if trajectory else set()
    cited = [PurePath(c.source).name for c in trajectory.answer.citations] if trajectory else []
    said = trajectory.answer.short if trajectory else f"failed: {outcome.error}"
    return {
        "id": example.id,
        "type": example.type,
        "question": example.question,
        "gold": example.answers[0] if example.answers else "(abstain)",
        "said": "(abstained)" if trajectory and trajectory.answer.abstained else said[:SHOWN],
        "cited": list(dict.fromkeys(cited)),
        "right_files_noted": f"{len(wanted & noted)} of {len(wanted)}",
    }


def grids(found: dict[str, Any]) -> tuple[report.Grid, ...]:
    """Scores with intervals, shares by type and collection, failures."""
    rows = tuple((label, *_shown(key, found[key])) for key, label in ROWS.items())
    title = (
        f"{found['n']} questions about real documents: {found['files']} files, {found['passages']} passages"
    )
    by_type = {kind: (group["n"] * group["right"], group["n"]) for kind, group in found["by_type"].items()}
    by_set = {name: (group["right"], group["n"]) for name, group in found["by_collection"].items()}
    shares = tuple((name, f"{right:.0f}", str(n)) for name, (right, n) in {**by_type, **by_set}.items())
    failures = tuple(
        (f["id"], f["question"], f["gold"], f["said"], ", ".join(f["cited"]) or "-", f["right_files_noted"])
        for f in found["failures"]
    )
    columns = ("", "question", "gold", "said", "cited", "right files in the notes")
    return (
        report.Grid(title, ("", "mean", "low", "high"), rows),
        report.Grid("Right, by type of question and by collection", ("", "right", "n"), shares),
        report.Grid("Failures", columns, failures),
    )


def _shown(key: str, values: dict[str, float | None]) -> tuple[str, ...]:
    if key in ("searches", "context_tokens"):
        return tuple(report.number(value, 2 if key == "searches" else 0) for value in values.values())
    return tuple(map(report.percent, values.values()))


if __name__ == "__main__":
    main()
