"""What every training run shares, whatever kind of policy learns: its stages, its questions' division, its folder.

The folder explains itself: settings, curves, pairs. A run that is begun again in it must be the same run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from index.errors import InputError
from training.policy.pairs import Pair
from training.policy.recipe import Algorithm
from training.policy.trees import Tree, dump


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the curriculum."""

    name: str
    kind: str  # sft, ip-dpo, grpo or feedback
    number: int = 0  # of the round, from 1


class Course(Protocol):
    """What decides the stages of a run."""

    @property
    def algorithm(self) -> Algorithm: ...
    @property
    def rounds(self) -> int: ...


def stages(recipe: Course, fresh: bool = True) -> tuple[Stage, ...]:
    """Imitation first where the weights are fresh, then the rounds of the algorithm."""
    first = (Stage("sft", "sft"),) if fresh else ()
    if recipe.algorithm == "sft":
        return first
    rounds = range(1, recipe.rounds + 1)
    return (*first, *(Stage(f"{recipe.algorithm}-{n}", recipe.algorithm, n) for n in rounds))


def split(trees: Sequence[Tree], share: float) -> tuple[list[Tree], list[Tree]]:
    """(learned from, held out), decided by a hash of each question, so that it stays where it is when data grows.

    Raises InputError where either would be empty.
    """
    held = [tree for tree in trees if _spot(tree.question) < share]
    kept = [tree for tree in trees if _spot(tree.question) >= share]
    if not kept or not held:
        raise InputError(
            f"{len(trees)} explored questions are too few: some must be learned from and some held out."
        )
    return kept, held


def _spot(question: str) -> float:
    return int(sha256(question.strip().lower().encode()).hexdigest()[:8], 16) / 16**8


def fingerprint(trees: Sequence[Tree]) -> str:
    """Short hash of the data: equal data, equal fingerprint."""
    digest = sha256()
    for tree in trees:
        digest.update(dump(tree).encode())
    return digest.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder in which a run keeps what it has done."""

    path: Path

    def begin(self, identity: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Write the settings (`facts` only explain), or raise InputError where another run was begun here."""
        self.path.mkdir(parents=True, exist_ok=True)
        config = self.path / "config.json"
        if not config.is_file():
            write_atomically(config, {**identity, **facts})
            return
        old = json.loads(config.read_text("utf-8"))
        if {key: old.get(key) for key in identity} != json.loads(json.dumps(identity)):
            raise InputError(
                f"{self.path} holds a run with other settings, another model or other data. Choose another --out, or "
                "remove it."
            )

    def curves(self) -> dict[str, Any]:
        """What every finished stage measured."""
        path = self.path / "curves.json"
        found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {"stages": {}}
        return found

    def keep_curves(self, curves: Mapping[str, Any]) -> None:
        """Put them on disk; a stage that they hold is not done again."""
        write_atomically(self.path / "curves.json", curves)

    def keep_pairs(self, stage: Stage, pairs: Sequence[Pair]) -> int:
        """The pairs of a stage, one a line; how many."""
        rows = ({k: v for k, v in asdict(pair).items() if k != "situation"} for pair in pairs)
        self.keep_rows(f"pairs-{stage.number}.jsonl", rows)
        return len(pairs)

    def keep_rows(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """A file of one JSON object a line."""
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        (self.path / name).write_text(text, encoding="utf-8")


def write_atomically(path: Path, value: Any) -> None:
    """JSON, whole or not at all, even where a kill falls into it."""
    partial = path.with_suffix(".json.partial")
    partial.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
