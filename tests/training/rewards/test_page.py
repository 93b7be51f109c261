import inspect

import pytest

from training.rewards.coverage import answer_shown
from training.rewards.page import _ADDING, PAGE, main, page
from training.rewards.registry import REWARDS


def test_the_page_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0, "run python -m training.rewards.page --write"
    assert capsys.readouterr().out == "current\n"


def test_it_names_every_reward_and_explains_every_failure() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in REWARDS)
    assert "NOT EXPLAINED" not in text
    assert text == page()


def test_the_example_of_adding_a_reward_is_the_code_as_it_stands() -> None:
    lines = inspect.getsource(answer_shown).splitlines()
    body = lines[[at for at, line in enumerate(lines) if '"""' in line][1] + 1 :]
    assert "\n".join(f"    {line}" for line in (lines[0], *body)) in PAGE.read_text(encoding="utf-8")
    name, about = REWARDS["answer_shown"].name, REWARDS["answer_shown"].hack
    assert f'Reward("{name}", coverage.{name}' in _ADDING and f'"{about}"' in _ADDING
