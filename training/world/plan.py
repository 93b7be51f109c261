"""Which sixty documents tell a province, in which order and in which file format."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from training.world import articles, books, disagreements, letters, meetings, notices, tables, works
from training.world.facts import Province
from training.world.names import NameMaker
from training.world.text import Scene

Writer = Callable[[Scene], object]
_TOWNS = (".md", ".html", ".md", ".txt", ".docx", ".md", ".rst", ".html")


def _writers() -> tuple[Writer, ...]:
    """Mixed so that a short collection (the first few documents) still has many formats and links."""
    plan: list[Writer] = [
        lambda s: works.bridge(s, 1, ".html", "bridge_length"),
        lambda s: articles.person(s, "engineer", 1, ".md"),
        lambda s: articles.river(s, 2, ".md"),
        lambda s: articles.lakes(s, ".rst"),
        lambda s: disagreements.rules(s, ".pdf", 0),
        lambda s: disagreements.rules(s, ".pdf", 1),
        lambda s: tables.census(s, ".xlsx"),
        lambda s: works.survey(s, ".pdf"),
        lambda s: disagreements.newspaper(s, ".txt"),
        lambda s: articles.person(s, "engineer", 0, ".docx"),
        lambda s: letters.loan_mail(s, ".eml"),
        lambda s: works.instrument(s, 0, ".docx"),
        lambda s: tables.register(s, ".csv"),
        lambda s: works.expedition(s, 0, ".rst", "sponsor", "destination", "vessel", "members"),
        lambda s: books.foreword(s, 2, ".epub"),
        lambda s: articles.person(s, "writer", 2, ".html"),
        lambda s: books.book_list(s, ".json"),
        lambda s: meetings.ferry_slides(s, ".pptx"),
        lambda s: tables.fares(s, ".xlsx"),
        lambda s: tables.timetable(s, ".csv"),
    ]
    plan += [partial(articles.town, index=i, suffix=suffix) for i, suffix in enumerate(_TOWNS)]
    plan += [
        lambda s: articles.river(s, 0, ".html"),
        lambda s: articles.river(s, 1, ".rst"),
        lambda s: articles.person(s, "engineer", 2, ".txt", ("born_on",)),
        lambda s: articles.person(s, "writer", 0, ".md", ("taught_by",)),
        lambda s: articles.person(s, "writer", 3, ".docx", ("died_on",)),
        lambda s: articles.person(s, "instrument maker", 1, ".html", ("died_on",)),
        lambda s: articles.person(s, "instrument maker", 2, ".pdf", ("taught_by", "studied_at")),
        lambda s: articles.person(s, "explorer", 0, ".rst"),
        lambda s: articles.person(s, "explorer", 1, ".md", ("studied_at",)),
        lambda s: articles.person(s, "captain", 0, ".html", ("studied_at", "died_on")),
        lambda s: articles.person(s, "instrument maker", 0, ".md", ("taught_by",)),
        lambda s: books.review(s, 0, ".md", "2019-02-08", "pages"),
        lambda s: works.bridge(s, 2, ".md", "bridge_cost"),
        lambda s: works.expedition(s, 1, ".md", "sponsor", "destination", "vessel", "members"),
        lambda s: works.expedition(s, 2, ".epub", "destination", "vessel"),
        lambda s: works.ship(s, 0, ".txt"),
        lambda s: works.instrument(s, 1, ".html"),
        lambda s: works.instrument(s, 2, ".md", "weight"),
        lambda s: works.paintings(s, ".json"),
        lambda s: notices.festival_programme(s, 1, ".md"),
        lambda s: notices.festival_answers(s, ".html"),
        lambda s: notices.annual_report(s, ".pdf"),
        lambda s: articles.organisation(s, "academy", ".html"),
        lambda s: articles.organisation(s, "press", ".md"),
        lambda s: articles.organisation(s, "shipyard", ".html"),
        lambda s: articles.organisation(s, "society", ".docx"),
        lambda s: articles.organisation(s, "observatory", ".md", "director"),
        lambda s: articles.organisation(s, "ferry line", ".html"),
        lambda s: letters.letter(s, ".txt"),
        lambda s: letters.festival_mail(s, ".eml"),
        lambda s: meetings.minutes(s, ".docx"),
    ]
    return (*plan, lambda s: meetings.academy_slides(s, ".pptx"))


WRITERS = _writers()
PER_PROVINCE = len(WRITERS)


def write_province(seed: int, index: int, names: NameMaker, documents: int = PER_PROVINCE) -> Scene:
    """One province and its first `documents` documents. The same arguments give the same texts."""
    rng = Random(f"forage-world/{seed}/{index}")
    scene = Scene(Province(index, rng, names), rng)
    for write in WRITERS[:documents]:
        write(scene)
    return scene
