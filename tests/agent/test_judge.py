"""The judge and the proposals it judges, over a read collection."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent import judge, judge_rules, judge_weights
from agent.inquiry import Inquiry
from agent.judge import FEATURES, answer_of, features, judged
from agent.judge_weights import JudgeWeights
from agent.matching import WordMatcher
from agent.proposals import PAIRS, SINGLES, ranked_chains
from agent.question import analyse
from agent.reader import Reader
from agent.reader_model import load_reader
from index import delta
from index.encoders import MiniLMEmbedder
from index.retrieve import Searcher
from index.store import Store
from index.trees import from_dump
from index.types import Scope

QUESTION = "Where was the designer of the Teal Bridge born?"


@pytest.fixture(scope="module")
def inquiry(corpus_dir: object, embedder: MiniLMEmbedder) -> Inquiry:
    searcher = Searcher(Store.open(corpus_dir), embedder)  # type: ignore[arg-type]
    made = Inquiry.open(QUESTION, searcher, Scope(), load_reader())
    goal = made.next_goal()
    assert goal is not None
    made.read(Reader(embedder, WordMatcher(embedder)), goal, searcher.search(QUESTION, 6, "ranked"))
    return made


@pytest.fixture
def given() -> Iterator[None]:
    """Whatever judge a test puts in place goes with the test."""
    yield
    judge_weights.use(None)


def test_the_chain_over_the_bridge_wins(inquiry: Inquiry) -> None:
    best = inquiry.whole.judged[0]
    assert best.answer == "Tarsholm"
    assert [link.passage.source for link in best.chain.links] == ["bridge", "vell"]
    assert 0.0 < best.probability < 1.0
    said = [one.probability for one in inquiry.whole.judged]
    assert said == sorted(said, reverse=True)


def test_features_are_finite_and_named(inquiry: Inquiry) -> None:
    thread = inquiry.whole
    chains = [one.chain for one in thread.judged]
    answers = [answer_of(thread.question, chain) for chain in chains]
    table = features(thread.question, thread.weights, chains, answers, thread.useful)
    assert table.shape == (len(chains), len(FEATURES))
    assert np.isfinite(table).all()
    assert judged(thread.question, thread.weights, [], {}) == []


def test_proposals_are_few_and_lead_somewhere(inquiry: Inquiry) -> None:
    thread = inquiry.whole
    chains = ranked_chains(thread.question, thread.weights, thread.pool, thread.useful)
    assert len(chains) <= SINGLES + PAIRS
    pairs = [[link.passage.source for link in chain.links] for chain in chains if len(chain.links) == 2]
    assert ["bridge", "vell"] in pairs
    assert all(first != second for first, second in pairs)


def test_calibration_scales_the_log_odds(inquiry: Inquiry, given: None) -> None:
    thread = inquiry.whole
    chains = [one.chain for one in thread.judged]
    leaf = from_dump([{"tree_structure": {"leaf_value": 2.0}}])
    judge_weights.use(JudgeWeights(leaf, (0.5, -1.0)))
    found = judged(thread.question, thread.weights, chains, thread.useful)
    equal = [one.chain for one in found if round(one.probability, 6) == 0.5]
    assert equal == [chain for chain in chains if any(chain is other for other in equal)]  # as proposed
    assert equal and {round(one.probability, 6) for one in found} <= {0.5, judge.UNCONNECTED}


def test_preferring_is_learned_apart_from_the_probability(inquiry: Inquiry, given: None) -> None:
    """The preferred chain takes the surest one's place and probability; no rule's exclusion is undone by it."""
    thread = inquiry.whole
    chains = [one.chain for one in thread.judged]
    scale = from_dump([_split(FEATURES.index("rank"), 0.5, 2.0, 1.0)])  # the first proposal is the surest
    judge_weights.use(JudgeWeights(scale))
    before = judged(thread.question, thread.weights, chains, thread.useful)
    free = [one for one in before if one.probability > judge.UNCONNECTED and one.answer != before[0].answer]
    liked, column, threshold = next(
        (one, name, (one.features[name] + best) / 2)
        for one in free
        for name in FEATURES
        if one.features[name] > 0.01 + (best := max(o.features[name] for o in before if o is not one))
    )
    preference = from_dump([_split(FEATURES.index(column), threshold, 0.0, 1.0)])
    judge_weights.use(JudgeWeights(scale, choice=preference))
    after = judged(thread.question, thread.weights, chains, thread.useful)
    assert after[0].answer == liked.answer
    assert after[0].probability == before[0].probability > liked.probability
    second = next(one for one in after if one.chain is before[0].chain)
    assert second.probability == liked.probability


def _split(column: int, threshold: float, low: float, high: float) -> dict[str, object]:
    leaves = {"left_child": {"leaf_value": low}, "right_child": {"leaf_value": high}}
    return {"tree_structure": {"split_feature": column, "threshold": threshold, **leaves}}


def test_weights_come_back_from_their_file(tmp_path: Path) -> None:
    shipped = judge_weights.current()
    delta.save_arrays(tmp_path / "judge.safetensors", shipped.arrays(), {"skill": "judge"})
    read = JudgeWeights.load(tmp_path / "judge.safetensors")
    table = np.random.default_rng(3).random((5, len(FEATURES))).astype(np.float32)
    assert (read.stated(table) == shipped.stated(table)).all()
    assert (read.preferred(table) == shipped.preferred(table)).all()
    alone = replace(shipped, choice=None)
    assert (alone.preferred(table).argsort() == alone.stated(table).argsort()).all()


def test_the_number_of_its_own_document_is_no_answer_unless_asked_for(inquiry: Inquiry) -> None:
    first = inquiry.whole.judged[0].chain
    titled = replace(first.last, passage=replace(first.last.passage, title="PEP 304: Mills"))
    chain = replace(first, links=(titled,))
    assert judge_rules.own_number(analyse("Which mill was built first?"), chain, "PEP 304")
    assert judge_rules.own_number(analyse("Which mill was built first?"), chain, "PEP-304")
    assert not judge_rules.own_number(analyse("Which PEP speaks of mills?"), chain, "PEP 304")
    assert not judge_rules.own_number(analyse("Which mill was built first?"), chain, "Mills")
    assert not judge_rules.own_number(analyse("Which mill was built first?"), first, "Tarsholm")


def test_a_word_of_the_question_is_no_date() -> None:
    asked = analyse("On what date was the engineer born?")
    assert judge_rules.echoes(asked, "born") and judge_rules.echoes(asked, "the engineer")
    assert not judge_rules.echoes(asked, "3 May 1900") and not judge_rules.echoes(asked, "Easter Sunday")
    assert judge_rules.echoes(analyse("Who was the engineer born in Tarsholm?"), "the engineer")
    assert judge_rules.echoes(analyse("In what city was Odo of Marl born?"), "Marl")
    assert not judge_rules.echoes(analyse("Who was born first, Odo Prell or Ilse Varn?"), "Odo Prell")


def test_an_age_is_no_pay() -> None:
    asked = analyse("What base salary does the head of the yard receive?")
    assert judge_rules.too_little(asked, "61")
    assert not judge_rules.too_little(asked, "61,000") and not judge_rules.too_little(asked, "$61")
    assert not judge_rules.too_little(analyse("What is the length of the yard?"), "61")
