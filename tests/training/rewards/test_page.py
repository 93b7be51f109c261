import pytest

from training.rewards.page import PAGE, main, page
from training.rewards.registry import REWARDS


def test_the_page_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0, "run python -m training.rewards.page --write"
    assert capsys.readouterr().out == "current\n"


def test_it_names_every_reward_and_explains_every_failure() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in REWARDS)
    assert "NOT EXPLAINED" not in text
    assert text == page()
