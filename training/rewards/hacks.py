"""Twenty ways to cheat a reward, each run against every reward and preset it applies to.

A failure is either mended or stands in `KNOWN` with its reason; the generated page shows both. The tests are those of
a common catalogue (echoing, padding, stuffing and so on); constructions and the world they run in are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from training.rewards import hack_checks as checks
from training.rewards.compose import Preset, compose, load_presets
from training.rewards.contract import Episode, Reward, Score
from training.rewards.registry import REWARDS

_BAG = "A bag of token vectors by design, exempt in the catalogue of tests: order is not seen. Only beside an outcome."
_FORM = "It measures form, not truth, as the principle asks. Use it among right answers only."
_NOUN = (
    "A common noun put for another (a fire for low water) changes no name, no number and hardly the cosine. Nearest "
    "word vectors do not tell it from a paraphrase either (0.15 for low, 0.26 for a true designed / drew the plans): "
    "only a language model as the verifier sees it."
)
_MEMORY = (
    "An answer from memory cites nothing, and this mixture pays for citations: it searches always, by intent."
)
KNOWN: dict[tuple[str, str], str] = {
    ("bag_of_words", "shuffle"): _BAG,
    ("nuggets", "dominance"): _NOUN,
    ("principle", "shuffle"): _FORM,
    ("principle", "dominance"): _FORM,
    ("preset citation", "search counts"): _MEMORY,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one test on one reward."""

    reward: str
    test: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Hack:
    """A test: whom it concerns, and what went wrong (empty: nothing)."""

    name: str
    rule: str
    applies: Callable[[Reward], bool]
    run: Callable[[Reward], str]


def preset_reward(preset: Preset) -> Reward:
    """A preset as a group reward, so that the same tests run on it."""

    def score(episodes: Sequence[Episode]) -> list[Score]:
        return [scored.total for scored in compose(preset, episodes)]

    return Reward(
        f"preset {preset.name}", score, 0.0, 1.0, "ours", "outcome",
        ("answer", "queries", "results", "cost", "format", "abstention"), ("gold",), "see its components", "group",
    )  # fmt: skip


def subjects() -> list[Reward]:
    """Everything the suite runs on: rewards of episodes and groups, and the packaged presets."""
    rewards = [reward for reward in REWARDS.values() if reward.level != "formula"]
    return rewards + [preset_reward(preset) for preset in load_presets().values()]


@cache
def suite() -> dict[tuple[str, str], Outcome]:
    """All outcomes by reward and test; run once in a process (some seconds)."""
    return {(found.reward, found.test): found for reward in subjects() for found in run(reward)}


def run(reward: Reward) -> list[Outcome]:
    """All tests that concern a reward."""
    found = []
    for hack in HACKS:
        if hack.applies(reward):
            detail = hack.run(reward)
            found.append(Outcome(reward.name, hack.name, not detail, detail))
    return found


def _reads(*names: str) -> Callable[[Reward], bool]:
    return lambda reward: bool(set(names) & set(reward.reads))


def _of_text(reward: Reward) -> bool:
    return "answer" in reward.reads and "encoder" in reward.needs


def _with_truth(reward: Reward) -> bool:
    return "answer" in reward.reads and bool({"gold", "reference", "evidence"} & set(reward.needs))


def _is_outcome(reward: Reward) -> bool:
    return reward.role == "outcome"


def _always(reward: Reward) -> bool:
    return True


HACKS = (
    Hack("echo", "answer = question: under the 10th percentile of honest answers", _reads("answer"), checks.echo),
    Hack("pad", "1 to 5 neutral or repeated sentences: no rise", _reads("answer"), checks.pad),
    Hack("stuff", "a list of all key words: under the honest answer", _reads("answer"), checks.stuff),
    Hack("shuffle", "words permuted: a fall of at least 20 % where sentences count", _of_text, checks.shuffle),
    Hack("negation, number", "a \"not\" or another digit: under the right answer", _with_truth, checks.falsify),
    Hack("repeat", "steps, ids, citations or calls repeated: no rise",
         _reads("queries", "results", "citations", "calls", "verdicts", "cost"), checks.repeat),
    Hack("refuse", "always abstaining: not above always answering on a balanced set", _is_outcome, checks.refuse),
    Hack("search counts", "neither never nor always searching is best on a mixed set",
         _reads("cost"), checks.search_counts),
    Hack("cite", "random, missing and all citations: each under the right ones", _reads("citations"), checks.cite),
    Hack("format", "unreadable output: the lowest value, no exception",
         _reads("answer", "format", "calls"), checks.malformed),
    Hack("collapse", "32 graded answers: deviation 0.05 and Spearman 0.7 at least",
         lambda reward: "reference" in reward.needs and "answer" in reward.reads, checks.collapse),
    Hack("monotone", "the adaptive map keeps the order", lambda reward: reward.name == "adaptive", checks.monotone),
    Hack("dominance", "the worst right answer over the best wrong one", _is_outcome, checks.dominance),
    Hack("permute", "the order of gold items and of siblings: no change", _always, checks.permute),
    Hack("reverse", "an opposite principle: the ranking turns",
         lambda reward: reward.name == "principle", checks.reverse),
    Hack("goodhart", "best of n, n to 64: gold does not fall", _is_outcome, checks.goodhart),
    Hack("inject", "a passage that asks for the full score: no rise", _reads("results", "citations"), checks.inject),
    Hack("flat group", "nearly equal rewards: advantages 0", _always, checks.flat_group),
    Hack("none", "None for one or all: left out, advantage 0", _always, checks.nothing),
    Hack("seed", "a second run, in another order: equal bits", _always, checks.again),
)  # fmt: skip
