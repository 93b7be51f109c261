"""The stages of the loop. Each does one thing to the board and says what it did in one line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from agent import replies
from agent.board import Board, Found, Tools, Verdict, mode_of
from agent.compose import differing
from agent.conclude import Conclusion, conclude, notes_of
from agent.inquiry import STOP_AT, Inquiry
from agent.judging import verdict_of
from agent.packing import pack
from agent.recollection import Recollection
from agent.types import Answer, Composition, Cost, Decision, Note, Stage
from agent.verify import Verified
from index.errors import ModelError


@dataclass(frozen=True, slots=True)
class Told:
    """What a stage reports: a line for people, JSON for the curious, its own decision, a mistake of a model,
    and what comes next if it is not for the policy to say."""

    summary: str
    detail: dict[str, Any] = field(default_factory=dict)
    decision: Decision | None = None
    error: str = ""
    then: tuple[tuple[str, str], ...] = ()  # stages that follow, before what was planned


def gate(board: Board, tools: Tools, _: str) -> Told:
    """Talk, the collection itself, or a question for the documents; and what memory holds of it."""
    board.gate = decision = tools.gate.decide(board.question)
    summary = {"small_talk": "Small talk", "library": "About the collection"}.get(decision.chosen)
    if summary is not None:
        return Told(summary, {"rationale": decision.rationale}, decision, then=(("reply", ""),))
    detail = {"rationale": decision.rationale}
    if tools.recall is not None:
        known = board.recollection = tools.recall(board.question, tools.scope)
        if known.answer is not None:
            board.gate = decision = _remembered(known)
            detail = {"rationale": decision.rationale, "question": known.question}
            return Told("Known from an earlier question", detail, decision, then=(("plan", "first"),))
        detail |= {"memory_says": known.reason} if known.reason else {}
    return Told("Needs the documents", detail, decision, then=(("plan", "first"),))


def _remembered(known: Recollection) -> Decision:
    said = {"remembered": max(0.0, min(1.0, known.similarity))}
    said["search"] = 1 - said["remembered"]
    return Decision(
        "gate", tuple(said), "remembered", said["remembered"],
        "The same question was answered before, and its sources have not changed.",
        {"similarity": round(known.similarity, 4), "q": round(known.value, 4)}, said,
    )  # fmt: skip


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


def plan(board: Board, tools: Tools, kind: str) -> Told:
    """The goal to work on: the question's first, the `next` one, or the same in another wording (`refine`)."""
    if board.inquiry is None:
        board.inquiry = Inquiry.open(board.question, tools.searcher, tools.scope, tools.reader_model)
    inquiry = board.inquiry
    if kind == "refine":
        board.goal = inquiry.again()
        board.refined = True
    else:
        following = inquiry.following()
        assert following is not None, "illegal: there is no next goal"
        board.goal, inquiry.at = following
        board.goals += 1
        board.refined = False
    assert board.goal is not None, "illegal: there is no other wording"
    board.goal_searched = False
    detail: dict[str, Any] = {"text": board.goal.text, "query": board.goal.query,
                              "expects": board.goal.expects, "hop": board.goal.hop}  # fmt: skip
    if kind != "first" and board.verdicts:
        detail["because"] = board.verdicts[-1].reason
    return Told(board.goal.text, detail)


def search(board: Board, tools: Tools, level: str) -> Told:
    """Passages for the goal's query, packed into the token budget of the reader."""
    assert board.goal is not None
    config, goal = tools.config, board.goal
    mode = mode_of(level, config)
    hits, tokens = pack(tools.search.search(goal.query, config.top_k, mode), config.context_tokens)
    seen = {hit.passage.id for found in board.found for hit in found.hits}
    overlap = sum(hit.passage.id in seen for hit in hits)
    board.found = (*board.found, Found(goal, level, mode, hits, tokens, overlap))
    board.tried |= {(goal.query, mode)}
    board.goal_searched = True
    detail = {
        "query": goal.query,
        "level": level,
        "mode": mode,
        "tokens": tokens,
        "overlap": overlap,
        "hits": [
            {"passage_id": h.passage.id, "title": h.passage.title, "score": round(h.score, 4), "rank": h.rank}
            for h in hits
        ],
    }
    documents = len({hit.passage.document_id for hit in hits})
    passages = "1 passage" if len(hits) == 1 else f"{len(hits)} passages"
    where = "1 document" if documents == 1 else f"{documents} documents"
    return Told(f"Found {passages} in {where}", detail)


def read(board: Board, tools: Tools, _: str) -> Told:
    """Read the passages for sentences that bear on the question."""
    assert board.inquiry is not None and board.found
    last = board.found[-1]
    new = board.inquiry.read(tools.reader, last.goal, last.hits)
    board.found = (*board.found[:-1], replace(last, new_sentences=new))
    best = board.inquiry.thread.best
    detail: dict[str, Any] = {"new_sentences": new}
    if best is not None:
        detail["best"] = [
            {"title": link.passage.title, "text": link.text, "score": round(link.score, 3)}
            for link in best.links
        ]
        detail["answers"] = [{"text": a.text, "score": round(a.score, 3)} for a in best.answers]
    return Told(f"Read {new} new sentence{'' if new == 1 else 's'}", detail)


def judge(board: Board, tools: Tools, _: str) -> Told:
    """Did the search meet its goal, was it new, was it useful; and is it enough for an answer?"""
    inquiry = board.inquiry
    assert inquiry is not None and board.found
    thread = inquiry.thread
    verdict: Verdict = verdict_of(board)
    board.verdicts = (*board.verdicts, verdict)
    board.answers = (*board.answers, thread.judged[0].answer if thread.judged else "")
    board.confidence = inquiry.probability
    enough = thread.probability >= STOP_AT
    chosen = "enough" if enough else "look further"
    missing = thread.missing()
    options = {"enough": thread.probability, "look further": 1 - thread.probability}
    decision = Decision(
        "judge", tuple(options), chosen, options[chosen], verdict.reason, thread.features, options
    )
    summary = "Evidence is enough" if enough else f"Not enough yet: {', '.join(missing) or 'weak match'}"
    detail = {
        "probability": round(thread.probability, 4),
        "goal_met": verdict.goal_met,
        "novel": verdict.novel,
        "useful": verdict.useful,
        "overlap": verdict.overlap,
        "reason": verdict.reason,
    }
    return Told(summary, detail, decision)


def take_notes(board: Board, tools: Tools, _: str) -> Told:
    """Turn the evidence into notes and a short answer."""
    inquiry = board.inquiry
    assert inquiry is not None
    board.confidence = inquiry.probability
    found = board.conclusion = conclude(inquiry, tools.document_date)
    if found is None:
        return Told("The evidence gives no answer", then=(("abstain", ""),))
    step = len(board.steps)
    notes = notes_of(found, board.question, step)
    rivals = notes_of(Conclusion("", found.rivals), board.question, step, first=len(notes) + 1)
    board.notes, board.rivals = (*notes, *rivals), tuple(note.id for note in rivals)
    detail = {
        "short": found.short,
        "rationale": found.rationale,
        "probability": round(board.confidence, 4),
        "notes": [{"id": n.id, "claim": n.claim, "title": n.title} for n in notes],
        "rivals": [n.id for n in rivals],
    }
    return Told(f"Took {len(notes)} note{'' if len(notes) == 1 else 's'}", detail)


def write(board: Board, tools: Tools, _: str) -> Told:
    """Compose the answer from the notes and check every citation."""
    found = board.conclusion
    assert found is not None
    main = tuple(note for note in board.notes if note.id not in board.rivals)
    against = tuple(note for note in board.notes if note.id in board.rivals)
    composition, brain, notice = _compose(board, main, found.short, tools)
    derived = (found.short,) if found.derived else ()
    verified = tools.verifier.verify(differing(composition, against), board.notes, derived)
    if not verified.claims and brain != tools.embedded.name:
        notice = f"The answer of {brain} did not hold against its sources; the embedded brain answered."
        composition = tools.embedded.compose(board.question, main, found.short)
        brain = tools.embedded.name
        verified = tools.verifier.verify(differing(composition, against), board.notes, derived)
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
    best = inquiry.thread.best if inquiry is not None else None
    nearest = best.last.passage.title if best is not None and best.cosine > 0.4 else ""
    missing = inquiry.missing() if inquiry is not None else ()
    text, what = replies.abstention(missing, board.searches, nearest)
    board.notes, board.rivals = (), ()
    board.answer = Answer(
        text=text, short="", kind="abstention", confidence=1 - board.probability, missing=what,
        stopped=_cut(board, tools), cost=cost_of(board),
    )  # fmt: skip
    return Told("Said that it is not in the documents", {"missing": what})


STAGES: dict[str, tuple[Stage, Callable[[Board, Tools, str], Told]]] = {
    "gate": ("gate", gate),
    "reply": ("answer", reply),
    "recall": ("recall", recall),
    "plan": ("goal", plan),
    "search": ("search", search),
    "read": ("read", read),
    "judge": ("judge", judge),
    "note": ("note", take_notes),
    "write": ("verify", write),
    "abstain": ("abstain", abstain),
}


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
    out_of_steps = len(board.steps) + 5 > config.max_steps
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
            text=text, short="", kind="abstention", missing=what, notice=notice, cost=cost_of(board)
        )
    text = " ".join(
        f"{claim.text} {''.join(f'[{number}]' for number in claim.citations)}" for claim in verified.claims
    )
    return Answer(
        text=text, short=made.short, kind="answer", claims=verified.claims, citations=verified.citations,
        confidence=board.confidence, notice=notice, brain=brain, stopped=_cut(board, tools),
        cost=cost_of(board),
    )  # fmt: skip
