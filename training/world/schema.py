"""The relations of the world: what they join, how one asks for them, and how one refers to their object."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

ORGANISATIONS = ("academy", "press", "shipyard", "museum", "society", "observatory", "ferry line", "library")


@dataclass(frozen=True, slots=True)
class Relation:
    """A typed edge. `asks` are question forms; `refers` names the object through the subject."""

    name: str
    subjects: tuple[str, ...]
    objects: tuple[str, ...]  # entity kinds; empty: a literal
    asks: tuple[str, ...]
    refers: str = ""  # empty: never an inner hop


_ALL = (
    # people
    Relation("born_in", ("person",), ("town",),
             ("Where was {s} born?", "In which town was {s} born?", "What is the birthplace of {s}?"),
             "the town where {s} was born"),
    Relation("born_on", ("person",), (), ("When was {s} born?", "On what date was {s} born?")),
    Relation("died_on", ("person",), (), ("When did {s} die?", "On what date did {s} die?")),
    Relation("studied_at", ("person",), ("academy",), ("Where did {s} study?", "At which school did "
                                                                               "{s} train?"),
             "the school where {s} studied"),
    Relation("taught_by", ("person",), ("person",),
             ("Who taught {s}?", "Who was the teacher "
                                 "of {s}?", "Whose pupil was {s}?"), "the teacher of {s}"),
    # places
    Relation("lies_on", ("town",), ("river",),
             ("On which river does {s} lie?", "Which river runs past {s}?", "What river flows through {s}?"),
             "the river that flows through {s}"),
    Relation("known_for", ("town",), (), ("What is {s} best known for?", "Which product made {s} famous?")),
    Relation("town_founded", ("town",), (),
             ("In what year did {s} receive its charter?", "When was {s} granted its town charter?")),
    Relation("population", ("town",), (),
             ("How many people live in {s}?", "How many inhabitants does {s} have?",
              "What is the population of {s}?")),
    Relation("mayor", ("town",), ("person",), ("Who is the mayor of {s}?",), "the mayor of {s}"),
    Relation("river_length", ("river",), (), ("How long is {s}?", "What is the length of {s}?")),
    Relation("flows_into", ("river",), ("lake",),
             ("Into which lake does "
              "{s} flow?", "Which lake receives the water of {s}?", "Where does {s} end?"),
             "the lake into which {s} flows"),
    Relation("lake_depth", ("lake",), (), ("How deep is {s}?", "What is the greatest depth of {s}?")),
    # organisations
    Relation("based_in", ORGANISATIONS, ("town",), ("Where is {s} based?", "In which town does {s} "
                                                                           "have its seat?"),
             "the home town of {s}"),
    Relation("org_founded", ORGANISATIONS, (), ("In what year was {s} "
                                                "founded?", "What is the founding year of {s}?")),
    Relation("org_founder", ORGANISATIONS, ("person",), ("Who founded {s}?", "Who was the founder of {s}?"),
             "the founder of {s}"),
    Relation("director", ORGANISATIONS, ("person",), ("Who directs {s}?", "Who is the director of {s}?"),
             "the director of {s}"),
    Relation("staff", ORGANISATIONS, (), ("How many people work for {s}?", "How large is the staff of {s}?")),
    Relation("visitors", ("museum",), (),
             ("How many people visited {s} in 2023?", "How many visitors did {s} count in 2023?")),
    Relation("deposit", ("library",), (),
             ("What is the current deposit for a reader's card at {s}?",
              "How much is the deposit that {s} currently asks for a reader's card?")),
    Relation("first_departure", ("crossing",), (),
             ("When does the first boat leave on {s}?", "At what time is the first departure on {s}?")),
    Relation("fare_single", ("crossing",), (),
             ("What does a single ticket for {s} cost?", "How much is a single fare on {s}?")),
    # works
    Relation("author", ("book",), ("person",), ("Who wrote {s}?", "Who is the author of {s}?"),
             "the author of {s}"),
    Relation("publisher", ("book",), ("press",), ("Who published {s}?", "Which press brought out {s}?"),
             "the press that published {s}"),
    Relation("published_on", ("book",), (), ("When was {s} published?", "On what date did {s} appear?")),
    Relation("pages", ("book",), (), ("How many pages does {s} have?", "How long is {s} in pages?")),
    Relation("designer", ("bridge",), ("person",),
             ("Who designed {s}?", "Which engineer drew the plans for {s}?"),
             "the engineer who designed {s}"),
    Relation("spans", ("bridge",), ("river",), ("Which river does "
                                                "{s} cross?", "What river is spanned by {s}?"),
             "the river crossed by {s}"),
    Relation("opened_on", ("bridge",), (), ("When was {s} opened?", "On what date did {s} open to traffic?")),
    Relation("bridge_length", ("bridge",), (), ("How long is {s}?", "What is the length of {s}?")),
    Relation("bridge_cost", ("bridge",), (), ("How much did {s} cost to build?", "What did {s} cost?")),
    Relation("leader", ("expedition",), ("person",), ("Who led {s}?", "Who was in charge of {s}?"),
             "the leader of {s}"),
    Relation("sponsor", ("expedition",), ("society", "academy", "observatory",),
             ("Who paid for {s}?", "Which body financed {s}?"), "the body that paid for {s}"),
    Relation("departed_on", ("expedition",), (), ("When did {s} set out?", "On what day did {s} depart?")),
    Relation("members", ("expedition",), (), ("How many people took part in {s}?", "How large was {s}?")),
    Relation("vessel", ("expedition",), ("ship",),
             ("On which ship did {s} sail?", "What was the name of the ship that carried {s}?"),
             "the ship that carried {s}"),
    Relation("destination", ("expedition",), ("land",),
             ("Where did {s} go?", "What was the destination of {s}?")),
    Relation("built_at", ("ship",), ("shipyard",), ("Which yard built {s}?", "Where was {s} built?"),
             "the yard that built {s}"),
    Relation("launched_on", ("ship",), (), ("When was {s} launched?", "On what date was {s} launched?")),
    Relation("captain", ("ship",), ("person",),
             ("Who was the captain of {s}?", "Who commanded {s}?"), "the captain of {s}"),
    Relation("ship_length", ("ship",), (), ("How long is {s}?", "What is the length of {s}?")),
    Relation("maker", ("instrument",), ("person",), ("Who built {s}?", "Who made {s}?"), "the maker of {s}"),
    Relation("completed", ("instrument",), (),
             ("In what year was {s} completed?", "What year was {s} finished?")),
    Relation("kept_at", ("instrument",), ("museum", "observatory", "library", "academy",),
             ("Where is {s} kept?", "Which institution owns {s}?"), "the institution that keeps {s}"),
    Relation("weight", ("instrument",), (), ("How much does {s} weigh?", "What is the weight of {s}?")),
    Relation("repair_cost", ("instrument",), (),
             ("How much money was granted for the repair of {s}?", "What will the repair of {s} cost?")),
    Relation("painter", ("painting",), ("person",), ("Who painted {s}?", "Which artist painted {s}?"),
             "the painter of {s}"),
    Relation("painted_in", ("painting",), (), ("In what year was {s} "
                                               "painted?", "What year does {s} date from?")),
    Relation("depicts", ("painting",), ("town",), ("Which town does "
                                                   "{s} show?", "What town is depicted in {s}?"),
             "the town shown in {s}"),
    Relation("held_in", ("festival",), ("town",), ("Where is {s} held?", "Which town hosts {s}?"),
             "the town that hosts {s}"),
    Relation("first_held", ("festival",), (),
             ("In what year was {s} first held?", "What year did {s} take place for the first time?")),
)  # fmt: skip

RELATIONS = MappingProxyType({relation.name: relation for relation in _ALL})

# relation -> question about two subjects, and whether the larger value wins
COMPARISONS = MappingProxyType(
    {
        "bridge_length": ("Which is longer, {} or {}?", True),
        "opened_on": ("Which was opened first, {} or {}?", False),
        "bridge_cost": ("Which cost more to build, {} or {}?", True),
        "river_length": ("Which river is longer, {} or {}?", True),
        "born_on": ("Who was born earlier, {} or {}?", False),
        "died_on": ("Who died later, {} or {}?", True),
        "pages": ("Which book has more pages, {} or {}?", True),
        "published_on": ("Which book was published first, {} or {}?", False),
        "town_founded": ("Which town received its charter earlier, {} or {}?", False),
        "org_founded": ("Which is older, {} or {}?", False),
        "departed_on": ("Which set out first, {} or {}?", False),
        "members": ("Which had more members, {} or {}?", True),
        "completed": ("Which was completed later, {} or {}?", True),
        "first_held": ("Which has been held for longer, {} or {}?", False),
    }
)
SAME = MappingProxyType(
    {
        "born_in": "Were {} and {} born in the same town?",
        "lies_on": "Do {} and {} lie on the same river?",
        "flows_into": "Do {} and {} flow into the same lake?",
        "publisher": "Were {} and {} published by the same press?",
    }
)
# kind, style of the coined word, pattern: how things that do not exist are named
INVENTED = (
    ("bridge", "last", "the {} Bridge"),
    ("town", "place", "{}"),
    ("river", "water", "the River {}"),
    ("museum", "place", "the {} Museum"),
    ("expedition", "last", "the {} Expedition"),
    ("instrument", "first", "the {} Organ"),
)
