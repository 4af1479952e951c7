"""Retry policies: Treadle's own, and whatever else has a `next`."""

from __future__ import annotations

import inspect
import random
from fractions import Fraction

import pytest

from treadle import WorkflowRuntimeError
from treadle.engine.retry import ConstantDelayRetryPolicy, ExponentialBackoffRetryPolicy, RetryPolicy, next_delay

ERROR = OSError("no")


def delays(policy: RetryPolicy, *, seed: int = 1) -> list[float]:
    """The delays before each retry, until the policy gives up."""
    found: list[float] = []
    while (delay := next_delay(policy, elapsed=0.0, failed=len(found), error=ERROR, seed=seed)) is not None:
        found.append(delay)
        assert len(found) < 100, "it never gives up"
    return found


def test_constant_delay_retries_as_often_as_it_says():
    assert delays(ConstantDelayRetryPolicy(delay=5, maximum_attempts=10)) == [5] * 10
    assert delays(ConstantDelayRetryPolicy(2, 0.5)) == [0.5, 0.5]
    assert delays(ConstantDelayRetryPolicy(maximum_attempts=0)) == []


def test_exponential_backoff_doubles_up_to_its_longest_delay():
    policy = ExponentialBackoffRetryPolicy(
        initial_delay=1, multiplier=2, max_delay=10, maximum_attempts=6, jitter=False
    )
    assert delays(policy) == [1, 2, 4, 8, 10, 10]


def test_exponential_backoff_outlives_the_largest_number():
    policy = ExponentialBackoffRetryPolicy(maximum_attempts=10_000, multiplier=10.0, jitter=False)
    assert next_delay(policy, elapsed=0.0, failed=9_999, error=ERROR, seed=1) == 60


def test_jitter_spreads_each_delay_and_repeats_for_the_same_attempt():
    policy = ExponentialBackoffRetryPolicy(initial_delay=1, max_delay=10, maximum_attempts=6)
    spread = delays(policy, seed=7)
    assert all(0 <= delay <= most for delay, most in zip(spread, [1, 2, 4, 8, 10, 10], strict=True))
    assert spread == delays(policy, seed=7)
    assert spread != delays(policy, seed=8)


def test_policies_are_recognised_by_their_method():
    class Own:
        def next(self, elapsed_time: float, attempts: int, error: Exception) -> float | None: ...

    assert isinstance(Own(), RetryPolicy)
    assert isinstance(ConstantDelayRetryPolicy(), RetryPolicy)
    assert not isinstance(object(), RetryPolicy)


def test_policy_is_told_what_happened_so_far():
    told = []

    class Watching:
        def next(self, elapsed_time, attempts, error):
            told.append((elapsed_time, attempts, error))

    next_delay(Watching(), elapsed=0.0, failed=0, error=ERROR, seed=3)
    next_delay(Watching(), elapsed=1.5, failed=1, error=ERROR, seed=4)
    assert told == [(0.0, 0, ERROR), (1.5, 1, ERROR)]


def test_policy_with_a_seed_counts_from_one():
    told = []

    class Seeded:
        def next(self, elapsed_time, attempts, error, *, seed=None):
            told.append((attempts, seed))
            return random.Random(seed).random()

    first = next_delay(Seeded(), elapsed=0.0, failed=0, error=ERROR, seed=11)
    assert first == next_delay(Seeded(), elapsed=0.0, failed=0, error=ERROR, seed=11)
    assert told == [(1, 11), (1, 11)]


def test_policy_may_be_made_of_anything_with_a_next():
    class Made:
        def __init__(self):
            self.next = lambda elapsed, attempts, error: 0.25 if attempts < 2 else None

    assert delays(Made()) == [0.25, 0.25]


def test_signature_of_a_policy_is_looked_at_once(monkeypatch):
    looked = []

    class Cheap:
        def next(self, elapsed_time, attempts, error):
            return 0

    signature = inspect.signature
    monkeypatch.setattr(inspect, "signature", lambda *a, **k: looked.append(a) or signature(*a, **k))
    policy = Cheap()
    for failed in range(5):
        next_delay(policy, elapsed=0.0, failed=failed, error=ERROR, seed=0)
    assert len(looked) == 1


class Answering:
    """Says the same, whatever happens."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def next(self, elapsed_time, attempts, error):
        return self.answer


@pytest.mark.parametrize("answer", ["soon", True, False, -1, float("nan"), float("inf"), [5]])
def test_answer_that_is_no_number_of_seconds_is_told(answer):
    with pytest.raises(WorkflowRuntimeError, match=r"policy Answering returned .* from next\(\): return the seconds"):
        next_delay(Answering(answer), elapsed=0.0, failed=0, error=ERROR, seed=0)


def test_answer_of_a_coroutine_function_is_told():
    class Asynchronous:
        async def next(self, elapsed_time, attempts, error):
            return 1

    with pytest.raises(WorkflowRuntimeError, match="policy Asynchronous returned <coroutine"):
        next_delay(Asynchronous(), elapsed=0.0, failed=0, error=ERROR, seed=0)


@pytest.mark.parametrize(("answer", "seconds"), [(0, 0), (5, 5), (0.5, 0.5), (Fraction(1, 4), 0.25), (None, None)])
def test_every_other_number_is_taken(answer, seconds):
    delay = next_delay(Answering(answer), elapsed=0.0, failed=0, error=ERROR, seed=0)
    assert delay == seconds
    assert isinstance(delay, int | float | None)


def test_error_of_the_policy_itself_comes_through():
    class Broken:
        def next(self, elapsed_time, attempts, error):
            raise LookupError("no such delay")

    with pytest.raises(LookupError, match="no such delay"):
        next_delay(Broken(), elapsed=0.0, failed=0, error=ERROR, seed=0)
