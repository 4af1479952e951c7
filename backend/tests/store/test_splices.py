"""Splices: whatever a large value becomes, every text comes back exactly, and a little change costs little."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treadle.engine.record import Record
from treadle.errors import ValueNotStorable
from treadle.store.splices import SMALL, Splicer, splice_of, whole

TEXT = json.JSONEncoder(separators=(",", ":")).encode
LARGE = "x" * SMALL
VALUES = st.recursive(
    st.text(max_size=40) | st.integers() | st.none() | st.just(LARGE) | st.just(LARGE + "y"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def changed(seq, key, value):
    return Record(seq, float(seq), "context_changed", "work", None, TEXT({"key": key, "value": value}), 1)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(["log", "", 'a"key\\', "\u00fc"]), VALUES), max_size=12))
def test_every_text_comes_back(writes):
    splicer = Splicer()
    records = [changed(seq, key, value) for seq, (key, value) in enumerate(writes, 1)]
    stored = [splicer.shorten(record) for record in records]
    back = list(whole(stored))
    assert [record.payload for record in back] == [record.payload for record in records]
    assert [record.size for record in back] == [record.size for record in stored]


def test_value_that_grows_is_stored_by_what_it_grew():
    splicer, log, sizes = Splicer(), [], []
    for seq in range(1, 201):
        log.append({"role": "user", "text": f"{seq} " + "word " * 200})
        sizes.append(splicer.shorten(changed(seq, "log", {"turns": log, "count": seq})).size)
    assert max(sizes[2:]) < 1300, "what is at both ends of the change stays where it is"


def test_small_values_stay_as_they_are():
    splicer = Splicer()
    records = [changed(seq, "n", seq) for seq in (1, 2, 3)]
    assert [splicer.shorten(record) for record in records] == records


def test_value_that_is_quite_another_stays_whole():
    splicer = Splicer()
    splicer.shorten(changed(1, "log", "a" * 5000))
    assert splice_of(splicer.shorten(changed(2, "log", "b" * 5000)).payload) is None


def test_after_forgetting_the_next_text_is_whole():
    splicer = Splicer()
    splicer.shorten(changed(1, "log", LARGE))
    assert splice_of(splicer.shorten(changed(2, "log", LARGE + "y")).payload) is not None
    splicer.forget()
    record = changed(3, "log", LARGE + "yz")
    assert splicer.shorten(record) is record


def test_splice_of_what_is_not_there_says_so():
    splicer = Splicer()
    splicer.shorten(changed(1, "log", LARGE))
    alone = splicer.shorten(changed(2, "log", LARGE + "y"))
    with pytest.raises(ValueNotStorable, match='Entry 2 changes "log" as of entry 1, which is not there'):
        list(whole([alone]))
