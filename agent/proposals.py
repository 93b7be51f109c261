"""Evidence chains straight from the ranking: the most useful passages, alone and in pairs.

The beam of agent.chain starts from sentences that look like the question. In a question over two documents the
second sentence often does not; the learned ranking knows better which passages belong together. So its best
passages are proposed to the trained reader alone, and in ordered pairs: of the first a sentence (the one that
speaks of the second, else its best), of the second the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from agent.chain import Chain, make_chain, names_document, speaks_of
from agent.question import Question, names_in
from agent.reader import Evidence, is_row
from index.names import title_names

SINGLES, PAIRED, PAIRS = 4, 4, 5  # passages alone; passages that form pairs; pairs at most
MENTIONED = 0.3  # what a pair gains when one passage names the other


def ranked_chains(
    question: Question, weights: np.ndarray, pool: Sequence[Evidence], useful: Mapping[int, float]
) -> list[Chain]:
    """Chains over the passages of highest usefulness (passage id -> 0 to 1), most promising first."""
    best = _by_passage(pool)
    ranked = sorted(best, key=lambda passage: (-useful.get(passage, 0.0), passage))
    singles = [make_chain(question, weights, (best[passage][0],)) for passage in ranked[:SINGLES]]
    pairs: list[tuple[float, int, tuple[Evidence, Evidence]]] = []
    for first in ranked[:PAIRED]:
        for second in ranked[:PAIRED]:
            if first == second:
                continue
            note, named = _note(best[first], best[second][0])
            end = _row_named(note, best[second]) if is_row(best[second][0].text) else best[second][0]
            if end is None or (is_row(note.text) and not named):
                continue  # the rows of a table are about as many things: only a name says which one
            value = useful.get(first, 0.0) * useful.get(second, 0.0) + MENTIONED * named
            pairs.append((value, len(pairs), (note, end)))
    chosen = sorted(pairs, key=lambda pair: (-pair[0], pair[1]))[:PAIRS]
    return [*singles, *(make_chain(question, weights, links) for _, _, links in chosen)]


def _by_passage(pool: Sequence[Evidence]) -> dict[int, list[Evidence]]:
    """Sentences of each passage, best first."""
    found: dict[int, list[Evidence]] = {}
    for evidence in sorted(pool, key=lambda e: -e.score):
        found.setdefault(evidence.passage.id, []).append(evidence)
    return found


def _row_named(note: Evidence, rows: Sequence[Evidence]) -> Evidence | None:
    """The best row that speaks of something the note names."""
    names = {*names_in(note.text), *title_names(note.passage.title)}
    return next((row for row in rows if any(len(n) > 2 and speaks_of(row.text, n) for n in names)), None)


def _note(sentences: Sequence[Evidence], other: Evidence) -> tuple[Evidence, bool]:
    """The sentence of one passage that leads to another, and whether either names the other."""
    naming = [e for e in sentences if names_document(e.text, other.passage.title)]
    if naming:
        return naming[0], True
    back = not is_row(other.text) and names_document(other.passage.text, sentences[0].passage.title)
    return sentences[0], back
