"""A copy of a process, made with `os.fork()`, leaves the connections alone that it has been given with it."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from treadle.errors import TreadleError
from treadle.store.database import Database


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("way", ["journal", "glance", "read", "write"])
def test_copy_is_refused_and_the_original_goes_on(remembered, way):
    database = Database(f"sqlite:///{remembered.file}")

    def used() -> str:
        try:
            with ExitStack() as stack:
                stack.enter_context(getattr(database, way)())
        except TreadleError as error:
            return str(error)
        return "taken"

    assert used() == "taken"
    here, there = os.pipe()
    copy = os.fork()
    if copy == 0:
        os.write(there, used().encode())
        database.close()
        os._exit(0)
    os.close(there)
    said = os.read(here, 1000).decode()
    os.close(here)
    assert said.startswith(f"Process {copy} is a copy of process {os.getpid()}")
    assert os.waitpid(copy, 0)[1] == 0
    assert used() == "taken", "also after the copy has closed it"
    database.close()
