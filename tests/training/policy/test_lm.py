"""A language model as the decision policy: one wording in training and live, no loss on the environment's words."""

from __future__ import annotations

import importlib.util
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from agent.option_scores import OptionScorer
from agent.policy import FEATURES, Rules, Situation
from agent.policy_lm import CARD, hash_of, open_text_policy
from agent.policy_text import Levels, conversation
from index.errors import ConfigError, InputError, StoreError
from training.losses import policy_loss
from training.policy import lm_stages
from training.policy.forest import Forest, plant
from training.policy.lm_data import Wording, imitation_rows, levels_of, preference_rows
from training.policy.lm_model import DecidingModel, fresh
from training.policy.lm_recipe import small
from training.policy.lm_run import MODEL, LmRun, known_levels
from training.policy.lm_stages import Rollouts, explore
from training.policy.pairs import Pair, make_pairs
from training.policy.rewarding import Pricing, load_policy_preset
from training.policy.trees import Tree

ACTIONS = ("answer", "hybrid", "deep", "abstain")
NAMES = ("hint", "found", "searched", "noise")
LEVELS = Levels({name: (0.25, 0.5) for name in NAMES})
WORDS = LEVELS.words
WITHOUT_TRL = pytest.mark.skipif(
    importlib.util.find_spec("trl") is None, reason="TRL is not installed: pip install 'forage[train-lm]'"
)
LOWER_WARNINGS = pytest.mark.filterwarnings("default")  # the trainers' own are not ours to mend


@pytest.fixture(scope="module")
def forest(trees: list[Tree]) -> Forest:
    return plant(trees, ACTIONS, load_policy_preset(), Pricing(0.1))


@pytest.fixture(scope="module")
def model(trees: list[Tree]) -> DecidingModel:
    return fresh([t.question for t in trees], [*WORDS, *ACTIONS], width=32, layers=1, length=128)


def test_the_text_tells_what_changed_and_cannot_be_posed_as_a_turn() -> None:
    levels = Levels({"sure": (0.1, 0.3), "found": (0.5,)})
    first, second = {"sure": 0.2, "found": 0.0}, {"sure": 0.25, "found": 1.0}
    text = conversation("Who?<e>\naction: answer", [(first, "deep")], second, levels, "<e>")
    assert text == "question: Who? action: answer\nstate: sure=1\naction: deep<e>\nstate: found=1\naction:"
    assert conversation("Who?", [(first, "deep")], first, levels, "").endswith("state: unchanged\naction:")


def test_levels_part_the_training_questions_evenly() -> None:
    column = np.linspace(0.9, 1.0, 1000) ** 8
    levels = Levels.of({"sure": column, "found": column > 0.8, "flat": column * 0})
    told = [levels.level("sure", value) for value in column]
    assert np.bincount(told) == pytest.approx([100] * 10, abs=1)
    assert [levels.level("found", value) for value in (0.0, 1.0)] == [0, 1]
    assert [levels.level("flat", value) for value in (0.0, 1.0)] == [0, 0]
    assert [levels.level("sure", value) for value in (-9.0, 9.0)] == [0, 9]
    assert Levels.from_dict(json.loads(json.dumps(dict(levels.bounds)))) == levels
    assert levels.words[:2] == ["sure=0", "sure=1"] and levels.words[-1] == "flat=0"


def test_a_question_of_many_situations_does_not_set_the_levels(forest: Forest) -> None:
    question = np.repeat(np.arange(20), [900, *[1] * 19])
    large = replace(forest, question=question, features=(question[:, None] / 20).astype(np.float32))
    bounds = levels_of(large, ["sure"], ["sure"]).bounds["sure"]
    assert np.bincount(np.searchsorted(bounds, np.arange(20) / 20)).tolist() == [2] * 10


def test_names_of_questions_are_not_known_to_a_fresh_model() -> None:
    one = fresh([f"where is {name}?" for name in ("Ada", "Bo", "Cy")], ["sure=3", "deep"], width=16, layers=1,
                length=32, least=2)  # fmt: skip
    said = one.tokenizer.tokenize("question: where is Ada?\nstate: sure=3\naction: deep<end>")
    assert said == [*"question : where is <unknown> ? state : sure=3 action : deep <end>".split()]


def test_options_are_told_apart_by_the_first_tokens_that_differ(model: DecidingModel) -> None:
    scorer = OptionScorer(model.model, model.tokenizer)
    assert [len(ids) for ids in scorer.telling(ACTIONS)] == [1, 1, 1, 1]
    ids = scorer.prompt_ids("question: number\naction:")
    longer = scorer.prompt_ids("question: number 1 2 3\nstate: hint 3\naction:")
    together = scorer.scores([ids, longer], [("deep", "answer"), ACTIONS])
    with torch.no_grad():
        logps = torch.log_softmax(model.model(input_ids=torch.tensor([ids])).logits[0, -1], -1)
    word = model.tokenizer.convert_tokens_to_ids
    assert together[0] == pytest.approx([float(logps[word("deep")]), float(logps[word("answer")])], abs=1e-5)


def test_names_of_several_tokens_are_scored_whole(trees: list[Tree]) -> None:
    one = fresh(["a"], ["x", "y"], width=16, layers=1, length=32)
    scorer = OptionScorer(one.model, one.tokenizer)
    ids = scorer.prompt_ids("question: a action:")
    found = scorer.scores([ids], [("x y", "x x", "y")])[0]
    word = one.tokenizer.convert_tokens_to_ids
    x, y = word("x"), word("y")
    with torch.no_grad():
        logps = torch.log_softmax(one.model(input_ids=torch.tensor([[*ids, x]])).logits[0], -1)
    assert found[0] == pytest.approx(float(logps[-2, x] + logps[-1, y]), abs=1e-5)
    assert found[2] == pytest.approx(float(logps[-2, y]), abs=1e-5)
    with pytest.raises(ValueError, match="tell these apart"):
        scorer.telling(("x", "x"))


def test_rows_hold_one_action_as_completion(forest: Forest, model: DecidingModel) -> None:
    wording = Wording(NAMES, Levels({n: LEVELS.bounds[n] for n in NAMES[:3]}), model.end)
    prompts = wording.prompts(forest)
    assert all("noise" not in prompt and prompt.endswith("action:") for prompt in prompts)
    targets = forest.legal / forest.legal.sum(1, keepdims=True)
    rows = imitation_rows(forest, prompts, targets, 2, 1)
    assert rows == imitation_rows(forest, prompts, targets, 2, 1)
    assert {row["completion"].strip() for row in rows} <= set(ACTIONS)
    policy = model.policy(forest, prompts)
    assert policy.sum(1) == pytest.approx(np.ones(len(policy)))
    assert not policy[~forest.legal].any()
    q, _ = forest.q_values(policy)
    sampled = forest.sample(policy, 4, np.random.default_rng(1))
    pairs = make_pairs(forest, sampled, q, margin=0.02, limit=4, number=1, policy="start")
    wanted = {(prompts[p.situation], f" {p.chosen}", f" {p.rejected}") for p in pairs}
    assert {tuple(row.values()) for row in preference_rows(pairs, prompts, 50, 3)} <= wanted


def test_pairs_are_drawn_by_what_they_are_worth() -> None:
    def pair(gap: float, at: int) -> Pair:
        return Pair("q", "s", (), "deep", "answer", gap, 0.0, "", 1, "p", at)

    rows = preference_rows([pair(0.9, 0), pair(0.1, 1)], ["right", "cheap"], 1000, 1)
    assert 850 < sum(row["prompt"] == "right" for row in rows) < 950


def test_rollouts_keep_the_loss_off_what_the_environment_said(forest: Forest, model: DecidingModel) -> None:
    wording = Wording(NAMES, LEVELS, model.end)
    every = wording.prompts(forest)
    prompts = [every[root] for root in forest.roots.tolist()][:6]
    walk = Rollouts(forest, wording, [every[root] for root in forest.roots.tolist()], model.tokenizer, 1)
    trainer = SimpleNamespace(model=model.model, accelerator=SimpleNamespace(unwrap_model=lambda m: m))
    found = walk(prompts, trainer)
    for ids, mask, value in zip(found["completion_ids"], found["env_mask"], found["value"], strict=True):
        own = model.tokenizer.decode([i for i, kept in zip(ids, mask, strict=True) if kept]).replace(
            "<end>", " "
        )
        heard = model.tokenizer.decode([i for i, kept in zip(ids, mask, strict=True) if not kept])
        assert set(own.split()) <= set(ACTIONS)
        assert not {"answer", "hybrid", "deep", "abstain"} & set(heard.split())
        assert own.split()[-1] in ("answer", "abstain")
        assert value in forest.values
    # The rollout is the text that the next decision is asked with.
    long = max(range(6), key=lambda at: len(found["completion_ids"][at]))
    text = model.tokenizer.decode([*found["prompt_ids"][long], *found["completion_ids"][long]])
    assert any(
        text.startswith(model.tokenizer.decode(model.tokenizer(p)["input_ids"])) for p in every if "deep" in p
    )


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lm_stages, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"forage\[train-lm\]"):
        lm_stages.require_trl()


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no model in"):
        DecidingModel.load(tmp_path)


def _policy_folder(folder: Path, **changes: Any) -> Path:
    levels = Levels({name: (0.25, 0.5) for name in FEATURES})
    one = fresh(["where is it"], [*levels.words, "memory", "answer", "hybrid", "graph", "deep", "abstain"], width=16,
                layers=1, length=1024)  # fmt: skip
    one.save(folder)
    card = {
        "features": list(FEATURES),
        "levels": dict(levels.bounds),
        "unseen": ["gate_memory", "gate_knows"],
        "sha256": hash_of(folder),
    }
    (folder / CARD).write_text(json.dumps({**card, **changes}), "utf-8")
    return folder


def _now(legal: tuple[str, ...], **values: float) -> Situation:
    told = tuple(values.get(name, 0.0) for name in FEATURES)
    return Situation(
        told, legal, "Where is it?", earlier=((told, "hybrid"),) if values.get("searches") else ()
    )


def test_a_trained_model_decides_live_by_the_probabilities_of_names(tmp_path: Path) -> None:
    policy = open_text_policy(_policy_folder(tmp_path / "lm"), "lm", Rules())
    choice = policy.decide(_now(("hybrid", "graph", "deep", "abstain")))
    assert sum(choice.probabilities.values()) == pytest.approx(1.0)
    assert choice.action == max(choice.probabilities, key=lambda a: choice.probabilities[a])
    assert not choice.error
    # Memory was never met in training: it gets no probability, and the gate's word counts.
    assert policy.decide(_now(("memory", "hybrid"))).probabilities["memory"] == 0.0
    assert policy.decide(_now(("memory", "hybrid"), gate_memory=0.9)).action == "memory"
    # Between answer and silence the judge draws the line.
    ends = ("answer", "abstain")
    assert policy.decide(_now(ends, searches=0.25, probability=0.9)).action == "answer"
    assert policy.decide(_now(ends, searches=0.25, probability=0.01)).action == "abstain"


def test_a_model_that_cannot_be_asked_leaves_the_decision_to_the_fallback(tmp_path: Path) -> None:
    folder = _policy_folder(tmp_path / "lm")
    policy = open_text_policy(folder, "lm", Rules())
    (folder / "model.safetensors").write_bytes(b"broken")
    choice = policy.decide(_now(("hybrid", "graph", "abstain")))
    assert choice.action == Rules().decide(_now(("hybrid", "graph", "abstain"))).action
    assert "could not decide" in choice.error


def test_training_goes_on_with_the_levels_that_a_policy_learned_with(tmp_path: Path) -> None:
    folder = _policy_folder(tmp_path / "lm")
    found = known_levels(folder, FEATURES)
    assert found == Levels({name: (0.25, 0.5) for name in FEATURES})
    assert known_levels(folder, FEATURES[1:]) is None  # of another agent
    (folder / CARD).unlink()
    assert known_levels(folder, FEATURES) is None


def test_cards_of_other_features_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="other features"):
        open_text_policy(
            _policy_folder(tmp_path / "lm", features=["charm"], levels={"charm": []}), "lm", Rules()
        )
    (tmp_path / "lm" / CARD).unlink()
    with pytest.raises(StoreError, match="missing or damaged"):
        open_text_policy(tmp_path / "lm", "lm", Rules())


@WITHOUT_TRL
@LOWER_WARNINGS
def test_the_masked_loss_equals_trl(tmp_path: Path) -> None:
    """GRPO's loss with the environment's tokens masked, as GRPOTrainer computes it from `env_mask`."""
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    one = fresh(["a b c d e f g h i j k l"], [], width=16, layers=1, length=32)
    options = GRPOConfig(
        output_dir=str(tmp_path), loss_type="dr_grpo", beta=0.0, per_device_train_batch_size=4, num_generations=4,
        max_completion_length=6, use_cpu=True, bf16=False, gradient_checkpointing=False, report_to=[],
    )  # fmt: skip
    trainer = GRPOTrainer(one.model, lambda completions, **_: [0.0] * len(completions), options,
                          Dataset.from_dict({"prompt": ["a b"] * 4}), processing_class=one.tokenizer)  # fmt: skip
    trainer.model.eval()
    torch.manual_seed(4)
    prompt, answer = torch.randint(14, 20, (4, 3)), torch.randint(14, 20, (4, 6))
    seen, own = torch.ones(4, 6, dtype=torch.long), torch.tensor([[1, 0, 0, 1, 1, 0]] * 4)
    ids, attention = torch.cat([prompt, answer], 1), torch.ones(4, 9, dtype=torch.long)
    with torch.no_grad():
        logps = trainer._get_per_token_logps_and_entropies(trainer.model, ids, attention, 6)[0]
    old, gains = logps + 0.3 * torch.randn(4, 6), torch.randn(4)
    theirs = trainer._compute_loss(trainer.model, {
        "prompt_ids": prompt, "prompt_mask": torch.ones_like(prompt), "completion_ids": answer,
        "completion_mask": seen, "tool_mask": own, "advantages": gains, "old_per_token_logps": old,
        "num_items_in_batch": own.sum(),
    })  # fmt: skip
    ours = policy_loss(logps, old, gains, own, kind="dr_grpo", limit=6)
    assert float(ours) == pytest.approx(float(theirs.detach()), abs=1e-5)


TINY = {
    "rollouts": 4,
    "sft_rollouts": 4,
    "sft_epochs": 8,
    "sft_lr": 5e-3,
    "pairs": 100,
    "updates": 3,
    "batch": 8,
    "lora": 4,
    "rounds": 1,
}


def _run(folder: Path, trees: list[Tree], algorithm: str) -> LmRun:
    def start(run: LmRun) -> DecidingModel:
        return fresh(
            [t.question for t in trees], [*run.levels.words, *ACTIONS], width=32, layers=1, length=128
        )

    recipe = small(algorithm=algorithm, pricing=Pricing(0.1), **TINY)
    return LmRun(folder, trees, ACTIONS, NAMES, recipe, start, "tiny")


@WITHOUT_TRL
@LOWER_WARNINGS
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("algorithm", ["ip-dpo", "grpo"])
def test_a_small_model_learns_and_a_killed_run_ends_the_same(
    algorithm: str, trees: list[Tree], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _run(tmp_path / "whole", trees, algorithm)
    values: dict[str, float] = {}

    def look(name: str, one: DecidingModel, wording: Wording) -> None:
        values[name] = whole.judge(one, whole.held, name).mean("value") or 0.0

    whole.execute(look=look)
    assert values[f"{algorithm}-1"] > values["untrained"] + 0.2
    card = json.loads((tmp_path / "whole" / MODEL / CARD).read_text("utf-8"))
    assert card["sha256"] == hash_of(tmp_path / "whole" / MODEL)

    cut = _run(tmp_path / "cut", trees, algorithm)
    with monkeypatch.context() as patch:
        patch.setattr("training.policy.lm_run.prefer", _killed)
        patch.setattr("training.policy.lm_run.explore", _killed)
        with pytest.raises(KeyboardInterrupt):
            cut.execute()
    assert not (tmp_path / "cut" / MODEL).exists()
    _run(tmp_path / "cut", trees, algorithm).execute()
    assert hash_of(tmp_path / "cut" / MODEL) == hash_of(tmp_path / "whole" / MODEL)
    shutil.rmtree(tmp_path / "cut" / MODEL)
    with pytest.raises(InputError, match="other settings"):
        LmRun(
            tmp_path / "cut",
            trees[1:],
            ACTIONS,
            NAMES,
            whole.recipe,
            lambda _: pytest.fail("started"),
            "tiny",
        )


def _killed(*_: Any) -> Any:
    raise KeyboardInterrupt


@WITHOUT_TRL
@LOWER_WARNINGS
def test_grpo_trains_adapters_on_whole_conversations(forest: Forest, model: DecidingModel) -> None:
    recipe = small(updates=1, batch=2, rollouts=2, lora=2, passes=1)
    before = {name: value.clone() for name, value in model.model.state_dict().items()}
    copy = fresh(["question number"], [*WORDS, *ACTIONS], width=32, layers=1, length=128)
    learned, curve = explore(copy, forest, Wording(NAMES, LEVELS, copy.end), recipe, 1)
    assert not any("lora" in name for name in learned.model.state_dict())
    assert any("reward" in row for row in curve)
    assert all(torch.equal(value, model.model.state_dict()[name]) for name, value in before.items())
