"""The layers that people run are those that are trained, and they live through threads, forks and damaged files."""

import multiprocessing
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from agent import reader_model
from index import backbone, delta, hop_encoder, minilm
from index.errors import StoreError

INPUTS = [([101, 2040, 1029, 102, 4971, 102], [0, 0, 0, 0, 1, 1]), ([101, 2040, 102], [0, 0, 0])]


@pytest.fixture(scope="module")
def served() -> backbone.InOnnx:
    return backbone.InOnnx(backbone.packaged)


def test_inputs_are_filled_up_and_only_what_counts_is_averaged() -> None:
    ids, types, mask = backbone.padded(INPUTS)
    assert ids.shape == (2, 6) and ids.dtype == np.int64
    assert ids[1].tolist() == [101, 2040, 102, 0, 0, 0] and mask[1].tolist() == [1, 1, 1, 0, 0, 0]
    assert types[0].tolist() == [0, 0, 0, 0, 1, 1]
    states = np.zeros((1, 3, 4), dtype=np.float32)
    states[0] = [[3, 0, 0, 0], [3, 8, 0, 0], [9, 9, 9, 9]]
    assert backbone.unit_means(states, np.array([[1, 1, 0]])).tolist() == [pytest.approx([0.6, 0.8, 0, 0])]


def test_the_layers_give_what_the_network_gives(served: backbone.InOnnx) -> None:
    ids, types, mask = backbone.padded(INPUTS)
    with torch.inference_mode():
        network = minilm.load_bert(minilm.model_folder(), half=False)
        given = (torch.from_numpy(one) for one in (ids, types, mask))
        expected = network(**dict(zip(("input_ids", "token_type_ids", "attention_mask"), given, strict=True)))
    found = served(ids, types, mask)
    assert np.abs(found - expected.last_hidden_state.numpy())[mask == 1].max() < 2e-5


def test_padding_changes_nothing(served: backbone.InOnnx) -> None:
    together = served(*backbone.padded(INPUTS))[1, :3]
    assert np.allclose(together, served(*backbone.padded(INPUTS[1:]))[0], atol=2e-5)


@pytest.mark.parametrize("room", [reader_model, hop_encoder])
def test_a_change_is_added_as_training_adds_it(room: object) -> None:
    path = room.shipped_weights()  # type: ignore[attr-defined]
    added = backbone.shifted(backbone.packaged(), delta.load_arrays(path))
    for name, parameter in room.build_network(path).named_parameters():  # type: ignore[attr-defined]
        if name.startswith(delta.ENCODER):
            assert np.array_equal(added[name], parameter.detach().numpy()), name


def test_threads_share_one_session(served: backbone.InOnnx) -> None:
    given = backbone.padded(INPUTS)
    alone = served(*given)
    with ThreadPoolExecutor(8) as pool:
        for one in pool.map(lambda _: served(*given), range(64)):
            assert np.allclose(one, alone, atol=1e-5)


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_a_forked_process_runs_the_layers_too(served: backbone.InOnnx) -> None:
    given = backbone.padded(INPUTS)
    alone = served(*given)
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    child = context.Process(target=lambda: results.put(served(*given)))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert np.allclose(results.get(), alone, atol=1e-5)


def test_the_file_of_operations_is_what_the_network_makes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training.skills.serving", "--check"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-500:]


def test_a_damaged_file_of_operations_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "layers.onnx"
    damaged.write_bytes(backbone.layers().read_bytes()[:5000])
    monkeypatch.setattr(backbone, "layers", lambda: damaged)
    with pytest.raises(StoreError, match="Install Forage again"):
        backbone.session(backbone.packaged())


def test_threads_follow_the_usual_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    backbone.threads.cache_clear()
    assert backbone.threads() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    backbone.threads.cache_clear()
    assert backbone.threads() >= 1
    backbone.threads.cache_clear()
