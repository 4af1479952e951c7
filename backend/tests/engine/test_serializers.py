"""Values come back exactly as they went, or are refused with the place, the type and the way out."""

from __future__ import annotations

import asyncio
import math
import sys
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import ModuleType
from typing import Any, NamedTuple
from uuid import UUID, SafeUUID
from zoneinfo import ZoneInfo

import pytest
import storable
from pydantic import BaseModel, PrivateAttr, SecretStr
from storable import (
    Ajar,
    Blob,
    Box,
    Colour,
    Count,
    Fixed,
    Frozen,
    Group,
    Linked,
    Longer,
    Marked,
    Mode,
    Name,
    Note,
    Outer,
    Pair,
    Place,
    Point,
    Ratio,
    Right,
    Sealed,
    Secretive,
    Size,
    Slotted,
    Tags,
    Triple,
    Whole,
    Word,
    late,
    same,
    table,
)

from treadle import Event, StepFailedEvent, WorkflowFailedEvent
from treadle.engine.serializers import decode, decode_event, encode, encode_event, from_json, to_json
from treadle.engine.statestore import DictState
from treadle.errors import LimitExceeded, RecordedError, ValueNotStorable

BERLIN = ZoneInfo("Europe/Berlin")
EXACT = [
    None, True, 3, 10**40, -(2**63), 1.5, 0.1 + 0.2, -0.0, 5e-324, math.inf, -math.inf, "", "text", "é", "\ud800",
    "\ud83d\ude00", "😀", "a\ud83d\ude00b\udfff", "\0", b"", b"\x00\xff", bytearray(b"x"), [], (), set(), frozenset(),
    {}, (1, (2,)), [[1, "a", None, 2.5], [math.nan]], {1, 2}, frozenset("a"), {1: "a"}, {None: "a", True: "b"},
    {(1, 2): "a"}, {frozenset({1}): 1}, {b"k": 1, Decimal(1): 2}, {"": 1}, {1.5: 1}, {"$": 1}, {"$": "tuple", "v": []},
    {"$": "blob", "hash": "x", "size": 1}, {"\ud83d\ude00": 1}, {"b": 1, "a": 2},
    Decimal("1.10"), Decimal("-0"), Decimal("NaN"), Decimal("sNaN123"), Decimal("-Infinity"), Decimal("1E+999"),
    Fraction(-1, 3), complex(-0.0, math.inf), range(3), range(9, 0, -2), UUID(int=7),
    UUID(int=8, is_safe=SafeUUID.safe), Path("a/b"), Path(), PurePosixPath("//a"), PureWindowsPath("c:\\a"),
    date(2026, 11, 22), time(2, 30, tzinfo=UTC), time(2, 30, fold=1), timedelta(days=-1, microseconds=3), timedelta.max,
    datetime.fromisoformat("2026-11-22"), datetime(1, 1, 1, tzinfo=UTC), datetime(2026, 11, 22, 12, tzinfo=BERLIN),
    datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1), datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5.5))),
    datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1), "CET")), UTC, BERLIN, timezone(timedelta(seconds=1), "é"),
    time(0, tzinfo=timezone(timedelta(microseconds=1))), datetime(2026, 1, 1, tzinfo=timezone(timedelta(seconds=-1))),
    Colour.RED, Size.SMALL, Word.YES, Right.READ, Right.READ | Right.WRITE, Right(0), Mode(9),
    OrderedDict(b=1, a=2), Counter("abca"), defaultdict(list, a=[1]), defaultdict(None), deque([1, (2,)]),
    deque([1], maxlen=3), Name("x"), Name("\ud83d\ude00"), Count(3), Count(10**4000), Ratio("nan"), Blob(b"x"),
    Tags([1, (2,)]), table(a=1), Triple([1]), Group({1}), Frozen({1}), Place(1), Place(1, seat=(2,)), DictState(a=(1,)),
    Point(x=1), Point(x=1, y=0), Point(x=1, y=Point(x=2)), Point.model_construct(x="no number"),
    Point.model_construct(y=1), Point.model_construct(_fields_set={"y"}, x=1, y=2), Whole([1]),
    Ajar(theName="n", other=(1,)), Ajar.model_construct(name="n"), Secretive(shown=1), late(Secretive(shown=1), {1}),
    Linked(url="https://example.org/a?b=c#d"), Outer.Inner(x=1), Box[int](item=1), Box[Any](item=(1,)),
    Box[Point](item=Point(x=1)), Box[list[int | None]](item=[None]), Box[Box[int]](item=Box[int](item=1)),
    Pair([1], {"k": Point(x=2)}), Fixed((1,)), Longer(1, rest=(2,), start=3), Longer(1), Marked("n"),
    Slotted(1).fill(), Note(text=(1,), extra={1}), Sealed(n=1), RecordedError("OSError", "no"),
    StepFailedEvent(step="s", exception=RecordedError("OSError", "no"), input_event=Note(text=(1,))),
]  # fmt: skip


def labelled(value: object) -> str:
    return ascii(value)[:60]


@pytest.mark.parametrize("value", EXACT, ids=labelled)
def test_value_comes_back_exactly(value):
    for held in (value, [value], {"k": value}, (value, value), Pair(value)):
        back = from_json(to_json(held))
        assert same(back, held), to_json(held)
        assert same(decode(encode(held)), held)


@pytest.mark.parametrize("value", [10**4300, 2**100_000, {1: -(10**5000)}, [10**4301, math.nan]], ids=range(4))
def test_integers_longer_than_python_reads_come_back(value):
    assert same(from_json(to_json(value)), value)


def test_member_of_an_enum_is_that_member():
    assert from_json(to_json(Colour.CRIMSON)) is Colour.RED
    assert from_json(to_json(BERLIN)) is BERLIN


def test_what_cached_property_remembers_is_made_again():
    value = Secretive(shown=4)
    assert value.twice == 8
    back = from_json(to_json(value))
    assert "twice" not in back.__dict__
    assert back.twice == 8
    assert same(back, value)


def test_no_code_of_a_class_runs_when_its_instance_is_read():
    """Private attributes are as they were, not as a new instance has them; validators do not run again."""
    value = Secretive(shown=1)
    value._count = 41
    assert from_json(to_json(value))._count == 41
    assert from_json(to_json(Ajar(theName="n"))).name == "n!"


def test_two_references_to_one_object_come_back_as_two_equal_objects():
    one = [1]
    back = from_json(to_json([one, one]))
    assert back == [[1], [1]]
    assert back[0] is not back[1]


class Stamp(datetime):
    """A datetime that knows more than one, as pandas has them."""


class Money(Decimal):
    pass


class Zone(tzinfo):
    def utcoffset(self, when: datetime | None) -> timedelta:
        return timedelta(0)


class Client:
    pass


class Keyless(BaseModel):
    _client: Any = PrivateAttr(default_factory=Client)


class Wrapped(dict):  # type: ignore[type-arg]
    def __init__(self, client: Client) -> None:
        super().__init__()
        self.client = client


def local_classes() -> list[object]:
    class Local(BaseModel):
        x: int = 1

    @dataclass
    class Slip:
        x: int = 1

    class Hue(Enum):
        RED = 1

    class Seat(NamedTuple):
        x: int

    class Deed(Event):
        pass

    return [Local(), Slip(), Hue.RED, Seat(1), Deed(), Box[Local](item=Local())]


async def coroutine() -> None:
    """Never awaited."""


REFUSED: list[tuple[Any, str]] = [
    (object(), r"is a builtins\.object, which has no exact form on disk; make it a resource"),
    (Client(), r"is a test_serializers\.Client, .* Annotated\[Client, Resource\(factory\)\]"),
    (ValueError("no"), r"is a builtins\.ValueError, an exception, .*; keep str\(error\), or a RecordedError, instead"),
    (KeyError("no"), "keep str"),
    (Stamp(2026, 1, 1), "may keep more than can be seen; make a datetime of it"),
    (Money("1"), "make a Decimal of it, or a dict of what it has"),
    (datetime(2026, 1, 1, tzinfo=Zone()), r"use zoneinfo\.ZoneInfo or timezone"),
    (defaultdict(lambda: 1), "default_factory is not a class"),
    (PureWindowsPath("//:/"), "is not what its text says"),
    (memoryview(b"x"), "memoryview"),
    (iter([1]), r"keep list\(\.\.\.\) of it"),
    ((n for n in [1]), r"keep list\(\.\.\.\) of it"),
    (threading.Lock(), "lock, which has no exact form"),
    (len, "has no exact form"),
    (lambda: 1, "has no exact form"),
    (Point, "has no exact form"),
    (sys, "module, which has no exact form on disk; make it a resource"),
    (Keyless(), r"_client is a test_serializers\.Client"),
    (Wrapped(Client()), r"client is a test_serializers\.Client"),
    (SecretStr("s"), r"SecretStr"),
    (type("Odd", (Pair,), {})(1), "define it at the top level of a file"),
    *((value, r"Local|Slip|Hue|Seat|Deed") for value in local_classes()),
    *((value, "define it at the top level of a file, not inside a function") for value in local_classes()),
]


@pytest.mark.parametrize(("value", "told"), REFUSED, ids=lambda item: ascii(item)[:40])
def test_value_without_an_exact_form_is_refused_with_its_place(value, told):
    for held, path in (
        ({"inner": [1, value]}, r"deep\.inner\[1\]"),
        ({(1, 2): value}, r"deep\[\(1, 2\)\]"),
        (Point(x=1, y={"a b": value}), r"deep\.y\['a b'\]"),
        (Pair(Tags([value])), r"deep\.left\[0\]"),
        (Note(more=Place(1, value)), r"deep\.more\.seat"),
    ):
        with pytest.raises(ValueNotStorable, match=f"^{path}.*({told})") as caught:
            to_json(held, "deep")
        assert caught.value.path.startswith("deep")
        assert caught.value.kind


def test_coroutine_is_refused():
    never = coroutine()
    with pytest.raises(ValueNotStorable, match="await it and keep the result"):
        to_json(never)
    never.close()


def test_arrays_are_refused_with_what_to_keep_instead():
    numpy = pytest.importorskip("numpy")
    for value in (numpy.array([1.5]), numpy.float64(1.5), numpy.int64(1)):
        with pytest.raises(ValueNotStorable, match=r"keep what its tolist\(\) returns"):
            to_json(value)


def test_attributes_that_no_field_declares_are_refused_or_kept():
    model = Point(x=1)
    object.__setattr__(model, "__dict__", {**model.__dict__, "stray": 1})
    with pytest.raises(ValueNotStorable, match="with stray set beside its fields; declare stray as fields"):
        to_json(model)
    assert from_json(to_json(Marked("four"))).length == 4


def circle_of_lists() -> Any:
    value: list[Any] = []
    value.append({"again": value})
    return value


def circle_of_models() -> Any:
    value = Point(x=1)
    value.y = (value,)
    return value


def circle_of_tags() -> Any:
    value = Tags()
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "path"),
    [(circle_of_lists(), r"root\[0\]\.again"), (circle_of_models(), r"root\.y\[0\]"), (circle_of_tags(), r"root\[0\]")],
    ids=["lists", "models", "tags"],
)
def test_circle_is_refused_where_it_closes(value, path):
    with pytest.raises(ValueNotStorable, match=f"^{path} is the object it lies in.*keep a name or a number"):
        to_json(value, "root")


def nested(levels: int, value: Any = 1) -> Any:
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: {"a": v}, lambda v: (v,), Pair, lambda v: Point(x=1, y=v)])
def test_hundred_levels_come_back_and_no_more(wrap):
    for value in (nested(99), nested(99, math.nan)):
        assert same(from_json(to_json(wrap(value))), wrap(value))
    with pytest.raises(LimitExceeded, match=r"^deep is nested deeper than 100 levels: deep.*; flatten it"):
        to_json(wrap(nested(200)), "deep")


def test_depth_is_that_of_the_value_not_of_what_holds_it():
    to_json(nested(100))
    with pytest.raises(LimitExceeded):
        to_json(nested(101))
    event = Note(text=nested(100))
    assert same(decode_event(Note, *_told(encode_event(event)), types={}), event)
    with pytest.raises(LimitExceeded, match=r"^Note: text is nested deeper"):
        encode_event(Note(text=nested(101)))
    assert encode({"key": nested(100)}, outer=True)


def _told(parts: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    return parts.pop("v"), parts


def test_one_object_referred_to_again_and_again_is_not_written_out_for_ever():
    value: Any = []
    for _ in range(60):
        value = [value, value]
    with pytest.raises(LimitExceeded, match=r"grows beyond 97\.7 KiB"):
        to_json(value, room=100_000)


def test_failure_keeps_class_name_and_message_of_its_exception():
    """The same wherever it is kept: in the context, in an event, in a saved run."""
    gone = OSError(2, "gone")
    for event in (
        StepFailedEvent(step="s", exception=gone, input_event=Note(text=(1,)), attempts=2),
        WorkflowFailedEvent(step="s", exception=gone, attempts=2, elapsed=0.5),
    ):
        for back in (
            from_json(to_json([event]))[0],
            decode_event(type(event), *_told(encode_event(event)), types={}),
            decode_event(Note, *_told(encode_event(Note(text=event))), types={}).text,
        ):
            assert type(back) is type(event)
            assert isinstance(back.exception, RecordedError)
            assert (back.exception.type, back.exception.message) == ("FileNotFoundError", "[Errno 2] gone")
            assert same(back.get("input_event"), event.get("input_event"))


def test_data_imports_nothing_and_asks_no_module_for_what_it_does_not_have(monkeypatch):
    class Lazy(ModuleType):
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"asked for {name}")

    monkeypatch.setitem(sys.modules, "lazy", Lazy("lazy"))
    assert "this" not in sys.modules
    for ref in ("this:Zen", "lazy:Model", "lazy:Model.Inner", "nowhere:X", "builtins:print", "os:path.join", ":", "x"):
        for form in ("model", "dataclass", "enum", "flag", "derived", "namedtuple", "url"):
            with pytest.raises(ValueNotStorable):
                decode({"$": form, "c": ref, "v": {}})
    assert "this" not in sys.modules


@pytest.mark.parametrize("ref", ["builtins:dict", "builtins:type", "subprocess:Popen", "storable:Pair"])
def test_only_what_a_form_is_for_is_made_of_it(ref):
    assert asyncio.subprocess
    for form in ("model", "enum", "flag", "namedtuple", "url"):
        with pytest.raises(ValueNotStorable):
            decode({"$": form, "c": ref, "v": {}})


MALFORMED = [
    {"$": "new form", "v": 1}, {"$": "tuple"}, {"$": "dict", "v": [1]}, {"$": "set", "v": [[1]]}, {"$": None},
    {"$": "decimal", "v": "x"}, {"$": "datetime", "v": "yesterday"}, {"$": "zone", "v": "Nowhere/Town"},
    {"$": "zone", "v": "../../etc/passwd"}, {"$": "model", "v": {}}, {"$": "bytes", "v": 1}, {"$": "uuid", "v": ""},
    {"$": "model", "c": ["storable:Box"], "v": {}}, {"$": "model", "c": [], "v": {}}, {"$": "int", "v": "?"},
    {"$": "derived", "c": "storable:Tags", "v": {"$": "tuple", "v": []}}, {"$": "fraction", "v": [1, 0]}, {"$": [1]},
]  # fmt: skip


@pytest.mark.parametrize("data", MALFORMED, ids=str)
def test_damaged_data_is_told_with_its_place(data):
    with pytest.raises(ValueNotStorable, match=r"^deep\.a\[1\] "):
        decode({"a": [1, data]}, "deep")


CHANGED: list[tuple[str, Any, dict[str, Any], str]] = [
    ("Point", Point(x=1), {}, "is a storable.Point, and no such class is loaded; put it back, or import its module"),
    ("Pair", Pair(1), {}, "no such class is loaded"),
    ("Colour", Colour.RED, {}, "no such class is loaded"),
    ("Tags", Tags(), {}, "no such class is loaded"),
    ("Point", Point(x=1, y=2), {"__annotations__": {"x": int}}, "has y, which its class storable.Point no longer has"),
    ("Point", Point(x=1), {"__annotations__": {"x": int, "y": int, "z": int}, "y": 0}, "lacks z, .*give it a"),
    ("Pair", Pair(1, 2), {"__annotations__": {"left": int}}, "has right, which its class storable.Pair no longer has"),
    ("Pair", Pair(1), {"__annotations__": {"left": int, "right": int, "mid": int}}, "lacks mid"),
    ("Secretive", Secretive(shown=1), {"__annotations__": {"shown": int}}, "has _count, which its class"),
    ("Place", Place(1, 2), {"__annotations__": {"row": int}}, "has seat, which its class"),
    ("Place", Place(1, 2), {"__annotations__": {"row": int, "seat": int, "tier": int}}, "lacks tier"),
    ("Colour", Colour.RED, {"BLUE": 1}, r"is storable\.Colour\.RED, which is gone"),
    ("Right", Right.READ | Right.WRITE, {"READ": 1}, "cannot be read as flag"),
]


@pytest.mark.parametrize(("name", "value", "now", "told"), CHANGED, ids=lambda item: str(item)[:30])
def test_class_that_moved_or_changed_is_named(monkeypatch, name, value, now, told):
    written = to_json([value])
    if now:
        monkeypatch.setattr(storable, name, _version(type(value), name, now))
    else:
        monkeypatch.delattr(storable, name)
    with pytest.raises(ValueNotStorable, match=rf"^kept\[0\] .*{told}"):
        from_json(written, "kept")


def _version(old: type, name: str, now: dict[str, Any]) -> Any:
    """The class as it is in another version of the code."""
    if issubclass(old, tuple):
        return NamedTuple(name, list(now["__annotations__"].items()))
    if issubclass(old, Enum):
        return next(base for base in old.__mro__[1:] if base.__module__ == "enum")(name, now, module="storable")
    made = type(old)(name, (BaseModel,) if issubclass(old, BaseModel) else (), {"__module__": "storable", **now})
    return made if issubclass(old, BaseModel) else dataclass(made)


def test_field_that_is_new_and_has_a_default_gets_it(monkeypatch):
    written = to_json([Point.model_construct(x=1), Pair(1), Place(1)])
    for name, now in (
        ("Point", {"__annotations__": {"x": int, "y": int, "z": list}, "y": 0, "z": [7]}),
        ("Pair", {"__annotations__": {"left": int, "right": Any, "mid": int}, "right": None, "mid": 8}),
    ):
        monkeypatch.setattr(storable, name, _version(getattr(storable, name), name, now))
    point, pair, place = from_json(written)
    assert (point.z, pair.mid, place.seat) == ([7], 8, None)


def test_what_was_not_there_stays_away(monkeypatch):
    """A field that was never set is not taken for one that is new."""
    back = from_json(to_json([Point.model_construct(x=1, y=2), Point.model_construct(y=2), Longer(1)]))
    assert "x" not in back[1].__dict__
    assert not hasattr(back[2], "made")


def test_what_cannot_be_stored_can_be_left_out_and_told():
    client = Client()
    lost: list[ValueNotStorable] = []
    value = {"a": [1, client], "b": Point(x=1, y=client), "c": (2,), client: 3}
    written = to_json(value, "k", where="Here:", lost=lost)
    assert [error.path for error in lost][:2] == ["k.a[1]", "k.b.y"]
    assert len(lost) == 3
    assert all(error.kind == "test_serializers.Client" for error in lost)
    assert str(lost[0]).startswith("Here: k.a[1] is a test_serializers.Client")
    with pytest.raises(ValueNotStorable, match=r"^Here: k\.a\[1\] is a test_serializers\.Client"):
        from_json(written)
    lost.clear()
    to_json(circle_of_lists(), lost=lost)
    assert len(lost) == 1
