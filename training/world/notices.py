"""What houses print for the public: a programme, answers to questions, an annual report."""

from __future__ import annotations

from training.world.records import Row
from training.world.text import Page, Scene


def festival_programme(scene: Scene, index: int, suffix: str) -> None:
    """A programme leaflet."""
    fair = scene.one("festival", index)
    page = Page(scene, "programme", suffix, f"Programme of {fair.text}", "2023-04-02")
    page.paragraph(
        page.tell(fair, "held_in"),
        page.say("Entry is free, dogs are welcome, and the soup is on the town."),
        page.say("The programme may change with the wind; changes are chalked on the board by the fountain."),
    )
    page.heading("Friday", 2)
    page.bullets(
        page.say("16:00 Opening by the fire brigade, with music."),
        page.say("18:30 Supper at the long tables; bring a plate."),
        page.say("21:00 Stories for adults in the granary."),
    )
    page.heading("Saturday", 2)
    page.bullets(
        page.say("09:00 Market of useful and useless things."),
        page.say("14:00 Competition for beginners of any age."),
        page.say("20:00 Dance on the embankment; in rain, in the customs house."),
    )
    page.heading("Good to know", 2)
    page.paragraph(
        page.say("Lost children are taken to the bakery, lost parents to the town hall."),
        page.say(
            "Bicycles can be left in the school yard, where a retired teacher guards them and "
            "checks the brakes."
        ),
        page.say("Please take your rubbish home, or hand it to the mayor, who has promised to deal with it."),
        page.say("There is no car park; the last boats leave after the dance."),
        page.say("The organisers work without pay and are thanked with plum dumplings."),
        page.say("First aid is given by the pharmacist, who can be recognised by her hat."),
    )
    page.finish("town", 150)


def festival_answers(scene: Scene, suffix: str) -> None:
    """Frequently asked questions about a festival."""
    fair = scene.one("festival")
    page = Page(
        scene, "questions and answers", suffix, f"{fair.name}: frequently asked questions", "2022-06-01"
    )
    page.heading("Where does it take place?", 2)
    page.paragraph(page.tell(fair, "held_in"), page.say("Follow the paper arrows from the landing stage."))
    page.heading("How long has it existed?", 2)
    page.paragraph(
        page.tell(fair, "first_held"),
        page.say("It has been rained out only once, and people still talk about it."),
    )
    page.heading("Do I need a ticket?", 2)
    page.paragraph(
        page.say("No. There is a hat at the entrance, and a person beside the hat."),
        page.say("Seats in the first two rows are kept for people who find it hard to stand."),
    )
    page.heading("Can I take part?", 2)
    page.paragraph(
        page.say("Yes, if you sign up at the town hall by the Wednesday before."),
        page.say("Beginners are placed next to old hands, who will help with knots, paste and nerves."),
        page.say("Materials are free for children; adults are asked to bring their own string."),
    )
    page.heading("What if it rains?", 2)
    page.paragraph(
        page.say(
            "Light rain is ignored. In heavy rain everything moves into the customs house, "
            "where it is crowded "
            "and cheerful."
        ),
        page.say(
            "The decision is made at noon by the oldest member of the committee, who looks at the swallows."
        ),
    )
    page.heading("May I bring my dog?", 2)
    page.paragraph(
        page.say("Dogs are welcome on a lead. Geese are not, for reasons that older visitors will remember.")
    )
    page.finish()


def annual_report(scene: Scene, suffix: str) -> None:
    """The museum's report: history, visitors, staff, over two pages with a table."""
    museum = scene.one("museum")
    visitors = int(scene.value_of(museum, "visitors").order)
    page = Page(
        scene, "report", suffix, f"Annual report 2023 of {museum.text}", "2024-01-29", author=museum.name
    )
    page.heading("The house", 2)
    page.paragraph(
        page.tell(museum, "org_founded", "org_founder"),
        page.tell(museum, "based_in"),
        page.colours("public", 3),
    )
    page.heading("Visitors", 2)
    page.paragraph(
        page.tell(museum, "visitors"),
        page.say(
            "The quietest day was the first Tuesday in February, with a single guest, who "
            "stayed for six hours."
        ),
        page.say("School parties came from every town of {0}, some of them by boat.", scene.one("province")),
    )
    rows = [
        Row((str(2019 + i), f"{int(visitors * share):,}", f"{int(visitors * share * part):,}"))
        for i, (share, part) in enumerate(((0.93, 0.21), (0.41, 0.12), (0.57, 0.16), (0.88, 0.2)))
    ]
    year = scene.value_of(museum, "visitors")
    fact = scene.fact(museum, "visitors").id
    rows.append(Row(("2023", f"{visitors:,}", f"{int(year.order * 0.22):,}"), ("", fact, "")))
    page.table(("Year", "Visitors", "Of these, school children"), rows)
    page.heading("Collections and building", 2)
    page.paragraph(
        page.say(
            "The roof over the east wing no longer leaks, and the bucket has been added to the collection."
        ),
        page.say(
            "Three hundred labels were rewritten in larger type after a petition by the over-seventies."
        ),
        page.say("A moth was found in the textile room in April and asked to leave."),
        page.colours("public", 2),
    )
    page.heading("Staff", 2)
    page.paragraph(
        page.tell(museum, "staff"),
        page.say(
            "Two colleagues retired after long service; their replacements have learned where the keys are."
        ),
        page.say("The volunteers gave more than four thousand hours, most of them standing."),
    )
    page.heading("Outlook", 2)
    page.paragraph(
        page.say("In the coming year the stairs will be made safe and the coffee drinkable."),
        page.say(
            "An exhibition on the history of locks is being prepared, and every visitor will "
            "be let out again."
        ),
        page.colours("public", 2),
    )
    page.finish("public", 300)
