"""The worked examples of the docstrings hold."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import training.losses
import training.rewards
from training.rewards.registry import REWARDS

MODULES = ["training.losses"] + [
    f"training.rewards.{module.name}" for module in pkgutil.iter_modules(training.rewards.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", REWARDS)
def test_every_reward_shows_a_worked_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(REWARDS[name].score) or "")
