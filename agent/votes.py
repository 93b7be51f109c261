"""Where passages disagree: what each answers on its own, counted.

The agent reads a few of a search's passages alone. As soon as two of them answer differently, the others are read
too, so that no answer is left out for want of a look and a single voice does not stand against one other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent.chain import Chain, make_chain, named_terms
from agent.compare import amount
from agent.judge_rules import NAMES_NEEDED, excluded, names_asked
from agent.matching import stems
from agent.reader import Evidence
from agent.rereading import reread
from agent.spans import DATE
from agent.thread import Thread

VOTE_FROM, TOLD_FROM = 0.4, 0.5  # probability of a vote; share of the most votes, to be told (docs/LOG.md)
USEFUL = 0.5  # of a vote more for a passage that the ranking finds surely useful
MORE = 5  # passages read besides where the first disagree
BEFORE = 600  # characters of the document before a passage in which it may say whom it is about


def ballots(thread: Thread) -> list[tuple[Chain, float]]:
    """A chain for each answer with its votes, most first. A passage that the trained reader answers from with at least
    VOTE_FROM has a vote, a little more where the ranking finds it useful; like answers are counted together. Who tells
    of another person or thing than the one that was asked about has no vote, however sure the reader is of its date;
    nor has an answer that a rule of the judge excludes."""
    read = {chain.last.passage.id: chain for chain in reversed(list(_alone(thread)))}
    votes = counted(list(read.values()), thread.useful)
    if len(votes) < 2 or thread.model is None:
        return votes
    rest = [make_chain(thread.question, thread.weights, (one,)) for one in _unread(thread, set(read))]
    more = [chain for chain in reread(thread.model, thread.question, rest) if _speaks(thread, chain)]
    return counted([*read.values(), *more], thread.useful)


def _alone(thread: Thread) -> Iterator[Chain]:
    """Chains of one passage that the reader has read, the likeliest first."""
    for one in thread.judged:
        chain = one.chain
        alone = not chain.joint and len(chain.links) == 1
        if alone and _speaks(thread, chain) and about(thread, chain.last):
            yield chain


def _speaks(thread: Thread, chain: Chain) -> bool:
    """Whether the reader has read a chain and found an answer that no rule of the judge excludes."""
    if chain.reading is None or not chain.answers:
        return False
    return not excluded(thread.question, thread.weights, chain, chain.answers[0].text)


def about(thread: Thread, evidence: Evidence) -> bool:
    """Whether a passage is about what the question names: a sentence of it, or all of it with what stands before it in
    its document, holds enough of the names. "He was born in 1902" is about the man of the paragraph's beginning."""
    question, weights = thread.question, thread.weights
    if names_asked(question, weights, evidence):
        return True
    passage, named = evidence.passage, named_terms(question)
    held = stems(f"{evidence.context}\n{thread.lead(passage, BEFORE)}\n{passage.text}")
    found = sum(weights[at] for at in named.nonzero()[0] if stems(question.terms[at]) <= held)
    return bool(found >= NAMES_NEEDED * weights[named].sum())


def _unread(thread: Thread, read: set[int]) -> list[Evidence]:
    """The best sentence of each of the most useful passages that were not read alone."""
    best: dict[int, Evidence] = {}
    for one in sorted(thread.pool, key=lambda one: -one.score):
        if one.passage.id not in read and one.passage.id not in best and about(thread, one):
            best[one.passage.id] = one
    return sorted(best.values(), key=lambda one: -thread.useful.get(one.passage.id, 0.0))[:MORE]


def counted(chains: Sequence[Chain], useful: Mapping[int, float]) -> list[tuple[Chain, float]]:
    """One vote for each chain, like answers together. useful: passage id -> usefulness of the ranking, 0 to 1."""
    groups: list[tuple[Chain, float]] = []
    for chain in chains:
        if chain.reading is None or not chain.answers or chain.reading.probability < VOTE_FROM:
            continue
        vote = 1 + USEFUL * useful.get(chain.last.passage.id, 0.0)
        text = chain.answers[0].text
        same = next((at for at, (c, _) in enumerate(groups) if not differ(c.answers[0].text, text)), None)
        if same is None:
            groups.append((chain, vote))
        else:
            groups[same] = (groups[same][0], groups[same][1] + vote)
    return sorted(groups, key=lambda group: -group[1])


def voted(best: Chain, votes: Sequence[tuple[Chain, float]]) -> list[Chain]:
    """Other answers with at least TOLD_FROM of the most votes; those with fewer are dropped."""
    most = votes[0][1]
    return [
        chain
        for chain, count in votes
        if count >= TOLD_FROM * most
        and chain.last.passage.document_id != best.last.passage.document_id
        and differ(chain.answers[0].text, best.answers[0].text)
    ]


def told_chance(thread: Thread) -> float:
    """Probability that one of several answers, of different documents, is right: the sum over those that have a vote.

    Where documents disagree the judge finds each answer unlikely, though together they hardly leave room for another;
    such a question is answered with all of them. 0 where no two documents disagree, and where no two agree: several
    single voices are more often about other things than about one.
    """
    question = thread.question
    if thread.absent or question.expects == "yes_no" or question.options:
        return 0.0
    voted_for = [one for one in _alone(thread) if one.reading and one.reading.probability >= VOTE_FROM]
    sums: dict[str, float] = {}
    voices: dict[str, set[str]] = {}  # answer -> documents
    for one in thread.judged:
        alike = [c for c in voted_for if one.answer and not differ(c.answers[0].text, one.answer)]
        if alike and all(differ(one.answer, known) for known in sums):
            sums[one.answer] = one.probability
            voices[one.answer] = {chain.last.passage.document_id for chain in alike}
    documents = set().union(*voices.values())
    if len(sums) < 2 or len(documents) < 2 or max(map(len, voices.values())) < 2:
        return 0.0
    return min(1.0, sum(sums.values()))


def heard(best: Chain, votes: Sequence[tuple[Chain, float]]) -> bool:
    """Whether a passage alone gives the same answer: then other passages may gainsay it."""
    return any(not differ(chain.answers[0].text, best.answers[0].text) for chain, _ in votes)


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
