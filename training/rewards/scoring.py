"""Logged trajectories scored: every component's value and why, siblings of one question side by side.

The result is plain JSON, so that the page of the application can show it without importing the trainers.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from index.store import Store
from training.data import QAExample
from training.metrics import normalize
from training.rewards.compose import Preset, compose
from training.rewards.contract import Episode, Reward, Score, encode_for, score_group, unit
from training.rewards.embedding import shared
from training.rewards.live import Gold, GoldBook, Record, episode_from, shown_ids, texts_of, vectors_of
from training.rewards.reasons import why
from training.rewards.registry import REWARDS


def described(reward: Reward) -> dict[str, Any]:
    """A reward's metadata as JSON, with the first line of what it says of itself."""
    body = reward.score.func if isinstance(reward.score, partial) else reward.score
    told = (inspect.getdoc(body) or "").split("\n\n", 1)[0]
    return {
        "name": reward.name,
        "about": " ".join(told.split()),
        "paper": reward.paper,
        "formula": reward.source,
        "low": reward.low,
        "high": reward.high,
        "level": reward.level,
        "role": reward.role,
        "reads": list(reward.reads),
        "needs": list(reward.needs),
        "body": reward.body,
        "weakness": reward.hack,
    }


def preset_record(preset: Preset) -> dict[str, Any]:
    """A preset as JSON."""
    return {
        "about": preset.about,
        "gates": list(preset.gates),
        "right": preset.right,
        "wrong": preset.wrong,
        "unknown": preset.unknown,
        "sum": preset.spans,
        "right_floor": preset.right_floor,
        "wrong_ceiling": preset.wrong_ceiling,
    }


def siblings(records: Iterable[Record]) -> list[list[Record]]:
    """Records by question, whatever its spelling, newest question first; an answer from a talk is left out."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        kind = (record.get("answer") or {}).get("kind")
        if kind not in ("small_talk", "library"):
            groups.setdefault(normalize(str(record.get("question", ""))), []).append(record)
    return sorted(groups.values(), key=lambda group: -float(group[-1].get("started_at", 0.0)))


def score_records(
    store: Store,
    records: Sequence[Record],
    presets: Mapping[str, Preset],
    examples: Iterable[QAExample] = (),
    principle: str = "",
    names: Collection[str] = (),
    judged: Collection[Reward] = (),
) -> dict[str, Any]:
    """All components and the totals by preset of every record, grouped by question.

    `names`: only these components (default: all that score episodes). `principle`: what answers should be like, in
    plain words, for the reward that follows one. `judged`: rewards of a language model (`registry.with_model`) beside
    those of the embedded body.
    """
    ids = shown_ids(records)
    book, texts = GoldBook(store, examples), texts_of(store, ids)
    shared().store(vectors_of(store, ids))
    chosen = [r for r in REWARDS.values() if r.level != "formula" and (not names or r.name in names)]
    chosen += judged
    groups = []
    for group in siblings(records):
        gold = book.gold(str(group[0].get("question", "")))
        episodes = [_episode(record, texts, gold, principle) for record in group]
        groups.append(_group(group, episodes, chosen, presets, gold is not None))
    return {
        "rewards": {reward.name: described(reward) for reward in chosen},
        "presets": {name: preset_record(preset) for name, preset in presets.items()},
        "groups": groups,
    }


def _episode(record: Record, texts: Mapping[str, str], gold: Gold | None, principle: str) -> Episode:
    made = episode_from(record, texts, gold)
    return replace(made, principle=principle) if principle else made


def _group(
    records: Sequence[Record], episodes: Sequence[Episode], rewards: Sequence[Reward],
    presets: Mapping[str, Preset], has_gold: bool,
) -> dict[str, Any]:  # fmt: skip
    encode_for(rewards, episodes)
    columns = {reward.name: score_group(reward, episodes) for reward in rewards}
    totals = {name: compose(preset, episodes) for name, preset in presets.items()}
    runs = []
    for at, (record, episode) in enumerate(zip(records, episodes, strict=True)):
        scored = {name: found[at] for name, found in totals.items()}
        first = next(iter(scored.values()), None)
        runs.append(
            {
                "id": str(record.get("id", "")),
                "started_at": float(record.get("started_at", 0.0)),
                "answer": episode.answer or episode.written,
                "written": episode.written,
                "steps": [
                    str(step.get("summary") or step.get("stage", "")) for step in record.get("steps", ())
                ],
                "abstained": episode.abstained,
                "policy": str(record.get("policy", "")),
                "searches": len(episode.searches),
                "tokens": episode.tokens,
                "right": first.right if first else None,
                "gated": {name: found.gated for name, found in scored.items()},
                "totals": {name: found.total for name, found in scored.items()},
                "components": {r.name: _component(r, episode, columns[r.name][at]) for r in rewards},
            }
        )
    return {
        "question": episodes[0].question,
        "gold": has_gold,
        "golds": list(episodes[0].golds),
        "runs": runs,
    }


def _component(reward: Reward, episode: Episode, value: Score) -> dict[str, Any]:
    return {"value": value, "unit": unit(reward, value), "why": why(reward, episode, value)}
