import pytest

from training.evidence import Gold, locate

TEXT = "The mill at Oster, built\n| in | 1901.\nMira Vell paid for it; Mira Vells did not."


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("The mill", "The mill"),
        ("built in 1901", "built\n| in | 1901"),  # table signs and line breaks between the words
        ("mira vell paid", "Mira Vell paid"),
        ("Mira Vells did", "Mira Vells did"),
        ("ill at", "ill at"),  # letter by letter it does stand there
        ("built in 190", None),  # but a word of the loose search is a whole word
        ("razed in 1901", None),
        ("...", None),
    ],
)
def test_locate(quote: str, found: str | None) -> None:
    span = locate(quote, TEXT)
    assert (TEXT[slice(*span)] if span else None) == found


def test_a_whole_document_is_covered_by_any_of_its_spans() -> None:
    gold = Gold("p1", "d1")
    assert gold.covered_by("d1", 0, 4)
    assert not gold.covered_by("d2", 0, 4)


@pytest.mark.parametrize(
    ("start", "end", "covers"),
    [
        (0, 1000, True),  # a passage around the quote
        (110, 115, True),  # a shorter citation inside it
        (90, 110, True),  # 10 shared of the shorter 20
        (90, 109, False),  # 9 shared of 19
        (0, 100, False),  # only touches
        (300, 400, False),
    ],
)
def test_a_quote_is_covered_by_half_of_the_shorter(start: int, end: int, covers: bool) -> None:
    gold = Gold("a.md#0", "d1", (100, 140))
    assert gold.covered_by("d1", start, end) is covers
    assert not gold.covered_by("d2", start, end)
