"""The encoder's layers as people run them: ONNX Runtime in float32, or PyTorch where bfloat16 is native.

Three networks share these layers: the embedder, the hop encoder and the reader, each with its own small change of the
weights (index/delta.py). `weights/layers.onnx` holds the operations and no weights; it is made from the network that
is trained (`python -m training.skills.serving`). One question of 16 tokens takes a third of PyTorch's time, a text of
350 four fifths, and PyTorch is not even imported (docs/decisions/0017-answers-without-torch.md).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from index import delta
from index.errors import StoreError
from index.minilm import LOADING, load_bert, model_folder, multiplies_bf16

BATCH_TOKENS = 4096  # padded tokens per forward pass; larger ones were slower on two cores
# A batch ends where its padding would cost more than a pass of its own: tokens, and share of the batch.
PASS_TOKENS, PADDED_SHARE = 40, 0.05
CPU = "CPUExecutionProvider"
Weights = Mapping[str, np.ndarray]  # by name as in `delta`: "encoder.<parameter>"
Padded = tuple[np.ndarray, np.ndarray, np.ndarray]  # ids, types, mask: int64 (inputs, longest)


class Backbone(Protocol):
    """The layers: token ids, types and mask, int64 (b, t), -> states, float32 (b, t, 384). Safe for threads."""

    def __call__(self, ids: np.ndarray, types: np.ndarray, mask: np.ndarray) -> np.ndarray: ...


def backbone(path: Path | None = None) -> Backbone:
    """The layers with the weights of the packaged encoder, shifted by the change stored in a weights file.

    StoreError when a file is missing or is not what its card says.
    """

    def weights() -> Weights:
        return packaged() if path is None else shifted(packaged(), delta.load_arrays(path))

    return InTorch(weights(), half=True) if multiplies_bf16() else InOnnx(weights)


def packaged() -> dict[str, np.ndarray]:
    """The packaged encoder's parameters, float32."""
    from safetensors.numpy import load_file

    found = load_file(str(model_folder() / "model.safetensors"))
    return {
        delta.ENCODER + name: np.asarray(value, dtype=np.float32)
        for name, value in found.items()
        if value.dtype.kind == "f" and not name.startswith("pooler.")
    }


def shifted(weights: Weights, change: Weights) -> dict[str, np.ndarray]:
    """The encoder's parameters with a stored change added (heads left out): what `delta.apply` does, in numpy."""
    found = dict(weights)
    for name, value in change.items():
        if not name.startswith(delta.ENCODER) or name.endswith(".scale"):
            continue
        if name.endswith(".q"):
            name = name.removesuffix(".q")
            value = value.astype(np.float32) * change[name + ".scale"][:, None]
        found[name] = found[name] + value
    return found


class InOnnx:
    """The layers by ONNX Runtime. A forked process makes a session of its own: threads do not survive a fork."""

    def __init__(self, weights: Callable[[], Weights]) -> None:
        self._weights = weights
        self._lock = threading.Lock()
        self._sessions: dict[
            int, Any
        ] = {}  # by process; a parent's is kept, as closing it would wait for its threads

    def __call__(self, ids: np.ndarray, types: np.ndarray, mask: np.ndarray) -> np.ndarray:
        states: np.ndarray = self._session().run(None, {"ids": ids, "types": types, "mask": mask})[0]
        return states

    def _session(self) -> Any:
        process = os.getpid()
        if process not in self._sessions:
            with self._lock:
                if process not in self._sessions:
                    self._sessions[process] = session(self._weights())
        return self._sessions[process]


def session(weights: Weights) -> Any:
    """An ONNX Runtime session of the layers with these weights."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.log_severity_level = 3  # errors
    # Threads that wait by running in circles take the processor from numpy between two passes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(one)) for one in weights.values()]
    options.add_external_initializers(list(weights), values)
    path = layers()
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[CPU])
    except Exception as error:  # noqa: BLE001  (the library's errors share no class of their own)
        raise StoreError(
            f"The encoder's layers ({path.name}) do not fit its weights: {error}. Install Forage again, "
            "or make them again: python -m training.skills.serving"
        ) from error


def layers() -> Path:
    """The file of operations."""
    return Path(str(files("index").joinpath("weights/layers.onnx")))


@cache
def threads() -> int:
    """How many processors a network may use: OMP_NUM_THREADS if set, else those this process may run on."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class InTorch:
    """The layers by PyTorch, in bfloat16 if `half`, else in float32."""

    def __init__(self, weights: Weights, half: bool) -> None:
        import torch

        with LOADING:
            model = load_bert(model_folder(), half=False)
            given = {name.removeprefix(delta.ENCODER): torch.from_numpy(one) for name, one in weights.items()}
            model.load_state_dict(given, strict=False)
            self.model = (model.bfloat16() if half else model).eval()

    def __call__(self, ids: np.ndarray, types: np.ndarray, mask: np.ndarray) -> np.ndarray:
        import torch

        with torch.inference_mode():
            states = self.model(
                input_ids=torch.from_numpy(ids),
                token_type_ids=torch.from_numpy(types),
                attention_mask=torch.from_numpy(mask),
            ).last_hidden_state
            found: np.ndarray = states.float().numpy()
        return found


def batches(lengths: Sequence[int]) -> list[list[int]]:
    """Row numbers grouped so that a batch pads little and holds at most BATCH_TOKENS padded tokens."""
    groups: list[list[int]] = []
    filled = 0  # tokens of the last batch without its padding
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        size = lengths[row] * (len(groups[-1]) + 1) if groups else 0
        wasted = size - filled - lengths[row]
        if groups and size <= BATCH_TOKENS and wasted <= max(PASS_TOKENS, PADDED_SHARE * size):
            groups[-1].append(row)
            filled += lengths[row]
        else:
            groups.append([row])
            filled = lengths[row]
    return groups


def padded(inputs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Padded:
    """Token ids and types of inputs of any length with their mask, filled up with zeros to the longest."""
    width = max(len(ids) for ids, _ in inputs)
    ids, types, mask = (np.zeros((len(inputs), width), dtype=np.int64) for _ in range(3))
    for row, (tokens, kinds) in enumerate(inputs):
        ids[row, : len(tokens)] = tokens
        types[row, : len(tokens)] = kinds
        mask[row, : len(tokens)] = 1
    return ids, types, mask


def unit_means(states: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean of the states over the tokens that count, at unit length: (b, t, 384), (b, t) -> (b, 384)."""
    kept = mask[:, :, None].astype(np.float32)
    mean = (states * kept).sum(1) / kept.sum(1)
    vectors: np.ndarray = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
    return vectors
