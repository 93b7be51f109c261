"""Comparisons by date and country: where the two things stand, what each is asked, and that code decides."""

from collections.abc import Sequence

import pytest

from agent.countries import countries_of
from agent.pairs import bare_option, comparison_in
from agent.question import analyse
from agent.reader_model import load_reader
from agent.sides import compared, titled
from index.types import Passage


def passage(number: int, title: str, text: str) -> Passage:
    return Passage(
        id=number, document_id=f"d{number}", collection="c", title=title, source=f"{number}.txt", heading="",
        page=None, start=0, end=len(text), text=text,
    )  # fmt: skip


FILMS = (
    passage(1, "Blue Weir", "Blue Weir is a 1934 drama film directed by Mira Vell. It was shot in Norway."),
    passage(
        2, "Red Mill (film)", "Red Mill is a silent film from 1921 directed by Jon Aske and set in Oster."
    ),
    passage(
        3, "Mira Vell", "Mira Vell (3 May 1880 – 9 June 1951) was a Norwegian film director and painter."
    ),
    passage(4, "Jon Aske", "Jon Aske (born 12 August 1893, died 1949) was an American film director."),
)


@pytest.mark.parametrize(
    ("text", "pair", "direction", "asks", "role"),
    [
        (
            "Which film has the director born later, Blue Weir or Now, Red Mill?",
            ("Blue Weir", "Now, Red Mill"), "later", "When was {} born?", "director",
        ),
        (
            "Which is longer, the River Aske or the River Orl?",
            ("the River Aske", "the River Orl"), "more", "How long is {}?", "",
        ),
        (
            "Which tower is the lowest, Gull Tower or Marrow Tower?",
            ("Gull Tower", "Marrow Tower"), "less", "How high is {}?", "",
        ),
        (
            "Which genus has fewer species, Dracula or Salvia?",
            ("Dracula", "Salvia"), "less", "How many species does {} have?", "",
        ),
        (
            "Which town has the larger population, Lume or Oster?",
            ("Lume", "Oster"), "more", "What is the population of {}?", "",
        ),
        ("Who died first, Mira Vell or Jon Aske?", ("Mira Vell", "Jon Aske"), "earlier", "When did {} die?", ""),
        ("Was Mira Vell or Jon Aske born first?", ("Mira Vell", "Jon Aske"), "earlier", "When was {} born?", ""),
        (
            "Which film was released more recently, Blue Weir or Red Mill?",
            ("Blue Weir", "Red Mill"), "later", "When was {} released?", "",
        ),
        (
            "Who was born first out of Mira Vell and Jon Aske?",
            ("Mira Vell", "Jon Aske"), "earlier", "When was {} born?", "",
        ),
        (
            "Are both villages, Posem and Qatran, located in the same country?",
            ("Posem", "Qatran"), "same", "In which country is {} located?", "",
        ),
        (
            "Do director of film Blue Weir and director of film Red Mill share the same nationality?",
            ("Blue Weir", "director of film Red Mill"), "same", "Which country is {} from?", "director",
        ),
    ],
)  # fmt: skip
def test_what_is_compared(text: str, pair: Sequence[str], direction: str, asks: str, role: str) -> None:
    found = comparison_in(analyse(text))
    assert found is not None
    assert tuple(pair) in found.pairs
    assert (found.direction, found.asks, found.role) == (direction, asks, role)


@pytest.mark.parametrize(
    "text",
    [
        "Who directed Blue Weir?",
        "Which has more to say about rye, Blue Weir or Red Mill?",
        "Which was the first mill to grind rye, Blue Weir or Red Mill?",
        "Are both Pothos and Silene plants?",
        "",
    ],
)
def test_other_questions_are_left_alone(text: str) -> None:
    assert comparison_in(analyse(text)) is None


def test_a_kind_is_no_part_of_a_name() -> None:
    assert bare_option("director of film Red Mill (1921 film)") == "Red Mill"
    assert bare_option("The Director") == "Director"
    assert bare_option("Films") == "Films"


def test_the_passage_about_a_thing_is_found_by_its_title() -> None:
    assert titled("red mill", FILMS) is FILMS[1]
    assert titled("Green Bridge", FILMS) is None
    assert titled("", FILMS) is None


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Which film has the director born earlier, Red Mill or Blue Weir?", "Blue Weir"),
        ("Which film has the director who died later, Red Mill or Blue Weir?", "Blue Weir"),
        ("Which film came out first, Blue Weir or Red Mill?", "Red Mill"),
        ("Who is younger, Mira Vell or Jon Aske?", "Jon Aske"),
        ("Are the directors of films Blue Weir and Red Mill from the same country?", "no"),
    ],
)
def test_code_decides_from_what_each_side_says(text: str, short: str) -> None:
    model = load_reader()
    assert model is not None
    found = compared(analyse(text), FILMS, model)
    assert found is not None
    assert found.verdict.short == short
    for one in found.found:
        assert one.passage.text[one.start : one.end] == one.text


def test_a_missing_side_gives_no_verdict() -> None:
    model = load_reader()
    assert model is not None
    question = analyse("Which film has the director born earlier, Red Mill or Blue Weir?")
    assert compared(question, FILMS[:3], model) is None  # nothing about Jon Aske
    assert compared(question, FILMS[1:], model) is None
    assert compared(question, (), model) is None


PAPERS = (
    passage(
        5,
        "1257 drain",
        "Start Date: 2015-08-14\nRFC PR: mill-lang/rfcs#1257\n\nSummary\n\nSacks are emptied.",
    ),
    passage(6, "RFC 1510: Carts", "RFC: 1510\nCreated: 23-Feb-2016\n\nIn 1999 carts were slow."),
)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Was RFC 1257 started before RFC 1510?", "yes"),
        ("Was RFC 1257 created after RFC-1510?", "no"),
        ("Which RFC is newer, 1257 or 1510?", "RFC 1510"),
        ("Which was opened first, RFC #1257 or RFC 1510?", "RFC #1257"),
    ],
)
def test_papers_are_compared_by_the_dates_of_their_headers(text: str, short: str) -> None:
    model = load_reader()
    assert model is not None
    found = compared(analyse(text), PAPERS, model)
    assert found is not None and found.verdict.short == short


def test_a_paper_that_was_not_found_gives_no_verdict() -> None:
    model = load_reader()
    assert model is not None
    assert compared(analyse("Was RFC 1257 started before RFC 151?"), PAPERS, model) is None


def test_countries_by_name_people_and_province() -> None:
    assert countries_of("an American drama shot in Norway") == {"United States", "Norway"}
    assert countries_of("a village in Ohio") == {"United States"}
    assert countries_of("Born in Kiel, a German painter") == {"Germany"}
    assert countries_of("the man of the north, in turkey and china") == frozenset()


def test_older_nations_are_countries_of_today() -> None:
    for word in ("Soviet", "Czech", "Scottish", "American", "South Korean", "Dutch"):
        (country,) = countries_of(f"a {word} painter")
        assert countries_of(f"born in {country}") == {country}


RIVERS = (
    passage(7, "River Aske", "The River Aske rises in the Cold Hills. From end to end it measures 172 kilometres."),
    passage(8, "River Orl", "The River Orl is 98,000 metres long and joins the sea at Lume."),
    passage(9, "River Sedge", "The River Sedge is about 60 miles long. It freezes in most winters."),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Which is longer, the River Aske or the River Orl?", "the River Aske"),
        ("Which river is the shortest, the River Aske or the River Orl?", "the River Orl"),
        ("Which is longer, the River Aske or the River Sedge?", None),  # kilometres beside miles
        ("Which is deeper, the River Aske or the River Orl?", None),  # no depth is told
    ],
)
def test_amounts_are_compared_where_both_are_told_in_one_unit(text: str, short: str | None) -> None:
    model = load_reader()
    assert model is not None
    found = compared(analyse(text), RIVERS, model)
    assert (found.verdict.short if found else None) == short


IN_A_LIST = passage(
    21,
    "Books of Oster",
    "Green Hill has 120 pages. The first edition of Red Mill has 490 pages. Jon Aske wrote it in 1921.",
)
ALONE = passage(22, "Blue Weir", "Blue Weir is a novel. Blue Weir runs to 270 pages in the first edition.")


def test_an_amount_may_stand_in_a_list_of_many_things() -> None:
    model = load_reader()
    assert model is not None
    found = compared(analyse("Which book has more pages, Blue Weir or Red Mill?"), (ALONE, IN_A_LIST), model)
    assert found is not None and found.verdict.short == "Red Mill"


def test_an_amount_beside_another_things_name_is_not_taken() -> None:
    model = load_reader()
    assert model is not None
    others = passage(23, "Books of Oster", "Red Mill is by Jon Aske. Green Hill has 120 pages.")
    question = analyse("Which book has more pages, Blue Weir or Red Mill?")
    assert compared(question, (ALONE, others), model) is None
