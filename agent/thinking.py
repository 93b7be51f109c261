"""The language-model body of the loop's decisions: prompts from data files in, typed replies out.

Every decision of the embedded brain (gate, goal, rewording, judging a search, comparing notes, what to do next) can
be asked of a language model instead. Its reply must be one JSON object of the expected shape; what cannot be read
is a recorded mistake, and the embedded body decides. Text of documents enters only as data: on one line, unable to
close its block, and no reply can name anything but the options it was given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from agent.compose_llm import as_data
from agent.llm import StoppableModel
from agent.prompts import render
from index.errors import ModelError

Kind = tuple[str, ...] | type  # the options of a value, or its type
MAX_TOKENS = 200
LIST_LIMIT = 8
TEXT_LIMIT = 300  # characters of a free text in a reply
_THOUGHTS = re.compile(r"^.*</think>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said to one prompt. `said` is empty and `error` tells why when it cannot be used."""

    said: Mapping[str, Any]
    error: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Thinker:
    """Asks a language model for one decision at a time."""

    def __init__(self, model: StoppableModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        return self._model.name

    def with_cancel(self, cancelled: Callable[[], bool] | None) -> Self:
        """The same, watching a Stop: one for each question."""
        return type(self)(self._model.with_cancel(cancelled))

    def ask(self, prompt: str, shape: Mapping[str, Kind], deadline: float | None, **values: str) -> Reply:
        """The reply to `prompt` (a file in agent/prompts) as an object of `shape`.

        shape: key -> the options it may take, or bool, int (0 to 100), str, or list of texts. Values are
        rendered as data. Never raises ModelError: it becomes the reply's error.
        """
        made = render(prompt, **{key: data_lines(value) for key, value in values.items()})
        try:
            completion = self._model.complete(
                made.system, made.user, max_tokens=MAX_TOKENS, deadline=deadline
            )
        except ModelError as error:
            return Reply({}, f"{prompt}: {error}")
        counts = (completion.prompt_tokens, completion.completion_tokens)
        said, mistake = read_object(completion.text, shape)
        return Reply(said, f"{prompt}: {self.name} {mistake}" if mistake else "", *counts)


def data_lines(text: str) -> str:
    """`text` as data of a prompt: each line on its own, unable to close a block or to pose as a turn."""
    return "\n".join(as_data(line).replace("<", "&lt;") for line in text.splitlines())


def numbered(lines: Sequence[str]) -> str:
    """Lines as the prompts show them, [1] first; "(none)" where there are none."""
    return "\n".join(f"[{number}] {line}" for number, line in enumerate(lines, 1)) or "(none)"


def read_object(text: str, shape: Mapping[str, Kind]) -> tuple[dict[str, Any], str]:
    """(the object, "") or ({}, what is wrong with it). Keys that nobody asked for are ignored.

    >>> read_object('Sure: {"met": true, "why": "it says so"}', {"met": bool, "why": str})
    ({'met': True, 'why': 'it says so'}, '')
    >>> read_object("yes", {"met": bool})[1]
    'did not reply with a JSON object'
    """
    body = _THOUGHTS.sub("", text)
    start = body.find("{")
    found: object = None
    if start >= 0:
        try:
            found, _ = json.JSONDecoder().raw_decode(body[start:])
        except (json.JSONDecodeError, RecursionError):
            found = None
    if not isinstance(found, dict):
        return {}, "did not reply with a JSON object"
    said: dict[str, Any] = {}
    for key, kind in shape.items():
        value = _read(found.get(key), kind)
        if value is None:
            wanted = " or ".join(kind) if isinstance(kind, tuple) else kind.__name__
            return {}, f"did not give '{key}' as {wanted}"
        said[key] = value
    return said, ""


def _read(value: object, kind: Kind) -> object | None:
    if isinstance(kind, tuple):
        word = str(value).strip().lower() if isinstance(value, str | bool) else ""
        return word if word in kind else None
    if kind is list:
        listed = (
            [" ".join(item.split()) for item in value if isinstance(item, str)]
            if isinstance(value, list)
            else None
        )
        return listed[:LIST_LIMIT] if listed is not None else None
    if kind is bool:
        words = {"true": True, "yes": True, "false": False, "no": False}
        return value if isinstance(value, bool) else words.get(str(value).strip().lower())
    if kind is int:
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        return max(0, min(100, round(number))) if number is not None and abs(number) < 1e6 else None
    text = " ".join(str(value).split())[:TEXT_LIMIT] if isinstance(value, str) else ""
    return text or None
