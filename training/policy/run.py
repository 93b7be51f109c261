"""A training run and its folder, which explains itself: settings, data, pairs, paths, curves, weights, report.

Every stage ends with a checkpoint. Started again after a kill, a run goes on from the last one and ends in the same
policy: a stage's randomness depends on the seed and on its name alone.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from agent.policy import GATED
from agent.policy_net import PolicyNet, load_net, save_net
from index.errors import InputError
from training.policy.acceptance import ENOUGH, cross_fitted, verdict
from training.policy.feedback import FEEDBACK, limited
from training.policy.forest import Forest, greedy, plant
from training.policy.learn import explore, heed, imitate, prefer
from training.policy.network import Inputs, Network, averaged, probabilities
from training.policy.pairs import Pair
from training.policy.played import as_played
from training.policy.recipe import Recipe
from training.policy.rewarding import load_policy_preset
from training.policy.run_folder import RunFolder, Stage, fingerprint, split, stages
from training.policy.scores import Scores, reward_means, score_choices, summary
from training.policy.trees import Tree

WEIGHTS = "policy.safetensors"
PAIRED = ("ip-dpo", "feedback")  # stages that learn from pairs
RARE = 30  # questions below which what the gate said of them taught nothing
Tell = Callable[[str, int, int], None]  # what, done, of


class Run:
    """A run folder being worked on."""

    def __init__(self, folder: Path, trees: Sequence[Tree], actions: Sequence[str], features: Sequence[str],
                 recipe: Recipe, facts: dict[str, Any] | None = None,
                 start: PolicyNet | None = None) -> None:  # fmt: skip
        """`start`: the policy that `recipe.start` names."""
        if not trees:
            raise InputError("There are no explored questions to train on. Collect some first.")
        if (start.fingerprint if start is not None else "") != recipe.start:
            raise ValueError("the recipe names another policy to start from")
        self.start = start
        self.folder, self.recipe, self.facts = folder, recipe, facts or {}
        self.kept = RunFolder(folder)
        self._parts: dict[tuple[Any, ...], Network] = {}  # what was learned from parts of the questions
        self.trees = tuple(trees)
        self.actions, self.features = tuple(actions), tuple(features)
        self.data = fingerprint(trees)
        rated = limited(trees)
        kept, held = split([tree for tree in rated if tree.origin != FEEDBACK], recipe.held_out)
        preset = load_policy_preset(recipe.preset)
        # What other policies are measured on beside this one: with every choice open to them.
        self.whole = plant(held, self.actions, preset, recipe.pricing)
        if recipe.played:
            kept, held, rated = (as_played(part) for part in (kept, held, rated))
        self.train = plant(kept, self.actions, preset, recipe.pricing)
        self.held = plant(held, self.actions, preset, recipe.pricing)
        told = [tree for tree in rated if tree.origin == FEEDBACK]
        self.rated = plant(told, self.actions, preset, recipe.pricing) if told else None
        if recipe.members > 1 and self.train.vectors.shape[1]:
            raise InputError("Questions with vectors cannot be learned by several members. Use --members 1.")
        self.kept.begin(
            {"recipe": recipe.to_dict(), "data": self.data, "actions": list(self.actions),
             "features": list(self.features)},
            {"questions": {"train": len(self.train.trees), "held out": len(self.held.trees)}, **self.facts},
        )  # fmt: skip

    def execute(self, tell: Tell = lambda *_: None) -> PolicyNet:
        """All stages of all members that are still to do; the policy, also saved as policy.safetensors."""
        network, done = self._train(tell)
        others = [self._member(number)._train(tell)[0] for number in range(1, self.recipe.members)]
        return self._finish(network if not others else averaged([network, *others]), done)

    def _member(self, number: int) -> Run:
        """The run of another seed over the same data, in a folder of its own."""
        recipe = replace(self.recipe, seed=self.recipe.seed + number, members=1)
        folder = self.folder / f"member-{number + 1}"
        return Run(folder, self.trees, self.actions, self.features, recipe, self.facts)

    def _train(self, tell: Tell) -> tuple[Network, dict[str, Any]]:
        """The network of this run's own seed, and its curves."""
        done = self.kept.curves()
        network = self.network()
        plan = self.plan()
        for place, stage in enumerate(plan):
            tell(stage.name, place, len(plan))
            if stage.name in done["stages"]:
                network.load_state_dict(load_file(str(self.checkpoint(stage))))
                continue
            network = self._do(stage, network, done)
            save_file(_plain(network), str(self.checkpoint(stage).with_suffix(".partial")))
            self.checkpoint(stage).with_suffix(".partial").replace(self.checkpoint(stage))
            self.kept.keep_curves(done)
        tell("finished", len(plan), len(plan))
        network.eval()
        return network, done

    def plan(self) -> tuple[Stage, ...]:
        """The recipe's stages, and last what people's feedback says where there is any."""
        told = (Stage("feedback", "feedback", self.recipe.rounds + 1),) if self.rated is not None else ()
        return (*stages(self.recipe, fresh=not self.recipe.start), *told)

    def _do(self, stage: Stage, network: Network, done: dict[str, Any]) -> Network:
        """One stage, kept only if questions that it did not learn from do not fare worse."""
        start = copy.deepcopy(network)
        record: dict[str, Any] = {"kind": stage.kind, "round": stage.number}
        beta = self.recipe.beta
        for attempt in range(3):
            network = copy.deepcopy(start)
            pairs, said = self._learn(stage, network, self.train, beta)
            if stage.kind in PAIRED:
                record["pairs"] = self.kept.keep_pairs(stage, pairs)
            record |= {**said, "attempts": attempt + 1, "beta": beta}
            record |= (
                self._verdict(stage, network, start, done, beta)
                if stage.kind != "sft"
                else {"accepted": True}
            )
            if record["accepted"] or stage.kind != "ip-dpo":
                break
            beta *= 2
        if not record["accepted"]:
            network = start
        record["held_out"] = summary(self.judge(network, self.held, stage.name))
        record["train"] = summary(self.judge(network, self.train, stage.name))
        record["rewards"] = reward_means(self.held, greedy(probabilities(network, Inputs.of(self.held))))
        done["stages"][stage.name] = record
        self._keep_paths(stage, network)
        return network

    def _learn(
        self, stage: Stage, network: Network, forest: Forest, beta: float
    ) -> tuple[list[Pair], dict[str, Any]]:
        """One stage on a forest, in place; its pairs and what it measured."""
        seed = zlib.crc32(f"{self.recipe.seed}/{stage.name}".encode())
        if stage.kind == "sft":
            return [], {"losses": imitate(network, forest, self.recipe, seed)}
        if stage.kind == "ip-dpo":
            pairs, epochs = prefer(network, forest, self.recipe, stage.number, seed, beta)
            return pairs, {"epochs": epochs}
        if stage.kind == "feedback":
            assert self.rated is not None
            pairs, epochs = heed(network, forest, self.rated, self.recipe, seed)
            return pairs, {"epochs": epochs}
        return [], {"updates": explore(network, copy.deepcopy(network), forest, self.recipe, seed)}

    def _verdict(
        self, stage: Stage, network: Network, start: Network, done: dict[str, Any], beta: float
    ) -> dict[str, Any]:
        """What a stage does to the held-out questions; where they are few, to every part of all questions when it and
        the stages before it learn from the others alone."""
        if len(self.held.trees) >= ENOUGH:
            scores = [self.judge(one, self.held, stage.name) for one in (network, start)]
            return verdict(scores[:1], scores[1:]).to_dict()
        trees = (*self.train.trees, *self.held.trees)
        kept = {name for name, record in done["stages"].items() if record["accepted"]}

        course = tuple(
            (before, done["stages"][before.name]["beta"]) for before in self.plan() if before.name in kept
        )

        def scored(learned: list[int], asked: list[int]) -> tuple[Scores, Scores]:
            part, left = (
                plant([trees[at] for at in places], self.actions, load_policy_preset(self.recipe.preset),
                      self.recipe.pricing)
                for places in (learned, asked)
            )  # fmt: skip
            standing = self._taught(tuple(learned), part, course)
            changed = self._taught(tuple(learned), part, (*course, (stage, beta)))
            return self.judge(changed, left, stage.name), self.judge(standing, left, stage.name)

        return cross_fitted(len(trees), scored).to_dict()

    def _taught(
        self, learned: tuple[int, ...], forest: Forest, course: tuple[tuple[Stage, float], ...]
    ) -> Network:
        """The network that learned these stages, each with its beta, from a part of the questions; each once."""
        key = (learned, tuple((stage.name, beta) for stage, beta in course))
        if key not in self._parts:
            network = self.network()
            if course:
                stage, beta = course[-1]
                network = copy.deepcopy(self._taught(learned, forest, course[:-1]))
                self._learn(stage, network, forest, beta)
            self._parts[key] = network
        return self._parts[key]

    def judge(self, network: Network, forest: Forest, name: str) -> Scores:
        """The greedy policy's scores."""
        choice = greedy(probabilities(network, Inputs.of(forest)))
        return score_choices(forest, choice, self.recipe.pricing.units, name)

    def _rare(self) -> list[str]:
        """What the gate settles too seldom in these questions to be learned: the gate keeps the word on it. What the
        policy that was started from had not learned stays unlearned."""
        if self.start is not None:
            return [str(feature) for feature in self.start.card.get("unseen", ())]
        roots = self.train.features[self.train.roots]
        said = {feature: roots[:, at] > 0.5 for at, feature in enumerate(self.features)}
        return [feature for _, feature, _ in GATED if feature in said and said[feature].sum() < RARE]

    def network(self) -> Network:
        """As training begins with it."""
        if self.start is not None:
            return Network.thawed(self.start)
        torch.manual_seed(self.recipe.seed)
        network = Network(self.features, self.actions, self.train.vectors.shape[1], self.recipe.shape)
        network.normalise(self.train, self.recipe.ignored)
        return network

    def _keep_paths(self, stage: Stage, network: Network) -> None:
        """What the stage's policy does on every question: the trajectories of the run, texts left out."""
        lines = []
        for part, forest in (("train", self.train), ("held out", self.held)):
            scores = self.judge(network, forest, stage.name)
            for at, key in enumerate(scores.ids):
                row = {name: scores.columns[name][at] for name in ("right", "f1", "cost", "value")}
                lines.append({"id": key, "part": part, "path": scores.paths[at], **row})
        self.kept.keep_rows(f"trajectories-{stage.name}.jsonl", lines)

    def checkpoint(self, stage: Stage) -> Path:
        folder = self.folder / "checkpoints"
        folder.mkdir(exist_ok=True)
        return folder / f"{stage.name}.safetensors"

    def _finish(self, network: Network, done: dict[str, Any]) -> PolicyNet:
        last = list(done["stages"].values())[-1]["held_out"]
        if self.recipe.members > 1:
            last = summary(self.judge(network, self.held, "all"))
        card = {
            "what": "decision policy: which search, when to stop, when to abstain",
            "algorithm": self.recipe.algorithm, "rounds": self.recipe.rounds, "seed": self.recipe.seed,
            "members": self.recipe.members, "played": self.recipe.played,
            "recipe": self.recipe.fingerprint, "data": self.data, "questions": len(self.train.trees),
            "held_out": last, "unseen": sorted({*network.unseen, *self._rare()}, key=self.features.index),
        }  # fmt: skip
        save_net(self.folder / WEIGHTS, network.frozen(card))
        return load_net(self.folder / WEIGHTS)


def _plain(network: Network) -> dict[str, Any]:
    return {name: value.detach().contiguous() for name, value in network.state_dict().items()}
