"""The store: the same state by dotted paths, as a typed object, and for edits nobody gets in between of."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from pydantic import BaseModel, Field, ValidationError

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    StartEvent,
    StopEvent,
    Workflow,
    WorkflowValidationError,
    step,
)


class A(Event):
    n: int = 0


class Address(BaseModel):
    city: str = ""


class Ledger(BaseModel):
    woven: int = 0
    notes: list[str] = Field(default_factory=list)
    address: Address = Address()


class Plain(Workflow):
    @step
    async def only(self, ctx: Context, ev: StartEvent) -> StopEvent:
        return StopEvent(result=await ctx.store.get("word", default=None))


class Typed(Workflow):
    @step
    async def only(self, ctx: Context[Ledger], ev: StartEvent) -> StopEvent:
        return StopEvent(result=await ctx.store.get_state())


@pytest.fixture
def plain():
    return Context(Plain())


@pytest.fixture
def typed():
    return Context(Typed())


async def test_store_and_context_are_the_same_state(plain):
    await plain.set("word", "warp")
    assert await plain.store.get("word") == "warp"
    await plain.store.set("word", "weft")
    assert await plain.get("word") == "weft"


async def test_paths_lead_through_dicts_lists_and_models(plain):
    await plain.set("user", {"address": Address(city="Ulm"), "rows": [{"n": 1}, {"n": 2}]})
    store = plain.store
    assert await store.get("user.address.city") == "Ulm"
    assert await store.get("user.rows.1.n") == 2
    assert await store.get("user.rows.-1.n") == 2
    await store.set("user.address.city", "Jena")
    await store.set("user.rows.0.n", 10)
    await store.set("user.rows.1", "row")
    assert await plain.get("user") == {"address": Address(city="Jena"), "rows": [{"n": 10}, "row"]}


async def test_mappings_on_the_way_are_made(plain):
    await plain.store.set("a.b.c", 1)
    assert await plain.get("a") == {"b": {"c": 1}}


async def test_key_with_a_dot_is_found_as_it_is(plain):
    await plain.set("a.b", 1)
    assert await plain.store.get("a.b") == 1
    await plain.store.set("a.b", 2)
    assert plain.values() == {"a.b": 2}


@pytest.mark.parametrize(
    ("path", "where"), [("gone", "gone"), ("rows.5", "5"), ("rows.x", "x"), ("rows.0.deep", "deep")]
)
async def test_missing_path_says_where_it_ends(plain, path, where):
    await plain.set("rows", [1])
    with pytest.raises(ValueError, match=rf"^Path '{path}' not found in the state: there is no '{where}'\.$"):
        await plain.store.get(path)
    assert await plain.store.get(path, default=None) is None


async def test_path_that_cannot_be_set_says_why(plain):
    await plain.set("rows", [1])
    with pytest.raises(ValueError, match=r"^Path 'rows\.3' cannot be set: the list has no place '3'\.$"):
        await plain.store.set("rows.3", 1)
    with pytest.raises(ValueError, match=r"^Path 'rows\.0\.n' cannot be set: a int has no fields to set\.$"):
        await plain.store.set("rows.0.n", 1)
    assert plain.values() == {"rows": [1]}


async def test_state_without_a_type_reads_and_writes_as_attributes(plain):
    async with plain.store.edit_state() as state:
        state.word = "warp"
        state["n"] = 1
    state = await plain.store.get_state()
    assert (state.word, state["n"], state) == ("warp", 1, {"word": "warp", "n": 1})
    async with plain.store.edit_state() as state:
        del state.n
    assert plain.values() == {"word": "warp"}
    with pytest.raises(AttributeError, match=r"^The state has no 'colour'; it has word\.$"):
        (await plain.store.get_state()).colour  # noqa: B018 - reading is the act


async def test_declared_state_begins_with_its_defaults_for_every_run():
    workflow = Typed()
    first = await workflow.run()
    assert first == Ledger()
    first.notes.append("changed")
    assert await workflow.run() == Ledger()


async def test_state_that_cannot_be_made_is_refused_before_anything_starts():
    class Needs(BaseModel):
        colour: str
        width: int
        depth: int = 1

    class Picky(Workflow):
        @step
        async def only(self, ctx: Context[Needs], ev: StartEvent) -> StopEvent:
            return StopEvent()

    with pytest.raises(WorkflowValidationError) as caught:
        Picky().run()
    assert str(caught.value) == (
        "The state Needs cannot be made without input; give its fields defaults: colour, width."
    )


async def test_state_read_as_a_whole_is_a_copy(typed):
    state = await typed.store.get_state()
    assert type(state) is Ledger
    state.woven = 5
    state.notes.append("mine")
    state.address.city = "Ulm"
    assert await typed.store.get_state() == Ledger()


async def test_declared_state_takes_what_fits_and_refuses_the_rest(typed):
    await typed.store.set("woven", "3")
    await typed.store.set("address.city", "Ulm")
    assert await typed.store.get_state() == Ledger(woven=3, address=Address(city="Ulm"))
    with pytest.raises(ValidationError, match="woven"):
        await typed.store.set("woven", "many")
    with pytest.raises(ValidationError, match="woven"):  # noqa: PT012 - an edit is a block
        async with typed.store.edit_state() as state:
            state.notes.append("lost")
            state.woven = "many"
    with pytest.raises(ValidationError, match="woven"):
        await typed.store.set_state({"woven": "many"})
    assert await typed.store.get_state() == Ledger(woven=3, address=Address(city="Ulm")), "nothing was changed"


async def test_whole_state_is_replaced(typed, plain):
    await typed.store.set("notes", ["old"])
    await typed.store.set_state(Ledger(woven=7))
    assert await typed.store.get_state() == Ledger(woven=7)
    await typed.store.set_state({"woven": "8"})
    assert await typed.store.get_state() == Ledger(woven=8)
    await plain.set("old", 1)
    await plain.store.set_state({"new": 2})
    assert plain.values() == {"new": 2}


async def test_cleared_state_is_empty_or_has_its_defaults(typed, plain):
    await plain.set("word", "warp")
    await plain.store.clear()
    assert plain.values() == {}
    await typed.store.set("woven", 3)
    await typed.set("beside", "it")
    await typed.store.clear()
    assert await typed.store.get_state() == Ledger()
    assert await typed.get("beside") == "it", "what the declared state does not have is not its own"


async def test_edit_that_raises_changes_nothing(typed):
    with pytest.raises(LookupError):  # noqa: PT012 - an edit is a block
        async with typed.store.edit_state() as state:
            state.woven = 5
            state.notes.append("lost")
            raise LookupError
    assert await typed.store.get_state() == Ledger()
    async with typed.store.edit_state() as state:
        state.woven += 1
    assert (await typed.store.get_state()).woven == 1, "the next one does not wait for ever"


async def test_hundred_edits_at_the_same_time_lose_nothing():
    class Crowd(Workflow):
        @step
        async def begin(self, ctx: Context[Ledger], ev: StartEvent) -> A:
            for n in range(100):
                ctx.send_event(A(n=n))
            return None

        @step(num_workers=100)
        async def weave(self, ctx: Context[Ledger], ev: A) -> StopEvent | None:
            async with ctx.store.edit_state() as state:
                before = state.woven
                await asyncio.sleep(0)
                state.woven = before + 1
                state.notes.append(str(ev.n))
            if ctx.collect_events(ev, [A] * 100) is None:
                return None
            return StopEvent(result=await ctx.store.get_state())

    state = await Crowd().run()
    assert state.woven == 100
    assert sorted(state.notes, key=int) == [str(n) for n in range(100)]


async def test_edit_leaves_alone_what_others_set_meanwhile(plain):
    await plain.set("mine", 1)
    async with plain.store.edit_state() as state:
        await plain.set("theirs", 2)
        state.mine = 10
    assert plain.values() == {"mine": 10, "theirs": 2}


async def test_edits_of_a_failed_attempt_are_taken_back():
    class Flaky(Workflow):
        @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=3, delay=0))
        async def work(self, ctx: Context[Ledger], ev: StartEvent) -> StopEvent:
            async with ctx.store.edit_state() as state:
                state.woven += 1
                state.notes.append(f"attempt {ctx.attempt}")
            await ctx.store.set("address.city", f"{await ctx.store.get('address.city')}x")
            await ctx.store.set("extra.deep", ctx.attempt)
            if ctx.attempt < 3:
                raise OSError
            return StopEvent(result=(await ctx.store.get_state(), await ctx.get("extra")))

    state, extra = await Flaky().run()
    assert state == Ledger(woven=1, notes=["attempt 3"], address=Address(city="x"))
    assert extra == {"deep": 3}


@dataclass
class Row:
    cells: list[int]


class Client:
    """What a step keeps for others: there is one, and it stays that one."""


async def test_edit_copies_what_holds_data_and_nothing_else(plain):
    client, row = Client(), Row([1])
    rows: list[object] = [row, (row, client)]
    rows.append(rows)
    await plain.set("client", client)
    await plain.set("rows", rows)
    with pytest.raises(LookupError):  # noqa: PT012 - an edit is a block
        async with plain.store.edit_state() as state:
            assert state.client is client
            assert state.rows[1] == (row, client)
            assert state.rows[2] is state.rows, "a circle stays one"
            state.rows[0].cells.append(2)
            state.rows.clear()
            raise LookupError
    assert row.cells == [1]
    assert len(rows) == 3
    async with plain.store.edit_state() as state:
        state.rows = [Row([5])]
    assert await plain.get("client") is client
    assert await plain.get("rows") == [Row([5])]
