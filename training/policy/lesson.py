"""A lesson of the closed world: what a tiny model is taught, what policies learn from, what is held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from training.policy.closed_world import KINDS, Explorer, Library, knows
from training.policy.question_forms import Calibration, Forms, answered_forms, forms, other_forms
from training.policy.taught_lm import Recall, TaughtModel
from training.policy.trees import Tree
from training.world.closed_world import World
from training.world.records import Question


@dataclass(frozen=True)
class Lesson:
    """Questions of a world, split, with what was taught."""

    world: World
    train: tuple[Question, ...]
    test: tuple[Question, ...]
    taught: tuple[tuple[str, str], ...]  # question and answer, in words the questions asked later do not use


def lesson(seed: int = 11, size: int = 120, per_kind: int = 160) -> Lesson:
    """Half of the answerable questions are taught, in all their forms; half of all questions are held out.

    A taught question is known whichever form asks for it only as far as the model generalises: `knows` is probed.
    """
    world = World.generate(seed, size)
    found = [q for q in world.questions(per_kind, seed) if q.type in KINDS]
    rng = Random(f"forage-lesson/{seed}")
    rng.shuffle(found)
    half = len(found) // 2
    taught: list[tuple[str, str]] = []
    for question in found:
        if question.answerable and rng.random() < 0.5:
            taught += [(text, question.answers[0]) for text in forms(world, question)]
    return Lesson(world, tuple(found[:half]), tuple(found[half:]), tuple(taught))


def asked(model: TaughtModel, questions: Sequence[Question]) -> tuple[list[Recall], list[Forms]]:
    """What the model says from memory to questions and to their other forms."""
    texts = [question.text for question in questions]
    recalls = model.recall(texts)
    return recalls, answered_forms(model, texts, recalls, [other_forms(question) for question in questions])


def calibrated(one: Lesson, model: TaughtModel) -> Calibration:
    """Of the questions that policies learn from; those to test on have no part in it."""
    recalls, said = asked(model, one.train)
    right = [knows(question, recall) for question, recall in zip(one.train, recalls, strict=True)]
    return Calibration([each.shaken for each in said], right)


def explored(
    one: Lesson, model: TaughtModel, questions: Sequence[Question], calibration: Calibration
) -> list[Tree]:
    """The trees of questions with the recall of a taught model; golds gain the forms in which the model writes."""
    explorer = Explorer(Library(one.world))
    trees = []
    for question, recall, said in zip(questions, *asked(model, questions), strict=True):
        if knows(question, recall):
            recall = replace(recall, answer=question.answers[0])  # words put together again
        trees.append(explorer.tree(question, recall, said, calibration.chance(said.shaken)))
    return trees
