"""Every lesson of the gallery is run for real, from its file, through the public package."""

from __future__ import annotations

import inspect
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from treadle import (
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    Workflow,
)

Lesson = Callable[[str], ModuleType]

WORKFLOWS = Path(__file__).parents[3] / "workflows"

# file: (workflow class, steps, events of its own)
LESSONS = {
    "branches": (
        "BranchWorkflow",
        {"start", "step_a1", "step_b1", "step_a2", "step_b2"},
        {"BranchStartEvent", "BranchA1Event", "BranchA2Event", "BranchB1Event", "BranchB2Event"},
    ),
    "concurrent_collect": (
        "ConcurrentFlow",
        {"start", "step_a", "step_b", "step_c", "step_three"},
        {
            "TextStartEvent", "StepAEvent", "StepBEvent", "StepCEvent",
            "StepACompleteEvent", "StepBCompleteEvent", "StepCCompleteEvent",
        },
    ),
    "human_in_the_loop": (
        "HumanInTheLoopWorkflow",
        {"write_label", "ask_person", "read_answer"},
        {"LabelStartEvent", "DraftEvent"},
    ),
    "loop": ("LoopWorkflow", {"step_one", "step_two"}, {"LoopStartEvent", "LoopEvent", "FirstEvent"}),
    "multi_strategy_rag": (
        "MultiStrategyRAG",
        {"judge_query", "improve_query", "naive_rag", "high_top_k", "rerank", "judge_response"},
        {
            "QueryStartEvent", "BadQueryEvent", "JudgeEvent", "NaiveRAGEvent", "HighTopKEvent", "RerankEvent",
            "ResponseEvent",
        },
    ),
    "state": ("StatefulFlow", {"start", "setup", "step_two"}, {"YarnStartEvent", "SetupEvent", "StepTwoEvent"}),
    "streaming": (
        "StreamingWorkflow",
        {"step_one", "step_two", "step_three"},
        {"StreamingStartEvent", "FirstEvent", "SecondEvent", "ProgressEvent"},
    ),
}  # fmt: skip


def test_gallery_is_complete() -> None:
    """A lesson without a test would be a lesson nobody ran."""
    assert {path.stem for path in WORKFLOWS.glob("*.py")} == set(LESSONS)


@pytest.mark.parametrize("name", LESSONS)
def test_lesson_has_the_steps_and_events_it_teaches(name: str, lesson: Lesson) -> None:
    module = lesson(name)
    workflow, steps, events = LESSONS[name]
    own = [kind for kind in vars(module).values() if inspect.isclass(kind) and kind.__module__ == module.__name__]
    assert [kind.__name__ for kind in own if issubclass(kind, Workflow)] == [workflow]
    assert {kind.__name__ for kind in own if issubclass(kind, Event)} == events
    methods = vars(getattr(module, workflow)).items()
    assert {name for name, member in methods if inspect.isfunction(member) and name != "__init__"} == steps


@pytest.mark.parametrize("name", LESSONS)
def test_lesson_teaches_and_fills_its_form(name: str, lesson: Lesson) -> None:
    """Docstrings everywhere, and a start form that can be sent as it is."""
    module = lesson(name)
    assert 2 <= len(inspect.cleandoc(module.__doc__ or "").splitlines()) <= 8
    workflow = getattr(module, LESSONS[name][0])
    assert workflow.__doc__ and all(getattr(workflow, step).__doc__ for step in LESSONS[name][1])
    start = next(
        k for k in vars(module).values() if inspect.isclass(k) and issubclass(k, StartEvent) and k is not StartEvent
    )
    assert start.model_fields and all(field.description for field in start.model_fields.values())
    assert json.loads(start().model_dump_json()) == start().model_dump()
    lines = (WORKFLOWS / f"{name}.py").read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("from treadle import") for line in lines) == 1
    assert not any(line.startswith(("from treadle.", "import treadle")) for line in lines)


@pytest.mark.parametrize(
    ("side", "result"),
    [
        ("A", "Branch A complete: flax, wound on a bobbin."),
        ("B", "Branch B complete: flax, dyed blue."),
    ],
)
async def test_branches_takes_the_branch_asked_for(side: str, result: str, lesson: Lesson) -> None:
    assert await lesson("branches").BranchWorkflow().run(side=side, payload="flax") == result


async def test_branches_tosses_a_coin_by_default(lesson: Lesson) -> None:
    assert (await lesson("branches").BranchWorkflow().run()).startswith(("Branch A complete", "Branch B complete"))


@pytest.mark.parametrize("number", [2.0, 1e-6, 144.0, 1e6])
async def test_loop_ends_when_the_guess_is_good(number: float, lesson: Lesson) -> None:
    result = await lesson("loop").LoopWorkflow().run(number=number)
    assert result["verdict"] == "Good enough."
    assert math.isclose(result["root"], math.sqrt(number), rel_tol=1e-8)
    assert result["rounds"] >= 4


async def test_loop_ends_when_the_rounds_are_used_up(lesson: Lesson) -> None:
    result = await lesson("loop").LoopWorkflow().run(number=1e6, most_rounds=2)
    assert (result["verdict"], result["rounds"]) == ("Out of rounds.", 2)


async def test_concurrent_collect_joins_three_reports_in_the_order_asked(lesson: Lesson) -> None:
    """The words come first although they were counted last."""
    result = await lesson("concurrent_collect").ConcurrentFlow().run(text="Over and under. Back again!", pause=0.01)
    assert result == {"words": 5, "sentences": 2, "longest_word": "under"}


async def test_concurrent_collect_bears_an_empty_text(lesson: Lesson) -> None:
    result = await lesson("concurrent_collect").ConcurrentFlow().run(text="", pause=0)
    assert result == {"words": 0, "sentences": 0, "longest_word": ""}


async def test_streaming_shows_every_word_before_the_result(lesson: Lesson) -> None:
    handler = lesson("streaming").StreamingWorkflow().run(first_input="over and under", pause=0)
    seen = [event.msg async for event in handler.stream_events()]
    assert seen == ["Step one is happening", "over", "and", "under", "Step three is happening"]
    assert await handler == "over and under"


async def test_human_in_the_loop_asks_until_the_person_agrees(lesson: Lesson) -> None:
    handler = lesson("human_in_the_loop").HumanInTheLoopWorkflow().run(cloth="plain linen", weaver="Jo")
    answers = iter(["Linen by Jo", "  ", "Yes!"])
    asked = []
    async for event in handler.stream_events():
        if isinstance(event, InputRequiredEvent):
            asked.append(event.prefix)
            handler.ctx.send_event(HumanResponseEvent(response=next(answers)))
    assert await handler == {"label": "Linen by Jo", "rounds": 3}
    assert ["Plain linen, woven by Jo" in asked[0], "Linen by Jo" in asked[1], "Linen by Jo" in asked[2]] == [True] * 3


async def test_state_loads_once_and_is_kept_for_the_next_run(lesson: Lesson) -> None:
    workflow = lesson("state").StatefulFlow()
    first = workflow.run(query="Silk")
    assert await first == {
        "yarn": {"name": "silk", "comes from": "cocoons", "good for": "scarves"}, "asked": 1, "loads": 1,
    }  # fmt: skip
    assert await workflow.run(ctx=first.ctx, query="nylon") == {"yarn": None, "asked": 2, "loads": 1}


def test_documents_are_a_library() -> None:
    documents = [path.read_text(encoding="utf-8") for path in (WORKFLOWS / "documents").glob("*.md")]
    assert len(documents) >= 25
    assert all(text.startswith("# ") and 150 <= len(text.split()) <= 350 for text in documents)


async def test_rag_improves_the_default_question_twice(lesson: Lesson) -> None:
    """The question in the form is misspelt, and vague once that is mended."""
    result = await lesson("multi_strategy_rag").MultiStrategyRAG().run()
    assert result["query"].startswith("How did we get from jacquard to computers (cards")
    assert result["strategy"] in result["scores"] and set(result["scores"]) == {"naive", "high top-k", "rerank"}
    assert result["scores"][result["strategy"]] == max(result["scores"].values())
    assert result["answer"].endswith("(extractive answer, no language model configured)")
    assert "Jacquard" in result["answer"]
    assert {"Punched cards in computing", "The Jacquard loom"} <= {source["title"] for source in result["sources"]}
    assert json.loads(json.dumps(result)) == result


async def test_rag_gives_the_same_answer_every_time(lesson: Lesson) -> None:
    """Three strategies share one index at the same time; none may disturb another."""
    workflow = lesson("multi_strategy_rag").MultiStrategyRAG()
    results = [await handler for handler in [workflow.run() for _ in range(8)]]
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize(
    ("query", "document", "words"),
    [
        ("How did the Apollo guidance computer keep its programs?", "woven-memory.md", "core rope memory"),
        ("How is indigo dye made to enter the fibre?", "indigo.md", "fibre"),
        ("Why did the canuts rise in Lyon in 1831?", "canuts-of-lyon.md", "1831"),
    ],
)
async def test_rag_answers_a_good_question_as_it_is(query: str, document: str, words: str, lesson: Lesson) -> None:
    result = await lesson("multi_strategy_rag").MultiStrategyRAG().run(query=query)
    assert result["query"] == query
    assert document in {source["document"] for source in result["sources"]}
    assert words in result["answer"]


@pytest.mark.parametrize("query", ["zzyzx qwrtpl", "?", "what is it"])
async def test_rag_says_so_when_nothing_is_found(query: str, lesson: Lesson) -> None:
    """The loop ends although the question can not be improved."""
    result = await lesson("multi_strategy_rag").MultiStrategyRAG().run(query=query)
    assert result["answer"].startswith("The documents do not say.")
    assert (result["sources"], set(result["scores"].values())) == ([], {0.0})


@pytest.mark.parametrize(("most", "query"), [(0, "jaquard"), (1, "jacquard")])
async def test_rag_improves_no_more_often_than_allowed(most: int, query: str, lesson: Lesson) -> None:
    result = await lesson("multi_strategy_rag").MultiStrategyRAG().run(query="jaquard", max_improvements=most)
    assert result["query"] == query


async def test_rag_asks_a_language_model_when_one_is_configured(lesson: Lesson, model_server: Any) -> None:
    """It rewrites the question, writes the answers and picks one, even one that does not score best."""

    def reply(task: str, text: str) -> str:
        if task.startswith("Rewrite"):
            return '"How did Jacquard looms with punched cards lead to computers?"'
        if task.startswith("Which"):
            return "I prefer number 2."
        return f"By way of punched cards [1], says one who read {text.count('[')} passages."

    model_server.reply = reply
    result = await lesson("multi_strategy_rag").MultiStrategyRAG().run(top_k=5)
    assert result["query"] == "How did Jacquard looms with punched cards lead to computers?"
    assert (result["strategy"], result["answer"]) == (
        "naive", "By way of punched cards [1], says one who read 2 passages.",
    )  # fmt: skip
    assert [request["path"] for request in model_server.requests] == ["/v1/chat/completions"] * 5
    assert {request["model"] for request in model_server.requests} == {"loom-1"}


async def test_rag_trusts_its_scores_when_the_model_gives_no_choice(lesson: Lesson, model_server: Any) -> None:
    model_server.reply = lambda task, text: "All are lovely."
    result = await lesson("multi_strategy_rag").MultiStrategyRAG().run(query="How do treadles lift shafts?")
    assert result["answer"] == "All are lovely."
    assert result["scores"][result["strategy"]] == max(result["scores"].values())


@pytest.mark.parametrize("library", ["bm25s", "sklearn.feature_extraction.text"])
async def test_rag_says_what_to_install_when_a_library_is_missing(
    library: str, lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file loads and draws without its libraries; the step that needs them names the remedy."""
    monkeypatch.setitem(sys.modules, library, None)
    module = lesson("multi_strategy_rag")
    with pytest.raises(RuntimeError, match=rf"needs {library.partition('.')[0]}.*pip install 'treadle\[gallery\]'"):
        await module.MultiStrategyRAG().run()
