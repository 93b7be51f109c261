"""`forage train rewards`: what rewards there are, and what each of them says of logged trajectories and why."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from index.errors import InputError

if TYPE_CHECKING:
    from training.rewards.contract import Reward

reward_commands = typer.Typer(
    name="rewards", no_args_is_help=True, help="The rewards that policies are trained with."
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
Presets = Annotated[
    Path | None,
    typer.Option("--presets", metavar="FILE", help="Mixtures of your own (TOML) instead of ours."),
]


@reward_commands.command("list")
def list_rewards(
    role: Annotated[
        str, typer.Option(help="Only these roles, by commas: outcome, process, cost, format.")
    ] = "",
    presets: Presets = None,
    as_json: AsJson = False,
) -> None:
    """Every reward with its paper, range and what it needs; then the mixtures."""
    from training.report import choices
    from training.rewards.compose import load_papers, load_presets
    from training.rewards.registry import REWARDS
    from training.rewards.scoring import described, preset_record

    roles = choices(role, "--role", ("outcome", "process", "cost", "format")) if role else ()
    found = [described(reward) for reward in REWARDS.values() if not roles or reward.role in roles]
    named = load_presets(presets) if presets else load_presets() | load_papers()
    mixtures = {name: preset_record(preset) for name, preset in named.items()}
    if as_json:
        typer.echo(json.dumps({"rewards": found, "presets": mixtures}, indent=2, ensure_ascii=False))
        return
    rows = [
        (
            r["name"],
            r["role"],
            r["body"],
            f"{r['low']:g} to {r['high']:g}",
            ", ".join(r["needs"]) or "-",
            r["paper"],
        )
        for r in found
    ]
    _table(f"{len(rows)} rewards", ("Reward", "Role", "Body", "Range", "Needs", "Source"), rows)
    _table("Presets", ("Preset", "About"), [(name, made["about"]) for name, made in mixtures.items()])


@reward_commands.command()
def score(
    context: typer.Context,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", metavar="DIR", help="Data folder.  [default: $FORAGE_DATA_DIR, else ./data]",
                     show_default=False),
    ] = None,
    trajectory: Annotated[
        str, typer.Option(metavar="ID", help="Only this run and its siblings (the first letters suffice).")
    ] = "",
    preset: Annotated[str, typer.Option(help="The mixture of the total; gold-free: live.")] = "live",
    presets: Presets = None,
    questions: Annotated[
        list[Path] | None,
        typer.Option("--questions", metavar="FILE", help="Questions with gold answers and evidence (JSON Lines)."),
    ] = None,
    principle: Annotated[str, typer.Option(help='What answers should be like: "be concise and cite sources".')] = "",
    limit: Annotated[int, typer.Option(min=1, help="Only the newest N trajectories.")] = 200,
    with_model: Annotated[
        bool, typer.Option("--with-model", help="Let the language model of the settings judge too.")
    ] = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Every component's value for logged trajectories, and why; siblings of one question are ranked.

    Needs no gold: what cannot be computed without it says so. With --questions, questions of that file get their gold.
    """
    from index.store import Store
    from training.data import load_questions
    from training.rewards.compose import load_papers, load_presets
    from training.rewards.scoring import score_records

    mixtures = load_presets(presets) if presets else load_presets() | load_papers()
    if preset not in mixtures:
        raise InputError(f"There is no preset {preset!r}. Choose from {', '.join(mixtures)}.")
    folder = _data_dir(context, data_dir)
    records = read_trajectories(folder / "trajectories.jsonl", limit, trajectory)
    with closing(Store.open(folder)) as store:
        examples = load_questions(*questions) if questions else ()
        judged = _judged(folder) if with_model else ()
        found = score_records(store, records, mixtures, examples, principle, judged=judged)
    found = {"preset": preset, **found}
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _tell(found, preset, trajectory)


def _judged(folder: Path) -> Collection[Reward]:
    """The rewards that a language model judges. Raises InputError where the settings name none."""
    from agent.config import load_settings
    from agent.llm import open_language_model
    from training.rewards.registry import with_model

    model = open_language_model(load_settings(folder).model)
    if model is None:
        raise InputError(
            f"--with-model: the settings in {folder} name no language model. Choose one on the Settings page."
        )
    return with_model(model).values()


def read_trajectories(path: Path, limit: int, wanted: str = "") -> list[Mapping[str, Any]]:
    """The newest trajectories of a log, oldest first; with `wanted` those of the question it was an answer to.

    A line cut off by a crash is left out. Raises InputError for a missing log or an id it does not hold.
    """
    if not path.is_file():
        raise InputError(
            f"There is no {path}: nothing was asked in this data folder yet. Ask with `forage ask`."
        )
    records: list[Mapping[str, Any]] = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith("\n"):
                break
            try:
                records.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise InputError(
                    f"{path}, line {number}: not JSON ({error.msg}). Every line is one trajectory; remove this one."
                ) from error
    if not wanted:
        return records[-limit:]
    asked = {record["question"] for record in records if str(record["id"]).startswith(wanted)}
    if len(asked) != 1:
        problem = "is not in it" if not asked else f"fits runs of {len(asked)} questions; give more letters"
        raise InputError(f"{path}: the trajectory {wanted!r} {problem}.")
    return [record for record in records if record["question"] in asked][-limit:]


def _data_dir(context: typer.Context, given: Path | None) -> Path:
    """As for all commands: the own option, the one before the command, the environment, ./data."""
    root = context.find_root().obj
    before = root if isinstance(root, Path) else None
    return given or before or Path(os.environ.get("FORAGE_DATA_DIR") or "data")


def _tell(found: Mapping[str, Any], preset: str, wanted: str) -> None:
    for group in found["groups"]:
        runs = sorted(group["runs"], key=lambda run: -(run["totals"][preset] or 0.0))
        rows = [
            (r["id"][:8], _number(r["totals"][preset]), _verdict(r), str(r["searches"]), r["answer"][:60])
            for r in runs
        ]
        _table(group["question"], ("Run", preset, "Right", "Searches", "Answer"), rows)
        shown = next((run for run in runs if wanted and run["id"].startswith(wanted)), runs[0])
        parts = [
            (name, found["rewards"][name]["body"], _number(part["value"]), part["why"])
            for name, part in shown["components"].items()
        ]
        _table(f"Components of {shown['id'][:8]}", ("Component", "Body", "Value", "Why"), parts)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table whose last column takes the rest of the line and wraps."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold")
    for at, column in enumerate(columns):
        last = at == len(columns) - 1
        table.add_column(escape(column), no_wrap=not last, overflow="fold" if last else "ellipsis")
    for row in rows:
        table.add_row(*map(escape, row))
    console = Console(highlight=False)
    console.print(title, style="bold", markup=False)
    console.print(table)


def _number(value: float | None) -> str:
    return "None" if value is None else f"{value:.3f}"


def _verdict(run: Mapping[str, Any]) -> str:
    return {True: "yes", False: "no", None: "?"}[run["right"]]
