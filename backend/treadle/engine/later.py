"""Later: a value that is read when somebody needs it, if anybody does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Later:
    """Stands for what `read` gives, always the same once it was read. Raises what `read` raises."""

    __slots__ = ("_known", "_read")

    def __init__(self, read: Callable[[], Any]) -> None:
        self._read: Callable[[], Any] | None = read
        self._known: Any = None

    @property
    def value(self) -> Any:
        """The value."""
        if self._read is not None:
            self._known = self._read()
            self._read = None
        return self._known


def read_now(value: Any) -> Any:
    """The value itself, whether it was there or was to be read later."""
    return value.value if type(value) is Later else value
