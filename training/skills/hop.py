"""Trains the hop-conditioned query encoder: `forage train skill hop`.

The stored passage vectors stay as they are, so every passage of the pool is a negative at no cost: the loss is the
softmax of each missing passage against all passages that are neither missing nor found already (InfoNCE, van den
Oord et al. 2018, equation 4, with several positives). The temperature is learnt. With `--from-collection` the encoder
in use goes on from its weights with states made from a person's own documents (training/skills/hop_collection.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch

from index import delta
from index.backbone import padded
from index.errors import InputError
from index.hop_encoder import build_network, encode_state
from training.skills import hop_collection, hop_scores, loop
from training.skills.card import Run, describe
from training.skills.collection import open_collection
from training.skills.folds import without_fold
from training.skills.hop_data import SETS, Hop, HopExample, Pool, open_pool, sources, trained_on
from training.skills.leaks import LeakAudit
from training.skills.mixture import Mixture, Source, by_length

RATE, HEAD_RATE = 1e-4, 2e-3
FAST_RATE = 2e-4  # with the larger batches of a GPU
BATCH_TOKENS = {"cpu": 2560, "cuda": 10240, "mps": 5120}
ROUND = 700
SHARE = 0.7  # of the change that is kept; chosen on development questions (docs/skills/hop.md)
ADAPTING = 2  # a trained encoder that is adapted to a collection moves so many times slower


class HopBatches:
    """Batches of states, each of one pool."""

    def __init__(self, found: Sequence[Source[Any, HopExample]], seed: int, device: str = "cpu") -> None:
        self.mixture: Mixture[HopExample] = Mixture(found, seed)
        self.tokens = BATCH_TOKENS.get(device, BATCH_TOKENS["cpu"])
        self.size = ROUND * self.tokens // BATCH_TOKENS["cpu"]

    def batches(self, progress: float) -> Iterator[list[HopExample]]:
        drawn = self.mixture.draw(self.size, progress)
        rng = random.Random(len(drawn))
        found = []
        for pool in {id(one.pool): one.pool for one in drawn}.values():
            part = [one for one in drawn if one.pool is pool]
            lengths = [len(encode_state(one.question, one.evidence)[0]) for one in part]
            found += [[part[row] for row in rows] for rows in by_length(lengths, self.tokens, rng)]
        rng.shuffle(found)
        yield from found

    def state(self) -> dict[str, Any]:
        return self.mixture.state()

    def restore(self, state: dict[str, Any]) -> None:
        self.mixture.restore(state)


def train(run: Run) -> dict[str, Any]:
    """Train, write the weights and their card to `run.out`, and return the card. InputError without data."""
    if run.collection is not None:
        return adapt(run, *run.collection)
    if run.data is None:
        raise InputError(
            "The hop encoder learns from question sets with gold passages, and there is no data folder. "
            "Give --data DIR, a folder with the sets " + ", ".join(SETS) + "."
        )
    torch.manual_seed(run.seed)
    audit = LeakAudit.of(run.data)
    pools = {name: open_pool(run.data, name) for name in SETS}
    found = sources(pools, run.data, run.seed, audit)
    if run.left_out is not None:
        found = without_fold(found, run.left_out, Hop)
    network = build_network()
    base = delta.encoder_weights(network)
    look = hop_scores.Look(pools, run.data)
    outcome, passes = _learn(run, network, found, 1, lambda: look(network))
    card = describe(run, "hop", outcome, SETS) | {
        "passes": passes,
        "share_of_the_change_kept": SHARE,
        "leak_audit": audit.report(*trained_on(found)),
    }
    change = delta.interpolated(delta.difference(network.cpu(), base), SHARE)
    return _scored(run, card, change, pools)


def adapt(run: Run, data_dir: Path, name: str) -> dict[str, Any]:
    """The encoder in use (or `run.start`) adapted to an ingested collection; the card says what it gained.

    NotFoundError for an unknown collection, InputError for one too small.
    """
    torch.manual_seed(run.seed)
    own = open_collection(data_dir, name)
    found = hop_collection.sources(data_dir, own, run.seed)
    start = run.start or installed_path()
    network = build_network()
    base = delta.encoder_weights(network)
    delta.apply(network, delta.load(start))
    before = delta.encoder_weights(network)
    outcome, passes = _learn(run, network, found, ADAPTING, None)
    network.cpu()
    with torch.no_grad():
        for key, parameter in network.named_parameters():
            if key in before:
                parameter.copy_(before[key].lerp(parameter, SHARE))
    card = describe(run, "hop", outcome, ()) | {
        "passes": passes,
        "share_of_the_change_kept": SHARE,
        "start": delta.digest(start)[:12],
    }
    change = delta.difference(network, base)
    delta.save(weights_path(run.out), change, card)
    measures = hop_collection.adaptation(start, weights_path(run.out), data_dir, own)
    card["collection"] = own.card(measures)
    if run.data is not None:
        return _scored(run, card, change, {})
    value = round(100 * measures["passage R@5"]["after"][0], 2)
    card["score"] = {"of": f"R@5 of self-made questions held out of the collection {name}", "value": value}
    delta.save(weights_path(run.out), change, card)
    _checkpoint(run).unlink(missing_ok=True)
    return card


def _learn(
    run: Run, network: Any, found: Sequence[Source[Any, HopExample]], slower: int, look: Any
) -> tuple[loop.Outcome, dict[str, float]]:
    """Trains the layers of `network` in place; what the run did, and how often each source was gone through."""
    data = HopBatches(found, run.seed, run.device)
    network.to(run.device)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_("embeddings" not in name)
    rate = (RATE if run.device == "cpu" else FAST_RATE) / slower
    plan = loop.Plan(run.minutes, rate, HEAD_RATE, run.device)
    outcome = loop.train(network, data, HopLoss(run.device), plan, _checkpoint(run), look)
    return outcome, data.mixture.passes()


def _scored(
    run: Run, card: dict[str, Any], change: dict[str, Any], pools: Mapping[str, Pool]
) -> dict[str, Any]:
    """Measures the change on the development sets; the card, also written beside the weights in `run.out`."""
    assert run.data is not None
    weights = weights_path(run.out)
    delta.save(weights, change, card)
    card["dev"] = hop_scores.evaluate(weights, run.data, pools)
    card["score"] = hop_scores.score(card["dev"])
    delta.save(weights, change, card)
    _checkpoint(run).unlink(missing_ok=True)
    return card


def _checkpoint(run: Run) -> Path:
    return run.out / "hop.checkpoint"


class HopLoss:
    """The loss of a batch of states of one pool; keeps each pool's vectors on the device."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._vectors: dict[str, torch.Tensor] = {}

    def __call__(self, network: Any, batch: Sequence[HopExample]) -> torch.Tensor:
        """Mean over states of the mean over missing passages of -log softmax."""
        pool: Pool = batch[0].pool
        passages = self._vectors.get(pool.name)
        if passages is None:
            passages = self._vectors[pool.name] = torch.from_numpy(pool.vectors).to(self._device)
        given = padded([encode_state(one.question, one.evidence) for one in batch])
        with loop.autocast(torch.device(self._device).type):
            queries = network(*(torch.from_numpy(one).to(self._device) for one in given))
        scores = network.sharpness.exp() * (queries.float() @ passages.T)
        barred = torch.zeros(scores.shape, dtype=torch.bool)
        for row, one in enumerate(batch):
            barred[row, [*one.found, *one.missing]] = True
        others = scores.masked_fill(barred.to(self._device), -1e9).logsumexp(dim=1)
        losses = []
        for row, one in enumerate(batch):
            right = scores[row, list(one.missing)]
            losses.append((torch.logaddexp(right, others[row]) - right).mean())
        return torch.stack(losses).mean()


def weights_path(out: Path) -> Path:
    """Where a run writes the hop encoder."""
    return out / "hop.safetensors"


def installed_path() -> Path:
    """Where the package reads it from."""
    return Path(str(files("index").joinpath("weights/hop.safetensors")))
