"""Where training questions come from: labelled sets, a person's own collection, and chats with feedback.

Whatever the source, a question ends up as `Asked`: the text, where it may look, and what is known to be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from random import Random

from index.encoders import load_embedder
from index.errors import InputError
from index.store import Store
from index.types import Scope
from training.benchmark_index import open_index
from training.data import QAExample, load_questions, open_data, question_files
from training.policy.collect import Asked
from training.policy.feedback import feedback_questions
from training.policy.self_made import own_questions
from training.policy.trees import Tree

SETS = ("squad2_dev_half", "2wiki_distractor", "popqa_1000", "musique_distractor", "squad1_duetest",
        "hotpotqa_distractor")  # fmt: skip
UNTITLED = (
    "squad2_dev_half",
    "2wiki_distractor",
    "musique_distractor",
    "squad1_duetest",
)  # asked without titles too
COLLECTION = "forage.db"


def gather(
    folders: Sequence[Path],
    *,
    split: str,
    limit: int | None,
    cache: Path | None,
    seed: int,
    questions: Sequence[Path] = (),
    logs: bool = False,
    untitled: int = 0,
) -> list[Asked]:
    """Questions of data folders, sets mixed one by one so that any beginning of the list is balanced.

    A folder is a question set, a folder of question sets, or a data folder of Forage (then the questions are made
    from its documents, and with `logs` from its chats). `limit` is for each set; `untitled` more questions of each
    set of UNTITLED are asked over passages without titles, as people's documents often are. Raises InputError for
    anything else.
    """
    columns: list[list[Asked]] = []
    for folder in folders:
        if (folder / COLLECTION).is_file():
            columns += _collection(folder, limit or 60, seed, logs)
            continue
        for one in _sets(folder):
            columns.append(_labelled(one, split, limit, cache, seed, questions))
            if untitled and one.name in UNTITLED:
                columns.append(_labelled(one, split, untitled, cache, seed + 1, questions, titles=False))
    mixed = [asked for row in zip_longest(*columns) for asked in row if asked is not None]
    if not mixed:
        raise InputError("There are no questions in " + ", ".join(map(str, folders)) + ".")
    return mixed


def _sets(folder: Path) -> list[Path]:
    inner = [folder / name for name in SETS if (folder / name / "corpus.jsonl").is_file()]
    return inner or [folder]


def _labelled(
    folder: Path, split: str, limit: int | None, cache: Path | None, seed: int, questions: Sequence[Path],
    titles: bool = True,
) -> list[Asked]:  # fmt: skip
    data = open_data(folder)
    examples = list(load_questions(*question_files(data, split, questions)))
    examples = [example for example in examples if not example.is_talk]
    if limit is not None and limit < len(examples):
        Random(f"forage-policy/{seed}/{data.name}").shuffle(examples)
        examples = examples[:limit]
    with open_index(data, examples, load_embedder(), cache, titles) as index:
        scope, data_dir = Scope((index.collection,)), str(index.store.data_dir)
        found = []
        for example in examples:
            gold = tuple(dict.fromkeys(item.document_id for item in index.locator.gold_of(example)))
            source = data.name if titles else f"{data.name} untitled"
            found.append(Asked(_blank(example, source, gold), data_dir, scope))
    return found


def _blank(example: QAExample, source: str, gold: tuple[str, ...]) -> Tree:
    return Tree(
        example.id, example.question, source, (), (), golds=example.answers, evidence=gold,
        answerable=not example.unanswerable,
    )  # fmt: skip


def _collection(folder: Path, count: int, seed: int, logs: bool) -> list[list[Asked]]:
    store = Store.open(folder)
    try:
        columns = [own_questions(store, count, seed)]
        if logs:
            columns.append([Asked(blank, str(folder), Scope()) for blank in feedback_questions(folder)])
        return columns
    finally:
        store.close()
