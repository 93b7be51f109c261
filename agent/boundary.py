"""The boundary of knowledge: known already, to be searched, or hopeless here, before any search is made.

How often the collection speaks of the question's rarest name, and of it together with the relation asked for, says
whether a search can succeed at all (WiTQA, arXiv 2402.13492); whether a language model says the same thing each time
says whether it knows (IKEA, AdaSearch). What decides stands behind one protocol.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.matching import stems
from agent.question import Question, words
from agent.types import Decision
from index.popularity import connected, passages_with
from index.retrieve import Searcher
from index.types import Scope

OPTIONS = ("knows", "search", "hopeless")
SIGNALS = ("corpus_size", "name_frequency", "pair_frequency", "rarest_word", "absent_names")
EXPECTED = ("person", "place", "date", "number", "yes_no", "choice", "reason", "thing")
MORE_SIGNALS = (  # for bodies that weigh more than the rule does
    "missing_words", "connected", "question_words", "question_names", *(f"wants_{kind}" for kind in EXPECTED),
)  # fmt: skip
KNOWN_AT = 0.5  # share of equal samples from which a model counts as knowing (AdaSearch's p)


class Boundary(Protocol):
    """Tells what a search is worth before it is made."""

    def decide(self, signals: Mapping[str, float], agreement: float | None) -> Decision:
        """signals: SIGNALS and MORE_SIGNALS by name; agreement: share of a model's samples that agree or None."""
        ...


@dataclass(frozen=True, slots=True)
class RuleBoundary:
    """Hopeless where a name of the question has no word in the scope; known where a model's samples agree."""

    hopeless_absent: float = 0.90  # 8 of 8 such questions of squad2 train were unanswerable (add one)
    hopeless_present: float = 0.05

    def decide(self, signals: Mapping[str, float], agreement: float | None) -> Decision:
        """See the class."""
        absent = signals["absent_names"] > 0
        hopeless = self.hopeless_absent if absent else self.hopeless_present
        why = "No document of this scope holds a word of a name in the question." if absent else ""
        return decision_of(signals, agreement, hopeless, why)


def decision_of(signals: Mapping[str, float], agreement: float | None, hopeless: float, why: str) -> Decision:
    """The likeliest of OPTIONS. hopeless: probability that a search would be in vain, for the reason `why`."""
    knows = agreement if agreement is not None else 0.0
    odds = {"knows": knows, "search": (1 - knows) * (1 - hopeless), "hopeless": (1 - knows) * hopeless}
    if knows <= KNOWN_AT:  # below that a guess of the model is worth nothing
        odds["search"] += odds["knows"]
        odds["knows"] = 0.0
    total = sum(odds.values())
    probabilities = {option: odds[option] / total for option in OPTIONS}
    chosen = max(OPTIONS, key=lambda option: probabilities[option])
    told = {
        "knows": f"The language model says the same in {knows:.0%} of its samples.",
        "search": "Answering needs the documents.",
        "hopeless": why or "The collection hardly speaks of what the question is about.",
    }
    seen = {name: round(signals[name], 4) for name in SIGNALS}
    if agreement is not None:
        seen["agreement"] = round(agreement, 4)
    return Decision("gate", OPTIONS, chosen, probabilities[chosen], told[chosen], seen, probabilities)


def signals_of(question: Question, searcher: Searcher, scope: Scope) -> dict[str, float]:
    """SIGNALS and MORE_SIGNALS of a question in a scope. Counts are of passages, as logarithms of about 0 to 1."""
    store = searcher.store
    counts, total = searcher.words.frequencies(question.terms, scope)
    named = stems(" ".join(question.names))
    relation = [term for term in question.terms if not stems(term) <= named][:6]
    by_name = {name: passages_with(store, name, scope) for name in question.names}
    rarest = min(by_name, key=lambda name: by_name[name], default="")
    pair = passages_with(store, rarest, scope, relation) if rarest and relation and by_name[rarest] else 0
    absent = absent_names(question, searcher, scope)
    expects = "date" if question.expects == "year" else question.expects
    return {
        "corpus_size": math.log10(1 + total) / 6,
        "name_frequency": math.log1p(by_name[rarest]) / 8 if rarest else 0.0,
        "pair_frequency": math.log1p(pair) / 8,
        "rarest_word": math.log1p(min(counts, default=0)) / 8,
        "absent_names": len(absent) / len(question.names) if question.names else 0.0,
        "missing_words": sum(count == 0 for count in counts) / len(counts) if counts else 0.0,
        "connected": connected(store, scope, rarest, relation) if rarest else 0.0,
        "question_words": len(question.terms) / 10,
        "question_names": len(question.names) / 3,
        **{f"wants_{kind}": float(expects == kind) for kind in EXPECTED},
    }


def absent_names(question: Question, searcher: Searcher, scope: Scope) -> tuple[str, ...]:
    """Names of the question of which no word that it asks by stands anywhere in the scope's collections.

    One word that opens the question may be capital by position only: it is no name.
    """
    known, opening = set(question.terms), question.text.split()[:1]
    scope = Scope(scope.collections)
    return tuple(
        name
        for name in question.names
        if [name] != opening
        and (parts := [part for part in words(name) if part in known])
        and not any(passages_with(searcher.store, part, scope, limit=1) for part in parts)
    )


def agreement_of(samples: Sequence[str]) -> tuple[str, float]:
    """The most frequent answer among a model's samples (compared by stems) and its share; ("", 0.0) for none.

    >>> agreement_of(["Oslo.", "In Oslo", "Bergen"])
    ('Oslo.', 0.6666666666666666)
    """
    said = [sample.strip() for sample in samples if sample.strip()]
    keys = [
        frozenset(stem for stem in stems(sample) if stem not in ("in", "the", "a", "an")) for sample in said
    ]
    if not keys:
        return "", 0.0
    key, count = Counter(keys).most_common(1)[0]
    return said[keys.index(key)], count / len(samples)
