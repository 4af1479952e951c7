"""Child processes: each library is measured by an interpreter of its own, and says what it found as JSON."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.peers import Peer, PeerInstallError, python_of

CHILDREN = Path(__file__).parent / "children"


class ChildError(Exception):
    """A measurement that did not come back; the message is the end of what the child said."""


def ask(peer: Peer, child: str, job: dict[str, Any], *, timeout: float = 1800.0) -> Any:
    """What `children/<child>` of the peer's interpreter answers to `job`. Raises ChildError."""
    try:
        python = python_of(peer)
    except PeerInstallError as failure:
        raise ChildError(str(failure)) from None
    try:
        done = subprocess.run(
            [str(python), str(CHILDREN / child)],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            timeout=timeout,
            env=environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ChildError(f"{peer.name}: nothing after {timeout:.0f} s") from None
    if done.returncode != 0:
        raise ChildError(f"{peer.name}: {done.stderr.strip()[-1500:]}")
    return json.loads(done.stdout.splitlines()[-1])


def environment() -> dict[str, str]:
    """The environment of a child: what would change another library's behaviour or ours stays out of it."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_", "TREADLE_"))
    }
    return kept | {"PYTHONWARNINGS": "ignore", "PYTHONHASHSEED": "0"}
