"""Without LlamaIndex: its names are Treadle's, and a name that is missing says what to do."""

from __future__ import annotations

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import treadle
from treadle import TreadleError, WorkflowRuntimeError, WorkflowValidationError, compat
from treadle.compat.finder import Finder
from treadle.compat.names import PACKAGES, offered_by

FAMILY = {"llama_index", "workflows", "llama_agents", "llama_deploy"}
FACE = [name for name in treadle.__all__ if name != "TreadleError"]


def imported() -> set[str]:
    return {name for name in sys.modules if name.partition(".")[0] in FAMILY}


def run(source: str) -> dict[str, object]:
    """What a module of somebody's has after this source."""
    names: dict[str, object] = {"__name__": "somebody"}
    exec(source, names)
    return names


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("package", ["llama_index.core.workflow", "workflows", "llama_agents.workflows"])
@pytest.mark.parametrize("name", FACE)
def test_every_name_of_the_face_is_served_as_the_same_object(package: str, name: str) -> None:
    assert run(f"from {package} import {name}")[name] is getattr(treadle, name)


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("events", "Event, StartEvent, StopEvent, InputRequiredEvent, HumanResponseEvent, StepFailedEvent"),
        ("errors", "WorkflowRuntimeError, WorkflowTimeoutError, WorkflowValidationError, WorkflowCancelledByUser"),
        ("context", "Context"),
        ("context.context", "Context"),
        ("decorators", "step, catch_error"),
        ("handler", "WorkflowHandler"),
        ("workflow", "Workflow"),
        ("retry_policy", "RetryPolicy, ConstantDelayRetryPolicy, ExponentialBackoffRetryPolicy"),
        ("resource", "Resource"),
        ("drawing", "draw_all_possible_flows, draw_most_recent_execution"),
    ],
)
@pytest.mark.parametrize("package", ["llama_index.core.workflow", "workflows"])
def test_submodules_serve_what_belongs_to_them(package: str, module: str, names: str) -> None:
    for name in names.split(", "):
        assert run(f"from {package}.{module} import {name}")[name] is getattr(treadle, name)
        assert name in run(f"from {package}.{module} import *")


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    "source",
    [
        "from llama_index.core.workflow import Workflow as found",
        "import llama_index.core.workflow as w; found = w.Workflow",
        "import llama_index.core.workflow; found = llama_index.core.workflow.workflow.Workflow",
        "import llama_index.core; found = llama_index.core.workflow.Workflow",
        "from llama_index.core import workflow; found = workflow.Workflow",
        "from workflows import workflow; found = workflow.Workflow",
        "import workflows; found = workflows.workflow.Workflow",
        "import importlib; found = importlib.import_module('workflows.workflow').Workflow",
        "from workflows import *; found = Workflow",
    ],
)
def test_every_way_to_import_leads_to_the_same_class(source: str) -> None:
    assert run(source)["found"] is treadle.Workflow


@pytest.mark.usefixtures("served")
def test_every_served_module_imports_and_lists_what_it_has() -> None:
    for package, modules in PACKAGES.items():
        for module in modules:
            name = f"{package}.{module}".rstrip(".")
            listed = importlib.import_module(name).__all__
            assert set(listed) <= set(dir(importlib.import_module(name)))
            assert set(listed) == set(offered_by(name) or ()), "a name in the tables that nothing answers to"


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("from workflows import Nonsense", "Treadle has no Nonsense for workflows."),
        ("from workflows.events import Nonsense", "Treadle has no Nonsense for workflows.events."),
        ("from workflows.context.state_store import DictState", "the state of a run is `ctx.store`"),
        ("from workflows.retry_policy import stop_after_attempt", "ExponentialBackoffRetryPolicy"),
        ("from workflows.testing import WorkflowTestRunner", "`await workflow.run"),
        ("from llama_index.core.workflow.service import ServiceManager", "`workflow.add_workflows(name=...)`"),
        ("from llama_index.utils.workflow import draw_all_possible_flows_mermaid", "draw_all_possible_flows draws"),
        ("from llama_index.core import Document", "for Document, install llama-index-core."),
        ("from llama_deploy import Nonsense", "Treadle has no Nonsense for llama_deploy."),
    ],
)
def test_name_that_is_missing_says_what_to_do(source: str, told: str) -> None:
    with pytest.raises(ImportError) as raised:
        run(source)
    assert told in str(raised.value)


@pytest.mark.usefixtures("served")
def test_missing_attribute_is_an_attribute_error() -> None:
    workflows = importlib.import_module("workflows")
    assert not hasattr(workflows, "Nonsense")
    with pytest.raises(AttributeError, match=r"^Treadle has no Nonsense for workflows\.$"):
        workflows.Nonsense  # noqa: B018 - looking is the test
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'llama_index\.llms'"):
        run("from llama_index.llms.openai import OpenAI")
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'workflows\.nonsense'"):
        run("import workflows.nonsense")


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("source", "raised"),
    [
        ("from workflows.errors import WorkflowConfigurationError as Told", WorkflowValidationError),
        ("from llama_index.core.workflow.errors import WorkflowStepDoesNotExistError as Told", WorkflowRuntimeError),
        ("from workflows.errors import ContextSerdeError as Told", TreadleError),
    ],
)
def test_error_that_treadle_does_not_tell_apart_is_caught_by_its_name(source: str, raised: type[TreadleError]) -> None:
    told = run(source)["Told"]
    assert isinstance(told, type)
    assert issubclass(raised, told)


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    "source",
    [
        "from llama_deploy import deploy_core; deploy_core()",
        "from llama_deploy import deploy_workflow, WorkflowServiceConfig as c; deploy_workflow(None, c)",
        "from llama_deploy import ControlPlaneConfig; ControlPlaneConfig(port=8000)",
        "from llama_deploy import LlamaDeployClient; LlamaDeployClient()",
        "from llama_deploy.message_queues.redis import RedisMessageQueue; RedisMessageQueue()",
        "from llama_agents.message_queue.rabbitmq import RabbitMQMessageQueueConfig; RabbitMQMessageQueueConfig()",
        "from llama_agents import ServiceComponent, PipelineOrchestrator; PipelineOrchestrator()",
        "from llama_agents.launchers import LocalLauncher\nclass Mine(LocalLauncher): pass\nMine()",
    ],
)
def test_deployment_imports_and_says_when_used_what_there_is(source: str) -> None:
    statement, _, _ = source.partition(";")
    run(statement.partition("\n")[0])
    with pytest.raises(TreadleError, match="Treadle does not have yet; `treadle serve FILE` runs"):
        run(source)


@pytest.mark.usefixtures("served")
def test_contexts_are_json_and_pickles_are_refused() -> None:
    serializer = importlib.import_module("workflows.context").JsonSerializer()
    assert serializer.deserialize(serializer.serialize({"topic": ["pirates", 1]})) == {"topic": ["pirates", 1]}
    pickling = importlib.import_module("llama_index.core.workflow.context_serializers")
    for refused in (pickling.JsonPickleSerializer, pickling.PickleSerializer):
        with pytest.raises(TreadleError, match="pickled bytes are never read"):
            refused()


def test_install_brings_nothing_by_itself_and_only_once() -> None:
    compat.uninstall()
    before = imported()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: compat.install(), range(64)))
    assert sum(isinstance(finder, Finder) for finder in sys.meta_path) == 1
    assert imported() == before
    run("import llama_index.core.workflow.events, llama_deploy.client")
    assert imported() > before
    compat.uninstall()
    assert imported() == before
    with pytest.raises(ModuleNotFoundError):
        run("import llama_index.core.workflow")


def test_file_of_the_users_own_called_workflows_stays_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single file of that name, imported before or after."""
    compat.uninstall()
    (tmp_path / "workflows.py").write_text("mine = 'mine'")
    monkeypatch.syspath_prepend(tmp_path)
    before = importlib.import_module("workflows")
    compat.install()
    assert importlib.import_module("workflows") is before
    del sys.modules["workflows"]
    assert importlib.import_module("workflows").mine == "mine"
    compat.uninstall()
    del sys.modules["workflows"]


@pytest.mark.usefixtures("served")
def test_original_of_what_is_not_installed_is_an_import_error() -> None:
    with pytest.raises(ImportError, match=r"^LlamaIndex's own workflows is not installed\.$"):
        compat.original("workflows")
