"""Loops: a step may return an event that leads back to an earlier step, even to itself.

`step_one` reads the start event or a `LoopEvent`. While its answer is not good enough it returns another `LoopEvent`,
which brings it round again; when it is content it returns a `FirstEvent` and the run moves on. The work is real:
Newton's way of finding a square root, where every round roughly doubles the number of correct digits. A loop needs a
way out for the bad days too, so this one stops after `most_rounds`.
"""

from __future__ import annotations

from pydantic import Field

from treadle import Event, StartEvent, StopEvent, Workflow, step


class LoopStartEvent(StartEvent):
    """The number whose square root is wanted, and how exact it has to be."""

    number: float = Field(default=2.0, gt=0, description="Find the square root of this number.")
    tolerance: float = Field(default=1e-9, gt=0, description="Good enough when the relative error is below this.")
    most_rounds: int = Field(default=20, ge=1, le=50, description="Stop after this many rounds in any case.")


class LoopEvent(Event):
    """Not good enough yet: go round again with a better guess."""

    loop_output: str
    guess: float
    rounds: int
    task: LoopStartEvent


class FirstEvent(Event):
    """The guess is good enough, or the rounds are used up."""

    first_output: str
    guess: float
    rounds: int


class LoopWorkflow(Workflow):
    """Improves a guess, round after round, until it is good enough."""

    @step
    async def step_one(self, ev: LoopStartEvent | LoopEvent) -> FirstEvent | LoopEvent:
        """Check the guess; go on with it, or go round once more with a better one."""
        if isinstance(ev, LoopStartEvent):
            task, guess, rounds = ev, max(ev.number, 1.0), 0
        else:
            task, guess, rounds = ev.task, ev.guess, ev.rounds
        if abs(guess * guess / task.number - 1) <= task.tolerance:
            return FirstEvent(first_output="Good enough.", guess=guess, rounds=rounds)
        if rounds >= task.most_rounds:
            return FirstEvent(first_output="Out of rounds.", guess=guess, rounds=rounds)
        better = (guess + task.number / guess) / 2
        return LoopEvent(loop_output=f"{guess} is not it yet.", guess=better, rounds=rounds + 1, task=task)

    @step
    async def step_two(self, ev: FirstEvent) -> StopEvent:
        """Report the answer and what it cost."""
        return StopEvent(result={"verdict": ev.first_output, "root": ev.guess, "rounds": ev.rounds})
