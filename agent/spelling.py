"""Names that the question spells a little differently from the documents, or without their capitals.

Most people type "who directed the lion king". Without capitals nothing says which words are a name, and what the
agent knows of names is lost: what a sentence must be about, what is compared, what is nowhere in the documents. So
the collection is asked which of the words it writes as names.

A name of which no word stands anywhere in the collection would end the question as hopeless. Before that, the
collection is asked for its own spelling (index.spelling). The person sees how the question was understood and can
take it back.
"""

from __future__ import annotations

import re
from dataclasses import replace

from agent.boundary import absent_names
from agent.followup import Rewriting
from agent.question import analyse, content_words, names_in
from index.names import name_key
from index.retrieve import Searcher
from index.spelling import capitalised, near_spelling
from index.types import Scope

NAMED = 0.15  # of the passages with an entity's words, the share that must mean it: "best" is seldom a name
_ARTICLE = re.compile(r"(?:the|an?)\s", re.I)


def respelled(asked: Rewriting, searcher: Searcher, scope: Scope) -> Rewriting:
    """The question with each unknown name as the documents write it; unchanged where nothing is near."""
    text, links = asked.text, list(asked.links)
    for name in absent_names(analyse(text), searcher, scope):
        for word in re.findall(r"[^\W\d_]+", name):
            meant = near_spelling(word, searcher, Scope(scope.collections))
            if meant:
                text = re.sub(rf"\b{re.escape(word)}\b", meant, text)
                links.append((word, f"written “{meant}” there"))
    return replace(asked, text=text, links=tuple(links))


def recapitalised(question: str, searcher: Searcher, scope: Scope) -> str:
    """A question typed without capitals (or in nothing else) with its names as the documents write them.

    Unchanged where it holds a name already, or none that the documents know.
    """
    text = question.lower() if question.isupper() else question
    if names_in(text):
        return question
    found: dict[str, str] = {}
    for key in sorted(searcher.entities(text, scope), key=lambda key: -len(key.split())):
        if searcher.named_share(key, scope) < NAMED:
            continue
        for typed in _places(text, key):
            if typed not in found and not any(_within(typed, other) for other, name in found.items() if name):
                found[typed] = capitalised(typed, searcher, scope)
    if not any(found.values()):
        return question
    for typed, name in found.items():
        literal = name.replace("\\", r"\\")  # as a replacement
        text = re.sub(rf"(?<!\w){re.escape(typed)}(?!\w)", literal, text) if name else text
    return text


def _places(text: str, key: str) -> list[str]:
    """Where a text holds the words of an entity, as they are typed, its article left out; fillers alone are none."""
    tokens = list(re.finditer(r"\w[\w'’.\-]*", text))
    size, found = len(key.split()), []
    for at in range(len(tokens)):
        for end in range(at + 1, min(at + size + 1, len(tokens)) + 1):
            typed = re.sub(r"['’]s?$", "", text[tokens[at].start() : tokens[end - 1].end()]).rstrip(".-")
            if name_key(typed) == key and content_words(typed) and not _ARTICLE.match(typed):
                found.append(typed)
    return found


def _within(typed: str, other: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(typed)}(?!\w)", other) is not None
