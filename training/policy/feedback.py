"""Chats with feedback as training questions: each cause says something else, and no voter counts for much.

A thumb up says that the answer was right. A thumb down says by its cause what was wrong: the answer, its evidence, that
it should have abstained, or that it should have answered. Votes are capped for each person and for each question.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from training.metrics import normalize
from training.policy.trees import Tree

FEEDBACK = "feedback"  # origin of such trees
PER_PERSON = 20  # questions of one person that count
SHARE = 0.1  # of all weight at most from one person, however few others voted
WEIGHT = 0.5  # of one vote beside a labelled question
CONVERSATIONS = "conversations.db"
SHOULD_ABSTAIN, SHOULD_ANSWER = "should_abstain", "should_answer"
# The chat's words for what was wrong -> ours.
CAUSES = {
    "wrong answer": "answer",
    "wrong evidence": "evidence",
    "should have abstained": SHOULD_ABSTAIN,
    "should have answered": SHOULD_ANSWER,
}


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's judgement of one answered question."""

    person: str
    question: str
    up: bool
    cause: str  # "", answer, evidence, should_abstain or should_answer
    answer: str  # the bare answer that was given
    abstained: bool
    evidence: tuple[str, ...] = ()  # documents it cited
    at: float = 0.0


def read_votes(data_dir: Path) -> list[Vote]:
    """Votes of a data folder's chats. Without accounts all chats of a folder are one person's.

    Empty where nobody chatted. Rows that cannot be read are left out: a chat is not a data format.
    """
    path = data_dir / CONVERSATIONS
    if not path.is_file():
        return []
    base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = base.execute(
            "SELECT question, trajectory, thumb, cause, created_at FROM messages WHERE thumb IS NOT NULL "
            "ORDER BY created_at"
        ).fetchall()
    finally:
        base.close()
    return [vote for row in rows if (vote := _vote(*row)) is not None]


def _vote(question: str, trajectory: str | None, thumb: int, cause: str, at: float) -> Vote | None:
    try:
        record: dict[str, Any] = json.loads(trajectory or "")
        answer = record["answer"]
        cited = tuple(dict.fromkeys(c["document_id"] for c in answer["citations"]))
        asked = record.get("asked") or question
        return Vote("owner", asked, thumb == 1, CAUSES.get(cause, ""), answer["short"],
                    answer["kind"] == "abstention", cited, at)  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return None


def capped(votes: Iterable[Vote]) -> list[Vote]:
    """At most PER_PERSON votes of a person, their newest, one a question."""
    newest: dict[tuple[str, str], Vote] = {}
    for vote in sorted(votes, key=lambda vote: vote.at):
        newest[vote.person, normalize(vote.question)] = vote
    by_person: dict[str, list[Vote]] = defaultdict(list)
    for vote in newest.values():
        by_person[vote.person].append(vote)
    return [vote for mine in by_person.values() for vote in sorted(mine, key=lambda v: v.at)[-PER_PERSON:]]


def lessons(votes: Sequence[Vote]) -> list[Tree]:
    """Questions with what the votes say is right, without explored paths.

    Where people disagree about one question, nobody is believed. A wrong answer without a better one is no gold, so
    it teaches nothing by itself; "should have abstained" makes the question unanswerable; "should have answered" makes
    it answerable without telling the answer.
    """
    by_question: dict[str, list[Vote]] = defaultdict(list)
    for vote in capped(votes):
        by_question[normalize(vote.question)].append(vote)
    made = []
    for key, said in sorted(by_question.items()):
        verdicts = {_verdict(vote) for vote in said}
        if len(verdicts) != 1:
            continue
        golds, answerable = verdicts.pop()
        if answerable is None:
            continue
        first = said[0]
        made.append(
            Tree(sha256(key.encode()).hexdigest()[:12], first.question, "feedback", (), (), golds=golds,
                 evidence=first.evidence if first.up else (), answerable=answerable, origin=FEEDBACK,
                 weight=WEIGHT)
        )  # fmt: skip
    return made


def _verdict(vote: Vote) -> tuple[tuple[str, ...], bool | None]:
    """(golds, answerable); answerable None where the vote says nothing that can be learned from."""
    if vote.up:
        return ((), False) if vote.abstained else ((vote.answer,), True) if vote.answer else ((), None)
    if vote.cause == SHOULD_ABSTAIN:
        return (), False
    return (), None


def feedback_questions(data_dir: Path) -> list[Tree]:
    """What a data folder's chats teach."""
    return lessons(read_votes(data_dir))


def limited(trees: Sequence[Tree], persons: dict[str, str] | None = None) -> list[Tree]:
    """Feedback weighed so that one person's questions are at most SHARE of the whole.

    `persons`: question id -> person; all feedback counts as one person's where it is not given.
    """
    total = sum(tree.weight for tree in trees if tree.origin != FEEDBACK)
    weights: dict[str, float] = defaultdict(float)
    for tree in trees:
        if tree.origin == FEEDBACK:
            weights[(persons or {}).get(tree.id, "owner")] += tree.weight
    allowed = SHARE * (total + sum(weights.values()))
    scale = {person: min(1.0, allowed / weight) for person, weight in weights.items() if weight}
    return [
        replace(tree, weight=tree.weight * scale.get((persons or {}).get(tree.id, "owner"), 1.0))
        if tree.origin == FEEDBACK
        else tree
        for tree in trees
    ]
