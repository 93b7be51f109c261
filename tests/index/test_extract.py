import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.extract import Knowledge, RuleExtractor, Triplet
from index.names import name_key
from index.types import Draft


def extract(title: str, text: str, heading: str = "") -> Knowledge:
    return RuleExtractor().extract(title, text, [Draft(0, len(text), text, heading)])[0]


def test_title_headings_and_names_become_mentions() -> None:
    found = extract("Oster Mill (museum)", "The mill belongs to Ada Kell.", "History > Owners")
    kinds = {(m.key, m.kind) for _, m in found.mentions}
    assert {("oster mill museum", "title"), ("oster mill", "title"), ("history", "heading")} <= kinds
    assert {("owners", "heading"), ("ada kell", "name")} <= kinds


def test_mentions_point_into_the_document() -> None:
    text = "Intro here. Ada Kell met Bo Finn in 1901."
    draft = Draft(12, len(text), text[12:], "")
    found = RuleExtractor().extract("x", text, [draft])[0]
    for _, mention in found.mentions:
        if mention.kind == "name":
            assert text[mention.start : mention.end].lower() == mention.key
    assert all(text[a:b] for a, b in found.sentences)


def test_a_surname_stands_for_the_full_name() -> None:
    found = extract("Letters", "Ada Kell wrote often. Kell kept every reply.")
    assert [m.key for n, m in found.mentions if n == 1 and m.kind == "name"] == ["ada kell"]


def test_acronyms_and_other_names_become_aliases() -> None:
    found = extract("North Sea Pilots", "The Harbour Safety Board (HSB) met. It is also known as Sea Guides.")
    assert ("hsb", "harbour safety board") in found.aliases
    assert ("sea guides", "north sea pilots") in found.aliases
    assert not extract("x", "The Harbour Board (UNESCO) met.").aliases


def test_an_acronym_stands_for_a_name_of_its_own_sentence() -> None:
    found = extract("x", "She joined the Grain Council. Harbour Safety Board (HSB) members objected.")
    assert found.aliases == (("hsb", "harbour safety board"),)
    assert extract("x", "They met at St. Olaf Guild (SOG) in May.").aliases == (("sog", "st olaf guild"),)
    assert not extract("x", "It was run by the Harbour Board. Later came (HB) and others.").aliases


def test_triplets_of_a_sentence() -> None:
    found = extract(
        "Teal Bridge", "The Teal Bridge was designed by Mira Vell. It was opened in Oster by Ann Bell."
    )
    assert Triplet(0, "teal bridge", "was designed by", "mira vell") in found.triplets
    assert Triplet(1, "teal bridge", "was opened in", "oster") in found.triplets
    assert Triplet(1, "teal bridge", "was opened in by", "ann bell") in found.triplets


def test_a_title_in_a_script_without_capitals_is_found_in_its_text() -> None:
    found = extract("山の音", "これは山の音という本です。")
    assert any(m.kind == "name" and m.key == "山の音" for _, m in found.mentions)


def keys_of(found: Knowledge, *kinds: str) -> set[str]:
    return {m.key for _, m in found.mentions if not kinds or m.kind in kinds}


def test_german_names_dates_and_triplets() -> None:
    found = extract(
        "Blaue Brücke",
        "Die Blaue Brücke wurde von Käthe Möller entworfen und am 3. März 1887 eröffnet. "
        "Sie steht in Bad Österfeld, sagt der Verein „Rettet die Ufer“.",
    )
    assert {"blaue brucke", "kathe moller", "bad osterfeld"} <= keys_of(found, "name")
    assert {"3 marz 1887", "1887"} <= keys_of(found, "date")
    assert "rettet die ufer" in keys_of(found, "quoted")
    assert len(found.sentences) == 2
    assert Triplet(0, "blaue brucke", "wurde von", "kathe moller") in found.triplets
    assert any(t.subject == "blaue brucke" and t.object == "bad osterfeld" for t in found.triplets)  # "Sie"


def test_french_names_dates_and_triplets() -> None:
    found = extract(
        "Pont Bleu",
        "Le Pont Bleu a été dessiné par Éloïse de la Tour en février 1887. "
        "Elle vivait à Saint-Aubin, où paraît « Le Phare du Nord ».",
    )
    assert {"pont bleu", "eloise de la tour", "saint aubin"} <= keys_of(found, "name")
    assert "fevrier 1887" in keys_of(found, "date")
    assert any("phare du nord" in key for key in keys_of(found, "quoted"))
    assert any(t.subject == "pont bleu" and t.object == "eloise de la tour" for t in found.triplets)


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("青い橋", "青い橋は一八八七年に開通した。『川の灯』という本が青い橋を描いている。"),
        ("الجسر الأزرق", "افتتح الجسر الأزرق في المدينة القديمة. يذكر كتاب «ضوء النهر» هذا الجسر الأزرق."),
        ("नीला पुल", "नीला पुल पुराने शहर में है। लोग नीला पुल पार करते हैं।"),
    ],
)
def test_scripts_without_capitals_keep_title_and_quotes(title: str, text: str) -> None:
    found = extract(title, text)
    key = name_key(title)
    assert key in keys_of(found, "title")
    assert sum(m.kind == "name" and m.key == key for _, m in found.mentions) >= 1
    assert keys_of(found, "quoted") or "«" not in text and "『" not in text
    assert all(text[m.start : m.end] for _, m in found.mentions if m.kind in ("name", "quoted"))


def test_repeated_phrases_are_terms() -> None:
    text = "a pressure relief valve opens. the pressure relief valve closes."
    assert {m.key for _, m in extract("notes", text).mentions if m.kind == "phrase"} == {
        "pressure relief valve"
    }


@given(st.text(max_size=300), st.text(max_size=60))
def test_any_text_is_survived_and_offsets_stay_inside(text: str, title: str) -> None:
    found = extract(title, text)
    assert all(0 <= a <= b <= len(text) for a, b in found.sentences)
    assert all(0 <= m.start <= m.end <= len(text) for _, m in found.mentions)
    assert all(0 <= n < len(found.sentences) for n, _ in found.mentions)
