"""Values come back exactly as they went, or are refused with the place and the type."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from treadle.engine.serializers import from_json, to_json
from treadle.errors import ValueNotStorable


class Colour(Enum):
    RED = "red"


class Point(BaseModel):
    x: int


@dataclass
class Pair:
    left: object
    right: object


VALUES = [
    None, True, 3, 10**40, 1.5, math.inf, -math.inf, "text", "\ud800", b"\x00\xff", (1, (2,)), {1, 2}, frozenset("a"),
    {1: "a", None: 2}, {"$": 1}, {"$": "tuple", "v": []}, Decimal("1.10"), UUID(int=7), date(2026, 11, 22),
    datetime(2026, 11, 22, 12, tzinfo=UTC), timedelta(days=-1, microseconds=3), Path("a/b"), Colour.RED, Point(x=1),
    Pair([1], {"k": Point(x=2)}),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_value_comes_back_exactly(value):
    back = from_json(to_json(value))
    assert back == value
    assert type(back) is type(value)


def test_nan_comes_back_as_nan():
    assert math.isnan(from_json(to_json(math.nan)))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=20,
    )
)
def test_any_plain_value_comes_back_exactly(value):
    assert from_json(to_json(value)) == value


def test_value_without_an_exact_form_is_refused_with_its_place():
    with pytest.raises(ValueNotStorable, match=r"deep\.inner\[1\] is a builtins\.object"):
        to_json({"inner": [1, object()]}, "deep")


def test_too_deep_a_value_is_refused():
    value: list = []
    for _ in range(200):
        value = [value]
    with pytest.raises(ValueNotStorable, match="deeper than 100 levels"):
        to_json(value)
