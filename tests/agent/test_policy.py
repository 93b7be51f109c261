"""The interface of policies: situations, choices, runs that fork, and baselines behind the same door."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.agent import Agent
from agent.build import open_agent
from agent.config import AgentConfig, Settings
from agent.policies import NAMED, open_policy
from agent.policy import ACTIONS, FEATURES, FINAL, LEVELS, Choice, Rules, Situation, certain
from agent.run import Run, decided
from agent.trace import trajectory_from
from index.errors import ConfigError, InputError

TWO_HOPS = "In which town was the designer of the Teal Bridge born?"
COMPARES = "Which is longer, the Teal Bridge or the Iron Bridge?"


@pytest.fixture(scope="module")
def agent(corpus_dir: Path) -> Agent:
    patient = Settings(
        agent=AgentConfig(max_seconds=3600, policy="rules")
    )  # a slow machine must not run out of time
    return open_agent(corpus_dir, memory=False, settings=patient)


@pytest.fixture
def new_run(agent: Agent) -> Callable[[str], Run]:
    def made(question: str = TWO_HOPS) -> Run:
        run = agent.open_run(question)
        run.begin()
        return run

    return made


def finish(run: Run, policy: Rules | None = None) -> Run:
    policy = policy or Rules()
    while not run.finished:
        run.act(policy.decide(run.situation()))
    return run


def told(run: Run) -> list[tuple[str, str]]:
    return [(step.stage, step.summary) for step in run.steps]


@pytest.mark.parametrize(
    "question", [TWO_HOPS, COMPARES, "Who designed the Teal Bridge?", "What is Zelvonia?"]
)
def test_step_by_step_is_the_same_as_asking(agent: Agent, question: str) -> None:
    run = agent.open_run(question)
    run.begin()
    finish(run)
    asked = agent.run(question)
    assert told(run) == [(step.stage, step.summary) for step in asked.steps]
    assert run.answer is not None and run.answer.text == asked.answer.text
    assert asked.policy == f"rules@{Rules().fingerprint}"


def test_a_situation_is_finite_named_and_json(new_run: Callable[[str], Run]) -> None:
    run = new_run(TWO_HOPS)
    while not run.finished:
        now = run.situation()
        assert len(now.values) == len(FEATURES) and all(math.isfinite(value) for value in now.values)
        assert (
            now.legal == tuple(action for action in ACTIONS if action in now.legal) and "abstain" in now.legal
        )
        assert Situation.from_dict(json.loads(json.dumps(now.to_dict()))) == now
        assert now["searches"] == now.features["searches"]
        run.act(Rules().decide(now))


def test_the_record_holds_state_legal_actions_and_probability(agent: Agent) -> None:
    record = agent.run(TWO_HOPS)
    made = [step.decision for step in record.steps if step.decision and step.decision.name == "policy"]
    assert [d.chosen for d in made][0] in LEVELS and made[-1].chosen in FINAL
    for decision in made:
        assert tuple(decision.features) == FEATURES
        assert tuple(decision.probabilities) == decision.options
        assert math.isclose(sum(decision.probabilities.values()), 1.0)
        assert decision.log_probability == 0.0
    assert trajectory_from(json.loads(json.dumps(record.to_dict()))) == record


def test_forks_go_their_own_ways(new_run: Callable[[str], Run]) -> None:
    run = new_run(TWO_HOPS)
    run.act("hybrid")
    before, steps = run.situation(), told(run)
    left, right = run.fork(), run.fork()
    left.act("next_goal")
    left.act("graph")
    right.act("abstain")
    assert right.finished and not left.finished and not run.finished
    assert told(run) == steps and run.situation().values == before.values
    fresh = new_run(TWO_HOPS)
    for action in left.actions:
        fresh.act(action)
    assert told(fresh) == told(left)
    assert fresh.situation().legal == left.situation().legal


def test_searches_paid_for_are_not_made_again(
    new_run: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(TWO_HOPS)
    made: list[tuple[str, object]] = []
    search = type(run.tools.searcher).search

    def counting(self: object, query: str, *rest: object, **more: object) -> object:
        made.append((query, rest[1]))
        return search(self, query, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(type(run.tools.searcher), "search", counting)
    for _ in range(3):
        run.fork().act("graph")
    assert len(made) == len(set(made)) == 2  # the passages, and what may hold a field


def test_every_walk_through_the_legal_actions_ends(new_run: Callable[[str], Run]) -> None:
    """The tree of a question, three actions wide: no dead end, no action that is legal and fails, budgets kept."""
    open_runs, ends = [new_run(TWO_HOPS)], 0
    while open_runs:
        run = open_runs.pop()
        if run.finished:
            ends += 1
            assert run.answer is not None and run.answer.kind in ("answer", "abstention")
            assert run.answer.cost.searches <= 4 and len(run.steps) <= run.tools.config.max_steps + 2
            continue
        legal = run.situation().legal
        for action in legal if len(run.actions) < 3 else legal[-2:]:
            fork = run.fork()
            fork.act(action)
            open_runs.append(fork)
    assert ends > 10


def test_illegal_actions_are_refused_or_replaced(new_run: Callable[[str], Run]) -> None:
    run = new_run(TWO_HOPS)
    with pytest.raises(InputError, match="not legal here. Legal are: hybrid, graph"):
        run.act("answer")

    class Stubborn:
        name, fingerprint = "stubborn", "0"

        def decide(self, situation: Situation) -> Choice:
            return Choice("memory", {"memory": 1.0})

    choice = decided(Stubborn(), run.situation(), Rules())
    assert choice.action == "graph" and "stubborn chose 'memory'" in choice.error
    steps = run.act(choice)
    assert steps[0].error == choice.error and steps[1].error == ""


def test_an_interrupted_run_catches_up(new_run: Callable[[str], Run], agent: Agent) -> None:
    run = finish(new_run(TWO_HOPS))
    for steps in range(len(run.steps) + 1):
        again = agent.open_run(TWO_HOPS)
        again.replay(run.actions, steps)
        assert len(again.steps) >= steps and told(again)[:steps] == told(run)[:steps]
        while again.queue:
            again.advance()
        assert finish(again).answer is not None and again.answer.text == run.answer.text  # type: ignore[union-attr]


@pytest.mark.parametrize("name", sorted(NAMED))
def test_baselines_answer(corpus_dir: Path, name: str) -> None:
    agent = open_agent(
        corpus_dir, memory=False, settings=Settings(agent=AgentConfig(policy=name, max_seconds=3600))
    )
    record = agent.run("Who designed the Teal Bridge?")
    assert record.answer.short == "Mira Vell" and record.policy.startswith(f"{name}@")
    least = {"always-deep": 2, "fixed-3-hop": 2, "adaptive-note": 2}.get(name, 1)
    assert least <= record.answer.cost.searches <= (1 if least == 1 else 3)
    assert agent.ask("What is the capital of Zelvonia?").abstained


def test_an_unknown_policy_is_told() -> None:
    with pytest.raises(ConfigError, match="no policy 'rule'. Did you mean rules"):
        open_policy(AgentConfig(policy="rule"))
    with pytest.raises(ConfigError, match="no language model is chosen"):
        open_policy(AgentConfig(policy="model"))


def test_certain_gives_every_legal_action_a_probability() -> None:
    choice = certain("graph", ("hybrid", "graph", "abstain"))
    assert choice.probabilities == {"hybrid": 0.0, "graph": 1.0, "abstain": 0.0}
