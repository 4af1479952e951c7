"""What one run or one request brings must not stop the others: neither its words nor its values."""

from __future__ import annotations

from processes.serving import until


def others_go_on(serving):
    return [serving.ended(serving.begin("Naps", naps=1))["result"] for _ in range(4)] == ["rested"] * 4


def test_response_its_event_refuses_leaves_the_prompt_open(serving):
    run_id = serving.begin("Picky")
    url = serving.prompt(run_id)["url"] + "/response"
    assert serving.ask("POST", url, {"n": 3}).status in (201, 422)
    serving.prompt(run_id)

    def answered():
        return serving.ask("POST", url, {"n": 4}).status == 201

    until("the prompt takes another answer", answered)
    assert serving.ended(run_id)["result"] == 4
    assert others_go_on(serving)


def test_response_of_an_unknown_type_and_a_strange_delivery_stop_nobody(serving):
    run_id = serving.begin("Picky")
    prompt = serving.prompt(run_id)
    serving.ask("POST", prompt["url"] + "/response?type=Nope", {"n": 4})
    serving.ask("POST", f"/runs/{run_id}/steps?delivery=x:y", {})
    assert others_go_on(serving)
    assert serving.prompt(run_id)["id"] == prompt["id"]


def test_value_that_cannot_even_be_shown_ends_its_run_and_stops_nobody(serving):
    run = serving.ended(serving.begin("Secretive"))
    assert run["status"] == "completed"
    assert "Shy" in run["result"]
    assert others_go_on(serving)
