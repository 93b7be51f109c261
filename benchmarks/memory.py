"""Memory: questions asked twice, the second time in other words; then the documents change.

    python -m benchmarks.memory [--questions 100] [--seed 0] [--json benchmarks/results/memory.json]

Takes dev questions of several sets with their own passages as one collection. Reported: how many of the first
pass's right answers come from memory without a search in the second pass, accuracy of both passes, how many twins
with one change that matters (name, year, relation) are taken for a remembered question, and, after every cited
document has changed or gone, how many answers memory still gives.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.agent import Agent
from agent.build import open_agent
from agent.config import MemoryConfig, Settings
from agent.types import Trajectory
from benchmarks.measure import RESULTS, data_root, facts
from benchmarks.paraphrase import near_miss, paraphrase
from index.ingest import ingest_passages
from index.store import Store
from index.types import Scope
from training.data import CorpusRow, QAExample, load_corpus, load_questions
from training.kept import kept_models
from training.metrics import exact_match, f1
from training.report import Grid, percent

SETS = ("2wiki_distractor", "hotpotqa_distractor", "musique_distractor", "squad1_duetest", "popqa_1000")
NAME = "asked"
SCOPE = Scope((NAME,))


@dataclass(slots=True)
class Asked:
    """A question with its first answer."""

    example: QAExample
    first: Trajectory

    @property
    def right(self) -> bool:
        """Exact match of the short answer."""
        return bool(exact_match(self.first.answer.short, self.example.answers))


def main() -> None:
    """Measure, print, write the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=RESULTS / "memory.json")
    parser.add_argument("--show", action="store_true", help="print paraphrases not known and twins taken")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    examples, rows = _choose(options.questions, chance)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(folder)
        records = [{"id": row.id, "title": row.title, "text": row.text} for row in rows.values()]
        models = kept_models()
        ingest_passages(store, records, NAME, embedder=models[0])
        settings = Settings(memory=MemoryConfig())
        agent = open_agent(folder, store=store, settings=settings, models=models)
        result = measure(agent, examples, rows, chance, options.show)
    result["facts"] = facts("memory", options) | {"sets": SETS, "passages": len(rows)}
    options.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1, ensure_ascii=False))


def measure(
    agent: Agent,
    examples: list[QAExample],
    rows: dict[str, CorpusRow],
    chance: random.Random,
    show: bool = False,
) -> dict[str, Any]:
    """The whole measurement; questions are those of `examples`, asked in an empty memory."""
    asked = [Asked(example, agent.run(example.question, SCOPE)) for example in examples]
    assert agent.memory is not None
    memory, right = agent.memory, [one for one in asked if one.right]
    used, known, same, seconds = Counter[str](), 0, 0, []
    second: list[Trajectory] = []
    names = _names(examples)
    twins = {
        one.example.id: made
        for one in asked
        if (made := near_miss(one.example.question, names, chance)) is not None
    }
    taken = [  # before the second pass, which would remember some twins' answers
        {"question": one.example.question, "twin": twins[one.example.id][0]}
        for one in asked
        if one.example.id in twins and memory.recall(twins[one.example.id][0], SCOPE).answer is not None
    ]
    for pair in taken if show else ():
        print(f"  taken for another: {pair['question']}\n    {pair['twin']}")
    for one in asked:
        words, rules = paraphrase(one.example.question, chance)
        reason = memory.recall(words, SCOPE).reason if show else ""
        began = time.process_time()
        run = agent.run(words, SCOPE)
        second.append(run)
        from_memory = run.answer.cost.searches == 0 and run.answer.kind == "answer"
        if one.right:
            used[rules] += 1
            known += from_memory
            same += from_memory and run.answer.short == one.first.answer.short
            if from_memory:
                seconds.append(time.process_time() - began)
            elif show:
                print(f"  not known ({reason}): {one.example.question}\n    {words}")
    stale = _change(agent, asked, rows)
    return {
        "questions": len(asked),
        "first_pass": _quality(examples, [one.first for one in asked]),
        "second_pass": _quality(examples, second),
        "right_first": len(right),
        "right_first_from_memory": known,
        "share_from_memory": round(known / max(len(right), 1), 4),
        "same_answer": same,
        "cpu_milliseconds_from_memory": round(1000 * sum(seconds) / max(len(seconds), 1), 1),
        "searches_first": sum(one.first.answer.cost.searches for one in asked),
        "searches_second": sum(run.answer.cost.searches for run in second),
        "paraphrases": dict(used),
        "twins_asked": len(twins),
        "twins_by_change": dict(Counter(what for _, what in twins.values())),
        "twins_taken_for_the_question": len(taken),
        **stale,
    }


def _change(agent: Agent, asked: list[Asked], rows: dict[str, CorpusRow]) -> dict[str, int]:
    """Change every second cited document, delete the others, and count what memory still says."""
    memory, store = agent.memory, agent.store
    assert memory is not None
    answered = [one for one in asked if one.first.answer.kind == "answer"]
    before = sum(memory.recall(one.example.question, SCOPE).answer is not None for one in answered)
    cited = list(dict.fromkeys(c.document_id for one in answered for c in one.first.answer.citations))
    sources = {document.id: document.source for document in store.documents(NAME)}
    changed = []
    for number, document in enumerate(cited):
        if number % 2:
            store.delete_document(document)
            continue
        row = rows[sources[document]]
        text = re.sub(r"\d", lambda m: str((int(m.group()) + 1) % 10), row.text) + " This page was revised."
        changed.append({"id": row.id, "title": row.title, "text": text})
    ingest_passages(store, changed, NAME, embedder=agent.searcher.embedder)
    after = sum(memory.recall(one.example.question, SCOPE).answer is not None for one in answered)
    again = [agent.run(one.example.question, SCOPE) for one in answered[:25]]
    broken = sum(
        store.document_text(c.document_id)[c.start : c.end] != c.quote
        for run in again
        for c in run.answer.citations
    )
    return {
        "documents_changed": len(changed),
        "documents_deleted": len(cited) - len(changed),
        "known_before_the_change": before,
        "stale_answers_after_the_change": after,
        "asked_again_after_the_change": len(again),
        "citations_that_do_not_stand": broken,
    }


def grid(found: dict[str, Any]) -> Grid:
    """What was measured, a line each.

    F1_aware (AdaSearch, arXiv 2512.16883): positive is a question that memory can answer (another wording of one
    answered rightly before), predicted by answering without a search; twins with one change that matters are negative.
    """
    known, right, taken = (
        found["right_first_from_memory"],
        found["right_first"],
        found["twins_taken_for_the_question"],
    )
    first, second = found["first_pass"], found["second_pass"]
    share = percent(known / max(right, 1))
    rows = (
        ("first pass: exact match, F1", f"{percent(first['em'])}, {percent(first['f1'])}"),
        ("second pass, in other words: exact match, F1", f"{percent(second['em'])}, {percent(second['f1'])}"),
        ("first pass's right answers known without a search", f"{known} of {right} ({share} %)"),
        ("the same answer", f"{found['same_answer']} of {known}"),
        ("searches: first pass, second pass", f"{found['searches_first']}, {found['searches_second']}"),
        ("twins with one change taken for the question", f"{taken} of {found['twins_asked']}"),
        ("F1_aware of answering from memory, %", percent(2 * known / max(known + taken + right, 1))),
        ("cited documents changed, deleted", f"{found['documents_changed']}, {found['documents_deleted']}"),
        ("answers known before that, stale ones after it",
         f"{found['known_before_the_change']}, {found['stale_answers_after_the_change']}"),
        ("asked again after it: citations that do not stand",
         f"{found['citations_that_do_not_stand']} in {found['asked_again_after_the_change']} answers"),
    )  # fmt: skip
    return Grid(f"{found['questions']} development questions of five sets", ("measure", "value"), rows)


def _choose(count: int, chance: random.Random) -> tuple[list[QAExample], dict[str, CorpusRow]]:
    """Questions spread over the sets, and the passages that they bring with them."""
    examples: list[QAExample] = []
    rows: dict[str, CorpusRow] = {}
    root = data_root()
    for number, name in enumerate(SETS):
        usable = [e for e in load_questions(root / name / "dev.jsonl") if e.own_scope and e.answers]
        share = (count - len(examples)) // (len(SETS) - number)
        chosen = chance.sample(usable, min(share, len(usable)))
        corpus = {row.id: row for row in load_corpus(root / name)}
        examples.extend(chosen)
        rows.update((key, corpus[key]) for example in chosen for key in example.own_scope)
    return examples, rows


def _names(examples: list[QAExample]) -> list[str]:
    found = (re.findall(r"(?:[A-Z][\w'.\-]+)(?: [A-Z][\w'.\-]+)+", e.question[1:]) for e in examples)
    return [name for names in found for name in names]


def _quality(examples: list[QAExample], runs: list[Trajectory]) -> dict[str, float]:
    pairs = [(run.answer.short, e.answers) for e, run in zip(examples, runs, strict=True)]
    return {
        "em": round(sum(exact_match(short, golds) for short, golds in pairs) / len(pairs), 4),
        "f1": round(sum(f1(short, golds) for short, golds in pairs) / len(pairs), 4),
        "answered": sum(run.answer.kind == "answer" for run in runs),
    }


if __name__ == "__main__":
    main()
