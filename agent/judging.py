"""What a search was worth: did it meet its goal, was it new, was it useful, and why.

Novelty is a rule (SmartSearch, arXiv 2601.04888: at most one passage that an earlier search had returned). Useful is
a search that brought evidence which moves the answer (ReSeek, arXiv 2510.00568). Whether the goal was met is read off
the goal's own words and the judge's probability (RE-Searcher), not off likeness to the topic.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agent.board import Board, Verdict
from agent.thread import MISSING_BELOW, STOP_AT

ALLOWED_OVERLAP = 1  # passages of an earlier search that a novel one may return again (SmartSearch's K)
MOVED = 0.05  # change of the probability that makes a search useful


def overlap(results: Collection[int], before: Sequence[Collection[int]]) -> int:
    """How many results an earlier search had returned.

    >>> overlap([1, 2], []), overlap([1, 2, 3], [[2], [3, 9]])
    (0, 2)
    """
    seen = {result for earlier in before for result in earlier}
    return sum(result in seen for result in results)


def is_novel(results: Collection[int], before: Sequence[Collection[int]]) -> bool:
    """SmartSearch's S_nov: overlap at most ALLOWED_OVERLAP; a search that finds nothing is not novel."""
    return bool(results) and overlap(results, before) <= ALLOWED_OVERLAP


def verdict_of(board: Board) -> Verdict:
    """The verdict on the last search, after it was read."""
    inquiry, last = board.inquiry, board.found[-1]
    assert inquiry is not None
    thread = inquiry.thread
    ids = [hit.passage.id for hit in last.hits]
    before = [[hit.passage.id for hit in found.hits] for found in board.found[:-1]]
    shared = overlap(ids, before)
    novel = is_novel(ids, before)
    probability = inquiry.probability
    earlier = board.verdicts[-1].probability if board.verdicts else 0.0
    best = thread.best
    brought = best is not None and any(link.passage.id in set(ids) for link in best.links)
    covered = dict(zip(thread.question.terms, best.covered.tolist(), strict=True)) if best is not None else {}
    asked = [term for term in covered if term in last.goal.query.lower()]
    met = thread.probability >= STOP_AT or (
        bool(asked) and brought and all(covered[term] >= MISSING_BELOW for term in asked)
    )
    useful = bool(brought and last.new_sentences and (probability - earlier >= MOVED or (met and not before)))
    return Verdict(met, novel, useful, _reason(board, met, novel, useful, shared), probability, shared)


def _reason(board: Board, met: bool, novel: bool, useful: bool, shared: int) -> str:
    inquiry = board.inquiry
    assert inquiry is not None
    if not board.found[-1].hits:
        return "Nothing was found."
    if met:
        return "The evidence covers what was looked for."
    missing = inquiry.thread.missing()
    parts = [f"Not covered: {', '.join(missing)}." if missing else "The match is weak."]
    if not novel:
        parts.append(f"{shared} passage{'' if shared == 1 else 's'} had been found before.")
    if not useful:
        parts.append("Nothing in it moves the answer.")
    return " ".join(parts)
