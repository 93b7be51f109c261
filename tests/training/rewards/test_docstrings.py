"""The worked examples of the docstrings hold."""

import doctest
import importlib
import pkgutil

import pytest

import training.losses
import training.rewards

MODULES = ["training.losses"] + [
    f"training.rewards.{module.name}" for module in pkgutil.iter_modules(training.rewards.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
