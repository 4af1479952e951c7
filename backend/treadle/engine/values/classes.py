"""Classes by name: told when a value is stored, found again among the loaded modules when it is read.

Nothing is imported, and no attribute is asked for that might import: a name leads only through plain namespaces.
"""

from __future__ import annotations

import re
import sys
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

_HEAP = 1 << 9
"""Set in the flags of a class that a class statement made, not an extension module."""
_NONE = "types:NoneType"
_LOADED = re.compile("_treadle_(.+)_[0-9a-f]{8}")
"""The module of a workflow's file, which has a name that nobody imports."""


def class_ref(kind: Any) -> Any:
    """The name of a class as JSON, None when it could not be found again by it.

    It is "module:qualified name"; of a generic model with arguments, and of an argument like `list[int]`, the list of
    the generic's name and those of its arguments.
    """
    if kind is NoneType:
        return _NONE
    if isinstance(kind, type):
        generic = getattr(kind, "__pydantic_generic_metadata__", None) if issubclass(kind, BaseModel) else None
        if generic is not None and generic["origin"] is not None:
            return _refs(generic["origin"], generic["args"])
        ref = f"{kind.__module__}:{kind.__qualname__}"
        return ref if _found(ref) is kind else None
    origin = get_origin(kind)
    if origin is Union or origin is UnionType:
        return _refs(Union, get_args(kind))
    return _refs(origin, get_args(kind)) if isinstance(origin, type) else None


def loaded_class(ref: Any) -> Any:
    """What `class_ref` named, None when there is no such class in a loaded module."""
    if isinstance(ref, str):
        return NoneType if ref == _NONE else _found(ref)
    generic, *names = ref
    arguments = tuple(loaded_class(name) for name in names)
    if None in arguments:
        return None
    found: Any = Union if generic == "|" else _found(generic)
    return found[arguments] if found is not None else None


def native_base(kind: type) -> type:
    """The class under `kind` that no class statement made: `object`, or what holds a value of its own."""
    return next(base for base in kind.__mro__ if not base.__flags__ & _HEAP)


def name_of(ref: Any) -> str:
    """A class as people read it."""
    if isinstance(ref, type):
        ref = f"{ref.__module__}:{ref.__qualname__}"
    if isinstance(ref, str):
        module, _, name = ref.rpartition(":")
        loaded = _LOADED.fullmatch(module)
        return f"{loaded[1] if loaded else module}.{name}" if module else name
    generic, *names = ref
    return f"{name_of(generic)}[{', '.join(map(name_of, names))}]"


def _refs(generic: Any, arguments: tuple[Any, ...]) -> list[Any] | None:
    refs = ["|" if generic is Union else class_ref(generic), *map(class_ref, arguments)]
    return None if None in refs else refs


def _found(ref: str) -> type | None:
    module, _, names = ref.partition(":")
    found: Any = sys.modules.get(module)
    for name in names.split("."):
        found = getattr(found, "__dict__", {}).get(name)
    return found if isinstance(found, type) else None
