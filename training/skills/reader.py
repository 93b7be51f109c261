"""Trains the reader: `python -m training.skills.reader --data DIR --out agent/weights`.

One epoch over the examples of reader_data, transformer layers and heads trained, embeddings frozen,
bfloat16 autocast, batches of like length. Resumes from its checkpoint after a kill. Writes the 8-bit delta and a
model card with the development scores measured on the very file that ships.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from agent.reader_model import KINDS, ReaderModel, build_network, encode
from training.metrics import exact_match, f1
from training.skills.reader_data import ReaderExample, examples, world_examples

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Args:
    """Settings of a run."""

    data: Path
    out: Path
    seed: int = 7
    epochs: int = 1
    batch: int = 24
    rate: float = 2e-4
    warmup: float = 0.06
    limit: int = 0  # examples of the public sets; 0: all
    worlds: tuple[int, ...] = (101, 102, 103, 104)  # seeds of fictional worlds; the bundled one is 7
    checkpoint_every: int = 150
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """An encoded example; positions are -1 for kinds without a span."""

    ids: list[int]
    types: list[int]
    start: int
    end: int
    kind: int


def train(args: Args) -> dict[str, Any]:
    """Run the training; returns what the model card holds."""
    torch.manual_seed(args.seed)
    if args.threads:
        torch.set_num_threads(args.threads)
    found = examples(args.data, "train", args.seed)
    found = found[: args.limit] if args.limit else found
    found += world_examples(args.worlds, 60, args.seed)
    samples = [s for s in (sample(e) for e in found) if s is not None]
    batches = [b for epoch in range(args.epochs) for b in batched(samples, args.batch, args.seed + epoch)]
    log.info("%d samples, %d steps", len(samples), len(batches))
    net = build_network()
    base = {name: p.detach().clone() for name, p in net.named_parameters() if name.startswith("encoder.")}
    for name, parameter in net.named_parameters():
        parameter.requires_grad_("embeddings" not in name)
    trained = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=args.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: _rate(step, len(batches), args.warmup)
    )
    checkpoint = args.out / "reader.checkpoint.pt"
    first = _resume(checkpoint, net, optimizer, schedule)
    began, running = time.monotonic(), 0.0
    net.train()
    for step in range(first, len(batches)):
        loss = batch_loss(net, batches[step])
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        running = 0.98 * running + 0.02 * loss.item() if step > first else loss.item()
        if (step + 1) % 50 == 0:
            rate = (step + 1 - first) / (time.monotonic() - began)
            left = (len(batches) - step - 1) / rate / 60
            log.info("step %d/%d loss %.3f, %.1f examples/s, %.0f min left", step + 1, len(batches), running,
                     rate * args.batch, left)  # fmt: skip
        if (step + 1) % args.checkpoint_every == 0:
            _save_checkpoint(checkpoint, step + 1, net, optimizer, schedule)
    args.out.mkdir(parents=True, exist_ok=True)
    save_file(delta(net, base), str(args.out / "reader.safetensors"))
    card = {
        "args": {k: str(v) for k, v in asdict(args).items() if k not in ("data", "out", "threads")},
        "samples": len(samples),
        "steps": len(batches),
        "minutes": round((time.monotonic() - began) / 60, 1),
        "dev": evaluate(args.data, args.out / "reader.safetensors", args.seed),
    }
    (args.out / "reader.json").write_text(json.dumps(card, indent=2) + "\n")
    checkpoint.unlink(missing_ok=True)
    return card


def sample(example: ReaderExample) -> Sample | None:
    """An example as token positions; None when its answer was cut off."""
    one = encode(example.question, example.text)
    if example.kind != "span":
        return Sample(one.ids, one.types, -1, -1, KINDS.index(example.kind))
    inside = [at for at, (a, b) in enumerate(one.offsets) if a < example.end and b > example.start]
    if not inside or one.offsets[inside[-1]][1] < example.end:
        return None
    return Sample(one.ids, one.types, one.first + inside[0], one.first + inside[-1], KINDS.index("span"))


def batched(samples: Sequence[Sample], size: int, seed: int) -> list[list[Sample]]:
    """Batches of like length in random order; the tail is kept."""
    rng = random.Random(seed)
    order = list(range(len(samples)))
    rng.shuffle(order)
    batches = []
    for at in range(0, len(order), size * 50):
        part = sorted(order[at : at + size * 50], key=lambda row: len(samples[row].ids))
        batches += [[samples[row] for row in part[i : i + size]] for i in range(0, len(part), size)]
    rng.shuffle(batches)
    return batches


def batch_loss(net: Any, batch: Sequence[Sample]) -> torch.Tensor:
    """Mean cross-entropy of start, end (spans only) and kind."""
    width = max(len(s.ids) for s in batch)
    ids = torch.zeros((len(batch), width), dtype=torch.long)
    types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, one in enumerate(batch):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        types[row, : len(one.ids)] = torch.tensor(one.types)
        mask[row, : len(one.ids)] = 1
    with torch.autocast("cpu", torch.bfloat16):
        spans, kinds = net(ids, types, mask)
    start = torch.tensor([s.start for s in batch])
    end = torch.tensor([s.end for s in batch])
    entropy = torch.nn.functional.cross_entropy
    loss = entropy(kinds.float(), torch.tensor([s.kind for s in batch]))
    if bool((start >= 0).any()):
        spans = spans.float()
        loss = loss + 0.5 * (
            entropy(spans[..., 0], start, ignore_index=-1) + entropy(spans[..., 1], end, ignore_index=-1)
        )
    return loss


def delta(net: Any, base: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What training changed: layer matrices in 8 bits with a scale a row, the rest in bfloat16, heads whole."""
    out: dict[str, torch.Tensor] = {}
    for name, parameter in net.named_parameters():
        value = parameter.detach().float()
        if not name.startswith("encoder."):
            out[name] = value.contiguous()
        elif parameter.requires_grad:
            change = value - base[name].float()
            if change.dim() == 2:
                scale = change.abs().amax(dim=1).clamp(min=1e-12) / 127
                out[f"{name}.q"] = (change / scale.unsqueeze(1)).round().to(torch.int8).contiguous()
                out[f"{name}.scale"] = scale.contiguous()
            else:
                out[name] = change.to(torch.bfloat16).contiguous()
    return out


def evaluate(data: Path, weights: Path, seed: int, limit: int = 700) -> dict[str, float]:
    """EM and F1 of the shipped file on development questions, one passage each."""
    model = ReaderModel(weights)
    found = [e for e in examples(data, "dev", seed, negatives=0.3) if e.kind in ("none", "span")][:limit]
    exact = overlap = right = 0.0
    spans = 0
    for example in found:
        reading = model.read(example.question, [example.text])[0]
        answered = reading.none < 0.5
        right += answered == (example.kind == "span")
        if example.kind == "span":
            spans += 1
            gold = [example.text[example.start : example.end]]
            exact += exact_match(reading.answer, gold)
            overlap += f1(reading.answer, gold)
    return {
        "n": len(found),
        "em": round(100 * exact / spans, 1),
        "f1": round(100 * overlap / spans, 1),
        "answerable_accuracy": round(100 * right / len(found), 1),
    }


def _rate(step: int, steps: int, warmup: float) -> float:
    rise = max(1, int(steps * warmup))
    return (step + 1) / rise if step < rise else max(0.0, (steps - step) / max(1, steps - rise))


def _save_checkpoint(path: Path, step: int, net: Any, optimizer: Any, schedule: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(
        {"step": step, "net": net.state_dict(), "opt": optimizer.state_dict(), "lr": schedule.state_dict()},
        partial,
    )
    partial.replace(path)


def _resume(path: Path, net: Any, optimizer: Any, schedule: Any) -> int:
    if not path.exists():
        return 0
    saved = torch.load(path, weights_only=True)
    net.load_state_dict(saved["net"])
    optimizer.load_state_dict(saved["opt"])
    schedule.load_state_dict(saved["lr"])
    return int(saved["step"])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    card = train(Args(**vars(options)))
    log.info(json.dumps(card))


if __name__ == "__main__":
    main()


__all__ = ["Args", "evaluate", "load_file", "train"]
