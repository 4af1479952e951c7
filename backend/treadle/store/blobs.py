"""Blobs: JSON texts too large for the row they belong to, kept beside it, compressed, once for each run.

The row has a stub instead, which no value is ever written as. A blob goes with its run; runs share none, so that none
has to be counted.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from treadle.engine.limits import LIMITS
from treadle.engine.record import Record
from treadle.errors import ValueNotStorable
from treadle.store.splices import splice_of
from treadle.store.tables import Blob, Entry

_blobs, _entries = Blob.__table__, Entry.__table__  # type: ignore[attr-defined]

HEAD = 64 * 1024
"""Characters at the beginning of a text that are shown without reading all of it."""
_START = '{"$":"blob",'


@dataclass(frozen=True, slots=True)
class Stub:
    """What stands in a row for a text of `size` characters."""

    hash: str
    size: int

    @property
    def text(self) -> str:
        """The stub as JSON text."""
        return f'{_START}"hash":"{self.hash}","size":{self.size}}}'


def stub_of(text: str | None) -> Stub | None:
    """The stub a row has in place of a text, None if it has the text."""
    if text is None or not text.startswith(_START):
        return None
    told = json.loads(text)
    return Stub(told["hash"], told["size"])


def take_out(run_id: str, rows: Iterable[dict[str, Any]], *, above: int = LIMITS.inline) -> list[dict[str, Any]]:
    """Put stubs in place of the large texts in rows of `run_id`; the rows of their blobs, each once."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        for name in ("payload", "detail"):
            text = row.get(name)
            if text is not None and len(text) > above:
                content = text.encode("ascii")
                stub = Stub(hashlib.sha256(content).hexdigest(), len(text))
                row[name] = stub.text
                if stub.hash not in found:
                    found[stub.hash] = {
                        "run_id": run_id, "hash": stub.hash, "size": stub.size, "head": text[:HEAD],
                        "bytes": zlib.compress(content, 1),
                    }  # fmt: skip
    return list(found.values())


def whole(db: Connection, run_id: str, text: str | None) -> str | None:
    """`text`, or the one its stub stands for. Raises ValueNotStorable when that is not there, or not what it was."""
    stub = stub_of(text)
    if stub is None:
        return text
    query = select(_blobs.c.bytes).where(_blobs.c.run_id == run_id, _blobs.c.hash == stub.hash)
    packed = db.execute(query).scalar()
    if packed is None:
        raise ValueNotStorable(f"Blob {stub.hash[:12]} of run {run_id} is not there; restore it from a backup.")
    try:
        content = zlib.decompress(packed)
    except zlib.error:
        content = b""
    if hashlib.sha256(content).hexdigest() != stub.hash:
        raise ValueNotStorable(f"Blob {stub.hash[:12]} of run {run_id} is damaged; restore it from a backup.")
    return content.decode("ascii")


def record_of(db: Connection, run_id: str, row: Any) -> Record:
    """The record of a row of the journal, with its texts whole."""
    return Record(
        row.seq, row.at, row.kind, row.step, row.event_type, whole(db, run_id, row.payload), row.cause,
        whole(db, run_id, row.detail),
    )  # fmt: skip


def heads(db: Connection, run_id: str, texts: Iterable[str | None]) -> Mapping[str, str]:
    """The beginnings of the blobs that stand behind these texts, by hash."""
    hashes = {stub.hash for text in texts if (stub := stub_of(text)) is not None}
    if not hashes:
        return {}
    query = select(_blobs.c.hash, _blobs.c.head).where(_blobs.c.run_id == run_id, _blobs.c.hash.in_(hashes))
    return {row.hash: row.head for row in db.execute(query)}


def payload_text(db: Connection, run_id: str, seq: int) -> str | None:
    """The payload of an entry as JSON text, whole; None when the entry has none, or is not there."""
    text = _payload(db, run_id, seq)
    splices = []
    while (splice := splice_of(text)) is not None:
        splices.append(splice)
        text = _payload(db, run_id, splice.of)
    for splice in reversed(splices):
        text = splice.applied(text or "")
    return text


def _payload(db: Connection, run_id: str, seq: int) -> str | None:
    query = select(_entries.c.payload).where(_entries.c.run_id == run_id, _entries.c.seq == seq)
    return whole(db, run_id, db.execute(query).scalar())
