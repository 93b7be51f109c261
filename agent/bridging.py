"""Things that a follow-up speaks of though nobody has named them: "that press", after a question about a book.

What is spoken of is then not in the conversation but in the documents, beside what the conversation was about
(bridging reference, Clark 1975). It is looked for in the passages that name the topic, and taken only where they
name one thing of that kind; of several the one that shares a sentence with the topic.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.question import names_in, words
from agent.reader import sentences
from index.retrieve import Searcher
from index.types import Scope

PASSAGES = 12  # best lexical hits for topic and noun that are looked through
_JOINERS = ("of", "for", "in", "on", "and", "to", "at")


def thing_beside(searcher: Searcher, scope: Scope, topic: str, noun: str) -> str | None:
    """The name of the one thing called `noun` ("press") that passages about `topic` name; None for none or several."""
    key = topic.casefold()
    near: dict[str, str] = {}
    around: dict[str, str] = {}
    for hit in searcher.search(f"{topic} {noun}", PASSAGES, "bm25", scope):
        passage = hit.passage
        if key not in f"{passage.title}\n{passage.text}".casefold():
            continue
        for start, end in sentences(passage):
            sentence = passage.text[start - passage.start : end - passage.start]
            named = {n.casefold(): n for n in called(sentence, noun) if n.casefold() not in key}
            around.update(named)
            near.update(named if key in sentence.casefold() else {})
    found = near or around
    return next(iter(found.values())) if len(found) == 1 else None


def called(sentence: str, noun: str) -> tuple[str, ...]:
    """Names in a sentence that say of themselves, or of which it says, that they are a `noun`.

    >>> called("The Lantern Press of Tarsholm sold it.", "press"), called("It stands in the town of Tarsholm.", "town")
    (('Lantern Press',), ('Tarsholm',))
    >>> called("Tarsholm, a small town, burned down.", "town"), called("The town burned down.", "town")
    (('Tarsholm',), ())
    """
    found = []
    for name in _one_by_one(names_in(sentence), noun):
        if noun in words(name):
            found.append(_cut(name, noun))
        elif re.search(
            rf"\b(?:[Tt]he|[Aa]n?|its|his|her|their) {re.escape(noun)} (?:of (?:the )?|called |named )?[\"“«']?"
            rf"{re.escape(name)}\b"
            rf"|\b{re.escape(name)}[\"”»']?(?:,| is| was) (?:a|an|the) (?:[\w-]+ ){{0,2}}{re.escape(noun)}\b",
            sentence,
        ):
            found.append(name)
    return tuple(dict.fromkeys(name for name in found if words(name) != [noun]))


def _one_by_one(names: Sequence[str], noun: str) -> list[str]:
    """Names joined by "and" that are each called so, apart: River Orl and the River Sedge."""
    return [
        part
        for name in names
        for part in (re.split(r" and (?:the )?", name) if words(name).count(noun) > 1 else [name])
    ]


def _cut(name: str, noun: str) -> str:
    """A name up to the word that joins another one to it: Lantern Press of Tarsholm -> Lantern Press."""
    parts = re.sub(r"^(?:The|A|An) ", "", name).split()
    at = next((i for i, part in enumerate(parts) if words(part) == [noun]), len(parts) - 1)
    joined = at > 0 and parts[at + 1 : at + 2] and parts[at + 1] in _JOINERS
    return " ".join(parts[: at + 1] if joined else parts)
