"""Encyclopaedia articles: towns, rivers, lakes, people, organisations."""

from __future__ import annotations

from datetime import date

from training.world.records import Entity
from training.world.text import Page, Scene
from training.world.values import date_value

_RANK = (
    "Few people in {{0}} would dispute that {a_role} of this rank is rare.",
    "No list of the {role}s of {{0}} is complete without this name.",
    "The schoolbooks of {{0}} have room for only one {role}, and this is the one they chose.",
    "To this day every {role} in {{0}} quotes the name in order to win an argument.",
    "Ask {a_role} in {{0}} for a model, and this is the name you will hear.",
    "Nobody in {{0}} was surprised that a child so stubborn became {a_role}.",
)


def _open(scene: Scene, genre: str, subject: Entity, suffix: str) -> Page:
    year, month, day = scene.rng.randint(2015, 2023), scene.rng.randint(1, 12), scene.rng.randint(1, 28)
    title = subject.text if subject.kind == "river" else subject.name
    return Page(scene, genre, suffix, title[0].upper() + title[1:], f"{year}-{month:02d}-{day:02d}")


def _close(page: Page, pool: str, words: int, person: Entity | None = None) -> None:
    year, month, day = (int(part) for part in page.date.split("-"))
    revised = date_value(date(year, month, day)).text
    page.paragraph(page.say(f"Handbook of {{0}}, entry revised on {revised}.", page.scene.one("province")))
    page.finish(pool, words, person)


def town(scene: Scene, index: int, suffix: str) -> None:
    """River and product in the first lines; the charter in most of them."""
    place = scene.one("town", index)
    page = _open(scene, "town article", place, suffix)
    page.paragraph(page.tell(place, "lies_on", "known_for"), page.colours("town", 2))
    page.heading("History", 2)
    charter = [page.tell(place, "town_founded")] if index not in (2, 5) else []
    page.paragraph(charter, page.colours("town", 2))
    page.heading("The town today", 2)
    page.paragraph(page.colours("town", 3))
    _close(page, "town", 165)


def river(scene: Scene, index: int, suffix: str) -> None:
    """Length and mouth, in sections of their own."""
    stream = scene.one("river", index)
    page = _open(scene, "river article", stream, suffix)
    opening = page.say("{0} is one of the three large rivers of {1}.", stream, scene.one("province"))
    page.paragraph(opening, page.tell(stream, "river_length"), page.colours("river", 2))
    page.heading("Course", 2)
    page.paragraph(page.tell(stream, "flows_into"), page.colours("river", 2))
    page.heading("Nature and use", 2)
    page.paragraph(page.colours("river", 3))
    _close(page, "river", 160)


def lakes(scene: Scene, suffix: str) -> None:
    """One article about both lakes, with a table of their depths."""
    province = scene.one("province")
    page = Page(scene, "lake article", suffix, f"The lakes of {province.name}", "2018-09-03")
    page.paragraph(
        page.say("{0} has two large lakes, {1} and {2}.", province, *scene.province.cast["lake"]),
        page.say(
            "Both were left behind by the ice, both are cold all year, and both have a monster in whom "
            "nobody over the age of eight believes."
        ),
        page.say(
            "The soundings below were made from a rowing boat with a lead line and have since been "
            "confirmed with better instruments."
        ),
    )
    page.heading("Soundings", 2)
    page.table(
        ("Lake", "Greatest depth in metres", "Ice cover", "Best month for bathing"),
        [
            page.row(lake, "", "lake_depth", f"={cover}", f"={month}")
            for lake, cover, month in zip(
                scene.province.cast["lake"], ("most winters", "rarely"), ("August", "July"), strict=True
            )
        ],
    )
    for lake in scene.province.cast["lake"]:
        page.heading(lake.name, 2)
        page.paragraph(page.tell(lake, "lake_depth"), page.colours("lake", 4))
    _close(page, "lake", 160)


def person(scene: Scene, role: str, index: int, suffix: str, withheld: tuple[str, ...] = ()) -> None:
    """A life: birth, training, work, death. `withheld` relations stay unsaid."""
    who = scene.one(role, index)
    page = _open(scene, "biography", who, suffix)
    role_text = ("an " if role[0] in "aeiou" else "a ") + role
    birth = ("born_in",) if "born_on" in withheld else ("born_in", "born_on")
    page.paragraph(
        page.tell(who, *birth),
        page.say(scene.draw("rank", _RANK).format(a_role=role_text, role=role), scene.one("province")),
        page.colours("person", 2, who),
    )
    page.heading("Training and work", 2)
    told = [name for name in ("studied_at", "taught_by") if name not in withheld]
    known = [name for name in told if f"{who.id}.{name}" in scene.province.facts]
    page.paragraph(
        [page.tell(who, name) for name in known], page.colours(role, 3, who), page.colours("person", 1, who)
    )
    page.heading("Later years", 2)
    page.paragraph(page.colours("person", 2, who))
    if "died_on" not in withheld:
        page.paragraph(page.tell(who, "died_on"))
    _close(page, "person", 175, who)


def organisation(scene: Scene, kind: str, suffix: str, *extra: str) -> None:
    """Who founded it, when and where; `extra` relations (director, staff) in the second section."""
    org = scene.one(kind)
    pool = "works" if kind in ("press", "shipyard", "ferry line") else "public"
    page = _open(scene, "organisation article", org, suffix)
    page.paragraph(page.tell(org, "org_founded", "org_founder"), page.colours(pool, 3))
    page.heading("House and people", 2)
    page.paragraph(
        page.tell(org, "based_in"), [page.tell(org, name) for name in extra], page.colours(pool, 3)
    )
    page.heading("Customs", 2)
    page.paragraph(page.colours(pool, 2))
    _close(page, pool, 160)
