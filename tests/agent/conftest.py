"""Real parts for tests of the language models: a chat server process and a tiny causal LM on disk."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.types import Note

SENTENCES = [
    "The lighthouse of Port Varn was built in 1987 by Mira Vell.",
    "Mira Vell was born in Oslo and studied the tides of the northern sea.",
    "Answer the question from the notes and cite each note you used.",
    "Use only the notes. End every sentence with the markers of the notes.",
]


@dataclass
class ChatServer:
    """A running server process; see openai_server.py for the model names it knows."""

    process: subprocess.Popen[str]
    port: int

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def log(self, model: str) -> list[dict[str, Any]]:
        """What came in for one model name, oldest first."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a test may set a proxy
        with direct.open(f"http://127.0.0.1:{self.port}/log", timeout=10) as answer:
            return [entry for entry in json.load(answer) if entry["model"] == model]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def start_server(folder: Path | None = None) -> ChatServer:
    script = Path(__file__).with_name("openai_server.py")
    command = [sys.executable, str(script), *(["--model", str(folder)] if folder else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        return ChatServer(process, int(process.stdout.readline()))


@pytest.fixture(scope="session")
def tiny_lm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models") / "tiny-lm"


@pytest.fixture(scope="session")
def chat_server(tiny_lm_folder: Path) -> Iterator[ChatServer]:
    """One healthy server process for all tests; its "tiny-lm" also needs the fixture `tiny_lm`."""
    server = start_server(tiny_lm_folder)
    yield server
    server.kill()


@pytest.fixture
def doomed_server() -> Iterator[ChatServer]:
    """A server process that a test may kill."""
    server = start_server()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def tiny_lm(tiny_lm_folder: Path) -> Path:
    """A two-layer GPT-2 with a tokenizer trained on four sentences, as save_pretrained writes them."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|end|>"], initial_alphabet=alphabet, show_progress=False
    )
    words.train_from_iterator(SENTENCES, trainer)
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<|end|>").save_pretrained(tiny_lm_folder)
    torch.manual_seed(7)
    config = GPT2Config(
        vocab_size=400,
        n_positions=512,
        n_embd=32,
        n_layer=2,
        n_head=2,
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=0,
    )
    GPT2LMHeadModel(config).save_pretrained(tiny_lm_folder)
    return tiny_lm_folder


@pytest.fixture
def new_note() -> Callable[..., Note]:
    """Makes a note from an id and a claim."""
    return make_note


@pytest.fixture
def notes() -> tuple[Note, ...]:
    """Three notes of two documents."""
    return (
        make_note("a1", "The lighthouse of Port Varn was built in 1987.", page=3),
        make_note("b2", "Mira Vell designed the lighthouse of Port Varn."),
        make_note("c3", "Mira Vell was born in Oslo.", title="Vell", heading="Life > Early years"),
    )


def make_note(
    note_id: str, claim: str, *, title: str = "Port Varn", heading: str = "", page: int | None = None
) -> Note:
    return Note(
        id=note_id,
        claim=claim,
        quote=claim,
        passage_id=1,
        document_id="d",
        title=title,
        source="d.md",
        heading=heading,
        page=page,
        start=0,
        end=len(claim),
        goal="goal",
        score=0.9,
        step=1,
    )
