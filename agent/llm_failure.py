"""What can go wrong at a model endpoint, as one readable sentence that never holds the key.

Failures are values, not exceptions, until the very end: a chained exception would carry the server's
own words (which may repeat the key) into every traceback.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import openai

from agent.config import ModelConfig

_RETRIED = frozenset({408, 409, 429})
_HINTS = {
    400: "The endpoint does not take this request; check the model name.",
    401: "Check the API key in Settings or FORAGE_API_KEY.",
    402: "The account has no credit left.",
    403: "The API key may not use this model.",
    404: "Check the model name, and the address: it usually ends with /v1.",
    413: "The prompt is too long for it; lower agent.context_tokens.",
    429: "Wait a little, or use another model.",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt. `message` is complete; `wait` is what the server asked for, in seconds."""

    message: str
    retry: bool = False
    wait: float | None = None
    blames_endpoint: bool = True  # False: the request was at fault, the endpoint is alive
    drop: str = ""  # an optional parameter the endpoint refuses; ask again without it


def place(config: ModelConfig) -> str:
    """How messages name the model: its name and host."""
    return f"The model {config.name} at {urlsplit(config.base_url).netloc}"


def from_status(config: ModelConfig, error: openai.APIStatusError) -> Failure:
    """An answer with an HTTP error status."""
    status, said, wait = error.status_code, _said(config, error), _wait(error)
    if 300 <= status < 400:
        hint = "It redirects elsewhere, and requests go only where you said: set the final address."
        return Failure(f"{place(config)} did not answer (HTTP {status}). {hint}", blames_endpoint=False)
    if status >= 500:
        hint = "The fault is inside the endpoint; look at its log."
        return Failure(f"{place(config)} failed (HTTP {status}{said}). {hint}", retry=True, wait=wait)
    asked = f" It asks to wait {wait:.0f} s." if wait else ""
    message = f"{place(config)} refused (HTTP {status}{said}).{asked} {_HINTS.get(status, '')}".rstrip()
    busy = status in _RETRIED and error.code != "insufficient_quota"
    return Failure(message, retry=busy, wait=wait, blames_endpoint=busy, drop=_refused_parameter(error, said))


def _refused_parameter(error: openai.APIStatusError, said: str) -> str:
    if error.status_code not in (400, 422):
        return ""
    if "max_completion_tokens" in said:
        return "max_tokens"
    named = [name for name in ("stream_options", "temperature") if name in said or error.param == name]
    return named[0] if named else ""


def from_connection(config: ModelConfig, error: Exception, written: str) -> Failure:
    """No connection, or one that broke off."""
    if written:
        return broken_off(config)
    cause = " ".join(str(error.__cause__ or error).split())[:150]
    reason = f" ({config.api_key.redact(cause)})" if cause else ""
    hint = "Is the server running, and is the address right?"
    return Failure(f"{place(config)} cannot be reached{reason}. {hint}", retry=True)


def broken_off(config: ModelConfig) -> Failure:
    """Half an answer: the stream ended before the model said that it was done."""
    return Failure(f"{place(config)} broke off in the middle of its answer.", retry=True)


def from_stream(config: ModelConfig, error: openai.APIError) -> Failure:
    """An error that the server reported inside its stream."""
    return Failure(f"{place(config)} failed while answering{_said(config, error)}.", retry=True)


def malformed(config: ModelConfig, media_type: str) -> Failure:
    """Something came that is not the OpenAI protocol."""
    kind = media_type.split(";")[0].strip()
    sent = f" It sent {kind or 'nothing'}; its address usually ends with /v1."
    hint = "" if kind == "text/event-stream" else sent
    return Failure(f"{place(config)} sent an answer that does not keep to the OpenAI protocol.{hint}")


def empty(config: ModelConfig, finish: str) -> Failure:
    """The protocol was kept, but there is no text."""
    if finish == "length":
        hint = "It used up model.max_tokens before the first word; raise it."
        return Failure(f"{place(config)} gave no text. {hint}", blames_endpoint=False)
    return Failure(f"{place(config)} gave an empty answer{f' ({finish})' if finish else ''}. Try again.")


def too_slow(config: ModelConfig, seconds: float, written: str) -> Failure:
    """The time was up."""
    state = "was still writing" if written else "gave no answer"
    hint = "Raise model.timeout_seconds or use a faster model."
    return Failure(f"{place(config)} {state} after {seconds:.3g} s. {hint}")


def _said(config: ModelConfig, error: openai.APIError) -> str:
    """The server's own words, short, in one line and without the key."""
    body = error.body
    said = body.get("message") if isinstance(body, dict) else body
    if not isinstance(said, str):
        said = json.dumps(said)[:300] if said else ""
    if "<" in said[:20]:  # a page for browsers says nothing to a reader
        return ""
    line = " ".join(config.api_key.redact(said).split())[:200]
    return f": {line}" if line else ""


def _wait(error: openai.APIStatusError) -> float | None:
    """Seconds of a Retry-After header, given as a number or as a date."""
    value = error.response.headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
