import pytest

from agent.compare import amount, date_key, decide, is_comparison, sub_questions
from agent.followup import resolve
from agent.question import analyse, content_words, names_in
from agent.types import Turn


@pytest.mark.parametrize(
    ("text", "expects"),
    [
        ("In which city was the founder of Halden Observatory born?", "place"),
        ("Who designed the Teal Bridge?", "person"),
        ("When did the Teal Bridge open?", "date"),
        ("In what year was Mira Vell born?", "year"),
        ("How many people live in Tarsholm?", "number"),
        ("How much does the brass compass cost?", "number"),
        ("What is the population of Tarsholm?", "number"),
        ("Where does the Aske rise?", "place"),
        ("Why was the bridge closed?", "reason"),
        ("Did Mira Vell design the Teal Bridge?", "yes_no"),
        ("Which bridge is longer, the Teal Bridge or the Iron Bridge?", "choice"),
        ("Which river does the Teal Bridge cross?", "thing"),
    ],
)
def test_expected_type(text: str, expects: str) -> None:
    assert analyse(text).expects == expects


def test_names_and_words() -> None:
    assert names_in("Who did Mira Vell's teacher meet in Port Calder?") == ("Mira Vell", "Port Calder")
    assert names_in("Was the “Glass Viola” sold?") == ("Glass Viola",)
    assert names_in("What did Edwin H. Knop write?") == ("Edwin H. Knop",)
    assert names_in("Before Mira Vell, who kept the Lamp House?") == ("Mira Vell", "Lamp House")
    assert content_words("What is the price of the Brass Compass?") == ["price", "brass", "compass"]


def test_comparison_becomes_two_questions() -> None:
    question = analyse("Who was born first, Mira Vell or Jon Aldin?")
    assert is_comparison(question)
    assert [q.text for q in sub_questions(question)] == [
        "When was Mira Vell born?",
        "When was Jon Aldin born?",
    ]
    assert all(q.expects == "date" for q in sub_questions(question))


@pytest.mark.parametrize(
    ("text", "values", "short"),
    [
        ("Who was born first, Mira Vell or Jon Aldin?", ("3 May 1850", "1849"), "Jon Aldin"),
        ("Who was born later, Mira Vell or Jon Aldin?", ("3 May 1850", "1849"), "Mira Vell"),
        ("Which is longer, the Teal Bridge or the Iron Bridge?", ("1.2 km", "300 metres"), "Teal Bridge"),
        ("Is the Teal Bridge longer than the Iron Bridge?", ("100 m", "300 m"), "no"),
        ("Were Mira Vell and Jon Aldin born in the same town?", ("Tarsholm", "Velm"), "no"),
        ("Were Mira Vell and Jon Aldin born in the same town?", ("Tarsholm", "Tarsholm"), "yes"),
    ],
)
def test_values_are_compared_by_code(text: str, values: tuple[str, str], short: str) -> None:
    verdict = decide(analyse(text), values)
    assert verdict is not None and verdict.short == short


def test_before_and_after_ask_whether() -> None:
    before = analyse("Was the Teal Bridge built before the Iron Bridge?")
    assert (before.options, before.direction, before.expects) == (
        ("Teal Bridge", "Iron Bridge"),
        "earlier",
        "yes_no",
    )
    after = analyse("Did Mira Vell die after Jon Aldin?")
    verdicts = [decide(asked, ("1887", "1901")) for asked in (before, after)]
    assert [verdict and verdict.short for verdict in verdicts] == ["yes", "no"]
    assert analyse("Was the Order of the Lamp closed before 1950?").options == ()
    assert analyse("What happened to Mira Vell after Jon Aldin left?").options == ()


def test_what_cannot_be_compared_is_not() -> None:
    question = analyse("Who was born first, Mira Vell or Jon Aldin?")
    assert decide(question, ("in spring", "1849")) is None
    assert decide(question, ("May 1850", "1850")) is None  # same year, no more known


def test_values() -> None:
    assert date_key("3 March 1921") == (1921, 3, 3)
    assert date_key("March 1921") == (1921, 3, 0)
    assert date_key("2021-03-04") == (2021, 3, 4)
    assert date_key("05-Sep-2017") == (2017, 9, 5)
    assert date_key("29 Jun 2003") == (2003, 6, 29)
    assert amount("4,210 inhabitants") == 4210
    assert amount("twelve crowns") == 12
    assert amount("no number") is None


def test_follow_ups_take_the_name_from_the_conversation() -> None:
    history = (Turn("Who designed the Teal Bridge?", "Mira Vell [1]. The bridge opened in 1887. [1]"),)
    assert resolve("When was she born?", history) == "When was Mira Vell born?"
    assert resolve("When was it opened?", history) == "When was the Teal Bridge opened?"
    assert resolve("Where was Jon Aldin when she left?", history) == "Where was Jon Aldin when she left?"
    assert resolve("When was she born?", ()) == "When was she born?"


def test_courtesies_around_a_question_ask_for_nothing() -> None:
    for polite in (
        "Do you know what color are the lamps?",
        "Could you tell me: what color are the lamps?",
        "I would like to know what color are the lamps",
    ):
        assert analyse(polite).expects == analyse("What color are the lamps?").expects, polite
    assert analyse("Did you know the Teal Bridge is old?").expects == "yes_no"
    assert analyse("Do you know Mira Vell?").text == "Do you know Mira Vell?"
