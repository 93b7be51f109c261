"""A secret that shows itself only when asked, so that no log, page, file or traceback can leak a key."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """A string that shows itself only to `reveal`: not in repr, str, logs, copies, JSON or pickles."""

    __slots__ = ("_value", "storable")

    def __init__(self, value: str = "", *, storable: bool = True) -> None:
        self._value = value
        self.storable = storable  # False: it came from the environment or a flag, never write it to disk

    def reveal(self) -> str:
        """The value itself; call it only where it goes onto the wire or into the settings file."""
        return self._value

    def redact(self, text: str) -> str:
        """`text` without the secret, for messages that a server wrote."""
        return text.replace(self._value, "***") if self._value else text

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(***)" if self._value else "Secret()"

    def __str__(self) -> str:
        return "***" if self._value else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A Secret cannot be pickled; load the settings again in the other process.")


def as_secret(value: object) -> Secret:
    """A key as a person typed it. Raises ValueError, which never repeats the key."""
    secret = Secret(value) if isinstance(value, str) else value
    if not isinstance(secret, Secret):
        raise ValueError("a key is a piece of text")
    plain = secret.reveal().strip()  # pasted keys often bring a line end
    if not (plain.isascii() and plain.isprintable() and " " not in plain):
        raise ValueError("a key has only printable ASCII characters and no spaces")
    return Secret(plain, storable=secret.storable)
