"""Is this answer right? A calibrated probability for each evidence chain with its answer.

Boosted trees over some thirty features of the chain, of what the trained reader makes of it, of how useful the
ranking finds its passages, and of how the other chains agree. Trained by `forage train skill judge` on answers of
the live agent to training questions, labelled by whether they were right (an unanswerable question never is).
The best chain is the one most probably right; whether it is good enough to answer is the agent's decision.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.chain import Chain, named_terms
from agent.judge_rules import CLOSED, excluded, joined, mean_degree
from agent.judge_weights import current
from agent.matching import stems
from agent.question import Question
from agent.spans import DATE

FEATURES = (
    "coverage", "names", "relation", "weakest", "cosine", "typed", "rule_answer", "links", "own", "chain_score",
    "read_span", "read_none", "read_yes", "read_no", "read", "useful_last", "useful_lead", "useful_rank",
    "useful_top", "useful_second", "agreement", "agreement_mass", "rival", "best_read", "answer_words",
    "answer_asked", "answer_digits", "answer_date", "answer_capital", "wants_date", "wants_number", "wants_yes_no",
    "wants_thing", "compares", "question_words", "question_names", "rank", "joined", "names_last", "names_own",
    "same_passage", "title_last", "joint", "joint_agrees", "joint_read", "joint_none", "joint_enough", "joint_yes",
    "joint_no", "joint_twice",
)  # fmt: skip
UNCONNECTED = 0.2  # probability at most without it: below the line of silence (docs/LOG.md)
TOLD_FROM = 0.35  # share of the best probability from which a chain with the same answer may be shown for it
WORKED_OUT, WORKED_OUT_POORLY = 0.95, 0.80  # probability that a comparison by code is right (docs/LOG.md)
WELL_READ = 0.5  # probability of its weakest reading from which it counts as well read


@dataclass(frozen=True, slots=True)
class Judged:
    """A chain with the answer it gives and the probability that this is right."""

    chain: Chain
    answer: str
    probability: float
    features: Mapping[str, float]


def judged(
    question: Question,
    weights: np.ndarray,
    chains: Sequence[Chain],
    useful: Mapping[int, float],
    apart: Chain | None = None,
) -> list[Judged]:
    """All chains with their answers, the one most probably right first.

    weights: one per question term, sum 1; useful: passage id -> usefulness of the ranking (0 to 1);
    apart: a comparison that code worked out. It comes first: a reader shown both things names one by guess.
    """
    chains = [*chains, apart] if apart is not None else chains
    if not chains:
        return []
    answers = [answer_of(question, chain) for chain in chains]
    table = features(question, weights, chains, answers, useful)
    weighed = current()
    said, liked = weighed.stated(table), weighed.preferred(table).astype(float)
    loose = [
        excluded(question, weights, chain, answer) for chain, answer in zip(chains, answers, strict=True)
    ]
    said = np.where(loose, np.minimum(said, UNCONNECTED), said)
    _as_read(chains, answers, said)
    _as_read(chains, answers, liked)
    found = [
        Judged(
            chains[at],
            answers[at],
            float(said[at]),
            dict(zip(FEATURES, table[at].round(4).tolist(), strict=True)),
        )
        for at in np.lexsort((np.arange(len(chains)), -said))
    ]
    if apart is not None:
        ours = next(one for one in found if one.chain is apart)
        sure = WORKED_OUT if apart.answers[0].score >= WELL_READ else WORKED_OUT_POORLY
        return [replace(ours, probability=sure), *(one for one in found if one is not ours)]
    if all(loose):
        return _best_told(found)
    choice = chains[int(np.argmax(np.where(loose, -np.inf, liked)))]
    return _best_told(_preferred_first(found, choice))


def _preferred_first(found: list[Judged], choice: Chain) -> list[Judged]:
    """The surest chain and the preferred one change places and probabilities; the others stay."""
    surest, preferred = found[0], next(one for one in found if one.chain is choice)
    if preferred is surest:
        return found
    first = replace(preferred, probability=surest.probability)
    second = replace(surest, probability=preferred.probability)
    rest = [one for one in found[1:] if one is not preferred]
    return [first, *sorted([second, *rest], key=lambda one: -one.probability)]


def _as_read(chains: Sequence[Chain], answers: Sequence[str], said: np.ndarray) -> None:
    """A chain that was not read says no more for its answer than the best that was read with the same answer."""
    best: dict[frozenset[str], float] = {}
    for chain, answer, value in zip(chains, answers, said, strict=True):
        if chain.reading is not None:
            key = stems(answer)
            best[key] = max(best.get(key, -np.inf), float(value))
    for at, (chain, answer) in enumerate(zip(chains, answers, strict=True)):
        if chain.reading is None:
            said[at] = min(said[at], best.get(stems(answer), np.inf))


def _best_told(found: list[Judged]) -> list[Judged]:
    """The same, but first the chain that tells the best answer best.

    Several chains often give one answer; the probability is about the answer. What a person is shown should
    name what the question names and connect it: most of the question's names, then most of its words, then
    fewest links. It takes the best chain's probability with it.
    """
    top = found[0]
    key = stems(top.answer)
    alike = [
        one
        for one in found
        if one.answer and stems(one.answer) == key and one.probability >= TOLD_FROM * top.probability
    ]
    if len(alike) < 2:
        return found
    teller = max(alike, key=lambda one: (_told(one), one.probability))
    rest = [one for one in found if one is not teller]
    return [replace(teller, probability=top.probability), *rest]


def _told(one: Judged) -> float:
    names = one.features["names"] if one.features["joined"] else one.features["names_last"]
    return round(names, 2) + 0.5 * round(one.chain.coverage, 2) - 0.05 * len(one.chain.links)


def answer_of(question: Question, chain: Chain) -> str:
    """The short answer a chain leads to; "" where it has none."""
    reading = chain.reading
    if question.expects == "yes_no" and reading is not None and max(reading.yes, reading.no) > 0.2:
        return "yes" if reading.yes >= reading.no else "no"
    return chain.answers[0].text if chain.answers else ""


def features(
    question: Question,
    weights: np.ndarray,
    chains: Sequence[Chain],
    answers: Sequence[str],
    useful: Mapping[int, float],
) -> np.ndarray:
    """Shape (chains, len(FEATURES)), float32."""
    is_name = named_terms(question)
    ranked = {passage: rank for rank, passage in enumerate(sorted(useful, key=lambda p: -useful[p]), start=1)}
    tops = sorted(useful.values(), reverse=True)[:2] + [0.0, 0.0]
    reads = np.array([_said(chain, answer) for chain, answer in zip(chains, answers, strict=True)])
    keys = [stems(answer) for answer in answers]
    asked = stems(question.text)
    together = [at for at, chain in enumerate(chains) if chain.joint and chain.reading is not None]
    first = chains[together[0]].reading if together else None
    table = np.zeros((len(chains), len(FEATURES)), dtype=np.float32)
    for at, (chain, answer) in enumerate(zip(chains, answers, strict=True)):
        own = np.max(np.stack([link.own for link in chain.links]), axis=0)
        reading = chain.reading
        leads = [useful.get(link.passage.id, 0.0) for link in chain.links[:-1]]
        last = chain.last.passage.id
        same = np.array([bool(key) and key == keys[at] for key in keys])
        row = {
            "coverage": chain.coverage,
            "names": mean_degree(chain.covered, weights, is_name),
            "relation": mean_degree(chain.covered, weights, ~is_name),
            "weakest": float(chain.covered.min()) if len(chain.covered) else 1.0,
            "cosine": max(link.cosine for link in chain.links),
            "typed": float(bool(chain.answers)),
            "rule_answer": min(chain.answers[0].score, 1.5) if chain.answers else 0.0,
            "links": len(chain.links),
            "own": float(own @ weights) if len(weights) else 1.0,
            "chain_score": chain.score,
            "read_span": reading.probability if reading else -1.0,
            "read_none": reading.none if reading else -1.0,
            "read_yes": reading.yes if reading else -1.0,
            "read_no": reading.no if reading else -1.0,
            "read": reads[at],
            "useful_last": useful.get(last, 0.0),
            "useful_lead": min(leads, default=1.0),
            "useful_rank": 1.0 / ranked.get(last, 99),
            "useful_top": tops[0],
            "useful_second": tops[1],
            "agreement": float(same.mean()),
            "agreement_mass": float(reads[same].sum() / max(reads.sum(), 1e-6)),
            "rival": float(reads[~same].max(initial=0.0)),
            "best_read": float(reads[at] - reads.max()),
            "answer_words": len(answer.split()),
            "answer_asked": float(bool(keys[at]) and keys[at] <= asked),
            "answer_digits": float(any(c.isdigit() for c in answer)),
            "answer_date": float(bool(DATE.search(answer))),
            "answer_capital": float(answer[:1].isupper()),
            "wants_date": float(question.expects in ("date", "year")),
            "wants_number": float(question.expects == "number"),
            "wants_yes_no": float(question.expects == "yes_no"),
            "wants_thing": float(question.expects == "thing"),
            "compares": float(bool(question.options) or bool(re.search(r"\bboth\b|\bor\b", question.text))),
            "question_words": len(question.terms),
            "question_names": len(question.names),
            "rank": at,
            "joined": joined(chain),
            "names_last": mean_degree(chain.last.degrees, weights, is_name),
            "names_own": mean_degree(chain.last.own, weights, is_name),
            "same_passage": float(np.mean([c.last.passage.id == last for c in chains])),
            "title_last": float(stems(chain.last.passage.title) <= asked),
            "joint": float(chain.joint),
            "joint_agrees": float(bool(together) and bool(same[together[0]])),
            "joint_read": max((reads[other] for other in together if same[other]), default=0.0),
            "joint_none": first.none if first else -1.0,
            "joint_enough": max(
                (r.enough for other in together if (r := chains[other].reading)), default=-1.0
            ),
            "joint_yes": first.yes if first else -1.0,
            "joint_no": first.no if first else -1.0,
            "joint_twice": float(len(together) > 1 and keys[together[0]] == keys[together[1]]),
        }
        table[at] = [row[name] for name in FEATURES]
    return table


def _said(chain: Chain, answer: str) -> float:
    """The reader's probability of this answer."""
    if chain.reading is None:
        return 0.0
    if answer in CLOSED:
        return chain.reading.yes if answer == "yes" else chain.reading.no
    return chain.reading.probability
