"""What a language model decides in the stages, where the settings let it think (`agent.thinking = "model"`).

Each function has the embedded body's outcome at hand, asks the model, and returns the model's in the same type; with
a mistake it returns the embedded one and says what was wrong. Passages that scored low are left out of what the
prompts show; their labels stay.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.board import Board, Tools, Verdict
from agent.compose import claim_of
from agent.notebook import Comparison, Notebook, gained_claims, merge
from agent.scoring import DOUBT, PassageScore
from agent.thinking import Kind, Reply, Thinker, numbered
from agent.types import Decision, Goal, Note
from index.errors import InputError
from index.types import Hit

GATE_CHOICES = ("talk", "library", "search", "hopeless")
SCORED = 3  # passages a model scores after one search, the most doubtful first
QUOTE_MIN = 12  # characters


def gate(board: Board, tools: Tools, made: Decision) -> tuple[Decision, str]:
    """The gate's decision by the model."""
    counts = ", ".join(f"{name} {value:.2f}" for name, value in made.features.items())
    shape: dict[str, Kind] = {"decision": GATE_CHOICES, "confidence": int, "reason": str}
    reply = _ask(board, tools, "gate", shape, question=board.question, counts=counts)
    if reply.error:
        return made, reply.error
    names = {"talk": "small_talk"}
    options = tuple(names.get(choice, choice) for choice in GATE_CHOICES)
    chosen = names.get(reply.said["decision"], reply.said["decision"])
    sure = max(reply.said["confidence"] / 100, 1 / len(options))
    shares = {option: (1 - sure) / (len(options) - 1) for option in options} | {chosen: sure}
    if chosen == "hopeless" and not made.features.get("absent_names"):
        chosen = "search"  # a subject that the documents name is never given up unsearched
    return Decision("gate", options, chosen, shares[chosen], reply.said["reason"], made.features, shares), ""


def goal(board: Board, tools: Tools, made: Goal, *, refine: bool) -> tuple[Goal, str]:
    """The next goal with its query, or (`refine`) another query for the present goal."""
    queries = numbered([found.goal.query for found in board.found])
    notes = numbered([note.claim for note in board.notebook.notes])
    if refine:
        assert board.goal is not None
        reply = _ask(
            board, tools, "refine", {"query": str}, goal=board.goal.text, queries=queries, notes=notes,
            why=board.verdicts[-1].reason if board.verdicts else "(nothing was said)",
        )  # fmt: skip
    else:
        assert board.inquiry is not None
        missing = ", ".join(board.inquiry.missing()) or "(nothing)"
        shape = {"goal": str, "query": str}
        reply = _ask(
            board,
            tools,
            "goal",
            shape,
            question=board.question,
            notes=notes,
            missing=missing,
            queries=queries,
        )
    if reply.error:
        return made, reply.error
    query = str(reply.said["query"])
    if query.lower() in {found.goal.query.lower() for found in board.found} or not _has_words(query):
        return made, "The model repeated an earlier query; the embedded one is used."
    return replace(made, query=query, text=str(reply.said.get("goal", made.text))), ""


def verdict(board: Board, tools: Tools, made: Verdict) -> tuple[Verdict, str]:
    """Goal met and useful by the model; novelty and probability stay as they were computed."""
    last = board.found[-1]
    shape = {"met": bool, "useful": bool, "reason": str}
    reply = _ask(
        board, tools, "judge", shape, question=board.question, goal=last.goal.text,
        notes=numbered([note.claim for note in board.notebook.notes]), results=shown(last.hits, board.scores),
    )  # fmt: skip
    if reply.error:
        return made, reply.error
    said = reply.said
    return replace(made, goal_met=said["met"], useful=said["useful"], reason=said["reason"]), ""


def scores(
    board: Board, tools: Tools, hits: Sequence[Hit], made: Sequence[PassageScore]
) -> tuple[tuple[PassageScore, ...], str]:
    """One more view, the model's, of the passages whose views disagree most. A reply that cannot be read counts 0."""
    by_doubt = sorted((s for s in made if s.doubt >= DOUBT), key=lambda s: -s.doubt)
    asked = {score.passage_id for score in by_doubt[:SCORED]}
    texts = {hit.passage.id: hit.passage.text for hit in hits}
    errors: list[str] = []
    found = []
    for score in made:
        if score.passage_id not in asked:
            found.append(score)
            continue
        reply = _ask(
            board, tools, "score", {"score": int}, question=board.question, passage=texts[score.passage_id]
        )
        errors += [reply.error] if reply.error else []
        view = float(reply.said.get("score", 0.0))
        found.append(replace(score, views=(*score.views, view)))
    return tuple(found), " ".join(dict.fromkeys(errors))


def notes(board: Board, tools: Tools, made: Notebook) -> tuple[Notebook, str]:
    """The proposal with sentences that the model copied; what stands in no result word for word is a mistake."""
    last = board.found[-1]
    reply = _ask(
        board, tools, "note", {"quotes": list}, question=board.question, goal=last.goal.text,
        notes=numbered([note.claim for note in board.notebook.notes]), results=shown(last.hits, board.scores),
    )  # fmt: skip
    if reply.error:
        return made, reply.error
    taken, invented = [], 0
    for quote in reply.said["quotes"]:
        note = bound(quote, last.hits, last.goal.text, len(board.steps))
        taken += [note] if note is not None else []
        invented += note is None
    error = f"note: {invented} quote{'' if invented == 1 else 's'} stood in no result." if invented else ""
    return replace(made, notes=merge(made.notes, taken)), error


class ModelComparer:
    """Compares versions of notes by asking a language model."""

    def __init__(self, thinker: Thinker) -> None:
        self._thinker = thinker

    def compare(self, question: str, old: Notebook, new: Notebook) -> Comparison:
        """See Comparer. A first version needs no comparison; a reply without sense counts as not better."""
        gained = gained_claims(old.notes, new.notes)
        if not old.version:
            return Comparison(True, gained, "The first notes.")
        if not gained:
            return Comparison(False, (), "It says nothing new.")
        reply = self._thinker.ask(
            "compare", {"better": bool, "reason": str}, None, question=question,
            first=numbered([note.claim for note in old.notes]),
            second=numbered([note.claim for note in new.notes]),
        )  # fmt: skip
        if reply.error:
            return Comparison(False, gained, "The comparison could not be read.", reply.error)
        return Comparison(reply.said["better"], gained, reply.said["reason"])


def shown(hits: Sequence[Hit], scored: Mapping[int, PassageScore]) -> str:
    """The results as prompts show them: those labelled "drop" only by their title and label (ReSeek's soft mask)."""
    lines = []
    for hit in hits:
        score = scored.get(hit.passage.id)
        if score is not None and score.label == "drop":
            lines.append(f"{hit.passage.title}: (left out, scored {score.score:.0f} of 100)")
        else:
            lines.append(f"{hit.passage.title}: {' '.join(hit.passage.text.split())}")
    return numbered(lines)


def bound(quote: str, hits: Sequence[Hit], goal: str, step: int) -> Note | None:
    """A quote as a note of the passage it stands in, white space aside; None where it stands in none."""
    words = quote.split()
    if len(" ".join(words)) < QUOTE_MIN:
        return None
    for hit in hits:
        passage = hit.passage
        span = _place(passage.text, words)
        if span is not None:
            start, end = span
            text = passage.text[start:end]
            return Note(
                id="", claim=claim_of(text, passage.title), quote=text, passage_id=passage.id,
                document_id=passage.document_id, title=passage.title, source=passage.source,
                heading=passage.heading, page=passage.page, start=passage.start + start,
                end=passage.start + end, goal=goal, score=round(max(0.0, min(1.0, hit.score)), 4), step=step,
            )  # fmt: skip
    return None


def _place(text: str, words: Sequence[str]) -> tuple[int, int] | None:
    """Where the words stand in a text one after the other, with any white space between them."""
    flat, places = [], []
    for at, sign in enumerate(text):
        if not sign.isspace():
            flat.append(sign)
            places.append(at)
    wanted = "".join(words)
    at = "".join(flat).find(wanted)
    return None if at < 0 else (places[at], places[at + len(wanted) - 1] + 1)


def _ask(board: Board, tools: Tools, prompt: str, shape: Mapping[str, Kind], **values: str) -> Reply:
    if tools.thinker is None:
        raise InputError("No language model is chosen to think with.")
    left = max(tools.config.max_seconds - board.seconds, 1.0)
    reply = tools.thinker.ask(prompt, shape, time.monotonic() + left, **values)
    board.prompt_tokens += reply.prompt_tokens
    board.completion_tokens += reply.completion_tokens
    return reply


def _has_words(query: str) -> bool:
    return any(sign.isalnum() for sign in query)
