"""Losses of preference learning and of policy gradients as pure functions of log-probabilities.

The same functions train the compact policy, whose "tokens" are decisions, and a language model. What the
environment wrote (results, injected messages, padding) is masked out by the caller's mask. Forms and defaults
were read in TRL (1.10 development branch); the tests compare with it to 1e-5 where it is installed.

Notation: r(y) = log pi(y|x) - log pi_ref(y|x) summed over the completion; D = r(chosen) - r(rejected); sg the
sigmoid.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax, logsigmoid, softmax

PreferenceLoss = Literal[
    "sigmoid", "conservative", "robust", "hinge", "ipo", "sigmoid_norm", "apo_zero", "apo_down"
]
Aggregation = Literal["grpo", "bnpo", "dr_grpo", "dapo"]
Scaling = Literal["group", "none", "batch"]
EPSILON = 1e-4


def sequence_log_probabilities(token_logps: Tensor, mask: Tensor) -> Tensor:
    """Sum of the log-probabilities of the policy's own tokens: (n, t), (n, t) -> (n,)."""
    return (token_logps * mask).sum(-1)


def length_desensitised(token_logps: Tensor, mask: Tensor, shorter: Tensor, alpha: float = 0.5) -> Tensor:
    """LD-DPO: log-probabilities beyond the pair's shorter length count `alpha` (1.0 is DPO). (n, t) -> (n,).

    >>> float(length_desensitised(torch.full((1, 4), -1.0), torch.ones(1, 4), torch.tensor([2])))
    -3.0
    """
    place = mask.cumsum(-1)
    weight = torch.where(place <= shorter.unsqueeze(-1), 1.0, alpha)
    return (token_logps * mask * weight).sum(-1)


def preference_loss(
    chosen: Tensor,
    rejected: Tensor,
    chosen_length: Tensor | None = None,
    rejected_length: Tensor | None = None,
    *,
    kind: PreferenceLoss = "sigmoid",
    beta: float = 0.1,
    flips: float = 0.0,
) -> Tensor:
    """Loss of each pair: shapes (n,) to (n,). `chosen` and `rejected` are r(y); lengths are in tokens or decisions.

    sigmoid       -log sg(beta D)                                            DPO
    conservative  -(1 - e) log sg(beta D) - e log sg(-beta D)                labels flipped with rate e
    robust        [-(1 - e) log sg(beta D) + e log sg(-beta D)] / (1 - 2e)   unbiased under flips
    hinge         max(0, 1 - beta D)
    ipo           (D_avg - 1 / (2 beta))^2                                   D_avg: each r(y) over its length
    sigmoid_norm  -log sg(beta D_avg)
    apo_zero      1 - sg(beta r(chosen)) + sg(beta r(rejected))
    apo_down      sg(beta r(chosen)) + 1 - sg(beta D)

    beta 0.1, D = 0, 1, 5, 10: 0.69315, 0.64440, 0.47408, 0.31326. Raises ValueError without lengths where they are
    needed, and for a flip rate outside [0, 0.5).

    >>> d = torch.tensor([0.0, 1.0, 5.0, 10.0])
    >>> [round(v, 5) for v in preference_loss(d, torch.zeros(4)).tolist()]
    [0.69315, 0.6444, 0.47408, 0.31326]
    """
    if not 0 <= flips < 0.5:
        raise ValueError(f"the rate of flipped labels must lie in [0, 0.5): {flips}")
    gap = chosen - rejected
    if kind in ("ipo", "sigmoid_norm"):
        if chosen_length is None or rejected_length is None:
            raise ValueError(f"{kind} needs the lengths of both completions")
        gap = chosen / chosen_length.clamp(min=1) - rejected / rejected_length.clamp(min=1)
    x = beta * gap
    if kind in ("sigmoid", "sigmoid_norm"):
        return -logsigmoid(x)
    if kind == "conservative":
        return -(1 - flips) * logsigmoid(x) - flips * logsigmoid(-x)
    if kind == "robust":
        return (-(1 - flips) * logsigmoid(x) + flips * logsigmoid(-x)) / (1 - 2 * flips)
    if kind == "hinge":
        return torch.relu(1 - x)
    if kind == "ipo":
        return (gap - 1 / (2 * beta)) ** 2
    if kind == "apo_zero":
        return 1 - torch.sigmoid(beta * chosen) + torch.sigmoid(beta * rejected)
    return torch.sigmoid(beta * chosen) + 1 - torch.sigmoid(x)


def simpo_loss(
    chosen: Tensor, rejected: Tensor, chosen_length: Tensor, rejected_length: Tensor,
    *, beta: float = 2.5, gamma: float = 1.375,
) -> Tensor:  # fmt: skip
    """SimPO, without a reference: -log sg(beta/|y+| log pi(y+) - beta/|y-| log pi(y-) - gamma). (n,) -> (n,)."""
    return -logsigmoid(beta * (chosen / chosen_length - rejected / rejected_length) - gamma)


def anchored(preference: Tensor, chosen_logps: Tensor, chosen_length: Tensor, weight: float = 1.0) -> Tensor:
    """Preference loss + weight * mean negative log-likelihood of the chosen: a scalar.

    The anchor of iterative preference learning (TeaRAG: weight 1, 0.5, 0.25 over the rounds) against both
    likelihoods falling while the margin grows. Tokens are averaged over the batch.
    """
    return preference.mean() - weight * chosen_logps.sum() / chosen_length.sum().clamp(min=1)


def advantages(rewards: Tensor, *, scaling: Scaling = "group", floor: float = 0.0) -> Tensor:
    """Group advantages: rewards (questions, G) -> the same shape.

    group: (R - mean) / (std + 1e-4), Bessel-corrected (GRPO). none: R - mean (Dr. GRPO). batch: over the deviation
    of all rewards (Lite PPO). A group whose range is under `floor` gets zeros.

    >>> [round(v, 4) for v in advantages(torch.tensor([[1.0, 0, 0, 0]]))[0].tolist()]
    [1.4997, -0.4999, -0.4999, -0.4999]
    >>> advantages(torch.tensor([[1.0, 0, 0, 0]]), scaling="none")[0].tolist()
    [0.75, -0.25, -0.25, -0.25]
    """
    centred = rewards - rewards.mean(-1, keepdim=True)
    if scaling == "group":
        centred = centred / (rewards.std(-1, keepdim=True) + EPSILON)
    elif scaling == "batch":
        centred = centred / (rewards.std() + EPSILON)
    span = rewards.amax(-1, keepdim=True) - rewards.amin(-1, keepdim=True)
    return torch.where(span < floor, torch.zeros_like(centred), centred)


def leave_one_out(rewards: Tensor) -> Tensor:
    """RLOO: R_i minus the mean of the others = G / (G - 1) * (R_i - mean). (questions, G) -> the same.

    >>> [round(v, 4) for v in leave_one_out(torch.tensor([[1.0, 0, 0, 0]]))[0].tolist()]
    [1.0, -0.3333, -0.3333, -0.3333]
    """
    size = rewards.shape[-1]
    if size < 2:
        raise ValueError("leaving one out needs at least two rewards a group")
    return (rewards - rewards.mean(-1, keepdim=True)) * size / (size - 1)


def k3(logps: Tensor, reference: Tensor) -> Tensor:
    """Schulman's estimate of KL(pi || pi_ref) for each token: exp(q) - q - 1, q = log pi_ref - log pi.

    >>> [round(float(k3(torch.tensor(0.0), torch.tensor(q))), 5) for q in (0.1, -0.1, 1.0)]
    [0.00517, 0.00484, 0.71828]
    """
    q = reference - logps
    return torch.exp(q) - q - 1


def exact_kl(log_policy: Tensor, log_reference: Tensor) -> Tensor:
    """KL over all actions of a decision: (..., actions) log-probabilities -> (...). Masked actions are -inf in both."""
    p = log_policy.exp()
    return torch.where(p > 0, p * (log_policy - log_reference), torch.zeros_like(p)).sum(-1)


def clipped(
    ratio: Tensor, advantage: Tensor, low: float = 0.2, high: float = 0.2, cap: float | None = None
) -> Tensor:
    """min(rho A, clip(rho, 1 - low, 1 + high) A), to be maximised; `cap` bounds rho from above first (> 1 + high).

    Ratio 1.5, advantage 1, high 0.2: 1.2; advantage -1: -1.5.

    >>> [round(float(clipped(torch.tensor(1.5), torch.tensor(a))), 4) for a in (1.0, -1.0)]
    [1.2, -1.5]
    """
    if cap is not None:
        if cap <= 1 + high:
            raise ValueError(f"the cap of the ratio must exceed 1 + {high}: {cap}")
        ratio = ratio.clamp(max=cap)
    return torch.minimum(ratio * advantage, ratio.clamp(1 - low, 1 + high) * advantage)


def aggregate(values: Tensor, mask: Tensor, kind: Aggregation = "dapo", *, limit: int | None = None,
              active: Tensor | None = None) -> Tensor:  # fmt: skip
    """One number from values of tokens (n, t) under a mask (n, t).

    grpo: mean over sequences of their own mean. bnpo: all tokens over the tokens of this batch. dapo: over `active`
    tokens of the global batch (this batch's where not given). dr_grpo: over n * limit. Raises ValueError for
    dr_grpo without a limit.
    """
    mask = mask.to(values.dtype)
    if kind == "grpo":
        return ((values * mask).sum(-1) / mask.sum(-1).clamp(min=1)).mean()
    if kind == "dr_grpo":
        if limit is None:
            raise ValueError("dr_grpo needs the limit of tokens or decisions")
        return (values * mask).sum() / (values.shape[0] * limit)
    tokens = active if kind == "dapo" and active is not None else mask.sum()
    return (values * mask).sum() / tokens.clamp(min=1)


def policy_loss(
    logps: Tensor,
    old: Tensor,
    advantage: Tensor,
    mask: Tensor,
    *,
    reference: Tensor | None = None,
    beta: float = 0.0,
    low: float = 0.2,
    high: float = 0.2,
    cap: float | None = None,
    kind: Aggregation = "dapo",
    sequence_ratio: bool = False,
    unbiased_kl: bool = False,
    limit: int | None = None,
    active: Tensor | None = None,
) -> Tensor:
    """GRPO's loss: minus the clipped objective plus beta * k3, aggregated to a scalar.

    logps, old, mask, reference: (n, t); advantage: (n,). `sequence_ratio` is GSPO: one ratio a sequence, from the mean
    log-ratio of its tokens. `unbiased_kl` multiplies k3 by the ratio, TRL's default since 1.16, so that its gradient is
    that of the reverse KL. Clip-higher is high = 0.28 (DAPO). Raises ValueError for beta without a reference.
    """
    log_ratio = logps - old
    if sequence_ratio:
        log_ratio = ((log_ratio * mask).sum(-1) / mask.sum(-1).clamp(min=1)).unsqueeze(-1).expand_as(logps)
    ratio = log_ratio.exp()
    values = -clipped(ratio, advantage.unsqueeze(-1), low, high, cap)
    if beta:
        if reference is None:
            raise ValueError("a KL weight needs log-probabilities of the reference")
        divergence = k3(logps, reference)
        values = values + beta * (divergence * ratio if unbiased_kl else divergence)
    return aggregate(values, mask, kind, limit=limit, active=active)


def stabilised_distillation(student: Tensor, teacher: Tensor) -> Tensor:
    """LLM-Embedder (arXiv 2310.07554; read in the code): distil a teacher's rewards into a retriever, a scalar.

    sum over i of w_i * CE(i among the candidates from i on), candidates sorted by falling reward, w = softmax(rewards).
    student: logits (n, candidates); teacher: rewards, same shape. Sorting happens here, so the order given is free.

    Student 2, 1, 0; rewards -.5, -1, -3: w = .5922, .3592, .0486; loss .3539.

    >>> round(float(stabilised_distillation(torch.tensor([[2.0, 1, 0]]), torch.tensor([[-0.5, -1, -3]]))), 4)
    0.3539
    """
    order = teacher.argsort(dim=-1, descending=True, stable=True)
    logits, weights = student.gather(-1, order), softmax(teacher, -1).gather(-1, order)
    total = torch.zeros(len(logits), dtype=logits.dtype)
    first = torch.zeros(len(logits), dtype=torch.long)
    for at in range(logits.shape[-1]):
        total = total + weights[:, at] * cross_entropy(logits[:, at:], first, reduction="none")
    return total.mean()


def distillation_kl(student: Tensor, teacher: Tensor) -> Tensor:
    """KL(softmax teacher || softmax student), the plain form: (n, candidates) twice -> a scalar.

    >>> round(float(distillation_kl(torch.tensor([[2.0, 1, 0]]), torch.tensor([[-0.5, -1, -3]]))), 4)
    0.039
    """
    return kl_div(log_softmax(student, -1), log_softmax(teacher, -1), log_target=True, reduction="batchmean")
