"""Literals of the world with every spelling a grader should accept."""

from __future__ import annotations

from datetime import date
from random import Random

from training.world.records import MONTHS, Value

CURRENCY = "crowns"


def day(rng: Random, first: int, last: int) -> Value:
    """A random date in the years first..last."""
    return date_value(date(rng.randint(first, last), rng.randint(1, 12), rng.randint(1, 28)))


def date_value(when: date) -> Value:
    """ "14 March 1871", with ISO in tables and the usual other spellings accepted."""
    month = MONTHS[when.month - 1]
    text = f"{when.day} {month} {when.year}"
    aliases = (text, f"{month} {when.day}, {when.year}", when.isoformat(), f"{month} {when.day} {when.year}")
    return Value("date", text, when.isoformat(), aliases, float(when.toordinal()))


def year(number: int) -> Value:
    return Value("year", str(number), str(number), (str(number),), float(number))


def number(amount: int, unit: str, short: str = "") -> Value:
    """A count or measure; `short` is the unit's abbreviation, if it has one."""
    grouped = f"{amount:,}"
    aliases = [f"{grouped} {unit}", grouped, str(amount), f"{amount} {unit}"]
    if short:
        aliases += [f"{grouped} {short}", f"{amount} {short}"]
    return Value("number", aliases[0], str(amount), tuple(dict.fromkeys(aliases)), float(amount))


def money(amount: float) -> Value:
    """An amount in the world's currency; whole amounts are written without decimals."""
    figure = f"{amount:,.2f}" if amount != int(amount) else f"{int(amount):,}"
    plain = figure.replace(",", "")
    aliases = tuple(dict.fromkeys((f"{figure} {CURRENCY}", figure, plain, f"{plain} {CURRENCY}")))
    return Value("money", aliases[0], plain, aliases, float(amount))


def clock(minutes: int) -> Value:
    """A time of day, given in minutes after midnight."""
    text = f"{minutes // 60:02d}:{minutes % 60:02d}"
    short = f"{minutes // 60}:{minutes % 60:02d}"
    return Value("time", text, text, tuple(dict.fromkeys((text, short, f"{short} am"))), float(minutes))


def word(text: str) -> Value:
    return Value("word", text, text, (text,), 0.0)
