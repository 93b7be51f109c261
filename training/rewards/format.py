"""Is the output readable? Tables of Search-R1 and RE-Searcher, the order of tags, soft limits of length."""

from __future__ import annotations

import re

from training.metrics import exact_match
from training.rewards.contract import Episode, Score
from training.rewards.judging import reflection

FORMAT_WEIGHT, ANSWER_WEIGHT, RETRIEVAL_WEIGHT, REFLECT_WEIGHT = 0.2, 0.1, 0.0, 0.1
_TAG = re.compile(r"<(/?)(think|search|information|answer)>")
_NEXT = {
    "start": {"think"},
    "think": {"search", "answer"},
    "search": {"information"},
    "information": {"think"},
    "answer": set[str](),
}


def tags_in_order(text: str) -> bool:
    """Search-R1's state machine: think -> search -> information -> think -> ... -> answer.

    Tags are not nested, each is closed, and only white space stands between them; the last is an answer.

    >>> tags_in_order("<think>t</think> <answer>a</answer>")
    True
    >>> tags_in_order("<think><answer>a</answer></think>"), tags_in_order("<answer>a</answer> so"), tags_in_order("")
    (False, False, False)
    """
    state, opened, at = "start", "", 0
    for match in _TAG.finditer(text):
        closing, name = bool(match[1]), match[2]
        if closing != bool(opened) or (closing and name != opened):
            return False
        if not closing:
            if name not in _NEXT[state] or text[at : match.start()].strip():
                return False
            opened = name
        else:
            state, opened, at = name, "", match.end()
    return state == "answer" and not opened and not text[at:].strip()


def format_holds(episode: Episode) -> Score:
    """1 if the policy's output could be read and every action was carried out, else 0.

    >>> format_holds(Episode("q", well_formed=False))
    0.0
    """
    return float(episode.well_formed and all(step.valid for step in episode.steps))


def search_r1_score(right: bool, valid: bool, hit: bool, answered: bool) -> float:
    """Search-R1's reward with format (arXiv 2505.15117; read in its code). 0 to 1.

    Right: 1, or 0.8 where the structure is broken. Wrong: 0.2 for a valid structure (plus 0 for a retrieval
    hit in the released script), 0.1 for an answer in a broken one. Without an answer: 0.

    >>> search_r1_score(True, True, True, True), search_r1_score(True, False, True, True)
    (1.0, 0.8)
    >>> search_r1_score(False, True, True, True), search_r1_score(False, False, True, True)
    (0.2, 0.1)
    >>> search_r1_score(False, True, True, False)
    0.0
    """
    if not answered:
        return 0.0
    if right:
        return 1.0 if valid else 1 - FORMAT_WEIGHT
    return FORMAT_WEIGHT + RETRIEVAL_WEIGHT * hit if valid else ANSWER_WEIGHT


def re_searcher_score(right: bool, valid: bool, reflected: float) -> float:
    """RE-Searcher (arXiv 2509.26048): table of outcome and format + 0.1 reflection. 0 to 1.1.

    Right and valid 1, right but broken 0.8, wrong but valid 0.2, else 0. The printed equation can pay more for a
    broken format; the table is our reading.

    >>> [re_searcher_score(r, v, 0.0) for r in (True, False) for v in (True, False)]
    [1.0, 0.8, 0.2, 0.0]
    """
    table = {(True, True): 1.0, (True, False): 0.8, (False, True): 0.2, (False, False): 0.0}
    return table[right, valid] + REFLECT_WEIGHT * reflected


def re_searcher(episode: Episode) -> Score:
    """`re_searcher_score` with exact match. None without a gold answer.

    The table's "broken" is a step that failed on the way to a readable answer, and still pays 0.8 for a right one. An
    answer that could not be read at all is nobody's right answer: 0 (ours).

    Right and well formed, one of two verdicts agrees: 1 + 0.1 / 2.

    >>> from training.rewards.contract import Step
    >>> steps = (Step("search", accepted=True, useful=True), Step("search", accepted=True, useful=False))
    >>> re_searcher(Episode("q", answer="Oster", golds=("Oster",), steps=steps))
    1.05
    """
    if not episode.golds:
        return None
    if not episode.well_formed:
        return 0.0
    found = exact_match(episode.answer, episode.golds) == 1.0
    return re_searcher_score(found, format_holds(episode) == 1.0, reflection(episode) or 0.0)


def soft_overlong(length: int, limit: int, cache: int) -> float:
    """DAPO's soft punishment of length (read in TRL): 0, then linear over the last `cache`, then -1.

    Limit 100, cache 20.

    >>> [soft_overlong(n, 100, 20) for n in (80, 90, 100, 101)]
    [0.0, -0.5, -1.0, -1.0]
    """
    if not 0 < cache < limit:
        raise ValueError(f"the cache must lie between 0 and the limit {limit}: {cache}")
    if length <= limit - cache:
        return 0.0
    return max((limit - cache - length) / cache, -1.0)


def list_factors(indices: list[int], count: int, readable: bool = True) -> float:
    """MM-R5's format reward (arXiv 2506.12364; read in paper and code): valid * length * range, 0 to 1.

    Length: 1 - |returned - count| / count, not below 0. Range: share of indices from 1 to `count`. Repeats
    are merged first as the paper says; the released code scores the raw list, so that one index n times passes.

    >>> list_factors([3, 1, 2], 3), round(list_factors([1, 1, 1], 3), 4), round(list_factors([1, 2, 9], 3), 4)
    (1.0, 0.3333, 0.6667)
    """
    unique = list(dict.fromkeys(indices))
    if not readable or not unique or count < 1:
        return 0.0
    length = max(0.0, 1 - abs(len(unique) - count) / count)
    return length * sum(1 <= index <= count for index in unique) / len(unique)
