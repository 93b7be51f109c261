"""What the reader minimises: spans, kinds, sufficiency, and the divergence from its teachers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from agent.reader_model import KINDS, build_network
from training.skills import loop
from training.skills.card import Run
from training.skills.reader_batches import Batch

KIND_WEIGHT, ENOUGH_WEIGHT, TEACHERS_WEIGHT = 0.5, 0.3, 0.5
Loss = Callable[[Any, Batch], torch.Tensor]


def loss_with(run: Run) -> Loss:
    """The loss of a run: the labels', and the teachers' where there are any."""
    if not run.teachers:
        return batch_loss
    teachers = [build_network(path).to(run.device).eval() for path in run.teachers]
    return lambda network, batch: batch_loss(network, batch, teachers)


def batch_loss(network: Any, batch: Batch, teachers: Sequence[Any] = ()) -> torch.Tensor:
    """Mean loss: spans (where there is one), KIND_WEIGHT times the kind's and ENOUGH_WEIGHT times sufficiency's
    cross-entropy; with teachers the mean of that and of the divergence from their mean."""
    device = next(network.parameters()).device
    ids, types, mask = batch.inputs(device)
    with loop.autocast(device.type):
        spans, outputs = network(ids, types, mask)
    spans, outputs = spans.float(), outputs.float()
    loss = _label_loss(batch, spans, outputs)
    if not teachers:
        return loss
    inside = mask.unsqueeze(-1) == 1
    with torch.no_grad(), loop.autocast(device.type):
        said = [teacher(ids, types, mask) for teacher in teachers]
    far = _divergence([s.float() for s, _ in said], spans, 1, inside)
    kinds = len(KINDS)
    far = far + KIND_WEIGHT * _divergence([o.float()[:, :kinds] for _, o in said], outputs[:, :kinds], 1)
    return (1 - TEACHERS_WEIGHT) * loss + TEACHERS_WEIGHT * far


def _label_loss(batch: Batch, spans: torch.Tensor, outputs: torch.Tensor) -> torch.Tensor:
    device, kinds = spans.device, len(KINDS)
    target = torch.from_numpy(batch.kinds).to(device)
    loss: torch.Tensor = KIND_WEIGHT * torch.nn.functional.cross_entropy(outputs[:, :kinds], target)
    enough = torch.from_numpy(batch.enough).to(device)
    weight = (enough >= 0).float()
    loss = loss + ENOUGH_WEIGHT / len(batch) * torch.nn.functional.binary_cross_entropy_with_logits(
        outputs[:, kinds], enough.clamp(min=0), weight=weight, reduction="sum"
    )
    if len(batch.spanned):
        right = torch.zeros((len(batch.spanned), spans.shape[1], 2), dtype=torch.bool)
        right[batch.starts[:, 0], batch.starts[:, 1], 0] = True
        right[batch.ends[:, 0], batch.ends[:, 1], 1] = True
        logs = torch.log_softmax(spans[torch.from_numpy(batch.spanned).to(device)], dim=1)
        marginal = logs.masked_fill(~right.to(device), -1e9).logsumexp(dim=1)
        loss = loss - marginal.mean() * len(batch.spanned) / len(batch)
    return loss


def _divergence(
    said: Sequence[torch.Tensor], own: torch.Tensor, axis: int, inside: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean KL(mean of the teachers' distributions || own) along `axis`; `inside`: where logits count."""
    mean = torch.stack([torch.softmax(one, dim=axis) for one in said]).mean(0)
    gap = mean * (torch.log(mean.clamp(min=1e-9)) - torch.log_softmax(own, dim=axis))
    if inside is not None:
        gap = gap.masked_fill(~inside, 0.0)
    return gap.sum(axis).mean()
