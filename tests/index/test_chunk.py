from hypothesis import given, settings
from hypothesis import strategies as st

from index.chunk import TARGET_TOKENS, lay_out, sentence_spans, split
from index.encoders import count_tokens
from index.types import Block, ParsedDocument

KINDS = st.sampled_from(["paragraph", "list_item", "table", "code", "heading"])
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=400)
BLOCKS = st.lists(
    st.builds(Block, KINDS, TEXT, st.integers(1, 3), st.one_of(st.none(), st.integers(1, 9))), max_size=12
)


@settings(max_examples=60, deadline=None)
@given(BLOCKS)
def test_passages_are_spans_in_order_and_lose_no_word(blocks: list[Block]) -> None:
    text, drafts = split(ParsedDocument("T", tuple(blocks), "text/plain"))
    at = 0
    for draft in drafts:
        assert draft.text == text[draft.start : draft.end]
        assert draft.start >= at and draft.end > draft.start
        assert not text[at : draft.start].strip()  # only white space between passages
        at = draft.end
    assert not text[at:].strip()


def test_sections_pages_and_headings_survive() -> None:
    long = " ".join(f"Sentence number {n} speaks about the harbour and its boats." for n in range(30))
    blocks = (
        Block("heading", "Guide", 1, 1), Block("heading", "Harbour", 2, 1), Block("paragraph", long, 0, 1),
        Block("heading", "Tides", 2, 2), Block("paragraph", "High water is at nine. " * 30, 0, 2),
    )  # fmt: skip
    text, drafts = split(ParsedDocument("Guide", blocks, "application/pdf", 2))
    assert drafts[0].heading == "Guide > Harbour" and drafts[-1].heading == "Guide > Tides"
    assert drafts[0].page == 1 and drafts[-1].page == 2
    assert all(tokens <= TARGET_TOKENS + 12 for tokens in count_tokens([d.text for d in drafts]))
    assert not any(d.text.rstrip().endswith("Tides") for d in drafts)  # a heading goes with what follows


def test_a_word_without_spaces_is_cut_not_lost() -> None:
    text, drafts = split(ParsedDocument("T", (Block("code", "x" * 5000),), "text/plain"))
    assert "".join(d.text for d in drafts) == "x" * 5000


def test_sentences() -> None:
    text = "Dr. Vell met J. Aldin in 1901. It cost 3.5 crowns. Really?"
    assert [text[a:b] for a, b in sentence_spans(text)] == [
        "Dr. Vell met J. Aldin in 1901.", "It cost 3.5 crowns.", "Really?",
    ]  # fmt: skip


def test_layout_of_nothing() -> None:
    assert lay_out(ParsedDocument("T", (), "text/plain")) == ("", ())
    assert split(ParsedDocument("T", (), "text/plain")) == ("", ())
