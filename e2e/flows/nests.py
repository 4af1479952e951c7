"""A workflow with runs inside its own, for the tests to look into."""

from __future__ import annotations

from treadle import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step


class SampleEvent(StartEvent):
    """What is to be dyed."""

    cloth: str = "wool"


class ColourAsked(InputRequiredEvent):
    """Which colour it is to be."""


class ColourChosen(HumanResponseEvent):
    """The colour somebody chose."""


class Dyer(Workflow):
    """Asks for a colour and dyes."""

    @step
    async def ask(self, ctx: Context, ev: SampleEvent) -> ColourAsked:
        """Ask."""
        await ctx.set("cloth", ev.cloth)
        return ColourAsked(prefix=f"Which colour for the {ev.cloth}?")

    @step
    async def dye(self, ctx: Context, ev: ColourChosen) -> StopEvent:
        """Dye."""
        return StopEvent(result=f"{ev.response} {await ctx.get('cloth')}")


class OrderEvent(StartEvent):
    """An order of cloth."""

    cloth: str = "wool"


class WovenEvent(Event):
    """Woven, not dyed yet."""

    cloth: str


def finishing() -> Workflow:
    """A workflow that no catalog has."""

    class Finishing(Workflow):
        """Hems."""

        @step
        async def hem(self, ev: StartEvent) -> StopEvent:
            """Hem."""
            return StopEvent(result=f"hemmed {ev.cloth}")

    return Finishing()


class Mill(Workflow):
    """Weaves, has the cloth dyed by a run inside its own, and hemmed by another."""

    @step
    async def weave(self, ev: OrderEvent) -> WovenEvent:
        """Weave."""
        return WovenEvent(cloth=ev.cloth)

    @step
    async def finish(
        self,
        ev: WovenEvent,
        dyer: Workflow = Dyer(),  # noqa: B008 - a default slot
        hemmer: Workflow = finishing(),  # noqa: B008
    ) -> StopEvent:
        """Have it dyed and hemmed."""
        dyed = await dyer.run(cloth=ev.cloth)
        return StopEvent(result=await hemmer.run(cloth=dyed))
