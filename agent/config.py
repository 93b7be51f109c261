"""Settings: defaults, then forage.toml, then FORAGE_* variables, then flags; secrets never show.

Every value is checked where it enters, so that an error can name the file or variable it came from.
The dataclasses check themselves too: a page that builds one with a bad value gets the same sentence.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainValidator, TypeAdapter, ValidationError

from agent.config_file import change_values, read_values
from agent.secret import Secret, as_secret
from index.errors import ConfigError
from index.types import Mode

FILE_NAME = "forage.toml"


def _as_base_url(value: str) -> str:
    url = value.strip().rstrip("/")
    if not url:
        return ""
    parts = urlsplit(url)  # raises ValueError on broken brackets, `port` on a broken port
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError(
            "an address starts with http:// or https:// and a host, like http://127.0.0.1:8080/v1"
        )
    if "@" in parts.netloc:
        raise ValueError("an address holds no user name or password; use the API key setting")
    if parts.query or parts.fragment or " " in url or not url.isprintable():
        raise ValueError("an address holds no '?', '#' or spaces")
    parts.hostname.encode("idna")  # raises UnicodeError, a ValueError, on names that no machine can have
    return url


Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Which language model writes the answers; `none` means the embedded brain alone."""

    kind: Literal["none", "openai", "transformers"] = "none"
    name: str = ""  # model name at the endpoint, or the folder of a local model
    base_url: Annotated[str, AfterValidator(_as_base_url)] = ""  # openai only, usually ends with /v1
    api_key: Annotated[Secret, PlainValidator(as_secret)] = field(default_factory=Secret)
    timeout_seconds: Seconds = 30.0  # for one call, its retries included
    max_retries: Annotated[int, Field(ge=0, le=10)] = 2
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 512
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = 0.0
    breaker_failures: Annotated[int, Field(ge=1, le=100)] = 3  # failed attempts in a row that open it
    breaker_seconds: Seconds = 30.0  # how long it then refuses

    def __post_init__(self) -> None:
        _check_all(self, "model")


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """Budgets of one question."""

    mode: Mode = "ranked"
    policy: Annotated[str, Field(min_length=1)] = (
        "live"  # who decides: the promoted one, rules, a baseline, or model
    )
    thinking: Literal["embedded", "model"] = "embedded"  # who plans, judges and takes notes
    boundary: Literal["rules", "learned"] = "rules"  # who says before a search that it would be in vain
    own_knowledge: bool = False  # whether a language model may answer from what it knows itself
    top_k: Annotated[int, Field(ge=1, le=200)] = 8  # passages of one search
    max_searches: Annotated[int, Field(ge=1, le=50)] = 4
    max_steps: Annotated[int, Field(ge=1, le=500)] = 20
    max_seconds: Seconds = 60.0
    context_tokens: Annotated[int, Field(ge=50, le=100_000)] = 900  # evidence handed to the reader
    evidence_worth: Annotated[float, Field(ge=0, le=1)] = (
        0.02  # of a sentence that is read; 0: passages whole
    )
    step_by_step: bool = True  # whether what a question describes is looked for first

    def __post_init__(self) -> None:
        _check_all(self, "agent")


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """Whether answers are remembered, and where they are searched."""

    use: bool = True
    chroma_url: Annotated[str, AfterValidator(_as_base_url)] = ""  # a `chroma run` server; empty: embedded

    def __post_init__(self) -> None:
        _check_all(self, "memory")


@dataclass(frozen=True, slots=True)
class TelemetryConfig:
    """OpenTelemetry spans of each question; the standard OTEL_* variables say where they go."""

    spans: bool = False
    content: bool = False  # questions and answers in the spans too

    def __post_init__(self) -> None:
        _check_all(self, "telemetry")


Section = ModelConfig | AgentConfig | MemoryConfig | TelemetryConfig


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a person can set."""

    model: ModelConfig = field(default_factory=ModelConfig)
    agent: AgentConfig = field(default_factory=AgentConfig)
    memory: MemoryConfig = field(default_factory=MemoryConfig)
    telemetry: TelemetryConfig = field(default_factory=TelemetryConfig)


_SECTIONS: dict[str, type[Section]] = {
    "model": ModelConfig,
    "agent": AgentConfig,
    "memory": MemoryConfig,
    "telemetry": TelemetryConfig,
}


_PREFIXES = tuple(f"FORAGE_{name.upper()}_" for name in _SECTIONS)


def load_settings(
    data_dir: Path | str,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings that hold here and now. Later wins: defaults, file, environment, `overrides`.

    `overrides` maps "model.kind" and the like to values; None means not given. Raises ConfigError.
    """
    path = Path(data_dir) / FILE_NAME
    values = {key: _checked(*key, value, str(path)) for key, value in read_values(path).items()}
    env = os.environ if environ is None else environ
    for dotted, variable in environment_keys(env).items():
        section, _, key = dotted.partition(".")
        values[section, key] = _checked(section, key, env[variable], f"environment variable {variable}")
    for dotted, value in (overrides or {}).items():
        section, _, key = dotted.partition(".")
        if value is not None:
            values[section, key] = _checked(section, key, value, f"option {dotted}")
    made = {
        name: cls(**{key: value for (section, key), value in values.items() if section == name})
        for name, cls in _SECTIONS.items()
    }
    return Settings(**made)  # type: ignore[arg-type]


def save_settings(data_dir: Path | str, settings: Settings, environ: Mapping[str, str] | None = None) -> Path:
    """Write forage.toml (mode 0600, all or nothing), keeping a person's comments; returns its path.

    What the environment fixes keeps the file's value: it is not the person's choice. The key is
    written only if it was typed into the product (`Secret.storable`), and removed if it was emptied.
    """
    path = Path(data_dir) / FILE_NAME
    old = {key: _checked(*key, value, str(path)) for key, value in read_values(path).items()}
    fixed, changes = environment_keys(environ), dict[tuple[str, str], str | int | float | bool | None]()
    for section, cls in _SECTIONS.items():
        for name in _adapters(section):
            value, default = getattr(getattr(settings, section), name), getattr(cls(), name)
            if isinstance(value, Secret):
                if value.storable:
                    changes[section, name] = value.reveal() or None
            elif value != old.get((section, name), default):
                changes[section, name] = value
    change_values(path, {key: value for key, value in changes.items() if ".".join(key) not in fixed})
    return path


def environment_keys(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Which settings the environment fixes, "model.kind" -> "FORAGE_MODEL_KIND"; a page shows them locked."""
    env = os.environ if environ is None else environ
    known = {
        _variable(section, key): f"{section}.{key}" for section in _SECTIONS for key in _adapters(section)
    }
    found: dict[str, str] = {}
    for variable in env:
        if variable in known and env[variable].strip():
            found[known[variable]] = variable
        elif variable not in known and variable.startswith(_PREFIXES):
            raise ConfigError(
                f"Environment variable {variable} is unknown.{_did_you_mean(variable, known)} "
                f"Known are: {', '.join(sorted(known))}."
            )
    return found


def public(settings: Settings) -> dict[str, dict[str, Any]]:
    """The settings as JSON without the key: only whether there is one."""
    shown = {
        name: {key: getattr(getattr(settings, name), key) for key in _adapters(name)} for name in _SECTIONS
    }
    shown["model"]["api_key"] = bool(settings.model.api_key)
    return shown


def fingerprint(settings: Settings) -> str:
    """Short hash of the settings without the key: equal settings, equal fingerprint."""
    shown = public(replace(settings, model=replace(settings.model, api_key=Secret())))
    del shown["telemetry"]  # watching changes nothing
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:12]


def _checked(section: str, key: str, value: object, origin: str) -> Any:
    """`value` in the type of its setting. Variables and flags may bring numbers as text, files may not."""
    if section not in _SECTIONS or key not in _adapters(section):
        known = [f"{name}.{key}" for name in _SECTIONS for key in _adapters(name)]
        name = f"{section}.{key}".removesuffix(".")
        listed = f"{_did_you_mean(name, known)} Known are: {', '.join(known)}."
        raise ConfigError(f"{origin}: unknown setting {name}.{listed}")
    outside = origin.startswith(("environment ", "option "))
    strict = not (outside and isinstance(value, str))
    reason = ""
    try:
        checked = _adapters(section)[key].validate_python(value, strict=strict)
    except ValidationError as error:
        reason = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
    if reason:  # raised out here, because the validator's own error repeats the value, and it may be a key
        private = key == "api_key" or (key == "base_url" and "@" in str(value))
        shown = "this" if private else repr(value)
        raise ConfigError(f"{origin}: {section}.{key} cannot be {shown}: {reason}.")
    if isinstance(checked, Secret) and outside:
        return Secret(checked.reveal(), storable=False)
    return checked


def _check_all(config: Section, section: str) -> None:
    for key in _adapters(section):
        object.__setattr__(config, key, _checked(section, key, getattr(config, key), "settings"))


@cache
def _adapters(section: str) -> dict[str, TypeAdapter[Any]]:
    hints = get_type_hints(_SECTIONS[section], include_extras=True)
    return {name: TypeAdapter(hint) for name, hint in hints.items()}


def _did_you_mean(name: str, known: Mapping[str, str] | list[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _variable(section: str, key: str) -> str:
    return "FORAGE_API_KEY" if key == "api_key" else f"FORAGE_{section}_{key}".upper()
