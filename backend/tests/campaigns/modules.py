"""Workflow files that misbehave while they are imported, written into a folder, and good ones beside them."""

from __future__ import annotations

from pathlib import Path

GOOD = '''
import asyncio
from treadle import Event, StartEvent, StopEvent, Workflow, step

class Tick(Event):
    n: int

class {name}(Workflow):
    @step
    async def begin(self, ev: StartEvent) -> Tick:
        return Tick(n=20)

    @step
    async def nap(self, ev: Tick) -> Tick | StopEvent:
        await asyncio.sleep(0.02)
        return Tick(n=ev.n - 1) if ev.n else StopEvent(result="{said}")
'''
SHOUT = """
line = "x" * (2**20 - 1)
for _ in range(100):
    print(line)
"""
LEAVE = """
import threading
for daemon in (True, False):
    threading.Thread(target=threading.Event().wait, daemon=daemon).start()
"""
HALF = "\nclass Half(Workflow:\n    pass\n"

FILES = {
    "good.py": GOOD.format(name="Good", said="rested"),
    "first.py": GOOD.format(name="Twin", said="first"),
    "second.py": GOOD.format(name="Twin", said="second"),
    "exits.py": "import sys\nsys.exit(3)\n",
    "interrupts.py": "raise SystemExit\n",
    "endless.py": "while True:\n    pass\n",
    "asleep.py": "import time\ntry:\n    time.sleep(3600)\nexcept Exception:\n    time.sleep(3600)\n",
    "missing.py": "import a_package_that_nobody_has\n",
    "shouting.py": SHOUT + GOOD.format(name="Loud", said="hoarse"),
    "threads.py": LEAVE + GOOD.format(name="Busy", said="busy"),
    "changing.py": GOOD.format(name="Changing", said="as it was"),
    "wide.py": "# -*- coding: no-such-coding -*-\n",
    "null.py": "x = '\0'\n",
    "recursive.py": "def deeper():\n    deeper()\ndeeper()\n",
    "making.py": "from treadle import Workflow, step, StartEvent, StopEvent\n\nclass Making(Workflow):\n"
    "    def __init__(self):\n        raise RuntimeError('not today')\n\n"
    "    @step\n    async def s(self, ev: StartEvent) -> StopEvent:\n        return StopEvent()\n",
}  # fmt: skip
CARDS = {
    "exits.py": "SystemExit",
    "interrupts.py": "SystemExit",
    "endless.py": "ImportTakesTooLong",
    "asleep.py": "ImportTakesTooLong",
    "missing.py": "ModuleNotFoundError",
    "wide.py": "SyntaxError",
    "null.py": "SyntaxError",
    "recursive.py": "RecursionError",
    "making.py": "RuntimeError",
}
"""The files that cannot be loaded, and the error their card names."""
NOWHERE = {"null.py"}
"""Those whose error Python itself puts in no line."""
RUN = {"Good": "rested", "Twin": "first", "second.Twin": "second", "Loud": "hoarse", "Busy": "busy",
       "Changing": "as it was"}  # fmt: skip
"""What runs all the same, by name, and what it returns."""


def write(folder: Path) -> Path:
    """Write them; the folder."""
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder
