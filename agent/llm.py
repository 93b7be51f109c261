"""The door to the optional language models: settings in, a model (or None) out, and a test of it.

Opening is cheap and touches neither network nor disk; the two bodies import their libraries here, on
demand, so that the embedded brain never pays for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, Self

from agent.config import ModelConfig
from agent.types import LanguageModel
from index.errors import ConfigError, ModelError

Stop = Callable[[], bool]


class StoppableModel(LanguageModel, Protocol):
    """A language model whose calls end early when a person presses Stop."""

    def with_cancel(self, cancelled: Stop | None) -> Self:
        """The same model (weights, breaker), watching another Stop: one for each question."""
        ...

    def forget_failures(self) -> None:
        """Try again at once, even if it was left alone after failures."""
        ...


def open_language_model(config: ModelConfig) -> StoppableModel | None:
    """The configured model; None for kind "none". Raises ConfigError when a needed setting is missing."""
    if config.kind == "none":
        return None
    if not config.name:
        what = "the model's name at the endpoint" if config.kind == "openai" else "the folder of the model"
        raise ConfigError(f"model.name is empty. With model.kind = {config.kind!r} it must be {what}.")
    if config.kind == "transformers":
        from agent.llm_transformers import TransformersLanguageModel

        return TransformersLanguageModel(config)
    if not config.base_url:
        raise ConfigError(
            "model.base_url is empty. With model.kind = 'openai' it must be the address of the endpoint, "
            "like http://127.0.0.1:8080/v1."
        )
    from agent.llm_openai import OpenAILanguageModel

    return OpenAILanguageModel(config)


def test_model(config: ModelConfig, cancelled: Stop | None = None) -> str:
    """Ask the model for one word: "ok, 0.8 s, model-name". Raises ModelError, ConfigError or Cancelled.

    It asks even while the breaker is open: pressing Test means that something was repaired.
    """
    model = open_language_model(config)
    if model is None:
        raise ModelError("No language model is chosen; the embedded brain needs no test.")
    started = time.monotonic()
    model.forget_failures()
    model.with_cancel(cancelled).complete(
        "You are being tested.", "Answer with the one word: ready", max_tokens=config.max_tokens
    )
    return f"ok, {time.monotonic() - started:.1f} s, {model.name}"


test_model.__test__ = False  # type: ignore[attr-defined]  # pytest collects by name
