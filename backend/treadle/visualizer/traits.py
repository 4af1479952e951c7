"""Tell in a word what else a step's declaration says: what it asks for, how it is tried again, what it catches."""

from __future__ import annotations

import inspect
from typing import Any

from treadle.engine.retry import ConstantDelayRetryPolicy, ExponentialBackoffRetryPolicy
from treadle.engine.steps import StepSpec
from treadle.visualizer.graph import Trait


def traits_of(spec: StepSpec) -> tuple[Trait, ...]:
    """The traits of a step: what it waits for and asks for first."""
    found = _collecting(spec)
    found += [
        Trait("resource", name, f"Asks for {name}, a resource made by {resource.name}.")
        for name, resource in spec.signature.resources
    ]
    if spec.retry_policy is not None:
        found.append(_retry(spec.retry_policy))
    if spec.at_most_once:
        found.append(Trait("once", "once", "Is not tried again after a crash that may have come in the middle of it."))
    if spec.is_catcher:
        which = "of every step that no other one is for" if spec.catches is None else f"of {', '.join(spec.catches)}"
        found.append(Trait("catches", "catches", f"Catches the errors {which}."))
    return tuple(found)


def _collecting(spec: StepSpec) -> list[Trait]:
    """A step collects events if it has several event parameters, or if its code names collect_events."""
    if spec.signature.is_join:
        kinds = ", ".join(" or ".join(kind.__name__ for kind in accepted) for _, accepted in spec.signature.events)
        return [Trait("collects", "joins", f"Starts when there is one of each: {kinds}.")]
    code = getattr(inspect.unwrap(spec.function), "__code__", None)
    if code is not None and "collect_events" in code.co_names:
        return [Trait("collects", "collects", "Collects several events before it goes on.")]
    return []


def _retry(policy: Any) -> Trait:
    most = getattr(policy, "maximum_attempts", None)
    if not isinstance(most, int):
        return Trait("retry", "retries", f"Is tried again as {type(policy).__name__} decides.")
    if isinstance(policy, ConstantDelayRetryPolicy):
        when = f", {policy.delay:g} s apart"
    elif isinstance(policy, ExponentialBackoffRetryPolicy):
        when = f", first after {policy.initial_delay:g} s, then each time {policy.multiplier:g} times as long"
    else:
        when = f", as {type(policy).__name__} decides"
    text = "1 retry" if most == 1 else f"{most} retries"
    return Trait("retry", text, f"Is tried again up to {most} times when it fails{when}.")
