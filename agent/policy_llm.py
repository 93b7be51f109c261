"""A language model as the policy: the same situations told in words, the same actions, the same record."""

from __future__ import annotations

from agent.policy import Choice, Policy, Situation, digest
from agent.thinking import Thinker, numbered

SHOWN = ("probability", "probability_change", "searches", "searches_left", "novelty", "goal_met", "useful",
         "missing_share", "contradiction", "memory_match")  # fmt: skip


class LanguageModelPolicy:
    """Asks the model what to do next. Where its reply cannot be used, `fallback` decides and the mistake is kept."""

    def __init__(self, thinker: Thinker, fallback: Policy) -> None:
        self._thinker = thinker
        self._fallback = fallback

    @property
    def name(self) -> str:
        return f"model:{self._thinker.name}"

    @property
    def fingerprint(self) -> str:
        """Of the model's name and the fallback: what the endpoint serves under the name is not ours to know."""
        return digest({"model": self._thinker.name, "fallback": self._fallback.fingerprint})

    def decide(self, situation: Situation) -> Choice:
        """The model's action with its own confidence; the rest is spread evenly over the other legal actions."""
        legal = situation.legal
        numbers = ", ".join(f"{name} {situation[name]:.2f}" for name in SHOWN)
        reply = self._thinker.ask(
            "decide", {"action": legal, "confidence": int, "reason": str}, None,
            question=situation.question, goal=situation.goal or "(none)", notes=numbered(situation.notes),
            missing=", ".join(situation.missing) or "(nothing)", past="\n".join(situation.past),
            numbers=numbers, allowed=", ".join(legal),
        )  # fmt: skip
        if reply.error:
            made = self._fallback.decide(situation)
            return Choice(
                made.action, made.probabilities, made.rationale, reply.prompt_tokens, reply.completion_tokens,
                reply.error,
            )  # fmt: skip
        action, others = str(reply.said["action"]), [o for o in legal if o != reply.said["action"]]
        # A model that says it is 20 % sure still chose: its action keeps at least an equal share.
        sure = max(reply.said["confidence"] / 100, 1 / len(legal)) if others else 1.0
        shares = {other: (1 - sure) / len(others) for other in others} | {action: sure}
        return Choice(
            action, {option: shares[option] for option in legal}, str(reply.said["reason"]),
            reply.prompt_tokens, reply.completion_tokens,
        )  # fmt: skip
