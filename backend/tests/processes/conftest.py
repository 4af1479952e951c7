"""Studios in processes of their own, ended with their test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from processes import serving as driver
from processes.serving import Serving

FLOWS = Path(__file__).parent / "flows.py"


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """A studio with the workflows of flows.py, a file that is no Python, and two workers."""
    broken = tmp_path / "broken.py"
    broken.write_text("from treadle import Workflow\n\nclass Half(Workflow:\n    pass\n")
    made = Serving(tmp_path, [FLOWS, broken]).start()
    try:
        yield made
    finally:
        made.kill()


@pytest.fixture
def until():
    """`until(what, look)`: what `look` finds, once it finds something."""
    return driver.until
