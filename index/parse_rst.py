"""reStructuredText through docutils, files and raw output switched off, Sphinx markup understood.

A document written for Sphinx uses directives and roles that docutils does not know; by default their
text would be lost in an error message. They are registered here, file by file, with fallbacks that keep
the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from docutils import nodes
from docutils.core import publish_doctree
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Directive, Parser, directives, roles
from docutils.parsers.rst.languages import get_language
from docutils.utils import SystemMessage, new_document

from index.errors import ParseError
from index.limits import LoadLimits
from index.normalise import decode
from index.rst_blocks import document_blocks
from index.types import ParsedDocument

_SETTINGS = {
    "_disable_config": True,  # no docutils.conf of the current folder
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "halt_level": 6,  # never: an error is a system message in the tree, which is left out
    "report_level": 5,
    "warning_stream": False,
    "input_encoding": "unicode",
    "line_length_limit": 1_000_000_000,  # a longer line would silently empty the document
    "syntax_highlight": "none",
    "smart_quotes": False,
    "strip_comments": True,
    "docinfo_xform": False,
    "sectsubtitle_xform": False,
}
_PROBE_SETTINGS = get_default_settings(Parser)
_PROBE_SETTINGS.report_level = 5
_DIRECTIVE = re.compile(r"^[ \t]*\.\. +(?:\|[^|\n]+\| +)?([\w.+:-]+?) ?::(?:[ \t]|$)", re.MULTILINE)
_SUBSTITUTION = re.compile(r"^[ \t]*\.\. \|([^|\n]+)\|[ \t]+replace::(.*)$", re.MULTILINE)
_RAW_SUBSTITUTION = re.compile(
    r"^[ \t]*\.\. \|([^|\n]+)\|[ \t]+raw::.*\n(?:(?:[ \t]+\S.*)?\n)*", re.MULTILINE
)
_ROLE = re.compile(r":([A-Za-z][\w.+:-]*):`")
_TARGET = re.compile(r"\s*<[^<>]+>$")
# Directives that print nothing by themselves, or only what stands elsewhere.
_SILENT = frozenset(
    str.split(
        "contents toctree index highlight include literalinclude default-role currentmodule module"
        " sectionauthor codeauthor tabularcolumns title meta class sectnum section-numbering target-notes"
        " automodule autoclass autofunction automethod autosummary only-if header footer"
    )
)
_CODE = frozenset(
    str.split(
        "code code-block sourcecode parsed-literal productionlist prompt doctest testcode testoutput"
        " testsetup graphviz math console mermaid"
    )
)
_LEAD = {
    "versionadded": "New in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
    "seealso": "See also:",
}
# Roles whose text is literal: no "title <target>" in them.
_LITERAL = frozenset(
    str.split(
        "code literal math samp command option file kbd guilabel menuselection envvar program strong"
        " emphasis sup sub superscript subscript regexp token dfn abbr makevar"
    )
)
_known_directives: set[str] = set()
_known_roles: set[str] = set()


class _AnyOptions(dict[str, Any]):
    """Options of a directive nobody described: all are accepted, all are text."""

    def __missing__(self, name: str) -> Any:
        return lambda argument: argument or ""


class _Fallback(Directive):
    """A directive that docutils does not know: its argument and its content are text."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = _AnyOptions({"name": directives.unchanged})

    def run(self) -> Sequence[nodes.Node]:
        name = self.name.lower().rpartition(":")[2] if self.name.startswith("py:") else self.name.lower()
        if name in _SILENT:
            return []
        argument = self.arguments[0] if self.arguments else ""
        if name in _CODE:
            lines = [argument, *self.content] if name == "productionlist" else list(self.content)
            return [nodes.literal_block(text="\n".join(lines))] if lines else []
        box = nodes.container()
        lead = " ".join(part for part in (_LEAD.get(name, ""), argument) if part)
        if lead:
            inline, _ = self.state.inline_text(lead, self.lineno)
            box += nodes.paragraph("", "", *inline)
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


def _role(
    name: str, rawtext: str, text: str, lineno: int, inliner: Any,
    options: Mapping[str, Any] | None = None, content: Sequence[str] | None = None,
) -> tuple[list[nodes.Node], list[nodes.system_message]]:  # fmt: skip
    """Any role: "title <target>" shows its title, "~package.Name" its name, ":pep:`8`" is "PEP 8"."""
    short = name.rpartition(":")[2].lower()
    if short in _LITERAL:
        return [nodes.inline("", nodes.unescape(text, restore_backslashes=True))], []
    shown = nodes.unescape(text)
    titled = _TARGET.sub("", shown)
    if titled and titled != shown:
        shown = titled
    elif short in ("pep", "rfc"):
        shown = f"{short.upper()} {shown.partition('#')[0]}"
    elif shown.startswith("~"):
        shown = shown.rpartition(".")[2].lstrip("~")
    return [nodes.inline("", shown.removeprefix("!"))], []


def parse(path: Path, limits: LoadLimits) -> ParsedDocument:
    """Blocks of a reStructuredText file; leading "Name: value" headers (as PEPs have) are meta data."""
    text = decode(path.read_bytes()).replace("\r\n", "\n")
    text = _with_substitutions(text)
    _register(text)
    try:
        tree = publish_doctree(
            text, source_path=None, parser=Parser(rfc2822=True), settings_overrides=_SETTINGS
        )
    except SystemMessage as error:
        raise ParseError(f"The reStructuredText could not be understood: {error}.") from error
    fields = dict(_header(tree))
    title = fields.get("Title") or tree.get("title") or ""
    blocks = tuple(document_blocks(tree))
    return ParsedDocument(title, blocks, "text/x-rst", meta={k.lower(): v for k, v in fields.items()})


def _header(tree: nodes.document) -> Iterator[tuple[str, str]]:
    """Fields of the header block at the very beginning."""
    first = next((child for child in tree.children if not isinstance(child, nodes.Invisible)), None)
    if isinstance(first, nodes.field_list) and "rfc2822" in first["classes"]:
        for field in first.children:
            yield field.children[0].astext(), " ".join(field.children[1].astext().split())


def _with_substitutions(text: str) -> str:
    """Define what a definition names but nobody defines here (Sphinx settings do): docutils fails on that.

    Raw ones (HTML line breaks, mostly) are off, so they are a space as well.
    """
    text = _RAW_SUBSTITUTION.sub(r".. |\1| unicode:: 0x20\n", text)
    definitions = dict(_SUBSTITUTION.findall(text))
    named = {name for body in definitions.values() for name in re.findall(r"\|([^|\s][^|\n]*)\|", body)}
    missing = sorted(name for name in named if name not in definitions)
    return text + "".join(f"\n\n.. |{name}| unicode:: 0x20" for name in missing)


def _register(text: str) -> None:
    """Give every directive and role that this text uses, and docutils lacks, its fallback."""
    for name in {match.group(1).lower() for match in _DIRECTIVE.finditer(text)} - _known_directives:
        if name in _SILENT or name in _CODE or not _is_standard(name):
            directives.register_directive(name, _Fallback)
        _known_directives.add(name)
    for name in {match.group(1).lower() for match in _ROLE.finditer(text)} - _known_roles:
        roles.register_local_role(name, cast(Any, _role))
        _known_roles.add(name)


def _is_standard(name: str) -> bool:
    found, _ = directives.directive(name, cast(Any, get_language("en")), new_document("", _PROBE_SETTINGS))
    return found is not None
