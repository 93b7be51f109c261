"""What the reader learns from: which sets, which recipes, in which shares."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from training.skills import reader_packed as packing
from training.skills import reader_recipes as recipes
from training.skills.card import Run
from training.skills.collection import collection_texts
from training.skills.distant import POOL, distant
from training.skills.leaks import LeakAudit, fold, read_corpus, read_lines
from training.skills.mixture import Source
from training.skills.near_passages import near_passages
from training.skills.ramp import Unlabelled
from training.skills.reader_recipes import Asked, ReaderExample
from training.skills.world_recipes import world_examples

SQUAD1 = ("squad1_duetest", "squad1_routerlens_dev")
SINGLE = (*SQUAD1, "squad2_dev_half", "qed_nq", "nq_swap")
MULTI = ("hotpotqa_distractor", "2wiki_distractor", "musique_distractor")
INSUFFICIENT = ("hotpotqa_insufficient",)
RAMP = (
    "hotpotqa_distractor", "2wiki_distractor", "musique_distractor", "hotpotqa_insufficient", "squad1_duetest",
    "squad1_routerlens_dev", "squad2_dev_half", "qed_nq", "popqa_1000",
)  # fmt: skip
SETS = (*SINGLE, "drop_subset", *MULTI, *INSUFFICIENT, POOL)
WORLDS = (101, 102, 103, 104)  # seeds; the bundled example collection is 7, the judge's are 301 and 302
HELD_OUT = 25  # every HELD_OUT-th training question of squad2_dev_half calibrates and is never trained on

ReaderSource = Source[Any, ReaderExample]


def sources(run: Run, audit: LeakAudit) -> list[ReaderSource]:
    """All sources of a run. Without a data folder the fictional worlds and, if one is named, a collection."""
    folder, seed = run.data, run.seed
    worlds = world_source(WORLDS, seed)
    if run.collection is not None:
        return [replace(worlds, early=0.2, late=0.2), collection_source(*run.collection)]
    if folder is None:
        return [worlds]
    single = {name: asked(folder, name, audit) for name in SINGLE}
    squad1 = [a for name in SQUAD1 for a in single[name]]
    squad2 = single["squad2_dev_half"][:]
    del squad2[::HELD_OUT]
    names = recipes.Names.of([a.question for a in (*squad1, *squad2)])
    answerable = [*squad1, *(a for a in squad2 if a.answers), *single["qed_nq"]]
    refused = [a for a in squad2 if not a.answers]
    multi = [a for name in MULTI for a in asked(folder, name, audit)]
    missing = [a for name in INSUFFICIENT for a in asked(folder, name, audit)]
    pool = distant(folder, audit)
    labelled = [
        Source("squad1", squad1, recipes.single, 0.55, 0.30),
        Source("qed_nq", single["qed_nq"], recipes.single, 0.18, 0.13),
        Source("squad2 answerable", [a for a in squad2 if a.answers], recipes.single, 0.08, 0.05),
        Source("squad2 unanswerable", refused, recipes.unanswerable, 0.02, 0.08),
        Source("drop", asked(folder, "drop_subset", audit), recipes.single, 0.01, 0.01),
        Source("nq_swap", single["nq_swap"], recipes.single, 0.01, 0.01),
        Source("pool", pool, recipes.single, 0.02, 0.03),
        Source("near passages", [a for a in answerable if a.near], recipes.near, 0.01, 0.05),
        Source("swapped names", answerable, names.swapped, 0.0, 0.03),
        Source("chains", multi, recipes.chain, 0.06, 0.07),
        Source("side by side", multi, recipes.side_by_side, 0.0, 0.02),
        Source("broken chains", [a for a in multi if a.answers], recipes.broken_chain, 0.0, 0.02),
        Source("packed multi-hop", multi, packing.packed, 0.02, 0.10),
        Source("packed single-hop", [a for a in answerable if a.near], packing.packed, 0.02, 0.05),
        Source("packed pool", [a for a in pool if a.near], packing.packed, 0.01, 0.02),
        Source("packed without a gold passage", multi, packing.lacking, 0.0, 0.04),
        Source("packed candidates", missing, packing.candidates, 0.0, 0.025),
        Source("packed unanswerable", [a for a in refused if a.near], packing.unanswered, 0.0, 0.02),
        Source("worlds", worlds.records, worlds.make, 0.04, 0.05),
    ]
    return [*labelled, *self_made(folder, audit, run.ramp)]


def self_made(folder: Path, audit: LeakAudit, share: float | None) -> list[ReaderSource]:
    """Masked spans of the sets' own passages (training/skills/ramp.py); development gold is left out.

    share: None for the usual one, 0 for none; at 1 the weight drowns every other source.
    """
    if share == 0:
        return []
    seen: set[str] = set(audit.passages)
    texts: list[recipes.Text] = []
    for name in RAMP:
        for row in read_corpus(folder / name).values() if (folder / name / "corpus.jsonl").is_file() else ():
            key = fold(row["text"])
            if key not in seen:
                seen.add(key)
                texts.append(recipes.Text.of(row))
    weight = 0.05 if share is None else share / max(1e-6, 1.0 - min(share, 0.9999))
    return [ramp_source(texts, weight)]


def ramp_source(texts: Sequence[recipes.Text], weight: float) -> ReaderSource:
    """Self-made questions over passages."""
    passages = Unlabelled.of(texts)
    return Source("self-made", range(len(texts)), passages.cloze, 2 * weight, weight)


def collection_source(data_dir: Path, name: str) -> ReaderSource:
    """Self-made questions over the documents of an ingested collection, but those held out.

    NotFoundError for an unknown collection, InputError for one too small.
    """
    learn, _ = collection_texts(data_dir, name)
    return ramp_source(learn, 0.8)


def held_out_questions(data_dir: Path, name: str, limit: int = 300) -> list[ReaderExample]:
    """Self-made questions with an answer over the documents that `collection_source` holds out."""
    _, held_out = collection_texts(data_dir, name)
    passages, rng = Unlabelled.of(held_out), random.Random(0)
    made = (passages.cloze(rng.randrange(len(held_out)), rng, 1.0) for _ in range(20 * limit))
    return list(islice((one for one in made if one is not None and one.kind == "span"), limit))


def world_source(seeds: Sequence[int], seed: int, questions: int = 60) -> ReaderSource:
    """Examples of closed fictional worlds: table rows, letters, minutes, hops with their notes before."""
    made = world_examples(seeds, questions, seed)
    return Source("worlds", made, recipes.ready, 1.0, 1.0)


def trained_on(found: Sequence[ReaderSource]) -> tuple[set[str], set[str]]:
    """(questions, texts of gold passages) of all sources: what the leak audit looks at."""
    questions: set[str] = set()
    gold: set[str] = set()
    for source in found:
        passages = getattr(source.make, "__self__", None)
        if isinstance(passages, Unlabelled):
            gold.update(text.text for text in passages.texts)
            continue
        questions.update(record.question for record in source.records)
        gold.update(text.text for one in source.records if isinstance(one, Asked) for text in one.gold)
    return questions, gold


def calibration_set(folder: Path, audit: LeakAudit) -> list[Asked]:
    """Questions of the SQuAD 2 training half that `sources` holds out."""
    return asked(folder, "squad2_dev_half", audit)[::HELD_OUT]


def asked(folder: Path, name: str, audit: LeakAudit | None, split: str = "train") -> list[Asked]:
    """A set's questions with their passages; `audit` None keeps all (development splits)."""
    if not (folder / name / "corpus.jsonl").is_file():
        return []
    corpus = read_corpus(folder / name)
    shown = {key: recipes.Text.of(row) for key, row in corpus.items()}
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
            gold=tuple(shown[key] for key in question["supporting"]),
            near=tuple(shown[key] for key in others),
            context=tuple(
                shown[key] for key in question.get("context", ()) if key not in question["supporting"]
            ),
            start=question["meta"].get("answer_start"),
            sentences=tuple(
                (corpus[s["pid"]]["title"], s["text"]) for s in question.get("supporting_sentences", ())
            ),
        )
        for question, others in zip(questions, near, strict=True)
    ]
