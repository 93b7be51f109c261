from pathlib import Path

import pytest

from index.errors import LimitError, ParseError
from index.limits import LoadLimits
from index.parse import parse_file

CNXML = """<document xmlns="http://cnx.rice.edu/cnxml"><title>On mills</title>
<metadata xmlns:md="urn:md"><md:title>On mills</md:title><md:uuid>u-1</md:uuid></metadata>
<content><section><title>Wheels</title><para>The <term>wheel</term>, as <emphasis>all</emphasis> know, turns.
<list><item>slowly</item><item>or <term>fast</term></item></list>And stops.</para>
<section><title>Spokes</title><para>Twelve.</para><figure>
<media alt="A drawing of a spoke"><image src="s.png"/>
</media><caption>A spoke.</caption></figure></section></section>
<table><tgroup cols="2"><thead><row><entry>Part</entry><entry>Weight</entry></row></thead>
<tbody><row><entry>wheel</entry><entry>12</entry></row></tbody></tgroup></table></content>
<glossary><definition><term>hub</term><meaning>the <emphasis>middle</emphasis></meaning></definition>
<definition><term>rim</term><meaning>the edge</meaning>
</definition></glossary>
</document>"""


def parse(tmp_path: Path, content: str, name: str = "page.xml"):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return parse_file(path, name, LoadLimits())


def shape(document):
    return [(block.kind, block.level, block.text) for block in document.blocks]


def test_cnxml(tmp_path):
    document = parse(tmp_path, CNXML, "index.cnxml")
    assert document.title == "On mills"
    assert document.meta == {"title": "On mills", "uuid": "u-1"}
    assert shape(document) == [
        ("heading", 1, "On mills"),
        ("heading", 2, "Wheels"),
        ("paragraph", 0, "The wheel, as all know, turns."),
        ("list_item", 0, "slowly"),
        ("list_item", 0, "or fast"),
        ("paragraph", 0, "And stops."),
        ("heading", 3, "Spokes"),
        ("paragraph", 0, "Twelve."),
        ("paragraph", 0, "A drawing of a spoke"),
        ("paragraph", 0, "A spoke."),
        ("table", 0, "Part: wheel; Weight: 12"),
        ("paragraph", 0, "hub: the middle"),
        ("paragraph", 0, "rim: the edge"),
    ]


def test_records_become_lines(tmp_path):
    document = parse(
        tmp_path,
        "<shop><book><title>Mills</title><price>12</price></book><book><title>Hubs</title><price>9</price></book></shop>",
    )
    assert [block.text for block in document.blocks] == ["title: Mills\nprice: 12", "title: Hubs\nprice: 9"]


def test_billion_laughs_and_external_entities_are_refused(tmp_path):
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
    (tmp_path / "secret.txt").write_text("SECRET")
    external = f'<!DOCTYPE x [<!ENTITY a SYSTEM "file://{tmp_path}/secret.txt">]><x>&a;</x>'
    for source in (laughs, external):
        with pytest.raises(ParseError, match="declares entities"):
            parse(tmp_path, source)


def test_broken_and_deep_xml(tmp_path):
    with pytest.raises(ParseError, match="not valid XML"):
        parse(tmp_path, "<a><b></a>")
    with pytest.raises(LimitError, match="nested"):
        parse(tmp_path, "<a>" * 600 + "x" + "</a>" * 600)
