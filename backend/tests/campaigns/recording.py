"""Recording: a studio begins runs of elder.py and is killed in the middle of them; the rows it leaves are printed.

To be run by the Treadle whose rows are wanted, before its schema changes:
`PYTHONPATH=backend/tests .venv/bin/python -m campaigns.recording > backend/tests/campaigns/old/0004.sql`
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

from processes.serving import until

from campaigns.studio import Studio

ELDER = Path(__file__).parent / "elder.py"
SHOWN = "/srv/flows"
"""In place of the folder that the workflows really were in."""


def record(folder: Path) -> str:
    """The statements that make the rows anew."""
    studio = Studio(folder, [Path(shutil.copy(ELDER, folder))])
    studio.start()
    try:
        studio.ended(studio.begin("Chain", size=3, nap=0.0))
        studio.prompt(studio.begin("Ask"))
        held = studio.ask("POST", "/workflows/Chain/runs?held=true", {"size": 2, "nap": 0.0}).json["id"]
        until("it is held", lambda: studio.run(held)["entries"])
        under_way = {
            studio.begin("Chain", size=8, nap=0.6): 7,
            studio.begin("Fan", size=7, nap=1.5): 14,
            studio.begin("Nest", size=5, nap=0.8): 2,
        }
        for run_id, entries in under_way.items():
            until("it is under way", lambda: studio.run(run_id)["entries"] >= entries)  # noqa: B023 - asked at once
    finally:
        studio.close()
    with contextlib.closing(sqlite3.connect(studio.database)) as database:
        schema = database.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        running = database.execute("SELECT count(*) FROM run WHERE status = 'running'").fetchone()[0]
        assert running == len(under_way) + 1, "too late: some have ended, or the nested one has not begun"
        rows = [line for line in database.iterdump() if line.startswith("INSERT") and '"alembic_version"' not in line]
    said = f"-- Rows that Treadle wrote at schema {schema}, until it was killed: runs of elder.py in every state.\n\n"
    return said + "\n".join(rows).replace(str(folder), SHOWN) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="treadle-recording-") as made:
        sys.stdout.write(record(Path(made)))
