"""Coding: what the forms of values are written with, and read with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from treadle.engine.events import Event
from treadle.engine.traces import message_of
from treadle.errors import LimitExceeded, RecordedError, ValueNotStorable

TAG = "$"
"""The key of an object that is not a plain dict: its value names the form."""

EventTypes = Mapping[str, type[Event]]
"""Event classes by name."""


class Writer(Protocol):
    """What a form may ask of the encoder while it writes a value that lies inside `depth` containers."""

    def encode(self, value: Any, depth: int = 0) -> Any: ...
    def encode_held(self, held: Any, holder: Any, depth: int) -> Any: ...
    def enter(self, holder: Any, size: int, depth: int) -> None: ...
    def at(self, key: Any, depth: int) -> None: ...
    def items(self, values: Mapping[str, Any], holder: Any, depth: int) -> dict[str, Any]: ...
    def plain(self, values: Collection[Any], depth: int) -> bool: ...
    def spend(self, size: int, depth: int) -> None: ...
    def class_of(self, value: Any, depth: int) -> Any: ...
    def problem(self, value: Any, depth: int, trouble: str, remedy: str) -> ValueNotStorable: ...


class Reader(Protocol):
    """What a form may ask of the decoder."""

    def decode(self, data: Any) -> Any: ...
    def items(self, data: Mapping[str, Any]) -> dict[str, Any]: ...
    def sequence(self, data: list[Any]) -> list[Any]: ...
    def class_named(self, ref: Any) -> Any: ...


Write = Callable[[Writer, Any, int], Any]
Read = Callable[[Reader, Mapping[str, Any]], Any]


class Unreadable(Exception):  # noqa: N818 - becomes a ValueNotStorable once the way to it is known
    """A stored value cannot be read; `keys` lead to it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.keys: list[Any] = []

    def under(self, key: Any) -> Unreadable:
        """The same, one container further out."""
        self.keys.insert(0, key)
        return self


class Overflow(LimitExceeded):
    """A value grows larger than there is room for."""


class Unstored:
    """Stands for a value that was not stored, for the reason `why`. Nothing may depend on it."""

    __slots__ = ("why",)

    def __init__(self, why: ValueNotStorable) -> None:
        self.why = why

    def __repr__(self) -> str:
        return "<not stored>"

    def __eq__(self, other: object) -> bool:
        raise self.why

    __hash__ = object.__hash__


def path_of(keys: Collection[Any], name: str = "") -> str:
    """Keys as people write them, those inside `name` after it: `rows[3].name`."""
    path = "".join(f".{key}" if type(key) is str and key.isidentifier() else f"[{shown(key)[:100]}]" for key in keys)
    return name + path if name else path.removeprefix(".")


def place_of(where: str, path: str) -> str:
    """How an error begins."""
    return " ".join(filter(None, (where, path))) or "value"


def shown(value: Any) -> str:
    """What a person sees of a value without an exact form: user code makes it, so it may be long, or fail."""
    try:
        return repr(value)[:2000]
    except Exception as error:  # noqa: BLE001 - a `__repr__` may raise anything
        return f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"


def recorded(error: Any) -> Any:
    """An exception as it is after a restart."""
    if not isinstance(error, BaseException) or type(error) is RecordedError:
        return error
    return RecordedError(type(error).__name__, message_of(error))
