"""A step that takes so much memory that the kernel ends its worker, again and again: its run is parked and says why."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import pytest

from processes.serving import until

FLOWS = Path(__file__).parent / "hoarding_flows.py"
WORKERS = 1
LIMIT = 64 * 2**20
GROUPS = Path("/sys/fs/cgroup")


def limited() -> Path | None:
    """A new control group that may have LIMIT bytes of memory, in our own or of the older kind, or None."""
    known = Path("/proc/self/cgroup").read_text().splitlines()
    ours = next((line.removeprefix("0::/") for line in known if line.startswith("0::/")), "")
    for parent, limits in (
        (GROUPS / ours, {"memory.swap.max": 0, "memory.max": LIMIT}),
        (GROUPS / "memory", {"memory.limit_in_bytes": LIMIT, "memory.memsw.limit_in_bytes": LIMIT}),
    ):
        made = parent / f"treadle-test-{secrets.token_hex(4)}"
        try:
            made.mkdir()
        except OSError:
            continue
        if all((made / name).exists() for name in ("cgroup.procs", *limits)):  # else it is a folder like any other
            for name, limit in limits.items():
                (made / name).write_text(str(limit))
            return made
        made.rmdir()
    return None


@pytest.fixture
def group():
    made = limited()
    if made is None:
        pytest.skip("no control group with a limit of memory can be made here")
    yield made
    until("whoever was in the group has gone", lambda: not (made / "cgroup.procs").read_text())
    made.rmdir()


def test_step_that_the_kernel_ends_for_want_of_memory_is_parked_and_says_so(mortal, group):
    before = time.time()
    run = mortal.ended(mortal.begin("Hoards", group=str(group)))
    assert (run["status"], run["error"]["type"]) == ("interrupted", "StepCrashed")
    assert "3 times in step hoard" in run["error"]["message"]
    assert "no memory left" in run["error"]["message"]
    exits = [row["exit"] for row in mortal.rows("SELECT exit FROM worker WHERE ended_at > ?", before)]
    assert exits == ["signal 9, out of memory"] * 3
    assert mortal.ended(mortal.begin("Naps"))["result"] == "rested"
