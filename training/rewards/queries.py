"""Are the queries good? Novelty and use (SmartSearch), a person's intent (ChatR1), expansions (LESER)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from training.metrics import f1, normalize
from training.rewards.contract import Episode, Score, Step, mean
from training.rewards.outcome import right, word_f1

ALLOWED_OVERLAP = 1
LOSS_A_QUERY, RIGHT_AT_LEAST, WRONG_AT_MOST, FORMAT_WEIGHT = 0.1, 0.7, 0.3, 0.1
INTENT_WEIGHT = 0.2
RELEVANCE_WEIGHT, COVERAGE_WEIGHT, PENALTY_WEIGHT = 0.5, 0.5, 0.2
MAX_QUERY_WORDS = 32


def overlaps(results: Sequence[Collection[str]]) -> list[int]:
    """For each search, how many of its passages an earlier search returned; identifiers, not texts.

    >>> overlaps([{"a", "b"}, {"b", "c"}, {"a", "c", "d"}])
    [0, 1, 2]
    """
    seen: set[str] = set()
    counts = []
    for ids in results:
        counts.append(len(seen & set(ids)))
        seen |= set(ids)
    return counts


def novel(results: Sequence[Collection[str]], allowed: int = ALLOWED_OVERLAP) -> list[bool]:
    """SmartSearch (arXiv 2601.04888; read in code and paper): at most one passage seen before.

    The vector is for lists of five; a search that returns nothing new although it returns something is never
    novel (ours: a repeat of a list with one passage would pass the rule).

    >>> novel([{"a", "b"}, {"b", "c"}, {"a", "c", "d"}])
    [True, True, False]
    """
    return [
        count <= allowed and not (count and count == len(set(ids)))
        for count, ids in zip(overlaps(results), results, strict=True)
    ]


def good_queries(episode: Episode) -> list[bool | None]:
    """For each search: novel and useful. None where it is novel and no teacher judged its use."""
    steps = episode.searches
    return [
        step.useful if fresh else False
        for step, fresh in zip(steps, novel([step.ids for step in steps]), strict=True)
    ]


def novelty(episode: Episode) -> Score:
    """Share of searches that are novel, 0 to 1. None without a search. Needs no gold.

    An empty result counts as not novel: a query that finds nothing taught nothing.

    >>> from training.rewards.contract import Passage
    >>> one = Step("search", results=(Passage("a"), Passage("b")))
    >>> novelty(Episode("q", steps=(one, one)))
    0.5
    """
    steps = episode.searches
    fresh = novel([step.ids for step in steps])
    return mean([float(f and bool(step.ids)) for f, step in zip(fresh, steps, strict=True)])


def usefulness(episode: Episode) -> Score:
    """Share of judged searches that are novel and useful, 0 to 1. None without a teacher's judgement.

    A repeated search needs no teacher to be bad, but alone it says nothing of the others.

    >>> from training.rewards.contract import Passage
    >>> steps = [Step("search", results=(Passage(i),), useful=i == "a") for i in "ab"]
    >>> usefulness(Episode("q", steps=tuple(steps)))
    0.5
    """
    if all(step.useful is None for step in episode.searches):
        return None
    return mean([float(good) for good in good_queries(episode) if good is not None])


def smartsearch_score(right: bool, bad: int, good: int, well_formed: bool, readable: bool = True) -> float:
    """SmartSearch's stage 3 reward, 0 to 1.1 (read in code and paper).

    Right: max(1 - 0.1 bad, 0.7); wrong: min(0.1 good, 0.3); plus 0.1 for format; 0 for a broken search tag.

    >>> smartsearch_score(True, 2, 0, True), smartsearch_score(True, 5, 0, True)
    (0.9, 0.7999999999999999)
    >>> round(smartsearch_score(False, 0, 2, True), 4), smartsearch_score(False, 0, 6, False)
    (0.3, 0.3)
    """
    if not readable:
        return 0.0
    score = max(1 - LOSS_A_QUERY * bad, RIGHT_AT_LEAST) if right else min(LOSS_A_QUERY * good, WRONG_AT_MOST)
    return score + FORMAT_WEIGHT * well_formed


def smartsearch(episode: Episode) -> Score:
    """`smartsearch_score` of an episode; a search that no teacher judged counts as neither good nor bad.

    Right, one good and two bad queries: 1 - 0.2 + 0.1.

    >>> from training.rewards.contract import Passage
    >>> steps = [Step("search", results=(Passage(i),), useful=i == "a") for i in "abc"]
    >>> round(smartsearch(Episode("q", answer="Oster", golds=("Oster",), steps=tuple(steps))), 4)
    0.9
    """
    found = right(episode)
    if found is None:
        return None
    judged = good_queries(episode)
    return smartsearch_score(
        found,
        sum(good is False for good in judged),
        sum(good is True for good in judged),
        episode.well_formed,
        all(step.valid for step in episode.searches) and episode.well_formed,
    )


def intent(episode: Episode) -> Score:
    """ChatR1 (arXiv 2510.13312): best word F1 of a query against the self-contained rewrite, 0 to 1.

    None without a rewrite or without a search; weight 0.2 beside the answer's F1 (read in a note).

    >>> intent(Episode("And his wife?", rewrite="Who was the wife of Jon Aldin",
    ...                steps=(Step("search", query="wife of Jon Aldin"),)))
    0.8
    """
    if not episode.rewrite or not episode.searches:
        return None
    return max(f1(step.query, [episode.rewrite]) for step in episode.searches)


def chatr1(episode: Episode) -> Score:
    """Word F1 of the answer + 0.2 intent, 0 to 1.2. None without a gold answer.

    The answer is right and the query's F1 with the rewrite is 0.8: 1 + 0.2 * 0.8.

    >>> asked = (Step("search", query="wife of Jon Aldin"),)
    >>> known = Episode("And his wife?", "Ida", golds=("Ida",), rewrite="Who was the wife of Jon Aldin", steps=asked)
    >>> round(chatr1(known), 4)
    1.16
    """
    outcome = word_f1(episode)
    return None if outcome is None else outcome + INTENT_WEIGHT * (intent(episode) or 0.0)


def expansion_score(
    base: Collection[str], found: Collection[str], relevant: Collection[str], broken: float = 0.0
) -> float:
    """LESER (arXiv 2509.05570; the idea from its abstract, the formula ours): -0.2 to 1.

    0.5 mean relevance of the new results + 0.5 new relevant / (known relevant + 1) - 0.2 broken rules (0..1).
    Results the base query had already shown earn nothing. Relevance must not be judged by the retriever that
    found them.

    Base {a}; found {a, b, c}; relevant {a, b}: new {b, c}, relevance 1/2, coverage 1/3.

    >>> round(expansion_score({"a"}, {"a", "b", "c"}, {"a", "b"}), 4)
    0.4167
    >>> expansion_score({"a"}, {"a"}, {"a"})
    0.0
    """
    new = set(found) - set(base)
    hits = len(new & set(relevant))
    relevance = hits / len(new) if new else 0.0
    coverage = hits / (len(set(relevant)) + 1)
    return RELEVANCE_WEIGHT * relevance + COVERAGE_WEIGHT * coverage - PENALTY_WEIGHT * broken


def expansion(episode: Episode) -> Score:
    """`expansion_score` of the later searches over the first one. None without gold or a second search.

    Rules: not empty, at most 32 words, not a copy of an earlier query, some result.

    First a; then a, b, c; gold a and b: half of the new ones relevant, one of three known: 0.25 + 0.1667.

    >>> from training.rewards.contract import Evidence, Passage
    >>> steps = (Step("search", query="mill", results=(Passage("a"),)),
    ...          Step("search", query="its builder", results=tuple(map(Passage, "abc"))))
    >>> round(expansion(Episode("q", evidence=(Evidence("a"), Evidence("b")), steps=steps)), 4)
    0.4167
    """
    steps = episode.searches
    if not episode.evidence or len(steps) < 2:
        return None
    found = {identifier for step in steps[1:] for identifier in step.ids}
    return expansion_score(steps[0].ids, found, episode.gold_ids, _broken(steps))


def _broken(steps: Sequence[Step]) -> float:
    """Share of the expansions that break a rule."""
    asked = [normalize(step.query) for step in steps]
    breaks = [
        not query or len(query.split()) > MAX_QUERY_WORDS or query in asked[:at] or not steps[at].ids
        for at, query in enumerate(asked)
    ]
    return sum(breaks[1:]) / len(breaks[1:])


def search_efficiency(scores: Sequence[float], searches: Sequence[int]) -> Score:
    """SmartSearch's SE: mean of F1 over searches; a question without a search counts as one (ours).

    >>> search_efficiency([1.0, 1.0], [0, 2])
    0.75
    """
    return mean([score / max(count, 1) for score, count in zip(scores, searches, strict=True)])


def search_quality(episodes: Sequence[Episode]) -> Score:
    """SmartSearch's SQ: share of right answers with only good queries, plus wrong ones with a good query.

    Read in the paper; "good queries" of a wrong answer is read as at least one. Episodes without known
    outcome, or with a search whose use nobody judged, are left out; None if none remain.
    """
    kept = []
    for episode in episodes:
        found, judged = right(episode), good_queries(episode)
        if found is not None and all(good is not None for good in judged):
            kept.append(float(all(judged) if found else any(judged)))
    return mean(kept)
