"""Figures in tables whose columns are periods."""

from __future__ import annotations

import numpy as np
import pytest

from agent.columns import cell_answer, cells_of
from agent.question import analyse
from agent.reader import Evidence, sentences
from index.types import Passage

HEAD = """Statements of income

Three Months Ended June 30,  Six Months Ended June 30,
($ in millions)  2022  2021  2022  2021
Net sales  $  642 $  507 $  1,354 $  927
"""
ROWS = """Cost of sales  (480)  (362)  (1,024)  (632)
Gross profit  162  145  330  295
Gross margin  25.2 %  28.6 %  24.4 %  31.8 %
Net income  61  29"""


def passage(text: str, title: str = "Halden Mills 2022Q2") -> Passage:
    return Passage(
        id=1, document_id="d1", collection="c", title=title, source="1.pdf", heading="", text=text,
        start=len(HEAD), end=len(HEAD) + len(text),
    )  # fmt: skip


def found(question: str, text: str = ROWS, lead: str = HEAD) -> str | None:
    asked, one = analyse(question), passage(text)
    count = len(asked.terms)
    pool = [
        Evidence(
            passage=one, start=start, end=end, text=text[start - one.start : end - one.start], context="", cosine=0.5,
            degrees=np.zeros(count), own=np.zeros(count), score=0.5, hop=1,
        )
        for start, end in sentences(one)
    ]  # fmt: skip
    weights = np.full(count, 1 / count, np.float32)
    chain = cell_answer(asked, weights, pool, {1: 1.0}, lambda _, most: lead[-most:])
    return None if chain is None else chain.answers[0].text


@pytest.mark.parametrize(
    ("question", "figure"),
    [
        ("What was the gross profit of Halden Mills in the three months ended June 30, 2021?", "145"),
        ("What was the gross profit of Halden Mills in the six months ended June 30, 2021?", "295"),
        ("How much was the gross margin of Halden Mills in the six months ended June 30, 2022?", "24.4%"),
        ("What were Halden Mills' costs of sales in the six months ended June 30, 2022?", "(1,024)"),
    ],
)
def test_the_cell_of_row_and_column(question: str, figure: str) -> None:
    assert found(question) == figure


@pytest.mark.parametrize(
    "question",
    [
        "What was the gross profit of Halden Mills in 2021?",  # of three months or of six?
        "What was the gross profit of Halden Mills in the six months ended June 30, 2015?",
        "What was the gross profit of Halden Mills in the six months ended March 31, 2021?",
        "What was the gross profit of Oster Mills in the six months ended June 30, 2021?",
        "What was the gross profit of Halden Mills in the nine months ended June 30, 2021?",
        "What was the net income of Halden Mills in the six months ended June 30, 2021?",  # cells are missing
        "What was the gross profit of Halden Mills?",
    ],
)
def test_no_cell_in_doubt(question: str) -> None:
    assert found(question) is None


def test_without_the_head_of_its_table_a_row_says_nothing() -> None:
    question = "What was the gross profit of Halden Mills in the six months ended June 30, 2021?"
    assert found(question, lead="") is None


def test_columns_of_dates_and_changes() -> None:
    table = "December 31, 2022  June 30, 2022\nGoodwill  $  5,281  5,285"
    assert [(c.column, c.value) for c in cells_of(table)] == [
        ("December 31, 2022", "$5,281"),
        ("June 30, 2022", "5,285"),
    ]
    changes = "2015  2014  2015 vs. 2014\nMembers  30,024  18,277  11,747  64 %"
    assert [(c.column, c.value) for c in cells_of(changes)] == [("2015", "30,024"), ("2014", "18,277")]
    for cell in cells_of(table):
        assert table[cell.start : cell.end].replace(" ", "") == cell.value
