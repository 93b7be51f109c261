"""Trains the reader: `forage train skill reader`.

Transformer layers and heads are trained, embeddings frozen. The loss is the mean of two span losses (start, end)
plus half the loss of the kind; where an answer stands in several places, any of them is right (the marginal
likelihood of Clark and Gardner, 2018, section 3.2.2). On packed evidence a fifth output learns whether it suffices.

With teachers (readers trained from other seeds) the student also learns their mean: the Kullback-Leibler divergence
of its spans and kinds from theirs (Hinton, Vinyals and Dean, 2015, section 2, temperature 1), half of the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch

from agent.reader_model import build_network
from index import delta
from training.skills import loop, reader_scores
from training.skills.card import Run, describe
from training.skills.collection import gain, open_collection
from training.skills.folds import without_fold
from training.skills.leaks import LeakAudit, passage_overlap
from training.skills.reader_batches import ReaderBatches
from training.skills.reader_data import SETS, held_out_questions, sources, trained_on
from training.skills.reader_loss import loss_with
from training.skills.reader_recipes import Asked

RATE, HEAD_RATE = 2e-4, 1e-3
FAST_RATE = 3e-4  # with the larger batches of a GPU
ADAPTING = 5  # a trained reader that is adapted to a collection moves so many times slower
LOOK = 200  # development questions of a look on the way


def train(run: Run) -> dict[str, Any]:
    """Train, write the weights and their card to `run.out`, and return the card."""
    if run.averaged:
        return average(run)
    torch.manual_seed(run.seed)
    audit = LeakAudit.of(run.data) if run.data else LeakAudit()
    found = sources(run, audit)
    if run.left_out is not None:
        found = without_fold(found, run.left_out, Asked)
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
        card["collection"] = adaptation(network, start, *run.collection)
    if run.left_out is not None:
        card["left_out_fold"] = run.left_out
    if run.teachers:
        card["teachers"] = [delta.digest(path)[:12] for path in run.teachers]
    weights, change = weights_path(run.out), delta.difference(network, base)
    delta.save(weights, change, card)
    checkpoint.unlink(missing_ok=True)
    return scored(run, card)


def average(run: Run) -> dict[str, Any]:
    """Write the mean of several readers to `run.out`, calibrate and measure it; the card."""
    card = describe(run, "reader", loop.Outcome(0.0, 0, 0, ()), SETS) | {
        "averaged": [delta.digest(path)[:12] for path in run.averaged],
        "leak_audit": delta.read_card(run.averaged[0]).get("leak_audit", {}),
    }
    delta.save(weights_path(run.out), mean_of(run.averaged), card)
    return scored(run, card)


def mean_of(paths: Sequence[Path]) -> dict[str, Any]:
    """What the mean of the readers' weights changes in the packaged encoder."""
    base = delta.encoder_weights(build_network())
    network = delta.averaged([build_network(path) for path in paths])
    for name, parameter in network.named_parameters():
        parameter.requires_grad_("embeddings" not in name)
    return delta.difference(network, base)


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


def adaptation(network: Any, start: Path | None, data_dir: Path, name: str) -> dict[str, Any]:
    """F1 on self-made questions over documents that were held out: before the adaptation and after it."""
    questions = held_out_questions(data_dir, name)
    before = build_network(start)
    old, new = (reader_scores.of_examples(one.eval(), questions) for one in (before, network))
    return open_collection(data_dir, name).card({"F1": gain(old, new)})


def weights_path(out: Path) -> Path:
    """Where a run writes the reader."""
    return out / "reader.safetensors"


def installed_path() -> Path:
    """Where the package reads it from."""
    return Path(str(files("agent").joinpath("weights/reader.safetensors")))
