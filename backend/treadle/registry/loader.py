"""The loader: workflow files, loaded by path under private module names. A broken file is a card, not a crash."""

from __future__ import annotations

import hashlib
import importlib.util
import linecache
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from treadle import compat
from treadle.engine.steps import specs_of
from treadle.engine.workflow import Workflow
from treadle.errors import WorkflowFileError


@dataclass(frozen=True, slots=True)
class LoadedWorkflow:
    """A workflow ready to run, and where it comes from."""

    name: str
    workflow: Workflow
    file: Path
    source: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """A file, or a workflow in it, that cannot be run, and why."""

    name: str
    file: Path
    error: WorkflowFileError


def load_paths(paths: Iterable[Path]) -> list[LoadedWorkflow | LoadFailure]:
    """Every workflow in the given files and folders (`*.py`, not those beginning with `_`), in order."""
    found: list[LoadedWorkflow | LoadFailure] = []
    names: set[str] = set()
    for path in paths:
        for file in _files(path):
            for item in _load_all(file):
                name = item.name if item.name not in names else f"{file.stem}.{item.name}"
                names.add(name)
                found.append(
                    LoadedWorkflow(name, item.workflow, file, item.source, item.fingerprint)
                    if isinstance(item, LoadedWorkflow)
                    else LoadFailure(name, file, item.error)
                )
    return found


def load_file(file: Path) -> ModuleType:
    """Execute a workflow file as a module of its own; what it imports of LlamaIndex's workflows is Treadle's.

    Raises WorkflowFileError with file, line and traceback.
    """
    compat.install()
    name = module_name(file)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise WorkflowFileError(f"{file} is not a Python file.", file=str(file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() at import is the file's fault, not the worker's end
        del sys.modules[name]
        raise _told(error, file) from error
    return module


def module_name(file: Path) -> str:
    """The private name a file is loaded under: the same in every process, and no name anybody imports."""
    return f"_treadle_{file.stem}_{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:8]}"


def workflows_in(module: ModuleType) -> dict[str, Workflow]:
    """The workflows of a loaded module by name: its classes with steps, and its instances.

    A class goes by its own name and runs as its one instance in the module, or else one made without arguments.
    Several instances of it, and instances of a class without steps or from elsewhere, go by their variables.

    Raises whatever making an instance raises.
    """
    instances = _instances_in(module)
    count = Counter(type(instance) for instance in instances.values())
    found: dict[str, Workflow] = {}
    for name, value in vars(module).items():
        if _is_class_of(module, value):
            if count[value] == 0:
                found[value.__name__] = value()
        elif name in instances:
            kind = type(value)
            found[kind.__name__ if count[kind] == 1 and _is_class_of(module, kind) else name] = value
    return found


def _instances_in(module: ModuleType) -> dict[str, Workflow]:
    """Every workflow instance with steps once, by the first variable that holds it."""
    named: dict[int, tuple[str, Workflow]] = {}
    for name, value in vars(module).items():
        if isinstance(value, Workflow) and value.table.steps:
            named.setdefault(id(value), (name, value))
    return dict(named.values())


def _is_class_of(module: ModuleType, value: object) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, Workflow)
        and value.__module__ == module.__name__
        and bool(specs_of(value))
    )


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in sorted(path.glob("*.py")) if not file.name.startswith("_"))
    else:
        yield path


def _load_all(file: Path) -> list[LoadedWorkflow | LoadFailure]:
    try:
        source = file.read_text(encoding="utf-8")
        fingerprint = hashlib.sha256(source.encode()).hexdigest()[:12]
        linecache.checkcache(str(file))
        module = load_file(file)
    except WorkflowFileError as error:
        return [LoadFailure(file.name, file, error)]
    except (OSError, UnicodeDecodeError) as error:
        return [LoadFailure(file.name, file, _told(error, file))]
    try:
        return [
            LoadedWorkflow(name, workflow, file, source, fingerprint) for name, workflow in workflows_in(module).items()
        ]
    except Exception as error:
        return [LoadFailure(file.name, file, _told(error, file))]


def _told(error: BaseException, file: Path) -> WorkflowFileError:
    line = error.lineno if isinstance(error, SyntaxError) else None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == str(file):
            line = frame.lineno
    own = error.__traceback__
    while own is not None and own.tb_frame.f_code.co_filename != str(file):
        own = own.tb_next
    trace = "".join(traceback.format_exception(type(error), error, own))
    return WorkflowFileError(f"{type(error).__name__}: {error}", file=str(file), line=line, trace=trace)
