import json
from pathlib import Path

import pytest

from index.errors import LimitError, ParseError
from index.limits import LoadLimits
from index.parse import parse_file


def parse(tmp_path: Path, content: str, name: str):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return parse_file(path, name, LoadLimits())


def texts(document):
    return [block.text for block in document.blocks]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_with_any_delimiter(tmp_path, delimiter):
    rows = [["Name", "Born", "Remark"], ["Mira Vell", "1987", '"sails, and\nsings"'], ["Tom", "1990", ""]]
    document = parse(tmp_path, "\n".join(delimiter.join(row) for row in rows), "people.csv")
    assert texts(document) == ["Name: Mira Vell; Born: 1987; Remark: sails, and sings\nName: Tom; Born: 1990"]
    assert (document.title, document.media_type) == ("people", "text/csv")


def test_tsv_and_large_tables_in_groups(tmp_path):
    document = parse(tmp_path, "Town\tPeople\n" + "".join(f"T{n}\t{n}\n" for n in range(500)), "towns.tsv")
    assert len(document.blocks) > 3
    assert document.blocks[-1].text.endswith("Town: T499; People: 499")
    assert sum(block.text.count("Town: ") for block in document.blocks) == 500


def test_json_object(tmp_path):
    content = {
        "title": "The mill", "built": 1911, "open": True, "owner": None, "tags": ["old", "tall"],
        "parts": [{"name": "wheel", "size": {"width": 1.50}}, {"name": "stone"}], "note": "x " * 200,
    }  # fmt: skip
    document = parse(tmp_path, json.dumps(content), "mill.json")
    assert document.title == "The mill"
    assert texts(document)[0] == "title: The mill\nbuilt: 1911\nopen: yes\ntags: old, tall"
    assert texts(document)[1].startswith("note: x x")
    assert texts(document)[2:] == ["parts", "name: wheel", "size.width: 1.5", "name: stone"]


def test_numbers_keep_their_digits(tmp_path):
    document = parse(tmp_path, '{"a": 12345678901234567890123, "b": 1.10, "c": ' + "9" * 6000 + "}", "n.json")
    assert texts(document)[0] == "a: 12345678901234567890123\nb: 1.10"


def test_json_lines(tmp_path):
    lines = '{"id": 1, "text": "First."}\n\n{"id": 2, "text": "Second."}\n'
    for name in ("rows.jsonl", "rows.ndjson", "rows.json"):
        assert texts(parse(tmp_path, lines, name)) == ["id: 1\ntext: First.", "id: 2\ntext: Second."]


def test_broken_json_names_the_line(tmp_path):
    with pytest.raises(ParseError, match="not valid JSON.*line 2"):
        parse(tmp_path, '{"a": 1}\n{"a": \n', "rows.jsonl")
    with pytest.raises(ParseError, match="not valid JSON.*line 2"):
        parse(tmp_path, '{"a":\n]', "a.json")


def test_deeply_nested_json_hits_a_limit(tmp_path):
    with pytest.raises(LimitError, match="nested too deeply"):
        parse(tmp_path, "[" * 200_000 + "]" * 200_000, "deep.json")
