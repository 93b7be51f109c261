from pathlib import Path

import pytest

from index.errors import LimitError, ParseError
from index.limits import LoadLimits
from index.parse import parse_file


def parse(tmp_path: Path, body: str | bytes, head: str = "<title>The mill | Example</title>"):
    path = tmp_path / "page.html"
    if isinstance(body, str):
        body = f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>".encode()
    path.write_bytes(body)
    return parse_file(path, path.name, LoadLimits())


def shape(document):
    return [(block.kind, block.level, block.text) for block in document.blocks]


def test_inline_elements_keep_the_spacing_of_the_page(tmp_path):
    document = parse(
        tmp_path,
        "<p>Checks if a given <em>ref</em><code>name</code>\n  is <b>accept</b>able, and (<i>so</i>)"
        " exits.<br>Next</p>",
    )
    assert shape(document) == [
        ("paragraph", 0, "Checks if a given refname is acceptable, and (so) exits.\nNext")
    ]


def test_structure(tmp_path):
    document = parse(
        tmp_path,
        "<h1>The mill</h1><div>Loose text"
        " <p>Paragraph</p>tail</div><ul><li>one<ul><li>inner</li></ul></li><li><p>two"
        "</p><p>more</p></li></ul><ol start=3><li>three</li><li>four</li></ol><pre>if x:\n   "
        " <b>go</b>()</pre>"
        "<dl><dt>wheel<dd>turns</dd><dt>a</dt><dt>b</dt><dd><p>both</p></dd></dl><h2>Parts</h2>",
    )
    assert shape(document) == [
        ("heading", 1, "The mill"),
        ("paragraph", 0, "Loose text"),
        ("paragraph", 0, "Paragraph"),
        ("paragraph", 0, "tail"),
        ("list_item", 0, "one"),
        ("list_item", 0, "inner"),
        ("list_item", 0, "two"),
        ("paragraph", 0, "more"),
        ("list_item", 0, "3. three"),
        ("list_item", 0, "4. four"),
        ("code", 0, "if x:\n    go()"),
        ("paragraph", 0, "wheel: turns"),
        ("paragraph", 0, "a, b: both"),
        ("heading", 2, "Parts"),
    ]
    assert document.title == "The mill"


def test_scripts_styles_navigation_and_hidden_parts_are_dropped(tmp_path):
    document = parse(
        tmp_path,
        "<nav>Home</nav><script>evil()</script><style>p{}</style><div class='breadcrumb'>You are here</div>"
        "<div role=navigation>Menu</div><p>Words<a class=headerlink href=#x>¶</a></p><p hidden>secret</p>"
        "<p style='display: none'>invisible</p><button>Buy</button><footer>Imprint</footer>",
    )
    assert shape(document) == [("paragraph", 0, "Words")]


def test_a_page_of_navigation_only_is_still_read(tmp_path):
    assert "Chapter one" in parse(tmp_path, "<div id=toc><a>Chapter one</a></div>").blocks[0].text


def test_tables(tmp_path):
    document = parse(
        tmp_path,
        "<table><tr><th>Name</th><th>2022</th></tr><tr><td"
        " rowspan=2>Mira</td><td>1<br>2</td></tr><tr><td>3</td></tr>"
        "</table><table><tr><td><h2>Layout</h2><p>one</p></td><td>two</td></tr></table>",
    )
    assert shape(document) == [
        ("table", 0, "Name: Mira; 2022: 1 2\nName: Mira; 2022: 3"),
        ("heading", 2, "Layout"),
        ("paragraph", 0, "one"),
        ("paragraph", 0, "two"),
    ]


def test_encodings(tmp_path):
    page = '<meta charset="{}"><p>Straße über Köln</p>'
    for declared, real in (
        ("iso-8859-1", "latin-1"),
        ("utf-8", "utf-8"),
        ("utf-8", "latin-1"),
        ("nonsense", "utf-8"),
    ):
        document = parse(tmp_path, page.format(declared).encode(real))
        assert document.blocks[0].text == "Straße über Köln"


def test_depth_cannot_exhaust_the_stack(tmp_path):
    document = parse(tmp_path, "<div>" * 1500 + "deep words" + "</div>" * 1500 + "<p>after</p>")
    assert shape(document) == [("paragraph", 0, "deep words"), ("paragraph", 0, "after")]
    with pytest.raises(LimitError, match="nested too deeply"):
        parse(tmp_path, "<div>" * 20_000 + "deep words" + "</div>" * 20_000)


def test_entities_and_external_documents_are_not_resolved(tmp_path):
    (tmp_path / "secret.txt").write_text("SECRET")
    source = f'<!DOCTYPE html [<!ENTITY x SYSTEM "file://{tmp_path}/secret.txt">]><p>Words &x; here</p>'
    text = " ".join(block.text for block in parse(tmp_path, source.encode()).blocks)
    assert "SECRET" not in text and "Words" in text


def test_an_empty_page_is_refused(tmp_path):
    with pytest.raises(ParseError, match="no text|no readable"):
        parse(tmp_path, b"<html><body><script>x()</script></body></html>")
