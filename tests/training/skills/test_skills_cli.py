"""`forage train skill`: mistakes are said plainly, and only better weights replace those in use."""

from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from index import delta
from index.errors import InputError
from training.skills import hop
from training.skills.card import Run, resolve_device
from training.skills_cli import install_weights, question_sets, train_commands


def test_the_command_is_there() -> None:
    shown = CliRunner().invoke(train_commands, ["skill", "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0 and "--minutes" in shown.output


def test_a_folder_without_sets_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no question sets"):
        question_sets(tmp_path)


def test_the_environment_names_the_folder(
    sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORAGE_DATA", raising=False)
    assert question_sets(None) is None
    monkeypatch.setenv("FORAGE_DATA", str(tmp_path))
    assert question_sets(None) is None  # no qa/ in it
    (tmp_path / "qa").mkdir()
    assert question_sets(None) == (tmp_path / "qa").resolve()
    assert question_sets(sets) == sets.resolve()


def test_an_unknown_device_is_a_mistake() -> None:
    with pytest.raises(InputError, match="--device"):
        resolve_device("warp")
    assert resolve_device("cpu") == "cpu"


def test_the_hop_encoder_needs_question_sets(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--data"):
        hop.train(Run(tmp_path, None, 1.0))


def _weights(path: Path, value: float, of: str = "mean F1 of a") -> dict[str, Any]:
    card = {"score": {"of": of, "value": value}}
    delta.save(path, {"head": torch.full((2,), value)}, card)
    return card


def test_only_better_weights_are_installed(tmp_path: Path) -> None:
    target, new = tmp_path / "in use" / "a.safetensors", tmp_path / "a.safetensors"
    assert install_weights(new, _weights(new, 50.0), target).startswith("Installed")
    assert install_weights(new, _weights(new, 49.0), target).startswith("Not installed")
    assert delta.load(target)["head"][0] == 50.0
    assert install_weights(new, _weights(new, 60.0, of="other"), target).startswith("Not installed")
    assert install_weights(new, _weights(new, 60.0), target).startswith("Installed")
    assert delta.load(target)["head"][0] == 60.0
