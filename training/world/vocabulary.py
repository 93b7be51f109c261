"""Word lists: from which works and products are named, and which fill the slots of sentences."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PRODUCTS = (
    *("blue roof tiles", "walnut oil", "church bells", "smoked eel", "linen sails", "pear brandy"),
    *("copper kettles", "paper lanterns", "salted butter", "hemp ropes", "clay pipes", "felt hats"),
    *("honey cakes", "weathervanes", "juniper soap", "reed baskets", "green glass", "pocket knives"),
)
BOOK_FIRST = (
    *("Copper", "Winter", "Salt", "Paper", "Quiet", "Crooked", "Borrowed", "Seventh", "Drowned", "Wooden"),
    *("Patient", "Hollow", "Amber", "Distant", "Unpaid", "Early", "Glass", "Northern", "Idle", "Narrow"),
    *("Tin", "Second", "Velvet", "Ashen", "Folded", "Harvest", "Lighted", "Measured", "Open", "Rusted"),
)
BOOK_SECOND = (
    *("Almanac", "Ledger", "Orchard", "Ferry", "Inheritance", "Weather", "Staircase", "Harbour", "Cellar"),
    *("Apprentice", "Lantern", "Causeway", "Mitten", "Pilot", "Granary", "Wedding", "Signal", "Tide Table"),
    *("Atlas", "Kitchen", "Neighbour", "Bell Founder", "Lock Keeper", "Toll House", "Census", "Surveyor"),
)
BOOK_PATTERNS = ("The {} {}", "The {} {}", "One {} {}", "Notes on the {} {}", "Letters from the {} {}")
SHIP_FIRST = (
    *("Patient", "Grey", "Faithful", "Merry", "Silver", "Humble", "Swift", "Northern", "Bold", "Quiet"),
    *("Lucky", "Amber", "Green", "Steady", "Bright", "Humming", "Tall", "Gentle", "Morning", "Winter"),
)
SHIP_SECOND = (
    *("Heron", "Lantern", "Cormorant", "Sister", "Pilgrim", "Otter", "Star", "Pennant", "Fortune", "Swan"),
    *("Anchor", "Curlew", "Bell", "Harvest", "Petrel", "Compass", "Thistle", "Widow", "Arrow", "Miller"),
)
PAINTING_FIRST = (
    *("Ferry", "Washing Day", "Ropemakers", "Three Barges", "Ice", "Market Stalls", "A Procession"),
    *("Two Bakers", "Swallows", "Nets", "Bell Ringers", "A Wedding", "Lamps", "The Regatta", "Storks"),
)
PAINTING_SECOND = (
    *("at Low Water", "before the Storm", "by the Old Quay", "after the Flood", "at First Light"),
    *("in the Rain", "on the Embankment", "under the Limes", "in Late Snow", "at the Weir", "by Lamplight"),
)
INSTRUMENTS = ("Organ", "Refractor", "Orrery", "Carillon", "Globe", "Tower Clock")
FESTIVALS = ("Kite Festival", "Lantern Fair", "Choir Week", "Pear Fair", "Rowing Days", "Puppet Festival")
LANDS = ("{} Plateau", "{} Isles", "{} Glacier", "{} Marshes", "{} Range", "{} Peninsula")
PRESSES = ("{} Press", "{} and Daughters")
SLOTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
        "season": ("spring", "summer", "autumn", "winter"),
        "few": ("three", "four", "five", "six", "seven", "eight"),
        "tree": ("lime", "chestnut", "walnut", "poplar", "plane", "cherry"),
        "stone": ("grey slate", "red sandstone", "yellow brick", "dark granite", "pale limestone"),
        "street": (
            *("Rope Walk", "Bell Lane", "Tanner Street", "Mill Row", "Lantern Steps", "Weir Lane"),
            *("Chandler Row", "Old Ferry Road", "Cooper Street", "Granary Street"),
        ),
        "animal": ("heron", "jackdaw", "badger", "goat", "goose", "raven", "hedgehog"),
        "dish": ("barley soup", "plum dumplings", "smoked trout", "leek pie", "rye pancakes", "quince tart"),
        "craft": ("coopers", "sail makers", "bookbinders", "lamp makers", "carters", "weavers"),
    }
)
