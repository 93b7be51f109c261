from hypothesis import given
from hypothesis import strategies as st

from index.normalise import squeeze
from index.tables import GROUP_CHARACTERS, table_blocks


def lines(rows, **options):
    return [line for block in table_blocks(rows, **options) for line in block.text.split("\n")]


def test_rows_under_a_header_stand_alone():
    rows = [["Name", "Born", "Place"], ["Mira", "1987", "Ostara"], ["Tom", "", "Rill"]]
    assert lines(rows) == ["Name: Mira; Born: 1987; Place: Ostara", "Name: Tom; Place: Rill"]


def test_numbers_in_the_first_row_are_no_header_unless_it_is_declared():
    rows = [["", "2022", "2023"], ["Sales", "10", "12"]]
    assert lines(rows) == ["2022 | 2023", "Sales | 10 | 12"]
    assert lines(rows, header=True) == ["Sales; 2022: 10; 2023: 12"]


def test_pairs_without_header_are_labelled_by_their_first_cell():
    assert lines([["Height:", "12 m"], ["Built", "1911"]], header=False) == ["Height: 12 m", "Built: 1911"]


def test_wide_tables_repeat_their_header_in_every_block():
    header = [f"column {n}" for n in range(20)]
    blocks = list(table_blocks([header, *[[str(n)] * 20 for n in range(100)]]))
    assert len(blocks) > 1
    assert all(block.text.startswith("column 0 | column 1") for block in blocks)


def test_a_table_of_a_header_only_is_kept():
    assert lines([["Name", "Born"]]) == ["Name | Born"]
    assert lines([[], ["", ""]]) == []


@given(
    st.lists(st.lists(st.text(max_size=30), max_size=6), max_size=60), st.sampled_from([None, True, False])
)
def test_no_cell_is_lost_and_blocks_stay_small(rows, header):
    text = "\n".join(block.text for block in table_blocks(rows, header=header))
    filled = [row for row in rows if any(map(squeeze, row))]
    for row in filled[1:] if header is not False else filled:  # cells of a header label the others
        for cell in row:
            assert squeeze(cell).removesuffix(":") in text
    assert all(len(block.text) < 3 * GROUP_CHARACTERS for block in table_blocks(rows, header=header))
