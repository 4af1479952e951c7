"""Where measurements keep their files: under .bench/ in the checkout, so that databases lie on a real disk."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OUT = Path(__file__).resolve().parents[2] / ".bench"


def out() -> Path:
    """The folder of results; it ignores itself, because numbers are of one machine and one day."""
    OUT.mkdir(exist_ok=True)
    (OUT / ".gitignore").write_text("*\n")
    return OUT


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """An empty folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="data-", dir=out()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
