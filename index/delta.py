"""Small files of trained weights: what training changed in the packaged encoder, in 8 bits, checked by hash.

A trained skill is the packaged MiniLM plus a change of its layers plus its own heads. Only the change and the
heads are stored: each matrix as int8 with one scale a row (value = q * scale, the row's largest change is 127),
biases and norms as bfloat16, heads whole. A model card (`<name>.json`) lies beside each file
(`<name>.safetensors`) and holds its SHA-256: a damaged or mixed-up file is refused, not used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import StoreError

LARGEST = 127  # of a signed byte, symmetric
_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
ENCODER = "encoder."  # prefix of what the packaged encoder holds; everything else is a head


def difference(network: Any, base: Mapping[str, Any]) -> dict[str, Any]:
    """What training changed in `network` against `base` (its encoder parameters by name, float32).

    Encoder parameters that did not take part in the training (no gradient) are left out.
    """
    import torch

    found: dict[str, Any] = {}
    for name, parameter in network.named_parameters():
        value = parameter.detach().float()
        if not name.startswith(ENCODER):
            found[name] = value.contiguous()
        elif parameter.requires_grad:
            change = value - base[name].float()
            if change.dim() == 2:
                scale = change.abs().amax(dim=1).clamp(min=1e-12) / LARGEST
                found[f"{name}.q"] = (change / scale.unsqueeze(1)).round().to(torch.int8).contiguous()
                found[f"{name}.scale"] = scale.contiguous()
            else:
                found[name] = change.to(torch.bfloat16).contiguous()
    return found


def interpolated(change: Mapping[str, Any], share: float) -> dict[str, Any]:
    """The change with only `share` of what happened to the encoder; heads stay whole.

    Base + share * change lies between the packaged encoder (0) and the trained one (1). Between them a model is
    often better than at either end, above all on data unlike its training data (Wortsman et al., "Robust
    fine-tuning of zero-shot models", 2022, equation 1).
    """
    return {
        name: value * share if name.startswith(ENCODER) and not name.endswith(".q") else value
        for name, value in change.items()
    }


def averaged(networks: Sequence[Any]) -> Any:
    """The first network, in place, with the mean of all networks' parameters.

    Networks trained from one start with other seeds and data orders lie in one basin, and their mean reads better
    than any of them at the cost of one (Wortsman et al., "Model soups", 2022, section 2, the uniform soup).
    """
    import torch

    every = [dict(network.named_parameters()) for network in networks]
    with torch.no_grad():
        for name, parameter in every[0].items():
            parameter.copy_(torch.stack([one[name].float() for one in every]).mean(0).to(parameter.dtype))
    return networks[0]


def encoder_weights(network: Any) -> dict[str, Any]:
    """A copy of the encoder parameters by name: the `base` of a later `difference`."""
    return {
        name: parameter.detach().clone()
        for name, parameter in network.named_parameters()
        if name.startswith(ENCODER)
    }


def apply(network: Any, change: Mapping[str, Any]) -> None:
    """Add a stored change to the encoder's layers and set the heads, in place."""
    import torch

    parameters = dict(network.named_parameters())
    with torch.no_grad():
        for name, value in change.items():
            if name.endswith(".scale"):
                continue
            if name.endswith(".q"):
                target = parameters[name.removesuffix(".q")]
                scale = change[name.removesuffix(".q") + ".scale"].float()
                target.copy_((target.float() + value.float() * scale.unsqueeze(1)).to(target.dtype))
            elif name.startswith(ENCODER):
                target = parameters[name]
                target.copy_((target.float() + value.float()).to(target.dtype))
            else:
                parameters[name].copy_(value.float())


def save(path: Path, change: Mapping[str, Any], card: Mapping[str, Any]) -> None:
    """Write tensors, then the card with their SHA-256 and size; each replaces its older version whole."""
    from safetensors.torch import save_file

    _publish(path, lambda partial: save_file(dict(change), str(partial)), card)


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray], card: Mapping[str, Any]) -> None:
    """`save` for numpy arrays."""
    from safetensors.numpy import save_file

    _publish(path, lambda partial: save_file(dict(arrays), str(partial)), card)


def load(path: Path) -> dict[str, Any]:
    """The stored tensors. StoreError when the file is unreadable or is not the one its card describes."""
    from safetensors.torch import load_file

    return dict(_checked(path, lambda: load_file(str(path))))


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """`load` for numpy, which knows no bfloat16: those come as float32."""
    return dict(_checked(path, lambda: _arrays(path)))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    from safetensors import deserialize

    found = {}
    for name, one in deserialize(path.read_bytes()):  # type: ignore[no-untyped-call]
        if one["dtype"] == "BF16":  # the upper half of a float32
            values = (np.frombuffer(one["data"], dtype="<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.frombuffer(one["data"], dtype=_TYPES[one["dtype"]])
        found[name] = values.reshape(one["shape"])
    return found


def _publish(path: Path, write: Callable[[Path], None], card: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    write(partial)
    partial.chmod(0o644)  # the library writes files that only their owner may read
    full = {**card, "sha256": digest(partial), "bytes": partial.stat().st_size}
    described = path.with_suffix(".json.partial")
    described.write_text(json.dumps(full, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
    described.replace(card_path(path))


def _checked(path: Path, read: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    from safetensors import SafetensorError

    name, expected = path.name, read_card(path).get("sha256")
    try:
        found = digest(path)
        if found != expected:
            raise StoreError(
                f"The trained weights {name} are damaged or of another version: their SHA-256 begins with "
                f"{found[:12]}, but {card_path(path).name} expects {str(expected)[:12]}. Install Forage again, "
                f"or train them again: forage train skill {path.stem}"
            )
        return read()
    except (OSError, SafetensorError) as error:
        raise StoreError(
            f"The trained weights {name} cannot be read: {error}. Install Forage again, or train them again: "
            f"forage train skill {path.stem}"
        ) from error


def read_card(path: Path) -> dict[str, Any]:
    """The model card beside a weights file. StoreError when it is missing or is not JSON."""
    try:
        record = json.loads(card_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(
            f"The model card {card_path(path).name} beside {path.name} cannot be read: {error}. It holds the "
            "hash that proves the weights. Install Forage again."
        ) from error
    return dict(record)


def card_path(weights: Path) -> Path:
    """Where the model card of a weights file lies."""
    return weights.with_suffix(".json")


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return sha256(path.read_bytes()).hexdigest()
