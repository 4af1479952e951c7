"""A worker started by hand beside a studio: it is given runs at once, tells of them at once, and follows the studio."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from processes.serving import Serving, until

FLOWS = Path(__file__).parent / "flows.py"
ONLY_HERE = """
from treadle import StartEvent, StopEvent, Workflow, step

class Spare(Workflow):
    @step
    async def tell(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result="by the extra one")
"""


@pytest.fixture
def studio(tmp_path, place):
    made = Serving(tmp_path, [FLOWS], workers=1)
    try:
        yield made.start()
    finally:
        made.kill()


class Extra:
    """`treadle worker` on the studio's database, with the same workflows and one more."""

    def __init__(self, studio: Serving) -> None:
        self.studio = studio
        file = studio.folder / "spare.py"
        file.write_text(ONLY_HERE)
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "treadle", "worker", "--name", "extra", "--database", str(studio.database),
                "--workflows", str(FLOWS), "--workflows", str(file),
            ],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @property
    def shown(self) -> str | None:
        """Its id, while it counts as there."""
        rows = self.studio.rows("SELECT id FROM worker WHERE pid = ? AND ended_at IS NULL", self.process.pid)
        return rows[0]["id"] if rows else None

    def listens(self, place: Path) -> bool:
        """Whether it is there and hears the nudges of the one studio in `place`."""
        (folder,) = place.iterdir()
        return self.shown is not None and (folder / f"worker-{self.shown}.sock").exists()


@pytest.fixture
def extra(studio):
    made = Extra(studio)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait(10)


@pytest.fixture
def busy(studio):
    """The studio while its own worker is blocked."""
    studio.begin("Blocks", seconds=60.0)
    until("its worker is busy", lambda: [worker for worker in workers(studio) if worker["busy_step"]])
    return studio


def test_it_is_given_runs_when_they_are_accepted_and_tells_the_pages_at_once(busy, extra, place):
    studio = busy
    until("it listens", lambda: extra.listens(place))
    (folder,) = place.iterdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as page:
        page.bind(str(folder / "web-9.sock"))
        page.settimeout(20)
        run_id = studio.begin("Asks")
        ((owner,),) = studio.rows("SELECT lease_owner FROM run WHERE id = ?", run_id)
        assert owner == extra.shown
        told = set()
        while run_id not in told:
            told |= set(page.recv(10_000).decode().split("\n"))
    assert studio.prompt(run_id)["status"] == "open"


def workers(studio):
    return studio.ask("GET", "/health").json["workers"]


def test_it_follows_a_studio_that_was_killed_and_one_that_was_stopped(studio, extra, place):
    until("it listens", lambda: extra.listens(place))
    first = extra.shown
    studio.kill()
    studio.start()
    until("it listens where the second one does", lambda: extra.listens(place))
    assert studio.ended(studio.begin("Spare"))["result"] == "by the extra one"
    assert studio.stop() == 0
    assert list(place.iterdir()) == []
    assert extra.process.poll() is None
    studio.start()
    until("it listens where the third one does", lambda: extra.listens(place))
    assert studio.ended(studio.begin("Spare"))["result"] == "by the extra one"
    assert extra.shown == first


def test_it_leaves_nothing_behind_however_it_ends(studio, extra, place):
    until("it listens", lambda: extra.listens(place))
    (folder,) = place.iterdir()
    name = f"worker-{extra.shown}.sock"
    extra.process.send_signal(signal.SIGTERM)
    assert extra.process.wait(20) == 0
    assert not (folder / name).exists()
    another = Extra(studio)
    until("the other one listens", lambda: another.listens(place))
    name = f"worker-{another.shown}.sock"
    another.process.kill()
    another.process.wait(10)
    runs = [studio.begin("Naps", naps=1) for _ in range(4)]
    assert [studio.ended(run_id)["result"] for run_id in runs] == ["rested"] * 4
    assert not (folder / name).exists(), "the first nudge found nobody there"


def test_runs_given_to_one_that_does_not_have_their_workflow_go_to_the_other(studio, place):
    file = studio.folder / "spare.py"
    file.write_text(ONLY_HERE)
    command = [sys.executable, "-m", "treadle", "worker", "--database", str(studio.database), "--workflows", str(file)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        until("both are there", lambda: len(workers(studio)) == 2)
        runs = [studio.begin(name) for name in ("Spare", "Spare", "Asks", "Asks")]
        assert [studio.ended(run_id)["result"] for run_id in runs[:2]] == ["by the extra one"] * 2
        assert all(studio.prompt(run_id) for run_id in runs[2:])
    finally:
        process.kill()
        process.wait(10)
