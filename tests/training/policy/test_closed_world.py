"""The proof on the closed world, small: learning is shown, not only running."""

from pathlib import Path

import pytest

from training.policy.proof import prove


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_policy_learns_what_its_model_knows(tmp_path: Path) -> None:
    found = prove(tmp_path, questions=60, epochs=40, rounds=1, size=80).rows
    rows = {policy: {name: value or 0.0 for name, value in row.items()} for policy, row in found.items()}
    learned, before, always = rows["ip-dpo-1"], rows["untrained"], rows["always-search"]
    assert learned["right"] > before["right"] + 0.2
    assert learned["f1_aware"] > max(before["f1_aware"], 0.5)
    assert learned["cost"] < 0.8 * always["cost"]
    assert learned["value"] > always["value"]
    assert learned["abstention_f1"] > 0.75
