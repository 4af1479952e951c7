"""The reader's desk: a folder of its own, the libraries, a model to ask, and time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from io import StringIO
from pathlib import Path
from types import ModuleType

import pytest

import treadle.compat
from seed.clock import HurriedLoop
from seed.llm_server import language_model
from seed.scene import Scene
from seed.script import Script

LIBRARIES = Path(__file__).with_name("libraries")


@pytest.fixture(scope="session")
def model_address() -> Iterator[str]:
    with language_model() as address:
        yield address


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch, model_address: str) -> Iterator[None]:
    """What the seed imports beside its workflows is installed; Treadle serves the workflows."""
    monkeypatch.setenv("OPENAI_API_KEY", "none needed")
    monkeypatch.setenv("OPENAI_BASE_URL", model_address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.syspath_prepend(LIBRARIES)
    treadle.compat.install()
    forget_libraries()
    yield
    forget_libraries()
    treadle.compat.uninstall()


def forget_libraries() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "llama_index"]:
        del sys.modules[name]


@pytest.fixture
def desk(libraries: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Scene], Script]]:
    """Sets the scene up: what is typed and what the clock says are known; files go to a folder of its own."""
    runners: list[asyncio.Runner] = []

    def set_up(scene: Scene) -> Script:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "stdin", StringIO(scene.types))
        module = ModuleType("__main__")
        monkeypatch.setitem(sys.modules, "__main__", module)
        noon = datetime.fromisoformat(f"{scene.today} 12:00").timestamp() if scene.today else None
        runner = asyncio.Runner(loop_factory=(lambda: HurriedLoop(noon)) if scene.hurried else None)
        runners.append(runner)
        if isinstance(loop := runner.get_loop(), HurriedLoop):
            monkeypatch.setattr(time, "time", loop.wall)
        return Script(runner, module)

    yield set_up
    for runner in runners:
        runner.close()
