"""One streamed exchange with an OpenAI-compatible endpoint, and the background loop it runs on.

Only on an event loop a request that hangs can be dropped at once, by cancelling its task. What leaves
this machine is the request and the key: the SDK's own headers (machine facts, OPENAI_* values) do not.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import openai

from agent.config import ModelConfig

if TYPE_CHECKING:
    import httpx2
    from openai.types.chat import ChatCompletionChunk

_CONNECT_SECONDS = 5.0
_MOST_CHARACTERS = 400_000  # an endless answer ends here
_HEADERS = frozenset({"host", "accept", "accept-encoding", "connection", "content-type", "content-length"})


@dataclass(slots=True)
class Exchange:
    """One question to the endpoint, and what has come back so far."""

    messages: list[dict[str, str]]
    max_tokens: int
    seconds: float  # the time it may take
    text: str = ""
    finish: str = ""  # stays empty when the stream breaks off
    prompt_tokens: int = 0
    completion_tokens: int = 0
    media_type: str = ""
    saw_choice: bool = False

    def begin(self) -> None:
        """Forget the attempt before."""
        self.text = self.finish = self.media_type = ""
        self.prompt_tokens = self.completion_tokens = 0
        self.saw_choice = False

    def take(self, chunk: ChatCompletionChunk) -> None:
        """Add one piece of the stream. Raises AttributeError, TypeError or ValueError on nonsense."""
        if chunk.usage is not None:
            self.prompt_tokens = int(chunk.usage.prompt_tokens)
            self.completion_tokens = int(chunk.usage.completion_tokens)
        for choice in chunk.choices[:1]:
            self.saw_choice = True
            self.text += choice.delta.content or ""
            self.finish = choice.finish_reason or self.finish
        if len(self.text) > _MOST_CHARACTERS:
            raise ValueError("endless answer")


async def stream(config: ModelConfig, exchange: Exchange, refused: Collection[str]) -> None:
    """Ask, and collect the answer into `exchange`. `refused`: optional parameters to leave out.

    Raises the errors of the openai SDK, and ValueError and its kin for an answer outside the protocol.
    """

    async def trim(request: httpx2.Request) -> None:
        for header in [name for name in request.headers if name.lower() not in _HEADERS]:
            del request.headers[header]
        if config.api_key:
            request.headers["Authorization"] = f"Bearer {config.api_key.reveal()}"

    async with openai.DefaultAsyncHttpxClient(
        verify=config.base_url.startswith("https:"),  # plain http needs no certificates, slow to load
        # The caller ends the exchange when its time is up; these only end what it no longer waits for.
        timeout=openai.Timeout(exchange.seconds + 5.0, connect=_CONNECT_SECONDS),
        trust_env=not _is_loopback(config.base_url),  # a proxy cannot see our own machine
        follow_redirects=False,  # people's documents go only where the person said
        event_hooks={"request": [trim]},
    ) as http:
        client = openai.AsyncOpenAI(api_key="-", base_url=config.base_url, max_retries=0, http_client=http)
        chunks = await client.chat.completions.create(**_parameters(config, exchange, refused))
        exchange.media_type = chunks.response.headers.get("content-type", "")
        async for chunk in chunks:
            exchange.take(chunk)


def _parameters(config: ModelConfig, exchange: Exchange, refused: Collection[str]) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "model": config.name,
        "messages": exchange.messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": exchange.max_tokens,
        "temperature": config.temperature,
    }
    for name in refused:
        value = parameters.pop(name)
        if name == "max_tokens":  # newer OpenAI models call it so
            parameters["max_completion_tokens"] = value
    return parameters


def _is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


_loops: dict[int, asyncio.AbstractEventLoop] = {}
_loops_lock = threading.Lock()


def background_loop() -> asyncio.AbstractEventLoop:
    """The event loop of this process for model calls (a forked child gets its own)."""
    with _loops_lock:
        if os.getpid() not in _loops:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="forage-models", daemon=True).start()
            _loops[os.getpid()] = loop
        return _loops[os.getpid()]
