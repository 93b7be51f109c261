"""A local causal language model from a folder, through transformers: no hub, no code from the folder.

Loading and writing run on one background thread, one answer at a time, because one model fills the
machine. The caller waits beside it, so that a deadline or Stop frees it at once; the thread itself
looks at a flag before every token and, while it reads a long prompt, before every layer.
"""

from __future__ import annotations

import copy
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self
from weakref import WeakValueDictionary

from agent.breaker import breaker_for
from agent.config import ModelConfig
from agent.patience import wait_until
from agent.types import Completion
from index.errors import ModelError

logger = logging.getLogger(__name__)

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forage-local-model")


class _Stopped(Exception):
    """Unwinds a forward pass that nobody waits for any more."""


class TransformersLanguageModel:
    """A `LanguageModel` (and `StoppableModel`) on this machine; `config.name` is the folder."""

    def __init__(self, config: ModelConfig, *, cancelled: Callable[[], bool] | None = None) -> None:
        """Loads nothing yet: the first call does."""
        self._config = config
        self._cancelled = cancelled
        self._folder = Path(config.name).expanduser()
        self._weights = _weights_of(self._folder)
        # Only loading can fail again and again at a price, so the first failure opens it.
        self._breaker = breaker_for(("transformers", str(self._folder)), 1, config.breaker_seconds)

    @property
    def name(self) -> str:
        return self._folder.name

    def with_cancel(self, cancelled: Callable[[], bool] | None) -> Self:
        """The same loaded model watching another Stop."""
        twin = copy.copy(self)
        twin._cancelled = cancelled
        return twin

    def forget_failures(self) -> None:
        """Try to load again at once."""
        self._breaker.success()

    def complete(
        self, system: str, prompt: str, *, max_tokens: int = 512, deadline: float | None = None
    ) -> Completion:
        """The model's answer, after at most `timeout_seconds`. Raises ModelError or Cancelled."""
        end = time.monotonic() + self._config.timeout_seconds
        if deadline is not None:
            end = min(end, deadline)
        if end <= time.monotonic():
            raise ModelError(f"No time was left to ask {self.name}.")
        if not self._breaker.allow():
            left = self._breaker.seconds_left()
            raise ModelError(
                f"The local model {self.name} could not be loaded; it is tried again in {left:.0f} s. "
                "Press Test in Settings to try it at once."
            )
        stop = threading.Event()
        future = _thread.submit(self._run, system, prompt, max_tokens, stop)
        try:
            if wait_until(future, end, self._cancelled):
                return future.result()
        finally:
            stop.set()
            future.cancel()  # one that still waits in the queue
            self._breaker.release()
        doing = "is still writing" if self._weights.loaded else "is still loading"
        raise ModelError(
            f"The local model {self.name} {doing} when its time is up. Ask again in a moment, raise "
            "model.timeout_seconds or use a smaller model."
        )

    def _run(self, system: str, prompt: str, max_tokens: int, stop: threading.Event) -> Completion:
        try:
            self._weights.load()
        except ModelError:
            self._breaker.failure()
            raise
        self._breaker.success()
        return self._weights.write(system, prompt, max_tokens, self._config.temperature, stop)


class _Weights:
    """Model and tokenizer of one folder. Used from the one background thread only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model: Any = None
        self._tokenizer: Any = None
        self._stop = threading.Event()  # of the answer being written

    @property
    def loaded(self) -> bool:
        return self._model is not None

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


_in_use: WeakValueDictionary[tuple[Path, float], _Weights] = WeakValueDictionary()
_in_use_lock = threading.Lock()


def _weights_of(folder: Path) -> _Weights:
    """The same weights for everyone who uses this folder now: a second copy may not fit in memory."""
    marker = folder / "config.json"
    key = (folder.resolve(), marker.stat().st_mtime if marker.is_file() else 0.0)
    with _in_use_lock:
        return _in_use.setdefault(key, _Weights(folder))


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
