"""Treadle: an event-driven workflow engine. This is its public face."""

from __future__ import annotations

from treadle.engine.context import Context
from treadle.engine.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent
from treadle.engine.handler import WorkflowHandler
from treadle.engine.retry import ConstantDelayRetryPolicy, RetryPolicy
from treadle.engine.steps import step
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
    "HumanResponseEvent",
    "InputRequiredEvent",
    "RetryPolicy",
    "StartEvent",
    "StopEvent",
    "TreadleError",
    "Workflow",
    "WorkflowCancelledByUser",
    "WorkflowHandler",
    "WorkflowRuntimeError",
    "WorkflowTimeoutError",
    "WorkflowValidationError",
    "step",
]
