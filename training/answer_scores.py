"""Scores of one answer, and which of them apply to it.

Which questions a score is averaged over:

- em, f1: questions with an answer (an abstention scores 0), of the short answer; where the type of the question is
  "long-form", its references are sentences and f1 is of all that is told;
- evidence_recall: of those, the ones that name gold evidence: share of it among the cited spans;
- citation_precision: answers with citations: share of the citations that bear their claim, whose span holds
  the quote, and that lie in a gold document where the question names gold; citation_valid: span alone;
- abstain_precision: abstentions: share that had no answer; abstain_recall: questions without an answer;
- searches, context_tokens, seconds: all questions;
- right: all questions: EM 1 (of a "long-form" question its f1, a share), or a due abstention, or small talk met
  without search and abstention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.types import Answer, Citation
from index.errors import NotFoundError
from index.store import Store
from index.types import Scope
from training.data import LONG_FORM, QAExample
from training.evidence import Gold
from training.metrics import exact_match, f1, normalize


@dataclass(frozen=True, slots=True)
class Case:
    """A question with its gold evidence in the index and the documents it may look into."""

    example: QAExample
    gold: tuple[Gold, ...]
    scope: Scope


@dataclass(frozen=True, slots=True)
class CitationCheck:
    """What is true of one citation."""

    valid: bool  # its span exists in the stored document and holds the quote
    supported: bool  # the agent found that the span bears the claim
    in_gold: bool  # it lies in a gold document, or the question names none
    covers: frozenset[str]  # gold evidence it shows

    @property
    def precise(self) -> bool:
        return self.valid and self.supported and self.in_gold


def check(citation: Citation, case: Case, store: Store) -> CitationCheck:
    """Look a citation up in the store and in the gold evidence."""
    try:
        text = store.document_text(citation.document_id)
    except NotFoundError:
        text = ""
    span = text[citation.start : citation.end]
    quote = normalize(citation.quote)
    return CitationCheck(
        valid=0 <= citation.start < citation.end <= len(text) and bool(quote) and quote in normalize(span),
        supported=citation.supported,
        in_gold=not case.gold or any(g.document_id == citation.document_id for g in case.gold),
        covers=frozenset(
            g.key for g in case.gold if g.covered_by(citation.document_id, citation.start, citation.end)
        ),
    )


def score(case: Case, answer: Answer, checks: Sequence[CitationCheck], seconds: float) -> dict[str, float]:
    """All metrics that apply to one answer; the module's docstring says to whom each applies."""
    example = case.example
    found = {
        "searches": float(answer.cost.searches),
        "context_tokens": float(answer.cost.context_tokens),
        "seconds": seconds,
    }
    if checks:
        found["citation_precision"] = sum(c.precise for c in checks) / len(checks)
        found["citation_valid"] = sum(c.valid for c in checks) / len(checks)
    if answer.abstained:
        found["abstain_precision"] = float(example.unanswerable)
    if example.is_talk:
        found["right"] = float(not answer.abstained and not answer.cost.searches)
    elif example.unanswerable:
        found["abstain_recall"] = found["right"] = float(answer.abstained)
    else:
        short = "" if answer.abstained else answer.short
        long = example.type == LONG_FORM
        told = " ".join(claim.text for claim in answer.claims) if long else short
        found["em"], found["f1"] = exact_match(short, example.answers), f1(told, example.answers)
        found["right"] = found["f1" if long else "em"]
        if case.gold:
            covered = {key for c in checks for key in c.covers}
            found["evidence_recall"] = len(covered) / len(case.gold)
    return found


def failed(case: Case, seconds: float) -> dict[str, float]:
    """A run that broke is wrong wherever it could have been right."""
    found = {"right": 0.0, "seconds": seconds}
    if case.example.unanswerable:
        found["abstain_recall"] = 0.0
    elif not case.example.is_talk:
        found |= {"em": 0.0, "f1": 0.0} | ({"evidence_recall": 0.0} if case.gold else {})
    return found
