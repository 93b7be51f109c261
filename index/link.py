"""A question to the entities of a corpus graph that it speaks of, each with a weight.

Exact: every run of the question's words that is an entity's key, longest first. Alias: through the graph's
alias edges the walk itself takes. Near: a name of the question without an exact match goes to entities that
hold all its words, or are spelled almost alike (rapidfuzz). Seeds weigh by rarity (HippoRAG's node
specificity), so a name that one passage knows counts for more than a country.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import regex
from rapidfuzz import fuzz, process

from index.graph import CorpusGraph
from index.names import name_key, names_in
from index.stop_words import STOP_WORDS

LONGEST = 9  # words of an entity looked for
NESTED = 0.3  # weight of an entity inside a longer one of the question
LOWER = 0.25  # weight of a lone word that the question does not write as a name
NEAR = 88.0  # rapidfuzz ratio (0 to 100) from which two spellings are one name
PARTIAL = 0.5  # weight of entities that hold all words of a name and more
MAX_PARTIAL = 8  # more of them than this say that the name is too common to mean one
MAX_WORDS = 400  # of the question; nothing past this names what is asked


@dataclass(frozen=True, slots=True)
class Link:
    """An entity the question speaks of. `weight` is before rarity."""

    column: int
    key: str
    weight: float
    how: str  # exact, near, partial


class Linker:
    """Links questions to one graph."""

    def __init__(self, graph: CorpusGraph, before: Linker | None = None) -> None:
        """before: the linker of the graph that this one grew from, whose words are used again."""
        self._graph = graph
        self._words: list[_Words] = before._words if before is not None else []

    def link(self, question: str) -> tuple[Link, ...]:
        """Entities of the graph named in the question, strongest first; none for a question without names."""
        text = " ".join(question.split()[:MAX_WORDS])
        names = {mention.key for mention in names_in(text)}
        capital = {word for name in names for word in name.split()}
        links = self._exact(text, capital)
        covered = {word for link in links.values() for word in link.key.split()}
        for name in names:
            if not self._columns(name) and not set(name.split()) <= covered:
                for link in self._near(name):
                    links.setdefault(link.column, link)
        return tuple(sorted(links.values(), key=lambda link: (-link.weight, link.key, link.column)))

    def seeds(self, links: tuple[Link, ...]) -> dict[int, float]:
        """Reset weights, column of the entity -> link weight times squared rarity; none that weighs nothing."""
        weights: dict[int, float] = {}
        for link in links:
            weight = link.weight * float(self._graph.rarity[link.column]) ** 2
            weights[link.column] = max(weights.get(link.column, 0.0), weight)
        return {column: weight for column, weight in weights.items() if weight > 0}

    def _exact(self, text: str, capital: set[str]) -> dict[int, Link]:
        words = name_key_words(text)
        found: dict[int, Link] = {}
        taken = np.zeros(len(words), dtype=bool)
        for length in range(min(LONGEST, len(words)), 0, -1):
            for at in range(len(words) - length + 1):
                part = words[at : at + length]
                if all(word in STOP_WORDS for word in part):
                    continue
                columns = self._columns(" ".join(part))
                if not columns:
                    continue
                weight = 1.0 + 0.25 * (length - 1)
                if length == 1 and part[0] not in capital and not part[0].isdigit():
                    weight = LOWER
                if taken[at : at + length].all():
                    weight *= NESTED
                for column in columns:
                    if column not in found or found[column].weight < weight:
                        found[column] = Link(column, " ".join(part), weight, "exact")
                if weight >= 1.0:
                    taken[at : at + length] = True
        return found

    def _near(self, name: str) -> list[Link]:
        """Entities that hold all words of a name, else those spelled almost like it."""
        words = name.split()
        if len(name) < 4:
            return []
        lists = [self._holding(word) for word in words]
        holding = set.intersection(*lists)
        keys = self._graph.edges.keys
        if holding:
            if len(holding) > MAX_PARTIAL:
                return []
            return [
                Link(column, keys[column], PARTIAL * len(words) / len(keys[column].split()), "partial")
                for column in sorted(holding)
            ]
        pool = sorted(set().union(*lists))[:5000]
        best = process.extract(name, [keys[c] for c in pool], scorer=fuzz.ratio, score_cutoff=NEAR, limit=3)
        return [Link(pool[at], key, score / 100, "near") for key, score, at in best]

    def _columns(self, key: str) -> list[int]:
        """Columns of a key that some passage still names."""
        return [c for c in self._graph.columns.get(key, ()) if self._graph.frequency[c]]

    def _holding(self, word: str) -> set[int]:
        """Entities with that word in their key that some passage still names."""
        keys, parts = self._graph.edges.keys, self._words
        read = sum(part.keys for part in parts)
        if read < len(keys):
            parts = self._words = _merged([*parts, _read(keys, read)])
        found = (column for part in parts for column in part.columns.get(word, ()))
        return {column for column in found if self._graph.frequency[column]}


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of some entities' keys: word -> columns."""

    keys: int
    columns: dict[str, list[int]]


def _read(keys: Sequence[str], start: int) -> _Words:
    columns: dict[str, list[int]] = {}
    for column in range(start, len(keys)):
        for word in keys[column].split():
            columns.setdefault(word, []).append(column)
    return _Words(len(keys) - start, columns)


def _merged(parts: list[_Words]) -> list[_Words]:
    """Parts that grow by at least half from one to the one before, so that there are few."""
    while len(parts) > 1 and 2 * parts[-1].keys > parts[-2].keys:
        last, other = parts.pop(), parts.pop()
        columns = {word: list(found) for word, found in other.columns.items()}
        for word, found in last.columns.items():
            columns.setdefault(word, []).extend(found)
        parts = [*parts, _Words(other.keys + last.keys, columns)]
    return parts


def name_key_words(text: str) -> list[str]:
    """Words of a question in the spelling of entity keys, stop words kept."""
    plain = regex.sub(r"['’]s\b", "", text)
    return [word for token in regex.findall(r"[\p{L}\p{M}\p{N}.'’\-&]+", plain) for word in _key(token)]


def _key(token: str) -> list[str]:
    return (name_key("x " + token).split() or [""])[1:]
