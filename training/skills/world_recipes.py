"""Reading examples from closed fictional worlds: table rows, letters and minutes, hops with their notes before."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

from training.skills.reader_recipes import ReaderExample
from training.world import World
from training.world.records import Question, WorldDocument


def world_examples(seeds: Sequence[int], questions: int, seed: int, size: int = 120) -> list[ReaderExample]:
    """Examples from closed fictional worlds, `questions` of each type for each world."""
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
            yield ReaderExample(question.text, lead + body, "span", ((shift, shift + len(answer)),))
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
