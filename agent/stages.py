"""The stages of the loop up to an answer. Each does one thing to the board and says what it did in one line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from agent import llm_stages
from agent.board import Board, Found, Tools, mode_of
from agent.boundary import agreement_of, signals_of
from agent.columns import cell_beside
from agent.conclude import rival_answers
from agent.fields import BESIDE, may_stand_in_field, record_beside
from agent.finishing import abstain, conclude_notes, recall, reply, write
from agent.inquiry import Inquiry
from agent.judging import verdict_of
from agent.named import hits_within, named_documents
from agent.notebook import decided, propose
from agent.packing import evidence
from agent.question import analyse
from agent.recollection import Recollection
from agent.scoring import passage_scores
from agent.thread import STOP_AT
from agent.told import Told
from agent.types import Decision, Stage
from index.encoders import count_tokens
from index.types import Hit, Mode

SAMPLES = 3  # answers of a language model whose agreement says whether it knows


def gate(board: Board, tools: Tools, _: str) -> Told:
    """Talk, the collection itself, known already, hopeless here, or a question for the documents."""
    decision = tools.gate.decide(board.question)
    if decision.chosen != "search":
        board.gate = decision
        summary = {"small_talk": "Small talk", "library": "About the collection"}[decision.chosen]
        return Told(summary, {"rationale": decision.rationale}, decision, then=(("reply", ""),))
    detail: dict[str, Any] = {}
    if tools.recall is not None:
        known = board.recollection = tools.recall(board.question, tools.scope)
        if known.answer is not None:
            board.gate = decision = _remembered(known)
            detail = {"rationale": decision.rationale, "question": known.question}
            return Told("Known from an earlier question", detail, decision, then=(("plan", "first"),))
        detail |= {"memory_says": known.reason} if known.reason else {}
    board.signals = signals_of(analyse(board.question), tools.searcher, tools.scope)
    agreement, error = _own_knowledge(board, tools)
    board.gate = decision = tools.boundary.decide(board.signals, agreement)
    if tools.thinker is not None:
        decision, mistake = llm_stages.gate(board, tools, decision)
        board.gate, error = decision, " ".join(filter(None, (error, mistake)))
        if decision.chosen in ("small_talk", "library"):
            summary = "Small talk" if decision.chosen == "small_talk" else "About the collection"
            return Told(summary, detail, decision, error, then=(("reply", ""),))
    heading = {"knows": "The model knows this", "hopeless": "Not in these documents"}.get(decision.chosen)
    detail["rationale"] = decision.rationale
    return Told(heading or "Needs the documents", detail, decision, error, then=(("plan", "first"),))


def _own_knowledge(board: Board, tools: Tools) -> tuple[float | None, str]:
    """(share of a language model's samples that agree, its mistakes); None where it may not be asked."""
    if tools.knower is None:
        return None, ""
    samples, errors = [], []
    for attempt in range(1, SAMPLES + 1):
        reply_ = tools.knower.ask("know", {"answer": str}, _deadline(board, tools),
                                  question=board.question, attempt=str(attempt))  # fmt: skip
        board.prompt_tokens += reply_.prompt_tokens
        board.completion_tokens += reply_.completion_tokens
        said = str(reply_.said.get("answer", ""))
        samples.append("" if said.strip(" .").lower() == "unknown" else said)
        errors += [reply_.error] if reply_.error else []
    board.known, agreement = agreement_of(samples)
    return agreement, " ".join(dict.fromkeys(errors))


def _remembered(known: Recollection) -> Decision:
    said = {"remembered": max(0.0, min(1.0, known.similarity))}
    said["search"] = 1 - said["remembered"]
    return Decision(
        "gate", tuple(said), "remembered", said["remembered"],
        "The same question was answered before, and its sources have not changed.",
        {"similarity": round(known.similarity, 4), "q": round(known.value, 4)}, said,
    )  # fmt: skip


def plan(board: Board, tools: Tools, kind: str) -> Told:
    """The goal to work on: the question's first, the `next` one, or the same in another wording (`refine`)."""
    if board.inquiry is None:
        board.inquiry = Inquiry.open(
            board.question, tools.searcher, tools.scope, tools.reader_model, apart=tools.config.step_by_step
        )
    inquiry, error = board.inquiry, ""
    if kind == "refine":
        goal = inquiry.again()
        assert goal is not None, "illegal: there is no other wording"
        board.refined = True
    else:
        following = inquiry.following()
        assert following is not None, "illegal: there is no next goal"
        goal, inquiry.at = following
        board.goals += 1
        board.refined = False
    if tools.thinker is not None and kind != "first":
        goal, error = llm_stages.goal(board, tools, goal, refine=kind == "refine")
    board.goal, board.goal_searched = goal, False
    detail: dict[str, Any] = {
        "text": goal.text,
        "query": goal.query,
        "expects": goal.expects,
        "hop": goal.hop,
    }
    if kind != "first" and board.verdicts:
        detail["because"] = board.verdicts[-1].reason
    return Told(goal.text, detail, error=error)


def search(board: Board, tools: Tools, level: str) -> Told:
    """Passages for the goal's query, packed into the token budget of the reader."""
    assert board.goal is not None
    config, goal = tools.config, board.goal
    mode = mode_of(level, config)
    hits, tokens = evidence(tools.search, goal.query, mode, config, _of_named(board, tools, mode))
    hits, tokens = _with_record(board, tools, hits, tokens)
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


def _of_named(board: Board, tools: Tools, mode: Mode) -> tuple[Hit, ...]:
    """What bears on the goal in the documents that the question cites; looked for once a line of search."""
    assert board.inquiry is not None and board.goal is not None
    if board.inquiry.thread.asked:
        return ()
    documents = named_documents(board.question, tools.searcher, tools.scope)
    worth = tools.config.evidence_worth
    return hits_within(documents, board.goal.query, mode, tools.searcher, tools.scope, worth)


def _with_record(
    board: Board, tools: Tools, hits: tuple[Hit, ...], tokens: int
) -> tuple[tuple[Hit, ...], int]:
    """The same with the record that holds what the question asks for in a field, where ranking left it out: headers
    and rows are no prose, and what ranks prose passes them over. Looked for once a line of search, by words."""
    assert board.inquiry is not None and board.goal is not None
    thread = board.inquiry.thread
    if thread.asked or not may_stand_in_field(thread.question):
        return hits, tokens
    others = tools.search.search(board.goal.query, BESIDE, "bm25")
    found = record_beside(thread.question, thread.weights, hits, others) or cell_beside(
        thread.question, thread.weights, hits, others, thread.lead
    )
    if found is None:
        return hits, tokens
    others = tuple(hit for hit in hits if hit.passage.id != found.passage.id)  # it may be there cut
    added = replace(found, score=0.0, rank=len(others) + 1)
    return (*others, added), sum(count_tokens([hit.passage.text for hit in (*others, added)]))


def read(board: Board, tools: Tools, _: str) -> Told:
    """Read the passages for sentences that bear on the question, and score each passage."""
    assert board.inquiry is not None and board.found
    last = board.found[-1]
    new = board.inquiry.read(tools.reader, last.goal, last.hits)
    board.found = (*board.found[:-1], replace(last, new_sentences=new))
    scores, error = passage_scores(last.hits, board.inquiry.thread), ""
    if tools.thinker is not None:
        scores, error = llm_stages.scores(board, tools, last.hits, scores)
    board.scores |= {score.passage_id: score for score in scores}
    best = board.inquiry.thread.best
    detail: dict[str, Any] = {
        "new_sentences": new,
        "passages": [
            {"passage_id": s.passage_id, "score": round(s.score, 1), "doubt": round(s.doubt, 1),
             "views": list(s.views), "label": s.label}
            for s in scores
        ],
    }  # fmt: skip
    if best is not None:
        detail["best"] = [
            {"title": link.passage.title, "text": link.text, "score": round(link.score, 3)}
            for link in best.links
        ]
        detail["answers"] = [{"text": a.text, "score": round(a.score, 3)} for a in best.answers]
    steps = board.inquiry.steps
    if steps is not None and (steps.steps or steps.waits):
        detail["steps"] = [
            {"asks": s.asks, "answer": s.read.answer, "probability": round(s.read.probability, 4)}
            for s in steps.steps
        ]
        detail["waits"] = board.inquiry.waits
    return Told(f"Read {new} new sentence{'' if new == 1 else 's'}", detail, error=error)


def judge(board: Board, tools: Tools, _: str) -> Told:
    """Did the search meet its goal, was it new, was it useful; and is it enough for an answer?"""
    inquiry = board.inquiry
    assert inquiry is not None and board.found
    thread = inquiry.thread
    verdict, error = verdict_of(board), ""
    if tools.thinker is not None:
        verdict, error = llm_stages.verdict(board, tools, verdict)
    board.verdicts = (*board.verdicts, verdict)
    board.answers = (*board.answers, thread.judged[0].answer if thread.judged else "")
    board.contradicts = bool(rival_answers(thread))
    board.confidence = inquiry.probability
    enough = thread.probability >= STOP_AT
    chosen = "enough" if enough else "look further"
    missing = thread.missing()
    options = {"enough": thread.probability, "look further": 1 - thread.probability}
    decision = Decision(
        "judge", tuple(options), chosen, options[chosen], verdict.reason, thread.seen, options
    )
    summary = "Evidence is enough" if enough else f"Not enough yet: {', '.join(missing) or 'weak match'}"
    detail = {
        "probability": round(thread.probability, 4),
        "goal_met": verdict.goal_met,
        "novel": verdict.novel,
        "useful": verdict.useful,
        "overlap": verdict.overlap,
        "reason": verdict.reason,
        "by": tools.thinker.name if tools.thinker is not None and not error else "embedded",
    }
    return Told(summary, detail, decision, error)


def take_notes(board: Board, tools: Tools, _: str) -> Told:
    """Propose the next version of the notes and keep the better one."""
    assert board.inquiry is not None and board.goal is not None
    proposal, error = propose(board.notebook, board.inquiry, board.goal, len(board.steps)), ""
    if tools.thinker is not None:
        proposal, error = llm_stages.notes(board, tools, proposal)
    outcome = tools.comparer.compare(board.question, board.notebook, proposal)
    board.notebook = decided(board.notebook, proposal, outcome)
    detail = {
        "better": outcome.better,
        "gained": list(outcome.gained),
        "reason": outcome.reason,
        "version": board.notebook.version,
        "fails": board.notebook.fails,
        "notes": [
            {"id": n.id, "claim": n.claim, "title": n.title, "goal": n.goal} for n in board.notebook.notes
        ],
    }
    count = len(board.notebook.notes)
    summary = (
        f"Holds {count} note{'' if count == 1 else 's'}" if outcome.better else "The notes stay as they were"
    )
    return Told(summary, detail, error=" ".join(filter(None, (error, outcome.error))))


def _deadline(board: Board, tools: Tools) -> float:
    return time.monotonic() + max(tools.config.max_seconds - board.seconds, 1.0)


STAGES: dict[str, tuple[Stage, Callable[[Board, Tools, str], Told]]] = {
    "gate": ("gate", gate),
    "reply": ("answer", reply),
    "recall": ("recall", recall),
    "plan": ("goal", plan),
    "search": ("search", search),
    "read": ("read", read),
    "judge": ("judge", judge),
    "note": ("note", take_notes),
    "conclude": ("note", conclude_notes),
    "write": ("verify", write),
    "abstain": ("abstain", abstain),
}
