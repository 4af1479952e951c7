"""Classes whose instances are stored, and what it means that two values are the same."""

from __future__ import annotations

import dataclasses
import enum
import struct
from collections import deque
from dataclasses import InitVar, dataclass, field
from datetime import datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import AnyUrl, BaseModel, ConfigDict, Field, PrivateAttr, RootModel, field_validator

from treadle import Event
from treadle.errors import RecordedError

T = TypeVar("T")


class Point(BaseModel):
    x: int
    y: Any = 0


class Box(BaseModel, Generic[T]):
    item: T


class Whole(RootModel[list[int]]):
    pass


class Ajar(BaseModel):
    """Takes more than it declares, under names that are not its fields', and changes what it is given."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    name: str = Field(alias="theName")
    tags: list[str] = Field(default_factory=list)

    @field_validator("name")
    @classmethod
    def loud(cls, value: str) -> str:
        return f"{value}!"


class Secretive(BaseModel):
    """Has what no field shows."""

    shown: int
    _count: int = PrivateAttr(default=0)
    _late: Any = PrivateAttr()

    @cached_property
    def twice(self) -> int:
        return self.shown * 2

    def model_post_init(self, context: Any) -> None:
        self._count += 1


class Linked(BaseModel):
    url: AnyUrl


@dataclass
class Pair:
    left: Any
    right: Any = None


@dataclass(frozen=True, slots=True)
class Fixed:
    left: Any
    total: int = field(init=False, default=3)


@dataclass(slots=True, kw_only=True)
class Longer(Pair):
    rest: tuple[Any, ...] = ()
    start: InitVar[int] = 0
    made: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self, start: int) -> None:
        if start:
            self.made = [start]


@dataclass
class Marked:
    """Keeps more than its fields."""

    name: str

    def __post_init__(self) -> None:
        self.length = len(self.name)


class Slotted(Pair):
    __slots__ = ("__own", "open")

    def fill(self) -> Slotted:
        self.__own, self.open = 1, [2]
        return self

    @property
    def own(self) -> int:
        return self.__own


class Place(NamedTuple):
    row: int
    seat: Any = None


class Colour(enum.Enum):
    RED = "red"
    CRIMSON = "red"  # noqa: PIE796 - another name for the same


class Size(enum.IntEnum):
    SMALL = 1


class Word(enum.StrEnum):
    YES = "yes"


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Mode(enum.IntFlag):
    A = 1


class Outer:
    class Inner(BaseModel):
        x: int


class Name(str):
    __slots__ = ()


class Count(int):
    pass


class Ratio(float):
    pass


class Blob(bytes):
    pass


class Tags(list):  # type: ignore[type-arg]
    owner = "nobody"


class Table(dict):  # type: ignore[type-arg]
    def __init__(self) -> None:
        raise AssertionError("no code of a class runs when its instance is read")


class Triple(tuple):  # type: ignore[type-arg]  # noqa: SLOT001 - with room for attributes
    pass


class Group(set):  # type: ignore[type-arg]
    pass


class Frozen(frozenset):  # type: ignore[type-arg]
    pass


class Note(Event):
    text: Any = None
    more: Any = None


class Sealed(Event):
    """An event with what no field shows."""

    n: int = 0
    _seal: Any = PrivateAttr(default=None)


def table(**items: Any) -> Table:
    made = Table.__new__(Table)
    made.update(items)
    return made


def late(secretive: Secretive, value: Any) -> Secretive:
    secretive._late = value
    return secretive


def same(a: Any, b: Any) -> bool:
    """Whether `b` is what `a` is: same types all the way down, same order, NaN like NaN and -0.0 unlike 0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, BaseModel):
        return (
            _same_items(a.__dict__, b.__dict__, skip=type(a).__dict__)
            and same(a.__pydantic_extra__, b.__pydantic_extra__)
            and same(a.__pydantic_private__, b.__pydantic_private__)
            and a.__pydantic_fields_set__ == b.__pydantic_fields_set__
        )
    if dataclasses.is_dataclass(a):
        names = [item.name for item in dataclasses.fields(a)]
        mine, other = ([getattr(one, name, same) for name in names] for one in (a, b))
        return same(mine, other) and same(getattr(a, "__dict__", None), getattr(b, "__dict__", None))
    if isinstance(a, RecordedError):
        return (a.type, a.message) == (b.type, b.message)
    if isinstance(a, float):
        return a != a and b != b if a != a else struct.pack("d", a) == struct.pack("d", b)  # noqa: PLR0124
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, Decimal):
        return a.as_tuple() == b.as_tuple()
    if isinstance(a, datetime | time):
        naive = [one.replace(tzinfo=None) for one in (a, b)]
        return naive[0] == naive[1] and (a.fold, repr(a.tzinfo)) == (b.fold, repr(b.tzinfo))
    return _same_container(a, b)


def _same_container(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        factories = [getattr(one, "default_factory", None) for one in (a, b)]
        return factories[0] is factories[1] and _same_items(a, b) and _same_attributes(a, b)
    if isinstance(a, list | tuple | deque):
        limits = [getattr(one, "maxlen", None) for one in (a, b)]
        parts = len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
        return limits[0] == limits[1] and parts and _same_attributes(a, b)
    if isinstance(a, set | frozenset):
        left = list(b)
        for item in a:
            found = next((at for at, other in enumerate(left) if same(item, other)), None)
            if found is None:
                return False
            del left[found]
        return not left and _same_attributes(a, b)
    return bool(a == b) and (isinstance(a, enum.Enum) or _same_attributes(a, b))


def _same_items(a: Any, b: Any, *, skip: Any = ()) -> bool:
    mine, other = ([(key, item) for key, item in one.items() if not _is_cached(skip, key)] for one in (a, b))
    return len(mine) == len(other) and all(
        same(key, other_key) and same(item, other_item)
        for (key, item), (other_key, other_item) in zip(mine, other, strict=True)
    )


def _is_cached(namespace: Any, key: Any) -> bool:
    return bool(namespace) and isinstance(key, str) and isinstance(namespace.get(key), cached_property)


def _same_attributes(a: Any, b: Any) -> bool:
    if type(a).__module__ not in {__name__, "storable"}:
        return True
    return same(getattr(a, "__dict__", {}), getattr(b, "__dict__", {}))

