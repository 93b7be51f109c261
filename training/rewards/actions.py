"""Rewards of single actions: tool calls (ToolRL), partial credit (Reasoning-SQL), width of exploration (AEPO)."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.metrics import normalize
from training.rewards.contract import Call, Episode, Score
from training.rewards.guards import jaccard, word_jaccard

TOOL_RANGE = 3.0
UNNEEDED_CALL = -1.0
MAX_WIDTH = 8
SAME_CANDIDATE = 0.8
PARTIALS = {"valid": 0.1, "linking": 0.15, "overlap": 0.1, "judge": 0.15}  # together 0.5, below success


def tool_call_score(predicted: Sequence[Call] | None, gold: Sequence[Call], released: bool = False) -> float:
    """ToolRL (arXiv 2504.13958; read in the code): names, parameter names and values. -3 to 3.

    J(names) + for each gold call the best unused call of its name [J(parameter names) + equal values], scaled by
    S_max = 1 + sum (1 + parameters) to 6 s / S_max - 3. An exact list is 3; None (not readable) is -3. Without gold
    calls the released form says 0 whatever was called; ours takes 1 off for each unneeded call (to -3). Numbers
    and their texts ("5", 5) are equal; matching takes the best pairs first, so order does not matter.

    Gold search(q="x", k=5). k wrong: 1 + 1 + 1 = 3 of 4 gives 1.5; k missing 0.75; another name -3; one call more 2.25.

    >>> gold = [Call("search", (("q", "x"), ("k", 5)))]
    >>> tool_call_score(gold, gold), tool_call_score([Call("search", (("q", "x"), ("k", 7)))], gold)
    (3.0, 1.5)
    >>> tool_call_score([Call("search", (("q", "x"),))], gold), tool_call_score([Call("sum")], gold)
    (0.75, -3.0)
    >>> tool_call_score([*gold, Call("sum")], gold), tool_call_score([Call("sum")], [])
    (2.25, -1.0)
    """
    if predicted is None:
        return -TOOL_RANGE
    if not gold:
        return 0.0 if released else max(UNNEEDED_CALL * len(predicted), -TOOL_RANGE)
    score = jaccard([c.name for c in predicted], [c.name for c in gold]) + _matched(predicted, gold)
    top = 1 + sum(1 + len(call.arguments) for call in gold)
    return 2 * TOOL_RANGE * score / top - TOOL_RANGE


def _matched(predicted: Sequence[Call], gold: Sequence[Call]) -> float:
    """Sum over gold calls of their partners' scores; the best pairs are taken first."""
    pairs = sorted(
        (
            (_call_match(p, g), i, j)
            for i, p in enumerate(predicted)
            for j, g in enumerate(gold)
            if p.name == g.name
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    used_left: set[int] = set()
    used_right: set[int] = set()
    total = 0.0
    for value, i, j in pairs:
        if i not in used_left and j not in used_right:
            used_left.add(i)
            used_right.add(j)
            total += value
    return total


def _call_match(predicted: Call, gold: Call) -> float:
    said, wanted = dict(predicted.arguments), dict(gold.arguments)
    equal = sum(name in said and _canonical(said[name]) == _canonical(wanted[name]) for name in wanted)
    return jaccard(sorted(said), sorted(wanted)) + equal


def _canonical(value: Any) -> str:
    """A value as text in which "5", 5 and 5.0 are one."""
    try:
        return repr(float(value))
    except (TypeError, ValueError):
        return value.strip() if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def tool_calls(episode: Episode) -> Score:
    """`tool_call_score` of the episode's calls. None where no gold calls are known.

    The right call and one that nobody needs.

    >>> wanted = Call("search", (("q", "x"), ("k", 5)))
    >>> tool_calls(Episode("q", calls=(wanted, Call("sum")), gold_calls=(wanted,)))
    2.25
    """
    if episode.gold_calls is None:
        return None
    return tool_call_score(episode.calls if episode.well_formed else None, episode.gold_calls)


@dataclass(frozen=True, slots=True)
class RetrievalAction:
    """A search as an action: its query, the items it refers to (names, collections, filters), whether it parsed."""

    query: str
    items: frozenset[str] = frozenset()
    valid: bool = True


def partial_action_score(
    action: RetrievalAction, gold: RetrievalAction, success: bool, judged: Score = None
) -> float:
    """Reasoning-SQL (arXiv 2503.23157; parts from the abstract, weights ours): 0 to 1, success always on top.

    Success is 1. A failure earns at most 0.5: valid 0.1 + linking 0.15 (Jaccard of the items) + overlap 0.1 (Jaccard
    of the query's words: of bigrams in the source, which punishes another wording more) + a judge's grade 0.15. The
    judge is asked on failure only. An action that does not parse is 0.

    >>> gold = RetrievalAction("builder of Oster Mill", frozenset({"Oster Mill"}))
    >>> partial_action_score(gold, gold, True), partial_action_score(gold, gold, False)
    (1.0, 0.35)
    """
    if not action.valid:
        return 0.0
    if success:
        return 1.0
    linking = jaccard(sorted(action.items), sorted(gold.items))
    overlap = word_jaccard(action.query, gold.query) if normalize(action.query) else 0.0
    parts = {"valid": 1.0, "linking": linking, "overlap": overlap, "judge": judged or 0.0}
    return sum(weight * parts[name] for name, weight in PARTIALS.items())


def exploration_accuracy(width: int, rank: int | None) -> float:
    """AEPO's R_acc (InfiGUI-G1, arXiv 2508.05731; read in the code): -1 to 1. Utility over cost sqrt(N v).

    Success at rank k among N candidates: 1 / sqrt(N k). Failure (rank None): -1 / N, so that failing pays for width.

    >>> exploration_accuracy(1, 1), round(exploration_accuracy(2, 1), 4), exploration_accuracy(4, 4)
    (1.0, 0.7071, 0.25)
    >>> [exploration_accuracy(n, None) for n in (1, 2, 4, 8)]
    [-1.0, -0.5, -0.25, -0.125]
    """
    if width < 1 or (rank is not None and not 1 <= rank <= width):
        raise ValueError(f"a rank from 1 to the number of candidates is needed: {rank} of {width}")
    return -1.0 / width if rank is None else 1.0 / math.sqrt(width * rank)


def expected_exploration(p: float, width: int) -> float:
    """Expected R_acc of N candidates that hit independently with probability p.

    >>> round(expected_exploration(0.1, 16), 4), round(expected_exploration(0.1, 1), 4)
    (0.0907, -0.8)
    """
    hits = sum(p * (1 - p) ** (k - 1) * exploration_accuracy(width, k) for k in range(1, width + 1))
    return hits + (1 - p) ** width * exploration_accuracy(width, None)


def exploration_score(candidates: Sequence[str], hits: Sequence[bool], readable: bool = True) -> float:
    """AEPO's whole reward with format: -1 to 2. Format 1 + R_acc; -1 for bad format, no candidate or near copies.

    Copies are two candidates with a word Jaccard over 0.8 (ours, for collinear points in the source). More than 8
    candidates are a bad format too (ours): otherwise listing many softens every failure.

    >>> round(exploration_score(["mill at Oster", "builder Mira Vell"], [False, True]), 4)
    1.5
    >>> exploration_score(["mill at Oster", "mill at Oster"], [True, True])
    -1.0
    """
    texts = list(candidates)
    copies = any(word_jaccard(a, b) > SAME_CANDIDATE for i, a in enumerate(texts) for b in texts[:i])
    if not readable or not texts or len(texts) > MAX_WIDTH or copies:
        return -1.0
    rank = next((at for at, hit in enumerate(hits, start=1) if hit), None)
    return 1.0 + exploration_accuracy(len(texts), rank)


def exploration(episode: Episode) -> Score:
    """`exploration_score` with the episode's queries as candidates; a hit shows gold evidence. None without gold.

    An episode without a search proposes nothing: None, not a failure.

    The second of two queries shows the gold passage: 1 + 1 / sqrt(2 * 2).

    >>> from training.rewards.contract import Evidence, Passage, Step
    >>> steps = (Step("search", query="mill at Oster", results=(Passage("x"),)),
    ...          Step("search", query="builder Mira Vell", results=(Passage("a"),)))
    >>> exploration(Episode("q", evidence=(Evidence("a"),), steps=steps))
    1.5
    """
    if not episode.evidence or not episode.searches:
        return None
    steps = episode.searches
    hits = [bool(episode.gold_ids.intersection(step.ids)) for step in steps]
    return exploration_score([step.query for step in steps], hits, episode.well_formed)
