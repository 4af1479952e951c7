"""Runs that hypothesis chooses: what the steps do, when they yield, what comes from outside, how slow the disk is."""

from __future__ import annotations

import asyncio
import os
import selectors
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

T = TypeVar("T")
FACTOR = int(os.environ.get("TREADLE_EXAMPLES", "1"))
"""How many times as many examples as in CI: TREADLE_EXAMPLES=50 for an afternoon."""


def examples(count: int) -> Callable[[T], T]:
    """`count` examples (times FACTOR), each as long as it takes; a failing one prints how to have it again."""
    return settings(
        max_examples=count * FACTOR,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


class Hurried(asyncio.SelectorEventLoop):
    """An event loop of its own time, which jumps to the next timer when nothing is ready; a deadlock is an error."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self.seconds


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: Hurried) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("nothing is left to happen, and the run has not ended")
        self._loop.seconds += max(timeout, 0.0)
        return super().select(0)


def play(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main` on a hurried loop."""
    with asyncio.Runner(loop_factory=Hurried) as runner:
        return runner.run(main())


class Choices:
    """Numbers hypothesis chose, one after the other; then zeros, so that every run comes to its end."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = iter(numbers)

    def __call__(self, most: int) -> int:
        return next(self._numbers, 0) % (most + 1)


MOODS = ("plain", "once", "pair", "broken", "ask", "show and ask", "form", "poll", "note", "nest", "litter")
"""What becomes of a thread of Weave."""


@dataclass(frozen=True)
class Plan:
    """A run before it happens."""

    threads: list[tuple[str, int, int]]
    """Of each thread its mood, how often it goes round and how often it fails."""
    pauses: list[int]
    acts: list[tuple[str, int]]
    lags: list[int] | None
    skews: list[int]
    timeout: float | None = None


STEADY = ("hold", "release", "allow", "step", "answer", "signal", "nothing")
"""What may come from outside without changing what a run comes to."""
STEPPING = ("look", "look", "look", "release", "answer", "signal", "nothing")
"""What a caller does who runs a run step by step, looks at every event and sends it on."""
WILD = (*STEADY, "allow any", "look", "keep", "stray answer", "stray event", "set", "remove", "cancel", "stop")


def plans(acts: tuple[str, ...], *, threads: int = 4) -> st.SearchStrategy[Plan]:
    """Any run of Weave to which `acts` come from outside."""
    numbers = st.lists(st.integers(0, 5), max_size=40)
    return st.builds(
        Plan,
        threads=st.lists(
            st.tuples(st.sampled_from(MOODS), st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=threads
        ),
        pauses=numbers,
        acts=st.lists(st.tuples(st.sampled_from(acts), st.integers(0, 12)), max_size=12),
        lags=st.none() | numbers,
        skews=st.lists(st.sampled_from([0, 0, 0, 1, 5, -3]), max_size=8),
        timeout=st.none() | st.sampled_from([0.5, 2, 8]) if acts is WILD else st.none(),
    )
