from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from index.limits import LoadLimits
from index.parse import parse_file
from index.parse_markdown import markdown_blocks


def parse(tmp_path: Path, content: str, name: str = "page.md"):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return parse_file(path, name, LoadLimits())


def shape(document):
    return [(block.kind, block.level, block.text) for block in document.blocks]


def test_structure(tmp_path):
    document = parse(
        tmp_path,
        "# The mill\n\nA *sharp* `stone`, see\n[the plan](plan.md)<!-- no -->.\n\n## Parts\n\n- wheel\n"
        "  - spoke\n\n"
        "  More of the wheel.\n3. three\n4. four\n\n> Quoted words.\n\n```py\nif x:\n    go()\n```\n\n"
        "| Part | Weight |\n|---|---|\n| wheel | 12 |\n| stone | 90 |\n\n![A map of all"
        " mills](map.png)\n![logo](l.png)",
    )
    assert shape(document) == [
        ("heading", 1, "The mill"),
        ("paragraph", 0, "A sharp stone, see the plan."),
        ("heading", 2, "Parts"),
        ("list_item", 0, "wheel"),
        ("list_item", 0, "spoke"),
        ("paragraph", 0, "More of the wheel."),
        ("list_item", 0, "3. three"),
        ("list_item", 0, "4. four"),
        ("paragraph", 0, "Quoted words."),
        ("code", 0, "if x:\n    go()"),
        ("table", 0, "Part: wheel; Weight: 12\nPart: stone; Weight: 90"),
        ("paragraph", 0, "A map of all mills"),
    ]
    assert document.title == "The mill"


def test_front_matter_is_title_meta_and_text(tmp_path):
    document = parse(
        tmp_path,
        "---\neip: 7\ntitle: Milling\nauthor: Ann\ntags: [a, b]\n---\n\n## Abstract\n\nWords.\n",
        "eip-7.md",
    )
    assert document.title == "EIP 7: Milling"  # its number, which the file name states too
    assert document.meta == {"eip": "7", "title": "Milling", "author": "Ann", "tags": "a, b"}
    assert document.blocks[0].text == "EIP: 7\nTitle: Milling\nAuthor: Ann\nTags: a, b"


def test_front_matter_that_is_no_yaml_is_read_line_by_line(tmp_path):
    document = parse(tmp_path, "---\ntitle: Grain: a history\nauthor: @ann\n---\nWords.\n")
    assert document.title == "Grain: a history"
    assert document.meta["author"] == "@ann"


def test_yaml_aliases_cannot_blow_up(tmp_path):
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))
    document = parse(tmp_path, f"---\na0: &a0 [x]\n{levels}\ntitle: Safe\n---\nWords.\n")
    assert document.title == "Safe"
    assert sum(len(block.text) for block in document.blocks) < 1000


def test_a_rule_at_the_beginning_is_no_front_matter(tmp_path):
    document = parse(tmp_path, "---\n\nWords between rules\n\n---\n\nMore.\n")
    assert "Words between rules" in " ".join(block.text for block in document.blocks)


def test_generic_first_headings_are_no_title(tmp_path):
    document = parse(tmp_path, "# Summary\n\nWords.\n\n# Motivation\n\nMore.\n", "0565-string_guidelines.md")
    assert document.title == "0565 string guidelines"


def test_html_islands(tmp_path):
    document = parse(
        tmp_path,
        '<div>Inside <b>bold</b>.</div>\n\n<script>alert("x")</script>\n\n'
        '<Listing number="4" caption="The wheel">\n\n'
        "Text<br>broken <kbd>Ctrl</kbd>.\n\n</Listing>\n",
    )
    assert [block.text for block in document.blocks] == ["Inside bold.", "The wheel", "Text\nbroken Ctrl."]


@settings(max_examples=60)
@given(st.text(alphabet=st.sampled_from("ab #*-_`|>[]()!<>1.\n\t~:"), max_size=200))
def test_anything_is_markdown(text):
    assert all(block.text is not None for block in markdown_blocks(text))
