"""Trains the reader: `forage train skill reader`.

Transformer layers and heads are trained, embeddings frozen. The loss is the mean of two span losses (start, end)
plus half the loss of the kind; where an answer stands in several places, any of them is right (the marginal
likelihood of Clark and Gardner, 2018, section 3.2.2).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch

from agent.reader_model import KINDS, MAX_TOKENS, build_network, encode
from index import delta
from training.skills import loop, reader_scores
from training.skills.card import Run, describe
from training.skills.leaks import LeakAudit, passage_overlap
from training.skills.mixture import Mixture, by_length
from training.skills.reader_data import SETS, ReaderSource, sources, trained_on
from training.skills.reader_recipes import ReaderExample

RATE, HEAD_RATE = 2e-4, 1e-3
BATCH_TOKENS = 2560  # padded; about 18 examples
ROUND = 800  # examples drawn and sorted by length at a time
KIND_WEIGHT = 0.5
LOOK = 200  # development questions of a look on the way


@dataclass(frozen=True, slots=True)
class Sample:
    """An encoded example; starts and ends are empty for kinds without a span."""

    ids: list[int]
    types: list[int]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    kind: int


class ReaderBatches:
    """Batches of encoded examples from a mixture of sources."""

    def __init__(self, found: Sequence[ReaderSource], seed: int) -> None:
        self.mixture: Mixture[ReaderExample] = Mixture(found, seed)

    def batches(self, progress: float) -> Iterator[list[Sample]]:
        drawn = (sample(example) for example in self.mixture.draw(ROUND, progress))
        samples = [one for one in drawn if one is not None]
        order = by_length([len(s.ids) for s in samples], BATCH_TOKENS, random.Random(len(samples)))
        yield from ([samples[row] for row in rows] for rows in order)

    def state(self) -> dict[str, Any]:
        return self.mixture.state()

    def restore(self, state: dict[str, Any]) -> None:
        self.mixture.restore(state)


def train(run: Run) -> dict[str, Any]:
    """Train, write the weights and their card to `run.out`, and return the card."""
    torch.manual_seed(run.seed)
    audit = LeakAudit.of(run.data) if run.data else LeakAudit()
    found = sources(run.data, run.seed, audit)
    data = ReaderBatches(found, run.seed)
    network = build_network().to(run.device)
    base = delta.encoder_weights(network)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_("embeddings" not in name)
    plan = loop.Plan(run.minutes, RATE, HEAD_RATE, run.device)
    checkpoint = run.out / "reader.checkpoint"
    look = (lambda: reader_scores.quick(network, run.data, LOOK)) if run.data else None
    outcome = loop.train(network, data, batch_loss, plan, checkpoint, look)
    weights, change = weights_path(run.out), delta.difference(network, base)
    card = describe(run, "reader", outcome, SETS) | {
        "passes": data.mixture.passes(),
        "leak_audit": audit.report(*trained_on(found)),
    }
    delta.save(weights, change, card)
    if run.data:
        card["leak_audit"]["share_of_dev_gold_passages_in_the_train_pool"] = {
            name: round(passage_overlap(run.data, name), 3) for name in reader_scores.SCORED
        }
        card["calibration"] = reader_scores.calibrate(weights, run.data)
        delta.save(weights, change, card)
        card["dev"] = reader_scores.evaluate(weights, run.data)
    else:
        card["dev"] = reader_scores.evaluate_worlds(weights)
    card["score"] = reader_scores.score(card["dev"])
    delta.save(weights, change, card)
    checkpoint.unlink(missing_ok=True)
    return card


def sample(example: ReaderExample) -> Sample | None:
    """An example as token positions; None when all its answers were cut off.

    >>> one = sample(ReaderExample("Who?", "Mira Vell built it.", "span", ((0, 9),)))
    >>> one.starts, one.ends
    ((4,), (6,))
    """
    one = encode(example.question, example.text)
    kind = KINDS.index(example.kind)
    if example.kind != "span":
        return Sample(one.ids, one.types, (), (), kind)
    places = []
    for start, end in example.spans:
        inside = [at for at, (a, b) in enumerate(one.offsets) if a < end and b > start]
        if inside and one.offsets[inside[-1]][1] >= end:
            places.append((one.first + inside[0], one.first + inside[-1]))
    if not places:
        return None
    return Sample(one.ids, one.types, tuple(a for a, _ in places), tuple(b for _, b in places), kind)


def batch_loss(network: Any, batch: Sequence[Sample]) -> torch.Tensor:
    """Mean loss: spans (where there is one), plus KIND_WEIGHT times the kind's cross-entropy."""
    device = next(network.parameters()).device
    ids, types, mask = padded(batch)
    with torch.autocast(device.type, torch.bfloat16):
        spans, kinds = network(ids.to(device), types.to(device), mask.to(device))
    target = torch.tensor([s.kind for s in batch], device=device)
    loss: torch.Tensor = KIND_WEIGHT * torch.nn.functional.cross_entropy(kinds.float(), target)
    rows = [row for row, one in enumerate(batch) if one.starts]
    if rows:
        right = torch.zeros((len(rows), ids.shape[1], 2), dtype=torch.bool)
        for line, row in enumerate(rows):
            right[line, list(batch[row].starts), 0] = True
            right[line, list(batch[row].ends), 1] = True
        logs = torch.log_softmax(spans[rows].float(), dim=1)
        marginal = logs.masked_fill(~right.to(device), -1e9).logsumexp(dim=1)
        loss = loss - marginal.mean() * len(rows) / len(batch)
    return loss


def padded(batch: Sequence[Sample]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """ids, types and mask of shape (examples, longest)."""
    width = min(MAX_TOKENS, max(len(s.ids) for s in batch))
    ids = torch.zeros((len(batch), width), dtype=torch.long)
    types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, one in enumerate(batch):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        types[row, : len(one.ids)] = torch.tensor(one.types)
        mask[row, : len(one.ids)] = 1
    return ids, types, mask


def weights_path(out: Path) -> Path:
    """Where a run writes the reader."""
    return out / "reader.safetensors"


def installed_path() -> Path:
    """Where the package reads it from."""
    return Path(str(files("agent").joinpath("weights/reader.safetensors")))
