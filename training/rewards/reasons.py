"""Why a reward gave its value, in one line for people: the facts that it read, or what it lacked.

The facts are recomputed from the episode, never from the value, so that a person can check the one against the other.
"""

from __future__ import annotations

from collections.abc import Callable

from training.metrics import f1
from training.rewards import citation, process, queries, rubrics
from training.rewards.contract import Episode, Need, Reads, Reward, Score
from training.rewards.cost import SEARCH_BUDGET, STEP_BUDGET, TOKEN_BUDGET, repeated_queries
from training.rewards.outcome import right
from training.rewards.principles import compile_principle
from training.rewards.sentences import is_claim, sentences
from training.rewards.verifying import verify

SHOWN = 90  # characters of a text that a reason quotes
_LACKED: dict[Need, tuple[Callable[[Episode], bool], str]] = {
    "gold": (lambda e: bool(e.golds) or e.answerable is not None or e.gold_calls is not None,
             "no gold answer is known"),
    "evidence": (lambda e: bool(e.evidence or e.rubrics), "no gold evidence is known"),
    "label": (lambda e: e.knows is not None, "nobody probed whether the policy knows the answer by itself"),
    "reference": (lambda e: bool(e.reference or e.rewrite or e.nuggets or e.distractors), "no reference text is known"),
    "teacher": (lambda e: any(s.useful is not None or s.relevance is not None for s in e.searches),
                "no teacher judged the searches"),
}  # fmt: skip

_LACKED_BY: dict[str, str] = {
    "rubric": "no rubric is known", "carr": "no rubric is known", "intent": "no self-contained rewrite is known",
    "expansion": "needs a second search", "contrastive": "no wrong answers to compare with are known",
    "principle": "no principle was given", "tool_calls": "no expected calls are known",
    "single_hop": "has more than one gold passage: `knowledge` judges its path",
    "intrinsic_hash": "nobody labelled a step yet", "tokens": "no step counted tokens",
    "calibrated": "no confidence was stated", "stop_choice": "no choice between stopping and going on was logged",
    "gate_label": "nobody probed whether the policy knows the answer by itself",
}  # fmt: skip


def why(reward: Reward, episode: Episode, value: Score) -> str:
    """One line: the facts behind a value, or what was missing for one."""
    if value is None:
        return _why_not(reward, episode)
    if not episode.well_formed:
        return "the output could not be read"
    if reward.body == "llm":
        return "as a language model judged it"
    special = _SPECIAL.get(reward.name)
    if special is not None:
        return special(episode)
    told = [fact for name in reward.reads if (fact := _FACTS[name](episode))]
    return "; ".join(dict.fromkeys(told)) or "nothing of what it reads was found"


def _why_not(reward: Reward, episode: Episode) -> str:
    if reward.body == "llm":
        asked = bool(episode.principle if reward.level == "group" else episode.nuggets)
        return (
            "the language model gave no verdict"
            if asked
            else "nothing for it to judge: no facts or no principle"
        )
    for need in reward.needs:
        if need in _LACKED and not _LACKED[need][0](episode):
            return _LACKED[need][1]
    if reward.name in _LACKED_BY:
        return _LACKED_BY[reward.name]
    if "citations" in reward.reads and episode.abstained:
        return "an abstention cites nothing"
    if {"queries", "results", "verdicts"} & set(reward.reads) and not episode.searches:
        return "nothing was searched"
    return "does not apply to this run"


def _clip(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN else flat[: SHOWN - 1].rstrip() + "…"


def _answer(episode: Episode) -> str:
    if episode.abstained:
        due = {True: "an answer exists", False: "rightly: there is no answer", None: ""}[episode.answerable]
        return f"abstained ({due})" if due else "abstained"
    said = f"“{_clip(episode.answer or episode.written)}”"
    if not episode.golds:
        return f"{said}, though there is no answer" if episode.answerable is False else said
    best = max(episode.golds, key=lambda gold: f1(episode.answer, [gold]))
    verdict = "right" if right(episode) else "wrong"
    return f"{said} against “{_clip(best)}”: {verdict}, word F1 {f1(episode.answer, [best]):.2f}"


def _queries(episode: Episode) -> str:
    again = repeated_queries(episode)
    return _count(len(episode.searches), "search", "es") + (f", {again} asked before" if again else "")


def _results(episode: Episode) -> str:
    shown = episode.retrieved
    if not episode.evidence:
        return f"{len(shown)} different passages shown"
    found = len(episode.gold_ids & shown.keys())
    return f"{found} of {_count(len(episode.gold_ids), 'gold passage')} among {len(shown)} shown"


def _citations(episode: Episode) -> str:
    cited = {c.passage_id for c in episode.citations}
    if not cited:
        return "nothing cited"
    parts = [f"{_count(len(cited), 'passage')} cited"]
    if episode.evidence:
        parts.append(f"{len(cited & episode.gold_ids)} of {len(episode.gold_ids)} gold ones")
    refused = {c.passage_id for c in episode.citations if c.supported is False}
    return ", ".join([*parts, f"{len(refused)} refused by the check"] if refused else parts)


def _verdicts(episode: Episode) -> str:
    told = [
        f"search {at}: {'stop' if step.accepted else 'go on'}"
        + (f" (p of stopping {step.stop:.2f})" if step.stop is not None else "")
        for at, step in enumerate(episode.searches, start=1)
        if step.accepted is not None
    ]
    return ", ".join(told)


def _cost(episode: Episode) -> str:
    return f"{_count(len(episode.searches), 'search', 'es')}, {episode.tokens:,} tokens"


def _format(episode: Episode) -> str:
    broken = sum(not step.valid for step in episode.steps)
    return f"{broken} of {len(episode.steps)} steps failed" if broken else "every step could be read"


def _abstention(episode: Episode) -> str:
    return "" if episode.abstained else "answered"


def _calls(episode: Episode) -> str:
    return f"{_count(len(episode.calls), 'call')} against {len(episode.gold_calls or ())} expected"


_FACTS: dict[Reads, Callable[[Episode], str]] = {
    "answer": _answer, "queries": _queries, "results": _results, "citations": _citations, "verdicts": _verdicts,
    "cost": _cost, "format": _format, "abstention": _abstention, "calls": _calls,
}  # fmt: skip


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{plural}"


def _novelty(episode: Episode) -> str:
    fresh = queries.novel([step.ids for step in episode.searches])
    stale = [at for at, new in enumerate(fresh, start=1) if not new]
    told = f"{sum(fresh)} of {_count(len(fresh), 'search', 'es')} brought new passages"
    return told + (f"; not number {', '.join(map(str, stale))}" if stale else "")


def _supported(episode: Episode) -> str:
    if not episode.citations:
        return "nothing cited"
    checked = [c for c in episode.citations if c.supported is not None]
    return f"{sum(bool(c.supported) for c in checked)} of {_count(len(checked), 'checked citation')} hold up"


def _nuggets(episode: Episode) -> str:
    facts = rubrics.distinct(episode.nuggets)
    labels = verify(episode.written, facts)
    told = f"{labels.count('support')} of {_count(len(facts), 'fact')} stated"
    partly = labels.count("partial_support")
    lacking = next((f for f, label in zip(facts, labels, strict=True) if label == "not_support"), "")
    return (
        told + (f", {partly} in part" if partly else "") + (f"; not: “{_clip(lacking)}”" if lacking else "")
    )


def _rubric(episode: Episode) -> str:
    met = citation.rubrics_met(episode)
    unmet = next((r.statement for r, ok in zip(episode.rubrics, met, strict=True) if not ok), "")
    return f"{sum(met)} of {_count(len(met), 'statement')} named and cited" + (
        f"; not: {unmet}" if unmet else ""
    )


def _semantic(episode: Episode) -> str:
    if episode.abstained:
        return "abstained"
    said, wanted = sentences(episode.written), sentences(episode.reference)
    lists = sum(not is_claim(sentence) for sentence in said)
    told = f"{_count(len(said), 'sentence')} of the answer against {len(wanted)} of the reference"
    return told + (f", {lists} a bare list of words" if lists else "")


def _consistency(episode: Episode) -> str:
    for at, step in enumerate(episode.searches, start=1):
        lacking = [name for name in step.key_entities if name not in step.query.lower()]
        if lacking:
            return f"search {at} leaves out {', '.join(lacking)}"
    return "every search names what its goal names"


def _knowledge(episode: Episode) -> str:
    found = process.sufficiency(episode)
    share = "" if found is None else f"{found:.0%} of the gold passages shown; "
    return f"{share}gold statements remembered by queries, passages and notes in {len(episode.searches)} searches"


def _principle(episode: Episode) -> str:
    checklist = compile_principle(episode.principle)
    wanted = ", ".join(f"{name} {weight:+g}" for name, weight in checklist.weights.items())
    unread = f"; needs a language model: {', '.join(checklist.unsupported)}" if checklist.unsupported else ""
    return f"measured: {wanted or 'nothing'}{unread}"


_SPECIAL: dict[str, Callable[[Episode], str]] = {
    "query_novelty": _novelty, "citation_supported": _supported,
    "nuggets": _nuggets, "rubric": _rubric, "encoder": _semantic, "adaptive": _semantic,
    "bag_of_words": _semantic, "consistency": _consistency, "knowledge": _knowledge, "principle": _principle,
    "calibrated": lambda e: f"said {e.confidence or 0:.0%} sure, was {'right' if right(e) else 'wrong'}",
    "searches": lambda e: f"{_count(len(e.searches), 'search', 'es')} of a budget of {SEARCH_BUDGET}",
    "tokens": lambda e: f"{e.tokens:,} tokens of a budget of {TOKEN_BUDGET:,}",
    "steps": lambda e: f"{_count(len(e.steps), 'step')} of a budget of {STEP_BUDGET}",
}  # fmt: skip
