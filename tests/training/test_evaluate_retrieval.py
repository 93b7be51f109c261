import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from index.encoders import MiniLMEmbedder
from index.errors import InputError
from training.benchmark_index import open_index
from training.cli import eval_commands
from training.data import load_questions, open_data
from training.evaluate_retrieval import PeerRanker, Scores, compare, evaluate, make_ranker, make_tasks


def run(*arguments: str) -> str:
    done = CliRunner().invoke(eval_commands, ["retrieval", *arguments])
    if done.exception is not None:
        raise done.exception
    return done.output


def test_every_mode_end_to_end(pool: Path, cache: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    printed = run(
        *("--data", str(pool), "--modes", "bm25,bm25s,dense,hybrid", "--k", "1,2,5"),
        *("--cache", str(cache), "--json", str(out)),
    )
    result = json.loads(out.read_text())
    assert list(result["modes"]) == ["bm25", "bm25s", "dense", "hybrid"]
    assert result["n"] == 3
    assert result["skipped_without_gold"] == 2
    assert "2 questions name no gold evidence" in printed
    assert {"command", "commit", "data", "questions", "seed", "embedder"} <= result.keys()
    for mode, values in result["modes"].items():
        assert {"recall@1", "recall@2", "recall@5", "all_gold@5", "mrr", "ms_p50", "ms_p95"} <= values.keys()
        # The three questions share their rare words with their gold passages: every mode ranks them first.
        assert values["recall@5"] == values["all_gold@5"] == values["mrr"] == 1.0, mode
        # q1 and q3 have one gold passage, q2 has two of which only one fits into the first place.
        assert values["recall@1"] == pytest.approx((1 + 0.5 + 1) / 3), mode
        assert values["intervals"]["recall@1"]["low"] <= values["recall@1"]
        assert 0 < values["ms_p50"] <= values["ms_p95"]
        assert 10 < values["context_tokens"] < 5 * 30
        assert (values["encode_ms_p50"] is None) == (mode in ("bm25", "bm25s"))
    assert list(result["differences"]) == ["hybrid - bm25", "hybrid - bm25s", "hybrid - dense"]
    assert result["differences"]["hybrid - bm25"]["recall@5"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert "hybrid" in printed
    assert "100.0" in printed


def test_library_quotes_are_gold(library: Path, cache: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    printed = run(
        *("--data", str(library), "--modes", "bm25", "--k", "5", "--markdown"),
        *("--cache", str(cache), "--json", str(out), "--limit", "2"),
    )
    result = json.loads(out.read_text())
    assert result["n"] == 2
    assert result["modes"]["bm25"]["recall@5"] == 1.0
    assert "| bm25 | 100.0 | 100.0 | 100.0 |" in printed


def test_scores_of_a_known_ranking(pool: Path, cache: Path, embedder: MiniLMEmbedder) -> None:
    examples = load_questions(pool / "dev.jsonl")
    index = open_index(open_data(pool), examples, embedder, cache)
    by_id = {d.source: index.store.passages_of(d.id)[0] for d in index.store.documents("smallpool")}

    class Fixed:
        def rank(self, question: str, k: int) -> tuple[list[object], float]:
            return [by_id[i] for i in ("bread", "mill", "choir", "tarn", "stamp", "vell")], 0.0

    tasks = make_tasks(examples, index.locator)
    scores = evaluate("fixed", Fixed(), tasks, (2, 5, 10))  # type: ignore[arg-type]
    assert scores.values["recall@2"] == [1.0, 0.5, 0.0]  # gold: mill / mill + vell / brune
    assert scores.values["recall@10"] == [1.0, 1.0, 0.0]
    assert scores.values["all_gold@5"] == [1.0, 0.0, 0.0]
    assert scores.values["mrr"] == [0.5, 0.5, 0.0]
    assert scores.encode_ms == []
    index.store.close()


def test_encoding_is_timed_apart(pool: Path, cache: Path, embedder: MiniLMEmbedder) -> None:
    class Slow(MiniLMEmbedder):
        def embed(self, texts: object) -> np.ndarray:
            time.sleep(0.2)
            return embedder.embed(texts)  # type: ignore[arg-type]

    examples = load_questions(pool / "dev.jsonl")
    index = open_index(open_data(pool), examples, embedder, cache)
    tasks = make_tasks(examples, index.locator)
    scores = evaluate("dense", make_ranker("dense", index.store, Slow(), "smallpool"), tasks, (5,))
    assert min(scores.encode_ms) >= 200
    assert float(np.median(scores.ms)) < 150
    index.store.close()


def test_differences_are_last_minus_others() -> None:
    bm25 = Scores("bm25", {"recall@5": [0.0, 0.5], "context_tokens": [9.0, 9.0]}, [1.0, 1.0], [])
    dense = Scores("dense", {"recall@5": [1.0, 0.5], "context_tokens": [9.0, 9.0]}, [1.0, 1.0], [])
    assert compare([bm25, dense]) == {"dense - bm25": {"recall@5": {"mean": 0.5, "low": 0.0, "high": 1.0}}}
    assert compare([bm25]) == {}


def test_peer_without_its_package_says_how_to_get_it(
    pool: Path, cache: Path, embedder: MiniLMEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_index(open_data(pool), (), embedder, cache)
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(InputError, match="pip install bm25s"):
        PeerRanker(index.store, "smallpool")
    index.store.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--modes", "magic"), "there is no 'magic'"),
        (("--k", "five"), "whole numbers"),
        (("--split", "test"), "no question file"),
        (("--questions", "absent.jsonl"), "no question file absent.jsonl"),
    ],
)
def test_mistakes_are_input_errors(pool: Path, cache: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run("--data", str(pool), "--cache", str(cache), *arguments)


def test_questions_without_gold_cannot_be_measured(pool: Path, cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('{"id": "q", "question": "Why?", "answers": ["x"]}')
    with pytest.raises(InputError, match="None of the 1 questions"):
        run("--data", str(pool), "--cache", str(cache), "--questions", str(path))
