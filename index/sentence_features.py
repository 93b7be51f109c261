"""What the packer sees of a sentence: cheap numbers about its passage, its words, its names and its neighbours.

First look (`first_look`): the sentence by itself, beside the other sentences and passages. Second look
(`second_look`): the sentence after those that scored higher in the first: what it adds to them. Nothing here knows
an answer; what kind of thing is asked for is read from the question's first words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import regex

from index.features import covered, rarest_covered
from index.offered import Offer, Sentence, logit

Floats = npt.NDArray[np.float32]
KINDS = ("who", "when", "where", "how_many", "which", "what", "yes_no")
FIRST = (
    "useful", "useful_rank", "useful_above", "useful_next", "mass", "passage_sentences", "passage_tokens",
    "title_asked", "passage_covered", "number", "place", "last", "tokens", "covered", "covered_rare",
    "covered_besides_title", "covered_of_passage_best", "covered_of_best", "covered_before", "covered_after",
    "names", "new_names", "asked_names", "leads_to", "leads_back", "shares", "names_own_title", "opens_pronoun",
    "dates", "numbers", "quoted", "full_names", "digits", "triplets", "triplet_covered", "question_words",
    "question_names", *(f"asks_{kind}" for kind in KINDS), "near", "near_of_best", "near_of_passage_best",
    "relation", "relation_top", "relation_of_passage_best", "relation_rank", "relation_of_best", "near_open",
    "near_open_top", "alike", "relation_alike", "relation_alike_rank", "relation_words",
)  # fmt: skip
SECOND = (
    "score", "rank", "rank_in_passage", "gap", "gap_in_passage", "above", "above_in_passage", "above_tokens",
    "overlap_above", "open_covered", "open_names", "leads_open", "relation_added", "relation_above",
)  # fmt: skip
NEAR = FIRST[FIRST.index("near") :]
_ASKS = {
    "who": r"\bwho(?:m|se)?\b",
    "when": r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade)\b|\bdate of\b",
    "where": r"\bwhere\b|\b(?:what|which) (?:country|city|town|state|place|county|nation|region|continent|river)\b"
    r"|\bplace of\b",
    "how_many": r"\bhow (?:many|much|long|old|far|tall|high|large|big|often)\b",
    "which": r"\bwhich\b",
    "what": r"\bwhat\b",
    "yes_no": r"^\s*(?:is|are|was|were|do|does|did|has|have|had|can|could)\b",
}
_PATTERNS = tuple(regex.compile(_ASKS[kind], regex.I) for kind in KINDS)
_PRONOUN = regex.compile(r"\s*(?:He|She|It|They|His|Her|Its|Their|This|These|That)\b")


def first_look(offered: Offer) -> Floats:
    """Features of shape (sentences, len(FIRST))."""
    asked, hits, sentences = offered.asked, offered.hits, offered.sentences
    out = np.zeros((len(sentences), len(FIRST) - len(NEAR)), dtype=np.float32)
    useful = [hit.score for hit in hits]
    titled = {title: at for at, title in reversed(list(enumerate(offered.titles))) if title}
    named = [_names_of(offered, at) for at in range(len(hits))]
    by_hit: list[list[int]] = [[] for _ in hits]
    for at, sentence in enumerate(sentences):
        by_hit[sentence.hit].append(at)
    covers = [covered(asked, sentence.stems) for sentence in sentences]
    best = max(covers, default=0.0)
    asks = [float(bool(pattern.search(offered.question))) for pattern in _PATTERNS]
    for hit, places in enumerate(by_hit):
        whole = frozenset().union(offered.title_stems[hit], *(sentences[at].stems for at in places))
        in_passage = max((covers[at] for at in places), default=0.0)
        of_passage = [
            logit(useful[hit]), 1.0 / (1.0 + hit), sum(useful[:hit]), max(useful[hit + 1 :], default=0.0),
            offered.masses[hit], len(places), sum(sentences[at].tokens for at in places),
            covered(asked, offered.title_stems[hit]), covered(asked, whole),
        ]  # fmt: skip
        for order, at in enumerate(places):
            one = sentences[at]
            names = {key for key, kind in one.mentions if kind in ("name", "quoted")}
            new = names - offered.entities - {offered.titles[hit]}
            leads = [titled[key] for key in names if key in titled and titled[key] != hit]
            out[at] = [
                *of_passage, order, order / max(len(places) - 1, 1), order == len(places) - 1, one.tokens,
                covers[at], rarest_covered(asked, one.stems),
                covered(asked, one.stems, offered.title_stems[hit]),
                covers[at] / max(in_passage, 1e-6), covers[at] / max(best, 1e-6),
                covers[places[order - 1]] if order else 0.0,
                covers[places[order + 1]] if order + 1 < len(places) else 0.0,
                len(names), len(new), len(names & offered.entities),
                max((useful[other] for other in leads), default=0.0),
                max((useful[other] for other in leads if other < hit), default=0.0),
                sum(useful[other] for other in range(len(hits)) if other != hit and new & named[other]),
                offered.titles[hit] in names, bool(_PRONOUN.match(one.text)),
                sum(kind == "date" for _, kind in one.mentions),
                sum(kind == "number" for _, kind in one.mentions),
                sum(kind == "quoted" for _, kind in one.mentions),
                sum(" " in key for key in new), bool(regex.search(r"\d", one.text)),
                one.triplets, one.triplet_covered, len(asked.words), len(offered.entities), *asks,
            ]  # fmt: skip
    return np.concatenate([out, _near(offered, by_hit)], axis=1)


def _near(offered: Offer, by_hit: Sequence[Sequence[int]]) -> Floats:
    """The last features of the first look: nearness by meaning, shape (sentences, len(NEAR))."""
    near = offered.near
    out = np.zeros((len(offered.sentences), len(NEAR)), dtype=np.float32)
    if not len(near.weights) or not len(out):
        return out
    column = {name: place for place, name in enumerate(NEAR)}
    whole = near.words @ near.weights
    relation = near.words @ near.relation / max(float(near.relation.sum()), 1e-6)
    out[:, column["near"]] = whole
    out[:, column["near_of_best"]] = whole / max(float(whole.max()), 1e-6)
    out[:, column["relation"]] = relation
    out[:, column["relation_top"]] = (near.words * (near.relation > 0)).max(axis=1)
    out[:, column["relation_of_best"]] = relation / max(float(relation.max()), 1e-6)
    out[:, column["alike"]], out[:, column["relation_alike"]] = near.alike.T
    out[:, column["relation_words"]] = (near.relation > 0).sum()
    for hit, places in enumerate(by_hit):
        at = np.array(places, dtype=np.int64)
        if not len(at):
            continue
        out[at, column["near_of_passage_best"]] = whole[at] / max(float(whole[at].max()), 1e-6)
        out[at, column["relation_of_passage_best"]] = relation[at] / max(float(relation[at].max()), 1e-6)
        ranks = 1.0 / (1.0 + np.arange(len(at)))
        out[at[np.argsort(-relation[at], kind="stable")], column["relation_rank"]] = ranks
        out[at[np.argsort(-near.alike[at, 1], kind="stable")], column["relation_alike_rank"]] = ranks
        body = frozenset().union(
            offered.title_stems[hit], *(offered.sentences[place].stems for place in places)
        )
        still = near.weights * np.array([word not in body for word in offered.asked.words], dtype=np.float32)
        if still.any():
            out[at, column["near_open"]] = near.words[at] @ still / still.sum()
            out[at, column["near_open_top"]] = (near.words[at] * (still > 0)).max(axis=1)
    return out


def second_look(offered: Offer, first: Floats, scores: Floats) -> Floats:
    """Both looks side by side, shape (sentences, len(FIRST) + len(SECOND)). scores: log-odds of the first."""
    sentences = offered.sentences
    out = np.zeros((len(sentences), len(SECOND)), dtype=np.float32)
    chances = 1.0 / (1.0 + np.exp(-scores))
    order = np.argsort(-scores, kind="stable")
    titled = {title: at for at, title in reversed(list(enumerate(offered.titles))) if title}
    held: set[str] = set()  # words of the better sentences
    names: set[str] = set(offered.entities)
    above: list[Sentence] = []
    tops: dict[int, float] = {}
    in_passage: dict[int, tuple[int, float]] = {}
    mass = tokens = 0.0
    share = offered.near.relation / max(float(offered.near.relation.sum()), 1e-6)
    reached = np.zeros(len(share), dtype=np.float32)  # nearness of each word in the better sentences
    for rank, at in enumerate(order.tolist()):
        one, chance = sentences[at], float(chances[at])
        count, own = in_passage.get(one.hit, (0, 0.0))
        keys = {key for key, kind in one.mentions if kind in ("name", "quoted")}
        leads = [titled[key] for key in keys - names if key in titled and titled[key] != one.hit]
        overlap = max((_alike(one.stems, other.stems) for other in above), default=0.0)
        out[at] = [
            scores[at], 1.0 / (1.0 + rank), 1.0 / (1.0 + count), scores[at] - scores[order[0]],
            scores[at] - tops.get(one.hit, float(scores[at])), mass, own, tokens, overlap,
            covered(offered.asked, one.stems, frozenset(held)), len(keys - names),
            max((offered.hits[other].score for other in leads), default=0.0),
            float(np.maximum(offered.near.words[at] - reached, 0.0) @ share), float(reached @ share),
        ]  # fmt: skip
        reached = np.maximum(reached, offered.near.words[at])
        tops.setdefault(one.hit, float(scores[at]))
        in_passage[one.hit] = (count + 1, own + chance)
        mass, tokens = mass + chance, tokens + one.tokens
        held |= one.stems | offered.title_stems[one.hit]
        names |= keys
        if len(above) < 8:
            above.append(one)
    return np.concatenate([first, out], axis=1)


def _names_of(offered: Offer, hit: int) -> set[str]:
    found = {
        key for one in offered.sentences if one.hit == hit for key, kind in one.mentions if kind == "name"
    }
    return found | ({offered.titles[hit]} - {""})


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(len(one | other), 1)


def chances(scores: Floats | Sequence[float]) -> Floats:
    """Probabilities of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.asarray(scores, dtype=np.float32))), dtype=np.float32)
