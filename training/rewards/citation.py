"""Are the claims cited, and by the right passages? Precision and recall of citations, and CaRR's rubrics."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from training.rewards.contract import Episode, Rubric, Score
from training.rewards.guards import order_guard, spaced
from training.rewards.outcome import right
from training.rewards.verifying import supports, verify_texts

RUBRIC_SHARE = 0.3
MAX_CITATIONS = 20
ANSWER = "<E0>"


def citation_f1(episode: Episode) -> Score:
    """Harmonic mean of precision and recall of the cited passages against the gold evidence, 0 to 1. Ours.

    A citation is precise if its passage is gold, was shown, and no check found its span unsupported. Repeats
    count once. None without gold evidence; an abstention cites nothing and is left out too.

    Gold {a, b}; cited {a, x}, both shown: precision 1/2, recall 1/2.

    >>> from training.rewards.contract import Citation, Evidence, Passage, Step
    >>> citation_f1(Episode("q", evidence=(Evidence("a"), Evidence("b")),
    ...     steps=(Step("search", results=(Passage("a"), Passage("x"))),),
    ...     citations=(Citation("a"), Citation("x"), Citation("a"))))
    0.5
    """
    if not episode.evidence or episode.abstained:
        return None
    shown = episode.retrieved
    refused = {c.passage_id for c in episode.citations if c.supported is False}
    cited = {c.passage_id for c in episode.citations}
    good = {c for c in cited & episode.gold_ids if c in shown and c not in refused}
    if not good or not episode.well_formed:
        return 0.0
    precision, recall = len(good) / len(cited), len(good) / len(episode.gold_ids)
    return 2 * precision * recall / (precision + recall)


def supported_share(episode: Episode) -> Score:
    """Share of citations whose span was shown and bears its claim, by the live check: 0 to 1. Needs no gold.

    An answer that cites nothing bears out none of its claims: 0. None for an abstention, for an empty answer and
    where no citation was checked.

    Two spans, both shown, one bears its claim.

    >>> from training.rewards.contract import Citation, Passage, Step
    >>> cited = (Citation("a", start=0, end=9, supported=True), Citation("a", start=9, end=20, supported=False))
    >>> supported_share(Episode("q", answer="x", citations=cited, steps=(Step("search", results=(Passage("a"),)),)))
    0.5
    """
    if episode.abstained or not episode.written.strip():
        return None
    if not episode.citations:
        return 0.0
    checked = {(c.passage_id, c.start, c.end): c for c in episode.citations if c.supported is not None}
    if not checked:
        return None
    shown = episode.retrieved
    return sum(bool(c.supported) and c.passage_id in shown for c in checked.values()) / len(checked)


def connected(statements: Sequence[Sequence[str]], supported: Sequence[bool]) -> list[bool]:
    """For each rubric: supported, and reachable from the answer over entities of supported rubrics.

    CaRR (arXiv 2601.06021; read in its code): breadth-first search from `<E0>` over the graph of entities and
    supported rubrics. A supported rubric over (E2, E3) without a path to E0 does not count.

    >>> connected([["<E0>", "<E1>"], ["<E2>", "<E3>"], ["<E1>"]], [True, True, True])
    [True, False, True]
    """
    reached, queue = [False] * len(statements), deque([ANSWER])
    seen = {ANSWER}
    while queue:
        entity = queue.popleft()
        for at, names in enumerate(statements):
            if supported[at] and not reached[at] and entity in names:
                reached[at] = True
                queue.extend(name for name in names if name not in seen)
                seen.update(names)
    return reached


def rubric_share(statements: Sequence[Sequence[str]], supported: Sequence[bool]) -> float:
    """Share of all rubrics that are supported and connected to the answer; 0.0 without rubrics.

    >>> round(rubric_share([["<E0>", "<E1>"], ["<E2>", "<E3>"], ["<E1>"]], [True, True, True]), 4)
    0.6667
    """
    return sum(connected(statements, supported)) / len(statements) if statements else 0.0


def carr_scores(right: Sequence[bool], shares: Sequence[float], normalised: bool = True) -> list[float]:
    """C-GRPO's reward for the rollouts of one question, 0 to 1: 0 if wrong, else 0.7 + 0.3 R_r.

    The paper divides R_r by the group's largest (read in a note), the released code does not although its flag
    is on: two forms, explicit here. R_r = 3/5 with a group maximum of 4/5: 0.925 or 0.88.

    >>> [round(v, 3) for v in carr_scores([True, True, False], [0.6, 0.8, 0.8])]
    [0.925, 1.0, 0.0]
    >>> round(carr_scores([True], [0.6], normalised=False)[0], 3)
    0.88
    """
    top = max(shares, default=0.0) if normalised else 1.0
    return [
        (1 - RUBRIC_SHARE) + RUBRIC_SHARE * (share / top if top else 0.0) if ok else 0.0
        for ok, share in zip(right, shares, strict=True)
    ]


def rubrics_met(episode: Episode) -> list[bool]:
    """For each rubric: its entities are named in the answer and a cited passage bears the filled statement.

    The embedded body of CaRR's two language-model steps. An entity counts as named where its gold value stands
    in the answer; support is judged by the nugget verifier over the passages that were cited and shown, at most
    20, and hold every entity. `<E0>` is filled with the bare answer.
    """
    return [bool(passages) for passages in _bearing(episode)]


def _bearing(episode: Episode) -> list[set[str]]:
    """For each rubric the cited passages that bear it; none where the answer does not name its entities."""
    return [
        {c for c, passage in passages.items() if supports(passage, statement)}
        for statement, passages in _checks(episode)
    ]


def _cited(episode: Episode) -> list[str]:
    """The cited passages that were shown and not refused, each once, at most 20."""
    cited = dict.fromkeys(c.passage_id for c in episode.citations if c.supported is not False)
    return [c for c in list(cited)[:MAX_CITATIONS] if c in episode.retrieved]


def _checks(episode: Episode) -> list[tuple[str, dict[str, str]]]:
    """For each rubric its filled statement and the cited passages that may bear it: those that hold every entity."""
    values = dict(episode.entities) | {ANSWER: episode.answer}
    text = spaced(episode.written)
    passages = {c: episode.retrieved[c].text for c in _cited(episode)}
    return [_check(rubric, values, text, passages) for rubric in episode.rubrics]


def _check(
    rubric: Rubric, values: dict[str, str], text: str, passages: dict[str, str]
) -> tuple[str, dict[str, str]]:
    statement, named = rubric.statement, []
    for entity in rubric.entities:
        value = values.get(entity, "")
        named.append(spaced(value))
        if not named[-1].strip() or named[-1] not in text:
            return statement, {}
        statement = statement.replace(entity, value)
    return statement, {c: p for c, p in passages.items() if all(name in spaced(p) for name in named)}


def rubric_texts(episode: Episode) -> list[str]:
    """What `rubric` looks up."""
    if episode.abstained:
        return []
    checks = _checks(episode)
    return [
        text for statement, found in checks for p in found.values() for text in verify_texts(p, [statement])
    ]


def rubric(episode: Episode, published: bool = False) -> Score:
    """`rubric_share` of the embedded check, 0 to 1. None without rubrics.

    As published, citing every passage and writing the names in any order costs nothing. Ours multiplies by the share of
    cited passages that are needed (gold, or bearing a rubric) and by `order_guard` of the answer against what it cites.

    Of two rubrics one is borne by the cited passage, the other's place is not named.

    >>> from training.rewards.contract import Citation, Passage, Step
    >>> text = "Mira Vell built the mill."
    >>> rubrics = (Rubric("<E0> built the mill.", ("<E0>",)), Rubric("<E0> was born in <E1>.", ("<E0>", "<E1>")))
    >>> rubric(Episode("q", answer="Mira Vell", text=text, rubrics=rubrics, entities=(("<E1>", "Tarsholm"),),
    ...                citations=(Citation("a"),), steps=(Step("search", results=(Passage("a", text),)),)))
    0.5
    """
    if not episode.rubrics:
        return None
    if not episode.well_formed or episode.abstained:
        return 0.0
    bearing = _bearing(episode)
    share = rubric_share([r.entities for r in episode.rubrics], [bool(found) for found in bearing])
    if published or not share:
        return share
    needed = set().union(*bearing) | episode.gold_ids
    cited = {c.passage_id for c in episode.citations}
    sources = " ".join(episode.retrieved[c].text for c in _cited(episode))
    return share * len(cited & needed) / len(cited) * order_guard(episode.written, sources)


def carr(episodes: Sequence[Episode], normalised: bool = True) -> list[Score]:
    """`carr_scores` over a group of one question, with our `rubric`; None for all without gold or rubrics.

    The only rubric is met: 0.7 + 0.3; the same answer without a citation: 0.7; a wrong one: 0.

    >>> from dataclasses import replace
    >>> from training.rewards.contract import Citation, Passage, Step
    >>> text = "Mira Vell built the mill."
    >>> cited = Episode("q", answer="Mira Vell", text=text, golds=("Mira Vell",), citations=(Citation("a"),),
    ...                 rubrics=(Rubric("<E0> built the mill.", ("<E0>",)),),
    ...                 steps=(Step("search", results=(Passage("a", text),)),))
    >>> [round(v, 4) for v in carr([cited, replace(cited, citations=()), replace(cited, golds=("Jon Aldin",))])]
    [1.0, 0.7, 0.0]
    """
    found = [right(episode) for episode in episodes]
    shares = [rubric(episode) for episode in episodes]
    if any(r is None for r in found) or any(s is None for s in shares):
        return [None] * len(episodes)
    ok = [bool(r) and e.well_formed for r, e in zip(found, episodes, strict=True)]
    return list(carr_scores(ok, [s or 0.0 for s in shares], normalised))
