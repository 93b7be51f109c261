"""Trajectories of the live agent as episodes that rewards can score, with gold where a question set knows it.

A trajectory is read as the JSON it was logged as, and leniently: what an older or a newer agent did not log is
left out, so that a reward which needs it says None.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from index.store import Store
from index.types import Vectors
from training.data import QAExample
from training.evidence import locate
from training.metrics import normalize
from training.rewards.contract import Citation, Episode, Evidence, Passage, Step
from training.rewards.guards import names

Record = Mapping[str, Any]
STOPPING = frozenset({"enough", "memory", "answer", "stop", "finish", "conclude", "abstain"})
_ASKED = re.compile(r"^find(?: again)?\b:?\s*", re.I)  # how the agent words a goal


@dataclass(frozen=True, slots=True)
class Gold:
    """What a question set knows of a question."""

    answers: tuple[str, ...]
    answerable: bool
    evidence: tuple[Evidence, ...] = ()


def episode_from(record: Record, texts: Mapping[str, str] | None = None, gold: Gold | None = None) -> Episode:
    """One logged trajectory. `texts`: passage texts by id, for the rewards that read what was shown."""
    answer: Record = record.get("answer") or {}
    kind = answer.get("kind", "answer")
    ended = {"answer": "answer", "abstention": "abstain"}.get(str(kind), "talk")
    cost: Record = answer.get("cost") or {}
    written = int(cost.get("prompt_tokens", 0)) + int(cost.get("completion_tokens", 0))
    made = Episode(
        question=str(record.get("question", "")),
        answer=str(answer.get("short", "")),
        text="" if ended == "abstain" else str(answer.get("text", "")),
        abstained=ended == "abstain",
        confidence=answer.get("confidence"),
        citations=tuple(_citation(found) for found in answer.get("citations", ())),
        steps=(*_searches(record, texts or {}), Step(ended, tokens=written)),
        well_formed=answer.get("stopped") != "cancelled",
    )
    return made if gold is None else with_gold(made, gold)


def with_gold(episode: Episode, gold: Gold) -> Episode:
    """The episode with gold answers and evidence; each search labelled useful if it showed new gold evidence."""
    wanted, seen, steps = {item.id for item in gold.evidence}, set[str](), []
    for step in episode.steps:
        if step.searched and wanted:
            useful = bool(wanted & set(step.ids) - seen)
            step = replace(step, useful=useful, relevance=float(useful))
        seen |= set(step.ids)
        steps.append(step)
    quotes = tuple(dict.fromkeys(item.text for item in gold.evidence if item.text))
    return replace(
        episode, golds=gold.answers, answerable=gold.answerable, evidence=gold.evidence, steps=tuple(steps),
        reference=" ".join(quotes), nuggets=quotes,
    )  # fmt: skip


def _citation(found: Record) -> Citation:
    return Citation(
        str(found.get("passage_id", "")), str(found.get("quote", "")), int(found.get("start", 0)),
        int(found.get("end", 0)), found.get("supported"),
    )  # fmt: skip


def _searches(record: Record, texts: Mapping[str, str]) -> list[Step]:
    """Each search with its goal before it and what was read and decided after it."""
    made: list[Step] = []
    goal = str(record.get("question", ""))
    for step in record.get("steps", ()):
        detail: Record = step.get("detail") or {}
        if step.get("stage") == "goal" and detail.get("text"):
            goal = _ASKED.sub("", str(detail["text"]))
        elif "hits" in detail:
            made.append(_search(step, detail, goal, texts))
        elif made:
            made[-1] = _after(made[-1], step, detail)
    return made


def _search(step: Record, detail: Record, goal: str, texts: Mapping[str, str]) -> Step:
    ids = [(str(hit["passage_id"]), float(hit.get("score", 0.0))) for hit in detail["hits"]]
    return Step(
        "search",
        goal=goal,
        query=str(detail.get("query", "")),
        key_entities=tuple(names(goal)),
        results=tuple(Passage(key, texts.get(key, ""), score) for key, score in ids),
        tokens=int(detail.get("tokens", 0)),
        milliseconds=1000 * float(step.get("seconds", 0.0)),
        valid=not step.get("error"),
    )


def _after(search: Step, step: Record, detail: Record) -> Step:
    """A search with what a later stage says of it: sentences that were read, the verdict and its probability."""
    read = " ".join(str(found.get("text", "")) for found in detail.get("best", ()))
    if read:
        search = replace(search, summary=f"{search.summary} {read}".strip())
    decision: Record = step.get("decision") or {}
    options = {str(option) for option in decision.get("options", ())}
    if not options & STOPPING or not options - STOPPING:
        return search  # no choice between stopping and going on
    stop = stop_probability(decision)
    return replace(search, accepted=decision.get("chosen") in STOPPING, stop=stop)


def stop_probability(decision: Record) -> float | None:
    """The probability of all choices that end the search; from the chosen one's alone where only that was logged.

    >>> stop_probability({"options": ["enough", "look further"], "chosen": "look further", "probability": 0.75})
    0.25
    """
    listed = decision.get("probabilities")
    if listed:
        pairs = (
            listed.items() if isinstance(listed, Mapping) else zip(decision["options"], listed, strict=False)
        )
        return sum(float(p) for option, p in pairs if option in STOPPING)
    given = decision.get("probability")
    if given is None:
        return None
    return float(given) if decision.get("chosen") in STOPPING else 1 - float(given)


def shown_ids(records: Iterable[Record]) -> list[int]:
    """Passage ids that the trajectories showed or cited, each once."""
    found: dict[int, None] = {}
    for record in records:
        for step in record.get("steps", ()):
            found.update((int(hit["passage_id"]), None) for hit in (step.get("detail") or {}).get("hits", ()))
        cited = (record.get("answer") or {}).get("citations", ())
        found.update((int(citation["passage_id"]), None) for citation in cited)
    return list(found)


def texts_of(store: Store, ids: Sequence[int]) -> dict[str, str]:
    """Texts by id; passages deleted since are left out."""
    return {str(passage.id): passage.text for passage in store.passages(ids)}


def vectors_of(store: Store, ids: Sequence[int]) -> dict[str, Vectors]:
    """The vectors that the store holds of these passages, by text; of equal texts the last one's."""
    vectors = store.vectors(ids)
    return {passage.text: vectors[passage.id] for passage in store.passages(ids)}


class GoldBook:
    """Gold of questions by their text, its evidence found among the passages of a store."""

    def __init__(self, store: Store, examples: Iterable[QAExample]) -> None:
        self._store = store
        self._examples = {normalize(example.question): example for example in examples if not example.is_talk}
        self._sources = [(document.source, document.id) for document in store.documents()]

    def gold(self, question: str) -> Gold | None:
        """What is known of a question; None for one that the question set does not hold."""
        example = self._examples.get(normalize(question))
        if example is None:
            return None
        quotes = [e for item in example.evidence if (e := self._quote(item.source, item.quote)) is not None]
        whole = [e for pid in example.supporting if (e := self._quote(pid, "")) is not None]
        return Gold(example.answers, not example.unanswerable, (*whole, *quotes))

    def _quote(self, source: str, quote: str) -> Evidence | None:
        """The passage of a file in which a quote stands; the file's first passage for an empty quote."""
        for document in self._documents(source):
            for passage in self._store.passages_of(document):
                if not quote or locate(quote, passage.text):
                    return Evidence(str(passage.id), quote or passage.text)
        return None

    def _documents(self, source: str) -> Collection[str]:
        tail = PurePath(source).parts
        return [key for path, key in self._sources if PurePath(path).parts[-len(tail) :] == tail]
