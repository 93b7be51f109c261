"""Names that the question spells a little differently from the documents.

A name of which no word stands anywhere in the collection would end the question as hopeless. Before that, the
collection is asked for its own spelling (index.spelling). The person sees how the question was understood and can
take it back.
"""

from __future__ import annotations

import re
from dataclasses import replace

from agent.boundary import absent_names
from agent.followup import Rewriting
from agent.question import analyse
from index.retrieve import Searcher
from index.spelling import near_spelling
from index.types import Scope


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
