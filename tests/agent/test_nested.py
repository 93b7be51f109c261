"""Descriptions inside questions: which one is innermost, what it asks, and what stays to be asked."""

import pytest

from agent.nested import innermost, put


@pytest.mark.parametrize(
    ("question", "asks", "left"),
    [
        (
            "What is the birthplace of the captain of the ship that carried the Progby Expedition?",
            "Which ship carried the Progby Expedition?",
            "What is the birthplace of the captain of [X]?",
        ),
        (
            "When was the teacher of the author of One Distant Bell Founder born?",
            "Who is the author of One Distant Bell Founder?",
            "When was the teacher of [X] born?",
        ),
        (
            "What is the length of the river crossed by the Lekerly Bridge?",
            "Which river is crossed by the Lekerly Bridge?",
            "What is the length of [X]?",
        ),
        (
            "Where was the director of the 2008 film Northern Lamp born?",
            "Who is the director of the 2008 film Northern Lamp?",
            "Where was [X] born?",
        ),
        (
            "What is the seat of the county where Van Hook Township is located?",
            "In which county is Van Hook Township located?",
            "What is the seat of [X]?",
        ),
        (
            "What currency was used before in the country Ann Ruhl is from?",
            "Which country is Ann Ruhl from?",
            "What currency was used before in [X]?",
        ),
        (
            "Where did Ann Ruhl's teacher die?",
            "Who is the teacher of Ann Ruhl?",
            "Where did [X] die?",
        ),
        (
            'Who married the singer of "A Lamp at Noon"?',
            'Who is the singer of "A Lamp at Noon"?',
            "Who married [X]?",
        ),
    ],
)
def test_the_innermost_description_is_asked_first(question: str, asks: str, left: str) -> None:
    found = innermost(question)
    assert found is not None
    assert (found.asks, put(question, found, "[X]")) == (asks, left)


@pytest.mark.parametrize(
    "question",
    [
        "Who is the author of One Distant Bell Founder?",  # the description is all that is asked
        "Where was Ann Ruhl born?",
        "What is the population of Tarsholm?",
        "What is the name of the author of One Distant Bell Founder?",  # nothing is left to ask
        "When does the first boat leave on the Brossund crossing?",  # a subject with its verb
        "Who was the leader of the Anglican church?",  # the name goes on
        "What happened after the death of Sarah Ruhl?",  # an event, no thing
        "What is the capital?",
        "",
    ],
)
def test_what_describes_nothing_is_left_whole(question: str) -> None:
    assert innermost(question) is None


def test_one_after_the_other_until_nothing_is_described() -> None:
    question = "What is the length of the river that flows through the town shown in Washing Day?"
    asked = []
    for answer in ("Stedron", "the River Zenow"):
        found = innermost(question)
        assert found is not None
        asked.append(found.asks)
        question = put(question, found, answer)
    assert asked == ["Which town is shown in Washing Day?", "Which river flows through Stedron?"]
    assert question == "What is the length of the River Zenow?" and innermost(question) is None
