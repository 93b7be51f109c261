"""Documents about works: bridges, expeditions, ships, instruments, paintings."""

from __future__ import annotations

from training.world.records import Row
from training.world.text import Page, Scene


def bridge(scene: Scene, index: int, suffix: str, *extra: str) -> None:
    """A page from a guide to the bridges of the province."""
    structure = scene.one("bridge", index)
    page = Page(scene, "bridge article", suffix, structure.name, "2017-05-20")
    page.paragraph(page.tell(structure, "spans"), page.colours("bridge", 2))
    page.heading("Planning and construction", 2)
    page.paragraph(
        page.tell(structure, "designer"), page.colours("bridge", 2), page.tell(structure, "opened_on")
    )
    page.heading("Visiting", 2)
    page.paragraph([page.tell(structure, name) for name in extra], page.colours("bridge", 3))
    page.finish("bridge", 160)


def survey(scene: Scene, suffix: str) -> None:
    """An engineer's report on one bridge over several pages, with a table of measurements."""
    structure = scene.one("bridge")
    page = Page(
        scene, "report", suffix, f"Condition survey of {structure.text}", "2009-06-18", author="Survey office"
    )
    page.heading("1. Summary", 2)
    page.paragraph(
        page.say(
            "This report was written on 18 June 2009 for the road committee of {0}.", scene.one("province")
        ),
        page.say("{0} is in fair condition for its age; no closure is recommended.", structure),
        page.say("Two bearings and the drainage of the deck need attention before the next winter."),
    )
    page.heading("2. History of the structure", 2)
    page.paragraph(
        *(page.tell(structure, name) for name in ("designer", "spans", "opened_on", "bridge_cost")),
        page.colours("bridge", 4),
    )
    page.heading("3. Measurements", 2)
    page.paragraph(
        page.say("All lengths were taken twice with a steel tape, at dawn, when the structure is coldest."),
        page.tell(structure, "bridge_length"),
    )
    page.table(
        ("Part", "Measured", "Condition"),
        [
            page.row(structure, "=Total length in metres", "bridge_length", "=good"),
            Row(("Width of the carriageway in metres", "6.2", "good")),
            Row(("Height of the parapet in metres", "1.1", "worn")),
            Row(("Bearings replaced since opening", "8", "two due")),
            Row(("Lamps in working order", "11", "good")),
        ],
    )
    page.heading("4. Findings", 2)
    page.paragraph(
        page.say("The masonry was tapped from a boat on three mornings."),
        page.say(
            "Hollow sounds were heard at the second pier, where the pointing has washed out to "
            "the depth of a "
            "hand."
        ),
        page.say(
            "The iron is sound wherever the paint is sound, and the paint is sound wherever "
            "the sun reaches it."
        ),
        page.say(
            "Drain holes are blocked by nests; they should be cleared in autumn, after the birds have left."
        ),
        page.colours("bridge", 2),
    )
    page.heading("5. Recommendations", 2)
    page.bullets(
        page.say("Replace the two bearings at the northern abutment."),
        page.say("Repoint the second pier up to the flood mark."),
        page.say("Repaint the downstream railing in the usual green."),
        page.say("Repeat this survey in ten years, or after any flood that reaches the lamps."),
    )
    page.finish("bridge", 260)


def expedition(scene: Scene, index: int, suffix: str, *relations: str) -> None:
    """A report to the members: who led, who paid, where it went, on what ship."""
    journey = scene.one("expedition", index)
    departed = int(scene.value_of(journey, "departed_on").cell[:4])
    page = Page(scene, "expedition report", suffix, f"Report on {journey.text}", f"{departed + 2}-02-10")
    page.paragraph(page.tell(journey, "leader", "departed_on"), page.colours("expedition", 2))
    page.heading("Purpose and means", 2)
    page.paragraph([page.tell(journey, name) for name in relations], page.colours("expedition", 2))
    page.heading("The journey", 2)
    page.paragraph(page.colours("expedition", 4))
    page.heading("Results", 2)
    page.paragraph(
        page.say("The maps were engraved within the year and are still the best of their kind."),
        page.say("The specimens were divided by lot, which offended everybody equally."),
        page.colours("expedition", 1),
    )
    page.finish("expedition", 170)


def ship(scene: Scene, index: int, suffix: str) -> None:
    """A note on one ship: yard and launch; the captains stand in the register."""
    vessel = scene.one("ship", index)
    page = Page(scene, "ship note", suffix, f"Notes on {vessel.text}", "2016-11-02")
    page.paragraph(
        page.tell(vessel, "built_at"),
        page.tell(vessel, "launched_on"),
        page.say(
            "She was a plain, dry, well-mannered ship, and people who had crossed in her "
            "tended to say so for "
            "the rest of their lives."
        ),
        page.say(
            "The figurehead, a lady with a telescope, is now in a private garden and much "
            "visited by sparrows."
        ),
    )
    page.heading("Fittings", 2)
    page.paragraph(
        page.say(
            "She carried four boats, two stoves and a library of forty books chosen by the second mate."
        ),
        page.say(
            "The berths were short, because the builder believed that tall people should sleep sitting up."
        ),
        page.say("Her bell has a crack and a low, friendly note that could be told from any other in fog."),
        page.say("In the galley hung a printed rule: whoever complains of the soup shall cook the next one."),
    )
    page.heading("Later life", 2)
    page.paragraph(
        page.say("After her last voyage she lay for years as a floating warehouse for onions."),
        page.say("When she was broken up, her timbers went into barns, a chapel roof and several violins."),
        page.say("Model makers are asked not to paint her blue; she was never blue."),
        page.say(
            "Her log books, with tide marks on every page, can be consulted by anyone with clean hands."
        ),
    )
    page.finish("expedition", 170)


def instrument(scene: Scene, index: int, suffix: str, *extra: str) -> None:
    """A catalogue entry: maker, year, keeper."""
    thing = scene.one("instrument", index)
    page = Page(scene, "instrument article", suffix, thing.name, "2018-03-11")
    page.paragraph(page.tell(thing, "maker", "completed"), page.colours("instrument", 3))
    page.heading("Where to find it", 2)
    page.paragraph(page.tell(thing, "kept_at"), page.colours("instrument", 2))
    page.heading("Condition", 2)
    page.paragraph([page.tell(thing, name) for name in extra], page.colours("instrument", 3))
    page.finish("instrument", 160)


def paintings(scene: Scene, suffix: str) -> None:
    """The museum's picture catalogue as records."""
    museum = scene.one("museum")
    page = Page(scene, "catalogue", suffix, f"Pictures in {museum.text}", "2021-09-30")
    page.paragraph(
        page.say("This catalogue lists the pictures that hang on the first floor of {0}.", museum),
        page.say("Frames are original unless the entry says otherwise, and the wallpaper is not for sale."),
        page.say("Please do not lean on the stove."),
    )
    for index, remarks in enumerate(_REMARKS):
        painting = scene.one("painting", index)
        page.heading(painting.name, 2)
        view = [page.tell(painting, "depicts")] if index == 0 else []
        told = page.tell(painting, "painter", "painted_in")
        page.paragraph(told, view, [page.say(text) for text in remarks])
    page.finish()


_REMARKS = (
    (
        "Oil on oak panel, in a gilt frame with a repaired corner.",
        "The sky was painted last and in a hurry; the fingerprints in the corner belong to a child.",
        "It was given to the museum by the artist's landlady, in settlement of an argument about rent.",
        "Visitors from the country like to point out the roofs they know.",
    ),
    (
        "Oil on sailcloth, unvarnished, in a plain frame of ship's timber.",
        "A second picture lies beneath this one, upside down, and shows a plate of pears.",
        "The museum bought it at a sale of furniture, together with a wardrobe that is still in use.",
        "The small red figure on the right is said to be the only self-portrait of the artist.",
    ),
)
