"""Clients: threads that ask a studio over HTTP, and ask again whenever nobody answers them."""

from __future__ import annotations

import contextlib
import http.client
import random
import threading
from collections.abc import Callable

from processes.serving import Answer, Serving

Work = Callable[[random.Random, int], None]


class OverError(Exception):
    """The campaign ended while somebody still asked."""


class Clients:
    """Some threads doing one kind of work each, until told to end; `broken` has what they should not have met."""

    def __init__(self, serving: Serving, *, seed: int, works: dict[Work, int]) -> None:
        self.broken: list[str] = []
        self.retries = 0
        self._serving = serving
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work, random.Random(f"{seed}/{work.__name__}/{n}"), n))
            for work, count in works.items()
            for n in range(count)
        ]

    def go(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def expect(self, true: bool, otherwise: str) -> None:
        if not true:
            self.broken.append(otherwise)

    def persist(self, method: str, path: str, body: object, headers: dict[str, str]) -> tuple[Answer, int]:
        """Ask until somebody answers; how many earlier tries may have been heard."""
        unsure = 0
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer = self._serving.ask(method, path, body, headers=headers)
                if answer.status < 500:
                    return answer, unsure
            unsure += 1
            self.retries += 1
            if self._over.wait(0.1):
                raise OverError

    def _guarded(self, work: Work, rng: random.Random, me: int) -> None:
        try:
            work(rng, me)
        except OverError:
            pass
        except Exception as error:
            self.broken.append(f"a client met {type(error).__name__}: {error}")
            raise
