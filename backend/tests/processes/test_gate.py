"""Who may not come in: foreign hosts, foreign pages, other machines, a second server."""

from __future__ import annotations

import subprocess
import sys

from processes.serving import Serving, until


def test_foreign_host_gets_421(serving):
    for host in ("evil.example", f"evil.example:{serving.port}", "127.0.0.1:1"):
        answer = serving.ask("GET", "/", headers={"Host": host})
        assert answer.status == 421, host


def test_post_with_a_foreign_origin_gets_403_and_changes_nothing(serving):
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = serving.ask("POST", "/workflows/Naps/runs", {"naps": 1}, headers=headers)
        assert answer.status == 403, headers
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert serving.ask("POST", "/workflows/Naps/runs", {}, headers=form).status == 403
    assert serving.rows("SELECT * FROM run") == []


def test_second_server_on_a_database_exits_3_and_names_the_first(serving):
    second = Serving(serving.folder, serving._workflows)
    ended = subprocess.run(second.command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 3
    assert str(serving.port) in ended.stderr
    assert serving.process is not None
    assert str(serving.process.pid) in ended.stderr


def test_serving_other_machines_without_a_login_exits_2(tmp_path):
    command = [sys.executable, "-m", "treadle", "serve", "--host", "0.0.0.0", "--port", "0"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert "0.0.0.0" in ended.stderr
    assert not list(tmp_path.iterdir())


def test_interrupt_stops_the_studio_cleanly(serving):
    until("both workers are there", lambda: len(serving.worker_pids()) == 2)
    asking = serving.begin("Asks")
    napping = serving.begin("Naps", naps=100)
    serving.prompt(asking)
    assert serving.stop() == 0
    assert "Traceback" not in serving.output
    assert "Fatal" not in serving.output
    exits = [row["exit"] for row in serving.rows("SELECT exit FROM worker")]
    assert exits == ["stopped", "stopped"]
    serving.start()
    assert serving.ended(napping)["result"] == "rested"
    assert serving.prompt(asking)["prefix"] == "Which number?"
