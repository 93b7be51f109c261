"""The proof on the closed world, small: learning is shown, not only running."""

from pathlib import Path

import pytest
import torch

from training.policy import closed_world
from training.policy.lm_stages import has_trl
from training.policy.proof import prove, taught_trees
from training.policy.question_forms import Calibration, answered_forms, asked_about, other_forms
from training.policy.taught_lm import TaughtModel
from training.world.closed_world import World


def test_an_invented_thing_is_not_given_away_by_its_features() -> None:
    """What the features say of it is read from the question's words, as of everything else."""
    world = World.generate(11, 30)
    library = closed_world.Library(world)
    kinds = {q.type: q for q in world.questions(5, 11)}
    invented, known = kinds["unanswerable"], kinds["single"]
    name, _ = asked_about(invented)
    assert name in invented.text and name != invented.text
    shares = [
        library.knows_word(asked_about(q)[0]) for q in world.questions(5, 11) if q.type == "unanswerable"
    ]
    assert library.knows_word(asked_about(known)[0]) == 1.0
    assert all(0 <= share <= 1 for share in shares)
    assert all(other != known.text for other in other_forms(known))


def test_what_was_taught_holds_when_parts_of_the_model_are_left_out() -> None:
    names = ("Mira", "Tolan", "Kukara", "Skana", "Vell", "Grondette", "Pevra", "Riken")
    towns = ("Divris", "Tolum", "Beskora", "Bomora", "Harka", "Jembane", "Voskary", "Gragholt")
    taught = [(f"Where was {name} born?", town) for name, town in zip(names[:6], towns, strict=False)]
    model = TaughtModel([text for pair in taught for text in pair] + [*names], width=64)
    model.teach(taught, epochs=250)
    state = torch.random.get_rng_state()
    known = model.shaken(taught)
    strange = [f"Where was {name} born?" for name in names[6:]]
    recalls = model.recall(strange)
    made_up = model.shaken([(text, one.answer) for text, one in zip(strange, recalls, strict=True)])
    assert min(known) > max(made_up)
    assert known == model.shaken(taught), "the seed decides which parts are left out"
    assert model.chances(taught) != known and not model.model.training
    assert torch.equal(state, torch.random.get_rng_state())
    forms = answered_forms(model, [taught[0][0]], model.recall([taught[0][0]]), [[taught[0][0]]])
    assert forms[0].shaken == pytest.approx(model.shaken([taught[0]])[0], abs=0.1)


def test_a_calibrated_chance_rises_with_what_holds_and_is_never_certain() -> None:
    held = [at / 200 for at in range(200)]
    knows = [at > 120 or at % 10 == 0 for at in range(200)]
    calibration = Calibration(held, knows)
    chances = [calibration.chance(one) for one in held]
    assert chances == sorted(chances)
    assert sum(chances[:100]) / 100 == pytest.approx(0.1, abs=0.02)
    assert 0 < calibration.chance(-1.0) < calibration.chance(2.0) < 1


def test_a_small_lesson_is_explored_once(tmp_path: Path) -> None:
    told: list[str] = []
    train, test = taught_trees(tmp_path, 3, 8, 2, 60, told.append)
    assert len(train) == len(test) == 16 and not {t.question for t in train} & {t.question for t in test}
    known = closed_world.FEATURES.index("known")
    assert all(0.01 <= tree.situations[0].features[known] <= 0.99 for tree in (*train, *test))
    assert all(tree.endings and tree.knows is not None for tree in train)
    assert taught_trees(tmp_path, 3, 8, 2, 60, told.append) == (train, test) and len(told) == 2


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("default")  # the trainers' own are not ours to mend
def test_a_policy_learns_what_its_model_knows(tmp_path: Path) -> None:
    found = prove(tmp_path, questions=40, epochs=50, rounds=1, size=60, lm=has_trl()).rows
    rows = {policy: {name: value or 0.0 for name, value in row.items()} for policy, row in found.items()}
    before, always = rows["untrained"], rows["always-search"]
    for name in ("ip-dpo-1", "grpo-1"):
        assert rows[name]["right"] > before["right"] + 0.2
        assert rows[name]["f1_aware"] > max(before["f1_aware"] + 0.2, 0.8)
        assert rows[name]["cost"] < 0.8 * always["cost"]
        assert rows[name]["value"] > always["value"]
    assert rows["grpo-1"]["right"] >= always["right"]
    assert rows["grpo-1"]["abstention_f1"] > 0.8
    if has_trl():
        assert rows["lm sft"]["value"] > max(rows["lm untrained"]["value"] + 0.2, always["value"])
        for name in ("lm ip-dpo-1", "lm grpo-1"):
            assert rows[name]["f1_aware"] > 0.8
            assert rows[name]["value"] > always["value"] + 0.1
