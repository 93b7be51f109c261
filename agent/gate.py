"""The first decision: talk, speak about the collection, or search.

Small talk and questions about the collection itself cost no search. Everything else searches; whether
the documents hold the answer is for the judge to say, not for a guess made before looking.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from agent.question import content_words, names_in
from agent.types import Decision
from index.types import Embedder

OPTIONS = ("small_talk", "library", "search")
# A message is compared with these by meaning, and only when it is short and names nothing.
_EXAMPLES: dict[str, tuple[str, ...]] = {
    "small_talk": (
        "Hello!", "Hi there", "Good morning", "How are you?", "Thank you very much", "Thanks, that helped",
        "Goodbye", "See you later", "Who are you?", "What can you do?", "How do you work?", "Nice to meet you",
        "You are great", "That is wrong", "OK", "Help me please", "What are you?",
    ),
    "library": (
        "What documents do you have?", "How many documents are in this collection?", "List the documents",
        "What is in this collection?", "Which files did I upload?", "What topics do these documents cover?",
        "What can I ask about here?", "How many files are there?", "Show me the titles of all documents",
        "Which collections exist?", "How big is the library?", "What do you know about?",
    ),
}  # fmt: skip
_ABOUT_US = re.compile(r"\b(?:documents?|files?|collections?|library|uploads?|uploaded|sources)\b", re.I)
_GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|hallo|good (?:morning|afternoon|evening|night|day)|thanks?|thank you|thx|bye|goodbye|"
    r"ok(?:ay)?|great|cool|nice|see you)\b[\w\s,']{0,40}\W*$",
    re.I,
)
SURE = 0.62  # cosine to an example; chosen so that no training question of any data set is taken for talk
MAX_WORDS = 12


class Gate:
    """Tells talk from questions. The example vectors are made on first use."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._examples: np.ndarray | None = None

    def decide(self, message: str) -> Decision:
        """small_talk, library or search, with a rationale a person can read."""
        if _GREETING.match(message) and len(message.split()) <= 6:
            return Decision("gate", OPTIONS, "small_talk", 0.99, "The message is a greeting or a courtesy.")
        names = [name for name in names_in(message) if not _ABOUT_US.search(name)]
        if names or len(message.split()) > MAX_WORDS or re.search(r"\d", message):
            return Decision(
                "gate", OPTIONS, "search", 0.98, "The question names something that only documents can tell."
            )
        kind, likeness = self._nearest(message)
        about = bool(_ABOUT_US.search(message))
        features = {"likeness": likeness, "content_words": float(len(content_words(message)))}
        if kind == "library" and likeness >= SURE and about:
            return Decision(
                "gate", OPTIONS, "library", likeness, "The question is about the collection itself.", features
            )
        if kind == "small_talk" and likeness >= SURE and not about:
            return Decision(
                "gate",
                OPTIONS,
                "small_talk",
                likeness,
                "The message is conversation, not a question.",
                features,
            )
        return Decision(
            "gate", OPTIONS, "search", 1 - max(likeness, 0.0) / 2, "Answering needs the documents.", features
        )

    def _nearest(self, message: str) -> tuple[str, float]:
        labels = [kind for kind, examples in _EXAMPLES.items() for _ in examples]
        if self._examples is None:
            flat: Sequence[str] = [text for examples in _EXAMPLES.values() for text in examples]
            self._examples = self._embedder.embed(flat)
        scores = self._examples @ self._embedder.embed([message])[0]
        best = int(scores.argmax())
        return labels[best], float(scores[best])
