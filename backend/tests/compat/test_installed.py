"""Beside LlamaIndex itself, in an environment of its own: files get Treadle, LlamaIndex's own code keeps its engine."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers import Peer, python_of

SOURCES = Path(__file__).parents[2]
LLAMA_INDEX = Peer("llama-index", "", ("llama-index-core==0.14.25", "llama-index-workflows==2.26.1"))

pytestmark = pytest.mark.slow

# A model, an agent that asks it, and a workflow that asks the agent about a document.
SCRIPT = """
import asyncio
import json

from llama_index.core import Document
from llama_index.core.agent.workflow import ReActAgent
from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata
from llama_index.core.prompts import PromptTemplate
from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step
from llama_index.core.workflow.retry_policy import ConstantDelayRetryPolicy
from workflows.events import Event as SameEvent


class Oracle(CustomLLM):
    @property
    def metadata(self):
        return LLMMetadata()

    def complete(self, prompt, **kwargs):
        return CompletionResponse(text="Thought: I can answer without using any more tools.\\nAnswer: a cria")

    def stream_complete(self, prompt, **kwargs):
        yield self.complete(prompt)


class Ask(Event):
    document: Document


class Flow(Workflow):
    @step(retry_policy=ConstantDelayRetryPolicy(delay=0, maximum_attempts=2))
    async def load(self, ctx: Context, ev: StartEvent) -> Ask:
        text = PromptTemplate("What is {what} called?").format(what=ev.get("what"))
        return Ask(document=Document(text=text))

    @step
    async def ask(self, ev: Ask) -> StopEvent:
        agent = ReActAgent(llm=Oracle(), tools=[])
        handler = agent.run(user_msg=ev.document.text)
        return StopEvent(result=[ev.document.text, str(await handler), type(handler).__module__])


async def main():
    handler = Flow(timeout=20).run(what="a baby llama")
    facts = {
        "result": await handler,
        "handler": type(handler).__module__,
        "workflow": Workflow.__module__,
        "document": Document.__module__,
        "one event": Event is SameEvent,
        "agents are workflows of this engine": issubclass(ReActAgent, Workflow),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    asyncio.run(main())
"""

ORDER = """
import json

import workflows
import workflows.events
from workflows import Workflow as Theirs

import treadle
from treadle import compat

theirs_dict = vars(workflows.events)
compat.install()
from workflows import Workflow as Ours
from llama_index.core.workflow import Context, Event
import llama_index.core.agent.workflow

own = compat.original("workflows")
facts = {
    "imported before": Theirs.__module__,
    "imported after": Ours is treadle.Workflow and Event is treadle.Event,
    "original": own.Workflow is Theirs,
    "namespace": vars(workflows.events) is theirs_dict and "SerializableEvent" in theirs_dict,
}
try:
    from workflows.events import DictLikeModel
except ImportError as error:
    facts["missing"] = str(error)
try:
    from workflows.server import WorkflowServer
    WorkflowServer()
except treadle.TreadleError as error:
    facts["useless"] = str(error)
compat.uninstall()
from workflows import Workflow as Again

facts["imported at last"] = Again is Theirs
print(json.dumps(facts))
"""

LOADING = """
import json
import sys
from pathlib import Path

from treadle.registry.loader import load_paths

print(json.dumps({item.name: list(item.workflow.table.steps) for item in load_paths([Path(sys.argv[1])])}))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    return python_of(LLAMA_INDEX)


def told(python: Path, *arguments: str | Path) -> Any:
    """What a process of that environment, which finds Treadle too, prints as JSON."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment["PYTHONPATH"] = str(SOURCES)
    command = [python, "-W", "ignore", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "script.py"
    file.write_text(SCRIPT)
    return file


def test_script_gets_llama_index_from_python_and_treadle_from_compat(python: Path, script: Path) -> None:
    """The same file, unchanged, both ways; the agent it asks runs on LlamaIndex's engine in both."""
    answer = ["What is a baby llama called?", "a cria", "workflows.handler"]
    plain, ours = told(python, script), told(python, "-m", "treadle.compat", script)
    assert plain == {
        "result": answer,
        "handler": "workflows.handler",
        "workflow": "workflows.workflow",
        "document": "llama_index.core.schema",
        "one event": True,
        "agents are workflows of this engine": True,
    }
    assert ours == {
        **plain,
        "handler": "treadle.engine.handler",
        "workflow": "treadle.engine.workflow",
        "agents are workflows of this engine": False,
    }


def test_file_loads_in_the_registry_unchanged(python: Path, script: Path) -> None:
    assert told(python, "-c", LOADING, script) == {"Flow": ["load", "ask"]}


def test_what_was_imported_before_stays_and_comes_back_after(python: Path) -> None:
    assert told(python, "-c", ORDER) == {
        "imported before": "workflows.workflow",
        "imported after": True,
        "original": True,
        "namespace": True,
        "missing": "Treadle has no DictLikeModel for workflows.events: Event is such a model. LlamaIndex's own, "
        'for its own agents, is treadle.compat.original("workflows.events").DictLikeModel.',
        "useless": "Treadle has no WorkflowServer: `treadle serve FILE` serves the workflows of a file.",
        "imported at last": True,
    }
