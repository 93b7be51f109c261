"""The trained reader's second look: proposed evidence chains are read as a whole, best first.

The chain search proposes by cheap signals; the reader sees the question with the chain's sentences and
the full last passage, says whether that answers, and marks the span. The last link then becomes the
sentence that holds the span, so that the citation shows the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.chain import Chain
from agent.question import Question
from agent.reader import Evidence, is_row, sentences
from agent.reader_model import ReaderModel, Reading
from agent.spans import Candidate

PROPOSALS = {1: 5, 2: 6, 3: 1}  # chains of each length that are read
READER_SHARE = 0.7  # of the score's spread that the reader's probability may move


def reread(model: ReaderModel, question: Question, chains: Sequence[Chain]) -> list[Chain]:
    """The best distinct chains with the reader's verdict, best first, then the rest as they were."""
    chosen: dict[tuple[int, ...], Chain] = {}  # a passage once, but each of its table rows
    rest: list[Chain] = []
    room = dict(PROPOSALS)
    for chain in chains:
        key = tuple(link.start if is_row(link.text) else link.passage.id for link in chain.links)
        if key not in chosen and room.get(len(chain.links), 0) > 0:
            room[len(chain.links)] -= 1
            chosen[key] = chain
        else:
            rest.append(chain)
    proposals = list(chosen.values())
    texts = [_text(chain) for chain in proposals]
    readings = model.read(question.text, [lead + body for lead, body, _ in texts])
    reread_chains = [
        _judged(question, chain, reading, start - len(lead), start)
        for chain, reading, (lead, _, start) in zip(proposals, readings, texts, strict=True)
    ]
    return [*sorted(reread_chains, key=lambda c: -c.score), *rest]


def _text(chain: Chain) -> tuple[str, str, int]:
    """(what comes before, what is read, where that starts in the document).

    Before: the earlier links' sentences. Read: the last passage, but of a table only the row, because
    the rows of a table look alike.
    """
    lines = [f"{link.passage.title}\n{link.text}" for link in chain.links[:-1]]
    lead = "\n".join([*lines, chain.last.passage.title, ""])
    if is_row(chain.last.text):
        return lead, chain.last.text, chain.last.start
    return lead, chain.last.passage.text, chain.last.passage.start


def _judged(question: Question, chain: Chain, reading: Reading, shift: int, body: int) -> Chain:
    """The chain with its reading; `shift` turns positions in the text read into the document's, where what was read
    of the last passage begins at `body`."""
    says = max(reading.yes, reading.no) if question.expects == "yes_no" else reading.probability
    score = chain.score + READER_SHARE * says
    if question.expects == "yes_no" or not reading.answer.strip():
        return replace(chain, score=score, reading=reading)
    start, end = reading.start + shift, reading.end + shift
    if start < body < end:  # begins in the title and ends in the text: no answer
        return replace(chain, score=score, reading=reading)
    last = _sentence_with(chain.last, start, end)
    if last is None:  # the answer stands in an earlier sentence or in the title
        found = Candidate(reading.answer, -1, -1, "read", says)
        return replace(chain, score=score, reading=reading, answers=(found,))
    found = Candidate(reading.answer, start - last.start, end - last.start, "read", says)
    return replace(chain, links=(*chain.links[:-1], last), score=score, reading=reading, answers=(found,))


def _sentence_with(evidence: Evidence, start: int, end: int) -> Evidence | None:
    """The evidence moved to the sentence of its passage that holds the span; None outside the passage."""
    passage = evidence.passage
    for low, high in sentences(passage):
        if low <= start and end <= high:
            if (low, high) == (evidence.start, evidence.end):
                return evidence
            text = passage.text[low - passage.start : high - passage.start]
            return replace(evidence, start=low, end=high, text=text)
    return None
