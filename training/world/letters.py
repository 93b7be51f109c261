"""What people write to one another: a letter and e-mail threads."""

from __future__ import annotations

from training.world import values
from training.world.text import Page, Scene


def letter(scene: Scene, suffix: str) -> None:
    """An old letter in which a pupil speaks of the teacher."""
    maker, reader = scene.one("instrument maker", 2), scene.one("astronomer")
    date = values.day(scene.rng, 1886, 1888)
    page = Page(scene, "letter", suffix, f"Letter from {maker.name} to {reader.name}", date.cell)
    page.paragraph(page.say(f"Written on {date.text}."))
    page.paragraph(page.say("Dear {0},", reader))
    page.paragraph(
        page.say("your parcel came on Tuesday, with the springs unbroken and the biscuits not."),
        page.say(
            "I thank you for both; the dog has dealt with the biscuits and I shall deal with the springs."
        ),
        page.say(
            "You ask how a person of my clumsiness came to this trade, and I will tell you, "
            "since it rains and "
            "the glue is not yet warm."
        ),
    )
    page.paragraph(
        page.claim(
            "It was {taught_by} who taught me, {n}, everything about brass and nearly "
            "everything about "
            "patience.",
            maker,
            "taught_by",
        ),
        page.say(
            "For the first year I swept; for the second I was allowed to hold things; in the "
            "third I dropped a "
            "wheel train on the cat and was, to my surprise, promoted."
        ),
        page.say("My teacher held that a mistake made loudly is cheaper than one made in silence."),
    )
    page.paragraph(
        page.say("The workshop is well. We have two apprentices, one of whom can count."),
        page.say(
            "I am sending back your drawings with remarks in pencil, so that you may rub out the rude ones."
        ),
        page.say(
            "If the committee should ask again about the price, please tell them that I have gone for a walk."
        ),
    )
    page.paragraph(
        page.say("Give my regards to your sister and to the stove."),
        page.say("Yours, with sticky fingers,"),
        page.say("{0}", maker),
    )
    page.finish()


def loan_mail(scene: Scene, suffix: str) -> None:
    """An e-mail thread between museum and library about a loan; gives a weight and two directors."""
    thing, museum, library = scene.one("instrument"), scene.one("museum"), scene.one("library")
    sender, recipient = scene.object_of(museum, "director"), scene.object_of(library, "director")
    page = Page(
        *(scene, "e-mail", suffix, f"Re: Loan of {thing.text}", "2022-03-15"),
        sender=_address(sender.name, museum.name),
        recipient=_address(recipient.name, library.name),
    )
    page.paragraph(page.say("Dear {0},", recipient))
    page.paragraph(
        page.say(
            "thank you for your quick reply, and for the photograph of the staircase, which answers one "
            "question and raises several."
        ),
        page.claim(
            "Our carrier needs the figure in writing, so here it is again: {n} weighs {weight}.",
            thing,
            "weight",
        ),
        page.say(
            "The floor of our hall will bear that easily, but the front steps may not, so we "
            "shall come in "
            "through the garden."
        ),
        page.say(
            "Could you ask the caretaker to have the side door unlocked by eight, and the goose locked up?"
        ),
        page.say("We will bring blankets, a trolley and six people who have done this before."),
    )
    page.paragraph(
        page.say(
            "The loan would run for one season, as agreed, and the insurance papers will follow by post."
        ),
        page.claim("With warm regards, {director}, director of {n}", museum, "director"),
    )
    page.paragraph(page.say("On 14 March 2022 {0} wrote:", recipient))
    page.paragraph(page.say("Dear {0},", sender))
    page.paragraph(
        page.say("the trustees have agreed to lend {0} to {1} for your jubilee.", thing, museum),
        page.say("They ask only that it be kept away from radiators, school parties and the brass band."),
        page.say("Please let me know how heavy you believe it to be; our own figures differ by one piano."),
        page.say("The staircase is narrow, as you will see from the picture."),
        page.claim("Kind regards, {director}, director of {n}", library, "director"),
    )
    page.finish()


def festival_mail(scene: Scene, suffix: str) -> None:
    """A request for extra boats; gives the year of the first festival."""
    fair, line = scene.one("festival", 1), scene.one("ferry line")
    sender = scene.object_of(scene.object_of(fair, "held_in"), "mayor")
    recipient = scene.object_of(line, "director")
    page = Page(
        *(scene, "e-mail", suffix, f"Extra boats for {fair.text}", "2023-05-08"),
        sender=_address(sender.name, fair.name),
        recipient=_address(recipient.name, line.name),
    )
    page.paragraph(page.say("Good morning {0},", recipient))
    page.paragraph(
        page.say("spring is here, the posters are printed, and once again we are short of boats."),
        page.claim(
            "As you know, {n} was first held in {first_held}, and in all that time nobody "
            "has had to swim home.",
            fair,
            "first_held",
        ),
        page.say(
            "We should like to keep it that way and ask {0} for two extra boats on the Saturday night.", line
        ),
        page.say("One at ten for families, one after the dance for everybody else would do nicely."),
    )
    page.paragraph(
        page.say("Last year the late boat was so full that the drummer had to play standing up."),
        page.say(
            "We can pay for the fuel and for the crew's supper, and the baker has promised a "
            "cake in the shape "
            "of a ferry."
        ),
        page.say(
            "A banner along the railing would be most welcome; it should not cover the lifebelts again."
        ),
        page.say(
            "Please send your answer before the end of the month, because the programme has to "
            "go back to the "
            "printer, who is strict."
        ),
    )
    page.paragraph(page.say("Many thanks from all of us on the committee,"), page.say("{0}", sender))
    page.finish()


def _address(person: str, house: str) -> str:
    local, domain = person.lower().replace(" ", "."), house.lower().replace(" ", "-")
    return f"{person} <{local}@{domain}.example>"
