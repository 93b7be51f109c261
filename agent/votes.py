"""Where passages disagree: what each answers on its own, counted.

The agent reads a few of a search's passages alone. As soon as two of them answer differently, the others are read
too, so that no answer is left out for want of a look and a single voice does not stand against one other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.chain import Chain, make_chain
from agent.compare import amount
from agent.inquiry import Thread
from agent.judge_rules import names_asked
from agent.matching import stems
from agent.reader import Evidence
from agent.rereading import reread
from agent.spans import DATE

VOTE_FROM, TOLD_FROM = 0.5, 0.5  # of a passage's vote; of the most votes, to be told (docs/LOG.md)
MORE = 5  # passages read besides where the first disagree


def ballots(thread: Thread) -> list[tuple[Chain, float]]:
    """A chain for each answer with its votes, most first. A passage's vote is the trained reader's probability, from
    VOTE_FROM on; like answers are counted together. Who tells of another person or thing than the one that was asked
    about has no vote, however sure the reader is of its date."""
    read = {chain.last.passage.id: chain for chain in reversed(list(_alone(thread)))}
    votes = counted(list(read.values()))
    if len(votes) < 2 or thread.model is None:
        return votes
    rest = [make_chain(thread.question, thread.weights, (one,)) for one in _unread(thread, set(read))]
    return counted([*read.values(), *(c for c in reread(thread.model, thread.question, rest) if c.reading)])


def _alone(thread: Thread) -> Iterator[Chain]:
    """Chains of one passage that the reader has read, the likeliest first."""
    for one in thread.judged:
        chain = one.chain
        read = chain.reading is not None and not chain.joint and bool(chain.answers)
        if read and len(chain.links) == 1 and names_asked(thread.question, thread.weights, chain.last):
            yield chain


def _unread(thread: Thread, read: set[int]) -> list[Evidence]:
    """The best sentence of each of the most useful passages that were not read alone."""
    best: dict[int, Evidence] = {}
    for one in sorted(thread.pool, key=lambda one: -one.score):
        if one.passage.id not in read and names_asked(thread.question, thread.weights, one):
            best.setdefault(one.passage.id, one)
    return sorted(best.values(), key=lambda one: -thread.useful.get(one.passage.id, 0.0))[:MORE]


def counted(chains: Sequence[Chain]) -> list[tuple[Chain, float]]:
    """One vote for each chain, like answers together."""
    groups: list[tuple[Chain, float]] = []
    for chain in chains:
        vote = chain.reading.probability if chain.reading is not None and chain.answers else 0.0
        if vote < VOTE_FROM:
            continue
        text = chain.answers[0].text
        same = next((at for at, (c, _) in enumerate(groups) if not differ(c.answers[0].text, text)), None)
        if same is None:
            groups.append((chain, vote))
        else:
            groups[same] = (groups[same][0], groups[same][1] + vote)
    return sorted(groups, key=lambda group: -group[1])


def voted(best: Chain, votes: Sequence[tuple[Chain, float]]) -> list[Chain]:
    """Other answers with at least half as many votes as the one with most; those with fewer are dropped."""
    most = votes[0][1]
    return [
        chain
        for chain, count in votes
        if count >= TOLD_FROM * most
        and chain.last.passage.document_id != best.last.passage.document_id
        and differ(chain.answers[0].text, best.answers[0].text)
    ]


def differ(left: str, right: str) -> bool:
    """Whether two answers are not the same in other words.

    >>> differ("the Teal Bridge", "Teal Bridge"), differ("4 crowns", "5 crowns")
    (False, True)
    """
    a, b = stems(left), stems(right)
    if a <= b or b <= a:
        return False
    first, second = amount(left), amount(right)
    return not (first is not None and first == second and not DATE.search(left))
