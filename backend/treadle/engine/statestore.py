"""The state store: the state of a run by dotted paths, as a typed object, and for edits nobody gets in between of."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields, is_dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

from pydantic import BaseModel

from treadle.engine.serializers import model_fields
from treadle.engine.state import MISSING, Delivery

S = TypeVar("S")


class Keeper(Protocol):
    """What keeps the values: the loop of a run, or a context no run has yet."""

    @property
    def state_type(self) -> type | None: ...
    def context_values(self) -> dict[str, Any]: ...
    def lend(self, key: str, value: Any, delivery: Delivery) -> None: ...
    def edit_lock(self) -> asyncio.Lock: ...
    def change_context(self, key: str, value: Any, *, delivery: Delivery | None) -> None: ...
    def remove_context(self, key: str, *, delivery: Delivery | None) -> None: ...


class DictState(dict[str, Any]):
    """State without a declared type: a dict whose entries also read and write as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"The state has no {name!r}; it has {', '.join(self) or 'nothing'}.") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]


class StateStore(Generic[S]):
    """Reads and writes the same state as `ctx.get` and `ctx.set`."""

    __slots__ = ("_delivery", "_keeper")

    def __init__(self, keeper: Keeper, delivery: Delivery | None = None) -> None:
        self._keeper = keeper
        self._delivery = delivery

    async def get(self, path: str, default: Any = MISSING) -> Any:
        """The value at `path`, e.g. "user.address.city" or "rows.0"; without it `default`, else ValueError."""
        value: Any
        values = value = self._keeper.context_values()
        for name in _parts(path, value):
            value = _member(value, name)
            if value is MISSING:
                if default is MISSING:
                    raise ValueError(f"Path '{path}' not found in the state: there is no '{name}'.")
                return default
        first = path if path in values else path.partition(".")[0]
        if self._delivery is not None and first in values:
            self._keeper.lend(first, values[first], self._delivery)
        return value

    async def set(self, path: str, value: Any) -> None:
        """Set the value at `path`; mappings on the way that are not there are made.

        Raises pydantic.ValidationError for a value that does not fit the declared state.
        """
        values = self._keeper.context_values()
        first, *rest = _parts(path, values)
        value = _with(values.get(first, MISSING), rest, value, path) if rest else value
        self._change(first, self._checked({first: value})[first])

    async def get_state(self) -> S:
        """The whole state: an instance of the declared type, else a dict with attributes. A copy: see `edit_state`."""
        return self._whole({key: _copy(value) for key, value in self._keeper.context_values().items()})

    async def set_state(self, state: S) -> None:
        """Replace the whole state. Raises pydantic.ValidationError for one that does not fit the declared one."""
        kind, after = self._kind, _fields(state)
        if kind is not None and not isinstance(state, kind):
            after = model_fields(kind.model_validate(after))
        self._write(after, dict(self._keeper.context_values()))

    @asynccontextmanager
    async def edit_state(self) -> AsyncIterator[S]:
        """Edit the whole state; other edits wait until this one ends, and one that raises changes nothing.

        What you edit is a copy of every container, model and dataclass in the state; other objects are themselves.
        Raises pydantic.ValidationError at the end of one that does not leave a state as declared, and changes nothing.
        """
        async with self._keeper.edit_lock():
            before = dict(self._keeper.context_values())
            state = self._whole({key: _copy(value) for key, value in before.items()})
            yield state
            self._write(_fields(state), before)

    async def clear(self) -> None:
        """Take everything out; a declared state goes back to its defaults."""
        self._write(_fields(self._whole({})), dict(self._keeper.context_values()))

    @property
    def _kind(self) -> type[BaseModel] | None:
        kind = self._keeper.state_type
        return kind if kind is not None and issubclass(kind, BaseModel) else None

    def _whole(self, values: dict[str, Any]) -> S:
        kind = self._kind
        if kind is None:
            return cast(S, DictState(values))
        values = {**model_fields(kind()), **values}
        if kind.model_config.get("extra") != "allow":
            values = {name: values[name] for name in kind.model_fields}
        return cast(S, kind.model_construct(**values))

    def _write(self, after: dict[str, Any], before: dict[str, Any]) -> None:
        changed = {key: value for key, value in after.items() if key not in before or not _same(before[key], value)}
        for key, value in self._checked(changed).items():
            self._change(key, value)
        for key in before:
            if key not in after and self._owns(key):
                self._keeper.remove_context(key, delivery=self._delivery)

    def _checked(self, changed: dict[str, Any]) -> dict[str, Any]:
        """The values as the declared state has them."""
        kind = self._kind
        if kind is None or kind.model_config.get("frozen"):
            return changed
        trial = kind.model_construct(**model_fields(cast(BaseModel, self._whole(self._keeper.context_values()))))
        for key in changed.keys() & kind.model_fields.keys():
            kind.__pydantic_validator__.validate_assignment(trial, key, changed[key])
        return {key: getattr(trial, key) if key in kind.model_fields else value for key, value in changed.items()}

    def _owns(self, key: str) -> bool:
        """Whether the whole state would have `key`; a typed one leaves what `ctx.set` put beside it alone."""
        return self._kind is None or key in self._kind.model_fields

    def _change(self, key: str, value: Any) -> None:
        self._keeper.change_context(key, value, delivery=self._delivery)


def _fields(state: Any) -> dict[str, Any]:
    return model_fields(state) if isinstance(state, BaseModel) else dict(state)


def _copy(value: Any, memo: dict[int, Any] | None = None) -> Any:
    """A copy of containers, models and dataclasses at any depth; what else is in them is shared: a client is one."""
    memo = {} if memo is None else memo
    if id(value) in memo:
        return memo[id(value)]
    if type(value) is tuple:
        return tuple(_copy(item, memo) for item in value)
    if not isinstance(value, dict | list | set | BaseModel) and (isinstance(value, type) or not is_dataclass(value)):
        return value
    made: Any = copy.copy(value)
    memo[id(value)] = made
    if isinstance(made, dict):
        made.update([(key, _copy(item, memo)) for key, item in made.items()])
    elif isinstance(made, list):
        made[:] = [_copy(item, memo) for item in made]
    elif isinstance(made, BaseModel):
        for held in (made.__dict__, made.__pydantic_extra__ or {}):
            held.update([(key, _copy(item, memo)) for key, item in held.items()])
    elif not isinstance(made, set):
        for field in fields(made):
            object.__setattr__(made, field.name, _copy(getattr(made, field.name), memo))
    return made


def _same(before: Any, after: Any) -> bool:
    if before is after and isinstance(before, str | int | float | bool | bytes | tuple | frozenset | None):
        return True
    try:
        return type(before) is type(after) and before is not after and bool(before == after)
    except Exception:  # noqa: BLE001 - an `__eq__` may raise anything
        return False


def _parts(path: str, values: dict[str, Any]) -> list[str]:
    return [path] if path in values else path.split(".")


def _member(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name, MISSING)
    if isinstance(value, list | tuple):
        index = int(name) if name.lstrip("-").isdigit() else len(value)
        return value[index] if -len(value) <= index < len(value) else MISSING
    return getattr(value, name, MISSING)


def _with(holder: Any, names: list[str], value: Any, path: str) -> Any:
    """`holder` with `value` at the place `names`: a copy along the way, so that an undone write brings the old back."""
    name, *rest = names
    inner = _with(_member(holder, name) if holder is not MISSING else MISSING, rest, value, path) if rest else value
    if holder is MISSING or holder is None:
        return {name: inner}
    if isinstance(holder, dict):
        return {**holder, name: inner}
    if isinstance(holder, list):
        if _member(holder, name) is MISSING:
            raise ValueError(f"Path '{path}' cannot be set: the list has no place '{name}'.")
        changed = list(holder)
        changed[int(name)] = inner
        return changed
    if isinstance(holder, BaseModel):
        return holder.model_copy(update={name: inner})
    raise ValueError(f"Path '{path}' cannot be set: a {type(holder).__name__} has no fields to set.")
