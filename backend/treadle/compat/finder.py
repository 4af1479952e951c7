"""The finder: which module answers when a name of LlamaIndex's is imported."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from treadle.compat.modules import Diverted, Parent, Served, is_family
from treadle.compat.names import FAMILY, PACKAGES, PARENTS, modules_of, offered_by

_SIGNS = {"decorators.py", "events.py", "workflow.py"}


class Finder(MetaPathFinder):
    """Asked before all others: serves Treadle's modules, diverts LlamaIndex's own, leaves everybody else's alone."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in FAMILY:
            return None
        if fullname in PARENTS:
            return None if _elsewhere(fullname, path, target) else _made(fullname, Parent)
        if (found := modules_of(fullname)) is None:
            return None
        package = found[0]
        home = sys.modules.get(package)
        if fullname != package and not isinstance(home, Served | Diverted):
            return None
        below_ours = fullname != package and isinstance(home, Served)
        # A folder `workflows` of the user's may hold an events.py; llama_agents is shared with packages of today.
        spec = None if below_ours and package != "llama_agents" else _elsewhere(fullname, path, target)
        if spec is not None and spec.origin is not None:
            theirs = fullname != "workflows" or is_of_llama_index(spec.submodule_search_locations)
            return _diverted(spec) if theirs and not below_ours else None
        if offered_by(fullname) is None:
            return None
        return _made(fullname, Served, (spec and spec.submodule_search_locations) or ())


def adopt_imported() -> None:
    """Make the modules that are imported already answer as if they had been found by the finder."""
    for package in PACKAGES:
        module = sys.modules.get(package)
        if type(module) is ModuleType:
            if not _is_file(module):
                module.__class__ = Served
            elif package != "workflows" or is_of_llama_index(getattr(module, "__path__", None)):
                module.__class__ = Diverted
    for name, module in list(sys.modules.items()):
        package, _ = modules_of(name) or ("", None)
        if isinstance(sys.modules.get(package), Diverted) and type(module) is ModuleType and _is_file(module):
            module.__class__ = Diverted


def release_imported() -> None:
    """Undo what the finder and `adopt_imported` did: forget the modules made, give the others back as they were."""
    for name, module in list(sys.modules.items()):
        if type(module) in {Diverted, Served, Parent}:
            if isinstance(getattr(module.__spec__, "loader", None), _Making):
                del sys.modules[name]
                parent, _, last = name.rpartition(".")
                vars(sys.modules.get(parent, module)).pop(last, None)
            else:
                module.__class__ = ModuleType


def is_of_llama_index(folders: Iterable[str] | None) -> bool:
    """Whether a package `workflows` in these folders is that of llama-index-workflows, not a folder of the user's."""
    return any({file.name for file in Path(folder).glob("*.py")} >= _SIGNS for folder in folders or ())


class _Making(Loader):
    def __init__(self, kind: type[ModuleType]) -> None:
        self._kind = kind

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._kind(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: a made module looks its names up when they are asked for."""


class _Diverting(Loader):
    """Diverts the module, puts back the loader it stands before and loads by that."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        if module.__loader__ is self:
            module.__loader__ = self._loader
        if type(module) is ModuleType:
            module.__class__ = Diverted  # before it runs: what it imports of its own package is diverted for that
        try:
            self._loader.exec_module(module)
        except ImportError:  # it wants a package that is not there: Treadle's names need none
            if offered_by(module.__name__) is None or is_family(sys._getframe(1)):
                raise


def _elsewhere(fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    """What the other finders find; a package with files of its own before a bare folder of that name."""
    folder = None
    for finder in list(sys.meta_path):
        if isinstance(finder, Finder) or not hasattr(finder, "find_spec"):
            continue
        spec = finder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            return spec
        folder = folder or spec
    return folder


def _made(fullname: str, kind: type[ModuleType], folders: Iterable[str] = ()) -> ModuleSpec:
    spec = ModuleSpec(fullname, _Making(kind), origin="treadle.compat", is_package=True)
    spec.submodule_search_locations = list(folders)
    return spec


def _diverted(spec: ModuleSpec) -> ModuleSpec:
    if spec.loader is not None:
        spec.loader = _Diverting(spec.loader)
    return spec


def _is_file(module: ModuleType) -> bool:
    return getattr(module, "__file__", None) is not None
