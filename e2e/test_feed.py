"""Live updates that are lost, and come back."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Route, expect

from studio import Studio
from visitor import Visitor


def test_banner_while_the_studio_is_down_then_rows_go_on(
    launch: Callable[..., Studio], login: Callable[[Studio], Visitor]
) -> None:
    studio = launch(workflows=("workflows/streaming.py",))
    person = login(studio)
    words = " ".join(f"pick{number}" for number in range(12))
    person.run_from_form("StreamingWorkflow", {"first_input": words, "pause": "0.5"})
    person.mark()
    expect(person.rows.filter(has_text="pick2").first).to_be_visible()
    expect(person.banner).to_be_hidden()
    assert studio.stop() == 0
    expect(person.banner).to_be_visible()
    expect(person.rows.filter(has_text="pick2").first).to_be_visible()
    studio.start()
    expect(person.banner).to_be_hidden(timeout=30_000)
    expect(person.rows.filter(has_text="pick11").first).to_be_visible()
    person.expect_status("completed")
    person.expect_marked()
    numbers = person.rows.locator(".seq").all_inner_texts()
    assert numbers == [str(number + 1) for number in range(len(numbers))]


def test_lists_say_when_they_are_no_longer_live(
    launch: Callable[..., Studio], login: Callable[[Studio], Visitor]
) -> None:
    studio = launch(workflows=("workflows/loop.py",))
    person = login(studio)
    person.mark()
    run = person.start("LoopWorkflow")
    expect(person.page.get_by_role("link", name=f"run {run[:6]}")).to_be_attached()
    expect(person.banner).to_be_hidden()
    studio.kill()
    expect(person.banner).to_be_visible()
    studio.start()
    expect(person.banner).to_be_hidden(timeout=30_000)
    person.expect_marked()


def test_page_is_live_when_a_script_comes_late(visitor: Visitor) -> None:
    def late(route: Route) -> None:
        # Asked for again and again before it is handed over: slower than all other scripts together.
        for _ in range(30):
            answer = route.fetch()
        route.fulfill(response=answer)

    visitor.page.route("**/hx-sse.min.js*", late)
    visitor.open("/runs")
    run = visitor.start("LoopWorkflow")
    expect(visitor.page.locator(f"#row-{run}").get_by_text("completed")).to_be_visible()
