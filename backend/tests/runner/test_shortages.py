"""A worker that the kernel has ended for want of memory is told from one that a person has killed."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from treadle.runner.shortages import RECENT, Shortages, counter
from treadle.runner.supervisor import Supervisor
from treadle.store.presence import arrive


def tell(file: Path, kills: int) -> None:
    file.write_text(f"low 0\noom 7\noom_kill {kills}\noom_group_kill 0\n")


@pytest.fixture
def machine(tmp_path):
    """Folders as the kernel shows them, of a process in the group `app/studio`; nothing is counted yet."""
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (groups / "app" / "studio").mkdir(parents=True)
    (proc / "self" / "cgroup").write_text("4:memory:/other\n0::/app/studio\n")
    return proc, groups


def test_own_group_is_asked_before_the_machine(machine):
    proc, groups = machine
    assert counter(proc, groups) is None
    tell(proc / "vmstat", 1)
    assert counter(proc, groups) == proc / "vmstat"
    tell(groups / "app" / "studio" / "memory.events", 1)
    assert counter(proc, groups) == groups / "app" / "studio" / "memory.events"


@pytest.mark.skipif("oom_kill " not in Path("/proc/vmstat").read_text(), reason="this kernel does not count them")
def test_this_machine_has_a_counter():
    file = counter()
    assert file is not None
    assert "oom_kill " in file.read_text()


def test_each_explains_one_death(tmp_path):
    file = tmp_path / "memory.events"
    tell(file, 5)
    shortages = Shortages(file)
    assert not shortages.explain(), "what was counted before is nobody's"
    tell(file, 7)
    assert [shortages.explain() for _ in range(3)] == [True, True, False]


def test_one_that_ended_something_else_is_forgotten(tmp_path):
    now = [100.0]
    file = tmp_path / "memory.events"
    tell(file, 0)
    shortages = Shortages(file, clock=lambda: now[0])
    tell(file, 1)
    shortages.look()
    now[0] += RECENT - 1.0
    shortages.look()
    assert shortages.explain(), "it takes a while until a large process is gone"
    tell(file, 2)
    shortages.look()
    now[0] += RECENT + 1.0
    assert not shortages.explain()


def test_nothing_is_explained_where_nobody_counts(tmp_path):
    gone = Shortages(tmp_path / "memory.events")
    assert not gone.explain()
    assert not Shortages(None).explain()


async def test_supervisor_writes_down_which_of_its_workers_the_kernel_has_killed(bench, tmp_path):
    """Real processes that die by signal 9; before the second one does, one more is counted."""
    file = tmp_path / "memory.events"
    tell(file, 3)
    counts = iter((3, 4, 4))
    workers: list[str] = []
    deaths = asyncio.Queue[None]()

    def command(worker, name):
        workers.append(worker)
        arrive(bench.database, worker, name=name, pid=0, workflows=[], now=time.time())
        tell(file, next(counts, 4))
        return [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]

    shortages = Shortages(file)
    supervisor = Supervisor(
        bench.database, command, count=1, changed=lambda: deaths.put_nowait(None), shortages=shortages
    )
    async with asyncio.timeout(20), supervisor:
        for _ in range(3):
            await deaths.get()
    with bench.database.read() as connection:
        exits = dict(connection.execute(text("SELECT id, exit FROM worker")).all())
    assert [exits[worker] for worker in workers[:3]] == ["signal 9", "signal 9, out of memory", "signal 9"]
