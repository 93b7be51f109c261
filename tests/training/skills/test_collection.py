"""Adapting to a person's own collection: what is held out never teaches, and what was gained is said."""

import json
import random
import re
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from agent.judge import FEATURES
from agent.judge_weights import JudgeWeights
from index import delta
from index.encoders import load_embedder
from index.errors import InputError, NotFoundError
from index.ingest import ingest_passages
from index.store import Store
from index.trees import from_dump
from training.judge_rows import Rows
from training.skills import hop, hop_collection, judge, judge_collection, reader
from training.skills.card import Run
from training.skills.collection import HELD_OUT, gain, helped, open_collection, shared_names
from training.skills.hop_data import HopExample
from training.skills.ramp import Unlabelled
from training.skills_cli import install_weights, train_commands

DOCUMENTS = 40


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the collection `towns`: each town's mill was built by the founder of the next town's."""
    data_dir = tmp_path_factory.mktemp("towns")
    store = Store.open(data_dir)
    rows = [
        {
            "id": f"{at:02}",
            "title": f"Town {at}",
            "text": f"The mill of Upper Town {at} was built by Mira Vell{at} in {1700 + at}. "
            f"Its oldest bridge was paid for by Jonas Orne{(at + 1) % DOCUMENTS // 4} in {1800 + at}.",
        }
        for at in range(DOCUMENTS)
    ]
    ingest_passages(store, rows, "towns", embedder=load_embedder())
    store.close()
    return data_dir


def test_the_held_out_are_every_fifth_document(towns: Path) -> None:
    own = open_collection(towns, "towns")
    held = own.rows(held_out=True)
    assert held == list(range(HELD_OUT - 1, DOCUMENTS, HELD_OUT))
    assert sorted([*held, *own.rows(held_out=False)]) == list(range(DOCUMENTS))
    card = own.card({})
    assert card["learned_from"] == {"documents": 32, "passages": 32}
    assert card["held_out"] == {"documents": 8, "passages": 8}


def test_shared_names_lead_from_passage_to_passage(towns: Path) -> None:
    own = open_collection(towns, "towns")
    names = shared_names(towns, own, most=8)
    assert names["Jonas Orne3"] == (11, 12, 13, 14)
    assert not any(name.startswith("Mira") for name in names)  # one passage each
    assert all(2 <= len(rows) <= 8 for rows in names.values())
    assert "Jonas Orne3" not in shared_names(towns, own, most=3)


@pytest.mark.parametrize("module", [hop, judge])
def test_a_collection_too_small_or_unknown_is_refused(module: Any, tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    ingest_passages(store, [{"id": "a", "title": "A", "text": "One town lies here."}], "one")
    store.close()
    with pytest.raises(InputError, match="at least 20 passages and 5 documents"):
        module.train(Run(tmp_path / "out", None, 0.1, collection=(tmp_path, "one")))
    with pytest.raises(NotFoundError, match="no collection named 'two'"):
        module.train(Run(tmp_path / "out", None, 0.1, collection=(tmp_path, "two")))


def test_hop_states_never_show_what_is_held_out(towns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hop_collection, "_worlds", lambda: ([], []))
    own = open_collection(towns, "towns")
    found = {source.name: source for source in hop_collection.sources(towns, own, 7)}
    titles = {own.passages[at].title for at in own.rows(held_out=True)}
    rng, seen = random.Random(1), Counter[str]()
    for name in ("self-made", "own bridges"):
        for record in found[name].records:
            state = found[name].make(record, rng, 0.5)
            assert isinstance(state, HopExample)
            assert not titles & set(state.pool.titles)  # neither gold, nor evidence, nor negative
            assert state.missing and not set(state.missing) & set(state.found)
            assert len(state.evidence) == len(state.found)
            seen[name] += 1
    assert seen["self-made"] == 32 and seen["own bridges"] > 20
    bridge = found["own bridges"].records[0]
    question = hop_collection.bridge_question(bridge, rng)
    assert bridge.shared in bridge.pool.texts[bridge.second] and bridge.shared not in question


def test_recall_on_what_is_held_out_before_and_after(towns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hop_collection, "ASKED", 10)
    own = open_collection(towns, "towns")
    shipped = hop.installed_path()
    measures = hop_collection.adaptation(shipped, shipped, towns, own)
    assert set(measures) == {"passage R@5", "bridge R@5", "beam R@5"}
    for one in measures.values():
        assert one["n"] >= 8 and one["gain"] == [0.0, 0.0, 0.0] and one["before"] == one["after"]
    assert 0.3 < measures["passage R@5"]["before"][0] <= 1


def test_judge_questions_keep_to_their_documents(towns: Path) -> None:
    own = open_collection(towns, "towns")
    by_id = {passage.document_id: passage for passage in own.passages}
    asked = list(islice(judge_collection.own_questions(own, 7), 60))
    kinds = Counter((one.held_out, one.example.unanswerable) for one in asked)
    assert len(kinds) == 4 and 10 <= sum(n for (held, _), n in kinds.items() if held) <= 30
    for one in asked:
        if not one.held_out:
            assert not own.held & set(one.documents)
        texts = [by_id[key].text for key in one.documents]
        if not one.example.unanswerable:
            answer = re.compile(rf"(?<!\w){re.escape(one.example.answers[0])}(?!\w)")
            assert sum(bool(answer.search(text)) for text in texts) == 1
            assert one.example.answers[0] not in one.example.question
    assert asked == list(islice(judge_collection.own_questions(own, 7), 60))  # so that a run can go on


def test_the_live_agent_reads_questions_of_the_collection(towns: Path) -> None:
    own = open_collection(towns, "towns")
    stream = judge_collection.collect_own(
        towns, own, load_embedder(), "dense", Counter({"collection": 1}), lambda question: None, 7
    )
    first = next(stream)
    stream.close()
    assert first.source == "collection" and first.features.shape == (len(first.right), len(FEATURES))
    assert first.question != next(judge_collection.own_questions(own, 7)).example.question  # asked before


def test_a_judge_that_knows_gains_over_one_that_does_not() -> None:
    constant = from_dump([{"tree_structure": {"leaf_value": 0.0}}])
    leaves = {"left_child": {"leaf_value": -3.0}, "right_child": {"leaf_value": 3.0}}
    split = {"split_feature": 0, "threshold": 0.5, **leaves}
    knowing = from_dump([{"tree_structure": split}])
    draw, rows = np.random.default_rng(1), []
    for number in range(40):
        table = draw.random((4, len(FEATURES))).astype(np.float32)
        table[:, 0] *= number % 2  # no chain of every second question is right
        rows.append(Rows("x", f"q{number}", table, (table[:, 0] > 0.5).astype(np.float32), bool(number % 2)))
    measures = judge_collection.adaptation(JudgeWeights(constant), JudgeWeights(knowing), rows)
    assert measures["1 - Brier"]["before"][0] == 0.75 and measures["1 - Brier"]["gain"][1] > 0
    assert measures["AUROC"]["before"] == 0.5 and measures["AUROC"]["after"] > 0.95
    assert measures["AUROC"]["gain"][1] > 0.3
    same = judge_collection.adaptation(JudgeWeights(knowing), JudgeWeights(knowing), rows)
    assert same["1 - Brier"]["gain"] == [0.0, 0.0, 0.0]


def test_only_what_gained_on_the_held_out_is_installed(tmp_path: Path) -> None:
    target, new = tmp_path / "in use" / "a.safetensors", tmp_path / "a.safetensors"

    def card(before: list[float], after: list[float]) -> dict[str, Any]:
        return {"score": {"of": "own", "value": 1.0}, "collection": {"measures": {"F1": gain(before, after)}}}

    import torch

    better, noise = card([0.0] * 20, [1.0] * 20), card([0.0, 1.0] * 10, [1.0, 0.0] * 10)
    assert helped(better) is True and helped(noise) is False and helped({}) is None
    delta.save(target, {"head": torch.zeros(2)}, {"score": {"of": "something else", "value": 99.0}})
    delta.save(new, {"head": torch.ones(2)}, better)
    assert install_weights(new, noise, target).startswith("Not installed: on the documents held out")
    assert delta.load(target)["head"][0] == 0
    assert install_weights(new, better, target).startswith("Installed")
    assert delta.load(target)["head"][0] == 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["ranker", "--from-collection", "towns"], "is for reader and hop and judge only"),
        (["hop", "--from-collection", "towns", "--leave-out", "0"], "leave out --half"),
        (["hop", "--start", "x.safetensors"], "is for reader and judge only"),
    ],
)
def test_options_that_do_not_go_together_are_refused(asked: list[str], message: str) -> None:
    shown = CliRunner().invoke(train_commands, ["skill", *asked])
    assert isinstance(shown.exception, InputError) and message in str(shown.exception)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_hop_encoder_goes_on_with_a_collection_and_loses_nothing(towns: Path, tmp_path: Path) -> None:
    card = hop.train(Run(tmp_path, None, 0.7, collection=(towns, "towns")))
    measures = card["collection"]["measures"]
    assert measures["passage R@5"]["after"][0] >= measures["passage R@5"]["before"][0] - 0.05
    assert card["examples"] > 20 and delta.digest(hop.weights_path(tmp_path)) != delta.digest(
        hop.installed_path()
    )
    assert not (tmp_path / "hop.checkpoint").exists()
    assert json.loads((tmp_path / "hop.json").read_text())["collection"] == card["collection"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_reader_goes_on_with_a_collection_and_loses_little(towns: Path, tmp_path: Path) -> None:
    card = reader.train(Run(tmp_path, None, 0.7, collection=(towns, "towns")))
    measures = card["collection"]["measures"]["F1"]
    assert measures["after"][0] > measures["before"][0] - 0.05 and measures["n"] > 20
    held = {p.text for p in open_collection(towns, "towns").passages if int(p.title.split()[1]) % 5 == 4}
    learned = Unlabelled.of(open_collection(towns, "towns").texts(held_out=False)).texts
    assert not held & {text.text for text in learned}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_judge_goes_on_with_a_collection_and_loses_little(towns: Path, tmp_path: Path) -> None:
    pytest.importorskip("lightgbm")
    card = judge.train(Run(tmp_path, None, 2.5, collection=(towns, "towns")))
    measures = card["collection"]["measures"]
    assert measures["1 - Brier"]["n"] > 5 and card["quality"]["all"]["n"] >= 50
    assert measures["1 - Brier"]["after"][0] > measures["1 - Brier"]["before"][0] - 0.05
    assert judge.weights_path(tmp_path).is_file()
