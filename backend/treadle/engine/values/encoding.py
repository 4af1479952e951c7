"""Encoding: a value as plain JSON data. What JSON has no exact form for is wrapped as {"$": form, "v": ...}."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from treadle.engine.events import Event
from treadle.engine.limits import DEPTH, LIMITS, told
from treadle.engine.values.classes import class_ref, name_of
from treadle.engine.values.coding import TAG, EventTypes, Overflow, Write, path_of, place_of, shown
from treadle.engine.values.forms import BETWEEN, PAIR, WRITE
from treadle.engine.values.objects import write_object
from treadle.errors import LimitExceeded, ValueNotStorable

_NUMBERS = frozenset({int, float, bool, type(None)})
_WORDS = _NUMBERS | {str}
_SHORT = 512
"""Characters of a text that are not worth counting."""
LONG = 10**4000
"""Python reads no integers from JSON that are much longer: whoever is `careful` gives these a form."""


class Encoder:
    """Encodes one value.

    Events go by their names if `types` has their classes so, or is None and there is no other way. Errors say `where`
    the value `name` belongs. Of an `outer` one, an event or a context, the depth is that of its parts. A `careful` one
    looks at every number, where otherwise json refuses what it cannot tell. With `lost`, what cannot be stored is told
    to that list and left out, and the rest is encoded.
    """

    __slots__ = (
        "_careful", "_circle", "_deepest", "_held", "_holders", "_keys", "_left", "_lost", "_name", "_refs", "_room",
        "_types", "_where",
    )  # fmt: skip

    def __init__(
        self,
        types: EventTypes | None,
        *,
        name: str = "",
        where: str = "",
        outer: bool = False,
        room: int = LIMITS.blob,
        careful: bool = True,
        lost: list[ValueNotStorable] | None = None,
    ) -> None:
        self._types = types
        self._name = name
        self._where = where
        self._room = self._left = room
        self._careful = careful
        self._lost = lost
        self._circle: int | None = None
        self._held: tuple[Any, Any] = (None, None)
        self._refs: dict[type, Any] = {}
        self._deepest = DEPTH + outer
        self._keys: list[Any] = [None] * self._deepest
        self._holders: list[Any] = [None] * self._deepest

    def encode(self, value: Any, depth: int = 0) -> Any:
        """`value`, inside `depth` containers, as JSON data."""
        kind = type(value)
        if kind is str:
            if len(value) > _SHORT:
                self.spend(len(value), depth)
            return value if value.isascii() or not PAIR.search(value) else {TAG: "str", "v": BETWEEN.split(value)}
        if kind is int:
            return {TAG: "int", "v": hex(value)} if self._careful and not -LONG < value < LONG else value
        if kind is float:
            return {TAG: "float", "v": repr(value)} if self._careful and not math.isfinite(value) else value
        if value is None or kind is bool:
            return value
        write = WRITE.get(kind, write_object)
        return write(self, value, depth) if self._lost is None else self._spared(write, value, depth)

    def encode_held(self, held: Any, holder: Any, depth: int) -> Any:
        """The value `held` that is part of `holder`, itself a value."""
        self._held = (held, holder)
        return self.encode(held, depth)

    def items(self, values: Mapping[str, Any], holder: Any, depth: int) -> dict[str, Any]:
        """The values of a mapping whose keys are as JSON has them."""
        self.enter(holder, len(values), depth)
        keys, encoded, deeper, careful = self._keys, {}, depth + 1, self._careful
        for key, item in values.items():
            kind = type(item)
            if (kind is str and item.isascii() and len(item) <= _SHORT) or (kind in _NUMBERS and not careful):
                encoded[key] = item
            else:
                keys[depth] = key
                encoded[key] = self.encode(item, deeper)
        return encoded

    def plain(self, values: Collection[Any], depth: int) -> bool:
        """Whether JSON has an exact form for each of `values`, and none is a container."""
        kinds = set(map(type, values))
        if not kinds <= _WORDS:
            return False
        if str in kinds:
            texts = values if len(kinds) == 1 else [item for item in values if type(item) is str]
            self.spend(sum(map(len, texts)), depth)
            if not all(map(str.isascii, texts)) and any(map(PAIR.search, texts)):
                return False
        if not self._careful:
            return True
        numbers = [item for item in values if type(item) is float or type(item) is int]
        return all(math.isfinite(item) if type(item) is float else -LONG < item < LONG for item in numbers)

    def enter(self, holder: Any, size: int, depth: int) -> None:
        """Go into a container with `size` parts. Raises LimitExceeded when it is one too many."""
        if self._held[0] is holder:
            holder = self._held[1]
        if depth >= self._deepest:
            self._refuse_depth(holder, depth)
        self._holders[depth] = holder
        self._left -= 2 + size * 2
        if self._left < 0:
            self._refuse_size(depth)

    def at(self, key: Any, depth: int) -> None:
        """Say which part of the container at `depth` comes next."""
        self._keys[depth] = key

    def spend(self, size: int, depth: int) -> None:
        """Count what a value takes at the least, so that one too large is refused before it is written out."""
        self._left -= size
        if self._left < 0:
            self._refuse_size(depth)

    def class_of(self, value: Any, depth: int) -> Any:
        """The name under which the class of `value` is found again."""
        kind = type(value)
        known = self._refs.get(kind)
        if known is not None:
            return known
        ref = self._refs[kind] = self._ref_of(value, kind, depth)
        return ref

    def _ref_of(self, value: Any, kind: type, depth: int) -> Any:
        if isinstance(value, Event) and self._types is not None and self._types.get(kind.__name__) is kind:
            return kind.__name__
        ref = class_ref(kind)
        if ref is None and isinstance(value, Event) and self._types is None:
            return kind.__name__
        if ref is None:
            raise self.problem(
                value, depth, "a class that is not found by that name in its module",
                "define it at the top level of a file, not inside a function",
            )  # fmt: skip
        return ref

    def problem(self, value: Any, depth: int, trouble: str, remedy: str) -> ValueNotStorable:
        """What is wrong with `value`, where it is, and what to do about it."""
        kind = name_of(type(value))
        message = f"{self._place(depth)} is a {kind}, {trouble}; {remedy}."
        return ValueNotStorable(message, path=self._path(depth), kind=kind)

    def _spared(self, write: Write, value: Any, depth: int) -> Any:
        try:
            return write(self, value, depth)
        except LimitExceeded:
            raise
        except ValueNotStorable as error:
            if self._circle is not None and self._circle < depth:
                raise  # all of the circle is lost, not only the place where it closes
            self._circle = None
            assert self._lost is not None
            self._lost.append(error)
            return {TAG: "lost", "type": error.kind, "shown": shown(value), "why": str(error)}

    def _path(self, depth: int) -> str:
        return path_of(self._keys[:depth], self._name)

    def _place(self, depth: int) -> str:
        return place_of(self._where, self._path(depth))

    def _refuse_depth(self, holder: Any, depth: int) -> None:
        for at in range(depth):
            if self._holders[at] is holder:
                again = next(n for n in range(at + 1, depth + 1) if n == depth or self._holders[n] is holder)
                self._circle = at
                raise ValueNotStorable(
                    f"{self._place(again)} is the object it lies in, so there is no end to it; keep a name or a number"
                    " of it there instead.",
                    path=self._path(again),
                    kind=name_of(type(holder)),
                )
        outside = self._deepest - DEPTH
        raise LimitExceeded(
            f"{self._place(outside)} is nested deeper than {DEPTH} levels: {self._path(depth)[:60]}...; flatten it.",
            path=self._path(depth),
        )

    def _refuse_size(self, depth: int) -> None:
        raise Overflow(
            f"{self._place(depth)} is where it grows beyond {told(self._room)}; keep large data in a file and pass its"
            " path.",
            path=self._path(depth),
        )
