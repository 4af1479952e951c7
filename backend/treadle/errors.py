"""Every error Treadle raises on purpose, as one tree; each names the thing and the way out.

TreadleError
├── WorkflowValidationError     the workflow cannot be run as written
├── WorkflowRuntimeError        a step did something the engine cannot carry on from
│   └── WorkflowStalledError    nothing is left to do and no StopEvent came
├── WorkflowTimeoutError        the run used up its active time, or met its deadline
├── WorkflowCancelledByUser     somebody cancelled the run
├── RunInterrupted              the run's worker died or lost its lease; the journal has the rest
├── RecordedError               a step's exception as the journal remembers it
├── ValueNotStorable            a value has no exact form on disk
│   └── LimitExceeded           it is nested too deep or too large to be kept
│       └── RunTooLarge         the whole run is
├── WorkflowFileError           a workflow file could not be loaded
├── WorkflowNotFound, RunNotFound, PromptNotFound, WorkflowsLoading
├── IdempotencyConflict, PromptAnswered, RunEnded, NotApplicable, InvalidFields
├── SettingsError, DatabaseInUse, ExtraMissing
└── DatabaseBusy, DatabaseFull, DatabaseFailed, DatabaseDamaged, BackupFailed, MigrationFailed
                                what the database or its disk refuses; they are made in treadle.store
"""

from __future__ import annotations

from typing import Self


class TreadleError(Exception):
    """The root; `code` names the kind for programs, `status` is its HTTP status."""

    code = "treadle_error"
    status = 500


class WorkflowValidationError(TreadleError):
    code = "workflow_invalid"
    status = 422


class WorkflowRuntimeError(TreadleError):
    code = "workflow_runtime"


class WorkflowStalledError(WorkflowRuntimeError):
    code = "workflow_stalled"


class WorkflowTimeoutError(TreadleError):
    code = "workflow_timeout"


class WorkflowCancelledByUser(TreadleError):  # noqa: N818 - the name LlamaIndex gave it
    code = "workflow_cancelled"


class RunInterrupted(TreadleError):  # noqa: N818 - a state, not a fault of the run
    code = "run_interrupted"


class RecordedError(TreadleError):
    """An exception of a step, read back from a journal: `type` is its class name, `message` its text."""

    code = "recorded_error"

    def __init__(self, type: str, message: str) -> None:  # noqa: A002 - the word an error's facts use
        super().__init__(f"{type}: {message}")
        self.type = type
        self.message = message


class ValueNotStorable(TreadleError):  # noqa: N818 - names the value, not the error
    """A value that cannot be stored, or not be read back: `path` leads to it, `kind` is its class."""

    code = "value_not_storable"

    def __init__(self, message: str, *, path: str = "", kind: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.kind = kind

    def in_(self, holder: str) -> Self:
        """The same, told of what the value is part of."""
        return type(self)(f"{holder}: {self}", path=self.path, kind=self.kind)


class LimitExceeded(ValueNotStorable):
    """A value is nested too deep, or what holds it is too large, to be kept; the step that made it fails."""

    code = "limit_exceeded"


class RunTooLarge(LimitExceeded):
    """A run has more entries, or more in them, than is kept of one run; it ends here."""

    code = "run_too_large"


class WorkflowFileError(TreadleError):
    """A workflow file could not be loaded; `file`, `line` and `trace` say where."""

    code = "workflow_file"

    def __init__(self, message: str, *, file: str, line: int | None = None, trace: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.trace = trace


class WorkflowNotFound(TreadleError):  # noqa: N818
    code = "workflow_not_found"
    status = 404

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no workflow named {name}; see /workflows for those that are loaded.")
        self.name = name


class WorkflowsLoading(TreadleError):  # noqa: N818
    """No worker has shown yet what it can run: asking again is right."""

    code = "workflows_loading"
    status = 503

    def __init__(self) -> None:
        super().__init__("No worker has loaded a workflow yet, so nothing was accepted; ask again in a moment.")


class RunNotFound(TreadleError):  # noqa: N818
    code = "run_not_found"
    status = 404

    def __init__(self, run_id: str) -> None:
        super().__init__(f"There is no run {run_id}; see /runs for those that are remembered.")
        self.run_id = run_id


class PromptNotFound(TreadleError):  # noqa: N818
    code = "prompt_not_found"
    status = 404

    def __init__(self, run_id: str, prompt_id: int) -> None:
        super().__init__(f"Run {run_id} raised no prompt {prompt_id}; see /inbox for those that wait.")
        self.run_id = run_id
        self.prompt_id = prompt_id


class IdempotencyConflict(TreadleError):  # noqa: N818
    code = "idempotency_conflict"
    status = 409

    def __init__(self, key: str, run_id: str) -> None:
        super().__init__(f"Idempotency-Key {key} already started run {run_id} with other input; use a new key.")
        self.key = key
        self.run_id = run_id


class PromptAnswered(TreadleError):  # noqa: N818
    """The prompt is closed; `at` is when (seconds since the epoch)."""

    code = "prompt_answered"
    status = 409

    def __init__(self, prompt_id: int, at: float | None) -> None:
        super().__init__(
            f"Prompt {prompt_id} was already answered; the first answer stands."
            if at is not None
            else f"Prompt {prompt_id} is closed: its run ended before anyone answered."
        )
        self.prompt_id = prompt_id
        self.at = at


class RunEnded(TreadleError):  # noqa: N818
    code = "run_ended"
    status = 409

    def __init__(self, run_id: str, run_status: str) -> None:
        super().__init__(f"Run {run_id} is already {run_status.replace('_', ' ')}; start a new run instead.")
        self.run_id = run_id
        self.run_status = run_status


class NotApplicable(TreadleError):  # noqa: N818
    """What was asked of a run makes no sense as it stands; the message says what does."""

    code = "not_applicable"
    status = 409


class InvalidFields(TreadleError):  # noqa: N818
    """The fields of an event do not fit its schema; `problems` maps field name to message."""

    code = "invalid_fields"
    status = 422

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {message}" for name, message in problems.items()))
        self.problems = problems


class SettingsError(TreadleError):
    code = "settings"


class ExtraMissing(TreadleError):  # noqa: N818 - names what is missing
    """Something needs an optional part of Treadle: `extra` is the name pip knows it by."""

    code = "extra_missing"
    status = 501

    def __init__(self, extra: str, what: str) -> None:
        super().__init__(f"{what} needs an optional part of Treadle: pip install 'treadle[{extra}]'.")
        self.extra = extra


class DatabaseInUse(TreadleError):  # noqa: N818
    code = "database_in_use"
