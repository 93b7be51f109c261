"""One province of the world: who and what exists, and all that is true of it, said or unsaid."""

from __future__ import annotations

from random import Random

from training.world import cast, values, vocabulary
from training.world.names import NameMaker
from training.world.records import Entity, Fact, Value
from training.world.schema import ORGANISATIONS


class Province:
    """Entities and facts of one province. `cast[kind or role]` lists them in a fixed order."""

    def __init__(self, index: int, rng: Random, names: NameMaker) -> None:
        self.index, self.rng, self.names = index, rng, names
        self.entities: dict[str, Entity] = {}
        self.facts: dict[str, Fact] = {}
        self.cast: dict[str, list[Entity]] = {}
        self._places()
        self._people()
        self._organisations()
        self._books()
        self._bridges()
        self._instruments()
        self._arts()
        self._voyages()
        self._lives()

    def add(
        self, kind: str, name: str, text: str = "", aliases: tuple[str, ...] = (), **more: object
    ) -> Entity:
        """A new entity; people are listed under their role, everything else under its kind."""
        role, female = str(more.get("role", "")), bool(more.get("female", False))
        listed = self.cast.setdefault(role or kind, [])
        label = (role or kind).replace(" ", "-")
        entity = Entity(
            f"p{self.index}-{label}-{len(listed)}",
            kind,
            name,
            text or name,
            aliases,
            role=role,
            female=female,
        )
        self.entities[entity.id] = entity
        listed.append(entity)
        return entity

    def state(self, subject: Entity, relation: str, target: Entity | Value) -> None:
        """It is true that ... (whether any document says so is decided by the documents)."""
        key = f"{subject.id}.{relation}"
        if isinstance(target, Entity):
            self.facts[key] = Fact(key, subject.id, relation, object=target.id)
        else:
            self.facts[key] = Fact(key, subject.id, relation, value=target)

    def order(self, subject: Entity, relation: str) -> int:
        """The literal as a whole number: a year for years, an ordinal day for dates."""
        value = self.facts[f"{subject.id}.{relation}"].value
        return int(value.order) if value else 0

    def _coined(self, kind: str, style: str, pattern: str) -> Entity:
        name = pattern.format(self.names.coin(style))
        return self.add(kind, name, f"the {name}", (name, f"the {name}"))

    def _places(self) -> None:
        rng = self.rng
        self.add("province", self.names.coin("place"))
        for _ in range(2):
            lake = self.add("lake", f"Lake {self.names.coin('water')}")
            self.state(lake, "lake_depth", values.number(rng.randint(24, 190), "metres", "m"))
        for i in range(3):
            coined = self.names.coin("water")
            river = self.add(
                "river", coined, f"the River {coined}", (coined, f"River {coined}", f"the {coined}")
            )
            self.state(river, "river_length", values.number(rng.randint(68, 395), "kilometres", "km"))
            self.state(river, "flows_into", self.cast["lake"][i % 2])
        products = rng.sample(vocabulary.PRODUCTS, 8)
        for i in range(8):
            town = self.add("town", self.names.coin("place"))
            self.state(town, "lies_on", self.cast["river"][i % 3])
            self.state(town, "known_for", values.word(products[i]))
            self.state(town, "town_founded", values.year(rng.randint(1184, 1648)))
            self.state(town, "population", values.number(rng.randint(2_100, 48_000), "inhabitants"))
        for pattern in rng.sample(vocabulary.LANDS, 3):
            self._coined("land", "place", pattern)

    def _people(self) -> None:
        for role, spans in cast.CAST.items():
            for first, last in spans:
                surname = self.names.coin("last")
                name = f"{self.names.coin('first')} {surname}"
                female = self.rng.random() < 0.5
                person = self.add("person", name, name, (name, surname), role=role, female=female)
                self.state(person, "born_on", values.day(self.rng, first, last))
        for town, mayor in zip(self.cast["town"], self.cast["official"][8:], strict=True):
            self.state(town, "mayor", mayor)

    def _organisations(self) -> None:
        rng, towns = self.rng, self.cast["town"]
        seats = rng.sample(towns, 7)
        for i, kind in enumerate(ORGANISATIONS):
            role, who, (first, last) = cast.FOUNDERS[kind]
            org = self._press(0) if kind == "press" else self._coined(kind, "place", cast.NAMED[kind])
            self._organise(org, self.cast[role][who], rng.randint(first, last), seats[i % 7])
            self.state(org, "director", self.cast["official"][i])
        second = self._press(1)
        self._organise(second, self.cast["writer"][1], rng.randint(1862, 1868), seats[-1])
        self.state(self.cast["museum"][0], "visitors", values.number(rng.randint(11_000, 58_000), "visitors"))
        self.state(self.cast["library"][0], "deposit", values.money(rng.randrange(45, 95, 5)))
        starts = rng.sample(range(5 * 60, 8 * 60 + 45, 5), 3)
        for i, (start, fare) in enumerate(zip(starts, rng.sample(range(4, 19), 3), strict=True)):
            ends = f"{towns[i].name}\N{EN DASH}{towns[i + 3].name} crossing"
            plain = ends.replace("\N{EN DASH}", "-")
            crossing = self.add("crossing", ends, f"the {ends}", (ends, plain))
            self.state(crossing, "first_departure", values.clock(start))
            self.state(crossing, "fare_single", values.money(fare))

    def _press(self, index: int) -> Entity:
        name = vocabulary.PRESSES[index].format(self.names.coin("last"))
        text = f"the {name}" if index == 0 else name
        return self.add("press", name, text, tuple(dict.fromkeys((name, text))))

    def _organise(self, org: Entity, founder: Entity, founded: int, seat: Entity) -> None:
        self.state(org, "org_founder", founder)
        self.state(org, "org_founded", values.year(founded))
        self.state(org, "based_in", seat)
        self.state(org, "staff", values.number(self.rng.randint(9, 140), "people"))

    def _books(self) -> None:
        rng, names = self.rng, self.names
        for i in range(6):
            pattern = vocabulary.BOOK_PATTERNS[i % len(vocabulary.BOOK_PATTERNS)]
            title = names.pick_title(vocabulary.BOOK_FIRST, vocabulary.BOOK_SECOND, pattern)
            book, writer = self.add("book", title), self.cast["writer"][i % 4]
            self.state(book, "author", writer)
            self.state(book, "publisher", self.cast["press"][0 if i % 4 == 0 else rng.randrange(2)])
            first = max(1870, self._birth(writer) + 30 + 8 * (i // 4))  # by then both presses exist
            self.state(book, "published_on", values.day(rng, first, first + 9))
            self.state(book, "pages", values.number(rng.randint(96, 610), "pages"))

    def _bridges(self) -> None:
        rng = self.rng
        for i, engineer in enumerate(self.cast["engineer"]):
            bridge = self._coined("bridge", "last", "{} Bridge")
            self.state(bridge, "designer", engineer)
            self.state(bridge, "spans", self.cast["river"][(i + 1) % 3])
            first = self._birth(engineer) + 33
            self.state(bridge, "opened_on", values.day(rng, first, first + 20))
            self.state(bridge, "bridge_length", values.number(rng.randint(74, 412), "metres", "m"))
            self.state(bridge, "bridge_cost", values.money(rng.randrange(61_000, 480_000, 250)))

    def _instruments(self) -> None:
        rng = self.rng
        kinds = rng.sample(vocabulary.INSTRUMENTS, 3)
        for kind, maker, keeper in zip(
            kinds, self.cast["instrument maker"], ("library", "museum", "observatory"), strict=True
        ):
            instrument = self._coined("instrument", "first", "{} " + kind)
            self.state(instrument, "maker", maker)
            self.state(instrument, "kept_at", self.cast[keeper][0])
            first = max(self._birth(maker) + 34, self.order(self.cast[keeper][0], "org_founded") + 1)
            self.state(instrument, "completed", values.year(rng.randint(first, first + 12)))
            self.state(instrument, "weight", values.number(rng.randint(180, 3_900), "kilograms", "kg"))
            self.state(instrument, "repair_cost", values.money(rng.randrange(2_150, 19_000, 50)))

    def _arts(self) -> None:
        rng, names = self.rng, self.names
        towns = rng.sample(self.cast["town"], 4)
        for painter in self.cast["painter"]:
            title = names.pick_title(vocabulary.PAINTING_FIRST, vocabulary.PAINTING_SECOND, "{} {}")
            painting, first = self.add("painting", title), self._birth(painter) + 30
            self.state(painting, "painter", painter)
            self.state(painting, "painted_in", values.year(rng.randint(first, first + 25)))
            self.state(painting, "depicts", towns.pop())
        for kind in rng.sample(vocabulary.FESTIVALS, 2):
            festival = self._coined("festival", "place", "{} " + kind)
            self.state(festival, "held_in", towns.pop())
            self.state(festival, "first_held", values.year(rng.randint(1903, 1974)))

    def _voyages(self) -> None:
        rng = self.rng
        sponsors = [self.cast[kind][0] for kind in ("society", "academy", "observatory")]
        for i, leader in enumerate(self.cast["explorer"]):
            departure = max(self._birth(leader) + 33, 1861) + rng.randint(2, 14)
            ship = self._ship(self.cast["captain"][i], departure - rng.randint(2, 9))
            expedition = self._coined("expedition", "last", "{} Expedition")
            self.state(expedition, "leader", leader)
            self.state(expedition, "sponsor", sponsors[i])
            self.state(expedition, "departed_on", values.day(rng, departure, departure))
            self.state(expedition, "members", values.number(rng.randint(9, 43), "people"))
            self.state(expedition, "vessel", ship)
            self.state(expedition, "destination", self.cast["land"][i])
        for i in range(6):  # ships that carried no expedition fill the register
            self._ship(self.cast["captain"][i % 3], rng.randint(1880, 1893))

    def _ship(self, captain: Entity, launched: int) -> Entity:
        name = self.names.pick_title(vocabulary.SHIP_FIRST, vocabulary.SHIP_SECOND, "{} {}")
        ship = self.add("ship", name, f"the {name}", (name, f"the {name}"))
        self.state(ship, "built_at", self.cast["shipyard"][0])
        self.state(ship, "launched_on", values.day(self.rng, launched, launched))
        self.state(ship, "captain", captain)
        self.state(ship, "ship_length", values.number(self.rng.randint(21, 64), "metres", "m"))
        return ship

    def _lives(self) -> None:
        rng, towns = self.rng, list[Entity]()
        for role in cast.CAST:
            for i, person in enumerate(self.cast[role]):
                towns = towns or rng.sample(self.cast["town"], len(self.cast["town"]))
                self.state(person, "born_in", towns.pop())
                self.state(person, "studied_at", self.cast["academy"][0])
                born = self._birth(person)
                if born < 1900:
                    self.state(person, "died_on", values.day(rng, born + 66, born + 88))
                if i and role not in ("official", "printer"):  # everyone but the first learned from an elder
                    self.state(person, "taught_by", self.cast[role][0 if i < 3 else rng.randrange(2)])

    def _birth(self, person: Entity) -> int:
        value = self.facts[f"{person.id}.born_on"].value
        return int(value.cell[:4]) if value else 0
