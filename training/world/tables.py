"""Documents that are mostly a table: town register, fares, timetable, register of ships."""

from __future__ import annotations

from training.world import values
from training.world.text import Page, Scene


def census(scene: Scene, suffix: str) -> None:
    """The town register as a worksheet."""
    province = scene.one("province")
    page = Page(scene, "register", suffix, f"Town register of {province.name} 2021", "2021-12-31")
    page.paragraph(
        page.say("Counted on the night of 31 December 2021 by volunteers with lanterns."),
        page.say("People on the ferries at midnight were counted where they had bought their tickets."),
    )
    rows = [
        page.row(
            town,
            "",
            "population",
            "mayor",
            f"={scene.rng.randint(640, 9_800)}",
            f"={scene.rng.randint(2, 19)}",
        )
        for town in scene.province.cast["town"]
    ]
    page.table(("Town", "Inhabitants", "Mayor", "Households with a boat", "Bakeries"), rows)
    page.finish()


def fares(scene: Scene, suffix: str) -> None:
    """The ferry line's price table."""
    line = scene.one("ferry line")
    page = Page(scene, "price table", suffix, f"Fares of {line.text}", "2024-01-01")
    page.paragraph(
        page.say("All prices in crowns, valid from 1 January 2024."),
        page.say("Children under six travel free if they can show a drawing of a boat."),
    )
    rows = []
    for crossing in scene.province.cast["crossing"]:
        single = scene.value_of(crossing, "fare_single").order
        back, bicycle, month = (round(single * times) for times in (1.8, 0.6, 21))
        rows.append(page.row(crossing, "", "fare_single", f"={back}", f"={bicycle}", f"={month}"))
    page.table(("Crossing", "Single", "Return", "Bicycle", "Monthly pass"), rows)
    page.finish()


def timetable(scene: Scene, suffix: str) -> None:
    """First and later departures of each crossing."""
    page = Page(scene, "timetable", suffix, f"Timetable of {scene.one('ferry line').text}", "2024-03-01")
    rows = []
    for crossing in scene.province.cast["crossing"]:
        first = int(scene.value_of(crossing, "first_departure").order)
        later = [values.clock(first + gap).text for gap in (145, 330, 520, 705)]
        rows.append(page.row(crossing, "", "first_departure", *(f"={time}" for time in later)))
    page.table(("Crossing", "First boat", "Second boat", "Third boat", "Fourth boat", "Last boat"), rows)
    page.finish()


def register(scene: Scene, suffix: str) -> None:
    """The harbour office's list of ships."""
    page = Page(scene, "register", suffix, "Register of ships", "1912-12-31")
    remarks = (
        *(
            "wintered at the old quay",
            "new mainmast of pine",
            "sold to an onion merchant",
            "leaks when spoken to",
        ),
        *(
            "carries mail on Tuesdays",
            "bell replaced",
            "cabin rebuilt",
            "repaired after grounding",
            "best pumps",
        ),
    )
    rows = []
    for ship, remark in zip(scene.province.cast["ship"], remarks, strict=True):
        rows.append(page.row(ship, "", "built_at", "launched_on", "ship_length", "captain", f"={remark}"))
    page.table(("Ship", "Yard", "Launched", "Length in metres", "Captain", "Remarks"), rows)
    page.finish()
