"""A causal language model and its tokenizer, read from a folder: safetensors only, no hub, no foreign code.

It writes one answer at a time and can be stopped before every token and, while it reads a long prompt,
before every layer; on a CPU a prompt alone may take longer than a person waits.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from agent.option_scores import OptionScorer
from agent.types import Completion
from index.errors import ModelError

logger = logging.getLogger(__name__)


class _Stopped(Exception):
    """Unwinds a forward pass that nobody waits for any more."""


class Weights:
    """Model and tokenizer of one folder. Used from one thread at a time only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model: Any = None
        self._tokenizer: Any = None
        self._stop = threading.Event()  # of the answer being written

    @property
    def loaded(self) -> bool:
        return self._model is not None

    def scorer(self) -> OptionScorer:
        """The loaded model as a judge of options (`load` first)."""
        self._stop = threading.Event()
        return OptionScorer(self._model, self._tokenizer)

    def load(self) -> None:
        """Read the folder once. Raises ModelError with what is wrong with it."""
        if self._model is not None:
            return
        if not (self._folder / "config.json").is_file():
            raise ModelError(
                f"There is no model in {self._folder}: a folder with config.json, a tokenizer and "
                "safetensors weights was expected, as save_pretrained writes it."
            )
        try:
            self._tokenizer, self._model = _load(self._folder)
        except Exception as error:  # the tokenizer library raises bare Exception for a broken file
            raise ModelError(
                f"The model in {self._folder} cannot be loaded: {_line(error)}. It needs safetensors "
                "weights and an architecture that transformers knows; code in the folder is never run."
            ) from error
        for module in self._model.modules():
            if type(module).__name__ == "ModuleList":  # the stack of layers
                for layer in module:
                    layer.register_forward_pre_hook(self._look)

    def write(
        self, system: str, prompt: str, max_tokens: int, temperature: float, stop: threading.Event
    ) -> Completion:
        """One answer. Raises ModelError when the model cannot answer this prompt."""
        self._stop = stop
        try:
            inputs = self._inputs(system, prompt)
            return self._generate(inputs, max_tokens, temperature)
        except _Stopped:
            raise ModelError("Nobody waits for this answer any more.") from None
        except (RuntimeError, ValueError, LookupError, TypeError) as error:  # also CUDA out of memory
            raise ModelError(f"The local model {self._folder.name} failed: {_line(error)}.") from error

    def _look(self, *_: object) -> None:
        if self._stop.is_set():
            raise _Stopped

    def _inputs(self, system: str, prompt: str) -> Any:
        from jinja2 import TemplateError

        system, prompt = self._plain(system), self._plain(prompt)
        if not self._tokenizer.chat_template:
            return self._tokenizer(f"{system}\n\n{prompt}\n\n", return_tensors="pt")
        options = {"add_generation_prompt": True, "return_tensors": "pt", "return_dict": True}
        chat = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
        try:
            return self._tokenizer.apply_chat_template(chat, **options)
        except TemplateError:  # some templates know no system role
            chat = [{"role": "user", "content": f"{system}\n\n{prompt}"}]
        try:
            return self._tokenizer.apply_chat_template(chat, **options)
        except TemplateError as error:
            raise ValueError(f"its chat template does not work: {_line(error)}") from error

    def _plain(self, text: str) -> str:
        """`text` in which no control token of this model stands: a note could end its turn with one."""
        special = {str(token) for token in self._tokenizer.added_tokens_decoder.values() if token.special}
        for token in sorted(special | set(self._tokenizer.all_special_tokens)):
            text = text.replace(token, f"{token[0]} {token[1:]}") if len(token) > 1 else text
        return text

    def _generate(self, inputs: Any, max_tokens: int, temperature: float) -> Completion:
        import torch
        from transformers import StoppingCriteriaList

        length = int(inputs["input_ids"].shape[1])
        most = getattr(self._model.config.get_text_config(), "max_position_embeddings", None) or 1 << 30
        if length >= most:
            raise ValueError(f"the prompt has {length} tokens, it reads {most}; lower agent.context_tokens")
        sampling = (
            {"temperature": temperature}
            if temperature
            else {"temperature": None, "top_p": None, "top_k": None}
        )
        with torch.inference_mode():
            written = self._model.generate(
                **inputs.to(self._model.device),
                max_new_tokens=min(max_tokens, most - length),
                do_sample=temperature > 0,
                pad_token_id=self._pad(),
                stopping_criteria=StoppingCriteriaList([self._criterion]),
                **sampling,
            )[0, length:]
        self._look()  # stopped between two tokens: half an answer is none
        ends = self._ends()
        finish = "stop" if len(written) and int(written[-1]) in ends else "length"
        text = self._tokenizer.decode(written, skip_special_tokens=True).strip()
        if not text:
            raise ValueError(f"it wrote nothing (it ended by {finish})")
        return Completion(text, length, len(written), finish)

    def _criterion(self, input_ids: Any, scores: Any, **_: object) -> Any:
        import torch

        return torch.full(
            (input_ids.shape[0],), self._stop.is_set(), device=input_ids.device, dtype=torch.bool
        )

    def _ends(self) -> set[int]:
        ends = self._model.generation_config.eos_token_id
        known = ends if isinstance(ends, list) else [ends]
        return {int(end) for end in (*known, self._tokenizer.eos_token_id) if end is not None}

    def _pad(self) -> int | None:
        pad = self._tokenizer.pad_token_id
        return int(pad) if pad is not None else min(self._ends(), default=None)


_in_use: WeakValueDictionary[tuple[Path, float], Weights] = WeakValueDictionary()
_in_use_lock = threading.Lock()


def weights_of(folder: Path) -> Weights:
    """The same weights for everyone who uses this folder now: a second copy may not fit in memory."""
    marker = folder / "config.json"
    key = (folder.resolve(), marker.stat().st_mtime if marker.is_file() else 0.0)
    with _in_use_lock:
        return _in_use.setdefault(key, Weights(folder))


def _load(folder: Path) -> tuple[Any, Any]:
    for switch in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "TRANSFORMERS_OFFLINE", "DO_NOT_TRACK"):
        os.environ.setdefault(switch, "1")  # before the import, which reads them
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    started = time.monotonic()
    options = {"local_files_only": True, "trust_remote_code": False}
    tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", use_safetensors=True, **options)
    if torch.cuda.is_available():
        model = model.to("cuda")
    elif model.dtype is torch.float16:  # half precision is very slow on a CPU
        model = model.to(torch.bfloat16)
    logger.info("loaded %s in %.1f s", folder.name, time.monotonic() - started)
    return tokenizer, model.eval()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__
