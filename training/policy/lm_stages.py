"""The three stages of a language-model policy through TRL's trainers: SFT, IP-DPO (DPOTrainer), GRPO (GRPOTrainer).

Each takes a model and returns it changed, an adapter merged in, so that the next stage's reference is what it begins
with. Rollouts of GRPO walk our environment, the explored decisions: its words are in the sequence and `env_mask` keeps
the loss off them. Needs the extra train-lm.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from agent.option_scores import OptionScorer
from index.errors import ConfigError
from training.policy.foresight import foreseen
from training.policy.forest import Floats, Forest
from training.policy.lm_data import Wording, imitation_rows, preference_rows
from training.policy.lm_model import DecidingModel
from training.policy.lm_recipe import LmRecipe
from training.policy.pairs import Pair, make_pairs

MISSING = (
    "Training a language-model policy needs TRL, PEFT, accelerate and datasets, which are not installed. Install "
    "them with: pip install 'forage[train-lm]'"
)
Curve = list[dict[str, float]]


def has_trl() -> bool:
    """Whether the extra train-lm is installed."""
    return all(find_spec(name) is not None for name in ("trl", "peft", "accelerate", "datasets"))


def require_trl() -> None:
    """ConfigError where the extra train-lm is not installed."""
    if not has_trl():
        raise ConfigError(MISSING)


def imitate(
    one: DecidingModel, forest: Forest, wording: Wording, targets: Floats, recipe: LmRecipe, seed: int
) -> tuple[DecidingModel, Curve]:
    """Supervised imitation of softened choices `targets` (S, A); the loss falls on the action alone."""
    with _quiet():
        from datasets import Dataset
        from trl import SFTConfig, SFTTrainer

        rows = imitation_rows(forest, wording.prompts(forest), targets, recipe.sft_rollouts, seed)
        with _trainer_options(recipe, seed, recipe.sft_lr, recipe.sft_batch) as options:
            config = SFTConfig(
                **options, num_train_epochs=recipe.sft_epochs, max_length=one.room, lr_scheduler_type="cosine",
                warmup_steps=0.05, completion_only_loss=True,
            )  # fmt: skip
            trainer = SFTTrainer(
                one.model, args=config, train_dataset=Dataset.from_list(rows), processing_class=one.tokenizer,
                peft_config=None if recipe.sft_all else _lora(recipe),
            )  # fmt: skip
            return _learned(one, trainer)


def prefer(
    one: DecidingModel,
    forest: Forest,
    wording: Wording,
    recipe: LmRecipe,
    number: int,
    seed: int,
    beta: float,
) -> tuple[DecidingModel, list[Pair], Curve]:
    """One round of IP-DPO: pairs at the situations that the model visits, DPO with the anchor on the chosen action,
    against the model that the round begins with."""
    with _quiet():
        from datasets import Dataset
        from trl import DPOConfig, DPOTrainer

        prompts = wording.prompts(forest)
        start = one.policy(forest, prompts)
        sampled = forest.sample(start, recipe.rollouts, np.random.default_rng(seed))
        q, _ = forest.q_values(start)
        if recipe.foresight:
            q = foreseen(forest, q, wording.columns, seed)
        pairs = make_pairs(forest, sampled, q, margin=recipe.margin, limit=recipe.pairs_per_question,
                           number=number, policy=f"round-{number - 1}")  # fmt: skip
        if not pairs:
            return one, [], []
        rows = preference_rows(pairs, prompts, min(len(pairs), recipe.pairs), seed)
        with _trainer_options(recipe, seed, recipe.dpo_lr, recipe.dpo_batch) as options:
            config = DPOConfig(
                **options, num_train_epochs=recipe.dpo_epochs, max_length=one.room, beta=beta,
                loss_type=["sigmoid", "sft"], loss_weights=[1.0, recipe.anchor(number)], lr_scheduler_type="cosine",
            )  # fmt: skip
            trainer = DPOTrainer(
                one.model, None, config, train_dataset=Dataset.from_list(rows),
                processing_class=one.tokenizer, peft_config=_lora(recipe),
            )  # fmt: skip
            learned, curve = _learned(one, trainer)
            return learned, pairs, curve


def explore(
    one: DecidingModel, forest: Forest, wording: Wording, recipe: LmRecipe, seed: int
) -> tuple[DecidingModel, Curve]:
    """One round of GRPO on whole conversations: groups of paths of one question, value of the ending as reward, group
    means without division by the deviation (Dr. GRPO), clip-higher, k3 against the round's beginning."""
    with _quiet():
        from datasets import Dataset
        from trl import GRPOConfig, GRPOTrainer

        prompts = [wording.prompts(forest)[root] for root in forest.roots.tolist()]
        size = recipe.batch * recipe.rollouts
        with _trainer_options(recipe, seed, recipe.grpo_lr, size) as options:
            config = GRPOConfig(
                **options, max_steps=recipe.updates, num_generations=recipe.rollouts,
                num_iterations=recipe.passes, max_completion_length=recipe.longest, temperature=1.0,
                loss_type="dr_grpo", scale_rewards="none", beta=recipe.kl if recipe.lora else 0.0,
                epsilon=recipe.low, epsilon_high=recipe.high, lr_scheduler_type="constant",
            )  # fmt: skip
            trainer = GRPOTrainer(
                one.model, _reward, config, Dataset.from_dict({"prompt": prompts}),
                processing_class=one.tokenizer, peft_config=_lora(recipe),
                rollout_func=Rollouts(forest, wording, prompts, one.tokenizer, seed),
            )  # fmt: skip
            return _learned(one, trainer)


def _reward(completions: Sequence[str], value: Sequence[float], **_: Any) -> list[float]:
    return list(value)


class Rollouts:
    """Our environment for GRPOTrainer: each prompt's question is walked to an ending, decision by decision.

    Actions are drawn among the legal ones by the model's probabilities. `env_mask` is 1 on what the model wrote and 0
    on the environment's words.
    """

    def __init__(
        self, forest: Forest, wording: Wording, prompts: Sequence[str], tokenizer: Any, seed: int
    ) -> None:
        self.forest, self.wording, self.tokenizer = forest, wording, tokenizer
        self.states = wording.states(forest)
        self.roots = {prompt: int(root) for prompt, root in zip(prompts, forest.roots, strict=True)}
        self.rng = np.random.default_rng(seed)

    def __call__(self, prompts: Sequence[str], trainer: Any) -> dict[str, list[Any]]:
        """Conversations with their mask and the value of the ending that each reached."""
        scorer = OptionScorer(trainer.accelerator.unwrap_model(trainer.model), self.tokenizer)
        was_training = scorer.model.training
        scorer.model.eval()
        at = [self.roots[prompt] for prompt in prompts]
        heads = [scorer.prompt_ids(prompt) for prompt in prompts]
        written: list[list[int]] = [[] for _ in prompts]
        mask: list[list[int]] = [[] for _ in prompts]
        while open_ := [row for row, s in enumerate(at) if s < len(self.forest.child)]:
            for row, action in zip(open_, self._drawn(scorer, open_, at, heads, written), strict=True):
                to = int(self.forest.child[at[row], self.forest.actions.index(action)])
                said = [*scorer.option_ids(action), *self._ids(self.wording.end)]
                heard: list[int] = []
                if to < len(self.forest.child):
                    heard = self._ids(self.wording.following(self.states[at[row]], self.states[to]))
                written[row] += said + heard
                mask[row] += [1] * len(said) + [0] * len(heard)
                at[row] = to
        scorer.model.train(was_training)
        values = [float(self.forest.values[s - len(self.forest.child)]) for s in at]
        return {"prompt_ids": heads, "completion_ids": written, "env_mask": mask, "value": values,
                "logprobs": None}  # type: ignore[dict-item]  # fmt: skip

    def _drawn(self, scorer: OptionScorer, rows: Sequence[int], at: Sequence[int], heads: Sequence[list[int]],
               written: Sequence[list[int]]) -> list[str]:  # fmt: skip
        """An action for each open row; equal conversations are asked once."""
        names = [
            [a for a, ok in zip(self.forest.actions, self.forest.legal[at[r]], strict=True) if ok]
            for r in rows
        ]
        first: dict[int, int] = {}
        for place, row in enumerate(rows):
            first.setdefault(at[row], place)
        asked = list(first.values())
        scores = scorer.scores([heads[rows[p]] + written[rows[p]] for p in asked], [names[p] for p in asked])
        known = {at[rows[p]]: np.exp(np.array(one) - max(one)) for p, one in zip(asked, scores, strict=True)}
        drawn = []
        for row, options in zip(rows, names, strict=True):
            odds = known[at[row]] / known[at[row]].sum()
            drawn.append(options[int(self.rng.choice(len(options), p=odds))])
        return drawn

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def _lora(recipe: LmRecipe) -> Any:
    if not recipe.lora:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=recipe.lora,
        lora_alpha=2 * recipe.lora,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


@contextmanager
def _trainer_options(recipe: LmRecipe, seed: int, lr: float, batch: int) -> Any:
    """Settings that all trainers share; their folder of outputs is thrown away."""
    import torch

    cpu = not torch.cuda.is_available()
    per = min(batch, recipe.per_device)
    with TemporaryDirectory() as folder:
        yield {
            "output_dir": folder, "learning_rate": lr, "per_device_train_batch_size": per,
            "gradient_accumulation_steps": max(1, batch // per), "weight_decay": recipe.decay, "max_grad_norm": 1.0,
            "seed": seed, "data_seed": seed, "report_to": [], "save_strategy": "no", "logging_steps": 5,
            "disable_tqdm": True, "use_cpu": cpu, "bf16": not cpu, "gradient_checkpointing": False,
            "dataloader_pin_memory": not cpu,
        }  # fmt: skip


def _learned(one: DecidingModel, trainer: Any) -> tuple[DecidingModel, Curve]:
    """Train, and merge the adapter if there is one."""
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer.train()
    model = trainer.accelerator.unwrap_model(trainer.model)
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    curve = [
        {k: float(v) for k, v in row.items() if isinstance(v, int | float)}
        for row in trainer.state.log_history
    ]
    return DecidingModel(model.eval(), one.tokenizer), curve


@contextmanager
def _quiet() -> Any:
    """Without the libraries' own notes and progress bars; their errors still come through."""
    import datasets

    loud = [name for name in ("trl", "transformers", "accelerate", "peft", "datasets")]
    levels = {name: logging.getLogger(name).level for name in loud}
    datasets.disable_progress_bars()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in loud:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
