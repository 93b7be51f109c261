from pathlib import Path

from index.limits import LoadLimits
from index.parse import parse_file


def parse(tmp_path: Path, content: str, name: str = "page.rst"):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return parse_file(path, name, LoadLimits())


def shape(document):
    return [(block.kind, block.level, block.text) for block in document.blocks]


def text_of(document):
    return "\n".join(block.text for block in document.blocks)


def test_structure(tmp_path):
    document = parse(
        tmp_path,
        "The mill\n========\n\nA *sharp* ``stone``, see [1]_ and `the plan <plan.html>`_.\n\nParts\n-----\n\n"
        "* wheel\n* stone\n\n3. three\n4. four\n\nterm\n   meaning\n\n::\n\n    if x:\n        go()\n\n"
        "=====  ======\nPart   Weight\n=====  ======\nwheel  12\nstone  90\n=====  ======\n\n.. note::"
        " Oil it.\n\n"
        ".. [1] A foot note.\n",
    )
    assert shape(document) == [
        ("heading", 1, "The mill"),
        ("paragraph", 0, "A sharp stone, see [1] and the plan."),
        ("heading", 2, "Parts"),
        ("list_item", 0, "wheel"),
        ("list_item", 0, "stone"),
        ("list_item", 0, "3. three"),
        ("list_item", 0, "4. four"),
        ("paragraph", 0, "term: meaning"),
        ("code", 0, "if x:\n    go()"),
        ("table", 0, "Part: wheel; Weight: 12\nPart: stone; Weight: 90"),
        ("paragraph", 0, "Note: Oil it."),
        ("paragraph", 0, "[1] A foot note."),
    ]
    assert document.title == "The mill"


def test_sphinx_roles_and_directives_keep_their_text(tmp_path):
    document = parse(
        tmp_path,
        "See :ref:`the guide <guide-label>`, :class:`~pkg.mod.Wheel`, :pep:`8`, :pep:`the style <8>`,"
        " :unheard:`of`,\n"
        ":code:`a <b>` and :doc:`!x`.\n\n"
        ".. versionadded:: 3.9\n\n.. code-block:: python\n   :emphasize-lines: 1\n   :caption: x\n\n  "
        " go()\n\n"
        ".. toctree::\n   :maxdepth: 2\n\n   other\n\n.. my-box:: A title\n   :odd: option\n\n   Inner"
        " *words*.\n\n"
        ".. py:function:: turn(wheel)\n\n   Turns the wheel.\n",
    )
    text = text_of(document)
    assert "See the guide, Wheel, PEP 8, the style, of, a <b> and x." in text
    assert "New in version 3.9" in text
    assert "A title\nInner words." in text
    assert "turn(wheel)\nTurns the wheel." in text
    assert ("code", 0, "go()") in shape(document)
    assert "other" not in text and "odd" not in text


def test_header_fields_are_meta_data_and_text(tmp_path):
    document = parse(
        tmp_path, "PEP: 505\nTitle: None-aware operators\nStatus: Deferred\n\nAbstract\n=====\n\nWords.\n"
    )
    assert document.title == "None-aware operators"
    assert document.meta == {"pep": "505", "title": "None-aware operators", "status": "Deferred"}
    assert document.blocks[0].text == "PEP: 505\nTitle: None-aware operators\nStatus: Deferred"


def test_the_number_of_a_series_joins_the_title_where_the_file_bears_it_too(tmp_path):
    text = "PEP: 505\nTitle: None-aware operators\n\nAbstract\n=====\n\nWords.\n"
    assert parse(tmp_path, text, "pep-0505.rst").title == "PEP 505: None-aware operators"
    assert parse(tmp_path, text, "draft-2024.rst").title == "None-aware operators"


def test_a_table_without_a_head_has_no_header_row(tmp_path):
    table = "=======  ===========\nbeta 1   25 Apr 2003\nbeta 2   29 Jun 2003\n=======  ===========\n"
    (block,) = parse(tmp_path, table).blocks
    assert (block.kind, block.text) == ("table", "beta 1: 25 Apr 2003\nbeta 2: 29 Jun 2003")


def test_files_are_not_included_and_raw_output_is_off(tmp_path):
    (tmp_path / "secret.txt").write_text("SECRET")
    document = parse(
        tmp_path,
        f"Words.\n\n.. include:: secret.txt\n\n.. include:: {tmp_path}/secret.txt\n\n.. literalinclude::"
        f" secret.txt\n\n"
        ".. csv-table:: T\n   :file: secret.txt\n\n.. raw:: html\n   :file: secret.txt\n\nMore.\n",
    )
    assert "SECRET" not in text_of(document)
    assert "Words." in text_of(document) and "More." in text_of(document)


def test_undefined_and_raw_substitutions(tmp_path):
    document = parse(
        tmp_path,
        ".. |mode| replace:: Enable |br| mode\n.. |nl| raw:: html\n\n   <br/>\n\n"
        ".. |both| replace:: one |nl| two\n\nUse |mode| and |both|.\n",
    )
    assert document.blocks[-1].text == "Use Enable mode and one two."


def test_broken_markup_loses_no_text(tmp_path):
    document = parse(
        tmp_path, "Title\n==\n\nAn *unclosed emphasis and `role.\n\n  * odd\n indent\n\nAfter.\n"
    )
    for words in ("Title", "unclosed emphasis", "role", "odd", "indent", "After."):
        assert words in text_of(document)


def test_very_long_lines_are_read(tmp_path):
    document = parse(tmp_path, "word " * 300_000 + "\n\nAfter.\n")
    assert len(document.blocks[0].text) == 5 * 300_000 - 1 and document.blocks[1].text == "After."
