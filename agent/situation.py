"""The board as a policy sees it: the numbers of `policy.FEATURES`, and which actions are legal now."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from agent.board import Board, Found, Tools, mode_of
from agent.boundary import signals_of
from agent.matching import stems
from agent.policy import ACTIONS, FEATURES, LEVELS, Situation
from agent.thread import Thread
from agent.votes import told_chance
from index.types import Hit

SEARCH_STEPS, PLAN_STEPS = 6, 7  # steps that a search, a new goal and its search need before the budget's end
_NESTING = re.compile(r"\b(?:of|that|which|who|whose|where)\b|['’]s\b", re.I)


def situation(board: Board, tools: Tools) -> Situation:
    """What the policy decides on now."""
    if not board.fixed:
        board.fixed = fixed_features(board, tools)
    values = {
        **board.fixed,
        **_memory(board),
        **_progress(board, tools),
        **_last_search(board),
        **_judged(board),
        **_notes(board),
        **_budget(board, tools),
    }
    inquiry = board.inquiry
    return Situation(
        values=tuple(_finite(values[name]) for name in FEATURES),
        legal=legal_actions(board, tools),
        question=board.question,
        goal=board.goal.text if board.goal is not None else "",
        notes=tuple(note.claim for note in board.notebook.notes),
        missing=inquiry.missing() if inquiry is not None and board.searches else (),
        past=tuple(f"{step.stage}: {step.summary}" for step in board.steps),
    )


def legal_actions(board: Board, tools: Tools) -> tuple[str, ...]:
    """What may be done now, in the order of ACTIONS; `abstain` always is."""
    legal = {"abstain"}
    config, inquiry = tools.config, board.inquiry
    if board.recollection is not None and board.recollection.answer is not None:
        legal.add("memory")
    if inquiry is not None and (_answerable(board) or (not board.searches and board.known)):
        legal.add("answer")
    room = board.searches < config.max_searches and board.seconds < config.max_seconds
    steps = config.max_steps - len(board.steps)
    if room and steps >= SEARCH_STEPS and board.goal is not None:
        legal |= {level for level in LEVELS if (board.goal.query, mode_of(level, config)) not in board.tried}
        if "graph" in legal and mode_of("graph", config) == mode_of("deep", config):
            legal.discard("deep")
    if room and steps >= PLAN_STEPS and inquiry is not None and board.goal_searched:
        if not board.refined and inquiry.again() is not None:
            legal.add("refine")
        if inquiry.following() is not None:
            legal.add("next_goal")
    return tuple(action for action in ACTIONS if action in legal)


def _answerable(board: Board) -> bool:
    assert board.inquiry is not None
    parts = board.inquiry.parts
    return board.inquiry.whole.best is not None or (bool(parts) and all(p.best is not None for p in parts))


def fixed_features(board: Board, tools: Tools) -> dict[str, float]:
    """What the question, the collection and the gate say; the same during the whole question."""
    inquiry = board.inquiry
    assert inquiry is not None
    question = inquiry.question
    signals = board.signals or signals_of(question, tools.searcher, tools.scope)
    gate = board.gate.probabilities if board.gate is not None else {}
    return {
        "nesting": len(_NESTING.findall(question.text)) / 3,
        "compares": float(inquiry.compares),
        **signals,
        "gate_search": gate.get("search", 1.0),
        "gate_memory": gate.get("remembered", 0.0),
        "gate_knows": gate.get("knows", 0.0),
        "gate_hopeless": gate.get("hopeless", 0.0),
        "has_model": float(tools.model is not None),
    }


def _memory(board: Board) -> dict[str, float]:
    kept = board.recollection
    return {
        "memory_match": kept.similarity if kept else 0.0,
        "memory_value": kept.value if kept else 0.0,
        "memory_verified": float(kept is not None and kept.answer is not None),
    }


def _progress(board: Board, tools: Tools) -> dict[str, float]:
    inquiry = board.inquiry
    assert inquiry is not None
    level = 0
    if board.goal is not None:
        done = [at for at, one in enumerate(LEVELS, 1) if _was_tried(board, tools, one)]
        level = max(done, default=0)
    following = inquiry.following() if board.goal_searched else None
    return {
        "searches": board.searches / 4,
        "goals": board.goals / 4,
        "asked_here": len(inquiry.thread.asked) / 4,
        "goal_searched": float(board.goal_searched),
        "refined": float(board.refined),
        "level": level / 3,
        "on_part": float(inquiry.at > 0),
        "parts_left": (len(inquiry.threads) - 1 - inquiry.at + bool(inquiry.waits)) / 2,
        "next_same": float(following is not None and following[1] == inquiry.at),
    }


def _was_tried(board: Board, tools: Tools, level: str) -> bool:
    assert board.goal is not None
    return (board.goal.query, mode_of(level, tools.config)) in board.tried


def _last_search(board: Board) -> dict[str, float]:
    if not board.found:
        return dict.fromkeys(
            (
                "top_score", "second_score", "score_margin", "mean_score", "entropy", "mass_top", "hits",
                "documents", "novelty", "overlap", "new_sentences", "query_novelty",
            ),
            0.0,
        )  # fmt: skip
    last = board.found[-1]
    scores = _scores(last.hits)
    count = len(last.hits)
    return {
        "top_score": scores[0],
        "second_score": scores[1],
        "score_margin": scores[0] - scores[1],
        "mean_score": float(np.mean(scores[: max(count, 1)])),
        "entropy": entropy(scores[:count]),
        "mass_top": sum(scores[:3]) / (sum(scores) or 1.0),
        "hits": count / 8,
        "documents": len({hit.passage.document_id for hit in last.hits}) / max(count, 1),
        "novelty": 1.0 - last.overlap / max(count, 1),
        "overlap": last.overlap / 8,
        "new_sentences": math.log1p(last.new_sentences) / 4,
        "query_novelty": _query_novelty(board.found),
    }


def _scores(hits: Sequence[Hit]) -> list[float]:
    """The hits' scores, best first, with two zeros after them."""
    return [*sorted((float(hit.score) for hit in hits), reverse=True), 0.0, 0.0]


def entropy(scores: Sequence[float]) -> float:
    """Of the scores as shares of their sum, divided by that of equal shares: 1 where nothing stands out.

    >>> entropy([1.0, 1.0]), entropy([1.0, 0.0]), entropy([0.3])
    (1.0, 0.0, 0.0)
    """
    total = sum(max(score, 0.0) for score in scores)
    if len(scores) < 2 or total <= 0:
        return 0.0
    shares = [max(score, 0.0) / total for score in scores]
    return -sum(share * math.log(share) for share in shares if share > 0) / math.log(len(scores)) + 0.0


def _query_novelty(found: Sequence[Found]) -> float:
    """1 minus the largest overlap in words (Jaccard) of the last query with an earlier one."""
    last = stems(found[-1].goal.query)
    shared = [
        len(last & other) / max(len(last | other), 1) for other in (stems(f.goal.query) for f in found[:-1])
    ]
    return 1.0 - max(shared, default=0.0)


def _judged(board: Board) -> dict[str, float]:
    inquiry = board.inquiry
    assert inquiry is not None
    thread, verdicts = inquiry.thread, board.verdicts
    before = verdicts[-2].probability if len(verdicts) > 1 else 0.0
    seen = thread.seen
    rival = _rival(thread)
    shown = {name: max(seen.get(name, 0.0), 0.0) for name in
             ("read", "read_none", "agreement", "agreement_mass", "rival", "coverage", "joined")}  # fmt: skip
    return {
        "probability": max(inquiry.probability, told_chance(inquiry.whole)),
        "thread_probability": thread.probability,
        "whole_probability": inquiry.whole.probability,
        "probability_change": verdicts[-1].probability - before if verdicts else 0.0,
        "rival_probability": rival,
        "probability_margin": thread.probability - rival,
        "goal_met": float(verdicts[-1].goal_met) if verdicts else 0.0,
        "useful": float(verdicts[-1].useful) if verdicts else 0.0,
        **shown,
        "answer_words": min(seen.get("answer_words", 0.0), 20.0) / 10,
        "names_covered": seen.get("names", 0.0),
        "relation_covered": seen.get("relation", 0.0),
        "missing_share": len(thread.missing()) / max(len(thread.question.terms), 1)
        if board.searches
        else 1.0,
        "links": seen.get("links", 0.0) / 3,
    }


def _rival(thread: Thread) -> float:
    """Probability of the best other answer."""
    if not thread.judged:
        return 0.0
    first = stems(thread.judged[0].answer)
    others = [one.probability for one in thread.judged[1:] if one.answer and stems(one.answer) != first]
    return max(others, default=0.0)


def _notes(board: Board) -> dict[str, float]:
    answers = board.answers
    return {
        "notes": len(board.notebook.notes) / 5,
        "contradiction": float(board.contradicts),
        "stagnation": board.notebook.fails / 3,
        "answer_changed": float(len(answers) > 1 and stems(answers[-1]) != stems(answers[-2])),
    }


def _budget(board: Board, tools: Tools) -> dict[str, float]:
    config = tools.config
    tokens = config.context_tokens * config.max_searches
    return {
        "searches_left": max(0.0, 1 - board.searches / config.max_searches),
        "steps_left": max(0.0, 1 - len(board.steps) / config.max_steps),
        "seconds_left": round(max(0.0, 1 - board.seconds / config.max_seconds), 1),  # noise below that
        "tokens_left": max(0.0, 1 - board.context_tokens / tokens),
    }


def _finite(value: float) -> float:
    return round(float(value), 6) if math.isfinite(value) else 0.0
