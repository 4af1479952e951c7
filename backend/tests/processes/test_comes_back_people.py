"""What people were asked, and what they asked for, outlives every process: the web's and the workers'."""

from __future__ import annotations

from pathlib import Path

FLOWS = Path(__file__).parent / "people_flows.py"
WORKERS = 1


def test_prompt_is_there_while_nothing_runs_and_takes_one_answer(mortal):
    """One that a step has left behind, and one that a step waits for in its middle."""
    runs = {name: mortal.begin(name, name=name) for name in ("Asks", "Waits")}
    before = {name: mortal.prompt(run_id) for name, run_id in runs.items()}
    answered = {}
    with mortal.nobody_working(web_too=True):
        told = mortal.ask("GET", "/inbox.json").json["prompts"]
        assert {prompt["run"] for prompt in told} == set(runs.values())
        for name, run_id in runs.items():
            prompt = mortal.prompt(run_id)
            assert prompt == before[name]
            assert f"Which colour, {name}?" in mortal.ask("GET", prompt["url"]).text
            first = mortal.post(prompt["url"] + "/response", {"response": "woad"})
            assert first.status == 201, first.text
            second = mortal.post(prompt["url"] + "/response", {"response": "madder"})
            (closed,) = mortal.ask("GET", f"/runs/{run_id}/prompts.json").json["prompts"]
            assert (second.status, second.json["code"], closed["status"]) == (409, "prompt_answered", "answered")
            assert second.json["message"].startswith("This prompt was already answered at ")
            answered[name] = second.json["answered_at"]
            assert answered[name] == closed["answered_at"]
            assert mortal.run(run_id)["status"] == "waiting"
        early = mortal.post("/workflows/Asks/runs", {"name": "early"})
        assert (early.status, early.json["code"]) == (503, "workflows_loading")
    for name, run_id in runs.items():
        assert mortal.ended(run_id)["result"] == "woad"
        late = mortal.post(before[name]["url"] + "/response", {"response": "weld"})
        assert (late.status, late.json["answered_at"]) == (409, answered[name])
    assert mortal.marks("Asks") == ["asks"]
    assert mortal.marks("Waits") == ["asks", "asks"], "a step that waits runs again from its top, and asks once"


def queued(mortal, run_id):
    return [(item["step"], item["payload"].get("n")) for item in mortal.run(run_id)["queue"]]


def test_held_run_comes_back_held_with_its_queue_and_goes_on_step_by_step(mortal):
    run_id = mortal.post("/workflows/Turns/runs?held=true", {"name": "turn"}).json["id"]
    with mortal.nobody_working():
        assert (mortal.run(run_id)["status"], mortal.run(run_id)["held"]) == ("held", True)
        assert mortal.post(f"/runs/{run_id}/steps").status == 202
    mortal.comes_to(run_id, "step_finished")
    assert queued(mortal, run_id) == [("turn", n) for n in range(4)]

    third = mortal.run(run_id)["queue"][2]["id"]
    with mortal.nobody_working():
        assert mortal.post(f"/runs/{run_id}/steps", {"delivery": third}).status == 202
    mortal.comes_to(run_id, "step_finished", times=2)
    assert mortal.marks("turn") == ["2"]

    assert [mortal.post(f"/runs/{run_id}/steps").status for _ in range(2)] == [202, 202]
    mortal.at_gate("turn")
    mortal.comes_to(run_id, "step_finished", times=3)
    mortal.kill_worker_of(run_id)
    mortal.at_gate("turn", times=2)
    assert mortal.marks("turn") == ["2", "0", "1", "1"], "what had leave has it still"
    assert queued(mortal, run_id) == [("turn", 3)]
    assert mortal.post(f"/runs/{run_id}/release").status == 202
    mortal.comes_to(run_id, "step_finished", times=4)
    mortal.open_gate("turn")
    run = mortal.ended(run_id)
    assert (run["status"], run["result"]) == ("completed", [2, 0, 3, 1])
    assert mortal.marks("turn") == ["2", "0", "1", "1", "3"]


def test_run_cancelled_while_nothing_runs_does_nothing_any_more(mortal):
    """Neither those in the middle of a step nor one that has not begun, also where several are taken up at once."""
    names = [f"cancelled {n}" for n in range(4)]
    runs = [mortal.begin("Works", name=name) for name in names]
    for name in names:
        mortal.at_gate(name)
    with mortal.nobody_working():
        runs.append(mortal.begin("Works", name="new"))
        for run_id in runs:
            assert [mortal.post(f"/runs/{run_id}/cancellation").status for _ in range(2)] == [202, 202]
            assert mortal.run(run_id)["status"] == "running"
    for run_id in runs:
        assert mortal.ended(run_id)["status"] == "cancelled"
        assert mortal.post(f"/runs/{run_id}/cancellation").status == 409
        assert len(mortal.entries(run_id, "run_cancelled")) == 1
    assert [mortal.marks(name) for name in (*names, "new")] == [["works"]] * 4 + [[]]


def test_start_accepted_while_nothing_runs_is_one_run_however_often_it_is_asked_for(mortal):
    mortal.open_gate("key")

    def ask(name):
        return mortal.post("/workflows/Works/runs", {"name": name}, **{"Idempotency-Key": "k 1"})

    with mortal.nobody_working():
        first = ask("key")
        assert first.status == 201, first.text
        assert ask("key").status == 200
    run_id = first.json["id"]
    assert mortal.ended(run_id)["result"] == "done"
    mortal.kill()
    mortal.start()
    again = ask("key")
    assert (again.status, again.json) == (200, first.json)
    other = ask("another")
    assert (other.status, other.json["code"]) == (409, "idempotency_conflict")
    assert run_id in other.json["message"]
    assert mortal.marks("key") == ["works"]
