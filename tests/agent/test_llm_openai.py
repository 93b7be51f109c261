"""The OpenAI-compatible model against a real server process that behaves well, badly or not at all."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.breaker import Breaker
from agent.config import ModelConfig, Secret
from agent.llm import open_language_model, test_model
from agent.llm_openai import OpenAILanguageModel
from index.errors import Cancelled, ConfigError, ModelError

CANARY = "sk-canary-51c0de"


def model(server: Any, name: str, breaker: Breaker | None = None, **settings: Any) -> OpenAILanguageModel:
    config = ModelConfig(kind="openai", name=name, base_url=server.base_url, **settings)
    return OpenAILanguageModel(config, breaker=breaker or Breaker(failures=100), backoff=0.01)


def ask(llm: OpenAILanguageModel, **options: Any) -> str:
    return llm.complete("You answer.", "What is it?", **options).text


def until(condition: Any, seconds: float = 3.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_causal_lm_answers_over_the_wire(chat_server: Any, tiny_lm: Path) -> None:
    llm = model(chat_server, "tiny-lm")
    first = llm.complete("You answer.", "Who built the lighthouse?", max_tokens=12)
    assert first.text and first.finish_reason == "length" and first.prompt_tokens == 7
    assert first.completion_tokens == 12
    assert llm.complete("You answer.", "Who built the lighthouse?", max_tokens=12).text == first.text


def test_what_is_sent_is_the_request_and_the_key_alone(
    chat_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-someone-else")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-ambient")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Ambient: yes")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # loopback is asked directly
    assert ask(model(chat_server, "chatty", api_key=Secret(CANARY), temperature=0.3), max_tokens=5) == "ready"
    assert ask(model(chat_server, "chatty")) == "ready"
    with_key, without = chat_server.log("chatty")[-2:]
    assert with_key["headers"]["authorization"] == f"Bearer {CANARY}"
    assert set(with_key["headers"]) - {"authorization"} == set(without["headers"])
    assert set(without["headers"]) <= {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "content-type",
        "content-length",
    }
    assert with_key["body"]["messages"] == [
        {"role": "system", "content": "You answer."},
        {"role": "user", "content": "What is it?"},
    ]
    assert (with_key["body"]["max_tokens"], with_key["body"]["temperature"]) == (5, 0.3)


def test_a_slow_server_is_waited_for_and_one_that_is_too_slow_is_not(chat_server: Any) -> None:
    assert ask(model(chat_server, "slow")) == "one two three four "
    started = time.monotonic()
    with pytest.raises(ModelError, match="was still writing after 0.3 s. Raise model.timeout_seconds"):
        ask(model(chat_server, "slow"), deadline=time.monotonic() + 0.3)
    assert time.monotonic() - started < 1


def test_a_hanging_server_is_dropped_at_the_deadline(chat_server: Any) -> None:
    started = time.monotonic()
    with pytest.raises(ModelError, match="gave no answer after"):
        ask(model(chat_server, "hang"), deadline=started + 0.5)
    assert 0.4 < time.monotonic() - started < 1.8
    assert until(lambda: chat_server.log("hang")[-1]["hung_up"])


def test_the_timeout_setting_holds_without_any_deadline(chat_server: Any) -> None:
    started = time.monotonic()
    with pytest.raises(ModelError, match="gave no answer"):
        ask(model(chat_server, "hang", timeout_seconds=0.4))
    assert time.monotonic() - started < 1.8


@pytest.mark.parametrize("name", ["hang", "drip"])
def test_stop_closes_the_connection(chat_server: Any, name: str) -> None:
    pressed = threading.Event()
    llm = model(chat_server, name).with_cancel(pressed.is_set)
    threading.Timer(0.4, pressed.set).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        ask(llm)
    assert 0.3 < time.monotonic() - started < 1.8
    assert until(lambda: chat_server.log(name)[-1]["hung_up"])


@pytest.mark.parametrize("name", ["half-once", "busy-once", "error-once"])
def test_a_passing_fault_is_retried(chat_server: Any, name: str) -> None:
    started = time.monotonic()
    assert ask(model(chat_server, name)) in {"whole", "free again", "up"}
    assert len(chat_server.log(name)) == 2
    if name == "busy-once":  # Retry-After: 0.4 outranks the backoff of 0.01 s
        assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize(
    ("name", "message", "asked"),
    [
        ("half", "broke off in the middle of its answer", 3),
        ("no-finish", "broke off in the middle of its answer", 3),
        ("error", "failed .HTTP 500: CUDA error: device-side assert triggered.", 3),
        ("busy", "refused .HTTP 429: Too many requests.", 3),
        ("in-stream", "failed while answering: worker died", 3),
        ("malformed", "does not keep to the OpenAI protocol", 1),
        ("odd-json", "does not keep to the OpenAI protocol", 1),
        ("empty-choices", "does not keep to the OpenAI protocol", 1),
        ("web-page", "It sent text/html; its address usually ends with /v1", 1),
        ("no-text", "used up model.max_tokens", 1),
        ("unknown", "HTTP 404: The model `unknown` does not exist.*Check the model name", 1),
        ("moved", "redirects elsewhere", 1),
    ],
)
def test_a_lasting_fault_becomes_one_readable_error(
    chat_server: Any, name: str, message: str, asked: int
) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        ask(model(chat_server, name))
    assert len(chat_server.log(name)) == asked
    assert name in str(caught.value) and f"127.0.0.1:{chat_server.port}" in str(caught.value)
    assert len(str(caught.value)) < 400 and "\n" not in str(caught.value)


def test_a_wait_longer_than_the_time_left_is_not_begun(chat_server: Any) -> None:
    started = time.monotonic()
    with pytest.raises(ModelError, match="It asks to wait 120 s"):
        ask(model(chat_server, "busy-long"))
    assert time.monotonic() - started < 2 and len(chat_server.log("busy-long")) == 1


def test_parameters_an_endpoint_refuses_are_left_out_from_then_on(chat_server: Any) -> None:
    llm = model(chat_server, "strict")
    assert ask(llm, max_tokens=9) == "fine"
    assert len(chat_server.log("strict")) == 4
    assert ask(llm.with_cancel(None)) == "fine"
    assert len(chat_server.log("strict")) == 5
    assert chat_server.log("strict")[3]["body"]["max_completion_tokens"] == 9


def test_a_server_that_dies_costs_the_next_questions_nothing(doomed_server: Any) -> None:
    breaker = Breaker(failures=3, seconds=60)
    llm = model(doomed_server, "chatty", breaker)
    assert ask(llm) == "ready"
    doomed_server.kill()
    with pytest.raises(ModelError, match="cannot be reached .*Is the server running"):
        ask(llm)
    assert breaker.state == "open"
    started = time.monotonic()
    for _ in range(50):
        with pytest.raises(ModelError, match="left alone for another [56][0-9] s"):
            ask(llm)
    assert time.monotonic() - started < 1


def test_the_breaker_closes_again_after_a_good_probe(chat_server: Any) -> None:
    now = [0.0]
    breaker = Breaker(failures=1, seconds=30, clock=lambda: now[0])
    with pytest.raises(ModelError, match="broke off"):
        ask(model(chat_server, "half", breaker))
    with pytest.raises(ModelError, match="left alone"):
        ask(model(chat_server, "chatty", breaker))
    now[0] = 31
    assert ask(model(chat_server, "chatty", breaker)) == "ready" and breaker.state == "closed"


def test_silence_opens_at_once_but_an_impatient_caller_does_not(chat_server: Any) -> None:
    breaker = Breaker(failures=3)
    llm = model(chat_server, "hang", breaker, timeout_seconds=0.5)
    with pytest.raises(ModelError):
        ask(llm, deadline=time.monotonic() + 0.1)
    assert breaker.state == "closed"
    with pytest.raises(ModelError):
        ask(llm)
    assert breaker.state == "open"


def test_a_stopped_probe_leaves_the_door_open_for_the_next(chat_server: Any) -> None:
    now = [0.0]
    breaker = Breaker(failures=1, seconds=1, clock=lambda: now[0])
    breaker.failure()
    now[0] = 2
    with pytest.raises(Cancelled):
        ask(model(chat_server, "hang", breaker).with_cancel(lambda: True))
    assert ask(model(chat_server, "chatty", breaker)) == "ready"


def test_the_key_never_leaks_from_a_failing_call(
    chat_server: Any, doomed_server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)  # of every library too
    doomed_server.kill()
    told = []
    for server, name in [(chat_server, "refuse-key"), (chat_server, "half"), (doomed_server, "chatty")]:
        with pytest.raises(ModelError) as caught:
            ask(model(server, name, api_key=Secret(CANARY)))
        assert caught.value.__context__ is None and caught.value.__cause__ is None
        whole = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        told += [str(caught.value), "".join(whole.format())]
    assert "Check the API key" in told[0] and "***" in told[0]
    assert CANARY in chat_server.log("refuse-key")[-1]["headers"]["authorization"]  # it was sent
    assert not [text for text in told if CANARY in text]
    assert CANARY not in caplog.text


def test_no_time_left_asks_nobody(chat_server: Any) -> None:
    before = len(chat_server.log("chatty"))
    with pytest.raises(ModelError, match="No time was left"):
        ask(model(chat_server, "chatty"), deadline=time.monotonic() - 1)
    assert len(chat_server.log("chatty")) == before


def test_many_threads_share_one_model(chat_server: Any) -> None:
    llm, answers = model(chat_server, "slow"), []
    threads = [threading.Thread(target=lambda: answers.append(ask(llm))) for _ in range(8)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["one two three four "] * 8
    assert time.monotonic() - started < 4  # 8 x 0.6 s one after another would take longer


@pytest.fixture
def shared_breaker(chat_server: Any) -> Iterator[ModelConfig]:
    yield ModelConfig(
        kind="openai", name="error", base_url=chat_server.base_url, max_retries=0, breaker_failures=1
    )


def test_the_test_button_says_ok_or_why_not(chat_server: Any, shared_breaker: ModelConfig) -> None:
    good = ModelConfig(kind="openai", name="chatty", base_url=chat_server.base_url)
    assert test_model(good).startswith("ok, 0.") and test_model(good).endswith(" s, chatty")
    for _ in range(2):  # it asks each time, although the first failure opened the breaker
        with pytest.raises(ModelError, match="HTTP 500"):
            test_model(shared_breaker)
    llm = open_language_model(shared_breaker)
    assert llm is not None
    with pytest.raises(ModelError, match="left alone"):
        llm.complete("s", "p")
    with pytest.raises(Cancelled):
        test_model(good, cancelled=lambda: True)


def test_opening_a_model_checks_what_is_needed() -> None:
    assert open_language_model(ModelConfig()) is None
    with pytest.raises(ConfigError, match="model.name is empty.*name at the endpoint"):
        open_language_model(ModelConfig(kind="openai", base_url="http://h/v1"))
    with pytest.raises(ConfigError, match="model.base_url is empty.*127.0.0.1:8080/v1"):
        open_language_model(ModelConfig(kind="openai", name="m"))
    with pytest.raises(ConfigError, match="model.name is empty.*folder of the model"):
        open_language_model(ModelConfig(kind="transformers"))
    with pytest.raises(ModelError, match="No language model is chosen"):
        test_model(ModelConfig())
