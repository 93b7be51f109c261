"""Documents that disagree: rules in an older and a newer version, a newspaper that contradicts a survey."""

from __future__ import annotations

from dataclasses import replace

from training.world import values
from training.world.records import Row, Sentence, Value, Variant, VariantKind
from training.world.text import Page, Scene


def rules(scene: Scene, suffix: str, version: int) -> None:
    """The library's reading room rules, twice: the later version changes the deposit and nothing else."""
    library = scene.one("library")
    current = scene.value_of(library, "deposit")
    old = values.money(current.order - 15)
    date = ("2016-04-01", "2023-04-01")[version]
    title = f"Reading room rules of {library.text}"
    page = Page(scene, "rules", suffix, title, date, version=("older", "newer")[version])
    page.paragraph(
        page.say(f"Version of 1 April {date[:4]}."),
        page.say(
            "These rules replace all earlier ones."
            if version == 0
            else "These rules replace the version of 1 April 2016, which is no longer valid."
        ),
        page.say("They apply to every reader, including trustees and the mayor."),
    )
    page.heading("1. Reader's card", 2)
    card = page.claim("The deposit for a reader's card at {n} is {deposit}.", library, "deposit")
    if version == 0:
        card = _misstate(scene, card, old, "superseded")
    page.paragraph(
        card,
        page.say("It is paid back in full when the card is returned."),
        page.say("A lost card must be reported at once; the porter will look suitably grave."),
    )
    page.heading("2. Use of the reading room", 2)
    page.paragraph(
        page.say("Books are fetched three times a day, at nine, at noon and at three."),
        page.say("Each reader may have six volumes on the table and one in mind."),
        page.say("Ink, food and wet coats stay in the cloakroom; pencils are lent free of charge."),
        page.say("Readers who snore are woken gently."),
    )
    page.heading("3. Copies", 2)
    page.table(
        ("Service", "Price in crowns", "Ready after"),
        [
            Row(("Photograph of a page", "0.50", "one day")),
            Row(("Copy of a map", "4", "one week")),
            Row(("Search in the card index", "2.50", "three days")),
        ],
    )
    page.heading("4. Conduct", 2)
    page.paragraph(
        page.say("Conversation is possible in the hall and in the garden."),
        page.say("The ladder may be used by people who are not afraid of it."),
        page.say("Whoever damages a book repairs it, under supervision, with paste."),
        page.say("Whoever finds a letter between the pages reads it to nobody and hands it in."),
    )
    page.heading("5. Opening hours", 2)
    page.paragraph(
        page.say("The reading room is open from nine to six on weekdays and from ten to one on Saturdays."),
        page.say("It is closed in the week after the spring flood, whether or not there has been a flood."),
    )
    page.finish()


def newspaper(scene: Scene, suffix: str) -> None:
    """A cutting of 1931 that gives another length for a bridge than the survey does."""
    bridge = scene.one("bridge")
    wrong = values.number(int(scene.value_of(bridge, "bridge_length").order) + 14, "metres", "m")
    page = Page(scene, "newspaper", suffix, f"Lamps on {bridge.text}", "1931-10-09")
    page.paragraph(page.say("From the evening paper, 9 October 1931."))
    told = page.claim(
        "According to the town engineer {n} is {bridge_length} long, and he has "
        "walked it often enough "
        "to know.",
        bridge,
        "bridge_length",
    )
    page.paragraph(
        page.say(
            "Last night, at a quarter past seven, the new electric lamps on {0} were switched "
            "on for the first "
            "time.",
            bridge,
        ),
        page.say("A crowd stood on the embankment and said nothing, and then everybody spoke at once."),
        page.say(
            "The mayor pulled a lever, which turned out to be an ornament; the real switch was "
            "thrown by an "
            "apprentice in a cupboard."
        ),
    )
    page.paragraph(
        _misstate(scene, told, wrong, "contradicted"),
        page.say("Every lamp has been given a number, and the public is asked not to hang bicycles on them."),
        page.say("The old gas fittings will be sold by weight on Saturday morning."),
    )
    page.paragraph(
        page.say("Opinions in the crowd were divided."),
        page.say("A carter said that his horse had seen quite well enough before."),
        page.say(
            "Two young ladies pointed out that one could now read the price list of the "
            "pancake stall from the "
            "other bank, and went to test it."
        ),
        page.say("An old gentleman in the front row wept a little and said it was the smoke."),
        page.say("At nine the band played, the lamps flickered once, and the town went home to its supper."),
    )
    page.finish()


def _misstate(scene: Scene, told: Sentence, other: Value, kind: VariantKind) -> Sentence:
    """The sentence with another value in place of the true one; the scene keeps the record of it."""
    fact = scene.province.facts[told.facts[0]]
    text = told.text.replace(fact.value.text if fact.value else "", other.text)
    document = f"p{scene.province.index}-d{len(scene.documents)}"
    scene.variants.append(Variant(fact.id, kind, document, text, other))
    return replace(told, text=text, facts=())
