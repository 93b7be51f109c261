"""Training examples of the reader: (question, text, span or kind) from the public training splits.

Every source has its own recipe: single passages with a marked span; unanswerable pairs; the two gold
passages of a multi-hop question side by side, in both orders; and one gold passage alone, which must
read as "not here" when the answer needs the other.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.world import World
from training.world.records import Question, WorldDocument

SINGLE = ("squad1_duetest", "squad1_routerlens_dev", "squad2_dev_half", "qed_nq", "nq_swap")
MULTI = ("hotpotqa_distractor", "2wiki_distractor", "musique_distractor")


@dataclass(frozen=True, slots=True)
class ReaderExample:
    """`kind` is none, span, yes or no; start and end are characters of `text` for spans."""

    question: str
    text: str
    kind: str
    start: int = 0
    end: int = 0


def examples(folder: Path, split: str, seed: int, negatives: float = 0.3) -> list[ReaderExample]:
    """All examples of a split, shuffled. `negatives`: chance of a hard negative for each single question."""
    rng = random.Random(seed)
    found: list[ReaderExample] = []
    for name in SINGLE:
        found += _single(folder / name, split, rng, negatives)
    for name in MULTI:
        found += _multi(folder / name, split, rng)
    rng.shuffle(found)
    return found


def world_examples(seeds: Sequence[int], questions: int, seed: int, size: int = 120) -> list[ReaderExample]:
    """Examples from closed fictional worlds: table rows, letters and minutes, hops with their notes before.

    `questions` of each type for each world. The bundled example collection's own seed is never among them.
    """
    rng = random.Random(seed)
    found: list[ReaderExample] = []
    for number in seeds:
        world = World.generate(number, size)
        documents = {document.id: document for document in world.documents()}
        for question in world.questions(questions, seed):
            found += _from_world(question, documents, rng)
    rng.shuffle(found)
    return found


def _from_world(
    question: Question, documents: Mapping[str, WorldDocument], rng: random.Random
) -> Iterator[ReaderExample]:
    if question.type == "comparison":
        return
    if not question.answerable:
        named = [d for d in documents.values() if d.title in question.text]
        near = named or [
            d for d in documents.values() if any(w in d.title for w in question.text.split()[-3:-1])
        ]
        for document in rng.sample(near, min(2, len(near))):
            yield ReaderExample(question.text, _around(document, "", rng), "none")
        return
    *before, last = question.evidence
    lead = "".join(f"{documents[e.document].title}\n{e.quote}\n" for e in before)
    body = _around(documents[last.document], last.quote, rng)
    at = body.find(last.quote)
    for answer in question.answers if at >= 0 else ():
        start = body.find(answer, at, at + len(last.quote))
        if start >= 0:
            shift = len(lead) + start
            yield ReaderExample(question.text, lead + body, "span", shift, shift + len(answer))
            break
    if before:  # the first hop alone does not answer
        first = documents[before[0].document]
        yield ReaderExample(question.text, _around(first, before[0].quote, rng), "none")


def _around(document: WorldDocument, quote: str, rng: random.Random, limit: int = 620) -> str:
    """Title and a stretch of the document that holds the quote."""
    lines: list[str] = []
    for block in document.blocks:
        if block.kind == "table":
            pairs = [zip(block.header, row.cells, strict=True) for row in block.rows]
            lines += ["; ".join(f"{name}: {cell}" for name, cell in row) for row in pairs]
        else:
            lines.append(block.text)
    text = "\n".join(lines)
    at = max(text.find(quote), 0)
    low = max(0, at + len(quote) - limit)
    start = rng.randint(low, at) if at > low else low
    while start > 0 and text[start - 1] not in " \n":
        start -= 1
    return f"{document.title}\n{text[start : start + limit]}"


def shown(passage: Mapping[str, str]) -> str:
    """A passage as the reader sees it: title, then text."""
    return f"{passage['title']}\n{passage['text']}" if passage["title"] else passage["text"]


def _single(folder: Path, split: str, rng: random.Random, negatives: float) -> Iterator[ReaderExample]:
    corpus = _corpus(folder)
    by_title: dict[str, list[str]] = {}
    for key, passage in corpus.items():
        by_title.setdefault(passage["title"], []).append(key)
    for question in _lines(folder / f"{split}.jsonl"):
        gold = next(iter(question["supporting"]), None)
        if gold is None:
            continue
        passage = corpus[gold]
        text = shown(passage)
        shift = len(text) - len(passage["text"])
        if not question["answers"]:
            yield ReaderExample(question["question"], text, "none")
            continue
        span = _span(question, passage["text"])
        if span is None:
            continue
        # A long passage is cut around its answer, as the windows of the live reader do.
        text, start, end = _window(text, shift + span[0], shift + span[1], rng)
        yield ReaderExample(question["question"], text, "span", start, end)
        if rng.random() < negatives:
            near = [k for k in by_title[passage["title"]] if k != gold]
            other = corpus[rng.choice(near)] if near else corpus[rng.choice(list(corpus))]
            if not any(answer.lower() in other["text"].lower() for answer in question["answers"]):
                yield ReaderExample(question["question"], _window(shown(other), 0, 1, rng)[0], "none")


def _multi(folder: Path, split: str, rng: random.Random) -> Iterator[ReaderExample]:
    corpus = _corpus(folder)
    for question in _lines(folder / f"{split}.jsonl"):
        if not question["answers"] or not question["supporting"]:
            continue
        answer = question["answers"][0]
        gold = [corpus[key] for key in question["supporting"]]
        sentences: dict[str, list[str]] = {}
        for sentence in question.get("supporting_sentences", ()):
            sentences.setdefault(sentence["pid"], []).append(sentence["text"])
        for _ in range(2):
            rng.shuffle(gold)
            parts = []
            for passage in gold:
                short = " ".join(sentences.get(passage["id"], ())) or passage["text"][:450]
                parts.append(f"{passage['title']}\n{short if rng.random() < 0.5 else passage['text'][:450]}")
            yield from _joined(question["question"], "\n".join(parts), answer)
        alone = gold[0]
        if (
            len(gold) > 1
            and answer.lower() not in ("yes", "no")
            and answer.lower() not in shown(alone).lower()
        ):
            yield ReaderExample(question["question"], shown(alone)[:900], "none")


def _joined(question: str, text: str, answer: str) -> Iterator[ReaderExample]:
    if answer.lower() in ("yes", "no"):
        yield ReaderExample(question, text, answer.lower())
        return
    at = text.lower().rfind(answer.lower())
    if at >= 0:
        yield ReaderExample(question, text, "span", at, at + len(answer))


def _span(question: Mapping[str, Any], text: str) -> tuple[int, int] | None:
    for answer in question["answers"]:
        start = question["meta"].get("answer_start")
        if start is None or text[start : start + len(answer)] != answer:
            start = text.find(answer)
        if start >= 0 and answer:
            return start, start + len(answer)
    return None


def _window(text: str, start: int, end: int, rng: random.Random, limit: int = 620) -> tuple[str, int, int]:
    if len(text) <= limit:
        return text, start, end
    low, high = max(0, end - limit), min(start, len(text) - limit)
    cut = rng.randint(low, high) if low < high else low
    while cut > 0 and not text[cut - 1].isspace():
        cut -= 1
    return text[cut : cut + limit], start - cut, end - cut


def _corpus(folder: Path) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in _lines(folder / "corpus.jsonl")}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
