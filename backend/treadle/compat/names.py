"""The names: which modules of LlamaIndex are served, what each offers, and what to say of a name Treadle lacks.

A name that is in no table below is looked up on the `treadle` face itself, so what the face gains is served at once.
"""

from __future__ import annotations

_EVENTS = (
    "Event", "StartEvent", "StopEvent", "InputRequiredEvent", "HumanResponseEvent", "EventType",
    "StepFailedEvent", "WorkflowFailedEvent", "WorkflowTimedOutEvent", "WorkflowCancelledEvent",
)
_ERRORS = (
    "WorkflowValidationError", "WorkflowRuntimeError", "WorkflowTimeoutError", "WorkflowCancelledByUser",
    "WorkflowConfigurationError", "WorkflowStepDoesNotExistError", "WorkflowDone", "ContextSerdeError",
    "ContextStateError",
)
_SERIALIZERS = ("JsonSerializer", "JsonPickleSerializer", "PickleSerializer")
_RETRY = ("RetryPolicy", "ConstantDelayRetryPolicy", "ExponentialBackoffRetryPolicy")
_DRAWING = ("draw_all_possible_flows", "draw_most_recent_execution")
_CHECKPOINTS = ("Checkpoint", "CheckpointCallback", "WorkflowCheckpointer")

# Submodule (of a served package; "" is the package itself) -> what `from it import *` brings.
Modules = dict[str, tuple[str, ...]]

ENGINE: Modules = {
    "": (
        "Context", "Workflow", "WorkflowHandler", "step", "catch_error", "Resource",
        *_EVENTS, *_ERRORS, *_RETRY, *_DRAWING, *_SERIALIZERS[:2], *_CHECKPOINTS,
    ),
    "checkpointer": _CHECKPOINTS,
    "client": ("WorkflowClient",),
    "collect": (),
    "context": ("Context", *_SERIALIZERS),
    "context.context": ("Context",),
    "context.serializers": _SERIALIZERS,
    "context.state_store": (),
    "context.utils": (),
    "context_serializers": _SERIALIZERS,
    "decorators": ("catch_error", "step"),
    "drawing": _DRAWING,
    "errors": _ERRORS,
    "events": _EVENTS,
    "handler": ("WorkflowHandler",),
    "plugins": (),
    "protocol": (),
    "representation": (),
    "resource": ("Resource",),
    "retry_policy": _RETRY,
    "server": ("WorkflowServer",),
    "service": (),
    "testing": (),
    "types": ("RunResultT", "StopEventT"),
    "utils": (),
    "workflow": ("Workflow", "WorkflowMeta"),
}

DRAWING: Modules = {"": _DRAWING}

_CLIENTS = ("LlamaDeployClient", "AsyncLlamaDeployClient", "LlamaAgentsClient", "AsyncLlamaAgentsClient", "Client")
_CONTROL = ("ControlPlaneServer", "ControlPlaneConfig")
_DEPLOY = ("deploy_core", "deploy_workflow")
_CONSUMERS = ("BaseMessageQueueConsumer", "CallableMessageConsumer")
_SIMPLE = ("SimpleMessageQueue", "SimpleMessageQueueConfig", "SimpleRemoteClientMessageQueue")
_KAFKA = ("KafkaMessageQueue", "KafkaMessageQueueConfig")
_RABBITMQ = ("RabbitMQMessageQueue", "RabbitMQMessageQueueConfig")
_REDIS = ("RedisMessageQueue", "RedisMessageQueueConfig")
_AWS = ("AWSMessageQueue", "AWSMessageQueueConfig")
_ORCHESTRATORS = (
    "AgentOrchestrator", "BaseOrchestrator", "OrchestratorRouter", "PipelineOrchestrator", "SimpleOrchestrator",
    "SimpleOrchestratorConfig",
)
_SERVICES = (
    "AgentService", "BaseService", "ComponentService", "HumanService", "ToolService", "WorkflowService",
    "WorkflowServiceConfig",
)
_TOOLS = ("AgentServiceTool", "MetaServiceTool", "ServiceAsTool", "ServiceComponent", "ServiceTool")
_LAUNCHERS = ("LocalLauncher", "ServerLauncher")
_TYPES = ("ActionTypes", "ServiceDefinition", "SessionDefinition", "TaskDefinition", "TaskResult")
_QUEUES: Modules = {
    "": ("BaseMessageQueue", *_SIMPLE, *_KAFKA, *_RABBITMQ, *_REDIS, *_AWS),
    "apache_kafka": _KAFKA,
    "aws": _AWS,
    "base": ("BaseMessageQueue",),
    "rabbitmq": _RABBITMQ,
    "redis": _REDIS,
    "simple": _SIMPLE,
}
_FOLDERS = ("message_queues", "message_queue")  # the first is the package's, the second the seed's

DEPLOYMENT: Modules = {
    "": (
        *_CLIENTS, *_CONTROL, *_DEPLOY, *_CONSUMERS, "QueueMessage", *_ORCHESTRATORS, *_SERVICES, *_TOOLS, *_LAUNCHERS,
        *_TYPES, *_QUEUES[""],
    ),
    "client": _CLIENTS,
    "control_plane": ("BaseControlPlane", *_CONTROL),
    "deploy": _DEPLOY,
    "launchers": _LAUNCHERS,
    "message_consumers": _CONSUMERS,
    "messages": ("QueueMessage",),
    "orchestrators": _ORCHESTRATORS,
    "services": _SERVICES,
    "tools": _TOOLS,
    "types": _TYPES,
    **{f"{folder}.{name}".rstrip("."): offers for folder in _FOLDERS for name, offers in _QUEUES.items()},
}

PACKAGES: dict[str, Modules] = {
    "llama_index.core.workflow": ENGINE,
    "llama_index.utils.workflow": DRAWING,
    "workflows": ENGINE,
    "llama_agents.workflows": ENGINE,
    "llama_agents": DEPLOYMENT,
    "llama_deploy": DEPLOYMENT,
}

PARENTS = ("llama_index", "llama_index.core", "llama_index.utils")
FAMILY = ("llama_index", "workflows", "llama_agents", "llama_deploy")

# Errors LlamaIndex tells apart and Treadle does not: `except` catches what Treadle raises there.
SAME_AS = {
    "ContextSerdeError": "TreadleError",
    "ContextStateError": "WorkflowRuntimeError",
    "WorkflowConfigurationError": "WorkflowValidationError",
    "WorkflowDone": "TreadleError",
    "WorkflowStepDoesNotExistError": "WorkflowRuntimeError",
}

# Names that a file may import, and that say what they say here when they are used.
_PICKLE = "pickled bytes are never read; a context is saved as JSON by `ctx.to_dict()`"
_MEMORY = "the studio keeps every step of every run; in a program, `ctx.to_dict()` saves a run at any moment"
USELESS = {
    "JsonPickleSerializer": _PICKLE,
    "PickleSerializer": _PICKLE,
    **dict.fromkeys(_CHECKPOINTS, _MEMORY),
    "WorkflowClient": "`treadle serve FILE` has an HTTP interface of its own",
    "WorkflowServer": "`treadle serve FILE` serves the workflows of a file",
}

# What to do instead of a name that is not there at all.
_STORE = "the state of a run is `ctx.store`; annotate `ctx: Context[State]` to have it typed"
_POLICY = "ExponentialBackoffRetryPolicy, or any object with `next(elapsed_time, attempts, error)`, is a retry policy"
_JOIN = "several event parameters of a step are a join, and `ctx.collect_events` takes any number"
_GRAPH = "draw_all_possible_flows draws the steps, and so does the studio"
_TEST = "`await workflow.run(...)` and `handler.stream_events()` are all a test needs"
_SLOTS = "`workflow.add_workflows(name=...)` fills the slot that a step asks for by a parameter of that name"
_INSIDE = "it is of the inside of LlamaIndex's engine"
INSTEAD = {
    "All": _JOIN,
    "BaseSerializer": "a context is saved as JSON by `ctx.to_dict()`",
    "Collect": _JOIN,
    "DictLikeModel": "Event is such a model",
    "DictState": _STORE,
    "InMemoryStateStore": _STORE,
    "ResourceConfig": "Resource takes any function, one that reads a file too",
    "ServiceManager": _SLOTS,
    "ServiceNotFoundError": _SLOTS,
    "StateStore": _STORE,
    "StepConfig": _INSIDE,
    "StepState": "`handler.stream_events(expose_internal=True)` shows what the engine does",
    "StepStateChanged": "`handler.stream_events(expose_internal=True)` shows what the engine does",
    "Take": _JOIN,
    "WorkflowTestRunner": _TEST,
    "draw_all_possible_flows_mermaid": _GRAPH,
    "draw_most_recent_execution_mermaid": "draw_most_recent_execution draws a run as HTML",
    "get_workflow_representation": _GRAPH,
    "retry_policy": _POLICY,
}


def instead_of(name: str) -> str:
    """What to do without `name`, as a clause; empty when there is nothing to say."""
    if name.startswith(("retry_", "stop_", "wait_")):
        return _POLICY
    return INSTEAD.get(name, "")


def modules_of(module: str) -> tuple[str, Modules] | None:
    """The served package that `module` belongs to, and its submodules; None for a module of somebody else."""
    for package, modules in PACKAGES.items():
        if module == package or module.startswith(f"{package}."):
            return package, modules
    return None


def offered_by(module: str) -> tuple[str, ...] | None:
    """What `from module import *` brings; None for a module that Treadle does not serve."""
    found = modules_of(module)
    return None if found is None else found[1].get(module[len(found[0]) + 1 :])
