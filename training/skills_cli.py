"""`forage train skill`: trains one of the embedded skills and writes its weights with a model card."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from index.errors import InputError
from training.policy_cli import policy
from training.policy_lm_cli import policy_lm
from training.rewards_cli import reward_commands

Skill = Literal["reader", "hop", "ranker", "deep", "packer", "judge"]

train_commands = typer.Typer(
    name="train",
    no_args_is_help=True,
    help="Train the embedded skills and the decision policy; look at rewards.",
)
train_commands.add_typer(reward_commands, name="rewards")
train_commands.command()(policy)
train_commands.command("policy-lm")(policy_lm)


@train_commands.callback()
def _group() -> None:
    """Keeps `skill` a command of its own while it is the only one."""


@train_commands.command()
def skill(
    name: Annotated[
        Skill,
        typer.Argument(
            help="reader: question and passage to answer; hop: question and evidence to what to search next; "
            "ranker: which passages are useful? deep: the same with the hop encoder's view. "
            "packer: which of their sentences are needed? judge: is the answer at hand right?"
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of question sets.  [default: $FORAGE_DATA/qa; without one, fictional worlds alone]",
            show_default=False,
        ),
    ] = None,
    minutes: Annotated[
        float, typer.Option(min=0.05, help="When to be done learning; scores come after.")
    ] = 75,
    seed: Annotated[int, typer.Option(help="Another seed, another order of examples.")] = 7,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where weights, card and checkpoint go.")] = Path(
        "trained"
    ),
    start: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Reader, judge, adapted hop: go on from these weights."),
    ] = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Reader: imitate these weights too; may be given several times."),
    ] = None,
    average: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Reader: the mean of these weights instead of training; twice or more."
        ),
    ] = None,
    ramp: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Reader: share of self-made questions; 1 is pre-training alone."),
    ] = None,
    from_collection: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Reader, hop, judge: adapt the weights in use to an ingested collection, by questions made from it.",
        ),
    ] = None,
    data_dir: Annotated[
        Path, typer.Option(metavar="DIR", envvar="FORAGE_DATA_DIR", help="Data folder of that collection.")
    ] = Path("data"),
    leave_out: Annotated[
        int | None,
        typer.Option(min=0, max=1, help="Reader, hop: a half of the questions not to learn from."),
    ] = None,
    half: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Deep: hop encoder, judge and packer: reader, that left out a half; two."
        ),
    ] = None,
    install: Annotated[
        bool,
        typer.Option(
            "--install",
            help="Use the weights from now on, if they score better than those in use; adapted ones, "
            "if they gained on the documents held out.",
        ),
    ] = False,
) -> None:
    """Train a skill. Started again after Ctrl-C or a crash, it goes on from its checkpoint in --out."""
    from index import delta
    from training.skills import deep, hop, judge, packer, packer_read, ranker, reader
    from training.skills.card import Run, resolve_device

    only(("reader",), name, teacher=teacher, average=average, ramp=ramp)
    only(("reader", "hop", "judge"), name, from_collection=from_collection)
    only(("deep", "judge", "packer"), name, half=half)
    only(("reader", "hop"), name, leave_out=leave_out)
    only(("reader", "judge") if from_collection is None else ("reader", "hop", "judge"), name, start=start)
    if from_collection is not None and (half or leave_out is not None or average):
        raise InputError(
            "--from-collection goes on from one file of weights with questions of its own: leave out --half, "
            "--leave-out and --average."
        )
    run = Run(
        out, question_sets(data), minutes, seed, resolve_device(device), start=start,
        teachers=tuple(teacher or ()), ramp=ramp, left_out=leave_out, halves=tuple(half or ()),
        averaged=tuple(average or ()),
        collection=(data_dir, from_collection) if from_collection is not None else None,
    )  # fmt: skip
    module = {"reader": reader, "hop": hop, "ranker": ranker, "deep": deep, "packer": packer, "judge": judge}[
        name
    ]
    module.train(run)
    made = [(module.weights_path(out), module.installed_path())]
    if name == "packer" and half:
        made.append((packer_read.weights_path(out), packer_read.installed_path()))
    for written, place in made:
        card = delta.read_card(written)
        typer.echo(f"{written}: {card['score']['value']} ({card['score']['of']}), {card['minutes']} min")
        if install:
            typer.echo(install_weights(written, card, place))


def only(skills: Sequence[str], asked: str, **options: object) -> None:
    """InputError when options of some skills are given for another."""
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value not in (None, [])]
    if given and asked not in skills:
        raise InputError(
            f"{', '.join(given)} is for {' and '.join(skills)} only. Leave it out for the {asked}."
        )


def question_sets(given: Path | None) -> Path | None:
    """The folder of question sets: as given, else $FORAGE_DATA/qa where it exists, else none."""
    if given is not None:
        if not any(given.glob("*/train.jsonl")):
            raise InputError(
                f"{given} holds no question sets: expected folders with corpus.jsonl and train.jsonl in it. "
                "Leave --data out to train on fictional worlds alone."
            )
        return given.resolve()
    named = os.environ.get("FORAGE_DATA")
    folder = Path(named) / "qa" if named else None
    return folder.resolve() if folder is not None and folder.is_dir() else None


def install_weights(written: Path, card: dict[str, Any], target: Path) -> str:
    """Copy new weights over those in use if both were scored on the same and the new ones are better.

    Weights adapted to a collection replace those in use if they gained on its held-out documents beyond noise.
    """
    from index import delta
    from training.skills.collection import helped

    gained = helped(card)
    if gained is False:
        return "Not installed: on the documents held out nothing was gained beyond noise."
    if gained is None and target.is_file():
        old = delta.read_card(target).get("score", {})
        if old.get("of") != card["score"]["of"]:
            return f"Not installed: the weights in use were scored on something else ({old.get('of')})."
        if card["score"]["value"] <= old["value"]:
            return f"Not installed: the weights in use score {old['value']}."
    target.parent.mkdir(parents=True, exist_ok=True)
    for path, place in ((written, target), (delta.card_path(written), delta.card_path(target))):
        shutil.copyfile(path, place.with_suffix(".incoming"))
        place.with_suffix(".incoming").replace(place)
    return f"Installed as {target.name}."
