"""Values that hypothesis chooses, of every kind that is stored, and some of kinds that are not."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from storable import (
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
    Tags,
    Triple,
    Whole,
    Word,
    late,
    table,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
"""With lone surrogates, and pairs of them, which are no character."""
PAIRS = st.builds("".join, st.lists(st.sampled_from(["a", "\ud83d", "\ude00", "é", "\0", '"$"']), max_size=6))
OFFSETS = st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))
NAMED = st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)), ANY_TEXT)
ZONES = st.timezones() | OFFSETS | NAMED | st.just(UTC)
FOLDS = st.sampled_from([0, 1])
LONG = st.sampled_from([63, 64, 14_000, 15_000, 20_000]).map(lambda bits: 1 << bits) | st.just(-(10**4000))
"""Longer than Python writes in decimals, too."""


def _folded(value: Any, fold: int) -> Any:
    return value.replace(fold=fold)


HASHABLE_WORDS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), LONG, st.floats(), ANY_TEXT, PAIRS, st.binary(max_size=20),
    st.decimals(), st.sampled_from([Decimal("sNaN"), Decimal("-NaN123"), Decimal("-0E+7"), Decimal("1E-9999")]),
    st.fractions().filter(lambda value: isinstance(value, Fraction)), st.complex_numbers(), st.uuids(), st.dates(),
    st.builds(_folded, st.times(timezones=st.none() | OFFSETS | NAMED), FOLDS),
    st.builds(_folded, st.datetimes(timezones=st.none() | ZONES, allow_imaginary=True), FOLDS),
    st.timedeltas(), st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.sampled_from([1, -2, 3])),
    st.builds(Path, st.text("ab/.", max_size=6)), st.builds(PurePosixPath, PAIRS),
    st.builds(PureWindowsPath, st.text("ab\\/:.", max_size=6)).filter(lambda path: PureWindowsPath(str(path)) == path),
    st.sampled_from([Colour.RED, Size.SMALL, Word.YES, Right.READ, Right.READ | Right.WRITE, Right(0), Mode.A | 8]),
    st.builds(Name, ANY_TEXT), st.builds(Count, st.integers()), st.builds(Ratio, st.floats()),
    st.builds(Blob, st.binary(max_size=9)), st.sampled_from([math.nan, -0.0, "\ud83d\ude00"]),
).filter(lambda value: not _is_signalling(value))  # fmt: skip
"""Words that can be keys."""


def _is_signalling(value: Any) -> bool:
    return isinstance(value, Decimal) and value.is_snan()


WORDS = st.one_of(
    HASHABLE_WORDS, st.just(Decimal("sNaN")), st.builds(bytearray, st.binary(max_size=9)), ZONES,
    st.builds(Whole, st.lists(st.integers(), max_size=3)), st.builds(Linked, url=st.just("http://x.org/a?b=c")),
)  # fmt: skip
KEYS = st.recursive(
    HASHABLE_WORDS,
    lambda inner: st.one_of(
        st.tuples(inner, inner), st.frozensets(inner, max_size=3), st.builds(Place, st.integers(), inner),
        st.builds(Frozen, st.lists(inner, max_size=2)), st.builds(Fixed, inner),
    ),
    max_leaves=3,
)  # fmt: skip


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, max_size=4)
    return st.one_of(
        several, several.map(tuple), st.dictionaries(KEYS | ANY_TEXT, inner, max_size=4),
        st.dictionaries(st.sampled_from(["$", "v", "c", "a"]), inner), st.sets(KEYS, max_size=3),
        st.frozensets(KEYS, max_size=3), st.builds(deque, several, st.none() | st.integers(4, 9)),
        st.builds(OrderedDict, st.dictionaries(KEYS, inner, max_size=3)),
        st.builds(Counter, st.lists(KEYS, max_size=3)),
        st.builds(defaultdict, st.sampled_from([None, list, int]), st.dictionaries(ANY_TEXT, inner, max_size=3)),
        st.builds(Tags, several), st.builds(Triple, several), st.builds(Group, st.lists(KEYS, max_size=3)),
        st.builds(lambda item: table(a=item), inner), st.builds(Place, st.integers(), inner),
        st.builds(Point, x=st.integers(), y=inner), st.builds(lambda item: Point.model_construct(x=item), inner),
        st.builds(lambda item: Box[Any](item=item), inner), st.builds(Box[int], item=st.integers()),
        st.lists(st.integers(), max_size=2).map(lambda item: Box[Box[list[int]]](item=Box[list[int]](item=item))),
        st.builds(lambda item: late(Secretive(shown=3), item), inner), st.builds(Outer.Inner, x=st.integers()),
        st.builds(Pair, inner, inner), st.builds(Fixed, inner), st.builds(Marked, ANY_TEXT),
        st.builds(lambda item, start: Longer(item, rest=(item,), start=start), inner, st.integers(0, 1)),
        st.builds(Note, text=inner), st.builds(lambda item: Note(text=1, extra=item, **{"$": item}), inner),
        inner.map(sealed),
    )  # fmt: skip


def sealed(value: Any) -> Sealed:
    made = Sealed(n=1)
    made._seal = value
    return made


VALUES = st.recursive(WORDS, _containers, max_leaves=12)
"""Everything that has an exact form."""


def chosen(seed: int, count: int) -> list[Any]:
    """So many of VALUES, at most: the same ones for the same seed."""
    found: list[Any] = []

    @seeded(seed)
    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(VALUES)
    def choose(value: Any) -> None:
        found.append(value)

    choose()
    return found
