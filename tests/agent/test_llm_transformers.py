"""The local causal LM from a folder: a real two-layer model, and folders that are not what they should be."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from agent.config import ModelConfig
from agent.llm import open_language_model, test_model
from agent.llm_transformers import TransformersLanguageModel
from index.errors import Cancelled, ModelError

TEMPLATE = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}<|assistant|>"
)


def config(folder: Path, **settings: Any) -> ModelConfig:
    return ModelConfig(kind="transformers", name=str(folder), breaker_seconds=0.2, **settings)


def test_it_writes_and_is_deterministic_at_temperature_zero(tiny_lm: Path) -> None:
    llm = open_language_model(config(tiny_lm))
    assert llm is not None and llm.name == "tiny-lm"
    first = llm.complete("You answer.", "Who built the lighthouse?", max_tokens=12)
    again = llm.complete("You answer.", "Who built the lighthouse?", max_tokens=12)
    assert first == again and first.text
    assert first.prompt_tokens > 5 and 0 < first.completion_tokens <= 12
    assert first.finish_reason == ("length" if first.completion_tokens == 12 else "stop")
    assert test_model(config(tiny_lm, max_tokens=4)).endswith(" s, tiny-lm")


def test_sampling_works_too(tiny_lm: Path) -> None:
    llm = TransformersLanguageModel(config(tiny_lm, temperature=1.0))
    assert len({llm.complete("s", "p", max_tokens=12).text for _ in range(4)}) > 1


def test_a_chat_template_without_system_role_still_gets_the_rules(tiny_lm: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    folder = shutil.copytree(tiny_lm, tmp_path / "chat")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    llm = TransformersLanguageModel(config(folder))
    plain = llm.complete("Rule.", "Question?", max_tokens=5).prompt_tokens
    assert plain == len(tokenizer("<|user|>Rule.\n\nQuestion?<|end|><|assistant|>")["input_ids"])
    # a note that holds the end-of-turn token cannot end the turn: it is broken into plain characters
    inputs = llm._weights._inputs("Rule.", "a <|end|> b")
    end = tokenizer.convert_tokens_to_ids("<|end|>")
    assert inputs["input_ids"][0].tolist().count(end) == 1


def test_deadline_and_stop_end_it_early(tiny_lm: Path) -> None:
    llm = TransformersLanguageModel(config(tiny_lm))
    llm.complete("s", "p", max_tokens=1)  # loaded
    # the model reads 512 tokens at most; asking for the rest takes it about a second
    started = time.monotonic()
    with pytest.raises(ModelError, match="is still writing when its time is up"):
        llm.complete("s", "p", max_tokens=500, deadline=started + 0.15)
    assert time.monotonic() - started < 1.2
    pressed = threading.Event()
    threading.Timer(0.1, pressed.set).start()
    with pytest.raises(Cancelled):
        llm.with_cancel(pressed.is_set).complete("s", "p", max_tokens=500)
    started = time.monotonic()  # the thread is free again: it did stop
    assert llm.complete("s", "p", max_tokens=1)
    assert time.monotonic() - started < 1
    with pytest.raises(ModelError, match="No time was left"):
        llm.complete("s", "p", deadline=time.monotonic() - 1)


def test_stop_ends_the_reading_of_a_long_prompt_between_layers(tiny_lm: Path) -> None:
    llm = TransformersLanguageModel(config(tiny_lm))
    llm.complete("s", "p", max_tokens=1)
    stop = threading.Event()
    stop.set()
    with pytest.raises(ModelError, match="Nobody waits"):
        llm._weights.write("s", "word " * 100, 5, 0.0, stop)


def test_a_prompt_longer_than_the_model_reads(tiny_lm: Path) -> None:
    with pytest.raises(
        ModelError, match="the prompt has .* tokens, it reads 512; lower agent.context_tokens"
    ):
        TransformersLanguageModel(config(tiny_lm)).complete("s", "lighthouse " * 600)


def test_folders_that_hold_no_model_and_the_way_back(tiny_lm: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new-model"
    llm = TransformersLanguageModel(config(folder))
    with pytest.raises(ModelError, match="There is no model in .*config.json"):
        llm.complete("s", "p")
    with pytest.raises(ModelError, match="could not be loaded; it is tried again in"):
        llm.complete("s", "p")
    shutil.copytree(tiny_lm, folder)
    time.sleep(0.25)  # breaker_seconds
    assert llm.complete("s", "p", max_tokens=4).text


@pytest.mark.parametrize("broken", ["tokenizer.json", "model.safetensors", "config.json"])
def test_a_damaged_folder_is_one_readable_error(tiny_lm: Path, tmp_path: Path, broken: str) -> None:
    folder = shutil.copytree(tiny_lm, tmp_path / "damaged")
    (folder / broken).write_bytes((folder / broken).read_bytes()[:40])
    with pytest.raises(ModelError, match="cannot be loaded: .*safetensors"):
        test_model(config(folder))


def test_code_in_the_folder_and_pickled_weights_are_never_run(tiny_lm: Path, tmp_path: Path) -> None:
    import torch

    folder = shutil.copytree(tiny_lm, tmp_path / "custom")
    text = (folder / "config.json").read_text("utf-8").replace('"gpt2"', '"mine"')
    text = text.replace("{", '{"auto_map": {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"},', 1)
    (folder / "config.json").write_text(text, "utf-8")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n", "utf-8")
    with pytest.raises(ModelError, match="cannot be loaded"):
        test_model(config(folder))
    assert not (tmp_path / "ran").exists()
    pickled = shutil.copytree(tiny_lm, tmp_path / "pickled")
    (pickled / "model.safetensors").unlink()
    torch.save({}, pickled / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be loaded: .*safetensors"):
        test_model(config(pickled))


def test_two_users_of_one_folder_share_its_weights(tiny_lm: Path) -> None:
    one, two = TransformersLanguageModel(config(tiny_lm)), TransformersLanguageModel(config(tiny_lm))
    one.complete("s", "p", max_tokens=1)
    assert two._weights is one._weights and two._weights.loaded
