"""Retry policies: how long to wait before a failed step is tried again."""

from __future__ import annotations

from typing import Protocol


class RetryPolicy(Protocol):
    """Decides about a failed step.

    `next` gets the seconds since the first failure, how many attempts failed before this one (0 for the first) and the
    error; it returns the seconds to wait before the next attempt, or None to give up.
    """

    def next(self, elapsed_time: float, attempts: int, error: Exception) -> float | None: ...


class ConstantDelayRetryPolicy:
    """Retries at most `maximum_attempts` times, `delay` seconds apart."""

    def __init__(self, maximum_attempts: int = 3, delay: float = 5) -> None:
        self.maximum_attempts = maximum_attempts
        self.delay = delay

    def next(self, elapsed_time: float, attempts: int, error: Exception) -> float | None:
        return self.delay if attempts < self.maximum_attempts else None
