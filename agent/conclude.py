"""From evidence chains to a short answer with its notes: values, comparisons, yes or no, rival versions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from agent import compare
from agent.answer_types import bare_count
from agent.chain import Chain
from agent.compare import date_key
from agent.compose import claim_of
from agent.fields import FIELD
from agent.inquiry import Inquiry
from agent.judge import answer_of
from agent.judge_rules import holding
from agent.leads import common_ground, leading
from agent.matching import stems
from agent.question import Question
from agent.reader import Evidence
from agent.stepwise import STEPWISE
from agent.thread import ANSWER_AT, Thread
from agent.types import Note
from agent.votes import ballots, differ, heard, voted

RIVALS = 3  # other answers that are told
NEAR = 0.25  # chains this close in probability are rivals
HEARD, GAINSAID = 0.6, 0.8  # common ground with the best answer, of an answer with votes and of one without
_VERSION_WORDS = re.compile(
    r"\b(?:v(?:ersion)?\.?\s*\d+(?:\.\d+)*|draft|final|revised|revision|edition|superseded|old|new|updated?|"
    r"copy|\d{4}(?:-\d{2}){0,2}|first|second|third)\b|[()\[\]_,.\-–—]",
    re.I,
)
_NEGATION = re.compile(r"\b(?:not|never|no|nor|neither|without|n't|failed to|refused)\b", re.I)
_BECAUSE = re.compile(
    r"\b(?:because(?: of)?|since|due to|in order to|so that|owing to|as a result of)\b\s*", re.I
)

DocumentDate = Callable[[str], str]  # document id -> the date it states for itself, or ""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A short answer with what it rests on; `derived`: worked out by code, not read off."""

    short: str
    links: tuple[Evidence, ...]
    derived: bool = False
    rationale: str = ""
    rivals: tuple[Evidence, ...] = ()  # evidence for another answer, to be told to the person
    others: tuple[
        str, ...
    ] = ()  # what that evidence answers, where no version of a document replaces another


def conclude(inquiry: Inquiry, dated: DocumentDate) -> Conclusion | None:
    """The answer that the evidence gives; None when it gives none."""
    thread = inquiry.whole
    if (
        inquiry.compares
        and not (thread.best and thread.best.why)
        and min(part.probability for part in inquiry.parts) > thread.probability
    ):
        worked_out = _comparison(inquiry)
        if worked_out is not None:
            return worked_out
    if thread.best is None:
        return None
    if thread.best.why:
        # What stands in its citation is checked as any other.
        read_off = thread.best.answers[0].kind in (FIELD, STEPWISE)
        return Conclusion(thread.judged[0].answer, thread.best.links, not read_off, thread.best.why)
    if thread.question.expects == "yes_no":
        return _yes_no(thread)
    chain, against, why = _settle(thread, dated)
    rivals = tuple(other.last for other in against)
    if chain.answers:
        versions = any(_versions(r.passage.title, chain.last.passage.title) for r in rivals)
        others = () if versions else tuple(answer_of(thread.question, other) for other in against)
        short = bare_count(thread.question.text, chain.answers[0].text)
        links = leading(thread, chain, chain.answers[0].text)
        return Conclusion(short, links, rationale=why, rivals=rivals, others=others)
    return Conclusion(_phrase(thread.question, chain.last), chain.links, rationale=why, rivals=rivals)


def notes_of(conclusion: Conclusion, goal: str, step: int, first: int = 1) -> tuple[Note, ...]:
    """The conclusion's evidence as notes n<first>, n<first+1>, ..."""
    return tuple(
        Note(
            id=f"n{number}", claim=claim_of(e.text, e.passage.title), quote=e.text, passage_id=e.passage.id,
            document_id=e.passage.document_id, title=e.passage.title, source=e.passage.source,
            heading=e.passage.heading, page=e.passage.page, start=e.start, end=e.end, goal=goal,
            score=round(max(0.0, min(1.0, e.score)), 4), step=step,
        )
        for number, e in enumerate(conclusion.links, start=first)
    )  # fmt: skip


def _comparison(inquiry: Inquiry) -> Conclusion | None:
    chains = [thread.best for thread in inquiry.parts]
    if any(chain is None or not chain.answers for chain in chains):
        return None
    found: list[Chain] = [chain for chain in chains if chain is not None]
    verdict = compare.decide(inquiry.question, (found[0].answers[0].text, found[1].answers[0].text))
    if verdict is None:
        return None
    links = {e.key: e for chain in found for e in chain.links}
    return Conclusion(verdict.short, tuple(links.values()), derived=True, rationale=verdict.rationale)


def _yes_no(thread: Thread) -> Conclusion:
    """What the trained reader says; without one, whether the evidence denies what is asked."""
    question, best = thread.question, thread.judged[0]
    chain = best.chain
    text = " ".join(link.text for link in chain.links)
    held = stems(" ".join(f"{link.context} {link.text}" for link in chain.links))
    exact = [n for n in re.findall(r"\d[\d.,]*", question.text)] + list(question.names)
    absent = [name for name in exact if not stems(name) <= held]
    if best.answer in ("yes", "no"):
        return Conclusion(best.answer, chain.links, derived=True, rationale="So the trained reader reads it.")
    negated = bool(_NEGATION.search(text)) != bool(_NEGATION.search(question.text))
    if absent:
        why = f"The evidence speaks of the rest of the question but not of {', '.join(absent)}."
        return Conclusion("no", chain.links, derived=True, rationale=why)
    why = "The evidence denies it." if negated else "The evidence says so."
    return Conclusion("no" if negated else "yes", chain.links, derived=True, rationale=why)


def _settle(thread: Thread, dated: DocumentDate) -> tuple[Chain, tuple[Chain, ...], str]:
    """Best chain after looking at rivals: the newer version of a document wins, others are reported."""
    best = thread.judged[0].chain
    if not best.answers:
        return best, (), ""
    rivals = rival_answers(thread)
    for rival in rivals:
        if not _versions(rival.last.passage.title, best.last.passage.title):
            continue
        ours, theirs = dated(best.last.passage.document_id), dated(rival.last.passage.document_id)
        if (date_key(theirs) or (0,)) > (date_key(ours) or (0,)):
            why = f"Two versions differ; the newer one ({theirs}) replaces the older ({ours or 'undated'})."
            return rival, (best,), why
        if ours != theirs:
            return (
                best,
                (rival,),
                f"An older version of the document ({theirs or 'undated'}) says otherwise.",
            )
    votes = ballots(thread)
    if votes and thread.probability < ANSWER_AT:  # spoken only because documents disagree (told_chance)
        best = votes[0][0]
    if len(votes) > 1 and (len(best.links) == 1 or heard(best, votes)):
        told = [other for other in voted(best, votes) if _of_the_same(thread, best, other, HEARD)][:RIVALS]
        return best, tuple(told), "Other documents say something else." if told else ""
    alike = [
        other
        for other in rivals
        if abs(other.coverage - best.coverage) < 0.05
        and len(other.links) == len(best.links)
        and _of_the_same(thread, best, other, GAINSAID)
    ]
    if alike:
        return best, tuple(alike), "Another document says something else."
    return best, (), ""


def _of_the_same(thread: Thread, best: Chain, other: Chain, wanted: float) -> bool:
    """Whether another answer is told of what the best one is told of."""
    told, else_ = holding(best, best.answers[0].text), holding(other, other.answers[0].text)
    return common_ground(thread, told, else_) >= wanted


def rival_answers(thread: Thread) -> list[Chain]:
    """Chains of other documents that are nearly as probable and answer otherwise, one for each answer."""
    if not thread.judged or not thread.judged[0].chain.answers or thread.question.expects == "yes_no":
        return []
    best = thread.judged[0].chain
    found: list[Chain] = []
    for one in thread.judged[1:]:
        chain = one.chain
        if thread.probability - one.probability >= NEAR or not chain.answers:
            continue
        others = [best, *found]
        if (
            chain.answers[0].kind == best.answers[0].kind
            and all(chain.last.passage.document_id != other.last.passage.document_id for other in others)
            and all(differ(chain.answers[0].text, other.answers[0].text) for other in others)
        ):
            found.append(chain)
    return found[:RIVALS]


def family(title: str) -> frozenset[str]:
    """What two versions of one document's title share.

    >>> family("Harbour tariff (2nd version, 1931)") == family("Harbour tariff, draft")
    False
    >>> family("Harbour tariff 1931") == family("Harbour tariff (revised)")
    True
    """
    return stems(_VERSION_WORDS.sub(" ", title))


def _versions(one: str, other: str) -> bool:
    """Whether two titles name versions of one document; documents without a title do not."""
    return bool(family(one)) and family(one) == family(other)


def _phrase(question: Question, evidence: Evidence) -> str:
    """A short answer where nothing is typed: the reason given, or the sentence itself."""
    flat = " ".join(evidence.text.split())
    if question.expects == "reason":
        because = _BECAUSE.search(flat)
        if because:
            return flat[because.end() :].rstrip(" .")
    return claim_of(flat, evidence.passage.title).rstrip(" .")
