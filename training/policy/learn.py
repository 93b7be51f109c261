"""The three stages: imitate the best choice, align by preferences, explore by policy gradient.

SmartSearch's curriculum over TeaRAG's losses, on decisions instead of tokens. Every stage takes a network and changes
it in place; its randomness comes from one seed, so that a stage repeated after a kill is the same stage.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from training.losses import advantages, anchored, exact_kl, policy_loss, preference_loss
from training.policy.foresight import foreseen_choice
from training.policy.forest import Floats, Forest, Sampled, softened
from training.policy.network import Inputs, Network, log_policy, probabilities
from training.policy.pairs import Pair, make_pairs
from training.policy.recipe import Recipe

GROUP_FLOOR = 1e-3  # a group of paths whose values differ by less teaches nothing
LEAST = -30.0  # log-probability of what is illegal, where -inf would make gradients undefined
ROWS = 512  # situations of one step of imitation


def oracle_targets(forest: Forest, soften: float) -> Floats:
    """The oracle's choice (S, A), softened: softmax of the best attainable values over the legal actions.

    Actions nearly as good as the best keep some probability, so that imitation does not learn coin flips.
    """
    return softened(forest.q_values(None)[0], forest.legal, soften)


def _targets(network: Network, forest: Forest, recipe: Recipe, seed: int) -> Floats:
    if not recipe.foresight:
        return oracle_targets(forest, recipe.soften)
    told = [at for at, name in enumerate(network.names) if name not in recipe.ignored]
    return foreseen_choice(forest, told, recipe.soften, seed)


def imitate(network: Network, forest: Forest, recipe: Recipe, seed: int) -> list[float]:
    """Supervised imitation of the best choice, as it can be foreseen or as the oracle knows it; mean cross-entropy of
    each epoch."""
    torch.manual_seed(seed)
    inputs = Inputs.of(forest)
    target = torch.from_numpy(_targets(network, forest, recipe, seed)).float()
    reach = torch.from_numpy(_reach(forest, target.double().numpy())).float() * inputs.weight
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.sft_lr, weight_decay=recipe.decay)
    network.train()
    losses = []
    for _ in range(recipe.sft_epochs):
        total = 0.0
        for rows in torch.split(torch.randperm(len(target)), ROWS):
            logps = log_policy(network, inputs, rows, recipe.drop).clamp(min=LEAST)
            each = -(target[rows] * logps).sum(1) * reach[rows]
            loss = each.sum() / reach[rows].sum().clamp(min=1e-6)
            _step(optimiser, loss, network)
            total += float(loss.detach()) * len(rows)
        losses.append(total / len(target))
    network.eval()
    return losses


def prefer(
    network: Network, forest: Forest, recipe: Recipe, number: int, seed: int, beta: float
) -> tuple[list[Pair], list[dict[str, float]]]:
    """One round of iterative preference learning; the pairs and what each epoch measured.

    The reference is the policy that the round begins with. A pair weighs as much as its values differ (ours): without
    it, saving a search would push as hard as being right.
    """
    torch.manual_seed(seed)
    inputs = Inputs.of(forest)
    start = probabilities(network, inputs)
    sampled = forest.sample(start, recipe.rollouts, np.random.default_rng(seed))
    q, _ = forest.q_values(start)
    pairs = make_pairs(forest, sampled, q, margin=recipe.margin, limit=recipe.pairs_per_question,
                       number=number, policy=f"round-{number - 1}")  # fmt: skip
    if not pairs:
        return [], []
    rows, good, bad, weight = _pair_tensors(forest, pairs)
    reference = copy.deepcopy(network).eval()
    with torch.no_grad():
        before = log_policy(reference, inputs, rows)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.dpo_lr, weight_decay=recipe.decay)
    network.train()
    curve = []
    for _ in range(recipe.dpo_epochs):
        seen: list[tuple[float, float, float, int]] = []
        for part in torch.split(torch.randperm(len(rows)), ROWS):
            logps = log_policy(network, inputs, rows[part], recipe.drop)
            plus, minus = logps.gather(1, good[part])[:, 0], logps.gather(1, bad[part])[:, 0]
            r_plus = plus - before[part].gather(1, good[part])[:, 0]
            r_minus = minus - before[part].gather(1, bad[part])[:, 0]
            one = torch.ones(len(part))
            each = preference_loss(r_plus, r_minus, one, one, kind=recipe.loss, beta=beta) * weight[part]
            loss = anchored(each, plus * weight[part], weight[part], recipe.anchor(number))
            _step(optimiser, loss, network)
            margin = float((r_plus - r_minus).mean().detach())
            seen.append((float(loss.detach()), margin, float(plus.mean().detach()), len(part)))
        count = sum(n for *_, n in seen)
        names = ("loss", "margin", "logps_chosen")
        curve.append({k: sum(row[i] * row[3] for row in seen) / count for i, k in enumerate(names)})
    network.eval()
    return pairs, curve


def explore(
    network: Network, reference: Network, forest: Forest, recipe: Recipe, seed: int
) -> list[dict[str, float]]:
    """Group-relative policy gradient on sampled paths; what each update measured.

    Advantages are R - mean of the question's group, without dividing by the deviation (Dr. GRPO): groups that differ
    only by a search would else push as hard as groups that differ in being right. "Tokens" are decisions; the
    divergence from the reference is exact over all actions.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    inputs = Inputs.of(forest)
    with torch.no_grad():
        anchor = log_policy(reference, inputs).clamp(min=LEAST)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.grpo_lr, weight_decay=recipe.decay)
    network.eval()  # dropout would change the ratio
    curve = []
    for _ in range(recipe.updates):
        chosen = rng.choice(len(forest.trees), min(recipe.batch, len(forest.trees)), replace=False)
        paths = forest.sample(probabilities(network, inputs), recipe.rollouts, rng, forest.roots[chosen])
        rewards = np.array([[forest.values[p.ending] for p in group] for group in paths])
        gains = advantages(torch.from_numpy(rewards).float(), scaling="none", floor=GROUP_FLOOR).flatten()
        weight = torch.tensor([forest.trees[q].weight for q in chosen]).repeat_interleave(recipe.rollouts)
        rows, acts, mask = _path_tensors([p for group in paths for p in group], int(forest.depth.max()) + 1)
        with torch.no_grad():
            old = _chosen(log_policy(network, inputs, rows.flatten()), acts, mask)
        for _ in range(recipe.passes):
            logps = log_policy(network, inputs, rows.flatten())
            loss = policy_loss(_chosen(logps, acts, mask), old, gains * weight, mask, low=recipe.low,
                               high=recipe.high, kind="dr_grpo", limit=mask.shape[1])  # fmt: skip
            divergence = (
                exact_kl(logps.clamp(min=LEAST), anchor[rows.flatten()]).view_as(mask) * mask
            ).sum() / mask.sum()
            _step(optimiser, loss + recipe.kl * divergence, network)
        p = logps.detach().exp()
        entropy = -(p * logps.detach().clamp(min=LEAST)).sum(1).view_as(mask)
        curve.append({
            "reward": float(rewards.mean()), "loss": float(loss.detach()), "kl": float(divergence.detach()),
            "entropy": float((entropy * mask).sum() / mask.sum()),
            "silent_groups": float((np.ptp(rewards, axis=1) < GROUP_FLOOR).mean()),
        })  # fmt: skip
    return curve


def heed(
    network: Network, labelled: Forest, rated: Forest, recipe: Recipe, seed: int
) -> tuple[list[Pair], list[dict[str, float]]]:
    """Learn from people's feedback without leaving what labelled questions taught; pairs and curve.

    Preferences of the rated questions, weighed by their share of all questions, against the exact divergence from the
    policy so far on every labelled situation. Nothing is drawn at random but the paths that pick the pairs.
    """
    torch.manual_seed(seed)
    inputs, known = Inputs.of(rated), Inputs.of(labelled)
    start = probabilities(network, inputs)
    sampled = rated.sample(start, recipe.rollouts, np.random.default_rng(seed))
    q, _ = rated.q_values(start)
    pairs = make_pairs(rated, sampled, q, margin=recipe.margin, limit=recipe.pairs_per_question,
                       number=recipe.rounds + 1, policy="feedback")  # fmt: skip
    if not pairs:
        return [], []
    rows, good, bad, weight = _pair_tensors(rated, pairs)
    with torch.no_grad():
        before, anchor = log_policy(network, inputs, rows), log_policy(network, known).clamp(min=LEAST)
    share = sum(tree.weight for tree in rated.trees) / (len(labelled.trees) + len(rated.trees))
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.dpo_lr / 2)
    network.eval()
    curve = []
    for _ in range(recipe.dpo_epochs):
        logps = log_policy(network, inputs, rows)
        gain = (logps.gather(1, good) - before.gather(1, good))[:, 0]
        loss = (logps.gather(1, bad) - before.gather(1, bad))[:, 0]
        wish = (preference_loss(gain, loss, beta=recipe.beta) * weight).mean() * share
        stay = exact_kl(log_policy(network, known).clamp(min=LEAST), anchor).mean()
        _step(optimiser, wish + stay, network)
        curve.append(
            {
                "loss": float(wish.detach()),
                "kl": float(stay.detach()),
                "margin": float((gain - loss).detach().mean()),
            }
        )
    return pairs, curve


def _step(optimiser: torch.optim.Optimizer, loss: Tensor, network: Network) -> None:
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()


def _reach(forest: Forest, policy: Floats) -> Floats:
    """How often a policy gets to each situation, but at least 0.1: mistakes lead where the oracle never is."""
    n = len(forest.child)
    reach = np.zeros(n)
    reach[forest.roots] = 1.0
    for s in np.argsort(forest.depth, kind="stable"):
        for a in np.flatnonzero(forest.legal[s]):
            to = forest.child[s, a]
            if to < n:
                reach[to] += reach[s] * policy[s, a]
    return np.maximum(reach, 0.1)


def _pair_tensors(forest: Forest, pairs: Sequence[Pair]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    index = {name: a for a, name in enumerate(forest.actions)}
    rows = torch.tensor([pair.situation for pair in pairs])
    good = torch.tensor([[index[pair.chosen]] for pair in pairs])
    bad = torch.tensor([[index[pair.rejected]] for pair in pairs])
    weight = torch.tensor([pair.gap * pair.weight for pair in pairs])
    return rows, good, bad, weight / weight.mean()


def _path_tensors(paths: Sequence[Sampled], longest: int) -> tuple[Tensor, Tensor, Tensor]:
    """Situations, actions and mask (n, longest) of paths; padding points at row 0 and is masked."""
    rows = torch.zeros((len(paths), longest), dtype=torch.long)
    acts = torch.zeros((len(paths), longest), dtype=torch.long)
    mask = torch.zeros((len(paths), longest))
    for i, path in enumerate(paths):
        for t, (s, a) in enumerate(path.steps):
            rows[i, t], acts[i, t], mask[i, t] = s, a, 1.0
    return rows, acts, mask


def _chosen(logps: Tensor, acts: Tensor, mask: Tensor) -> Tensor:
    """Log-probabilities (n, t) of the actions taken; 0 where masked, lest -inf of padding poisons gradients."""
    picked = logps.gather(1, acts.flatten().unsqueeze(1))[:, 0].view_as(mask)
    return torch.where(mask > 0, picked, torch.zeros_like(picked))
