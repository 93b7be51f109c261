import pytest

from index.names import bare_title, figures_in, name_key, names_in


def keys(text: str) -> list[str]:
    return [mention.key for mention in names_in(text)]


def test_a_key_is_the_same_across_spellings() -> None:
    assert name_key("The Café’s") == name_key("café") == "cafe"
    assert name_key("U.S.A.") == "usa"
    assert name_key("O'Brien") == name_key("O’Brien") == "obrien"
    assert name_key("—") == ""
    assert name_key("The Who") == "who"
    assert bare_title("Lovers (1927 film)") == "Lovers"


def test_names_hold_their_small_words() -> None:
    assert keys("She led the Order of the Lamp near Pier 9 with J. R. Vale.") == [
        "order of the lamp",
        "pier 9",
        "j r vale",
    ]


def test_two_names_joined_by_and_are_seen_together_and_apart() -> None:
    assert keys("It was built by Ann Bell and Otto Karsh.") == [
        "ann bell and otto karsh",
        "ann bell",
        "otto karsh",
    ]


def test_a_capital_of_position_is_no_name() -> None:
    assert keys("However the mill burned. ") == []
    assert keys("Water is cold; the water froze.") == []
    assert keys("In Oster the mill burned.") == ["oster"]


def test_quotes_are_names() -> None:
    assert "the long dusk" not in keys("He wrote “the long dusk” there.")  # the article goes
    assert "long dusk" in keys("He wrote “the long dusk” there.")
    assert "山の音" in keys("彼は『山の音』を書いた。")


def test_offsets_are_exact() -> None:
    text = "When did Mira Vell's bridge open? Ask “Oster Echo”."
    for mention in names_in(text):
        assert name_key(text[mention.start : mention.end]) == mention.key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Die Brücke baute Anna Groß 1901 bei München.", ["brucke", "anna gross", "munchen"]),
        ("Elle a grandi à Saint-Étienne avec Émile du Pré.", ["saint etienne", "emile du pre"]),
        ("这座桥建于一九〇一年。", []),
        ("بني الجسر في عام", []),
    ],
)
def test_other_languages_degrade_gracefully(text: str, expected: list[str]) -> None:
    assert keys(text) == expected


def test_dates_and_figures() -> None:
    found = [
        (m.key, m.kind) for m in figures_in("On 3 May 1901 it cost $4.5 million, 12 km away; 1987-02-01.")
    ]
    assert ("3 may 1901", "date") in found
    assert ("1901", "date") in found
    assert ("12 km", "number") in found
    assert any(kind == "number" and key.endswith("million") for key, kind in found)
    assert ("1987 02 01", "date") in found
