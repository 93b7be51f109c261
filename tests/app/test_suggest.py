import pytest

from app.suggest import turned_round


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The Tern Bridge was designed by Ilse Marn.", "Who designed the Tern Bridge?"),
        ("Letters from Holm was written by Ada Voss in 1902.", "Who wrote Letters from Holm?"),
        ("Ilse Marn was born in Vell in 1861.", "When was Ilse Marn born?"),
        ("Holm is the capital of Osterland.", "What is the capital of Osterland?"),
        ("Ada Voss was the director of the Holm School, then.", "Who was the director of the Holm School?"),
        ("The Oster is a river of the north.", "What is the Oster?"),
        ("Holm has a population of 41,000.", "What is the population of Holm?"),
        ("Ilse Marn was an engineer of the old school.", "Who was Ilse Marn?"),
        ("The Marn Works is a foundry on the Oster.", "What is the Marn Works?"),
    ],
)  # fmt: skip
def test_plain_sentences_become_questions(sentence: str, question: str) -> None:
    found = turned_round(sentence)
    assert found is not None and found[1] == question


@pytest.mark.parametrize(
    "sentence",
    [
        "It was designed by Ilse Marn.",
        "She was born in Vell in 1861.",
        "This is the capital of Osterland.",
        "Description of Business We were incorporated in Delaware in 1966.",
        "Figure 3 is a map of the town and its walls.",
        "the bridge was designed by nobody in particular",
        "",
    ],
)
def test_what_cannot_stand_alone_is_left_out(sentence: str) -> None:
    assert turned_round(sentence) is None
