"""Prompts as Markdown files beside this module, rendered strictly: nothing missing, nothing left over.

A file has two parts, `# System` and `# User`, and $variables. A value is never read as a template, so
text of a document cannot reach another variable.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered prompt: rules for the model, and the question with its notes."""

    system: str
    user: str


def render(name: str, **values: str) -> Prompt:
    """The prompt `name` (a file without .md) with its variables filled in.

    Raises KeyError when a variable has no value and ValueError when a value has no variable.
    """
    system, user = _templates(name)
    wanted = {*system.get_identifiers(), *user.get_identifiers()}
    if unused := values.keys() - wanted:
        raise ValueError(f"The prompt {name} has no variable {', '.join(sorted(unused))}.")
    return Prompt(system.substitute(values), user.substitute(values))


@cache
def _templates(name: str) -> tuple[Template, Template]:
    text = files(__name__).joinpath(f"{name}.md").read_text("utf-8")
    _, _, rest = text.partition("# System\n")
    system, mark, user = rest.partition("\n# User\n")
    if not mark:
        raise ValueError(f"The prompt {name} needs a '# System' and a '# User' part.")
    return Template(system.strip()), Template(user.strip())
