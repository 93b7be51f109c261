"""Writes the example collection: the files of a fictional world and forty questions about it.

    python -m training.world_cli --seed 7 --documents 60 --out examples

A command of its own because only developers need it: what it writes is committed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from training.world.closed_world import World
from training.world.examples import example_questions
from training.world.files import file_names, to_bytes


def write_examples(seed: int, documents: int, out: Path) -> tuple[int, int]:
    """Write OUT/collection/ and OUT/questions.jsonl; returns the number of files and of questions.

    Files of an earlier run are removed. Raises ValueError when OUT/collection is a folder of somebody else's
    (no questions.jsonl beside it) or the world is too small for the questions.
    """
    folder, questions_file = out / "collection", out / "questions.jsonl"
    if folder.exists() and any(folder.iterdir()) and not questions_file.exists():
        raise ValueError(f"{folder} is not empty and was not written by this command; give another --out")
    world = World.generate(seed, documents)
    questions = example_questions(world)
    names = file_names(world.documents())
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.iterdir()):
        if old.is_file() and old.name not in names.values():
            old.unlink()
    for document in world.documents():
        (folder / names[document.id]).write_bytes(to_bytes(document))
    lines = "".join(json.dumps(question, ensure_ascii=False) + "\n" for question in questions)
    questions_file.write_bytes(lines.encode())
    return len(names), len(questions)


def main(
    seed: Annotated[int, typer.Option(help="Another seed, another world.")] = 7,
    documents: Annotated[int, typer.Option(min=60, help="How many documents; 60 tell one province.")] = 60,
    out: Annotated[Path, typer.Option(help="Folder for collection/ and questions.jsonl.")] = Path("examples"),
) -> None:
    """Write the example collection and its questions."""
    try:
        files, questions = write_examples(seed, documents, out)
    except ValueError as error:
        typer.echo(f"Nothing was written: {error}.", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"{files} documents and {questions} questions written to {out}.")


if __name__ == "__main__":
    typer.run(main)
