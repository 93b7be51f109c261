"""A run folder of a language-model policy: settings, curves, pairs, the model that decides, and its card.

Every stage ends with the whole model on disk. Started again after a kill, a run goes on from the last stage and ends in
the same policy: a stage's randomness depends on the seed and on its name alone.
"""

from __future__ import annotations

import json
import math
import shutil
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.policy import GATED
from agent.policy_lm import CARD, hash_of
from agent.policy_text import Levels
from index.errors import InputError
from training.policy.acceptance import verdict
from training.policy.foresight import foreseen_choice
from training.policy.forest import Floats, Forest, plant
from training.policy.learn import oracle_targets
from training.policy.lm_data import Wording, levels_of
from training.policy.lm_model import DecidingModel, fresh
from training.policy.lm_recipe import LmRecipe
from training.policy.lm_stages import explore, imitate, prefer, require_trl
from training.policy.rewarding import load_policy_preset
from training.policy.run import RARE
from training.policy.run_folder import RunFolder, Stage, fingerprint, split, stages, write_atomically
from training.policy.scores import Scores, score_choices, summary
from training.policy.trees import Tree

COMMON = 0.02  # a word that this share of the questions holds is none of their names
MODEL = "policy-lm"  # the folder of the finished policy inside the run folder
Tell = Callable[[str, int, int], None]  # what, done, of
Look = Callable[[str, DecidingModel, Wording], None]


class LmRun:
    """A run folder being worked on. Raises InputError for a begun run of other settings, data or first weights."""

    def __init__(self, folder: Path, trees: Sequence[Tree], actions: Sequence[str], features: Sequence[str],
                 recipe: LmRecipe, start: Callable[[LmRun], DecidingModel], origin: str,
                 facts: dict[str, Any] | None = None, levels: Levels | None = None) -> None:  # fmt: skip
        """start: gives the first model. origin: what names it in the record (a folder's hash, "tiny"). levels: those
        that the first model knows; default: of these questions."""
        require_trl()
        self.folder, self.recipe, self.actions, self.features = (
            folder,
            recipe,
            tuple(actions),
            tuple(features),
        )
        self._start = start
        self.data = fingerprint(trees)
        kept, held = split(trees, recipe.held_out)
        preset = load_policy_preset(recipe.preset)
        self.train = plant(kept, self.actions, preset, recipe.pricing)
        self.held = plant(held, self.actions, preset, recipe.pricing)
        self.identity = {"recipe": recipe.to_dict(), "data": self.data, "model": origin,
                         "actions": list(actions), "features": list(features)}  # fmt: skip
        self.levels = levels or levels_of(self.train, self.features, self.told)
        self.kept = RunFolder(folder)
        self.kept.begin(
            self.identity, {"questions": {"train": len(kept), "held out": len(held)}, **(facts or {})}
        )

    @property
    def told(self) -> tuple[str, ...]:
        """The features that the text tells."""
        return tuple(name for name in self.features if name not in self.recipe.ignored)

    def plan(self) -> tuple[Stage, ...]:
        """The stages; without imitation where the recipe gives it no epochs, for a model that has it behind it."""
        return tuple(s for s in stages(self.recipe) if s.kind != "sft" or self.recipe.sft_epochs)

    def wording(self, one: DecidingModel) -> Wording:
        """How situations become text for this model."""
        return Wording(self.features, self.levels, one.end)

    def execute(self, tell: Tell = lambda *_: None, look: Look | None = None) -> DecidingModel:
        """All stages that are still to do; the policy, saved in `policy-lm`. `look(stage, model, wording)` is called
        with the model after each stage that this call does, and before the first."""
        done = self.kept.curves()
        plan = self.plan()
        finished = [stage for stage in plan if stage.name in done["stages"]]
        one = DecidingModel.load(self._place(finished[-1])) if finished else self._start(self)
        self._fits(one)
        if look and not finished:
            look("untrained", one, self.wording(one))
        for place, stage in enumerate(plan):
            tell(stage.name, place, len(plan))
            if stage in finished:
                continue
            one = self._do(stage, one, done)
            if look:
                look(stage.name, one, self.wording(one))
            one.save(_fresh(self._place(stage).with_suffix(".partial")))
            self._place(stage).with_suffix(".partial").replace(_gone(self._place(stage)))
            self.kept.keep_curves(done)
            if place:
                _gone(self._place(plan[place - 1]))  # a model may be large: the last stage is enough to go on
        tell("finished", len(plan), len(plan))
        self._finish(one, done)
        return one

    def _do(self, stage: Stage, one: DecidingModel, done: dict[str, Any]) -> DecidingModel:
        """One stage, kept only if the held-out questions do not fare worse."""
        before = self.judge(one, self.held, "before") if stage.kind != "sft" else None
        one.save(_fresh(self.folder / "before"))  # the trainers change a model in place
        seed = zlib.crc32(f"{self.recipe.seed}/{stage.name}".encode())
        record: dict[str, Any] = {"kind": stage.kind, "round": stage.number}
        wording, beta = self.wording(one), self.recipe.beta
        for attempt in range(3):
            one = DecidingModel.load(self.folder / "before")
            if stage.kind == "sft":
                targets = self._targets(wording, seed)
                one, record["log"] = imitate(one, self.train, wording, targets, self.recipe, seed)
            elif stage.kind == "ip-dpo":
                one, pairs, record["log"] = prefer(
                    one, self.train, wording, self.recipe, stage.number, seed, beta
                )
                record["pairs"] = self.kept.keep_pairs(stage, pairs)
            else:
                one, record["log"] = explore(one, self.train, wording, self.recipe, seed)
            after = self.judge(one, self.held, stage.name)
            record |= {"accepted": True} if before is None else verdict([after], [before]).to_dict()
            record |= {"attempts": attempt + 1, "beta": beta}
            if record["accepted"] or stage.kind != "ip-dpo":
                break
            beta *= 2
        if not record["accepted"]:
            one = DecidingModel.load(self.folder / "before")
        _gone(self.folder / "before")
        record["held_out"] = summary(self.judge(one, self.held, stage.name))
        done["stages"][stage.name] = record
        return one

    def _targets(self, wording: Wording, seed: int) -> Floats:
        """What imitation aims at: the best choice as far as what is told foretells it, or the oracle's."""
        if self.recipe.foresight:
            return foreseen_choice(self.train, wording.columns, self.recipe.soften, seed)
        return oracle_targets(self.train, self.recipe.soften)

    def judge(self, one: DecidingModel, forest: Forest, name: str) -> Scores:
        """The greedy policy's scores; only the situations that it reaches are asked."""
        prompts = self.wording(one).prompts(forest)
        choice = np.zeros(len(forest.child), dtype=np.int64)
        open_ = forest.roots.tolist()
        while open_:
            found = one.policy(forest, prompts, open_)
            choice[open_] = found[open_].argmax(axis=1)
            after = [int(forest.child[s, choice[s]]) for s in open_]
            open_ = [s for s in after if s < len(forest.child)]
        return score_choices(forest, choice, self.recipe.pricing.units, name)

    def _fits(self, one: DecidingModel) -> None:
        longest = max(self.wording(one).prompts(self.train), key=len)
        tokens = len(one.tokenizer(longest)["input_ids"]) + 8
        if tokens > one.room:
            raise InputError(
                f"The longest conversation has {tokens} tokens, this model reads {one.room}. Choose another model."
            )

    def _place(self, stage: Stage) -> Path:
        return self.folder / "checkpoints" / stage.name

    def _unseen(self) -> list[str]:
        """What never varied in these questions, or what the gate settles too seldom in them: the gate decides."""
        roots = self.train.features[self.train.roots]
        said = {name: roots[:, at] > 0.5 for at, name in enumerate(self.features)}
        rare = {name for _, name, _ in GATED if name in said and said[name].sum() < RARE}
        flat = {name for at, name in enumerate(self.features) if self.train.features[:, at].std() < 1e-6}
        return [name for name in self.features if name in rare | flat | set(self.recipe.ignored)]

    def _finish(self, one: DecidingModel, done: dict[str, Any]) -> None:
        place = self.folder / MODEL
        one.save(_fresh(place.with_suffix(".partial")))
        partial = place.with_suffix(".partial")
        card = {
            "what": "decision policy: a language model that names its next action",
            "algorithm": self.recipe.algorithm, "rounds": self.recipe.rounds, "seed": self.recipe.seed,
            "model": self.identity["model"], "data": self.data, "questions": len(self.train.trees),
            "features": list(self.levels.bounds), "levels": dict(self.levels.bounds),
            "actions": list(self.actions), "unseen": self._unseen(),
            "held_out": list(done["stages"].values())[-1]["held_out"], "sha256": hash_of(partial),
        }  # fmt: skip
        write_atomically(partial / CARD, card)
        partial.replace(_gone(place))


def from_scratch(run: LmRun, length: int = 512) -> DecidingModel:
    """A small model that knows the words of the run's questions, but for names, and its levels."""
    asked = [tree.question for tree in run.train.trees]
    return fresh(asked, [*run.levels.words, *run.actions], length=length, seed=run.recipe.seed,
                 least=max(2, math.ceil(COMMON * len(asked))))  # fmt: skip


def known_levels(folder: Path, features: Sequence[str]) -> Levels | None:
    """Those that the policy of a folder learned with; None where another model is there, or one of other features."""
    if not (folder / CARD).is_file():
        return None
    levels = Levels.from_dict(json.loads((folder / CARD).read_text("utf-8")).get("levels", {}))
    return levels if levels.bounds and set(levels.bounds) <= set(features) else None


def _gone(folder: Path) -> Path:
    if folder.is_dir():
        shutil.rmtree(folder)
    return folder


def _fresh(folder: Path) -> Path:
    _gone(folder).mkdir(parents=True)
    return folder
