"""Resources: made once for a workflow instance, whoever asks, on whatever event loop."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Annotated

import pytest

from treadle import Event, StartEvent, StopEvent, Workflow, WorkflowValidationError, step
from treadle.engine.resource import Resource, ResourceCache

if TYPE_CHECKING:
    from somewhere import OnlyForTypeCheckers


class Index:
    """What takes long to load."""

    def __init__(self, *words: str) -> None:
        self.words = words


class Found(Event):
    n: int


loaded: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_loaded():
    loaded.clear()


def load_words() -> list[str]:
    loaded.append("words")
    return ["warp", "weft"]


async def load_index(words: Annotated[list[str], Resource(load_words)]) -> Index:
    loaded.append("index")
    await asyncio.sleep(0)
    return Index(*words)


class Searching(Workflow):
    @step
    async def search(self, ev: StartEvent, index: Annotated[Index, Resource(load_index)]) -> Found:
        return Found(n=len(index.words))

    @step
    def finish(
        self,
        index: Annotated[Index, Resource(load_index)],
        words: Annotated[list[str], Resource(load_words)],
        ev: Found,
    ) -> StopEvent:
        return StopEvent(result=(ev.n, index, words))


async def test_steps_share_what_a_factory_made():
    n, index, words = await Searching().run()
    assert (n, index.words, words) == (2, ("warp", "weft"), ["warp", "weft"])
    assert loaded == ["words", "index"]


async def test_runs_of_an_instance_share_and_other_instances_do_not():
    flow = Searching()
    _, first, _ = await flow.run()
    _, again, _ = await flow.run()
    _, other, _ = await Searching().run()
    assert again is first
    assert other is not first


def test_instance_goes_from_one_event_loop_to_the_next():
    flow = Searching()

    async def run() -> Index:
        return (await flow.run())[1]

    assert asyncio.run(run()) is asyncio.run(run())
    assert loaded == ["words", "index"]


def counted(cache: ResourceCache, resource: Resource, times: int) -> asyncio.Future[list[dict[str, object]]]:
    return asyncio.gather(*(cache.fill([("it", resource)]) for _ in range(times)), return_exceptions=True)


async def test_resource_is_made_once_however_many_ask_at_once():
    cache = ResourceCache()
    made = await counted(cache, Resource(load_index), 20)
    assert loaded == ["words", "index"]
    assert len({id(one["it"]) for one in made}) == 1


async def test_failure_reaches_everybody_who_waits_and_nobody_later():
    attempts = []

    async def connect() -> str:
        attempts.append(1)
        await asyncio.sleep(0)
        if len(attempts) == 1:
            raise ConnectionError("not yet")
        return "connected"

    cache, resource = ResourceCache(), Resource(connect)
    assert [str(error) for error in await counted(cache, resource, 3)] == ["not yet"] * 3
    assert await cache.fill([("it", resource)]) == {"it": "connected"}
    assert len(attempts) == 2


async def test_nothing_is_a_value_too():
    def nothing() -> None:
        loaded.append("nothing")

    cache = ResourceCache()
    for _ in range(2):
        assert await cache.fill([("it", Resource(nothing))]) == {"it": None}
    assert loaded == ["nothing"]


async def test_who_waits_takes_over_from_who_was_cancelled():
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        loaded.append("slow")
        begun.set()
        await go_on.wait()
        return "made"

    cache, resource = ResourceCache(), Resource(slow)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(cache.fill([("it", resource)]))
        await begun.wait()
        second = tasks.create_task(cache.fill([("it", resource)]))
        third = tasks.create_task(cache.fill([("it", resource)]))
        await asyncio.sleep(0)
        third.cancel()
        first.cancel()
        go_on.set()
        assert await second == {"it": "made"}
    assert loaded == ["slow", "slow"]
    assert first.cancelled()


def test_loop_that_stopped_in_the_middle_holds_nobody_up():
    async def never() -> None:
        await asyncio.Event().wait()

    async def maker() -> str:
        if not loaded:
            loaded.append("stuck")
            await never()
        return "made"

    cache, resource = ResourceCache(), Resource(maker)
    stopped = asyncio.new_event_loop()
    stuck = stopped.create_task(cache.fill([("it", resource)]))
    stopped.run_until_complete(asyncio.sleep(0))
    assert asyncio.run(cache.fill([("it", resource)])) == {"it": "made"}
    stuck.cancel()
    with pytest.raises(asyncio.CancelledError):
        stopped.run_until_complete(stuck)
    stopped.close()


async def test_uncached_resource_is_new_for_every_execution_and_one_within_it():
    class Scratch:
        pass

    def tidy(scratch: Annotated[Scratch, Resource(Scratch, cache=False)]) -> Scratch:
        return scratch

    own = Resource(Scratch, cache=False)
    cache = ResourceCache()
    wanted = [("a", own), ("b", own), ("through", Resource(tidy, cache=False)), ("kept", Resource(tidy))]
    first, second = await cache.fill(wanted), await cache.fill(wanted)
    assert first["a"] is first["b"] is first["through"]
    assert first["a"] is not second["a"]
    assert first["kept"] is second["kept"]
    assert first["kept"] is not first["a"], "what is kept does not hold one execution's"


class Counter:
    """Counts words; nothing can be its key in a dictionary."""

    __hash__ = None

    def __call__(self, words: Annotated[list[str], Resource(load_words)]) -> int:
        return len(words)

    def double(self, words: Annotated[list[str], Resource(load_words)]) -> int:
        return 2 * len(words)


async def test_factories_come_in_many_kinds():
    class Holding:
        def __init__(self, words: Annotated[list[str], Resource(load_words)], extra: int = 1) -> None:
            self.n = len(words) + extra

    counter = Counter()
    cache = ResourceCache()
    made = await cache.fill(
        [
            ("builtin", Resource(dict)),
            ("instance", Resource(counter)),
            ("method", Resource(counter.double)),
            ("type", Resource(Holding)),
            ("partial", Resource(functools.partial(Holding, extra=5))),
            ("returned", Resource(lambda: load_index(words=["one"]))),
        ]
    )
    assert made["builtin"] == {}
    assert (made["instance"], made["method"]) == (2, 4)
    assert (made["type"].n, made["partial"].n) == (3, 7)
    assert made["returned"].words == ("one",)


async def test_lambdas_are_not_mistaken_for_each_other():
    cache = ResourceCache()
    assert await cache.fill([("a", Resource(lambda: 1)), ("b", Resource(lambda: 2))]) == {"a": 1, "b": 2}


async def test_failing_factory_fails_the_step_that_asked():
    def broken() -> Index:
        raise ConnectionError("the index is away")

    class Unlucky(Workflow):
        @step
        async def search(self, ev: StartEvent, index: Annotated[Index, Resource(broken)]) -> StopEvent: ...

    with pytest.raises(ConnectionError, match="the index is away") as caught:
        await Unlucky().run()
    assert caught.value.__notes__ == ["in step search"]


def test_argument_that_nothing_fills_is_told_where_it_is_asked_for():
    def open_index(path: str, size: int = 3) -> Index: ...

    with pytest.raises(WorkflowValidationError, match="open_index makes a resource and has an argument path that"):

        class Wrong(Workflow):
            @step
            async def search(self, ev: StartEvent, index: Annotated[Index, Resource(open_index)]) -> StopEvent: ...


async def test_default_makes_an_argument_optional_whatever_its_type():
    def open_index(client: OnlyForTypeCheckers | None = None, *more: str, **options: str) -> tuple[object, ...]:
        return (client, more, options)

    assert await ResourceCache().fill([("it", Resource(open_index))]) == {"it": (None, (), {})}


def hen(egg: Annotated[str, Resource(lay)]) -> str: ...


def lay(bird: Annotated[str, Resource(hen)]) -> str: ...


def test_resources_that_need_each_other_are_told():
    with pytest.raises(WorkflowValidationError, match="in a circle: hen -> lay -> hen"):

        class Wrong(Workflow):
            @step
            async def search(self, ev: StartEvent, egg: Annotated[str, Resource(hen)]) -> StopEvent: ...


def test_resource_takes_a_function():
    with pytest.raises(WorkflowValidationError, match="Resource takes a function that makes the value, not 'index'"):
        Resource("index")
    assert repr(Resource(load_index)) == "Resource(load_index)"
