"""A run watched from the first event to the result, on the page that its form led to."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from conftest import Visit
from studio import Studio
from visitor import Visitor

# Two words are misspelt, and once they are mended the question is too vague: twice round the loop.
QUESTION = "What has a jaquard to do with computrs?"
LOOP = "event:JudgeEvent>step:judge_query"


def test_rag_lights_up_live_and_is_remembered(
    launch: Callable[..., Studio], login: Callable[[Studio], Visitor]
) -> None:
    # A studio of its own: its workers load their libraries in the first step, which leaves time to see it running.
    person = login(launch(workflows=("workflows/multi_strategy_rag.py",)))
    person.run_from_form("MultiStrategyRAG", {"query": QUESTION})
    page = person.page
    person.mark()
    person.expect_node("step:judge_query", "running")
    person.expect_edge("event:QueryStartEvent>step:judge_query", "done")
    person.expect_node("step:judge_response", "idle")
    person.expect_node("event:StopEvent", "idle")

    person.expect_status("completed")
    person.expect_marked()
    person.expect_edge(LOOP, "done", count="×2")
    person.expect_edge("step:improve_query>event:JudgeEvent", "done", count="×2")
    person.expect_node("step:judge_query", "done", count="×3")
    person.expect_node("step:judge_response", "done", count="×3")
    person.expect_node("event:StopEvent", "done")
    result = page.get_by_role("region", name="Result")
    expect(result).to_contain_text("extractive answer, no language model configured")
    expect(result).to_contain_text("What has a jacquard to do with computers (")
    picture = person.graph()
    assert {part: f"is-{status}" for part, status in person.canvas().items()} == {
        part: status for part, (status, _) in picture.items()
    }
    rows, answer = person.rows.all_inner_texts(), result.inner_text()
    assert len(rows) > 15

    page.reload()
    person.expect_status("completed")
    assert person.graph() == picture
    assert person.rows.all_inner_texts() == rows
    assert result.inner_text() == answer


def test_streamed_rows_arrive_in_order_and_a_row_tells_its_cause(visitor: Visitor) -> None:
    visitor.run_from_form("StreamingWorkflow", {"first_input": "warp weft shed", "pause": "0.2"})
    page = visitor.page
    for word in ("warp", "weft", "shed"):
        expect(visitor.rows.filter(has_text="ProgressEvent").filter(has_text=word).first).to_be_visible()
    visitor.expect_status("completed")
    numbers = visitor.rows.locator(".seq").all_inner_texts()
    assert numbers == [str(number + 1) for number in range(len(numbers))]
    last = visitor.rows.last
    last.locator("summary").first.click()
    cause = last.get_by_role("link", name="#")
    expect(cause).to_be_visible()
    number = cause.inner_text().removeprefix("#")
    cause.click()
    expect(page.locator(f"#e{number} .payload")).to_be_visible()


def test_home_follows_a_run_that_somebody_else_starts(visitor: Visitor, visit: Visit) -> None:
    other = visit()
    other.open("/")
    run = other.start("EndlessCloth")
    expect(visitor.page.get_by_role("region", name="Going on").get_by_role("link", name=run[-4:])).to_be_visible()
    other.open(f"/runs/{run}")
    other.page.get_by_role("button", name="Cancel").click()
    other.expect_status("cancelled")
    expect(visitor.page.locator(f'#row-{run}')).to_have_count(0)


def test_continuing_takes_the_context_of_a_finished_run_along(visitor: Visitor) -> None:
    visitor.run_from_form("StatefulFlow")
    visitor.expect_status("completed")
    visitor.expect_node("step:setup", "done")
    visitor.page.get_by_role("link", name="Continue from this context").click()
    visitor.field("query").fill("wool")
    visitor.page.get_by_role("button", name="Run", exact=True).click()
    visitor.page.wait_for_url("**/runs/*")
    visitor.expect_status("completed")
    visitor.expect_node("step:setup", "idle")
    expect(visitor.page.get_by_text("Continued from")).to_be_visible()
    expect(visitor.page.get_by_role("region", name="Result")).to_contain_text("sheep")
