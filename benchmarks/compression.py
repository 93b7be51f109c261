"""How few tokens hold the evidence: packed output against whole passages and against TeaRAG's concatenation.

    python -m benchmarks.compression                              # dev questions of FORAGE_DATA
    python -m benchmarks.compression --data DIR --split train --limit 200 --json OUT

All three start from the same ranked passages. `top k`: the best k passages whole. `chunks + triplets`: the best
k passages whole, then the ten triplets of theirs nearest to the question. `packed`: index.evidence_pack, by how
sure a sentence must be to be kept (`worth`, under a budget that hardly ever binds), and by budget. Context is
counted as a reader would get it: each passage's title once, then what is kept of it.
Answer recall: share of questions whose answer stands in the context as words (yes and no left out). Evidence
recall: share of the supporting sentences in it, where the set marks them, else of the gold passages.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import clock, data_root, facts, spread, stop_with
from index.encoders import count_tokens, load_embedder
from index.errors import InputError, StoreError
from index.evidence_pack import WORTH, pack_evidence
from index.features import Asked, covered
from index.graph_cache import GraphCache
from index.knowledge import triplets_of
from index.retrieve import Searcher
from index.store import Store
from index.types import Hit, Mode, Scope
from index.words import stems_of
from training import report
from training.benchmark_index import open_index
from training.data import QAExample, load_questions, open_data, question_files
from training.evidence import locate
from training.metrics import normalize

POOLS = ("2wiki_distractor", "musique_distractor", "hotpotqa_distractor", "qed_nq", "squad2_dev_half")
DEPTHS = (1, 2, 3, 4, 5, 7, 10)
WORTHS = (0.3, 0.2, 0.15, 0.1, 0.08, 0.07, 0.06, 0.05, 0.045, 0.04, 0.035, 0.03)
BUDGETS = (100, 150, 200, 300, 400)
AMPLE = 1000  # tokens of the budget where `worth` decides
TRIPLETS = 10  # of TeaRAG's concatenation
AIM = 5  # passages whose answer recall the packed context should reach
STRICT = "2wiki_distractor"  # only its first answer is not an alias that may be wrong

Span = tuple[str, int, int]  # document id, characters of its text


@dataclass(frozen=True, slots=True)
class Found:
    """A question with what search found for it and what it should find."""

    answers: tuple[str, ...]  # normalised; empty for yes and no
    gold: tuple[Span, ...]  # supporting sentences or whole gold passages
    whole: bool  # gold are passages: any part of one counts
    question: str
    hits: tuple[Hit, ...]
    asked: Asked
    entities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a context. A triplet says something of its span without holding its text."""

    title: str
    text: str
    span: Span
    quotes: bool = True


@dataclass(slots=True)
class Tally:
    """Values of one method at one setting, one for each question it can be judged by."""

    tokens: list[float]
    answers: list[float]
    evidence: list[float]

    def to_dict(self) -> dict[str, float | None]:
        means = {
            "tokens": self.tokens,
            "answer_recall": self.answers,
            "evidence_recall": self.evidence,
        }
        return {name: round(float(np.mean(v)), 4) if v else None for name, v in means.items()}


def main() -> None:
    """Measure every pool and print its curve."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, action="append", help="a pool's folder; may be given again")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--limit", type=int, help="only the first N questions of each pool")
    parser.add_argument("--mode", default="ranked", help="search mode the passages come from")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    results = {}
    try:
        for folder in options.data or [data_root() / name for name in POOLS]:
            store, found = collect(folder, options.split, options.limit, options.mode)
            results[folder.name] = pool = curve(store, found)
            store.close()
            report.show(grid(folder.name, pool), markdown=options.markdown)
            print(verdict(pool), flush=True)
    except (InputError, StoreError) as error:
        stop_with(error)
    if options.json:
        report.write_json(
            report.open_output(options.json), {"pools": results, **facts("compression", options)}
        )


def collect(folder: Path, split: str, limit: int | None, mode: Mode) -> tuple[Store, list[Found]]:
    """The questions of a pool with their ten best passages, and the open store they stand in."""
    data, embedder = open_data(folder), load_embedder()
    files = question_files(data, split)
    examples = [e for e in load_questions(*files) if e.supporting and not e.unanswerable][:limit]
    if not examples:
        raise InputError(f"No question of {data.name} names its passages, so there is nothing to measure.")
    index = open_index(data, examples, embedder)
    sentences = _supporting_sentences(files)
    searcher, scope = Searcher(index.store, embedder), Scope(collections=(index.collection,))
    _, linker = GraphCache(index.store).current(index.store.collection_id(index.collection))
    vectors = embedder.embed([e.question for e in examples])
    found = []
    for example, vector in zip(report.track(examples, len(examples), data.name), vectors, strict=True):
        marked = sentences.get(example.id, [])
        ids = index.locator.ids_by_source
        spans = [_sentence_span(index.store, ids[pid], text) for pid, text in marked if pid in ids]
        known = tuple(span for span in spans if span is not None)
        passages = tuple((ids[pid], 0, 10**9) for pid in example.supporting)
        found.append(
            Found(
                answers=_answers(example, data.name),
                gold=known or passages,
                whole=not known,
                question=example.question,
                hits=searcher.search_vector(example.question, vector, max(DEPTHS), mode, scope),
                asked=searcher.asked(example.question, scope),
                entities=tuple(dict.fromkeys(link.key for link in linker.link(example.question))),
            )
        )
    return index.store, found


def curve(store: Store, found: Sequence[Found]) -> dict[str, Any]:
    """Every method at every setting: method -> setting -> values."""
    methods: dict[str, dict[str, Any]] = {"top k": {}, "chunks + triplets": {}, "packed": {}}
    for depth in DEPTHS:
        methods["top k"][str(depth)] = measure([(one, passages(one, depth)) for one in found])
        both = [(one, [*passages(one, depth), *triplets(store, one, depth)]) for one in found]
        methods["chunks + triplets"][str(depth)] = measure(both)
    for worth in WORTHS:
        contexts = [(one, packed(store, one, AMPLE, worth)) for one in found]
        methods["packed"][f"worth {worth}"] = measure(contexts)
    for budget in BUDGETS:
        methods["packed"][f"budget {budget}"] = measure([(one, packed(store, one, budget)) for one in found])
    return {
        "packing_ms": spread([_milliseconds(store, one) for one in found]),
        "questions": len(found),
        "with_answer": sum(bool(one.answers) for one in found),
        "methods": methods,
    }


def passages(found: Found, depth: int) -> list[Piece]:
    """The best passages whole."""
    return [
        Piece(p.title, p.text, (p.document_id, p.start, p.end))
        for p in (hit.passage for hit in found.hits[:depth])
    ]


def triplets(store: Store, found: Found, depth: int) -> list[Piece]:
    """The triplets of the best passages that share most with the question."""
    held = {hit.passage.id: hit.passage for hit in found.hits[:depth]}
    scored = []
    for key, _, subject, relation, other in triplets_of(store.connection, list(held)):
        text = f"{subject} {relation} {other}"
        scored.append((-covered(found.asked, frozenset(stems_of(text))), key, text))
    return [
        Piece("", text, (held[key].document_id, held[key].start, held[key].end), quotes=False)
        for _, key, text in sorted(scored)[:TRIPLETS]
    ]


def packed(store: Store, found: Found, budget: int, worth: float = WORTH) -> list[Piece]:
    """What index.evidence_pack keeps."""
    items = pack_evidence(store, found.question, found.asked, found.entities, found.hits, budget, worth)
    return [
        Piece(
            "" if item.kind == "triplet" else item.title,
            item.text,
            (item.document_id, item.start, item.end),
            quotes=item.kind != "triplet",
        )
        for item in items
    ]


def _milliseconds(store: Store, found: Found) -> float:
    began = clock()
    packed(store, found, AMPLE)
    return (clock() - began) * 1000


def measure(contexts: Sequence[tuple[Found, Sequence[Piece]]]) -> dict[str, float | None]:
    """Means over the questions."""
    tally = Tally([], [], [])
    texts = [written(pieces) for _, pieces in contexts]
    for (found, pieces), text, size in zip(contexts, texts, count_tokens(texts), strict=True):
        tally.tokens.append(float(size))
        if found.answers:
            read = f" {normalize(text)} "
            tally.answers.append(float(any(f" {answer} " in read for answer in found.answers)))
        tally.evidence.append(float(np.mean([_covers(pieces, gold, found.whole) for gold in found.gold])))
    return tally.to_dict()


def written(pieces: Sequence[Piece]) -> str:
    """A context as a reader gets it: documents in order of their best piece, each piece in reading order."""
    groups: dict[str, list[Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.span[0] if piece.quotes else "", []).append(piece)
    blocks = []
    for key, group in groups.items():
        ordered = sorted(group, key=lambda piece: piece.span[1]) if key else group
        title = f"{group[0].title}: " if key and group[0].title else ""
        blocks.append(title + (" " if key else "; ").join(piece.text for piece in ordered))
    return "\n".join(blocks)


def grid(name: str, pool: dict[str, Any]) -> report.Grid:
    """The curve of a pool."""
    rows = [
        (
            f"{method}, {setting}",
            report.number(values["tokens"], 0),
            report.percent(values["answer_recall"]),
            report.percent(values["evidence_recall"]),
        )
        for method, settings in pool["methods"].items()
        for setting, values in settings.items()
    ]
    title = f"{name}: {pool['questions']} questions, {pool['with_answer']} with an answer in words"
    return report.Grid(title, ("", "tokens", "answer recall", "evidence recall"), tuple(rows))


def verdict(pool: dict[str, Any]) -> str:
    """Whether packed output reaches the answer recall of the best five passages, and at which share of tokens."""
    aim = pool["methods"]["top k"][str(AIM)]
    reached = [
        (values["tokens"], setting, values)
        for setting, values in pool["methods"]["packed"].items()
        if values["answer_recall"] >= aim["answer_recall"]
    ]
    ms = "Packing takes {p50:.1f} ms a question (p95 {p95:.1f}).\n".format(**pool["packing_ms"])
    if reached:
        tokens, setting, _ = min(reached, key=lambda one: (one[0], one[1]))
        share = tokens / aim["tokens"]
        return (
            f"Packed reaches the answer recall of the top {AIM} passages ({report.percent(aim['answer_recall'])})"
            f" at {setting}: {tokens:.0f} of {aim['tokens']:.0f} tokens, {share:.0%}. {ms}"
        )
    best = max(pool["methods"]["packed"].values(), key=lambda values: values["answer_recall"])
    return (
        f"Packed stays below the answer recall of the top {AIM} passages: {report.percent(best['answer_recall'])}"
        f" with {best['tokens']:.0f} tokens against {report.percent(aim['answer_recall'])} with"
        f" {aim['tokens']:.0f}. {ms}"
    )


def _answers(example: QAExample, pool: str) -> tuple[str, ...]:
    texts = example.answers[:1] if pool == STRICT else example.answers
    normal = [normalize(text) for text in texts]
    return tuple(dict.fromkeys(text for text in normal if text and text not in ("yes", "no")))


def _supporting_sentences(files: Sequence[Path]) -> dict[str, list[tuple[str, str]]]:
    """Question id -> (passage id, sentence) as the set marks them."""
    found = {}
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line) if line.strip() else {}
            if row.get("supporting_sentences"):
                found[row["id"]] = [(one["pid"], one["text"]) for one in row["supporting_sentences"]]
    return found


def _sentence_span(store: Store, document_id: str, sentence: str) -> Span | None:
    span = locate(re.sub(r"\s+", " ", sentence).strip(), store.document_text(document_id))
    return (document_id, *span) if span else None


def _covers(pieces: Sequence[Piece], gold: Span, whole: bool) -> bool:
    """Whether more than half of a gold sentence stands in the pieces, or any part of a gold passage."""
    inside = 0
    for piece in pieces:
        document, start, end = piece.span
        if piece.quotes and document == gold[0]:
            inside += max(0, min(end, gold[2]) - max(start, gold[1]))
    return inside > (0 if whole else 0.5 * (gold[2] - gold[1]))


if __name__ == "__main__":
    main()
