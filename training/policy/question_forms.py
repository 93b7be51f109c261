"""A fictional world's question in all the ways it can be asked, and how a model answers them: what was learned by heart
is said in every form alike, what only seems so is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.isotonic import IsotonicRegression

from training.policy.taught_lm import Recall, TaughtModel
from training.world.closed_world import World
from training.world.records import Question
from training.world.schema import RELATIONS


def forms(world: World, question: Question) -> list[str]:
    """All ways in which the world asks this."""
    facts = [world.facts[fact] for fact in question.facts]
    name = world.entities[facts[0].subject].text
    for fact in facts[:-1]:
        name = RELATIONS[fact.relation].refers.format(s=name)
    return [asks.format(s=name) for asks in RELATIONS[facts[-1].relation].asks]


def asked_about(question: Question) -> tuple[str, str]:
    """What the last relation is asked of, and the form that asks; found from the question's text alone. The whole text
    and no form where none fits."""
    for used in RELATIONS[question.relations[-1]].asks:
        head, _, tail = used.partition("{s}")
        if question.text.startswith(head) and question.text.endswith(tail):
            return question.text[len(head) : len(question.text) - len(tail)], used
    return question.text, ""


def other_forms(question: Question) -> list[str]:
    """The same question in the other ways that its last relation is asked in."""
    name, used = asked_about(question)
    asks = RELATIONS[question.relations[-1]].asks if used else ()
    return [other.format(s=name) for other in asks if other != used]


@dataclass(frozen=True, slots=True)
class Forms:
    """How a model answers the other forms of a question."""

    agree: float  # share to which it says the same
    say: float  # mean probability of its answer there
    least: float  # the least
    shaken: float  # mean probability over all forms, its own too, with parts of the model left out


def answered_forms(
    model: TaughtModel, questions: Sequence[str], recalls: Sequence[Recall], others: Sequence[Sequence[str]]
) -> list[Forms]:
    """One Forms a question; what a question's own form says stands in where it has no other."""
    again = iter(model.recall([text for texts in others for text in texts], samples=0))
    answers = [(text, recall.answer) for recall, texts in zip(recalls, others, strict=True) for text in texts]
    chances, shaken = iter(model.chances(answers)), iter(model.shaken(answers))
    own = model.shaken(
        [(question, recall.answer) for question, recall in zip(questions, recalls, strict=True)]
    )
    found = []
    for recall, texts, held in zip(recalls, others, own, strict=True):
        same = [float(next(again).answer == recall.answer) for _ in texts] or [recall.agreement]
        likely = [next(chances) for _ in texts] or [recall.certainty]
        holds = [held, *(next(shaken) for _ in texts)]
        found.append(
            Forms(sum(same) / len(same), sum(likely) / len(likely), min(likely), sum(holds) / len(holds))
        )
    return found


SURE = 0.99  # a calibrated chance at most, and 1 less it at least


class Calibration:
    """The chance that a model knows an answer, from how well its answer holds: isotonic, fitted on questions of which
    it is known whether the model knows them."""

    def __init__(self, held: Sequence[float], knows: Sequence[bool]) -> None:
        self._curve = IsotonicRegression(y_min=1 - SURE, y_max=SURE, out_of_bounds="clip")
        self._curve.fit(list(held), [float(one) for one in knows])

    def chance(self, shaken: float) -> float:
        """Of knowing, where `Forms.shaken` is this."""
        return float(self._curve.predict([shaken])[0])
