"""Papers of meetings: minutes, and slides of an annual meeting and of a welcome."""

from __future__ import annotations

from training.world.records import Row
from training.world.text import Page, Scene


def minutes(scene: Scene, suffix: str) -> None:
    """A committee meeting that grants money for a repair."""
    society, thing = scene.one("society"), scene.one("instrument", 1)
    page = Page(scene, "minutes", suffix, f"Minutes of the committee of {society.text}", "2022-11-17")
    page.heading("Present and apologies", 2)
    page.paragraph(
        page.say("Meeting of 17 November 2022, begun at half past six in the map room."),
        page.claim("In the chair: {director}, director of {n}.", society, "director"),
        page.say("Nine members were present; the treasurer had sent apologies and a cheese."),
    )
    page.heading("Reports", 2)
    page.bullets(
        page.say("The minutes of the last meeting were approved, with the word 'scandalous' removed."),
        page.say("The librarian reported that the missing atlas had been found under the atlas stand."),
        page.say("Membership has risen by eleven, of whom four can be expected to pay."),
    )
    page.heading("Resolutions", 2)
    page.paragraph(
        page.claim(
            "The committee granted {repair_cost} for the repair of {n}, to be paid in two parts.",
            thing,
            "repair_cost",
        ),
        page.say("The first part is due when the work begins, the second when the thing works again."),
        page.say("A proposal to buy a second teapot was discussed for forty minutes and deferred."),
        page.say("It was agreed that the lecture season shall open with a talk on fog."),
    )
    page.heading("Any other business", 2)
    page.paragraph(
        page.say(
            "A member asked whether the window could be opened, and it was established that it could not."
        ),
        page.say("The caretaker reminded everybody that umbrellas are to be left downstairs."),
        page.say(
            "The next meeting is on the third Thursday of January. The chair closed the "
            "session at a quarter to "
            "nine, and tea was taken."
        ),
    )
    page.finish()


def ferry_slides(scene: Scene, suffix: str) -> None:
    """Slides of an annual meeting: one heading, a few points and a table."""
    line = scene.one("ferry line")
    page = Page(scene, "slides", suffix, f"{line.name}: annual meeting 2024", "2024-02-22")
    page.heading("Welcome", 2)
    page.bullets(
        page.claim("Presented by {director}, director of {n}", line, "director"),
        page.say("Agenda: the past year, the people, the boats, the soup"),
        page.say("Questions are welcome after every part"),
    )
    page.heading("The past year in figures", 2)
    page.table(
        ("Year", "Passengers", "Bicycles", "Cancelled sailings"),
        [
            Row(("2021", "301,400", "18,220", "41")),
            Row(("2022", "344,950", "21,040", "29")),
            Row(("2023", "362,700", "24,310", "33")),
        ],
    )
    page.heading("Our people", 2)
    page.bullets(
        page.claim("{n} employs {staff}, more than ever before", line, "staff"),
        page.say("Four apprentices passed their examination, one of them twice"),
        page.say("Uniforms will be green again, after a vote"),
    )
    page.heading("Plans", 2)
    page.bullets(
        page.say("New engines for two boats, quieter and easier to repair"),
        page.say("A covered landing stage with benches on the sunny side"),
        page.say("Better soup in the canteen; recipes may be handed in at the desk"),
        page.say("Timetable and fares stay as they are until the end of the year"),
    )
    page.heading("Thank you", 2)
    page.bullets(
        page.say("To the crews, who worked through the hardest winter for a generation"),
        page.say("To the passengers, who helped to shovel"),
        page.say("To the town bands, who played on the quay without being asked"),
    )
    page.finish()


def academy_slides(scene: Scene, suffix: str) -> None:
    """Slides for new students of the academy."""
    academy = scene.one("academy")
    page = Page(scene, "slides", suffix, f"Welcome to {academy.text}", "2023-09-04")
    page.heading("Who we are", 2)
    page.bullets(
        page.claim("{director} has been director of {n} since last autumn", academy, "director"),
        page.claim("{staff} work here, counting the gardener", academy, "staff"),
        page.say("Teaching is in small groups, and every group has its own stove"),
    )
    page.heading("Your first week", 2)
    page.table(
        ("Day", "Morning", "Afternoon"),
        [
            Row(("Monday", "Registration", "Tour of the workshops")),
            Row(("Tuesday", "Drawing test", "Free")),
            Row(("Wednesday", "Lecture on safety", "Rowing")),
            Row(("Thursday", "Library cards", "Choir")),
        ],
    )
    page.heading("House rules", 2)
    page.bullets(
        page.say("Return tools to the hook with their outline on the wall"),
        page.say("No bicycles on the main staircase, even for a bet"),
        page.say("Quiet hours begin at ten in the evening and end with the first bell"),
        page.say("Complaints go into the blue box, praise into the red one"),
    )
    page.heading("Where to get help", 2)
    page.bullets(
        page.say("The porter knows everything and is awake at all hours"),
        page.say("The nurse is in room four on weekday mornings"),
        page.say("Older students wear a yellow badge and have been told to be kind"),
    )
    page.finish()
