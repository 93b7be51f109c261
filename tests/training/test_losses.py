import importlib.util
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from training.losses import (
    advantages,
    aggregate,
    anchored,
    clipped,
    distillation_kl,
    exact_kl,
    k3,
    leave_one_out,
    length_desensitised,
    policy_loss,
    preference_loss,
    sequence_log_probabilities,
    simpo_loss,
    stabilised_distillation,
)

GAPS = torch.tensor([0.0, 1.0, 5.0, 10.0])
ONES = torch.ones(4)
ZEROS = torch.zeros(4)


def _rounded(values: torch.Tensor, digits: int = 5) -> list[float]:
    return [round(value, digits) for value in values.tolist()]


def test_dpo_vector() -> None:
    assert _rounded(preference_loss(GAPS, ZEROS)) == [0.69315, 0.6444, 0.47408, 0.31326]


def test_ipo_vector() -> None:
    assert _rounded(preference_loss(GAPS, ZEROS, ONES, ONES, kind="ipo")) == [25.0, 16.0, 0.0, 25.0]


def test_other_preference_losses_by_hand() -> None:
    r, s = torch.tensor([2.0]), torch.tensor([-3.0])

    def loss(**options: object) -> float:
        return float(preference_loss(r, s, torch.tensor([2.0]), torch.tensor([3.0]), **options))  # type: ignore[arg-type]

    def sg(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    assert loss(kind="hinge") == pytest.approx(0.5)
    assert loss(kind="sigmoid_norm") == pytest.approx(-math.log(sg(0.1 * 2)))  # 2/2 + 3/3
    assert loss(kind="conservative", flips=0.1) == pytest.approx(
        -0.9 * math.log(sg(0.5)) - 0.1 * math.log(sg(-0.5))
    )
    assert loss(kind="robust", flips=0.1) == pytest.approx(
        (-0.9 * math.log(sg(0.5)) + 0.1 * math.log(sg(-0.5))) / 0.8
    )
    assert loss(kind="apo_zero") == pytest.approx(1 - sg(0.2) + sg(-0.3))
    assert loss(kind="apo_down") == pytest.approx(sg(0.2) + 1 - sg(0.5))


def test_robust_is_unbiased_under_flips() -> None:
    clean = preference_loss(GAPS, ZEROS)
    kept = preference_loss(GAPS, ZEROS, kind="robust", flips=0.2)
    flipped = preference_loss(ZEROS, GAPS, kind="robust", flips=0.2)
    assert torch.allclose(0.8 * kept + 0.2 * flipped, clean, atol=1e-5)


def test_gradient_of_dpo() -> None:
    chosen = torch.tensor([1.0], requires_grad=True)
    preference_loss(chosen, torch.tensor([-1.0])).sum().backward()
    assert chosen.grad is not None
    assert float(chosen.grad) == pytest.approx(-0.1 / (1 + math.exp(0.2)))


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="lengths"):
        preference_loss(GAPS, ZEROS, kind="ipo")
    with pytest.raises(ValueError, match="flipped"):
        preference_loss(GAPS, ZEROS, flips=0.5)
    with pytest.raises(ValueError, match="reference"):
        policy_loss(torch.zeros(1, 1), torch.zeros(1, 1), torch.ones(1), torch.ones(1, 1), beta=0.1)
    with pytest.raises(ValueError, match="limit"):
        aggregate(torch.ones(1, 1), torch.ones(1, 1), "dr_grpo")
    with pytest.raises(ValueError, match="cap"):
        clipped(torch.tensor(1.0), torch.tensor(1.0), cap=1.1)
    with pytest.raises(ValueError, match="two rewards"):
        leave_one_out(torch.ones(1, 1))


def test_simpo_and_ld() -> None:
    loss = simpo_loss(torch.tensor([-2.0]), torch.tensor([-6.0]), torch.tensor([2.0]), torch.tensor([3.0]))
    assert float(loss) == pytest.approx(-math.log(1 / (1 + math.exp(-(2.5 * 1 - 1.375)))))
    logps, mask = torch.full((1, 4), -1.0), torch.tensor([[0.0, 1, 1, 1]])
    assert float(length_desensitised(logps, mask, torch.tensor([2]))) == -2.5
    assert float(length_desensitised(logps, mask, torch.tensor([2]), alpha=1.0)) == -3.0
    assert float(sequence_log_probabilities(logps, mask)) == -3.0


def test_anchor_adds_likelihood_per_token() -> None:
    value = anchored(
        torch.tensor([0.5, 0.7]), torch.tensor([-2.0, -4.0]), torch.tensor([2.0, 4.0]), weight=0.5
    )
    assert float(value) == pytest.approx(0.6 + 0.5)


def test_advantage_vectors() -> None:
    one, two = torch.tensor([[1.0, 0, 0, 0]]), torch.tensor([[1.0, 1, 0, 0]])
    assert _rounded(advantages(one)[0], 4) == [1.4997, -0.4999, -0.4999, -0.4999]
    assert _rounded(advantages(two)[0], 4) == [0.8659, 0.8659, -0.8659, -0.8659]
    assert advantages(one, scaling="none")[0].tolist() == [0.75, -0.25, -0.25, -0.25]
    assert torch.allclose(leave_one_out(one), advantages(one, scaling="none") * 4 / 3)
    assert _rounded(leave_one_out(one)[0], 4) == [1.0, -0.3333, -0.3333, -0.3333]


def test_a_group_of_two_loses_the_size() -> None:
    both = advantages(torch.tensor([[0.0, 1.0], [0.0, 2.0]]))
    assert torch.allclose(both, torch.tensor([[-0.7071, 0.7071]] * 2), atol=2e-4)


def test_tiny_groups_explode_without_a_floor() -> None:
    near = torch.tensor([[0.91, 0.90, 0.89, 0.90]])
    assert _rounded(advantages(near)[0], 2) == [1.21, 0.0, -1.21, 0.0]
    assert advantages(near, floor=0.021)[0].tolist() == [0.0] * 4
    assert advantages(torch.ones(1, 4))[0].tolist() == [0.0] * 4


def test_batch_scaling_uses_one_deviation() -> None:
    rewards = torch.tensor([[0.0, 1.0], [0.0, 2.0]])
    made = advantages(rewards, scaling="batch")
    assert float(made[1, 1] / made[0, 1]) == pytest.approx(2.0)


def test_k3_vector() -> None:
    q = torch.tensor([0.1, -0.1, 1.0])
    assert _rounded(k3(torch.zeros(3), q)) == [0.00517, 0.00484, 0.71828]


def test_exact_kl_with_masked_actions() -> None:
    p = torch.tensor([0.5, 0.5, 0.0]).log()
    q = torch.tensor([0.25, 0.75, 0.0]).log()
    assert float(exact_kl(p, q)) == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3))


@pytest.mark.parametrize(
    ("ratio", "advantage", "high", "cap", "expected"),
    [(1.5, 1, 0.2, None, 1.2), (1.5, 1, 0.28, None, 1.28), (0.5, 1, 0.2, None, 0.5), (0.5, -1, 0.2, None, -0.8),
     (9.0, -1, 0.2, None, -9.0), (9.0, -1, 0.2, 4.0, -4.0)],
)  # fmt: skip
def test_clip(ratio: float, advantage: float, high: float, cap: float | None, expected: float) -> None:
    made = clipped(torch.tensor(ratio), torch.tensor(float(advantage)), 0.2, high, cap)
    assert float(made) == pytest.approx(expected)


def test_aggregation_by_hand() -> None:
    values = torch.tensor([[1.0, 1.0, 9.0], [4.0, 9.0, 9.0]])
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    assert float(aggregate(values, mask, "grpo")) == 2.5
    assert float(aggregate(values, mask, "bnpo")) == 2.0
    assert float(aggregate(values, mask, "dapo", active=torch.tensor(6.0))) == 1.0
    assert float(aggregate(values, mask, "dr_grpo", limit=3)) == 1.0


def test_gradient_at_the_old_policy_is_the_policy_gradient() -> None:
    logits = torch.tensor([[0.1, 0.5, -0.3]], requires_grad=True)
    logp = torch.log_softmax(logits, -1)[:, 1:2]
    policy_loss(logp, logp.detach(), torch.tensor([2.0]), torch.ones(1, 1)).backward()
    expected = -2.0 * (torch.tensor([0.0, 1, 0]) - torch.softmax(logits.detach(), -1)[0])
    assert logits.grad is not None
    assert torch.allclose(logits.grad[0], expected, atol=1e-6)


def test_environment_tokens_do_not_count() -> None:
    logps = torch.tensor([[-1.0, -2.0, -3.0]], requires_grad=True)
    mask = torch.tensor([[1.0, 0.0, 1.0]])
    policy_loss(
        logps, logps.detach() - 0.1, torch.tensor([1.0]), mask, reference=logps.detach(), beta=0.1
    ).backward()
    assert logps.grad is not None
    assert float(logps.grad[0, 1]) == 0.0
    assert float(logps.grad[0, 0]) != 0.0


def test_sequence_ratio_is_the_mean_over_own_tokens() -> None:
    old = torch.zeros(1, 3)
    new = torch.tensor([[0.1, 5.0, 0.3]])
    mask = torch.tensor([[1.0, 0.0, 1.0]])
    loss = policy_loss(new, old, torch.tensor([-1.0]), mask, sequence_ratio=True)
    assert float(loss) == pytest.approx(math.exp(0.2))


def _value(policy: torch.Tensor, rewards: torch.Tensor) -> float:
    return float((torch.softmax(policy.detach(), -1) * rewards).sum(-1).mean())


@pytest.mark.parametrize("method", ["grpo", "dpo"])
def test_both_trainers_solve_a_toy(method: str) -> None:
    """Three states, three actions: 95 % of the best value within 200 updates."""
    torch.manual_seed(0)
    rewards = torch.tensor([[1.0, 0.2, 0.0], [0.0, 1.0, 0.3], [0.1, 0.0, 1.0]])
    policy = torch.zeros(3, 3, requires_grad=True)
    reference = torch.zeros(3, 3).log_softmax(-1)
    optimiser = torch.optim.Adam([policy], lr=0.1)
    for _ in range(200):
        logp = torch.log_softmax(policy, -1)
        actions = torch.multinomial(logp.exp().detach(), 8, replacement=True)
        taken, gained = logp.gather(1, actions), rewards.gather(1, actions)
        if method == "grpo":
            flat = taken.reshape(-1, 1)
            loss = policy_loss(flat, flat.detach(), advantages(gained).reshape(-1), torch.ones_like(flat))
        else:
            ratio = taken - reference.gather(1, actions)
            best, worst = gained.argmax(1, keepdim=True), gained.argmin(1, keepdim=True)
            loss = preference_loss(ratio.gather(1, best), ratio.gather(1, worst), beta=1.0).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert _value(policy, rewards) >= 0.95


def test_distillation_vectors() -> None:
    student, teacher = torch.tensor([[2.0, 1, 0]]), torch.tensor([[-0.5, -1, -3]])
    assert _rounded(torch.softmax(teacher, -1)[0], 4) == [0.5922, 0.3592, 0.0486]
    assert float(stabilised_distillation(student, teacher)) == pytest.approx(0.3539, abs=1e-4)
    assert float(distillation_kl(student, teacher)) == pytest.approx(0.0390, abs=1e-4)
    order = torch.tensor([2, 0, 1])
    assert float(stabilised_distillation(student[:, order], teacher[:, order])) == pytest.approx(
        0.3539, abs=1e-4
    )


WITHOUT_TRL = pytest.mark.skipif(
    importlib.util.find_spec("trl") is None, reason="TRL (extra train-lm) is not installed"
)
LOWER_WARNINGS = pytest.mark.filterwarnings("default")  # the trainers' own are not ours to mend


def _tiny(seed: int) -> Any:
    """A causal model of some thousand weights, and a tokenizer of twenty words."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    words = {"<pad>": 0, "<eos>": 1, "<unk>": 2} | {f"w{n}": n + 3 for n in range(20)}
    raw = Tokenizer(WordLevel(words, unk_token="<unk>"))
    raw.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>", padding_side="left"
    )
    config = LlamaConfig(
        vocab_size=23, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, pad_token_id=0, eos_token_id=1, bos_token_id=1,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval(), tokenizer


def _token_logps(model: Any, ids: torch.Tensor, last: int) -> torch.Tensor:
    with torch.no_grad():
        logps = torch.log_softmax(model(input_ids=ids).logits[:, :-1], -1)
    return logps.gather(-1, ids[:, 1:].unsqueeze(-1)).squeeze(-1)[:, -last:]


@WITHOUT_TRL
@LOWER_WARNINGS
@pytest.mark.parametrize(
    ("kind", "unbiased"),
    [("grpo", False), ("bnpo", False), ("dr_grpo", True), ("dapo", False), ("dapo", True)],
)
def test_policy_loss_equals_trl(kind: Any, unbiased: bool, tmp_path: Path) -> None:
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    model, tokenizer = _tiny(1)
    model.save_pretrained(tmp_path / "model")
    model.config._name_or_path = str(tmp_path / "model")  # the trainer loads its reference from there
    options = GRPOConfig(
        output_dir=str(tmp_path), loss_type=kind, beta=0.04, per_device_train_batch_size=4, num_generations=4,
        max_completion_length=6, use_cpu=True, bf16=False, gradient_checkpointing=False, report_to=[],
        use_bias_correction_kl=unbiased,
    )  # fmt: skip
    trainer = GRPOTrainer(
        model, lambda completions, **_: [0.0] * len(completions), options, Dataset.from_dict({"prompt": ["w1 w2"] * 4}),
        processing_class=tokenizer,
    )  # fmt: skip
    trainer.model.eval()
    prompt, answer = torch.randint(3, 23, (4, 3)), torch.randint(3, 23, (4, 6))
    mask = (torch.arange(6) < torch.tensor([[6], [4], [2], [5]])).long()
    ids = torch.cat([prompt, answer], 1)
    seen = torch.cat([torch.ones_like(prompt), mask], 1)
    with torch.no_grad():
        logps = trainer._get_per_token_logps_and_entropies(trainer.model, ids, seen, 6)[0]
    old, reference = logps + 0.3 * torch.randn(4, 6), logps + 0.3 * torch.randn(4, 6)
    advantage = torch.randn(4)
    inputs = {
        "prompt_ids": prompt, "prompt_mask": torch.ones_like(prompt), "completion_ids": answer, "completion_mask": mask,
        "advantages": advantage, "old_per_token_logps": old, "ref_per_token_logps": reference,
        "num_items_in_batch": mask.sum(),
    }  # fmt: skip
    theirs = trainer._compute_loss(trainer.model, inputs)
    ours = policy_loss(
        logps, old, advantage, mask, reference=reference, beta=0.04, kind=kind, limit=6, unbiased_kl=unbiased
    )
    assert float(ours) == pytest.approx(float(theirs.detach()), abs=1e-5)


@WITHOUT_TRL
@LOWER_WARNINGS
@pytest.mark.parametrize(
    "kind", ["sigmoid", "hinge", "ipo", "sigmoid_norm", "robust", "apo_zero", "apo_down"]
)
def test_preference_loss_equals_trl(kind: Any, tmp_path: Path) -> None:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    model, tokenizer = _tiny(2)
    reference, _ = _tiny(3)
    flips = 0.1 if kind == "robust" else 0.0
    options = DPOConfig(
        output_dir=str(tmp_path), loss_type=[kind], label_smoothing=flips, use_cpu=True, bf16=False,
        gradient_checkpointing=False, report_to=[], per_device_train_batch_size=2,
    )  # fmt: skip
    rows = {"prompt": ["w1 w2", "w3"], "chosen": [" w4 w5 w6", " w7"], "rejected": [" w8", " w9 w1 w2"]}
    trainer = DPOTrainer(
        model, reference, options, train_dataset=Dataset.from_dict(rows), processing_class=tokenizer
    )
    trainer.model.eval()
    batch = next(iter(trainer.get_train_dataloader()))
    ids, mask = batch["input_ids"], batch["completion_mask"][:, 1:]
    scores = [
        sequence_log_probabilities(_token_logps(net, ids, ids.shape[1] - 1), mask)
        for net in (trainer.model, trainer.ref_model)
    ]
    chosen, rejected = (scores[0] - scores[1]).chunk(2)
    lengths = mask.sum(-1).chunk(2)
    theirs = trainer.compute_loss(trainer.model, dict(batch))
    ours = preference_loss(chosen, rejected, *lengths, kind=kind, beta=0.1, flips=flips).mean()
    assert float(ours) == pytest.approx(float(theirs.detach()), abs=1e-5)
