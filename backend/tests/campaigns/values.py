"""The values campaign: whatever hypothesis thinks of goes into a context and an event, and through `kill -9`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from processes.serving import until

from campaigns.journal import Judgement
from campaigns.studio import Studio

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "engine"))

from storable import same  # noqa: E402 - found by the line above
from strange import chosen  # noqa: E402

from treadle.engine.serializers import from_json, to_json  # noqa: E402

AT_ONCE = 100
"""Values in one run."""


def campaign(folder: Path, *, seed: int, rounds: int) -> Judgement:
    """`rounds` times a run with a hundred values, whose worker dies while it has them."""
    judgement = Judgement()
    studio = Studio(folder, [TESTS / "processes" / "value_flows.py"]).start()
    try:
        for n in range(rounds):
            values = chosen(seed + n, AT_ONCE)
            texts = [to_json(value) for value in values]
            unlike = [text for text, value in zip(texts, values, strict=True) if not same(from_json(text), value)]
            judgement.claim(not unlike, f"read otherwise than written: {unlike}", as_count="written wrong")
            gate = folder / f"gate-{n}"
            reached = gate.with_name(f"{gate.name}.reached")
            run_id = studio.begin("CarriesAny", gate=str(gate), texts=texts)
            pid = int(until(f"{run_id} has its values", lambda: reached.exists() and reached.read_text()))  # noqa: B023
            os.kill(pid, signal.SIGKILL)
            gate.touch()
            run = studio.ended(run_id, seconds=60)
            judgement.counts["values"] += len(texts)
            judgement.counts["workers killed"] += 1
            judgement.claim(run["status"] == "completed", f"{run_id}: {run['error']}", as_count="runs not completed")
            wrong = (run["result"] or {}).get("wrong", [])
            judgement.claim(not wrong, f"changed: {[texts[at] for at in wrong]}", as_count="runs with changed values")
        code, said = studio.check()
        judgement.claim(code == 0, f"treadle fsck: exit {code}:\n{said[-3000:]}", as_count="fsck not clean")
    finally:
        studio.close()
    return judgement
