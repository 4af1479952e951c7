"""Nudges: datagrams between the processes of one machine. Lost, doubled or reordered they cost time, never work."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

SETTLED = 1_000_000_000
"""Nanoseconds after which a folder that looks unchanged is unchanged."""


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[list[str]], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - asyncio's signature
        self._received(data.decode(errors="replace").split("\n"))


async def listen(path: Path, received: Callable[[list[str]], None]) -> asyncio.DatagramTransport:
    """Call `received` with the topics of every nudge that comes to the socket `path`."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Receiver(received), local_addr=str(path), family=socket.AF_UNIX
    )
    return transport


class Nudger:
    """Sends nudges to every socket of one kind in a folder, from any thread."""

    def __init__(self, folder: Path, pattern: str) -> None:
        self._folder = folder
        self._pattern = pattern
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._known: Mapping[str, str] = {}
        self._listed_at: int | None = None

    def send(self, topics: Iterable[str], *, to: str | None = None) -> None:
        """Tell the others to look at `topics`, or only who is called `to`; who does not listen finds out by itself."""
        data = "\n".join(list(topics)[:100]).encode()
        listening = self._listening()
        for path in listening.values() if to is None else filter(None, [listening.get(to)]):
            try:
                self._socket.sendto(data, path)
            except ConnectionRefusedError:  # whoever it was of has ended without a word
                with contextlib.suppress(OSError):
                    Path(path).unlink()
            except OSError:
                continue

    def listeners(self) -> Collection[str]:
        """What those are called that listen."""
        return self._listening().keys()

    def _listening(self) -> Mapping[str, str]:
        """The sockets in the folder by name, listed again when it has changed: every commit asks."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except OSError:
            return {}
        if changed != self._listed_at:
            before, after = map(len, self._pattern.split("*"))
            paths = self._folder.glob(self._pattern)
            self._known = {path.name[before : len(path.name) - after]: str(path) for path in paths}
            # Its clock is coarse: what has just changed may change once more and look the same.
            self._listed_at = changed if time.time_ns() - changed > SETTLED else None
        return self._known

    def close(self) -> None:
        self._socket.close()
