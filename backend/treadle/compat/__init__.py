"""Compatibility: files written for LlamaIndex's workflows run on Treadle, imports and all.

After `install()`, the names of `llama_index.core.workflow`, `llama_index.utils.workflow`, `workflows`,
`llama_agents.workflows` and `llama_deploy` are Treadle's own objects, whether or not LlamaIndex is installed. The
studio does so for workflow files, `python -m treadle.compat script.py` for a script.

- Not installed: the packages above them (`llama_index`, `llama_index.core`, `llama_index.utils`) are made, empty.
- Installed: all else in them stays what it is, and so does the engine that LlamaIndex's own code stands on. Its agents
  are classes of its `Workflow` with its metaclass, state store and exceptions (seen in 0.12.52 and 0.14.25): on
  another engine they break at import or in the middle of a run, and differently in each version. So its modules are
  not replaced but *diverted*: each stays in `sys.modules` with all it has and answers by who asks. Code of
  `llama_index`, `workflows`, `llama_agents` and `llama_deploy` gets what it was written for, all other code gets
  Treadle. The other ways do less: a changed `__import__` for workflow files would not reach the modules they import,
  and a second copy under a private name would not be found by what looks classes up by their module, as Pydantic does.

What follows: an agent of LlamaIndex's runs on LlamaIndex's engine, inside a step too. Where it wants a `Context`, it
wants that engine's: `original("llama_index.core.workflow").Context`.

Nothing is ever unpickled, so the pickling serializers only say so. What deploys workflows as services imports, and
says when it is called that Treadle does not have it yet. A name that Treadle lacks is refused with what to do instead.
"""

from __future__ import annotations

import importlib
import sys
from threading import Lock
from types import ModuleType

from treadle.compat.finder import Finder, adopt_imported, release_imported
from treadle.compat.modules import Diverted

__all__ = ["install", "original", "uninstall"]

_lock = Lock()


def install() -> None:
    """Serve Treadle under LlamaIndex's names in this process from now on. A second call does nothing.

    >>> import treadle, treadle.compat
    >>> treadle.compat.install()
    >>> from llama_index.core.workflow import Workflow
    >>> Workflow is treadle.Workflow
    True
    """
    with _lock:
        if not any(isinstance(finder, Finder) for finder in sys.meta_path):
            sys.meta_path.insert(0, Finder())
            adopt_imported()


def uninstall() -> None:
    """End what `install` began. Names that were imported meanwhile stay with those who imported them."""
    with _lock:
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Finder)]
        release_imported()


def original(name: str) -> ModuleType:
    """LlamaIndex's own module of this name, for what is given to LlamaIndex's own code.

    Raises ImportError where it is not installed.
    """
    module = importlib.import_module(name)
    if not isinstance(module, Diverted):
        if any(isinstance(finder, Finder) for finder in sys.meta_path):
            raise ImportError(f"LlamaIndex's own {name} is not installed.", name=name)
        return module
    twin = ModuleType(name)
    vars(twin).update(vars(module))
    return twin
