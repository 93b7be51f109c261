"""Pairs of a better and a worse run on one question: the four things a reward for RAG must tell apart.

In the manner of RAG-RewardBench (arXiv 2412.13746; scenarios and the score were read in its abstract and tables):
multi-hop reasoning, fine-grained citation, appropriate abstention, robustness against conflicting passages. Its pairs
come from many models and judges; ours are made from questions with known gold, the worse run by one known fault, and
both are about as long (longer is not better).
Answers are written as Forage writes them: the bare answer, then the sentences it rests on, each with its citation.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from training.rewards.contract import Citation, Episode, Evidence, Passage, Rubric, Step
from training.rewards.sentences import sentences

Scenario = Literal["multi-hop", "citation", "abstention", "conflict"]
SCENARIOS: tuple[Scenario, ...] = ("multi-hop", "citation", "abstention", "conflict")
PRINCIPLE = "be concise and cite sources"
TYPICAL = 15  # words of a sentence
CONFIDENCE = 0.8  # stated by both runs of a pair


@dataclass(frozen=True, slots=True)
class Lie:
    """A passage that says something else than the gold, and the wrong answer that rests on it."""

    passage: Passage
    sentence: str
    answer: str


@dataclass(frozen=True, slots=True)
class Case:
    """One question with everything that pairs are made of. Unanswerable: no golds, no gold passages."""

    id: str
    source: str
    question: str
    golds: tuple[str, ...] = ()
    gold: tuple[Passage, ...] = ()  # in hop order
    sentences: tuple[str, ...] = ()  # of each gold passage the one that bears the fact
    noise: tuple[Passage, ...] = ()  # shown, of no use; at least two
    decoy: str = ""  # a wrong answer of the same kind
    bridge: str = ""  # what the first hop finds
    lies: tuple[Lie, ...] = ()
    knows: bool | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs on one question of which the first is better, and the fault of the second."""

    scenario: Scenario
    kind: str
    case: str
    source: str
    better: Episode
    worse: Episode


def pairs_of(case: Case) -> Iterator[Pair]:
    """All pairs that a case yields."""
    for scenario, maker in _MAKERS:
        for kind, better, worse in maker(case):
            yield Pair(scenario, kind, case.id, case.source, better, worse)


def right_run(case: Case) -> Episode:
    """One search for each gold passage, the right answer, each sentence with its citation."""
    steps = tuple(_found(case, at) for at in range(len(case.gold)))
    return _answered(case, case.golds[0], case.sentences, case.gold, steps)


def _answered(
    case: Case, answer: str, claims: Sequence[str], cited: Sequence[Passage], steps: Sequence[Step]
) -> Episode:
    """A run that answers: sentence i rests on passage i."""
    marks = "".join(f"[{at}]" for at in range(1, len(cited) + 1))
    told = " ".join(f"{_stop(claim)} [{at}]" for at, claim in enumerate(claims, start=1))
    known = {p.id for p in case.gold}
    citations = tuple(
        Citation(p.id, claim, supported=p.id in known or claim in p.text)
        for p, claim in zip(cited, claims, strict=True)
    )
    base = _asked(case)
    return replace(
        base, answer=answer, text=f"{answer}. {marks} {told}", citations=citations,
        steps=(*steps, Step("answer", tokens=20)),
    )  # fmt: skip


def _refused(case: Case, steps: Sequence[Step]) -> Episode:
    return replace(_asked(case), abstained=True, steps=(*steps, Step("abstain", tokens=20)))


def _asked(case: Case) -> Episode:
    """The question with its gold, before anything was done."""
    rubrics, entities = _rubrics(case)
    wrong = [case.decoy, *(lie.answer for lie in case.lies)]
    swapped = [_swap(s, case.golds[0], case.decoy) for s in case.sentences[-1:] if case.decoy]
    return Episode(
        case.question,
        confidence=CONFIDENCE,
        golds=case.golds,
        evidence=tuple(Evidence(p.id, s) for p, s in zip(case.gold, case.sentences, strict=True)),
        answerable=bool(case.golds),
        knows=case.knows,
        reference=" ".join(map(_stop, case.sentences)),
        rewrite=case.question,
        distractors=tuple(dict.fromkeys(filter(None, (*swapped, *wrong, *(p.text for p in case.noise[:2]))))),
        rubrics=rubrics,
        entities=entities,
        nuggets=case.sentences,
        principle=PRINCIPLE,
    )


def _rubrics(case: Case) -> tuple[tuple[Rubric, ...], tuple[tuple[str, str], ...]]:
    """Each gold sentence with the answer and the bridge as slots; none where the answer stands in no sentence."""
    if not case.golds or case.golds[0] not in case.sentences[-1]:
        return (), ()
    made = []
    for sentence in case.sentences:
        text = sentence.replace(case.golds[0], "<E0>")
        text = text.replace(case.bridge, "<E1>") if case.bridge else text
        slots = tuple(slot for slot in ("<E0>", "<E1>") if slot in text)
        if slots:
            made.append(Rubric(text, slots))
    return tuple(made), (("<E1>", case.bridge),) if case.bridge else ()


def _found(case: Case, at: int) -> Step:
    """The search that finds gold passage `at`, with two passages of no use."""
    query = case.question if at == 0 else f"{case.bridge} {case.question}".strip()
    return _step(case, query, [case.gold[at], *_noise(case, at)], useful=True)


def _lost(case: Case, at: int) -> Step:
    """A search that finds nothing of use, and is taken for one that did. A later hop's forgets what it is about."""
    lost = _step(case, case.question, _noise(case, at), useful=False)
    return replace(lost, key_entities=(case.bridge,)) if at and case.bridge else lost


def _step(case: Case, query: str, results: Sequence[Passage], useful: bool) -> Step:
    names = (case.bridge,) if case.bridge and case.bridge in query else ()
    return Step(
        "search", goal=case.question, query=query, key_entities=names, results=tuple(results), accepted=True,
        relevance=0.9 if useful else 0.1, useful=useful, summary=results[0].text, tokens=60 * len(results),
    )  # fmt: skip


def _noise(case: Case, at: int) -> list[Passage]:
    return [case.noise[(2 * at + i) % len(case.noise)] for i in range(min(2, len(case.noise)))]


def _idle(passage: Passage, instead: str = "") -> str:
    """A sentence of a passage of no use: the one nearest in length to the sentence it stands for."""
    wanted = len(instead.split()) or TYPICAL
    return min(sentences(passage.text) or [passage.text], key=lambda s: abs(len(s.split()) - wanted))


def _stop(sentence: str) -> str:
    return sentence if sentence.rstrip().endswith((".", "!", "?")) else f"{sentence.rstrip()}."


def _swap(text: str, old: str, new: str) -> str:
    return text.replace(old, new) if old in text else f"{new}: {text}"


Made = Iterator[tuple[str, Episode, Episode]]


def _multi_hop(case: Case) -> Made:
    if len(case.gold) < 2 or not case.decoy:
        return
    good = right_run(case)
    claims = [_swap(s, case.golds[0], case.decoy) for s in case.sentences]
    yield "another answer", good, _answered(case, case.decoy, claims, case.gold, good.searches)
    # As long as the whole answer: a sentence of no use stands where the second hop should.
    idle = case.noise[0]
    cited = [case.gold[0], idle, *case.gold[2:]]
    half = [case.sentences[0], _idle(idle, case.sentences[1]), *case.sentences[2:]]
    steps = [_found(case, 0), *(_lost(case, at) for at in range(1, len(case.gold)))]
    yield "stopped half way", good, _answered(case, case.bridge or case.decoy, half, cited, steps)
    detour = [
        _found(case, 0),
        _found(case, 0),
        _lost(case, 1),
        *(_found(case, at) for at in range(1, len(case.gold))),
    ]
    yield "same answer, worse path", good, replace(good, steps=(*detour, good.steps[-1]))


def _citation(case: Case) -> Made:
    if not case.golds:
        return
    good = right_run(case)
    idle = [case.noise[at % len(case.noise)] for at in range(len(case.gold))]
    shifted = tuple(Citation(p.id, supported=False) for p in idle)
    yield "another passage", good, replace(good, citations=shifted)
    yield "none", good, replace(good, citations=(), text=_without_marks(good.text))
    everything = tuple(Citation(p, supported=p in good.gold_ids) for p in good.retrieved)
    yield "every passage", good, replace(good, citations=everything)
    if len(case.gold) > 1:
        yield "only the first", good, replace(good, citations=good.citations[:1])


def _without_marks(text: str) -> str:
    for at in range(1, 10):
        text = text.replace(f" [{at}]", "").replace(f"[{at}]", "")
    return text


def _abstention(case: Case) -> Made:
    if not case.decoy:
        return
    idle = case.noise[0]
    if case.golds:
        good = right_run(case)
        yield "answerable", good, _refused(case, good.searches)
        # The same question without its last passage: now a refusal is right.
        bare = replace(case, golds=(), gold=(), sentences=(), lies=())
        shown = [_found(case, at) for at in range(len(case.gold) - 1)] + [_lost(case, 0)]
        claims = [*case.sentences[:-1], _idle(idle, case.sentences[-1])]
        guess = _answered(bare, case.decoy, claims, [*case.gold[:-1], idle], shown)
        yield "gold removed", _refused(bare, shown), guess
        return
    steps = [_lost(case, 0)]
    refused = _refused(case, steps)
    yield "unanswerable", refused, _answered(case, case.decoy, [_idle(idle)], [idle], steps)


def _conflict(case: Case) -> Made:
    if not case.golds:
        return
    for lie in case.lies:
        steps = tuple(replace(s, results=(*s.results, lie.passage)) for s in right_run(case).searches)
        good = replace(right_run(case), steps=(*steps, Step("answer", tokens=20)))
        claims = [*case.sentences[:-1], lie.sentence]
        cited = [*case.gold[:-1], lie.passage]
        yield "believes the false passage", good, _answered(case, lie.answer, claims, cited, steps)
    if case.decoy and len(case.gold) == 1:
        good = right_run(case)
        told = replace(
            good,
            answer=case.decoy,
            text=f"{case.decoy}. {_swap(case.sentences[0], case.golds[0], case.decoy)}",
        )
        yield "answers from memory", good, replace(told, citations=(), steps=(Step("answer", tokens=20),))


_MAKERS: tuple[tuple[Scenario, Callable[[Case], Made]], ...] = (
    ("multi-hop", _multi_hop), ("citation", _citation), ("abstention", _abstention), ("conflict", _conflict),
)  # fmt: skip


def false_passage(passage: Passage, sentence: str, gold: str, decoy: str) -> Lie | None:
    """A copy of a passage with the decoy in place of the gold answer; None where the gold does not stand in it."""
    if gold not in passage.text or gold not in sentence:
        return None
    text = passage.text.replace(gold, decoy)
    return Lie(Passage(f"{passage.id}#false", text, passage.score), sentence.replace(gold, decoy), decoy)


def balanced(pairs: Sequence[Pair], seed: int = 0) -> list[Pair]:
    """As many pairs in which a refusal is right as in which it is wrong, so that always refusing means one half."""
    refusals = [p for p in pairs if p.scenario == "abstention" and p.better.abstained]
    answers = [p for p in pairs if p.scenario == "abstention" and not p.better.abstained]
    size, draw = min(len(refusals), len(answers)), random.Random(seed)
    kept = {id(p) for p in (*draw.sample(refusals, size), *draw.sample(answers, size))}
    return [p for p in pairs if p.scenario != "abstention" or id(p) in kept]
