"""Texts sentence by sentence: cut, without the marks of citations, headlines told from claims, repetition."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from sentencex import segment

from training.rewards.guards import OPENERS, spaced

_MARK = re.compile(r"\s*\[\d+\]")
_FUNCTION_WORDS = OPENERS | frozenset(
    "be been being has have had do does did will would can could may might must shall should than then into "
    "over under after before between through during who's it's nor so such only also very more most".split()
)
SHORT_CLAIM, CLAIM_SHARE = 4, 0.12  # words, and the share of function words that a claim has


@lru_cache(maxsize=20_000)
def _segmented(text: str) -> tuple[str, ...]:
    return tuple(found.strip() for found in segment("en", text) if found.strip())


def sentences(text: str) -> list[str]:
    """Sentences of a text, without empty ones."""
    return list(_segmented(text)) if text.strip() else []


def without_marks(text: str) -> str:
    """A text without the marks of its citations: they are no part of what it says.

    >>> without_marks("Cotwick. [1][2] It lies on the Orse [2].")
    'Cotwick. It lies on the Orse.'
    """
    return _MARK.sub("", text)


def citation_marks(text: str) -> float:
    """Marks of citations for each sentence of a text, at most 1.

    >>> citation_marks("Cotwick. [1] It lies on the Orse."), citation_marks("Cotwick.")
    (0.5, 0.0)
    """
    return min(len(_MARK.findall(text)) / max(len(sentences(without_marks(text))), 1), 1.0)


def stated(told: Sequence[str], reference: str | None = None) -> list[str]:
    """Sentences without a headline: a bare answer in front that a later sentence says again, word by word.

    It states nothing of its own, and a vector for it costs as much as a third of the sentence's. With a reference the
    headline must stand in it too, so that a wrong one cannot hide in a longer sentence.

    >>> stated(["Mira Vell.", "It was Mira Vell who drew it."], "Mira Vell drew it.")
    ['It was Mira Vell who drew it.']
    >>> stated(["Ida Marr.", "Ida Marr said that Mira Vell drew it."], "Mira Vell drew it.")
    ['Ida Marr.', 'Ida Marr said that Mira Vell drew it.']
    """
    head, later = told[:1], told[1:]
    wanted = spaced(head[0]) if later else ""
    again = any(wanted in spaced(text) for text in later)
    known = reference is None or wanted in spaced(reference)
    return list(later) if wanted.strip() and again and known else list(told)


@lru_cache(maxsize=20_000)
def is_claim(sentence: str) -> bool:
    """Whether a sentence can state something: not a bare list of four or more key words.

    >>> is_claim("Teal Bridge, Mira Vell, 1887, Aske"), is_claim("It was designed by Mira Vell.")
    (False, True)
    """
    words = re.findall(r"[^\W_]+(?:['’]\w+)?", sentence.lower())
    return (
        len(words) < SHORT_CLAIM or sum(word in _FUNCTION_WORDS for word in words) / len(words) >= CLAIM_SHARE
    )


def trigram_uniqueness(text: str) -> float:
    """Unique word trigrams over all of them; 1.0 for fewer than three words (R^3's repetition term).

    "a b c a b c a b c" has 7 trigrams, 3 of them distinct.

    >>> round(trigram_uniqueness("a b c a b c a b c"), 4), trigram_uniqueness("a b c d e f")
    (0.4286, 1.0)
    """
    words = text.lower().split()
    trigrams = list(zip(words, words[1:], words[2:], strict=False))
    return len(set(trigrams)) / len(trigrams) if trigrams else 1.0


REMEMBERING = (_segmented, is_claim)  # what keeps results by text
