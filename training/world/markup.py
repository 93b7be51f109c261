"""Documents of a world as HTML pages and EPUB books."""

from __future__ import annotations

import html
import io
import uuid
import zipfile
from collections.abc import Iterator, Sequence

from training.world.archives import put
from training.world.records import Block, WorldDocument


def page(document: WorldDocument) -> bytes:
    """An HTML page."""
    title = html.escape(document.title)
    body = "\n".join(_elements(document.blocks))
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="date" content="{document.date}">\n<title>{title}</title>\n</head>\n'
        f"<body>\n<article>\n<h1>{title}</h1>\n{body}\n</article>\n</body>\n</html>\n"
    ).encode()


def _elements(blocks: Sequence[Block]) -> Iterator[str]:
    """Blocks as HTML elements, also valid XHTML."""
    for block in blocks:
        if block.kind == "heading":
            yield f"<h{block.level}>{html.escape(block.text)}</h{block.level}>"
        elif block.kind == "list":
            items = "".join(f"<li>{html.escape(item.text)}</li>\n" for item in block.sentences)
            yield f"<ul>\n{items}</ul>"
        elif block.kind == "table":
            head = "".join(f"<th>{html.escape(cell)}</th>" for cell in block.header)
            rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row.cells) for row in block.rows)
            body = "".join(f"<tr>{row}</tr>\n" for row in rows)
            yield f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"
        else:
            yield f"<p>{html.escape(block.text)}</p>"


def epub(document: WorldDocument) -> bytes:
    """An EPUB 3 with one chapter for each heading."""
    chapters: list[list[Block]] = []
    for block in document.blocks:
        if block.kind == "heading" or not chapters:
            chapters.append([])
        chapters[-1].append(block)
    title, names = html.escape(document.title), [f"chapter-{i + 1}.xhtml" for i in range(len(chapters))]
    heads = [blocks[0].text if blocks[0].kind == "heading" else document.title for blocks in chapters]
    labels = [html.escape(head) for head in heads]
    parts = {"mimetype": "application/epub+zip", "META-INF/container.xml": _CONTAINER}
    parts["OEBPS/content.opf"] = _package(document, names)
    links = "".join(f'<li><a href="{n}">{t}</a></li>' for n, t in zip(names, labels, strict=True))
    parts["OEBPS/nav.xhtml"] = _xhtml(title, f'<nav epub:type="toc"><ol>{links}</ol></nav>')
    for name, label, blocks in zip(names, labels, chapters, strict=True):
        parts[f"OEBPS/{name}"] = _xhtml(label, "\n".join(_elements(blocks)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():
            put(archive, name, content.encode(), stored=name == "mimetype")
    return out.getvalue()


_CONTAINER = (
    '<?xml version="1.0"?>\n<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    '<rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>\n"
)


def _xhtml(title: str, body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml" '
        f'xmlns:epub="http://www.idpf.org/2007/ops"><head><title>{title}</title></head>\n<body>\n{body}\n</body></html>\n'
    )


def _package(document: WorldDocument, names: Sequence[str]) -> str:
    kind = 'media-type="application/xhtml+xml"'
    items = "".join(f'<item id="c{i}" href="{name}" {kind}/>' for i, name in enumerate(names))
    refs = "".join(f'<itemref idref="c{i}"/>' for i in range(len(names)))
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"forage-example/{document.id}")
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
        'unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:identifier id="id">urn:uuid:{identity}</dc:identifier>'
        f"<dc:title>{html.escape(document.title)}</dc:title>"
        f"<dc:language>en</dc:language><dc:date>{document.date}</dc:date>"
        f'<meta property="dcterms:modified">{document.date}T00:00:00Z</meta></metadata>'
        f'<manifest><item id="nav" href="nav.xhtml" properties="nav" {kind}/>{items}</manifest>'
        f"<spine>{refs}</spine></package>\n"
    )
