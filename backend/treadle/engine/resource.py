"""Resources: what a step asks for by `Annotated[T, Resource(factory)]`, made when it is first needed."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine, Hashable, Iterable
from typing import Annotated, Any, get_args, get_origin

from treadle.engine.annotations import hints_of
from treadle.engine.state import MISSING
from treadle.errors import WorkflowValidationError

Wanted = Iterable[tuple[str, "Resource"]]
"""Resources by the name of the parameter that gets them."""


class Resource:
    """Says how the value of a step's parameter is made: by `factory`, a function or a coroutine function.

    A value is made once for each workflow instance and shared by its steps and runs; `cache=False` makes one for every
    execution of a step. A factory may ask for resources of its own in the same way. A plain function is called on the
    event loop: when it takes long, make it a coroutine function that awaits. A factory that fails fails the step that
    asked, and is called again when the next one asks.

    >>> import asyncio
    >>> from typing import Annotated
    >>> from treadle import Resource, StartEvent, StopEvent, Workflow, step
    >>> def load_words():
    ...     return ["warp", "weft"]
    >>> class Count(Workflow):
    ...     @step
    ...     async def count(self, ev: StartEvent, words: Annotated[list, Resource(load_words)]) -> StopEvent:
    ...         return StopEvent(result=len(words))
    >>> async def main():
    ...     return await Count().run()
    >>> asyncio.run(main())
    2
    """

    __slots__ = ("_needs", "cache", "factory", "key")

    def __init__(self, factory: Callable[..., Any], cache: bool = True) -> None:
        if not callable(factory):
            raise WorkflowValidationError(f"Resource takes a function that makes the value, not {factory!r}.")
        self.factory = factory
        self.cache = cache
        self.key: Hashable = factory if _is_hashable(factory) else id(factory)
        self._needs: tuple[tuple[str, Resource], ...] | None = None

    def __repr__(self) -> str:
        return f"Resource({self.name})"

    @property
    def name(self) -> str:
        """The name of the factory."""
        function = self.factory
        while isinstance(function, functools.partial):
            function = function.func
        return getattr(function, "__name__", type(function).__name__)

    @property
    def needs(self) -> tuple[tuple[str, Resource], ...]:
        """The resources the factory asks for, by parameter.

        Raises WorkflowValidationError for an argument that nothing fills and for resources that need each other,
        NameError for an annotation that names what is not defined.
        """
        self.resolve()
        return self._needs or ()

    def resolve(self, askers: tuple[Resource, ...] = ()) -> None:
        """Find out what the factory needs, for `askers`, each of which needs the next. Raises as `needs` does."""
        if any(asker.key == self.key for asker in askers):
            circle = " -> ".join(resource.name for resource in (*askers, self))
            raise WorkflowValidationError(f"Resources need each other in a circle: {circle}. Let one do without.")
        if self._needs is None:
            needs = _needs_of(self)
            for _, need in needs:
                need.resolve((*askers, self))
            self._needs = needs


class ResourceCache:
    """The resources of one workflow instance, each made once, however many steps ask at the same time.

    Nothing in here belongs to an event loop for longer than something is being made on it.
    """

    def __init__(self) -> None:
        self._made: dict[Hashable, Any] = {}
        self._making: dict[Hashable, asyncio.Future[Exception | None]] = {}

    async def fill(self, wanted: Wanted) -> dict[str, Any]:
        """The values of the parameters in `wanted`, for one execution. Raises what a factory raises."""
        own: dict[Hashable, Any] = {}
        return {name: await self._value(resource, own) for name, resource in wanted}

    async def _value(self, resource: Resource, own: dict[Hashable, Any]) -> Any:
        key = resource.key
        if not resource.cache:
            if key not in own:
                own[key] = await self._new(resource, own)
            return own[key]
        while (value := self._made.get(key, MISSING)) is MISSING:
            loop = asyncio.get_running_loop()
            making = self._making.get(key)
            if making is None or making.get_loop() is not loop:
                await self._make(resource, loop.create_future())
            elif (error := await asyncio.shield(making)) is not None:
                raise error
        return value

    async def _make(self, resource: Resource, making: asyncio.Future[Exception | None]) -> None:
        key = resource.key
        self._making[key] = making
        error: Exception | None = None
        try:
            self._made.setdefault(key, await self._new(resource, {}))
        except Exception as failure:
            error = failure
            raise
        finally:  # whoever waits gets the value, or the error, or, when this step was cancelled, makes it himself
            if self._making.get(key) is making:
                del self._making[key]
            making.set_result(error)

    async def _new(self, resource: Resource, own: dict[Hashable, Any]) -> Any:
        arguments = {name: await self._value(need, own) for name, need in resource.needs}
        value = resource.factory(**arguments)
        return await value if isinstance(value, Coroutine) else value


def resource_in(annotation: Any) -> Resource | None:
    """The Resource an annotation carries."""
    if get_origin(annotation) is not Annotated:
        return None
    return next((item for item in get_args(annotation)[1:] if isinstance(item, Resource)), None)


def _needs_of(resource: Resource) -> tuple[tuple[str, Resource], ...]:
    try:
        parameters = inspect.signature(resource.factory).parameters
    except ValueError:  # a builtin does not tell
        return ()
    given = [name for name, parameter in parameters.items() if parameter.default is not parameter.empty]
    hints = _hints_of(resource.factory, unless=given)
    needs: list[tuple[str, Resource]] = []
    for name, parameter in parameters.items():
        need = resource_in(hints.get(name))
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if need is not None and parameter.kind is not parameter.POSITIONAL_ONLY:
            needs.append((name, need))
        elif parameter.default is parameter.empty:
            raise WorkflowValidationError(
                f"{resource.name} makes a resource and has an argument {name} that nothing fills: give it a default, "
                "or annotate it with Annotated[..., Resource(...)]."
            )
    return tuple(needs)


def _hints_of(factory: Any, *, unless: list[str]) -> dict[str, Any]:
    while isinstance(factory, functools.partial):
        factory = factory.func
    if isinstance(factory, type):
        factory = factory.__init__  # type: ignore[misc]
    elif not inspect.isroutine(factory):
        factory = type(factory).__call__
    return hints_of(factory, unless=unless) if hasattr(factory, "__annotations__") else {}


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
