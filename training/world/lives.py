"""Colour about people: sentences for biographies that state no fact of the world, by occupation.

Slots: {q} the person's pronoun, {m} "her" or "him", {h} the possessive, the rest from vocabulary.SLOTS.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LIVES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "person": (
            "{q} rose at five, worked until noon and refused to receive visitors before three.",
            "Letters show a dry sense of humour and an alarming appetite for {dish}.",
            "{q} kept a tame {animal} that was said to understand arithmetic.",
            "Friends remembered {m} as patient with apprentices and impatient with committees.",
            "For {few} years {q} lived on {street}, in two rooms with a view of the weir.",
            "A hearing loss in later life did not keep {m} from the concerts in the granary.",
            "The notebooks that survive, bound in green cloth, run without a gap for two decades.",
            "{q} disliked portraits, and the only likeness that survives is a pencil sketch made on a ferry.",
            "Contemporaries disagreed about {h} manners but not about {h} work.",
            "{h} relatives had been {craft} for generations and were slow to forgive the change of trade.",
            "{q} walked everywhere, in all weathers, and wore out {few} pairs of boots a year.",
            "Money was short at first, and {q} gave drawing lessons on {weekday} evenings.",
            "In old age {q} grew prize-winning leeks and allowed nobody to weigh them.",
            "{q} answered every letter on the day it came, usually in {few} lines.",
            "{h} handwriting was so small that the typesetters asked for a higher rate.",
            "A street and a primary school now carry {h} name.",
            "The obituaries dwelt on {h} kindness to beginners.",
            "{q} left no memoirs, which {h} friends thought entirely in character.",
            "Most {weekday}s {q} could be found at the same corner table, arguing about weirs.",
            "{h} sister kept the accounts, and kept them well.",
            "{q} read the newspaper backwards, beginning with the prices of grain.",
            "{q} owned {few} umbrellas and was never seen with one.",
            "Once a year {q} invited everyone who had disagreed with {m} to supper.",
            "A cousin described {m} as a person who could not pass a wall without leaning on it to think.",
            "{q} collected door keys and could tell most of them apart in the dark.",
            "Children liked {m}, since {q} took their questions more seriously than those of adults.",
            "{q} spoke slowly, with long pauses in which others tended to confess.",
            "{h} study was so cold that visitors kept their gloves on.",
            "On {weekday} evenings {q} played the cello, loudly and with feeling.",
            "{q} bought no newspaper that printed poems and no poems that mentioned the moon.",
            "Invitations to speak were declined by return of post, with thanks and a drawing of a {animal}.",
            "It is said that {q} could sleep in any chair and under any sermon.",
            "For {few} summers {q} rented a hut above the weir, where most of the planning was done.",
            "In company {q} said little, but what {q} said was repeated.",
        ),
        "writer": (
            "{q} wrote standing up, at a lectern that had come from a bankrupt chapel.",
            "Early reviews were cool; readers were not.",
            "{h} books were read aloud in kitchens long before they were discussed in lecture halls.",
            "{q} revised every sentence until it could be said in one breath.",
            "Publishers feared {h} corrections, which arrived in three colours of ink.",
        ),
        "engineer": (
            "{q} tested every design with a model in the kitchen sink before drawing it to scale.",
            "{h} specifications are models of clarity and are still handed to students.",
            "{q} distrusted ornament and liked to hang lamps instead.",
            "Colleagues complained that {q} would rather move a river than a drawing board.",
            "On site {q} tasted the mortar, a habit that the masons found either reassuring or insulting.",
        ),
        "instrument maker": (
            "{q} seasoned timber for {few} years and would not be hurried by customers.",
            "The workshop smelled of glue, brass filings and coffee.",
            "{q} tuned by ear, with closed eyes and an open window.",
            "Customers were asked to describe the room, the stairs and the cat before {q} would "
            "name a price.",
            "{q} signed {h} work on the inside, where only the next repairer would see it.",
            "Apprentices began by sweeping and were allowed to touch a tool after a year.",
        ),
        "explorer": (
            "{q} packed light, slept badly and mapped everything.",
            "{h} field diaries mention the weather before they mention danger.",
            "{q} could judge a distance to within a boat's length and a companion within a day.",
            "{q} brought back seeds, and {h} garden was the strangest in the street.",
            "{q} insisted that everyone in a party be paid the same.",
            "At home {q} was shy and left the lectures to others.",
        ),
        "captain": (
            "{q} knew every shoal by the sound of the water on it.",
            "The crews trusted {m} because {q} never raised {h} voice.",
            "When the watch was quiet {q} wrote up the log in verse.",
            "{q} hired cooks with care and everybody else by instinct.",
            "Fog was the only thing {q} admitted to disliking.",
            "Ashore {q} was seasick in carriages and said so.",
        ),
    }
)
