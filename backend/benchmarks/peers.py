"""The peers: which libraries Treadle is measured beside, each in an environment of its own that is made once."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Peer:
    """A library: its name in the tables, how workflows import it, its pinned packages (none: this environment)."""

    name: str
    imports: str
    packages: tuple[str, ...] = ()


class PeerInstallError(Exception):
    """A peer's packages cannot be installed, for example without a network."""


_NAMES = "Context, Event, StartEvent, StopEvent, Workflow, step"
_WORKFLOWS = "from workflows import Context, Workflow, step\nfrom workflows.events import Event, StartEvent, StopEvent"

TREADLE = Peer("treadle", f"from treadle import {_NAMES}")
WORKFLOWS = Peer("workflows", _WORKFLOWS, ("llama-index-workflows==2.26.1",))
CORE = Peer("core 0.12", f"from llama_index.core.workflow import {_NAMES}", ("llama-index-core==0.12.0",))
BURR = Peer("burr", "", ("burr==0.42.0", "aiosqlite==0.22.1"))
LANGGRAPH = Peer("langgraph", "", ("langgraph==1.2.22", "langgraph-checkpoint-sqlite==3.1.2"))
DBOS = Peer("dbos", "", ("dbos==3.4.0",))
SERVER = Peer("agents-server", _WORKFLOWS, ("llama-agents-server==0.8.0", "llama-index-workflows==2.26.1"))
PEERS = (WORKFLOWS, CORE, BURR, LANGGRAPH, SERVER, DBOS)


def python_of(peer: Peer) -> Path:
    """The interpreter of the peer's environment, which is made and filled first if there is none.

    Raises PeerInstallError, with what pip said.
    """
    if not peer.packages:
        return Path(sys.executable)
    mark = hashlib.sha256("\n".join([sys.version, *peer.packages]).encode()).hexdigest()[:12]
    home = cache() / f"{peer.packages[0].replace('==', '-')}-{mark}"
    python = home / "bin" / "python"
    done = home / "complete"
    if not done.exists():
        print(f"Installing {', '.join(peer.packages)} into {home}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.packages]
        installed = subprocess.run(install, check=False, capture_output=True, text=True)
        if installed.returncode != 0:
            raise PeerInstallError(f"{peer.name}: {installed.stderr.strip()[-1500:]}")
        done.touch()
    return python


def cache() -> Path:
    """Where environments are kept."""
    given = os.environ.get("XDG_CACHE_HOME")
    cache = (Path(given) if given else Path.home() / ".cache") / "treadle" / "benchmarks"
    cache.mkdir(parents=True, exist_ok=True)
    return cache
