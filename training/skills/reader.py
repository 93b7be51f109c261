"""Trains the reader: `forage train skill reader`.

Transformer layers and heads are trained, embeddings frozen. The loss is the mean of two span losses (start, end)
plus half the loss of the kind; where an answer stands in several places, any of them is right (the marginal
likelihood of Clark and Gardner, 2018, section 3.2.2). On packed evidence a fifth output learns whether it suffices.

With teachers (readers trained from other seeds) the student also learns their mean: the Kullback-Leibler divergence
of its spans and kinds from theirs (Hinton, Vinyals and Dean, 2015, section 2, temperature 1), half of the loss.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch

from agent.reader_model import KINDS, build_network, encode, padded
from index import delta
from training.skills import loop, reader_scores
from training.skills.card import Run, describe
from training.skills.leaks import LeakAudit, passage_overlap
from training.skills.mixture import Mixture, by_length
from training.skills.reader_data import SETS, ReaderSource, held_out_questions, sources, trained_on
from training.skills.reader_recipes import ReaderExample
from training.skills.rounds import Rounds, workers_for

RATE, HEAD_RATE = 2e-4, 1e-3
FAST_RATE = 3e-4  # with the larger batches of a GPU
ADAPTING = 5  # a trained reader that is adapted to a collection moves so many times slower
BATCH_TOKENS = {"cpu": 2560, "cuda": 20480, "mps": 8192}  # padded; about 18 and 140 examples
ROUND = 800  # examples drawn and sorted by length at a time
KIND_WEIGHT, ENOUGH_WEIGHT, TEACHERS_WEIGHT = 0.5, 0.3, 0.5
Loss = Callable[[Any, Sequence["Sample"]], torch.Tensor]
LOOK = 200  # development questions of a look on the way


@dataclass(frozen=True, slots=True)
class Sample:
    """An encoded example; starts and ends are empty for kinds without a span."""

    ids: list[int]
    types: list[int]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    kind: int
    enough: float = -1.0  # 1, 0, or -1 where it is not known


class ReaderBatches:
    """Batches of encoded examples from a mixture of sources."""

    def __init__(self, found: Sequence[ReaderSource], seed: int, device: str = "cpu") -> None:
        self.mixture: Mixture[ReaderExample] = Mixture(found, seed)
        self.tokens = BATCH_TOKENS.get(device, BATCH_TOKENS["cpu"])
        rounds = ROUND * max(1, self.tokens // (4 * BATCH_TOKENS["cpu"]))
        self.rounds: Rounds[ReaderExample, Sample] = Rounds(self.mixture, sample, rounds, workers_for(device))

    def batches(self, progress: float) -> Iterator[list[Sample]]:
        samples = self.rounds.next(progress)
        order = by_length([len(s.ids) for s in samples], self.tokens, random.Random(len(samples)))
        yield from ([samples[row] for row in rows] for rows in order)

    def state(self) -> dict[str, Any]:
        return self.mixture.state()

    def restore(self, state: dict[str, Any]) -> None:
        self.mixture.restore(state)


def train(run: Run) -> dict[str, Any]:
    """Train, write the weights and their card to `run.out`, and return the card."""
    torch.manual_seed(run.seed)
    audit = LeakAudit.of(run.data) if run.data else LeakAudit()
    found = sources(run, audit)
    data = ReaderBatches(found, run.seed, run.device)  # its workers start before the device is touched
    network = build_network()
    base = delta.encoder_weights(network)
    start = run.start or (installed_path() if run.collection is not None else None)
    if start is not None:
        delta.apply(network, delta.load(start))
    network.to(run.device)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_("embeddings" not in name)
    rate = RATE if run.device == "cpu" else FAST_RATE
    if run.collection is not None:
        rate /= ADAPTING
    plan = loop.Plan(run.minutes, rate, HEAD_RATE, run.device)
    checkpoint = run.out / "reader.checkpoint"
    look = (lambda: reader_scores.quick(network, run.data, LOOK)) if run.data else None
    outcome = loop.train(network, data, loss_with(run), plan, checkpoint, look)
    data.rounds.close()
    network.cpu()
    card = describe(run, "reader", outcome, SETS) | {
        "passes": data.mixture.passes(),
        "leak_audit": audit.report(*trained_on(found)),
    }
    if start is not None:
        card["start"] = delta.digest(start)[:12]
        card["calibration"] = delta.read_card(start).get("calibration", {})
    if run.collection is not None:
        card["collection"] = adaptation(network, start, run.collection)
    if run.teachers:
        card["teachers"] = [delta.digest(path)[:12] for path in run.teachers]
    weights, change = weights_path(run.out), delta.difference(network, base)
    card = describe(run, "reader", outcome, SETS) | {
        "passes": data.mixture.passes(),
        "leak_audit": audit.report(*trained_on(found)),
    }
    delta.save(weights, change, card)
    checkpoint.unlink(missing_ok=True)
    return scored(run, card)


def scored(run: Run, card: dict[str, Any]) -> dict[str, Any]:
    """Calibrates and measures the weights in `run.out`; the card with what was found, also written beside them."""
    weights = weights_path(run.out)
    change = delta.load(weights)
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
    return card


def adaptation(network: Any, start: Path | None, collection: tuple[Path, str]) -> dict[str, Any]:
    """F1 on self-made questions over documents that were held out: before the adaptation and after it."""
    questions = held_out_questions(*collection)
    before = build_network()
    if start is not None:
        delta.apply(before, delta.load(start))
    return {
        "name": collection[1],
        "held_out_questions": len(questions),
        "before": reader_scores.of_examples(before.eval(), questions),
        "after": reader_scores.of_examples(network.eval(), questions),
    }


def sample(example: ReaderExample) -> Sample | None:
    """An example as token positions; None when all its answers were cut off.

    >>> one = sample(ReaderExample("Who?", "Mira Vell built it.", "span", ((0, 9),)))
    >>> one.starts, one.ends
    ((4,), (6,))
    """
    one = encode(example.question, example.text)
    kind = KINDS.index(example.kind)
    enough = -1.0 if example.enough is None else float(example.enough)
    if example.kind != "span":
        return Sample(one.ids, one.types, (), (), kind, enough)
    places = []
    for start, end in example.spans:
        inside = [at for at, (a, b) in enumerate(one.offsets) if a < end and b > start]
        if inside and one.offsets[inside[-1]][1] >= end:
            places.append((one.first + inside[0], one.first + inside[-1]))
    if not places:
        return None
    starts, ends = tuple(a for a, _ in places), tuple(b for _, b in places)
    return Sample(one.ids, one.types, starts, ends, kind, enough)


def loss_with(run: Run) -> Loss:
    """The loss of a run: the labels', and the teachers' where there are any."""
    if not run.teachers:
        return batch_loss
    teachers = []
    for path in run.teachers:
        teacher = build_network()
        delta.apply(teacher, delta.load(path))
        teachers.append(teacher.to(run.device).eval())
    return lambda network, batch: batch_loss(network, batch, teachers)


def batch_loss(network: Any, batch: Sequence[Sample], teachers: Sequence[Any] = ()) -> torch.Tensor:
    """Mean loss: spans (where there is one), KIND_WEIGHT times the kind's and ENOUGH_WEIGHT times sufficiency's
    cross-entropy; with teachers the mean of that and of the divergence from their mean."""
    device = next(network.parameters()).device
    ids, types, mask = (one.to(device, non_blocking=True) for one in padded(batch))
    with torch.autocast(device.type, torch.bfloat16):
        spans, outputs = network(ids, types, mask)
    spans, outputs = spans.float(), outputs.float()
    loss = _label_loss(batch, spans, outputs)
    if not teachers:
        return loss
    inside = mask.unsqueeze(-1) == 1
    with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
        said = [teacher(ids, types, mask) for teacher in teachers]
    far = _divergence([s.float() for s, _ in said], spans, 1, inside)
    kinds = len(KINDS)
    far = far + KIND_WEIGHT * _divergence([o.float()[:, :kinds] for _, o in said], outputs[:, :kinds], 1)
    return (1 - TEACHERS_WEIGHT) * loss + TEACHERS_WEIGHT * far


def _label_loss(batch: Sequence[Sample], spans: torch.Tensor, outputs: torch.Tensor) -> torch.Tensor:
    device, kinds = spans.device, len(KINDS)
    target = torch.tensor([s.kind for s in batch], device=device)
    loss: torch.Tensor = KIND_WEIGHT * torch.nn.functional.cross_entropy(outputs[:, :kinds], target)
    enough = torch.tensor([s.enough for s in batch], device=device)
    weight = (enough >= 0).float()
    loss = loss + ENOUGH_WEIGHT / len(batch) * torch.nn.functional.binary_cross_entropy_with_logits(
        outputs[:, kinds], enough.clamp(min=0), weight=weight, reduction="sum"
    )
    rows = [row for row, one in enumerate(batch) if one.starts]
    if rows:
        right = torch.zeros((len(rows), spans.shape[1], 2), dtype=torch.bool)
        for line, row in enumerate(rows):
            right[line, list(batch[row].starts), 0] = True
            right[line, list(batch[row].ends), 1] = True
        logs = torch.log_softmax(spans[rows], dim=1)
        marginal = logs.masked_fill(~right.to(device), -1e9).logsumexp(dim=1)
        loss = loss - marginal.mean() * len(rows) / len(batch)
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


def weights_path(out: Path) -> Path:
    """Where a run writes the reader."""
    return out / "reader.safetensors"


def installed_path() -> Path:
    """Where the package reads it from."""
    return Path(str(files("agent").joinpath("weights/reader.safetensors")))
