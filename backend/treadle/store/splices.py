"""Splices: what an entry changed in a large context value, in place of the whole value.

A context that grows a little with every step would else make the journal grow with the square of its steps. An entry
then says which characters, between a beginning and an end that stay, take the place of what the key's last entry had.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from treadle.engine.record import Record
from treadle.errors import ValueNotStorable

SMALL = 1024
"""Characters of a text that is kept whole whatever it has in common with the one before."""
_START = '{"$":"splice",'
_KEY = len('{"key":')
_decoder = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Splice:
    """The text of entry `of`, but for what lies between its first `head` and its last `tail` characters: `text`."""

    of: int
    head: int
    tail: int
    text: str

    def applied(self, before: str) -> str:
        """The whole text, made of the one `before`."""
        return f"{before[: self.head]}{self.text}{before[len(before) - self.tail :]}"


def splice_of(text: str | None) -> Splice | None:
    """The splice an entry has in place of its payload; None if it has the payload."""
    if text is None or not text.startswith(_START):
        return None
    told = json.loads(text)
    head, tail = told["kept"]
    return Splice(told["of"], head, tail, told["text"])


class Splicer:
    """Makes the splices of one run: it knows what the last entry of each key said."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, str]] = {}

    def shorten(self, record: Record) -> Record:
        """The record of a context change, with a splice for its payload where that is much shorter."""
        text = record.payload or ""
        key = _key_of(text)
        of, before = self._last.get(key, (0, ""))
        if len(text) < SMALL:
            self._last.pop(key, None)
            return record
        self._last[key] = (record.seq, text)
        head = _shared(before, text)
        tail = _shared(before[head:][::-1], text[head:][::-1])
        changed = text[head : len(text) - tail]
        if 2 * len(changed) > len(text):
            return record
        told = f'"key":{key},"of":{of},"kept":[{head},{tail}],"text":{_quoted(changed)}'
        return record._replace(payload=f"{_START}{told}}}")

    def forget(self) -> None:
        """Begin anew: whoever reads on from here does not know what was said before."""
        self._last.clear()


def whole(records: Iterable[Record]) -> Iterator[Record]:
    """Records with their payloads whole, in order, from one on that needs nothing before it; their size stays.

    Raises ValueNotStorable when what a splice is of is not there.
    """
    last: dict[str, str] = {}
    for record in records:
        if record.kind != "context_changed" or record.payload is None:
            yield record
        elif (splice := splice_of(record.payload)) is None:
            with suppress(ValueError):  # whoever reads its value will say what is wrong with it
                last[_key_of(record.payload)] = record.payload
            yield record
        else:
            key = _key_of(record.payload, len(_START) + _KEY - 1)
            if key not in last:
                raise ValueNotStorable(f"Entry {record.seq} changes {key} as of entry {splice.of}, which is not there.")
            last[key] = splice.applied(last[key])
            yield record._replace(payload=last[key], stored=record.size)


def _key_of(text: str, at: int = _KEY) -> str:
    """The key that the payload of a context change names, as JSON text."""
    return text[at : _decoder.raw_decode(text, at)[1]]


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


_quoted = json.JSONEncoder(ensure_ascii=True).encode
