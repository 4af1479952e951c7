"""The modules that answer for LlamaIndex's: made where its packages are absent, diverted where they are installed.

A diverted module stays what it is for LlamaIndex's own code and answers everybody else with Treadle's names. Who asks
is read from the frame that asks: code whose module belongs to a package of the family is LlamaIndex's own.
"""

from __future__ import annotations

import importlib
import sys
from opcode import opmap
from types import FrameType, ModuleType
from typing import Any

from treadle.compat.names import (
    DEPLOYMENT,
    FAMILY,
    PARENTS,
    SAME_AS,
    USELESS,
    Modules,
    instead_of,
    modules_of,
    offered_by,
)
from treadle.compat.placeholders import JsonSerializer, deployment, useless

_ABSENT = object()


class Parent(ModuleType):
    """A package above the served ones, where LlamaIndex is not installed: nothing else is in it."""

    def __getattr__(self, name: str) -> Any:
        child = f"{self.__name__}.{name}"
        if child in PARENTS or offered_by(child) is not None:
            return importlib.import_module(child)
        if name.startswith("__"):
            raise AttributeError(name)
        raise _refusal(
            f"{self.__name__} is not installed, and Treadle serves only workflows in its place: for {name}, "
            "install llama-index-core.",
            sys._getframe(1),
        )


class Served(ModuleType):
    """A module that offers Treadle's names under a name of LlamaIndex's."""

    def __getattr__(self, name: str) -> Any:
        return _offer(self, name, sys._getframe(1))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *_everything(self.__name__)]


class Diverted(ModuleType):
    """A module of LlamaIndex's own, which its own code sees as it is and everybody else as Treadle's."""

    def __getattribute__(self, name: str) -> Any:
        frame = sys._getframe(1)
        if (name.startswith("__") and name != "__all__") or is_family(frame):
            return super().__getattribute__(name)
        return _offer(self, name, frame)

    def __dir__(self) -> list[str]:
        if is_family(sys._getframe(1)):
            return list(super().__dir__())
        return [*(name for name in super().__dir__() if name.startswith("__")), *_everything(self.__name__)]


def is_family(frame: FrameType | None) -> bool:
    """Whether the code that runs in this frame, or imports from it, is LlamaIndex's own."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if not name.startswith("importlib"):
            return name.partition(".")[0] in FAMILY
        frame = frame.f_back  # the import system asks on behalf of whoever imports
    return False


def _offer(module: ModuleType, name: str, frame: FrameType) -> Any:
    """What `module.name` is for everybody but LlamaIndex."""
    if name == "__all__":
        return _everything(module.__name__)
    if name.startswith("__"):
        raise AttributeError(name)
    child = f"{module.__name__}.{name}"
    if offered_by(child) is not None:
        return importlib.import_module(child)
    value = _found(module.__name__, name)
    if value is not _ABSENT:
        return value
    if child in sys.modules:
        return sys.modules[child]
    instead = instead_of(name)
    told = f"Treadle has no {name} for {module.__name__}{f': {instead}' if instead else ''}."
    if name in vars(module):
        told += f' LlamaIndex\'s own, for its own agents, is treadle.compat.original("{module.__name__}").{name}.'
    raise _refusal(told, frame)


def _everything(module: str) -> list[str]:
    return [name for name in offered_by(module) or () if _found(module, name) is not _ABSENT]


def _found(module: str, name: str) -> Any:
    # Fetched by name: nobody below the face may be imported from here, and the face may import who is above.
    face = importlib.import_module("treadle")
    if name in face.__all__:
        return getattr(face, name)
    _, modules = modules_of(module) or ("", Modules())
    if modules is DEPLOYMENT:
        return deployment(name) if any(name in offers for offers in modules.values()) else _ABSENT
    if name in SAME_AS:
        return getattr(face, SAME_AS[name])
    if name in USELESS:
        return useless(name, USELESS[name])
    match name:
        case "EventType":
            return type[face.Event]
        case "JsonSerializer":
            return JsonSerializer
        case "RunResultT":
            return Any
        case "StopEventT":
            return face.StopEvent
        case "WorkflowMeta":
            return type(face.Workflow)
    return _ABSENT


def _refusal(told: str, frame: FrameType) -> Exception:
    # `from x import y` turns an AttributeError into an ImportError of its own and loses what it says.
    by_statement = frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]
    return ImportError(told) if by_statement else AttributeError(told)
