"""Objects: instances of classes that programs define, written by class name and parts, and put together again.

No code of the class runs: neither its constructor nor a validator. A class of today that does not fit the parts of
yesterday is an error, but for fields that are new and have a default.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from pydantic import AnyUrl, BaseModel, RootModel
from pydantic_core import PydanticUndefined

from treadle.engine.events import StepFailedEvent, WorkflowFailedEvent
from treadle.engine.values.classes import name_of, native_base
from treadle.engine.values.coding import TAG, Read, Reader, Unreadable, Writer, recorded
from treadle.engine.values.forms import WRITE

_BASES: dict[type, Callable[[Any], Any]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    tuple: lambda value: tuple.__getitem__(value, slice(None)),
    list: lambda value: list.__getitem__(value, slice(None)),
    dict: dict.copy,
    set: lambda value: {*set.__iter__(value)},
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
}
"""What classes may be made of, and how to get at the value of that kind that an instance holds."""
_FILL: dict[type, Callable[[Any, Any], None]] = {list: list.extend, dict: dict.update, set: set.update}


def write_object(writer: Writer, value: Any, depth: int) -> Any:
    """The form of an instance of any class. Raises ValueNotStorable."""
    kind = type(value)
    if isinstance(value, enum.Enum):
        if value._name_ in kind.__members__:
            return {TAG: "enum", "c": writer.class_of(value, depth), "v": value._name_}
        if isinstance(value, enum.Flag):
            return {TAG: "flag", "c": writer.class_of(value, depth), "v": value._value_}
    elif isinstance(value, BaseModel):
        return {TAG: "model", "c": writer.class_of(value, depth), **write_model(writer, value, depth)}
    elif isinstance(value, AnyUrl):
        return {TAG: "url", "c": writer.class_of(value, depth), "v": writer.encode(str(value), depth)}
    else:
        base = native_base(kind)
        if base is object and dataclasses.is_dataclass(value):
            return {TAG: "dataclass", "c": writer.class_of(value, depth), **_dataclass(writer, value, depth)}
        if base in _BASES:
            return _derived(writer, value, base, depth)
    raise writer.problem(value, depth, *_advice(value))


def write_model(writer: Writer, value: BaseModel, depth: int) -> dict[str, Any]:
    """The parts of a Pydantic model: its fields as `v`, and whatever is not as the constructor leaves it."""
    fields, extra = value.__dict__, value.__pydantic_extra__
    declared = type(value).__pydantic_fields__
    parts: dict[str, Any] = {}
    if fields.keys() != declared.keys():
        fields = {name: item for name, item in fields.items() if not _is_cache(type(value), name)}
        if strange := sorted(fields.keys() - declared.keys()):
            names = ", ".join(strange)
            raise writer.problem(value, depth, f"with {names} set beside its fields", f"declare {names} as fields")
        if absent := [name for name in declared if name not in fields]:
            parts["absent"] = absent
    if extra:
        fields = {**fields, **extra}
    if "exception" in fields and isinstance(value, StepFailedEvent | WorkflowFailedEvent):
        fields = {**fields, "exception": recorded(fields["exception"])}
    parts["v"] = writer.items(fields, value, depth)
    if value.__pydantic_fields_set__ != fields.keys():
        parts["set"] = sorted(value.__pydantic_fields_set__)
    if value.__pydantic_private__:
        parts["private"] = writer.items(value.__pydantic_private__, value, depth)
    return parts


def read_model(kind: type[BaseModel], fields: dict[str, Any], parts: Mapping[str, Any], reader: Reader) -> Any:
    """The model with `fields`, and with the further `parts` that `write_model` made."""
    declared = kind.__pydantic_fields__
    allows_extra = kind.model_config.get("extra") == "allow"
    own, extra = fields, {}
    if fields.keys() != declared.keys():
        if declared:
            own = {name: item for name, item in fields.items() if name in declared}
            extra = {name: item for name, item in fields.items() if name not in declared}
        else:
            own, extra = {}, fields
        if extra and not allows_extra:
            raise _gone(kind, extra)
        if len(own) < len(declared):
            own = _with_defaults(kind, own, parts.get("absent", ()))
    model: Any = object.__new__(kind)
    object.__setattr__(model, "__dict__", own)
    object.__setattr__(model, "__pydantic_fields_set__", set(parts.get("set", fields)))
    if not issubclass(kind, RootModel):  # which has neither of these
        object.__setattr__(model, "__pydantic_extra__", extra if allows_extra else None)
        object.__setattr__(model, "__pydantic_private__", _private(kind, parts, reader))
    return model


def _with_defaults(kind: type[BaseModel], own: dict[str, Any], absent: Collection[str]) -> dict[str, Any]:
    """The fields in their order, with those that are new; `absent` were not there when it was written either."""
    fields: dict[str, Any] = {}
    for name, field in kind.__pydantic_fields__.items():
        if name in own:
            fields[name] = own[name]
        elif name not in absent:
            if field.is_required():
                raise _new(kind, name)
            fields[name] = field.get_default(call_default_factory=True, validated_data=fields)
    return fields


def _private(kind: type[BaseModel], parts: Mapping[str, Any], reader: Reader) -> dict[str, Any] | None:
    stored = parts.get("private", {})
    declared = kind.__private_attributes__
    if lost := [name for name in stored if name not in declared]:
        raise _gone(kind, lost)
    if not declared:
        return None
    values = reader.items(stored)
    for name, attribute in declared.items():
        if name not in values and (default := attribute.get_default()) is not PydanticUndefined:
            values[name] = default
    return values


def _dataclass(writer: Writer, value: Any, depth: int) -> dict[str, Any]:
    beside = _attributes(value)
    fields, absent = {}, []
    for field in dataclasses.fields(value):
        if field.name in beside:
            fields[field.name] = beside.pop(field.name)
        elif hasattr(value, field.name):  # a default that nobody set is an attribute of the class
            fields[field.name] = getattr(value, field.name)
        else:
            absent.append(field.name)
    parts: dict[str, Any] = {"v": writer.items(fields, value, depth)}
    if absent:
        parts["absent"] = absent
    if beside:
        parts["x"] = writer.items(beside, value, depth)
    return parts


def _read_dataclass(reader: Reader, data: Mapping[str, Any]) -> Any:
    kind: type = _class(reader, data["c"], object)
    if not dataclasses.is_dataclass(kind):
        raise Unreadable(f"is a {name_of(data['c'])}, which is no dataclass any more; make it one again")
    values = reader.items(data["v"])
    declared = {field.name: field for field in dataclasses.fields(kind)}
    if lost := [name for name in values if name not in declared]:
        raise _gone(kind, lost)
    for name, field in declared.items():
        if name not in values and name not in data.get("absent", ()):
            if field.default is not dataclasses.MISSING:
                values[name] = field.default
            elif field.default_factory is not dataclasses.MISSING:
                values[name] = field.default_factory()
            else:
                raise _new(kind, name)
    return _with_attributes(object.__new__(kind), {**values, **reader.items(data.get("x", {}))})


def _derived(writer: Writer, value: Any, base: type, depth: int) -> dict[str, Any]:
    """An instance of a class made of `base`: the value it holds, and its attributes."""
    ref = writer.class_of(value, depth)
    attributes = _attributes(value)
    names = getattr(type(value), "_fields", None)
    if base is tuple and isinstance(names, tuple) and not attributes:
        fields = dict(zip(names, tuple.__iter__(value), strict=True))
        return {TAG: "namedtuple", "c": ref, "v": writer.items(fields, value, depth)}
    form = {TAG: "derived", "c": ref, "v": writer.encode_held(_BASES[base](value), value, depth)}
    if attributes:
        form["x"] = writer.items(attributes, value, depth)
    return form


def _read_derived(reader: Reader, data: Mapping[str, Any]) -> Any:
    held = reader.decode(data["v"])
    base: Any = type(held)
    kind: Any = _class(reader, data["c"], base)
    if base not in _BASES or native_base(kind) is not base:
        raise Unreadable(f"is a {name_of(data['c'])}, which is made of something else now")
    new: Any = base.__new__
    fill = _FILL.get(base)
    made = new(kind) if fill is not None else new(kind, held)
    if fill is not None:
        fill(made, held)
    return _with_attributes(made, reader.items(data.get("x", {})))


def _read_namedtuple(reader: Reader, data: Mapping[str, Any]) -> Any:
    kind = _class(reader, data["c"], tuple)
    values = reader.items(data["v"])
    if lost := [name for name in values if name not in kind._fields]:
        raise _gone(kind, lost)
    for name in kind._fields:
        if name not in values and name not in kind._field_defaults:
            raise _new(kind, name)
    return tuple.__new__(kind, [values[n] if n in values else kind._field_defaults[n] for n in kind._fields])


def _read_enum(reader: Reader, data: Mapping[str, Any]) -> Any:
    kind = _class(reader, data["c"], enum.Enum)
    if data["v"] not in kind.__members__:
        raise Unreadable(f"is {name_of(data['c'])}.{data['v']}, which is gone; put it back")
    return kind[data["v"]]


def _read_model(reader: Reader, data: Mapping[str, Any]) -> Any:
    return read_model(_class(reader, data["c"], BaseModel), reader.items(data["v"]), data, reader)


def _class(reader: Reader, ref: Any, base: type) -> Any:
    kind = reader.class_named(ref)
    if not isinstance(kind, type) or not issubclass(kind, base):
        raise Unreadable(f"is a {name_of(ref)}, which is no {base.__name__} any more")
    return kind


def _gone(kind: type, names: Iterable[str]) -> Unreadable:
    return Unreadable(f"has {', '.join(names)}, which its class {name_of(kind)} no longer has; put it back")


def _new(kind: type, name: str) -> Unreadable:
    return Unreadable(f"lacks {name}, which its class {name_of(kind)} did not have then; give it a default")


def _attributes(value: Any) -> dict[str, Any]:
    """What an instance has in its `__dict__` and slots, without what its class makes again when asked."""
    kind = type(value)
    found = {
        name: item
        for name, item in getattr(value, "__dict__", {}).items()
        if name != "__orig_class__" and not _is_cache(kind, name)
    }
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            name = f"_{base.__name__.lstrip('_')}{slot}" if slot.startswith("__") and not slot.endswith("__") else slot
            with contextlib.suppress(AttributeError):
                if name not in ("__dict__", "__weakref__"):
                    found[name] = object.__getattribute__(value, name)
    return found


def _with_attributes(made: Any, attributes: Mapping[str, Any]) -> Any:
    for name, item in attributes.items():
        object.__setattr__(made, name, item)
    return made


def _is_cache(kind: type, name: str) -> bool:
    return any(isinstance(base.__dict__.get(name), functools.cached_property) for base in kind.__mro__)


def _advice(value: Any) -> tuple[str, str]:
    """What is wrong with a value of a kind that has no form, and what to do about it."""
    kind = type(value)
    if isinstance(value, BaseException):
        return "an exception, of which nothing can be made again", "keep str(error), or a RecordedError, instead"
    if kind.__module__.partition(".")[0] in ("numpy", "torch", "jax", "jaxlib", "pandas", "polars"):
        if hasattr(value, "tolist"):
            return "which has no exact form on disk", "keep what its tolist() returns"
        return "which has no exact form on disk", "keep a list, a dict, or the path of a file instead"
    if hasattr(value, "__await__"):
        return "which has not been awaited", "await it and keep the result"
    if hasattr(value, "__next__"):
        return "which can be read only once", "keep list(...) of it"
    base = native_base(kind)
    if base in WRITE and base is not kind:
        return "which may keep more than can be seen", f"make a {base.__name__} of it, or a dict of what it has"
    resource = f"Annotated[{kind.__name__}, Resource(factory)]"
    remedy = f"make it a resource of the step, {resource}, or keep what it is built from"
    return "which has no exact form on disk", remedy


READ: dict[str, Read] = {
    "enum": _read_enum,
    "flag": lambda reader, data: _class(reader, data["c"], enum.Flag)(data["v"]),
    "model": _read_model,
    "url": lambda reader, data: _class(reader, data["c"], AnyUrl)(reader.decode(data["v"])),
    "dataclass": _read_dataclass,
    "namedtuple": _read_namedtuple,
    "derived": _read_derived,
}
