"""Cases for the scenarios from public question sets in a data folder (FORAGE_DATA). No text of theirs is kept."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from index.errors import InputError
from training.data import QAExample, load_corpus, load_questions
from training.metrics import normalize
from training.rewards.contract import Passage
from training.rewards.guards import spelled_names
from training.rewards.scenarios import Case, Lie, false_passage
from training.rewards.sentences import sentences
from training.rewards.typed import answer_kind

SETS = (
    "2wiki_distractor", "hotpotqa_distractor", "musique_distractor", "squad2_dev_half", "hotpotqa_insufficient",
    "ramdocs", "nq_swap",
)  # fmt: skip
NOISE = 4
LONGEST = 60  # words of a passage that takes the place of a sentence
_DATE = re.compile(
    r"\b(?:\d{1,2} )?(?:January|February|March|April|May|June|July|August|September|October|November|December)"
    r"(?: \d{1,2},)? \d{4}\b"
)
_NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")


def set_cases(folder: Path, name: str, limit: int, seed: int = 0, split: str = "dev") -> list[Case]:
    """Up to `limit` cases of a question set, drawn by the seed.

    Left out: questions whose answer stands word by word in none of their gold passages, and those for which the
    passages hold no other answer of the same kind. Raises InputError for a folder that is not there.
    """
    root = folder / name
    if not root.is_dir():
        raise InputError(f"There is no question set {root}. Expected corpus.jsonl and {split}.jsonl in it.")
    examples = list(load_questions(root / f"{split}.jsonl"))
    random.Random(f"{name}/{seed}").shuffle(examples)
    rows = {row.id: Passage(row.id, row.text, 0.5) for row in load_corpus(root)}
    pool = sorted(rows)
    made: list[Case] = []
    for example in examples:
        draw = random.Random(f"{example.id}/{seed}")
        found = _case(example, name, rows, pool, draw)
        if found is not None:
            made.append(found)
        if len(made) == limit:
            break
    return made


def _case(
    example: QAExample, name: str, rows: Mapping[str, Passage], pool: Sequence[str], draw: random.Random
) -> Case | None:
    shown = [rows[pid] for pid in example.context if pid not in example.supporting]
    noise = [_short(p) for p in (shown + [rows[pid] for pid in draw.sample(pool, NOISE)])][: max(NOISE, 2)]
    if example.unanswerable:
        return _unanswerable(example, name, rows, noise, draw)
    gold = [rows[pid] for pid in _hop_order(example, rows)]
    bearing = gold[-1] if gold else None
    answer = next((a for a in example.answers if bearing and a in bearing.text), None)
    closed = example.answers[0] if normalize(example.answers[0]) in ("yes", "no") else None
    if bearing is None or (answer or closed) is None:
        return None
    stated = answer or closed or ""
    lines = tuple(_bearing(p, stated if p is bearing else "", example.question) for p in gold)
    decoy = _decoy(stated, example, [p.text for p in (*noise, *gold)], draw)
    if not decoy:
        return None
    lies = _labelled_lies(example, rows) or tuple(
        filter(None, [false_passage(bearing, lines[-1], stated, decoy)] if len(gold) < 3 else [])
    )
    return Case(
        example.id, name, example.question, (stated, *example.answers), tuple(gold), lines, tuple(noise), decoy,
        _bridge(lines, example.question, stated), lies,
    )  # fmt: skip


def _unanswerable(
    example: QAExample, name: str, rows: Mapping[str, Passage], noise: list[Passage], draw: random.Random
) -> Case | None:
    """What is left of the evidence is shown with the rest, and gives the wrong answer."""
    near = [_short(rows[pid]) for pid in example.supporting]
    wanted = example.answers[0] if example.answers else "Anyone Else"
    decoy = _decoy(wanted, example, [p.text for p in (*near, *noise)], draw)
    return Case(example.id, name, example.question, noise=(*near, *noise), decoy=decoy) if decoy else None


def _hop_order(example: QAExample, rows: Mapping[str, Passage]) -> list[str]:
    """Gold passages with the one that bears the answer last; of several equal witnesses (ramdocs) one."""
    labels = {doc["pid"]: doc for doc in example.meta.get("docs", ())}
    if labels:
        right = [
            pid
            for pid, doc in labels.items()
            if doc["label"] == "correct" and doc["answer"] in example.answers
        ]
        return right[:1]
    holding = [pid for pid in example.supporting if any(a in rows[pid].text for a in example.answers)]
    last = holding[-1:] or list(example.supporting[-1:])
    return [pid for pid in example.supporting if pid not in last] + last


def _labelled_lies(example: QAExample, rows: Mapping[str, Passage]) -> tuple[Lie, ...]:
    """Passages that the set itself labels as misinformation, with the answer they give."""
    found = []
    for doc in example.meta.get("docs", ()):
        if doc["label"] == "misinfo" and doc["answer"] in rows[doc["pid"]].text:
            passage = rows[doc["pid"]]
            found.append(Lie(passage, _bearing(passage, doc["answer"], example.question), doc["answer"]))
    return tuple(found[:1])


def _bearing(passage: Passage, answer: str, question: str) -> str:
    """The sentence that holds the answer; without one, that with most of the question's words."""
    read = sentences(passage.text) or [passage.text]
    holding = [s for s in read if answer and answer in s] or read
    asked = set(normalize(question).split())
    return max(holding, key=lambda s: len(asked & set(normalize(s).split())))


def _short(passage: Passage) -> Passage:
    """A passage no longer than a long sentence, so that runs of a pair stay alike in length."""
    first = (sentences(passage.text) or [passage.text])[0]
    return Passage(passage.id, " ".join(first.split()[:LONGEST]), passage.score)


def _bridge(lines: Sequence[str], question: str, answer: str) -> str:
    """A name that the first two gold sentences share and the question does not say."""
    if len(lines) < 2:
        return ""
    later = " ".join(lines[1:])
    names = [n for n in spelled_names(lines[0]) if n in later and n not in question and n != answer]
    return max(names, key=len, default="")


def _decoy(gold: str, example: QAExample, texts: Sequence[str], draw: random.Random) -> str:
    """Another answer of the kind of the gold one, from the passages at hand."""
    if normalize(gold) in ("yes", "no"):
        return "no" if normalize(gold) == "yes" else "yes"
    known = {normalize(answer) for answer in (*example.answers, gold)}
    found = [c for c in _candidates(gold, texts) if _differs(c, known) and c not in example.question]
    return draw.choice(sorted(set(found))) if found else ""


def _candidates(gold: str, texts: Sequence[str]) -> Iterator[str]:
    kind = answer_kind(gold)
    for text in texts:
        if kind == "date" and not gold.isdigit():
            yield from _DATE.findall(text)
        elif kind in ("number", "date"):
            yield from (n for n in _NUMBER.findall(text) if len(n) == len(gold) or kind == "number")
        else:
            yield from spelled_names(text)


def _differs(candidate: str, known: set[str]) -> bool:
    """Shares no word with a gold answer: "Vell" for "Mira Vell" would not be wrong."""
    words = set(normalize(candidate).split())
    return bool(words) and not any(words & set(answer.split()) for answer in known)
