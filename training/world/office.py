"""Documents of a world as Word, PowerPoint, Excel and PDF files, byte for byte the same every time.

The office libraries stamp the time of writing into their archives; `fixed` packs them again without it.
"""

from __future__ import annotations

import html
import io
from collections.abc import Iterator
from datetime import datetime

from docx import Document
from openpyxl import Workbook
from openpyxl.styles import Font
from pptx import Presentation
from pptx.slide import Slide
from pptx.util import Inches, Pt
from reportlab.lib import colors
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    KeepTogether,
    ListFlowable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from training.world.archives import fixed
from training.world.records import Block, WorldDocument

_MARGIN = 18 * mm
_PUBLISHER = "Forage example collection"


def word(document: WorldDocument) -> bytes:
    """A .docx with styled headings, lists and tables."""
    file = Document()
    _describe(file.core_properties, document)
    file.add_heading(document.title, level=0)
    for block in document.blocks:
        if block.kind == "heading":
            file.add_heading(block.text, level=block.level - 1)
        elif block.kind == "list":
            for item in block.sentences:
                file.add_paragraph(item.text, style="List Bullet")
        elif block.kind == "table":
            grid = file.add_table(rows=0, cols=len(block.header), style="Light Grid")
            for cells in (block.header, *(row.cells for row in block.rows)):
                for cell, text in zip(grid.add_row().cells, cells, strict=True):
                    cell.text = text
        else:
            file.add_paragraph(block.text)
    out = io.BytesIO()
    file.save(out)
    return fixed(out.getvalue(), document.date)


def slides(document: WorldDocument) -> bytes:
    """A .pptx: a title slide, then one slide for each heading."""
    file = Presentation()
    _describe(file.core_properties, document)
    page = file.slides.add_slide(file.slide_layouts[0])
    page.placeholders[0].text = document.title
    page.placeholders[1].text = document.date
    for block in document.blocks:
        if block.kind == "heading":
            page = file.slides.add_slide(file.slide_layouts[1])
            page.placeholders[0].text = block.text
        elif block.kind == "table":
            _slide_table(page, block)
        else:
            page.placeholders[1].text_frame.text = block.text
    out = io.BytesIO()
    file.save(out)
    return fixed(out.getvalue(), document.date)


def _slide_table(page: Slide, block: Block) -> None:
    empty = page.placeholders[1]._element
    empty.getparent().remove(empty)
    size = Inches(0.8), Inches(2), Inches(8.4), Inches(0.4)
    grid = page.shapes.add_table(len(block.rows) + 1, len(block.header), *size).table
    for r, cells in enumerate((block.header, *(row.cells for row in block.rows))):
        for c, text in enumerate(cells):
            grid.cell(r, c).text = text
            grid.cell(r, c).text_frame.paragraphs[0].font.size = Pt(16)


def sheet(document: WorldDocument) -> bytes:
    """An .xlsx: the table on the first sheet (numbers as numbers), the remarks on a second one."""
    book = Workbook()
    page = book.active
    page.title = document.genre.title()
    table = next(block for block in document.blocks if block.kind == "table")
    page.append(table.header)
    for row in table.rows:
        page.append([int(cell) if cell.isdecimal() else cell for cell in row.cells])
    for cell in page[1]:
        cell.font = Font(bold=True)
    page.freeze_panes = "A2"
    for column in page.columns:
        width = max(len(str(cell.value)) for cell in column) + 2
        page.column_dimensions[column[0].column_letter].width = width
    notes = book.create_sheet("Notes")
    notes.append([document.title])
    for block in document.blocks:
        for sentence in block.sentences:
            notes.append([sentence.text])
    book.properties.title, book.properties.creator = document.title, _PUBLISHER
    book.properties.created = datetime.fromisoformat(document.date)
    out = io.BytesIO()
    book.save(out)
    return fixed(out.getvalue(), document.date)


def pdf(document: WorldDocument) -> bytes:
    """A PDF with a text layer on small pages, running foot lines and ruled tables."""
    out = io.BytesIO()
    file = SimpleDocTemplate(
        out,
        pagesize=A5,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=document.title,
        author=document.meta.get("author", _PUBLISHER),
        creator=_PUBLISHER,
        producer=_PUBLISHER,
        pageCompression=0,
        invariant=1,
    )

    def foot(canvas: Canvas, page: SimpleDocTemplate) -> None:
        canvas.setFont("Times-Italic", 8)
        canvas.drawString(_MARGIN, 10 * mm, document.title)
        canvas.drawRightString(A5[0] - _MARGIN, 10 * mm, f"Page {page.page}")

    file.build(list(_flowables(document)), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _flowables(document: WorldDocument) -> Iterator[object]:
    text = ParagraphStyle("text", fontName="Times-Roman", fontSize=11, leading=15, spaceAfter=7)
    heading = ParagraphStyle("heading", text, fontName="Times-Bold", fontSize=13, leading=17, spaceBefore=8)
    heading.keepWithNext = True
    title = ParagraphStyle("title", heading, fontSize=18, leading=22, spaceAfter=12)
    yield Paragraph(html.escape(document.title), title)
    for block in document.blocks:
        if block.kind == "table":
            grid = Table([block.header, *(row.cells for row in block.rows)], hAlign="LEFT")
            lines = ("GRID", (0, 0), (-1, -1), 0.5, colors.grey)
            bold = ("FONTNAME", (0, 0), (-1, 0), "Times-Bold")
            grid.setStyle(TableStyle([lines, bold, ("FONTNAME", (0, 1), (-1, -1), "Times-Roman")]))
            yield KeepTogether([grid, Spacer(1, 8)])
        elif block.kind == "list":
            items = [Paragraph(html.escape(item.text), text) for item in block.sentences]
            yield ListFlowable(items, bulletType="bullet", start="\N{BULLET}", leftIndent=12)
        else:
            yield Paragraph(html.escape(block.text), heading if block.kind == "heading" else text)


def _describe(properties: object, document: WorldDocument) -> None:
    when = datetime.fromisoformat(document.date)
    values = {"title": document.title, "author": document.meta.get("author", _PUBLISHER), "created": when}
    for name, value in (values | {"modified": when, "last_modified_by": "", "revision": 1}).items():
        setattr(properties, name, value)
