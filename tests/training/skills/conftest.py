"""Three tiny question sets on disk, some of whose training questions must not be used."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.conftest import write_lines

ROWS = [
    ("mill", "Oster Mill", "The mill at Oster was built in 1901 by Mira Vell. It stands on the Tarn."),
    ("vell", "Mira Vell", "Mira Vell was an engineer who was born in the town of Halden."),
    ("halden", "Halden", "Halden is a town on the river Tarn with a tall brick lighthouse."),
    ("tarn", "Tarn", "The river Tarn is 98 km long and ends in Lake Brune near Oster Mill."),
    ("brune", "Lake Brune", "Lake Brune is 40 metres deep and freezes every winter."),
    ("bread", "Rye bread", "Rye bread needs a sour dough and a very hot oven in the mill."),
]


def question(key: str, text: str, answers: list[str], supporting: list[str], **more: Any) -> dict[str, Any]:
    return {"id": key, "question": text, "answers": answers, "supporting": supporting, "meta": {}, **more}


SINGLE = [
    question("s1", "Who built the mill at Oster?", ["Mira Vell"], ["mill"], meta={"answer_start": 39}),
    question("s2", "How deep is Lake Brune?", ["40 metres"], ["brune"]),
    question("s3", "how DEEP is lake brune", ["40 metres"], ["tarn"]),  # a development question
    question("s4", "What does rye bread need?", ["a sour dough"], ["bread"]),  # a development gold passage
]
UNANSWERABLE = [question("u1", "Who painted Lake Brune?", [], ["brune"], meta={"unanswerable": True})]
MULTI = [
    question(
        "m1",
        "In which town was the builder of the mill at Oster born?",
        ["Halden"],
        ["mill", "vell"],
        context=["mill", "vell", "bread", "tarn"],
        supporting_sentences=[
            {"pid": "mill", "sent": 0, "text": "The mill at Oster was built in 1901 by Mira Vell."}
        ],
    )
]
DEV = [
    question("d1", "How deep is Lake Brune??", ["40 metres"], ["halden"]),
    question("d2", "What is baked in the oven?", ["Rye bread"], ["bread"]),
]


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of question sets: single-hop, unanswerable, multi-hop."""
    folder = tmp_path_factory.mktemp("sets")
    for name, train in (
        ("squad1_duetest", SINGLE),
        ("squad2_dev_half", [*UNANSWERABLE, *SINGLE[:1]] * 2),
        ("hotpotqa_distractor", MULTI),
    ):
        write_lines(folder / name / "corpus.jsonl", [{"id": i, "title": t, "text": x} for i, t, x in ROWS])
        write_lines(folder / name / "train.jsonl", train)
        write_lines(folder / name / "dev.jsonl", DEV)
        (folder / name / "META.json").write_text('{"licence": "CC0"}')
    return folder
