"""Nudges: datagrams between the processes of one machine. Lost, doubled or reordered they cost time, never work."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable
from pathlib import Path


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

    def send(self, topics: Iterable[str]) -> None:
        """Tell the others to look at `topics`; who does not listen finds out by itself."""
        data = "\n".join(list(topics)[:100]).encode()
        for path in self._folder.glob(self._pattern):
            with contextlib.suppress(OSError):
                self._socket.sendto(data, str(path))

    def close(self) -> None:
        self._socket.close()
