"""The nodes of the loop: state in, changes out. Each adds one step that a person can read.

What the nodes work with (searcher, reader, composers, budgets, the Stop flag, the memory of the question)
comes in through LangGraph's context, so a node is a plain function and the state holds JSON only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from operator import add
from typing import Annotated, Any, TypedDict

from langgraph.runtime import Runtime

from agent import replies
from agent.compose import differing
from agent.conclude import Conclusion, conclude, notes_of
from agent.config import AgentConfig
from agent.gate import Gate
from agent.inquiry import ANSWER_AT, STOP_AT, Inquiry
from agent.packing import pack
from agent.reader import Reader
from agent.reader_model import ReaderModel
from agent.types import Answer, Composer, Composition, Cost, Decision, Goal, Note, Stage, Step
from agent.verify import Verified, Verifier
from index.errors import Cancelled, ModelError
from index.retrieve import Searcher
from index.types import Hit, Scope


class State(TypedDict, total=False):
    """What the graph carries; plain JSON."""

    question: str
    steps: Annotated[list[dict[str, Any]], add]
    gate: str
    goal: dict[str, Any] | None
    searches: int
    context_tokens: int
    notes: list[dict[str, Any]]
    short: str
    derived: bool
    confidence: float
    enough: bool
    stopped: str
    missing: str
    answer: dict[str, Any] | None


@dataclass(slots=True)
class Tools:
    """Everything a node may use, and the scratch memory of this one question."""

    searcher: Searcher
    reader: Reader
    reader_model: ReaderModel | None
    gate: Gate
    verifier: Verifier
    embedded: Composer
    model: Composer | None
    config: AgentConfig
    scope: Scope
    document_date: Callable[[str], str]
    cancelled: Callable[[], bool] = field(default=lambda: False)
    started: float = field(default_factory=time.monotonic)
    inquiry: Inquiry | None = None
    hits: tuple[Hit, ...] = ()
    goal: Goal | None = None

    @property
    def seconds_left(self) -> float:
        """Of the question's time budget."""
        return self.config.max_seconds - (time.monotonic() - self.started)


Told = tuple[str, dict[str, Any], Decision | None]  # summary, detail, decision of a step


def node(stage: Stage) -> Callable[[Callable[[State, Tools], tuple[State, Told]]], Any]:
    """Wrap a node: look at the Stop flag, time the work, append the step."""

    def wrap(work: Callable[[State, Tools], tuple[State, Told]]) -> Any:
        def run(state: State, runtime: Runtime[Tools]) -> State:
            tools = runtime.context
            if tools.cancelled():
                raise Cancelled("Stopped.")
            began = time.monotonic()
            changes, (summary, detail, decision) = work(state, tools)
            seconds = time.monotonic() - began
            step = Step(len(state.get("steps", [])), stage, summary, seconds, detail, decision)
            return {**changes, "steps": [asdict(step)]}

        run.__name__, run.__doc__ = work.__name__, work.__doc__  # not `wraps`: LangGraph reads our signature
        return run

    return wrap


@node("gate")
def gate(state: State, tools: Tools) -> tuple[State, Told]:
    """Talk, the collection itself, or a question for the documents."""
    decision = tools.gate.decide(state["question"])
    summary = {"small_talk": "Small talk", "library": "About the collection", "search": "Needs the documents"}
    return {"gate": decision.chosen}, (summary[decision.chosen], {"rationale": decision.rationale}, decision)


@node("answer")
def reply(state: State, tools: Tools) -> tuple[State, Told]:
    """Answer without a search."""
    speak = replies.small_talk if state["gate"] == "small_talk" else replies.about_library
    text = speak(state["question"], tools.searcher.store, tools.scope)
    kind = "small_talk" if state["gate"] == "small_talk" else "library"
    answer = Answer(text=text, short="", kind=kind, confidence=1.0)  # type: ignore[arg-type]
    return {"answer": asdict(answer)}, ("Answered without searching", {}, None)


@node("goal")
def goal(state: State, tools: Tools) -> tuple[State, Told]:
    """What is missing now, and the query that should find it; none when it is time to conclude."""
    if tools.inquiry is None:
        tools.inquiry = Inquiry.open(state["question"], tools.searcher, tools.scope, tools.reader_model)
    stopped = ""
    if state.get("searches", 0) >= tools.config.max_searches:
        stopped = "steps"
    elif tools.seconds_left <= 0:
        stopped = "time"
    elif len(state.get("steps", [])) + 6 > tools.config.max_steps:
        stopped = "steps"
    tools.goal = None if stopped else tools.inquiry.next_goal()
    if tools.goal is None:
        # Running out of budget matters only when there was more to look for.
        cut = stopped if stopped and tools.inquiry.probability < STOP_AT else ""
        why = "Budget used up" if cut else "Nothing left to look for"
        return {"goal": None, "stopped": cut}, (why, {"stopped": cut}, None)
    return {"goal": asdict(tools.goal)}, (tools.goal.text, asdict(tools.goal), None)


@node("search")
def search(state: State, tools: Tools) -> tuple[State, Told]:
    """Passages for the goal's query, packed into the token budget of the reader."""
    assert tools.goal is not None
    config = tools.config
    hits = tools.searcher.search(tools.goal.query, config.top_k, config.mode, tools.scope)
    tools.hits, tokens = pack(hits, config.context_tokens)
    documents = len({hit.passage.document_id for hit in tools.hits})
    detail = {
        "query": tools.goal.query,
        "mode": config.mode,
        "tokens": tokens,
        "hits": [
            {"passage_id": h.passage.id, "title": h.passage.title, "score": round(h.score, 4), "rank": h.rank}
            for h in tools.hits
        ],
    }
    passages = "1 passage" if len(tools.hits) == 1 else f"{len(tools.hits)} passages"
    where = "1 document" if documents == 1 else f"{documents} documents"
    changes: State = {
        "searches": state.get("searches", 0) + 1,
        "context_tokens": state.get("context_tokens", 0) + tokens,
    }
    return changes, (f"Found {passages} in {where}", detail, None)


@node("read")
def read(state: State, tools: Tools) -> tuple[State, Told]:
    """Read the passages for sentences that bear on the question."""
    assert tools.inquiry is not None and tools.goal is not None
    new = tools.inquiry.read(tools.reader, tools.goal, tools.hits)
    best = tools.inquiry.thread.best
    detail: dict[str, Any] = {"new_sentences": new}
    if best is not None:
        detail["best"] = [
            {"title": link.passage.title, "text": link.text, "score": round(link.score, 3)}
            for link in best.links
        ]
        detail["answers"] = [{"text": a.text, "score": round(a.score, 3)} for a in best.answers]
    return {}, (f"Read {new} new sentence{'' if new == 1 else 's'}", detail, None)


@node("judge")
def judge(state: State, tools: Tools) -> tuple[State, Told]:
    """Is it enough? The probability that an answer from the evidence at hand is right."""
    inquiry = tools.inquiry
    assert inquiry is not None
    thread = inquiry.thread
    probability = thread.probability
    chosen = "enough" if probability >= STOP_AT else "look further"
    missing = thread.missing()
    why = "The evidence covers the question." if not missing else f"Not covered: {', '.join(missing)}."
    decision = Decision("judge", ("enough", "look further"), chosen, probability, why, thread.features)
    summary = (
        "Evidence is enough"
        if chosen == "enough"
        else f"Not enough yet: {', '.join(missing) or 'weak match'}"
    )
    return {"confidence": inquiry.probability}, (summary, {"probability": round(probability, 4)}, decision)


@node("judge")
def conclude_notes(state: State, tools: Tools) -> tuple[State, Told]:
    """Turn the evidence into notes and a short answer, or decide that there is none."""
    inquiry = tools.inquiry
    assert inquiry is not None
    found: Conclusion | None = conclude(inquiry, tools.document_date)
    probability = inquiry.probability
    enough = found is not None and probability >= ANSWER_AT
    chosen = "answer" if enough else "abstain"
    decision = Decision(
        "conclude", ("answer", "abstain"), chosen, probability if enough else 1 - probability,
        found.rationale if found else "No evidence gives an answer.", inquiry.thread.features,
    )  # fmt: skip
    changes: State = {"enough": enough, "confidence": probability, "missing": ", ".join(inquiry.missing())}
    if found is None or not enough:
        weak = {"probability": round(probability, 4), "short": found.short if found else ""}
        return changes, ("Not in the documents", weak, decision)
    step = len(state.get("steps", []))
    notes = notes_of(found, state["question"], step)
    rivals = notes_of(Conclusion("", found.rivals), state["question"], step, first=len(notes) + 1)
    changes |= {
        "notes": [asdict(note) for note in (*notes, *rivals)],
        "short": found.short,
        "derived": found.derived,
    }
    detail = {
        "short": found.short,
        "rationale": found.rationale,
        "notes": [{"id": n.id, "claim": n.claim, "title": n.title} for n in notes],
        "rivals": [n.id for n in rivals],
    }
    count = "1 note" if len(notes) == 1 else f"{len(notes)} notes"
    return changes, (f"Took {count}", detail, decision)


@node("verify")
def answer(state: State, tools: Tools) -> tuple[State, Told]:
    """Compose the answer from the notes and check every citation."""
    notes = tuple(Note(**note) for note in state["notes"])
    rivals = _rivals(state)
    main = tuple(note for note in notes if note.id not in rivals)
    short = state["short"]
    composition, brain, notice = _compose(state["question"], main, short, tools)
    derived = (short,) if state["derived"] else ()
    verified = tools.verifier.verify(_with_rivals(composition, notes, rivals), notes, derived)
    if not verified.claims and brain != tools.embedded.name:
        notice = f"The answer of {brain} did not hold against its sources; the embedded brain answered."
        composition, brain = tools.embedded.compose(state["question"], main, short), tools.embedded.name
        verified = tools.verifier.verify(_with_rivals(composition, notes, rivals), notes, derived)
    made = _answer(state, composition, verified, brain, notice)
    detail = {
        "claims": len(verified.claims),
        "citations": len(verified.citations),
        "dropped": list(verified.dropped),
    }
    checked = f"Checked {len(verified.citations)} citation{'' if len(verified.citations) == 1 else 's'}"
    return {"answer": asdict(made)}, (checked, detail, None)


@node("abstain")
def abstain(state: State, tools: Tools) -> tuple[State, Told]:
    """Say that the documents do not hold the answer, and what is missing."""
    inquiry = tools.inquiry
    best = inquiry.thread.best if inquiry is not None else None
    nearest = best.last.passage.title if best is not None and best.cosine > 0.4 else ""
    missing = inquiry.missing() if inquiry is not None else ()
    text, what = replies.abstention(missing, state.get("searches", 0), nearest)
    confidence = 1 - state.get("confidence", 0.0)
    made = Answer(
        text=text, short="", kind="abstention", confidence=confidence, missing=what,
        stopped=state.get("stopped", ""), cost=_cost(state),
    )  # fmt: skip
    return {"answer": asdict(made)}, ("Said that it is not in the documents", {"missing": what}, None)


def _compose(
    question: str, notes: tuple[Note, ...], short: str, tools: Tools
) -> tuple[Composition, str, str]:
    """(composition, who wrote it, notice): the model if there is one, else or on failure the embedded brain."""
    if tools.model is not None:
        try:
            deadline = time.monotonic() + max(tools.seconds_left, 1.0)
            return tools.model.compose(question, notes, short, deadline), tools.model.name, ""
        except ModelError as error:
            notice = f"The language model did not answer ({error}). The embedded brain answered instead."
            return tools.embedded.compose(question, notes, short), tools.embedded.name, notice
    return tools.embedded.compose(question, notes, short), tools.embedded.name, ""


def _rivals(state: State) -> tuple[str, ...]:
    """Ids of the notes that stand for another answer."""
    concluded = [s for s in state["steps"] if s["decision"] and s["decision"]["name"] == "conclude"]
    return tuple(concluded[-1]["detail"].get("rivals", ())) if concluded else ()


def _with_rivals(composition: Composition, notes: tuple[Note, ...], rivals: tuple[str, ...]) -> Composition:
    return differing(composition, tuple(note for note in notes if note.id in rivals))


def _answer(state: State, made: Composition, verified: Verified, brain: str, notice: str) -> Answer:
    if not verified.claims:
        text, what = replies.abstention((), state.get("searches", 0), "")
        return Answer(text=text, short="", kind="abstention", missing=what, notice=notice, cost=_cost(state))
    text = " ".join(
        f"{claim.text} {''.join(f'[{number}]' for number in claim.citations)}" for claim in verified.claims
    )
    return Answer(
        text=text, short=made.short, kind="answer", claims=verified.claims, citations=verified.citations,
        confidence=state["confidence"], notice=notice, brain=brain, stopped=state.get("stopped", ""),
        cost=_cost(state, made),
    )  # fmt: skip


def _cost(state: State, made: Composition | None = None) -> Cost:
    return Cost(
        searches=state.get("searches", 0),
        context_tokens=state.get("context_tokens", 0),
        prompt_tokens=made.prompt_tokens if made else 0,
        completion_tokens=made.completion_tokens if made else 0,
    )
