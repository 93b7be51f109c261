"""What a document says, without an LLM: sentences, mentions of entities, aliases and triplets.

Names and figures come from index.names. The document's title is an entity in every passage, for a document
is about its title; so are the headings above a passage. A surname alone stands for the full name that the
document has given before; "World Health Organization (WHO)" makes an alias. A triplet is subject, relation
words, object within one sentence, and a sentence that opens with a pronoun speaks of the title.

An LLM may extract instead: anything with the same `extract` fits (protocol `Extractor`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import regex

from index.chunk import sentence_spans
from index.names import DATE, MAX_NAME_CHARACTERS, Mention, figures_in, name_key, names_in, title_names
from index.types import Draft

VERSION = "extract-4"
MAX_TRIPLETS = 6  # of one sentence
RELATION_WORDS = 8
_ACRONYM = regex.compile(r"(\p{Lu}[\p{L}\p{M}\p{N}'’\-&. ]{4,80}?)\s*\((\p{Lu}[\p{Lu}\p{N}.&\-]{1,9})\)")
_ALSO = regex.compile(
    r"(?:also|better|formerly|commonly|previously) (?:known|called|named) (?:as )?(?:the )?"
    r"(\p{Lu}[\p{L}\p{M}\p{N}'’\-]*(?:\s\p{Lu}[\p{L}\p{M}\p{N}'’\-]*){0,4})"
)
_PRONOUN = regex.compile(
    r"\s*(?:He|She|It|They|His|Her|Its|Their|Er|Sie|Es|Il|Elle|This (?:film|book|album|song|company|town|city|work|"
    r"series|novel)|The (?:film|movie|book|novel|album|song|band|company|town|city|series|group|club|school|"
    r"university|party|museum|station|show|magazine|game|building|village|river))\b"
)
_PHRASE = regex.compile(r"\b\p{Ll}[\p{L}\p{M}\-]{3,}(?:\s\p{Ll}[\p{L}\p{M}\-]{3,}){1,2}\b")
_FUNCTION = frozenset(
    (
        "that this with from into over under have been were will would could should which their there these those "
        "then than when where what while about after before between because during through also only some such "
        "more most many much very other each both they them your ours being does done must shall upon within "
        "without against among until unless although however therefore"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Triplet:
    """Subject and object are entity keys; the relation is the words between them."""

    sentence: int
    subject: str
    relation: str
    object: str


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What one passage holds. Offsets are characters of the document's stored text."""

    sentences: tuple[tuple[int, int], ...]
    mentions: tuple[tuple[int, Mention], ...]  # (sentence number, mention)
    triplets: tuple[Triplet, ...]
    aliases: tuple[tuple[str, str], ...]  # (alias key, entity key)


class Extractor(Protocol):
    """Passages of one document to their knowledge, in order."""

    def extract(self, title: str, text: str, drafts: Sequence[Draft]) -> tuple[Knowledge, ...]: ...


class RuleExtractor:
    """Extraction by rules; no model, about a thousand passages a second on one core."""

    def extract(self, title: str, text: str, drafts: Sequence[Draft]) -> tuple[Knowledge, ...]:
        """Knowledge of each draft. `text` is the document's stored text that the drafts point into."""
        titles = _title_keys(title)
        full: dict[str, str] = {}  # last word of a full name -> the name's key, as the document goes on
        for key in titles[-1:]:
            _learn_surname(full, key)
        phrases = _repeated_phrases(text)
        found = []
        for draft in drafts:
            found.append(_passage(text, draft, title, titles, full, phrases))
        return tuple(found)


def _passage(
    text: str,
    draft: Draft,
    title: str,
    titles: tuple[str, ...],
    full: dict[str, str],
    phrases: frozenset[str],
) -> Knowledge:
    body = text[draft.start : draft.end]
    sentences = _sentences(body)
    mentions: list[tuple[int, Mention]] = []
    triplets: list[Triplet] = []
    aliases = [(alias, titles[0]) for alias in titles[1:]] if titles else []
    for start, end in sentences:  # a name never goes on past its sentence
        aliases += _aliases(body[start:end], titles)
    for key in titles:
        mentions.append((0, Mention(draft.start, draft.start, key, "title")))
    for part in draft.heading.split(" > ") if draft.heading else ():
        key = name_key(part)
        if key and len(part) <= MAX_NAME_CHARACTERS and key not in titles:
            mentions.append((0, Mention(draft.start, draft.start, key, "heading")))
    for number, (start, end) in enumerate(sentences):
        sentence = body[start:end]
        seen = _resolve(
            _own_title([*names_in(sentence), *figures_in(sentence)], sentence, title, titles), full
        )
        triplets += _triplets(number, sentence, seen, titles)
        for match in _PHRASE.finditer(sentence) if phrases else ():
            if match.group() in phrases:
                seen.append(Mention(*match.span(), match.group(), "phrase"))
        shift = draft.start + start
        mentions += [(number, Mention(m.start + shift, m.end + shift, m.key, m.kind)) for m in seen]
    return Knowledge(
        sentences=tuple((start + draft.start, end + draft.start) for start, end in sentences),
        mentions=tuple(mentions),
        triplets=tuple(dict.fromkeys(triplets)),
        aliases=tuple(dict.fromkeys(aliases)),
    )


def _sentences(body: str) -> list[tuple[int, int]]:
    """Spans of the sentences; none ends inside a date ("am 3. März 1887")."""
    spans = sentence_spans(body) or [(0, len(body))]
    inside = [match.span() for match in DATE.finditer(body)]
    joined = spans[:1]
    for start, end in spans[1:]:
        if any(first < joined[-1][1] and start < last for first, last in inside):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _title_keys(title: str) -> tuple[str, ...]:
    """Keys of a title: as written, by its number in a series, and without disambiguation."""
    if len(title) > MAX_NAME_CHARACTERS:
        return ()
    keys = [name_key(title), *map(name_key, title_names(title))]
    return tuple(dict.fromkeys(key for key in keys if key))


def _own_title(seen: list[Mention], sentence: str, title: str, titles: tuple[str, ...]) -> list[Mention]:
    """The document's title where it stands in a sentence, in place of the names inside it: the title may
    open with a function word, or be written in a script without capitals."""
    bare = title_names(title)[-1]
    at = sentence.find(bare) if titles and len(bare) > 2 else -1
    if at < 0:
        return seen
    end = at + len(bare)
    return [m for m in seen if m.end <= at or m.start >= end or (m.start <= at and m.end > end)] + [
        Mention(at, end, titles[-1], "name")
    ]


def _resolve(seen: list[Mention], full: dict[str, str]) -> list[Mention]:
    """A last name alone becomes the full name the document has given before."""
    resolved = []
    for mention in sorted(seen, key=lambda m: (m.start, -m.end)):
        key = mention.key
        if mention.kind == "name":
            key = full.get(key, key) if " " not in key else key
            _learn_surname(full, mention.key)
        resolved.append(Mention(mention.start, mention.end, key, mention.kind))
    return resolved


def _learn_surname(full: dict[str, str], key: str) -> None:
    words = key.split()
    if 2 <= len(words) <= 3 and len(words[-1]) > 2 and words[-1].isalpha():
        full.setdefault(words[-1], key)


def _aliases(body: str, titles: tuple[str, ...]) -> list[tuple[str, str]]:
    found = []
    for match in _ACRONYM.finditer(body):
        name = names_in(match.group(1), frozenset({0}))
        short = name_key(match.group(2))
        if name and short and _initials_fit(short, name[-1].key):
            found.append((short, name[-1].key))
    if titles:
        for match in _ALSO.finditer(body):
            alias = name_key(match.group(1))
            if alias and alias not in titles:
                found.append((alias, titles[-1]))
    return found


def _initials_fit(short: str, key: str) -> bool:
    """Whether the letters of an acronym run through the initials of a name."""
    letters = iter(short.replace(" ", ""))
    wanted = next(letters, "")
    for word in key.split():
        if word[0] == wanted:
            wanted = next(letters, "")
    return wanted == ""


def _triplets(number: int, sentence: str, seen: list[Mention], titles: tuple[str, ...]) -> list[Triplet]:
    """Star around the sentence's subject: (subject, words between without other names, object)."""
    flat: list[Mention] = []
    for mention in seen:  # no overlap; of "Ann and Bob" the parts, of a full date the whole
        joins = mention.kind == "name" and any(
            m is not mention and mention.start <= m.start and m.end <= mention.end for m in seen
        )
        if not joins and (not flat or mention.start >= flat[-1].end):
            flat.append(mention)
    pronoun = _PRONOUN.match(sentence)
    if titles and (pronoun or not flat or flat[0].start > 25):
        subject, start, rest = titles[-1], pronoun.end() if pronoun else 0, flat
    elif flat:
        subject, start, rest = flat[0].key, flat[0].end, flat[1:]
    else:
        return []
    found, words, at = [], [], start
    for mention in rest[:MAX_TRIPLETS]:
        words += regex.findall(r"[\p{L}\p{M}]+", sentence[at : mention.start])
        at = mention.end
        if mention.key != subject:
            found.append(Triplet(number, subject, " ".join(words[-RELATION_WORDS:]), mention.key))
    return found


def _repeated_phrases(text: str) -> frozenset[str]:
    """Lower-case phrases of two or three telling words that a document repeats: its technical terms."""
    counts = Counter(
        match.group()
        for match in _PHRASE.finditer(text)
        if not any(word in _FUNCTION for word in match.group().split())
    )
    return frozenset(phrase for phrase, count in counts.items() if count >= 2)


__all__ = ["VERSION", "Extractor", "Knowledge", "Mention", "RuleExtractor", "Triplet"]
