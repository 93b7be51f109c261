"""A docutils tree to blocks: what a reader of the rendered page sees, in order."""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes

from index.tables import table_blocks
from index.types import Block

# Parts of the tree that are not printed, or only repeat what is printed.
_SKIPPED = (
    nodes.Invisible, nodes.system_message, nodes.substitution_definition, nodes.docinfo, nodes.generated,
    nodes.raw, nodes.decoration,
)  # fmt: skip
_TEXT = (nodes.paragraph, nodes.subtitle, nodes.rubric, nodes.caption, nodes.attribution, nodes.line)
_CODE = (nodes.literal_block, nodes.doctest_block, nodes.math_block)


def document_blocks(tree: nodes.document) -> Iterator[Block]:
    """Blocks of a whole document; below a lone title the sections are one level down."""
    titled = any(isinstance(child, nodes.title) for child in tree.children)
    return _children(tree, 1 if titled else 0)


def _children(parent: nodes.Element, level: int) -> Iterator[Block]:
    for node in parent.children:
        if isinstance(node, nodes.Element) and not isinstance(node, _SKIPPED):
            yield from _blocks(node, level)


def _blocks(node: nodes.Element, level: int) -> Iterator[Block]:
    if isinstance(node, nodes.section):
        yield from _children(node, level + 1)
    elif isinstance(node, nodes.title):
        is_heading = isinstance(node.parent, (nodes.section, nodes.document))
        yield Block("heading" if is_heading else "paragraph", _text(node), level=max(1, level) * is_heading)
    elif isinstance(node, _CODE):
        yield Block("code", node.astext())
    elif isinstance(node, _TEXT):
        yield Block("paragraph", _text(node))
    elif isinstance(node, nodes.line_block):
        yield Block("paragraph", "\n".join(_text(line) for line in node.findall(nodes.line)))
    elif isinstance(node, nodes.table):
        yield from _table(node)
    elif isinstance(node, nodes.image):
        alt = str(node.get("alt", ""))
        yield from [Block("paragraph", alt)] if len(alt.split()) > 2 else []
    else:
        yield from _compound(node, level)


def _compound(node: nodes.Element, level: int) -> Iterator[Block]:
    """Lists, fields, footnotes, admonitions: a label goes in front of the first text that follows it."""
    if isinstance(node, (nodes.bullet_list, nodes.enumerated_list)):
        start = int(node.get("start", 1)) if isinstance(node, nodes.enumerated_list) else None
        for place, item in enumerate(node.children):
            marker = "" if start is None else f"{start + place}. "
            yield from _prefixed(marker, _children(_element(item), level), as_item=True)
    elif isinstance(node, (nodes.definition_list, nodes.option_list)):
        for item in node.children:
            yield from _definition(_element(item), level)
    elif isinstance(node, nodes.field_list):
        yield from _fields(node, level)
    elif isinstance(node, (nodes.footnote, nodes.citation)):
        label = node.children[0].astext() if node.children else ""
        rest = [block for block in _children(node, level) if block.text != label]
        yield from _prefixed(f"[{label}] ", iter(rest))
    elif isinstance(node, nodes.Admonition) and node.tagname != "admonition":
        yield from _prefixed(f"{type(node).__name__.capitalize()}: ", _children(node, level))
    elif isinstance(node, (nodes.label, nodes.Inline)):
        return
    else:
        yield from _children(node, level)


def _prefixed(prefix: str, blocks: Iterator[Block], *, as_item: bool = False) -> Iterator[Block]:
    """Blocks with a label before the first text; the first paragraph of a list item is the item."""
    first = next(blocks, None)
    if first is None:
        return
    if first.kind == "paragraph":
        yield Block("list_item" if as_item else "paragraph", prefix + first.text)
    else:
        if prefix.strip():
            yield Block("paragraph", prefix.strip())
        yield first
    yield from blocks


def _definition(item: nodes.Element, level: int) -> Iterator[Block]:
    heads, bodies = [], []
    for child in item.children:
        if isinstance(child, (nodes.definition, nodes.description)):
            bodies.append(child)
        elif isinstance(child, nodes.option_group):
            heads.append(", ".join(option.astext() for option in child.children))
        elif isinstance(child, nodes.Element):
            heads.append(_text(child))
    term = " : ".join(heads).removesuffix(":")
    if not bodies:
        yield Block("paragraph", term)
    for body in bodies:
        yield from _prefixed(f"{term}: ", _children(body, level))


def _fields(node: nodes.Element, level: int) -> Iterator[Block]:
    """Short fields are one paragraph of lines, as a header block; long ones stand alone."""
    lines: list[str] = []
    for field in node.children:
        name, body = (_element(child) for child in _element(field).children[:2])
        if len(body.children) <= 1 and len(body.astext()) < 300:
            value = " ".join(body.astext().split())
            if value:
                lines.append(f"{name.astext()}: {value}")
        else:
            if lines:
                yield Block("paragraph", "\n".join(lines))
                lines = []
            yield from _prefixed(f"{name.astext()}: ", _children(body, level))
    if lines:
        yield Block("paragraph", "\n".join(lines))


def _table(table: nodes.Element) -> Iterator[Block]:
    title = next(iter(table.findall(nodes.title)), None)
    if title is not None:
        yield Block("paragraph", _text(title))
    head = next(iter(table.findall(nodes.thead)), None)
    rows: list[list[str]] = []
    for row in table.findall(nodes.row):
        cells: list[str] = []
        for entry in row.children:
            cells += [_cell(_element(entry))] * (int(_element(entry).get("morecols", 0)) + 1)
        rows.append(cells)
    yield from table_blocks(rows, header=head is not None)


def _cell(entry: nodes.Element) -> str:
    return " ".join(block.text for block in _children(entry, 0))


def _text(node: nodes.Element) -> str:
    """Text of a paragraph on one line; images give their description, footnote marks their brackets."""
    parts: list[str] = []
    for child in node.findall(lambda n: isinstance(n, (nodes.Text, nodes.image, nodes.footnote_reference))):
        if isinstance(child, nodes.Text):
            inside = child.parent
            is_mark = isinstance(inside, (nodes.footnote_reference, nodes.citation_reference))
            if not isinstance(inside, nodes.system_message):
                parts.append(f"[{child.astext()}]" if is_mark else child.astext())
        elif isinstance(child, nodes.image):
            parts.append(str(child.get("alt", "")))
    return " ".join("".join(parts).split())


def _element(node: nodes.Node) -> nodes.Element:
    return node if isinstance(node, nodes.Element) else nodes.inline()
