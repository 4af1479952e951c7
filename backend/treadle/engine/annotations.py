"""Annotations: the type hints of a function, their names resolved where the function is written."""

from __future__ import annotations

import inspect
import sys
from collections import ChainMap
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from types import FrameType, SimpleNamespace, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

UNRESOLVED = (NameError, AttributeError)
"""What evaluating an annotation raises that names something not defined, or not defined yet."""


def hints_of(
    function: Callable[..., Any], scopes: Sequence[Mapping[str, Any]] = (), *, unless: Collection[str] = ()
) -> dict[str, Any]:
    """The annotations of `function` as types, strings resolved; `scopes` are further local names, innermost first.

    The parameters in `unless` are left out when their annotations cannot be resolved; for others it raises UNRESOLVED.
    """
    names = ChainMap(*(dict(scope) for scope in (*scopes_in_sight(function), *scopes)))
    try:
        return get_type_hints(function, localns=names, include_extras=True)
    except UNRESOLVED:
        if not unless:
            raise
    hints: dict[str, Any] = {}
    for name, annotation in function.__annotations__.items():
        with suppress(*(UNRESOLVED if name in unless else ())):
            alone = SimpleNamespace(__annotations__={name: annotation}, __wrapped__=function)
            hints.update(get_type_hints(alone, localns=names, include_extras=True))
    return hints


def scopes_in_sight(function: Callable[..., Any]) -> list[Mapping[str, Any]]:
    """The local names of the class bodies and functions around `function` that are at work now, innermost first.

    The scope of a class body is the living one: it also gets the names that are defined below `function`.
    """
    written = inspect.unwrap(function)
    module = getattr(written, "__globals__", None)
    qualname = getattr(written, "__qualname__", "")
    scopes: list[Mapping[str, Any]] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if frame.f_globals is module and qualname.startswith(f"{code.co_qualname}."):
            scopes.append(dict(frame.f_locals) if code.co_flags & inspect.CO_OPTIMIZED else frame.f_locals)
        frame = frame.f_back
    return scopes


def plain(annotation: Any) -> Any:
    """The type itself, without the metadata of `Annotated` and without the name of an alias."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation


def members_of(annotation: Any) -> list[Any]:
    """The members of a union, nested ones included, each once; of anything else the type itself."""
    annotation = plain(annotation)
    if get_origin(annotation) in (Union, UnionType):
        return list(dict.fromkeys(member for argument in get_args(annotation) for member in members_of(argument)))
    return [annotation]
