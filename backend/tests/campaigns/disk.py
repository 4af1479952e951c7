"""The disk campaign: the disk of a studio fills up, or refuses to keep what is written, and is well again."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from processes.serving import Answer, until

from campaigns.crowd import Crowd
from campaigns.expected import MIX
from campaigns.journal import Judgement, Promises, judge
from campaigns.nursery import Nursery
from campaigns.studio import Studio

HERE = Path(__file__).parent
FLOWS = [HERE / "flows.py", HERE / "mix.py", HERE / "nests.py"]
SHIM = HERE / "disk_fault.c"


class Disk(Protocol):
    """A disk that can be made to fail, and mended."""

    folder: Path
    environment: dict[str, str]

    def fail(self) -> None: ...
    def mend(self) -> None: ...


class ShimmedDisk:
    """Fails by a library put before the C library's own: `how` is a letter of disk_fault.c. Needs a C compiler."""

    def __init__(self, folder: Path, how: str) -> None:
        self.folder = folder
        self._how = how
        self._told = folder / "disk"
        self.mend()
        library = folder / "disk_fault.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", str(library), str(SHIM), "-ldl"], check=True)
        self.environment = {"LD_PRELOAD": str(library), "CAMPAIGN_DISK": str(self._told)}

    @staticmethod
    def possible() -> bool:
        return shutil.which("gcc") is not None

    def fail(self) -> None:
        self._tell(self._how)

    def mend(self) -> None:
        self._tell("-")

    def _tell(self, how: str) -> None:
        with self._told.open("r+" if self._told.exists() else "w") as file:
            file.write(how)


class SmallDisk:
    """A file system of a few MiB in memory, filled to the last byte. Needs the right to mount one."""

    MIB = 24

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "small"
        self.folder.mkdir()
        self.environment: dict[str, str] = {}
        size = f"size={self.MIB}m"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", str(self.folder)], check=True, capture_output=True)
        self._filling = self.folder / "filling"

    def fail(self) -> None:
        with self._filling.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        with self._filling.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x")

    def mend(self) -> None:
        self._filling.unlink(missing_ok=True)

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=False)


class DiskCampaign:
    """A studio at work on a disk that fails."""

    def __init__(self, disk: Disk, *, seed: int, workers: int = 2) -> None:
        self.disk = disk
        self.rng = random.Random(seed)
        self._nursery = Nursery(disk.folder, environment=disk.environment) if disk.environment else None
        self.studio = Studio(disk.folder, FLOWS, workers=workers, nursery=self._nursery)
        self.crowd = Crowd(self.studio, seed=seed, mix=MIX, starters=2, answerers=1, controls=False)
        self.counts = {"failures of the disk": 0, "requests refused": 0, "asked for health": 0}
        self.broken: list[str] = []

    def refusal(self) -> Answer:
        """How a new start is refused, once it is: what is there of the write-ahead log can still be written over."""

        def look() -> Answer | None:
            answer = self.crowd.probe()
            return answer if answer.status != 201 else None

        self.counts["requests refused"] += 1
        return until("a start is refused", look)

    def standing_still(self) -> dict[str, int]:
        """How many runs there are in each state, once nothing changes any more."""
        seen: list[Any] = []

        def look() -> bool:
            seen.append(self.studio.rows("SELECT count(*), max(at) FROM entry")[0][:])
            return len(seen) > 10 and len(set(seen[-10:])) == 1

        until("nothing is written any more", look)
        return dict(map(tuple, self.studio.rows("SELECT status, count(*) FROM run GROUP BY status")))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Clients come and go; afterwards every run ends."""
        self.studio.start()
        try:
            with self._watched():
                self.crowd.go()
                yield
                self.crowd.start_no_more()
                with contextlib.suppress(AssertionError):
                    until("every run has ended", lambda: self.crowd.unfinished() == 0, seconds=60)
                self.crowd.end()
            code = self.studio.stop()
            if code != 0:
                self.broken.append(f"the studio stopped with {code}")
        finally:
            self.crowd.end()
            self.studio.close()
            if self._nursery is not None:
                self._nursery.close()

    def fail_times(self, look: Callable[[], None], *, times: int) -> Judgement:
        """Let the disk fail so often, `look` while it does, and mend it; then everything judged."""
        with self.at_work():
            for _ in range(times):
                accepted = len(self.crowd.runs)
                until("there is work", lambda: len(self.crowd.runs) >= accepted + 10)  # noqa: B023 - asked at once
                self.counts["failures of the disk"] += 1
                self.disk.fail()
                try:
                    look()
                except AssertionError as error:
                    self.broken.append(str(error))
                finally:
                    self.disk.mend()
        return self.judge()

    def judge(self) -> Judgement:
        self.crowd.settle_doubts()
        with self.studio.reading() as database:
            judgement = judge(database, self.studio.side_log, Promises(self.crowd.runs, self.crowd.answers))
        said = self.studio.complaints
        judgement.claim("Traceback" not in said, f"it wrote:\n{said[-6000:]}", as_count="tracebacks written")
        code, words = self.studio.check()
        judgement.claim(code == 0, f"treadle fsck: exit {code}:\n{words[-3000:]}", as_count="fsck not clean")
        judgement.counts |= self.counts
        judgement.broken += [*self.broken, *self.crowd.broken]
        return judgement

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """`/health` answers all the while."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.1):
                try:
                    answer = self.studio.ask("GET", "/health", seconds=5)
                except OSError as error:
                    self.broken.append(f"/health: {type(error).__name__}: {error}")
                    continue
                self.counts["asked for health"] += 1
                if answer.status != 200:
                    self.broken.append(f"/health: {answer.status} {answer.text}")

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def fill(disk: Disk, *, seed: int, times: int = 1) -> Judgement:
    """A disk that is full for a while: starts are refused, runs stand still and go on."""
    made = DiskCampaign(disk, seed=seed)

    def look() -> None:
        answer = made.refusal()
        if answer.status != 507 or answer.json["code"] != "database_full":
            made.broken.append(f"a start on a full disk: {answer.status} {answer.text}")
        states = made.standing_still()
        if {"failed", "interrupted", "timed_out"} & states.keys():
            made.broken.append(f"runs ended for want of room: {states}")

    return made.fail_times(look, times=times)


def distrust(disk: Disk, *, seed: int, times: int = 1) -> Judgement:
    """A disk that keeps nothing for a while: starts are refused, workers leave and say why, runs go on later."""
    made = DiskCampaign(disk, seed=seed)

    def look() -> None:
        answer = made.refusal()
        if answer.status != 503:
            made.broken.append(f"a start on a failing disk: {answer.status} {answer.text}")
        told = made.studio.output.count("SQLITE_IOERR_FSYNC")
        until("a worker says why it leaves", lambda: made.studio.output.count("SQLITE_IOERR_FSYNC") > told)

    return made.fail_times(look, times=times)


def campaign(folder: Path, *, seed: int, rounds: int) -> Judgement:
    """A full disk and an unreliable one, `rounds` times each in one studio; a real small one where that may be."""
    whole = Judgement()
    for n, (how, course) in enumerate((("f", fill), ("s", distrust))):
        here = folder / f"shim-{n}"
        here.mkdir()
        whole.add(course(ShimmedDisk(here, how), seed=seed + n, times=rounds))
    if may_mount(folder):
        small = SmallDisk(folder)
        try:
            whole.add(fill(small, seed=seed + 2, times=rounds))
        finally:
            small.close()
    return whole


def may_mount(folder: Path) -> bool:
    """Whether this process may mount a file system."""
    if os.geteuid() != 0:
        return False
    try:
        made = SmallDisk(folder)
    except (OSError, subprocess.CalledProcessError):
        return False
    made.close()
    made.folder.rmdir()
    return True
