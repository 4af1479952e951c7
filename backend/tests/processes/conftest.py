"""Studios in processes of their own, ended with their test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from processes.mortal import Mortal
from processes.serving import Serving
from treadle.runner.sockets import sweep

FLOWS = Path(__file__).parent / "flows.py"


@pytest.fixture(scope="session", autouse=True)
def swept() -> Iterator[None]:
    """What the last studio to be killed has left goes with the tests."""
    yield
    sweep()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A studio with the workflows of flows.py, a file that is no Python, and two workers."""
    folder = tmp_path_factory.mktemp("studio")
    broken = folder / "broken.py"
    broken.write_text("from treadle import Workflow\n\nclass Half(Workflow:\n    pass\n")
    made = Serving(folder, [FLOWS, broken]).start()
    try:
        yield made
    finally:
        made.kill()


@pytest.fixture(scope="module")
def mortal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    """A studio with the workflows of the module's FLOWS, and its WORKERS, which are meant to be killed."""
    module = request.module
    made = Mortal(tmp_path_factory.mktemp("mortal"), [module.FLOWS], workers=module.WORKERS).start()
    try:
        yield made
    finally:
        made.kill()


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for temporary files that only this test's processes use; its path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="sock-", dir="/tmp") as made:
        monkeypatch.setenv("TMPDIR", made)
        yield Path(made)
