"""A small pool and a small library on disk, and the real encoder."""

import json
from pathlib import Path
from typing import Any

import pytest

from index.encoders import MiniLMEmbedder, load_embedder

ROWS = [
    ("mill", "Oster Mill", "The mill at Oster was built in 1901 by Mira Vell."),
    ("vell", "Mira Vell", "Mira Vell was an engineer who was born in the town of Halden."),
    ("halden", "Halden", "Halden is a town on the river Tarn with a tall brick lighthouse."),
    ("tarn", "Tarn", "The river Tarn is 98 km long and ends in Lake Brune."),
    ("brune", "Lake Brune", "Lake Brune is 40 metres deep and freezes every winter."),
    ("bread", "Rye bread", "Rye bread needs a sour dough and a very hot oven."),
    ("choir", "Choir", "The choir of the old harbour sings on every first Sunday."),
    ("stamp", "Stamps", "Blue stamps of the coast line are sought by collectors."),
]
QUESTIONS: list[dict[str, Any]] = [
    {
        "id": "q1",
        "question": "Who built the mill at Oster?",
        "answers": ["Mira Vell"],
        "type": "one",
        "supporting": ["mill"],
        "context": ["mill", "bread", "choir"],
    },
    {
        "id": "q2",
        "question": "In which town was the builder of the mill at Oster born?",
        "answers": ["Halden"],
        "type": "two",
        "supporting": ["mill", "vell"],
    },
    {
        "id": "q3",
        "question": "How deep is Lake Brune?",
        "answers": ["40 metres", "40 m"],
        "type": "one",
        "supporting": ["brune"],
    },
    {
        "id": "q4",
        "question": "Who directed the opera about Halden?",
        "answers": [],
        "type": "none",
        "meta": {"unanswerable": True},
    },
    {"id": "q5", "question": "Hello there!", "answers": [], "type": "small_talk"},
]


def write_lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


@pytest.fixture(scope="session")
def embedder() -> MiniLMEmbedder:
    return load_embedder()


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with corpus.jsonl and dev.jsonl."""
    folder = tmp_path_factory.mktemp("data") / "smallpool"
    write_lines(folder / "corpus.jsonl", [{"id": i, "title": t, "text": x} for i, t, x in ROWS])
    write_lines(folder / "dev.jsonl", QUESTIONS)
    return folder


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with collection/ (two files) and questions.jsonl."""
    folder = tmp_path_factory.mktemp("data") / "smalllibrary"
    (folder / "collection" / "works").mkdir(parents=True)
    (folder / "collection" / "works" / "mill.md").write_text(
        "# Oster Mill\n\nThe mill at Oster was built in 1901 by Mira Vell.\n", encoding="utf-8"
    )
    (folder / "collection" / "people.txt").write_text(
        "Mira Vell was an engineer who was born in the town of Halden.\n", encoding="utf-8"
    )
    evidence = {
        "q1": [{"source": "works/mill.md", "quote": "built in 1901 by Mira Vell"}],
        "q2": [
            {"source": "works/mill.md", "quote": "built in 1901 by Mira Vell"},
            {"source": "people.txt", "quote": "born in the town of Halden"},
        ],
    }
    kept = [
        {key: value for key, value in q.items() if key not in ("supporting", "context")}
        | {"evidence": evidence.get(q["id"], [])}
        for q in QUESTIONS
        if q["id"] != "q3"
    ]
    write_lines(folder / "questions.jsonl", kept)
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the indexes of the evaluations are kept: built once for the session."""
    return tmp_path_factory.mktemp("cache")
