"""A language model behind any OpenAI-compatible endpoint: retries, breaker, deadline and Stop.

The caller waits with an eye on the clock and on Stop, while the exchange runs on the background loop
of `agent.llm_wire`; giving up drops the connection. A failure is a value until the last line, so that
no exception of the SDK, which may quote the key, is ever chained to ours.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable
from typing import Any, Self

import openai
import tenacity

from agent import llm_failure, llm_wire
from agent.breaker import Breaker, breaker_for
from agent.config import ModelConfig
from agent.llm_failure import Failure
from agent.patience import wait_until
from agent.types import Completion
from index.errors import ModelError


class OpenAILanguageModel:
    """A `LanguageModel` (and `StoppableModel`) over HTTP."""

    def __init__(
        self,
        config: ModelConfig,
        *,
        cancelled: Callable[[], bool] | None = None,
        breaker: Breaker | None = None,
        backoff: float = 0.5,
    ) -> None:
        """`backoff`: seconds before the first retry, doubled each time; a Retry-After header goes first."""
        self._config = config
        self._cancelled = cancelled
        self._backoff = backoff
        self._breaker = breaker or breaker_for(
            (config.base_url, config.name), config.breaker_failures, config.breaker_seconds
        )
        self._refused: set[str] = set()  # optional parameters, learned once and shared by all copies

    @property
    def name(self) -> str:
        return self._config.name

    def with_cancel(self, cancelled: Callable[[], bool] | None) -> Self:
        """The same model watching another Stop."""
        twin = copy.copy(self)
        twin._cancelled = cancelled
        return twin

    def forget_failures(self) -> None:
        """Close the breaker: a person says that the endpoint is well again."""
        self._breaker.success()

    def complete(
        self, system: str, prompt: str, *, max_tokens: int = 512, deadline: float | None = None
    ) -> Completion:
        """The model's answer, after at most `timeout_seconds`, with retries. Raises ModelError, Cancelled."""
        seconds = self._config.timeout_seconds
        if deadline is not None:
            seconds = min(seconds, deadline - time.monotonic())
        if seconds <= 0:
            raise ModelError(f"No time was left to ask {self.name}.")
        if not self._breaker.allow():
            left = self._breaker.seconds_left()
            raise ModelError(
                f"{llm_failure.place(self._config)} failed several times, so it is left alone for another "
                f"{left:.0f} s. Press Test in Settings to try it at once."
            )
        messages = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
        exchange = llm_wire.Exchange(messages, max_tokens, seconds)
        outcome = self._wait(exchange)
        if isinstance(outcome, Failure):
            raise ModelError(outcome.message)
        return outcome

    def _wait(self, exchange: llm_wire.Exchange) -> Completion | Failure:
        end = time.monotonic() + exchange.seconds
        future = asyncio.run_coroutine_threadsafe(self._attempts(exchange), llm_wire.background_loop())
        judged = False
        try:
            if not wait_until(future, end, self._cancelled):
                judged = self._blame_slowness(exchange)
                return llm_failure.too_slow(self._config, exchange.seconds, exchange.text)
            outcome = future.result()
            judged = True
            return outcome
        finally:
            future.cancel()  # drops the connection if it is still there
            if not judged:
                self._breaker.release()

    def _blame_slowness(self, exchange: llm_wire.Exchange) -> bool:
        """Count the time-out against the endpoint, unless the caller had hardly any time to give."""
        if exchange.seconds < min(5.0, self._config.timeout_seconds):
            return False
        self._breaker.failure(trip=not exchange.text)  # silence costs all the time there is: once is enough
        return True

    async def _attempts(self, exchange: llm_wire.Exchange) -> Completion | Failure:
        def again(outcome: Completion | Failure) -> bool:
            return isinstance(outcome, Failure) and outcome.retry and self._breaker.state == "closed"

        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_result(again),
            stop=tenacity.stop_after_attempt(self._config.max_retries + 1)
            | tenacity.stop_before_delay(exchange.seconds),
            wait=self._pause,
            retry_error_callback=_outcome,
        )
        outcome: Completion | Failure = await retrying(self._attempt, exchange)
        return outcome

    def _pause(self, state: tenacity.RetryCallState) -> float:
        failure = _outcome(state)
        if isinstance(failure, Failure) and failure.wait is not None:
            return failure.wait
        grow = tenacity.wait_exponential(multiplier=self._backoff, max=8)
        return float((grow + tenacity.wait_random(0, self._backoff / 2))(state))

    async def _attempt(self, exchange: llm_wire.Exchange) -> Completion | Failure:
        outcome = await self._once(exchange)
        while isinstance(outcome, Failure) and outcome.drop and outcome.drop not in self._refused:
            self._refused.add(outcome.drop)
            outcome = await self._once(exchange)
        if isinstance(outcome, Failure) and outcome.blames_endpoint:
            self._breaker.failure()
        else:
            self._breaker.success()
        return outcome

    async def _once(self, exchange: llm_wire.Exchange) -> Completion | Failure:
        exchange.begin()
        try:
            await llm_wire.stream(self._config, exchange, self._refused)
        except openai.APIStatusError as error:
            return llm_failure.from_status(self._config, error)
        except openai.APIConnectionError as error:
            return llm_failure.from_connection(self._config, error, exchange.text)
        except openai.APIError as error:
            return llm_failure.from_stream(self._config, error)
        except OSError as error:
            return llm_failure.from_connection(self._config, error, exchange.text)
        except (ValueError, TypeError, AttributeError, LookupError):
            return llm_failure.malformed(self._config, exchange.media_type)
        return self._read(exchange)

    def _read(self, exchange: llm_wire.Exchange) -> Completion | Failure:
        """A stream that came to its end, judged."""
        if not exchange.saw_choice:
            return llm_failure.malformed(self._config, exchange.media_type)
        if not exchange.finish:
            return llm_failure.broken_off(self._config)
        if not exchange.text.strip():
            return llm_failure.empty(self._config, exchange.finish)
        return Completion(exchange.text, exchange.prompt_tokens, exchange.completion_tokens, exchange.finish)


def _outcome(state: tenacity.RetryCallState) -> Any:
    return state.outcome.result() if state.outcome else None
