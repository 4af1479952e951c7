"""Treadle: an event-driven workflow engine. This is its public face."""

from __future__ import annotations

from treadle.drawing import draw_all_possible_flows, draw_most_recent_execution
from treadle.engine.context import Context
from treadle.engine.events import (
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StepFailedEvent,
    StopEvent,
    WorkflowCancelledEvent,
    WorkflowFailedEvent,
    WorkflowTimedOutEvent,
)
from treadle.engine.handler import WorkflowHandler
from treadle.engine.resource import Resource
from treadle.engine.retry import ConstantDelayRetryPolicy, ExponentialBackoffRetryPolicy, RetryPolicy
from treadle.engine.steps import catch_error, step
from treadle.engine.workflow import Workflow
from treadle.errors import (
    TreadleError,
    WorkflowCancelledByUser,
    WorkflowRuntimeError,
    WorkflowTimeoutError,
    WorkflowValidationError,
)

__version__ = "0.1.0"

__all__ = [
    "ConstantDelayRetryPolicy",
    "Context",
    "Event",
    "ExponentialBackoffRetryPolicy",
    "HumanResponseEvent",
    "InputRequiredEvent",
    "Resource",
    "RetryPolicy",
    "StartEvent",
    "StepFailedEvent",
    "StopEvent",
    "TreadleError",
    "Workflow",
    "WorkflowCancelledByUser",
    "WorkflowCancelledEvent",
    "WorkflowFailedEvent",
    "WorkflowHandler",
    "WorkflowRuntimeError",
    "WorkflowTimedOutEvent",
    "WorkflowTimeoutError",
    "WorkflowValidationError",
    "catch_error",
    "draw_all_possible_flows",
    "draw_most_recent_execution",
    "step",
]
