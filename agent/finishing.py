"""The last stages: a reply without a search, an answer with checked citations, or saying that it is not there."""

from __future__ import annotations

import time
from dataclasses import replace

from agent import replies
from agent.board import Board, Tools
from agent.boundary import absent_names
from agent.compose import dated_source, differing
from agent.conclude import NEAR, Conclusion, conclude, notes_of
from agent.connection import connected
from agent.inquiry import Inquiry
from agent.reader import Evidence
from agent.thread import ANSWER_AT, MISSING_BELOW, STOP_AT, Thread
from agent.told import Told
from agent.types import Answer, Composition, Cost, Note
from agent.verify import Verified
from index.errors import ModelError

NEAREST_FROM = 0.4  # cosine of a sentence with the question from which its document is named in an abstention


def reply(board: Board, tools: Tools, _: str) -> Told:
    """Answer without a search."""
    assert board.gate is not None
    talk = board.gate.chosen == "small_talk"
    speak = replies.small_talk if talk else replies.about_library
    text = speak(board.question, tools.searcher.store, tools.scope)
    board.answer = Answer(text=text, short="", kind="small_talk" if talk else "library", confidence=1.0)
    return Told("Answered without searching")


def recall(board: Board, tools: Tools, _: str) -> Told:
    """Give an earlier answer again, if every span that it rests on still stands; else forget the offer."""
    kept = board.recollection
    assert kept is not None and kept.answer is not None
    detail = {"memory": [kept.key], "question": kept.question, "citations": len(kept.answer.citations)}
    if not all(tools.verifier.exists(note) for note in kept.notes):
        board.recollection = None
        return Told("The earlier answer no longer holds", {"question": kept.question})
    board.notes = kept.notes
    board.answer = replace(kept.answer, cost=cost_of(board))
    quotes = len(kept.answer.citations)
    return Told(f"Checked {quotes} quote{'' if quotes == 1 else 's'} against the documents", detail)


def conclude_notes(board: Board, tools: Tools, _: str) -> Told:
    """The short answer with the notes it rests on, from the best version of the evidence; without any evidence
    what the language model knows itself."""
    if not board.searches:
        return _own_knowledge(board, tools)
    kept = board.notebook
    inquiry = board.inquiry
    assert inquiry is not None
    if kept.fails and kept.held is not None and kept.held.probability >= inquiry.probability:
        inquiry = kept.held  # what was read since brought nothing
    board.confidence = inquiry.probability
    found = conclude(inquiry, tools.document_date)
    step = len(board.steps)
    found, walk, repaired = _connected(found, inquiry, step)
    board.conclusion = found
    if found is None:
        return Told("The evidence gives no answer", then=(("abstain", ""),))
    notes = notes_of(found, board.question, step)
    rivals = notes_of(Conclusion("", found.rivals), board.question, step, first=len(notes) + 1)
    board.notes, board.rivals = (*notes, *rivals), tuple(note.id for note in rivals)
    detail = {
        "short": found.short,
        "rationale": found.rationale,
        "probability": round(board.confidence, 4),
        "version": kept.version,
        "notes": [{"id": n.id, "claim": n.claim, "title": n.title} for n in notes],
        "rivals": [n.id for n in rivals],
        "walk": list(walk or ()),
        "connected": walk is not None,
        "repaired": repaired,
    }
    return Told(f"Took {len(notes)} note{'' if len(notes) == 1 else 's'}", detail)


def _connected(
    found: Conclusion | None, inquiry: Inquiry, step: int
) -> tuple[Conclusion | None, tuple[str, ...] | None, bool]:
    """(conclusion, walk from the question to it, repaired): once, a connected answer of nearly the same
    probability takes the place of one that nothing connects with the question."""
    if found is None:
        return None, None, False
    question, thread = inquiry.question, inquiry.whole
    walk = connected(question, notes_of(found, question.text, step), found.short)
    if walk is not None or found.derived:
        return found, walk, False
    for one in thread.judged[1:]:
        if not one.answer or one.probability < max(ANSWER_AT, thread.probability - NEAR):
            continue
        other = Conclusion(one.answer, one.chain.links, rationale="The likeliest answer is not connected.")
        walk = connected(question, notes_of(other, question.text, step), other.short)
        if walk is not None:
            return other, walk, True
    return found, None, False


def _own_knowledge(board: Board, tools: Tools) -> Told:
    """An answer without a source, said to be one."""
    name = tools.knower.name if tools.knower is not None else ""
    sure = board.gate.probabilities.get("knows", 0.0) if board.gate is not None else 0.0
    board.answer = Answer(
        text=board.known, short=board.known.rstrip(" ."), kind="answer", confidence=sure, brain=name,
        notice=f"This is what {name} says from its own knowledge; nothing in your documents was checked.",
        cost=cost_of(board),
    )  # fmt: skip
    return Told(
        "Answered from the model's own knowledge",
        {"model": name},
    )


def write(board: Board, tools: Tools, _: str) -> Told:
    """Compose the answer from the notes and check every citation."""
    found = board.conclusion
    assert found is not None
    main = tuple(note for note in board.notes if note.id not in board.rivals)
    against = tuple(note for note in board.notes if note.id in board.rivals)
    composition, brain, notice = _compose(board, main, found.short, tools)
    derived = (found.short,) if found.derived else ()
    dates = {note.id: tools.document_date(note.document_id) for note in against}
    ours = dated_source(main[-1], tools.document_date(main[-1].document_id)) if against and main else ""
    verified = tools.verifier.verify(differing(composition, against, dates, ours), board.notes, derived)
    if not verified.claims and brain != tools.embedded.name:
        notice = f"The answer of {brain} did not hold against its sources; the embedded brain answered."
        composition = tools.embedded.compose(board.question, main, found.short)
        brain = tools.embedded.name
        verified = tools.verifier.verify(differing(composition, against, dates, ours), board.notes, derived)
    board.answer = _answer(board, tools, composition, verified, brain, notice)
    detail = {
        "claims": len(verified.claims),
        "citations": len(verified.citations),
        "dropped": list(verified.dropped),
    }
    count = len(verified.citations)
    return Told(f"Checked {count} citation{'' if count == 1 else 's'}", detail)


def abstain(board: Board, tools: Tools, _: str) -> Told:
    """Say that the documents do not hold the answer, and what is missing."""
    inquiry = board.inquiry
    near = _nearest(inquiry.thread) if inquiry is not None else None
    nearest = near.passage.title if near is not None else ""
    missing = _missing(inquiry, near) if inquiry is not None else ()
    if inquiry is not None and not board.searches:
        missing = absent_names(inquiry.question, tools.searcher, tools.scope)
    text, what = replies.abstention(missing, board.searches, nearest)
    board.notes, board.rivals = (), ()
    board.answer = Answer(
        text=text, short="", kind="abstention", confidence=1 - board.probability, missing=what,
        stopped=_cut(board, tools), cost=cost_of(board),
    )  # fmt: skip
    return Told("Said that it is not in the documents", {"missing": what})


def _nearest(thread: Thread) -> Evidence | None:
    """The sentence that covers most of the question; None where none is about it."""
    near = [one for one in thread.pool if one.cosine > NEAREST_FROM]
    return max(
        near, key=lambda one: (round(float(one.degrees @ thread.weights), 2), one.cosine), default=None
    )


def _missing(inquiry: Inquiry, near: Evidence | None) -> tuple[str, ...]:
    """Words of the question that nothing read speaks of: not even the sentence nearest to it."""
    if near is None or inquiry.compares or inquiry.thread.absent:
        return inquiry.missing()
    pairs = zip(inquiry.thread.question.terms, near.degrees.tolist(), strict=True)
    return tuple(term for term, degree in pairs if degree < MISSING_BELOW)


def cost_of(board: Board) -> Cost:
    """What the question cost so far."""
    return Cost(
        searches=board.searches,
        context_tokens=board.context_tokens,
        prompt_tokens=board.prompt_tokens,
        completion_tokens=board.completion_tokens,
        seconds=board.seconds,
    )


def _cut(board: Board, tools: Tools) -> str:
    """Which budget ended the search, where there was more to look for: steps, time or ""."""
    config = tools.config
    if board.probability >= STOP_AT:
        return ""
    if board.seconds >= config.max_seconds:
        return "time"
    out_of_steps = len(board.steps) + 6 > config.max_steps
    return "steps" if board.searches >= config.max_searches or out_of_steps else ""


def _compose(board: Board, notes: tuple[Note, ...], short: str, tools: Tools) -> tuple[Composition, str, str]:
    """(composition, who wrote it, notice): the model if there is one, else or on failure the embedded brain."""
    notice = ""
    if tools.model is not None:
        try:
            deadline = time.monotonic() + max(tools.config.max_seconds - board.seconds, 1.0)
            made = tools.model.compose(board.question, notes, short, deadline)
            board.prompt_tokens += made.prompt_tokens
            board.completion_tokens += made.completion_tokens
            return made, tools.model.name, ""
        except ModelError as error:
            notice = f"The language model did not answer ({error}). The embedded brain answered instead."
    return tools.embedded.compose(board.question, notes, short), tools.embedded.name, notice


def _answer(
    board: Board, tools: Tools, made: Composition, verified: Verified, brain: str, notice: str
) -> Answer:
    if not verified.claims:
        text, what = replies.abstention((), board.searches, "")
        return Answer(
            text=text,
            short="",
            kind="abstention",
            missing=what,
            notice=notice,
            cost=cost_of(board),
            confidence=1 - board.confidence,
        )
    text = " ".join(
        f"{claim.text} {''.join(f'[{number}]' for number in claim.citations)}" for claim in verified.claims
    )
    return Answer(
        text=text, short=made.short, kind="answer", others=board.conclusion.others if board.conclusion else (),
        claims=verified.claims, citations=verified.citations,
        confidence=board.confidence, notice=notice, brain=brain, stopped=_cut(board, tools),
        cost=cost_of(board),
    )  # fmt: skip
