"""LlamaIndex's names, served while a test runs and gone after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from treadle import compat


@pytest.fixture
def served() -> Iterator[None]:
    compat.uninstall()
    compat.install()
    yield
    compat.uninstall()
