"""What the reader learns from: which sets, which recipes, in which shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from training.skills import reader_recipes as recipes
from training.skills.leaks import LeakAudit, read_corpus, read_lines
from training.skills.mixture import Source
from training.skills.near_passages import near_passages
from training.skills.reader_recipes import Asked, ReaderExample
from training.skills.world_recipes import world_examples

SQUAD1 = ("squad1_duetest", "squad1_routerlens_dev")
SINGLE = (*SQUAD1, "squad2_dev_half", "qed_nq", "nq_swap")
MULTI = ("hotpotqa_distractor", "2wiki_distractor", "musique_distractor")
INSUFFICIENT = "hotpotqa_insufficient"
SETS = (*SINGLE, *MULTI, INSUFFICIENT)
WORLDS = (101, 102, 103, 104)  # seeds; the bundled example collection is 7, the judge's are 301 and 302
HELD_OUT = 25  # every HELD_OUT-th training question of squad2_dev_half calibrates and is never trained on

ReaderSource = Source[Any, ReaderExample]


def sources(folder: Path | None, seed: int, audit: LeakAudit) -> list[ReaderSource]:
    """All sources. Without a data folder the fictional worlds alone."""
    found = [world_source(WORLDS, seed)]
    if folder is None:
        return found
    single = {name: asked(folder, name, audit) for name in SINGLE}
    squad1 = [a for name in SQUAD1 for a in single[name]]
    squad2 = single["squad2_dev_half"][:]
    del squad2[::HELD_OUT]
    names = recipes.Names.of([a.question for a in (*squad1, *squad2)])
    answerable = [*squad1, *(a for a in squad2 if a.answers), *single["qed_nq"]]
    multi = [a for name in MULTI for a in asked(folder, name, audit)]
    missing = asked(folder, INSUFFICIENT, audit)
    return [
        Source("squad1", squad1, recipes.single, 0.60, 0.34),
        Source("qed_nq", single["qed_nq"], recipes.single, 0.20, 0.15),
        Source("squad2 answerable", [a for a in squad2 if a.answers], recipes.single, 0.08, 0.06),
        Source("squad2 unanswerable", [a for a in squad2 if not a.answers], recipes.unanswerable, 0.0, 0.10),
        Source("nq_swap", single["nq_swap"], recipes.single, 0.01, 0.01),
        Source("near passages", [a for a in answerable if a.near], recipes.near, 0.01, 0.07),
        Source("swapped names", answerable, names.swapped, 0.0, 0.04),
        Source("chains", multi, recipes.chain, 0.06, 0.10),
        Source("side by side", multi, recipes.side_by_side, 0.0, 0.03),
        Source("broken chains", [a for a in multi if a.answers], recipes.broken_chain, 0.0, 0.035),
        Source("insufficient", missing, recipes.insufficient, 0.0, 0.015),
        Source("worlds", found[0].records, found[0].make, 0.04, 0.05),
    ]


def world_source(seeds: Sequence[int], seed: int, questions: int = 60) -> ReaderSource:
    """Examples of closed fictional worlds: table rows, letters, minutes, hops with their notes before."""
    made = world_examples(seeds, questions, seed)
    return Source("worlds", made, recipes.ready, 1.0, 1.0)


def trained_on(found: Sequence[ReaderSource]) -> tuple[set[str], set[str]]:
    """(questions, texts of gold passages) of all sources: what the leak audit looks at."""
    records = [record for source in found for record in source.records]
    questions = {record.question for record in records}
    gold = {text.text for record in records if isinstance(record, Asked) for text in record.gold}
    return questions, gold


def calibration_set(folder: Path, audit: LeakAudit) -> list[Asked]:
    """Questions of the SQuAD 2 training half that `sources` holds out."""
    return asked(folder, "squad2_dev_half", audit)[::HELD_OUT]


def asked(folder: Path, name: str, audit: LeakAudit | None, split: str = "train") -> list[Asked]:
    """A set's questions with their passages; `audit` None keeps all (development splits)."""
    corpus = read_corpus(folder / name)
    questions = [
        question
        for question in read_lines(folder / name / f"{split}.jsonl")
        if audit is None or audit.allows(name, question, corpus)
    ]
    near: Iterable[tuple[str, ...]] = [()] * len(questions)
    if name in SINGLE and split == "train":
        near = near_passages(questions, corpus)
    return [
        Asked(
            question=question["question"],
            answers=tuple(question["answers"]),
            gold=tuple(recipes.Text.of(corpus[key]) for key in question["supporting"]),
            near=tuple(recipes.Text.of(corpus[key]) for key in others),
            context=tuple(
                recipes.Text.of(corpus[key])
                for key in question.get("context", ())
                if key not in question["supporting"]
            ),
            start=question["meta"].get("answer_start"),
            sentences=tuple(
                (corpus[s["pid"]]["title"], s["text"]) for s in question.get("supporting_sentences", ())
            ),
        )
        for question, others in zip(questions, near, strict=True)
    ]
