"""Settings: the order of the layers, readable errors, and a key that never shows."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import stat
import traceback
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from agent.config import (
    AgentConfig,
    ModelConfig,
    Secret,
    Settings,
    environment_keys,
    fingerprint,
    load_settings,
    public,
    save_settings,
)
from index.errors import ConfigError, StoreError

CANARY = "sk-canary-7f3a9"


def write(folder: Path, text: str) -> Path:
    (folder / "forage.toml").write_text(text, "utf-8")
    return folder / "forage.toml"


def test_defaults_without_any_file(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, environ={})
    assert settings == Settings() and settings.model.kind == "none"
    assert not list(tmp_path.iterdir())


def test_each_layer_wins_over_the_one_before(tmp_path: Path) -> None:
    write(tmp_path, '[model]\nkind = "openai"\nname = "file"\nmax_tokens = 100\n[agent]\ntop_k = 3\n')
    environ = {
        "FORAGE_MODEL_NAME": "env",
        "FORAGE_MODEL_MAX_TOKENS": "200",
        "FORAGE_AGENT_MAX_SECONDS": "1.5",
    }
    overrides = {"model.max_tokens": 300, "agent.max_steps": "7", "agent.mode": None}
    settings = load_settings(tmp_path, overrides, environ)
    assert settings.model == ModelConfig(kind="openai", name="env", max_tokens=300)
    assert settings.agent == AgentConfig(top_k=3, max_seconds=1.5, max_steps=7)


def test_an_empty_variable_is_not_set_and_others_are_not_ours(tmp_path: Path) -> None:
    environ = {"FORAGE_MODEL_KIND": " ", "FORAGE_DATA_DIR": "x", "OPENAI_API_KEY": CANARY}
    assert load_settings(tmp_path, environ=environ) == Settings()
    assert environment_keys(environ) == {}
    assert environment_keys({"FORAGE_API_KEY": "x"}) == {"model.api_key": "FORAGE_API_KEY"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[model]\nkinde = 'none'",
            ["forage.toml", "model.kinde", "Did you mean model.kind?", "agent.top_k"],
        ),
        ("[modle]\nkind = 'none'", ["forage.toml", "modle.kind", "Did you mean model.kind?"]),
        ("[model]\nkind = 'opnai'", ["forage.toml", "model.kind", "'opnai'", "'openai'", "'transformers'"]),
        ("[agent]\ntop_k = '8'", ["forage.toml", "agent.top_k", "'8'", "integer"]),
        ("[agent]\ntop_k = true", ["agent.top_k", "integer"]),
        ("[agent]\ntop_k = 0", ["agent.top_k", "0", "greater than or equal to 1"]),
        ("[agent]\nmax_seconds = nan", ["agent.max_seconds", "finite"]),
        ("[agent]\nmode = 'bm52'", ["agent.mode", "'bm25'", "'hybrid'"]),
        ("kind = 'none'", ["forage.toml", "'kind'", "[model]"]),
        ("[model\n", ["forage.toml", "line 1", "Correct the file"]),
    ],
)
def test_a_bad_file_is_named_with_key_and_what_is_allowed(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, environ={})
    for word in words:
        assert word in str(caught.value)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "forage.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"forage\.toml cannot be read"):
        load_settings(tmp_path, environ={})


def test_bad_variables_and_flags_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="variable FORAGE_AGENT_TOP_K: agent.top_k cannot be 'many'"):
        load_settings(tmp_path, environ={"FORAGE_AGENT_TOP_K": "many"})
    with pytest.raises(ConfigError, match="FORAGE_MODEL_KIN is unknown. Did you mean FORAGE_MODEL_KIND"):
        load_settings(tmp_path, environ={"FORAGE_MODEL_KIN": "none"})
    with pytest.raises(
        ConfigError, match="option agent.topk: unknown setting agent.topk. Did you mean agent.top_k"
    ):
        load_settings(tmp_path, {"agent.topk": 3}, {})
    with pytest.raises(ConfigError, match="settings: agent.top_k cannot be 'x'"):
        replace(AgentConfig(), top_k="x")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080/v1", "https://api.example.org/v1", "http://localhost", "http://[::1]:80/v1", ""],
)
def test_good_addresses(url: str) -> None:
    assert ModelConfig(base_url=f" {url}/ " if url else "").base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "ftp://host/v1",
        "file:///etc/passwd",
        "http://",
        "http://host:99999",
        "http://a b/",
        "http://[::1",
    ]
    + ["http://host/v1?key=1", "http://host/#x", "http://a..b/", "http://host:0/", "javascript:alert(1)"],
)
def test_bad_addresses(url: str) -> None:
    with pytest.raises(ConfigError, match=r"model\.base_url cannot be"):
        ModelConfig(base_url=url)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="use the API key") as caught:
        ModelConfig(base_url=f"http://me:{CANARY}@host/v1")
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_save_and_load_round_trip(tmp_path: Path) -> None:
    model = ModelConfig(
        kind="openai",
        name="m",
        base_url="http://h/v1",
        api_key=Secret(CANARY),
        temperature=0.5,
        max_retries=0,
    )
    settings = Settings(model, AgentConfig(mode="bm25", max_seconds=12))
    path = save_settings(tmp_path / "new", settings, {})
    assert load_settings(tmp_path / "new", environ={}) == settings
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["forage.toml"]
    assert "max_tokens" not in path.read_text("utf-8")  # defaults stay defaults


def test_saving_keeps_comments_and_tightens_the_mode(tmp_path: Path) -> None:
    path = write(tmp_path, '# mine\n[model]\nname = "old"  # why\n[agent]\ntop_k = 5\n')
    path.chmod(0o644)
    loaded = load_settings(tmp_path, environ={})
    save_settings(tmp_path, replace(loaded, model=replace(loaded.model, name="new")), {})
    text = path.read_text("utf-8")
    assert "# mine" in text and "# why" in text and 'name = "new"' in text and "top_k = 5" in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_from_outside_is_never_stored(tmp_path: Path) -> None:
    write(tmp_path, '[model]\nname = "file"\n')
    environ = {"FORAGE_API_KEY": CANARY, "FORAGE_MODEL_NAME": "env"}
    settings = load_settings(tmp_path, {"agent.top_k": 4}, environ)
    assert settings.model.api_key.reveal() == CANARY
    changed = replace(settings, model=replace(settings.model, max_tokens=99))
    text = save_settings(tmp_path, changed, environ).read_text("utf-8")
    assert CANARY not in text and "env" not in text and 'name = "file"' in text and "max_tokens = 99" in text
    flags = load_settings(tmp_path, {"model.api_key": CANARY}, {})
    assert CANARY not in save_settings(tmp_path, flags, {}).read_text("utf-8")


def test_an_emptied_key_leaves_the_file(tmp_path: Path) -> None:
    save_settings(tmp_path, Settings(ModelConfig(api_key=Secret(CANARY))), {})
    path = save_settings(tmp_path, Settings(), {})
    assert CANARY not in path.read_text("utf-8")


def test_saving_into_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(StoreError, match="cannot be written"):
        save_settings(tmp_path / "file" / "data", Settings(), {})


def test_fingerprint_follows_the_settings_but_not_the_key() -> None:
    plain = Settings()
    with_key = Settings(ModelConfig(api_key=Secret(CANARY)))
    assert fingerprint(plain) == fingerprint(with_key) and len(fingerprint(plain)) == 12
    assert fingerprint(plain) != fingerprint(Settings(agent=AgentConfig(top_k=9)))
    assert plain != with_key  # but the key counts for equality: a new key means a new model


def test_the_key_shows_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(ModelConfig(api_key=Secret(CANARY)))
    caplog.set_level(logging.DEBUG)
    logging.getLogger("test").info("%s %r %s", settings, settings.model.api_key, asdict(settings))
    shown = [
        repr(settings),
        str(settings.model.api_key),
        f"{settings.model.api_key}",
        repr(asdict(settings)),
        repr(copy.deepcopy(settings)),
        json.dumps(public(settings)),
        json.dumps(asdict(settings), default=str),
        caplog.text,
    ]
    assert not [text for text in shown if CANARY in text]
    assert public(settings)["model"]["api_key"] is True
    with pytest.raises(TypeError):
        json.dumps(asdict(settings))
    with pytest.raises(TypeError):
        vars(settings.model.api_key)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(settings)


@pytest.mark.parametrize("key", [f"{CANARY}\u00e9", f"{CANARY} x", f"{CANARY}\x00", 5])
def test_a_bad_key_is_refused_without_repeating_it(tmp_path: Path, key: object) -> None:
    with pytest.raises(ConfigError, match=r"model\.api_key cannot be this") as caught:
        load_settings(tmp_path, {"model.api_key": key}, {})
    told = "".join(traceback.format_exception(caught.value))
    assert CANARY not in told.replace(repr(key), "") and caught.value.__context__ is None


def test_a_pasted_key_loses_its_line_end() -> None:
    assert ModelConfig(api_key=Secret(f" {CANARY}\n")).api_key.reveal() == CANARY
