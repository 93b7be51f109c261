"""Sentences that state facts: several wordings for each relation or group of relations stated together.

Slots: {n} the subject's name; {s} name or pronoun; {p} the possessive of that ("her", "the Orven Bridge's");
relation names stand for their objects; {few}, {street}, ... are harmless colour (see colour.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PHRASES: Mapping[tuple[str, ...], tuple[str, ...]] = MappingProxyType(
    {
        # people
        ("born_in", "born_on"): (
            "{n} was born in {born_in} on {born_on}.",
            "{n} was born on {born_on} in {born_in}, the youngest of {few} children.",
            "{n} came into the world in {born_in} on {born_on}, above a shop that sold lamp oil.",
            "Born on {born_on} in {born_in}, {n} grew up among bargemen and bakers.",
        ),
        ("born_in",): (
            "{n} was born in {born_in}.",
            "The family of {n} came from {born_in}, where {s} was born.",
            "{n}, a native of {born_in}, never quite lost the accent.",
        ),
        ("studied_at",): (
            "{s} studied at {studied_at} for {few} years.",
            "At nineteen {s} entered {studied_at} and studied there until the money ran out.",
            "{p} training took place at {studied_at}, where the winters were cold and the teachers strict.",
        ),
        ("taught_by",): (
            "{p} teacher was {taught_by}, who praised rarely and never twice.",
            "{s} learned the trade from {taught_by}.",
            "For {few} years {s} was a pupil of {taught_by}, whose methods {s} later softened.",
            "Everything {s} knew, {s} liked to say, came from {taught_by}, a patient teacher.",
        ),
        ("died_on",): (
            "{s} died on {died_on} after a short illness.",
            "{s} died on {died_on}, and the bells were rung for an hour.",
            "After a last walk along the embankment {s} died on {died_on}.",
        ),
        # places
        ("lies_on", "known_for"): (
            "{n} is a market town on {lies_on}, known far beyond the province for its {known_for}.",
            "{n} stands on both banks of {lies_on} and has made its name with {known_for}.",
            "{n} lies on {lies_on} and is best known for its {known_for}.",
            "Travellers who follow {lies_on} downstream reach {n}, a town famous for its {known_for}.",
        ),
        ("town_founded",): (
            "{n} received its charter in {town_founded}, after a quarrel over mill rights.",
            "The charter that made {n} a free town dates from {town_founded}.",
            "It was in {town_founded} that {n} was granted its charter.",
        ),
        ("river_length",): (
            "{n} is {river_length} long.",
            "From its source to its mouth {n} measures {river_length}.",
            "{n} runs for {river_length}, most of it through meadow and alder wood.",
        ),
        ("flows_into",): (
            "{n} flows into {flows_into}.",
            "Below the last weir {n} enters {flows_into}, behind a long bar of gravel.",
            "{p} waters end in {flows_into}.",
        ),
        ("lake_depth",): ("{n} is {lake_depth} deep at its deepest point.",),
        # organisations
        ("org_founded", "org_founder"): (
            "{n} was founded in {org_founded} by {org_founder}.",
            "It was {org_founder} who founded {n} in {org_founded}, with {few} chairs and a borrowed stove.",
            "{n} owes its existence to {org_founder}, who founded it in {org_founded}.",
        ),
        ("org_founded",): ("{n} was founded in {org_founded}.", "{n} goes back to the year {org_founded}."),
        ("based_in",): (
            "{n} has its seat in {based_in}.",
            "{n} is based in {based_in}, in a brick house on {street}.",
            "The rooms of {n} are in {based_in}, two minutes from the quay.",
        ),
        ("director",): (
            "{n} is directed by {director}.",
            "The present director of {n} is {director}.",
            "{director} is the director of {n}, the first in living memory to answer letters by return.",
        ),
        ("staff",): ("{n} employs {staff}.", "In all, {staff} work for {n}."),
        ("visitors",): ("In 2023 {n} counted {visitors}.",),
        # works
        ("author",): (
            "{n} was written by {author}.",
            "The author of {n} is {author}.",
            "{author} wrote {n} in {few} winters, mostly at a kitchen table.",
        ),
        ("publisher", "published_on"): (
            "{n} was published by {publisher} on {published_on}.",
            "{publisher} brought out {n} on {published_on}.",
            "{n} appeared on {published_on}; the publisher was {publisher}.",
        ),
        ("pages",): ("The first edition of {n} has {pages}.", "{n} runs to {pages} in the first edition."),
        ("designer",): (
            "{n} was designed by {designer}.",
            "{designer} designed {n} after two rival plans had been rejected.",
            "The engineer who designed {n} was {designer}.",
        ),
        ("spans",): (
            "{n} crosses {spans} in {few} arches of {stone}.",
            "{spans} is spanned by {n} at its narrowest point.",
            "{n} carries the old post road across {spans}.",
        ),
        ("opened_on",): (
            "{n} was opened to traffic on {opened_on}.",
            "On {opened_on} the first carts rolled across {n}.",
            "{n} opened on {opened_on}, in driving rain.",
        ),
        ("bridge_length",): ("{n} is {bridge_length} long.", "{n} measures {bridge_length} from end to end."),
        ("bridge_cost",): ("Building {n} cost {bridge_cost}.", "The final bill for {n} was {bridge_cost}."),
        ("leader", "departed_on"): (
            "{n}, led by {leader}, set out on {departed_on}.",
            "On {departed_on} {leader} led {n} out of the harbour.",
            "{n} departed on {departed_on} under the leadership of {leader}.",
        ),
        ("sponsor",): (
            "{n} was paid for by {sponsor}.",
            "The money for {n} came from {sponsor}.",
            "{sponsor} financed {n} and asked only for the maps in return.",
        ),
        ("members",): ("{members} took part in {n}.", "{n} numbered {members}, the cook included."),
        ("vessel",): (
            "{n} sailed aboard {vessel}.",
            "{vessel} carried {n} to the edge of the known charts.",
            "For the voyage out, {n} chartered {vessel}.",
        ),
        ("destination",): (
            "The destination of {n} was {destination}.",
            "{n} reached {destination} after {few} weeks.",
            "The purpose of {n} was to map {destination}.",
        ),
        ("built_at",): ("{n} was built at {built_at}.", "{n} came off the slips of {built_at}."),
        ("launched_on",): (
            "{n} was launched on {launched_on}.",
            "The launch of {n} took place on {launched_on}.",
        ),
        ("captain",): ("Her captain for most of her working life was {captain}.",),
        ("maker", "completed"): (
            "{n} was built by {maker} and completed in {completed}.",
            "{maker} built {n} and completed it in {completed}, after {few} years of work.",
            "{n} was finished in {completed}; its maker was {maker}.",
        ),
        ("kept_at",): (
            "{n} is kept at {kept_at}.",
            "Today {n} is in the care of {kept_at}.",
            "{n} has belonged to {kept_at} ever since it was made.",
        ),
        ("weight",): ("{n} weighs {weight}.",),
        ("repair_cost",): ("The repair of {n} will cost {repair_cost}.",),
        ("painter", "painted_in"): (
            "{n} was painted by {painter} in {painted_in}.",
            "{painter} painted {n} in {painted_in}, from the window of a rented attic.",
        ),
        ("depicts",): (
            "{n} shows {depicts} in early morning light.",
            "{n} is a view of {depicts} at low water.",
        ),
        ("held_in",): ("{n} is held in {held_in}.", "Every year {held_in} is host to {n}."),
        ("first_held",): (
            "{n} was first held in {first_held}.",
            "{n} took place for the first time in {first_held}.",
        ),
    }
)
