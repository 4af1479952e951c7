"""Decoding: JSON data as the value it was made of. Classes are found, never imported; their code does not run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from treadle.engine.values.classes import loaded_class, name_of
from treadle.engine.values.coding import TAG, EventTypes, Unreadable, Unstored, path_of, place_of
from treadle.engine.values.forms import READ as FORMS
from treadle.engine.values.objects import READ as OBJECTS
from treadle.errors import ValueNotStorable

_READ = {**FORMS, **OBJECTS}
_WORDS = frozenset({str, int, float, bool, type(None)})


def unreadable(error: Unreadable, *, name: str = "", where: str = "") -> ValueNotStorable:
    """The error for whoever wanted the value `name`."""
    path = path_of(error.keys, name)
    return ValueNotStorable(f"{place_of(where, path)} {error}.", path=path)


class Decoder:
    """Decodes values in which `types` are the event classes by name.

    What was not stored is an error, or, with `spare`, an Unstored in its place, and `losses` has the value around it.
    """

    __slots__ = ("_lost", "_spare", "_types", "losses")

    def __init__(self, types: EventTypes, *, spare: bool = False) -> None:
        self.losses: Sequence[tuple[Any, ValueNotStorable]] = ()
        self._lost: ValueNotStorable | None = None
        self._types = types
        self._spare = spare

    def value(self, data: Any, *, name: str = "", where: str = "") -> Any:
        """The value `data` was made of. Raises ValueNotStorable, saying `where` the value `name` belongs."""
        if type(data) in _WORDS:
            return data
        try:
            return self.whole(self.decode(data))
        except Unreadable as error:
            raise unreadable(error, name=name, where=where) from None

    def values(self, data: Any, *, where: str = "") -> dict[str, Any]:
        """Named values, each for itself."""
        if type(data) is dict and TAG not in data:
            return {key: self.value(item, name=key, where=where) for key, item in data.items()}
        values: dict[str, Any] = self.value(data, where=where)
        return values

    def whole(self, value: Any) -> Any:
        """Say that `value` is complete: what was missing in it is its loss."""
        if self._lost is not None:
            self.losses = [*self.losses, (value, self._lost)]
            self._lost = None
        return value

    def event_class(self, ref: Any) -> Any:
        """The event class an entry names. Raises Unreadable."""
        kind = self._types.get(ref) if type(ref) is str else None
        return kind if kind is not None else self.class_named(ref)

    def decode(self, data: Any) -> Any:
        """One value, or what it is made of. Raises Unreadable."""
        kind = type(data)
        if kind is dict:
            return self._form(data) if TAG in data else self.items(data)
        return self.sequence(data) if kind is list else data

    def items(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a mapping."""
        key = None
        values = {}
        try:
            for key, item in data.items():
                values[key] = item if type(item) in _WORDS else self.decode(item)
        except Unreadable as error:
            raise error.under(key) from None
        return values

    def sequence(self, data: list[Any]) -> list[Any]:
        """The values of a list."""
        values: list[Any] = []
        try:
            for item in data:
                values.append(item if type(item) in _WORDS else self.decode(item))  # noqa: PERF401 - its length is where it stopped
        except Unreadable as error:
            raise error.under(len(values)) from None
        return values

    def class_named(self, ref: Any) -> Any:
        """The class a form names."""
        if isinstance(ref, str) and ":" not in ref:
            kind: Any = self._types.get(ref)
            if kind is None:
                raise Unreadable(f"is a {ref}, and no event class of that name is loaded; put it back")
            return kind
        kind = loaded_class(ref)
        if kind is None and isinstance(ref, str):  # an event class may be in another module now
            kind = self._types.get(ref.rpartition(":")[2])
        if kind is None:
            raise Unreadable(
                f"is a {name_of(ref)}, and no such class is loaded; put it back, or import its module at the top of the"
                " workflow's file"
            )
        return kind

    def _form(self, data: dict[str, Any]) -> Any:
        tag = data[TAG]
        if tag == "lost":
            error = ValueNotStorable(data["why"], kind=data["type"])
            if not self._spare:
                raise error
            self._lost = error
            return Unstored(error)
        read = _READ.get(tag) if type(tag) is str else None
        if read is None:
            raise Unreadable(f"has the form {tag!r}, which this version of Treadle does not know")
        try:
            return read(self, data)
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise Unreadable(f"cannot be read as {tag}: {type(error).__name__}: {error}") from error
