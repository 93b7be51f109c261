"""Documents about books: a review, a new edition, a list of books in print."""

from __future__ import annotations

from training.world.text import Page, Scene


def review(scene: Scene, index: int, suffix: str, date: str, *extra: str) -> None:
    """A review of a reissue; names author, publisher and first publication."""
    book = scene.one("book", index)
    page = Page(scene, "book review", suffix, f"{book.name}, read again", date)
    page.paragraph(
        page.say("Every few years somebody takes {0} down from the shelf and is surprised.", book),
        page.tell(book, "author"),
        page.colours("book", 2),
    )
    page.heading("The book and its making", 2)
    page.paragraph(
        page.tell(book, "publisher", "published_on"),
        [page.tell(book, name) for name in extra],
        page.colours("book", 2),
    )
    page.heading("Verdict", 2)
    page.paragraph(
        page.say("Is it a masterpiece? Probably not, and it would be embarrassed to be called one."),
        page.colours("book", 2),
        page.say("Keep it by the bed, and lend it only to people who bring things back."),
    )
    page.finish("book", 175)


def foreword(scene: Scene, index: int, suffix: str) -> None:
    """The front matter of a new edition: foreword, note on the text, opening page."""
    book, press = scene.one("book", index), scene.object_of(scene.one("book", index), "publisher")
    page = Page(scene, "book", suffix, book.name, "2020-10-05")
    page.heading("Foreword to the new edition", 2)
    page.paragraph(
        page.say("Old books do not need new forewords, and this one would rather have had a map."),
        page.claim(
            "{author} wrote {n} for readers who had an hour in the evening and one lamp.", book, "author"
        ),
        page.colours("book", 3),
    )
    page.heading("A note on the text", 2)
    page.paragraph(
        page.tell(book, "publisher", "published_on"),
        page.tell(book, "pages"),
        page.say(
            "We follow the copy in the storeroom of {0} and have corrected only what the "
            "author asked to "
            "have corrected.",
            press,
        ),
        page.colours("book", 2),
    )
    page.heading("From the opening chapter", 2)
    page.paragraph(
        page.say("The ferry was late, and so was everyone who had come to complain about it."),
        page.say(
            "On the landing stage stood a crate of geese, a bishop's umbrella and my uncle, "
            "who had been "
            "waiting since the day before and meant to be asked about it."
        ),
        page.say("Nobody asked. The river went by, brown and busy, as if it had an appointment."),
        page.say(
            "At last the bell rang on the far side, and the geese, who understood these matters, sat down."
        ),
    )
    page.finish("book", 190)


def book_list(scene: Scene, suffix: str) -> None:
    """A publisher's list as records; each entry is a sentence or two."""
    province = scene.one("province")
    page = Page(scene, "catalogue", suffix, f"Books of {province.name} in print", "2022-02-14")
    page.paragraph(
        page.say(
            "This list is sent to booksellers twice a year; orders may be placed by post or by "
            "a knock on the "
            "storeroom window."
        ),
        page.say(
            "Prices are those of the binding in cloth, and damaged copies are sold from a box by the door."
        ),
    )
    for index in (3, 4, 5):
        book = scene.one("book", index)
        page.heading(book.name, 2)
        pages = [page.tell(book, "pages")] if index == 4 else []
        page.paragraph(
            page.tell(book, "author"),
            page.tell(book, "publisher", "published_on"),
            pages,
            page.colours("book", 3),
        )
    page.finish("book", 190)
