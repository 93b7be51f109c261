import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.encoders import MiniLMEmbedder, load_embedder
from index.ingest import ingest_passages
from index.store import Store

ROOT = Path(__file__).parent.parent

# A closed little corpus with a known two-hop answer: who designed the bridge over the Aske -> where born.
CORPUS = [
    (
        "bridge",
        "Teal Bridge",
        "The Teal Bridge crosses the River Aske. It was designed by Mira Vell and opened in 1887.",
    ),
    (
        "vell",
        "Mira Vell",
        "Mira Vell was an engineer. She was born in Tarsholm on 3 May 1850 and played the glass viola.",
    ),
    ("tarsholm", "Tarsholm", "Tarsholm is a harbour town with 4,210 inhabitants. Its market opens at seven."),
    ("aske", "River Aske", "The River Aske is 172 kilometres long and rises in the Cold Hills."),
    ("iron", "Iron Bridge", "The Iron Bridge was opened in 1902. It is 300 metres long."),
    ("press", "Lantern Press", "The Lantern Press printed almanacs. It was founded by Jon Aldin in 1861."),
    ("fair", "Tarsholm Fair", "The fair is held every September. Entrance costs 4 crowns for adults."),
    ("school", "Harbour School", "The Harbour School teaches navigation. Its head is Orla Fenn."),
]


@pytest.fixture(scope="session")
def embedder() -> MiniLMEmbedder:
    """The real encoder, loaded once."""
    return load_embedder()


@pytest.fixture(scope="session")
def corpus_dir(tmp_path_factory: pytest.TempPathFactory, embedder: MiniLMEmbedder) -> Path:
    """A data folder with CORPUS as collection 'world'; tests must not write to it."""
    folder = tmp_path_factory.mktemp("corpus")
    store = Store.open(folder)
    ingest_passages(
        store, [{"id": i, "title": t, "text": x} for i, t, x in CORPUS], "world", embedder=embedder
    )
    store.close()
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty data folder."""
    opened = Store.open(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection that leaves this machine fails the test that made it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family != socket.AF_UNIX and host not in ("127.0.0.1", "::1", "localhost"):
            pytest.fail(f"network use: connection to {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
    os.environ["HF_HUB_OFFLINE"] = "1"
