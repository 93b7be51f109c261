"""The encoder's operations for ONNX Runtime, made from the network that is trained: index/weights/layers.onnx.

    python -m training.skills.serving            # writes the file; needs the package `onnx`
    python -m training.skills.serving --check    # says whether the file is what would be written

The file holds no weights: they come from the packaged encoder and a skill's change when a network is loaded.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from math import prod
from pathlib import Path
from typing import Any

from index.backbone import layers, packaged
from index.minilm import load_bert, model_folder

OPERATIONS = 17  # version of ONNX's operations
WEIGHTS = "weights"  # the name that stands for what is given at loading


def main() -> None:
    """Write or check the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is another")
    options = parser.parse_args()
    made = exported()
    if options.check:
        sys.exit(
            0
            if layers().read_bytes() == made
            else f"{layers().name} is not what this code makes of the encoder"
        )
    layers().write_bytes(made)


def exported() -> bytes:
    """The operations (ids, types, mask) -> states as ONNX, without weights."""
    import onnx

    graph = onnx.load_model_from_string(_traced())
    given = packaged()
    for tensor in graph.graph.initializer:
        if tensor.name in given:
            _without_values(tensor)
    for node in graph.graph.node:  # where in the Python code a step came from
        node.ClearField("doc_string")
    written: bytes = graph.SerializeToString()
    return written


def _traced() -> bytes:
    import torch

    class Layers(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = load_bert(model_folder(), half=False)
            self.encoder.set_attn_implementation("eager")

        def forward(self, ids: Any, types: Any, mask: Any) -> Any:
            return self.encoder(input_ids=ids, token_type_ids=types, attention_mask=mask).last_hidden_state

    example = torch.ones((2, 16), dtype=torch.long)
    names = ["ids", "types", "mask"]
    free = {0: "inputs", 1: "tokens"}
    with tempfile.TemporaryDirectory(prefix="forage-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about tracing, and that another exporter is newer
        path = Path(folder) / "layers.onnx"
        torch.onnx.export(
            Layers().eval(), (example,) * 3, path, input_names=names, output_names=["states"],
            dynamic_axes=dict.fromkeys([*names, "states"], free), opset_version=OPERATIONS,
            dynamo=False, do_constant_folding=False,
        )  # fmt: skip
        return path.read_bytes()


def _without_values(tensor: Any) -> None:
    """Leaves name, type and shape; says that the values lie elsewhere."""
    for field in ("raw_data", "float_data"):
        tensor.ClearField(field)
    tensor.data_location = 1  # EXTERNAL
    size = 4 * prod(tensor.dims)
    for key, value in (("location", WEIGHTS), ("offset", "0"), ("length", str(size))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


if __name__ == "__main__":
    main()
