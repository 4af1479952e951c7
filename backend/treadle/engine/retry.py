"""Retry policies: how long to wait before a failed step is tried again."""

from __future__ import annotations

import inspect
import math
import random
import zlib
from functools import lru_cache
from numbers import Real
from typing import Any, Protocol, runtime_checkable

from treadle.errors import WorkflowRuntimeError


@runtime_checkable
class RetryPolicy(Protocol):
    """Decides about a failed step. Any object with this method is a policy.

    `next` gets the seconds since the first failure, how many attempts failed before this one (0 for the first) and the
    error; it returns the seconds to wait before the next attempt, or None to give up.

    A `next` that also has a parameter `seed` gets a number that is the same whenever the same attempt is decided about,
    and counts this failure too (1 for the first), as policies written for LlamaIndex Workflows 2 expect.

    >>> from treadle import StartEvent, StopEvent, Workflow, step
    >>> class TwiceForTimeouts:
    ...     def next(self, elapsed_time: float, attempts: int, error: Exception) -> float | None:
    ...         return 0.5 if isinstance(error, TimeoutError) and attempts < 2 else None
    >>> class Fetch(Workflow):
    ...     @step(retry_policy=TwiceForTimeouts())
    ...     async def fetch(self, ev: StartEvent) -> StopEvent:
    ...         return StopEvent()
    """

    def next(self, elapsed_time: float, attempts: int, error: Exception) -> float | None: ...


class ConstantDelayRetryPolicy:
    """Retries at most `maximum_attempts` times, `delay` seconds apart."""

    def __init__(self, maximum_attempts: int = 3, delay: float = 5) -> None:
        self.maximum_attempts = maximum_attempts
        self.delay = delay

    def next(self, elapsed_time: float, attempts: int, error: Exception) -> float | None:
        """The delay, or None once `attempts` retries have failed."""
        return self.delay if attempts < self.maximum_attempts else None


class ExponentialBackoffRetryPolicy:
    """Retries at most `maximum_attempts` times, each time after a longer delay.

    The first delay is `initial_delay` seconds, each further one `multiplier` times as long, up to `max_delay`. With
    `jitter` a delay is anything between 0 and that, so that steps which failed together do not come back together.

    >>> policy = ExponentialBackoffRetryPolicy(initial_delay=1, multiplier=2, max_delay=5, jitter=False)
    >>> [policy.next(0, attempt, OSError()) for attempt in range(1, 7)]
    [1, 2, 4, 5, 5, None]
    """

    def __init__(
        self,
        maximum_attempts: int = 5,
        initial_delay: float = 1,
        multiplier: float = 2,
        max_delay: float = 60,
        jitter: bool = True,
    ) -> None:
        self.maximum_attempts = maximum_attempts
        self.initial_delay = initial_delay
        self.multiplier = multiplier
        self.max_delay = max_delay
        self.jitter = jitter

    def next(self, elapsed_time: float, attempts: int, error: Exception, *, seed: int | None = None) -> float | None:
        """The delay after the failure number `attempts` (1 for the first), or None after the last retry's."""
        if attempts > self.maximum_attempts:
            return None
        try:
            delay = min(self.initial_delay * self.multiplier ** max(attempts - 1, 0), self.max_delay)
        except OverflowError:
            delay = self.max_delay
        return random.Random(seed).uniform(0, delay) if self.jitter else delay  # noqa: S311 - spreads, hides nothing


def next_delay(policy: RetryPolicy, *, elapsed: float, failed: int, error: Exception, seed: int) -> float | None:
    """The seconds until the next attempt as `policy` decides, None to give up.

    `elapsed` are the seconds since the first failure, `failed` counts the failed attempts before this one.
    Raises WorkflowRuntimeError for an answer that is neither; what the policy itself raises comes through.
    """
    decide: Any = policy.next
    if _takes_seed(getattr(decide, "__func__", decide)):
        delay = decide(elapsed, failed + 1, error, seed=seed)
    else:
        delay = decide(elapsed, failed, error)
    if delay is None:
        return None
    number = isinstance(delay, Real) and not isinstance(delay, bool)
    if not number or not math.isfinite(delay) or delay < 0:
        if inspect.iscoroutine(delay):
            delay.close()
        raise WorkflowRuntimeError(
            f"The retry policy {type(policy).__name__} returned {delay!r} from next(): return the seconds to wait, a "
            "number from 0 on, or None to give up."
        )
    return delay if isinstance(delay, int) else float(delay)


@lru_cache(maxsize=256)
def _takes_seed(function: Any) -> bool:
    try:
        return "seed" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # a callable that does not tell
        return False


def decided(
    policy: RetryPolicy, *, elapsed: float, failed: int, error: Exception, name: str
) -> tuple[float | None, Exception]:
    """What `policy` says of an attempt called `name`, and the error it failed with: its own where it raises one."""
    try:
        delay = next_delay(policy, elapsed=elapsed, failed=failed, error=error, seed=zlib.crc32(name.encode()))
    except Exception as broken:  # noqa: BLE001 - a policy may raise anything
        broken.__context__ = error
        return None, broken
    return delay, error
