import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from agent.policy import FEATURES as AGENT_FEATURES
from agent.policy_net import load_net
from index.errors import InputError, StoreError
from training.policy import run as runs
from training.policy.acceptance import folds, verdict
from training.policy.foresight import foreseen, foreseen_choice
from training.policy.forest import Forest, greedy, plant
from training.policy.learn import oracle_targets, prefer
from training.policy.network import Inputs, Network, Shape, averaged, probabilities
from training.policy.pairs import make_pairs
from training.policy.played import as_played
from training.policy.recipe import Recipe
from training.policy.rewarding import Pricing, load_policy_preset
from training.policy.run import Run
from training.policy.run_folder import Stage, stages
from training.policy.scores import Scores, score_choices
from training.policy.trees import Situation, Tree, dump, parse

from .conftest import ACTIONS, FEATURES, make_tree

PRICING = Pricing(0.1, {"hybrid": 0.4, "deep": 1.0})


def recipe(algorithm: str, **changes: object) -> Recipe:
    quick: dict[str, object] = {"foresight": False, **changes}
    return Recipe(
        algorithm=algorithm,
        rounds=2,
        sft_epochs=15,
        dpo_epochs=6,
        updates=8,
        rollouts=4,
        pricing=PRICING,
        **quick,
    )  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def forest(trees: list[Tree]) -> Forest:
    return plant(trees, ACTIONS, load_policy_preset(), PRICING)


def test_a_tree_survives_its_line(trees: list[Tree]) -> None:
    assert parse(dump(trees[0])) == trees[0]


def test_values_by_hand(forest: Forest) -> None:
    q, v = forest.q_values(None)
    easy = int(forest.roots[0])  # right after one cheap search: 0.9 + 0.1 * mix - 0.1 * 0.4
    top = forest.values[
        forest.trees[0].endings.index(
            next(e for e in forest.trees[0].endings if e.path == ("hybrid", "answer"))
        )
    ]
    assert v[easy] == pytest.approx(top) == pytest.approx(1.0 - 0.04)
    assert q[easy, ACTIONS.index("answer")] == -np.inf
    uniform = forest.legal / forest.legal.sum(1, keepdims=True)
    leaf = easy + 3  # hybrid, deep: answer or abstain
    _, v = forest.q_values(uniform)
    ends = {e.path: forest.values[i] for i, e in enumerate(forest.trees[0].endings)}
    assert v[leaf] == pytest.approx(
        (ends["hybrid", "deep", "answer"] + ends["hybrid", "deep", "abstain"]) / 2
    )


def test_a_wrong_answer_never_outranks_a_right_one(trees: list[Tree]) -> None:
    dear = Pricing(10.0, {"hybrid": 5.0, "deep": 9.0})
    priced = plant(trees, ACTIONS, load_policy_preset(), dear)
    assert priced.values[priced.right].min() > priced.values[~priced.right].max()


def test_numpy_and_torch_score_alike(forest: Forest, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Network(FEATURES, ACTIONS, 0, Shape(hidden=8))
    network.normalise(forest)
    frozen = network.frozen({})
    found = frozen.logits(forest.features[:50])
    with torch.no_grad():
        wanted = network(torch.from_numpy(forest.features[:50]), torch.zeros(50, 0)).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_oracle_targets_prefer_the_best(forest: Forest) -> None:
    target = oracle_targets(forest, 0.05)
    q, _ = forest.q_values(None)
    np.testing.assert_allclose(target.sum(1), 1.0)
    assert (target[~forest.legal] == 0).all()
    assert q[np.arange(len(q)), target.argmax(1)] == pytest.approx(q.max(1))


def test_pairs_share_a_state_and_differ_in_value(forest: Forest) -> None:
    uniform = forest.legal / forest.legal.sum(1, keepdims=True)
    sampled = forest.sample(uniform, 8, np.random.default_rng(0))
    q, _ = forest.q_values(uniform)
    pairs = make_pairs(forest, sampled, q, margin=0.1, limit=4, number=1, policy="x")
    assert pairs
    for pair in pairs:
        legal = next(t for t in forest.trees if t.id == pair.question).situations
        state = next(s for s in legal if s.path == pair.path)
        assert {pair.chosen, pair.rejected} <= set(state.legal) and pair.gap >= 0.1
        assert pair.policy == "x" and pair.reason
    counts = [sum(p.question == t.id for p in pairs) for t in forest.trees]
    assert max(counts) <= 4


def test_actions_as_good_as_the_best_are_credited_too(forest: Forest) -> None:
    """Else the one that is a little cheaper wins every pair, and the other is forgotten where it alone is right."""
    uniform = forest.legal / forest.legal.sum(1, keepdims=True)
    root = int(forest.roots[0])
    q = np.where(forest.legal, 0.0, -np.inf)
    hybrid, deep, abstain = (ACTIONS.index(name) for name in ("hybrid", "deep", "abstain"))
    q[root, [hybrid, deep, abstain]] = 0.95, 0.94, 0.1
    sampled = forest.sample(uniform, 8, np.random.default_rng(0))
    pairs = make_pairs(forest, sampled, q, margin=0.02, limit=9, number=1, policy="x")
    mine = {(pair.chosen, pair.rejected) for pair in pairs if pair.situation == root}
    assert {("hybrid", "abstain"), ("deep", "abstain")} <= mine
    assert ("hybrid", "deep") not in mine and ("deep", "hybrid") not in mine


def test_a_wrong_answer_is_worse_than_silence(trees: list[Tree]) -> None:
    silent, bold = (
        plant(trees, ACTIONS, load_policy_preset(), replace(PRICING, silence=worth)) for worth in (0.25, 0.0)
    )
    for at, (tree, place) in enumerate(silent.endings):
        ending = silent.trees[tree].endings[place]
        undue = ending.abstained and not silent.right[at]
        assert silent.values[at] >= bold.values[at]
        assert undue or silent.values[at] == bold.values[at]


@pytest.mark.parametrize("algorithm", ["ip-dpo", "grpo"])
def test_training_reaches_nearly_the_oracle(trees: list[Tree], tmp_path: Path, algorithm: str) -> None:
    run = Run(tmp_path / "run", trees, ACTIONS, FEATURES, recipe(algorithm))
    run.execute()
    network = run.network()
    before = run.judge(network, run.held, "before").mean("value")
    network.load_state_dict(runs.load_file(str(run.checkpoint(stages(run.recipe)[-1]))))
    network.eval()
    after = run.judge(network, run.held, "after").mean("value")
    best = score_choices(run.held, greedy(run.held.q_values(None)[0]), PRICING.units, "oracle").mean("value")
    assert before is not None and after is not None and best is not None
    assert after > 0.9 * best > before
    folder = tmp_path / "run"
    assert {"config.json", "curves.json", "policy.safetensors", "policy.json"} <= {
        p.name for p in folder.iterdir()
    }
    curves = json.loads((folder / "curves.json").read_text())["stages"]
    assert all(stage["rewards"] and "held_out" in stage for stage in curves.values())


class Killed(Exception):
    pass


@pytest.mark.parametrize("algorithm", ["ip-dpo", "grpo"])
def test_a_killed_run_ends_in_the_same_policy(
    trees: list[Tree], tmp_path: Path, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Run(tmp_path / "whole", trees, ACTIONS, FEATURES, recipe(algorithm)).execute()
    begun = Run(tmp_path / "cut", trees, ACTIONS, FEATURES, recipe(algorithm))
    work, calls = Run._do, 0

    def dying(self: Run, stage: Stage, network: Network, done: dict[str, object]) -> Network:
        nonlocal calls
        calls += 1
        made = work(self, stage, network, done)
        if calls == 2:
            raise Killed  # after the work, before its checkpoint
        return made

    monkeypatch.setattr(Run, "_do", dying)
    with pytest.raises(Killed):
        begun.execute()
    monkeypatch.undo()
    again = Run(tmp_path / "cut", trees, ACTIONS, FEATURES, recipe(algorithm)).execute()
    assert again.fingerprint == whole.fingerprint


def test_another_run_is_not_overwritten(trees: list[Tree], tmp_path: Path) -> None:
    Run(tmp_path / "run", trees, ACTIONS, FEATURES, recipe("sft"))
    with pytest.raises(InputError, match="other settings"):
        Run(tmp_path / "run", trees, ACTIONS, FEATURES, recipe("sft", seed=8))
    with pytest.raises(InputError, match="no explored questions"):
        Run(tmp_path / "none", [], ACTIONS, FEATURES, recipe("sft"))


def test_a_rejected_round_leaves_the_policy_as_it_was(
    trees: list[Tree], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ruin(network: Network, *_: object) -> tuple[list[object], list[object]]:
        with torch.no_grad():
            network.b3.copy_(torch.tensor([-50.0, -50.0, -50.0, 50.0]))  # always abstain
        return [], []

    monkeypatch.setattr(runs, "prefer", ruin)
    run = Run(tmp_path / "run", trees, ACTIONS, FEATURES, recipe("ip-dpo"))
    run.execute()
    stages = json.loads((tmp_path / "run" / "curves.json").read_text())["stages"]
    assert stages["sft"]["accepted"] and not stages["ip-dpo-1"]["accepted"]
    assert stages["ip-dpo-2"]["held_out"]["value"] == stages["sft"]["held_out"]["value"]


def test_few_questions_are_judged_by_parts_that_a_round_did_not_learn_from(
    trees: list[Tree], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of thirty questions a handful is held out, here none that tells: what harms the rest must not pass."""

    def spoil(network: Network, forest: Forest, *_: object) -> tuple[list[object], list[object]]:
        learned.append(len(forest.trees))
        with torch.no_grad():
            network.b3.copy_(torch.tensor([-50.0, -50.0, -50.0, 50.0]))
        return [], []

    learned: list[int] = []
    monkeypatch.setattr(runs, "prefer", spoil)
    monkeypatch.setattr(runs, "split", lambda trees, _: (trees[:-1], trees[-1:]))
    hopeless = [tree for tree in trees if tree.answerable is False]
    run = Run(
        tmp_path / "run", [*trees[:29], hopeless[-1]], ACTIONS, FEATURES, replace(recipe("ip-dpo"), rounds=1)
    )
    run.execute()
    stage = json.loads((tmp_path / "run" / "curves.json").read_text())["stages"]["ip-dpo-1"]
    assert stage["judged_on"] == 30 and stage["change"] < -0.1 and not stage["accepted"]
    assert learned[:6] == [29, 24, 24, 24, 24, 24], "the round itself, then once without each fifth"


def test_a_round_for_nothing_is_kept_and_a_little_harm_is_not(forest: Forest) -> None:
    def scores(shift: float) -> Scores:
        best = score_choices(forest, forest.q_values(None)[0].argmax(axis=1), {}, "oracle")
        values = [(value or 0.0) + shift for value in best.columns["value"]]
        return replace(best, columns={**best.columns, "value": values})

    assert verdict([scores(0.0)], [scores(0.0)]).accepted
    harmed = verdict([scores(-0.01), scores(0.005)], [scores(0.0), scores(0.0)])
    assert not harmed.accepted and harmed.questions == 2 * len(forest.trees)
    assert sorted(at for _, left in folds(13) for at in left) == list(range(13))
    assert all(not set(learned) & set(left) for learned, left in folds(13))


def test_foresight_keeps_the_rule_and_drops_what_nothing_foretells() -> None:
    """Whether the deep search finds is a coin here that no feature shows; that the cheap one is in vain, the hint
    tells."""
    rng = random.Random(5)
    made = [make_tree(number, rng) for number in range(120)]

    def deep_wrong(tree: Tree) -> Tree:
        ends = (
            replace(end, answer="wrong") if end.path == ("deep", "answer") else end for end in tree.endings
        )
        return replace(tree, endings=tuple(ends))

    answered = [tree for tree in made if tree.answerable]
    coin = [deep_wrong(tree) if at % 4 < 2 else tree for at, tree in enumerate(answered)]
    planted = plant(coin, ACTIONS, load_policy_preset(), Pricing(0.1))
    q, _ = planted.q_values(None)
    seen = foreseen(planted, q, range(planted.features.shape[1]), 1)
    assert np.array_equal(np.isfinite(seen), planted.legal)
    paths = [situation.path for tree in coin for situation in tree.situations]
    after = [s for s, path in enumerate(paths) if path == ("deep",)]
    answer = ACTIONS.index("answer")
    assert np.ptp(q[after, answer]) > 0.5, "each question knows how its coin fell"
    assert np.std(seen[after, answer]) < 0.35 * np.std(q[after, answer])
    assert abs(seen[after, answer].mean() - q[after, answer].mean()) < 0.2
    hybrid = ACTIONS.index("hybrid")
    hints = planted.features[planted.roots, 0]
    easy, hard = planted.roots[hints > 0.5], planted.roots[hints < 0.5]
    assert seen[easy, hybrid].mean() > seen[hard, hybrid].mean() + 0.03
    aim, oracle = foreseen_choice(planted, range(4), 0.1, 1), oracle_targets(planted, 0.1)
    np.testing.assert_allclose(aim.sum(1), 1.0)
    assert (aim[~planted.legal] == 0).all()
    assert np.std(oracle[after, answer]) > 0.3 and np.std(aim[after, answer]) < 0.1
    plain = plant(answered, ACTIONS, load_policy_preset(), Pricing(0.1))
    aim, blind = (
        foreseen_choice(plain, told, 0.1, 1) for told in (range(4), [1, 2, 3])
    )  # with the hint, without
    assert aim[easy, hybrid].mean() > aim[hard, hybrid].mean() + 0.05
    assert abs(blind[easy, hybrid].mean() - blind[hard, hybrid].mean()) < 0.02
    few = plant(coin[:3], ACTIONS, load_policy_preset(), Pricing(0.1))
    assert np.array_equal(
        foreseen(few, few.q_values(None)[0], range(few.features.shape[1]), 1), few.q_values(None)[0]
    )


def test_imitation_of_what_can_be_foreseen_does_not_learn_a_coin_by_heart(tmp_path: Path) -> None:
    """As above the deep search's answer is a coin; imitating the oracle leaves its ending open, foresight does not."""
    rng = random.Random(6)
    coin = []
    for number in range(90):
        tree = make_tree(number, rng)
        lost = number % 6 < 3 and bool(tree.answerable)
        coin.append(
            replace(tree, endings=tuple(
                replace(e, answer="wrong") if lost and e.path[-1] == "answer" else e for e in tree.endings
            ))
        )  # fmt: skip
    aims = {}
    for foresight in (False, True):
        run = Run(tmp_path / str(foresight), coin, ACTIONS, FEATURES, recipe("sft", foresight=foresight))
        network = run.network()
        run.execute()
        network.load_state_dict(runs.load_file(str(run.checkpoint(run.plan()[0]))))
        found = probabilities(network.eval(), Inputs.of(run.held))
        solved = [s for s in range(len(found)) if run.held.features[s, FEATURES.index("found")] > 0.5]
        aims[foresight] = found[solved, ACTIONS.index("answer")].mean()
    assert aims[True] > aims[False] + 0.1 and aims[True] > 0.7


def test_preferences_raise_what_was_chosen(forest: Forest) -> None:
    torch.manual_seed(1)
    network = Network(FEATURES, ACTIONS, 0, Shape())
    network.normalise(forest)
    longer = replace(recipe("ip-dpo"), dpo_epochs=40)
    pairs, curve = prefer(network, forest, longer, 1, 5, 0.5)
    assert pairs and curve[-1]["loss"] < curve[0]["loss"] and curve[-1]["margin"] > max(0, curve[0]["margin"])
    chances = probabilities(network, Inputs.of(forest))
    index = {name: a for a, name in enumerate(ACTIONS)}
    won = [chances[p.situation, index[p.chosen]] > chances[p.situation, index[p.rejected]] for p in pairs]
    assert np.mean(won) > 0.75


def test_damaged_weights_are_refused(trees: list[Tree], tmp_path: Path) -> None:
    Run(tmp_path / "run", trees, ACTIONS, FEATURES, recipe("sft")).execute()
    path = tmp_path / "run" / "policy.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"zzzz")
    with pytest.raises(StoreError, match="damaged"):
        load_net(path)


def test_an_averaged_network_scores_the_mean(forest: Forest) -> None:
    made = []
    for seed in range(3):
        torch.manual_seed(seed)
        network = Network(FEATURES, ACTIONS, 0, Shape(hidden=5))
        network.normalise(forest)
        made.append(network.eval())
    rows = torch.from_numpy(forest.features[:40])
    with torch.no_grad():
        each = [network(rows, torch.zeros((40, 0))) for network in made]
        together = averaged(made)(rows, torch.zeros((40, 0)))
    assert torch.allclose(together, torch.stack(each).mean(0), atol=1e-5)
    with pytest.raises(ValueError, match="same inputs"):
        averaged([made[0], Network(FEATURES, ACTIONS, 0, Shape(hidden=5))])


def test_a_run_of_several_members_goes_on_where_it_stopped(trees: list[Tree], tmp_path: Path) -> None:
    several = recipe("ip-dpo", members=2)
    net = Run(tmp_path / "a", trees, ACTIONS, FEATURES, several).execute()
    alone = Run(tmp_path / "b", trees, ACTIONS, FEATURES, recipe("ip-dpo", seed=several.seed + 1)).execute()
    assert net.card["members"] == 2 and net.arrays["w1"].shape[1] == 2 * alone.arrays["w1"].shape[1]
    half = net.arrays["w1"][:, alone.arrays["w1"].shape[1] :]
    assert np.allclose(half, alone.arrays["w1"])  # the second member is the run of the next seed
    begun = (tmp_path / "a" / "policy.safetensors").read_bytes()
    (tmp_path / "a" / "policy.safetensors").unlink()
    Run(tmp_path / "a", trees, ACTIONS, FEATURES, several).execute()
    assert (tmp_path / "a" / "policy.safetensors").read_bytes() == begun


def test_what_never_varied_in_training_does_not_act_later(forest: Forest) -> None:
    network = Network(("constant", *FEATURES[1:]), ACTIONS, 0, Shape(hidden=8))
    still = replace(forest, features=forest.features.copy())
    still.features[:, 0] = 0.0
    network.normalise(still)
    assert network.unseen[0] == "constant"
    frozen = network.frozen({})
    rows = still.features[:20].copy()
    before = frozen.logits(rows)
    rows[:, 0] = 1.0
    assert np.allclose(frozen.logits(rows), before, atol=1e-4)


def test_a_policy_is_trained_on_from_its_weights(trees: list[Tree], tmp_path: Path) -> None:
    first = Run(tmp_path / "first", trees[:60], ACTIONS, FEATURES, recipe("sft")).execute()
    more = replace(recipe("grpo"), start=first.fingerprint)
    run = Run(tmp_path / "more", trees, ACTIONS, FEATURES, more, start=first)
    assert [stage.name for stage in run.plan()] == ["grpo-1", "grpo-2"]
    same = run.network().frozen({})
    np.testing.assert_array_equal(same.logits(run.held.features), first.logits(run.held.features))
    made = run.execute()
    assert made.fingerprint != first.fingerprint and made.card["unseen"] == first.card["unseen"]
    curves = json.loads((tmp_path / "more" / "curves.json").read_text())["stages"]
    assert curves["grpo-2"]["held_out"]["value"] >= curves["grpo-1"]["held_out"]["value"] - 0.05
    with pytest.raises(ValueError, match="another policy"):
        Run(tmp_path / "other", trees, ACTIONS, FEATURES, more)
    with pytest.raises(InputError, match="members"):
        replace(more, members=2)


def test_what_the_agent_settles_is_not_learned() -> None:
    """Silence before any search is the gate's, the line between the endings the judge's."""
    row = dict.fromkeys(AGENT_FEATURES, 0.0)
    root = Situation((), tuple(row.values()), ("graph", "abstain"))
    sure, unsure = (
        Situation(("graph",), tuple({**row, "searches": 0.25, "probability": p}.values()), legal)
        for p, legal in ((0.9, ("answer", "deep", "abstain")), (0.1, ("answer", "deep", "abstain")))
    )
    alone = Situation(("deep",), tuple({**row, "searches": 0.25}.values()), ("abstain",))
    tree = Tree("q", "q?", "set", (root, sure, unsure, alone), (), {})
    legal = [situation.legal for situation in as_played([tree])[0].situations]
    assert legal == [("graph",), ("answer", "deep"), ("deep", "abstain"), ("abstain",)]
