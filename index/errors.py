"""The error tree: every error a user can cause or fix.

ForageError
├── InputError            what a person gave us is not usable (file, option, question)
│   ├── ParseError        one file could not be read; the rest goes on
│   │   └── LimitError    a size, page, time, memory, nesting or expansion limit was hit
│   ├── NotFoundError     a collection, document or conversation does not exist
│   └── ConfigError       a setting is unknown or has a wrong value
├── StoreError            the data folder cannot be opened, is locked, newer or damaged
├── ModelError            an LLM endpoint or model failed; the embedded brain goes on
└── Cancelled             a person pressed Stop

Messages say what happened, what was expected and what to do.
"""

from __future__ import annotations


class ForageError(Exception):
    """Root of all errors that are shown to a person as one readable paragraph."""

    exit_code = 1


class InputError(ForageError):
    """What a person gave us is not usable."""

    exit_code = 2


class ParseError(InputError):
    """One file could not be read."""


class LimitError(ParseError):
    """A size, page, time, memory, nesting or expansion limit was hit."""


class NotFoundError(InputError):
    """A collection, document or conversation does not exist."""


class ConfigError(InputError):
    """A setting is unknown or has a wrong value."""


class StoreError(ForageError):
    """The data folder cannot be opened, is locked, is newer than this program or is damaged."""

    exit_code = 3


class ModelError(ForageError):
    """An LLM endpoint or model failed."""

    exit_code = 4


class Cancelled(ForageError):
    """A person pressed Stop."""

    exit_code = 130
