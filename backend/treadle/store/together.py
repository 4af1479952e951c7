"""Together: what several ask for while one of them waits for the disk is done in one go after that."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class _Wish(Generic[Asked, Answer]):
    """What somebody asks for; `call` wakes him: there is an answer by then, or it is his turn to see to all."""

    __slots__ = ("answer", "asked", "call")

    def __init__(self, asked: Asked, call: Callable[[], object]) -> None:
        self.asked = asked
        self.call = call
        self.answer: Answer | BaseException | None = None

    def outcome(self) -> Answer:
        """The answer. Raises it, if it is an exception."""
        assert self.answer is not None
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class Together(Generic[Asked, Answer]):
    """Has `do` called for all that was asked meanwhile; it answers each, in order, if need be with an exception.

    Who asks while nobody is at it sees to all that wait, then calls the first who came meanwhile to be the next, and
    only then those who wait for their answers: the disk has the next go before forty threads have woken up.
    """

    def __init__(self, do: Callable[[Sequence[Asked]], Sequence[Answer | BaseException]]) -> None:
        self._do = do
        self._waiting: list[_Wish[Asked, Answer]] = []
        self._guard = threading.Lock()
        self._busy = False

    def ask(self, asked: Asked) -> Answer:
        """The answer to `asked`, for a thread. Raises the exception that is the answer, or what `do` raised for all."""
        called = threading.Lock()
        called.acquire()
        wish: _Wish[Asked, Answer] = _Wish(asked, called.release)
        if not self._alone(wish):
            called.acquire()
        if wish.answer is None:
            self._see_to_all()
        return wish.outcome()

    async def ask_soon(self, asked: Asked) -> Answer:
        """The answer to `asked`, like that of `ask`, for a loop: however many wait, one thread works for them.

        What is asked for in the same turn of the loop goes together.
        """
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[None] = loop.create_future()

        def turn() -> None:
            if wish.answer is None:  # whether or not somebody still waits for it
                loop.run_in_executor(None, self._see_to_all)
            elif not answered.done():
                answered.set_result(None)

        wish: _Wish[Asked, Answer] = _Wish(asked, lambda: loop.call_soon_threadsafe(turn))
        if self._alone(wish):
            loop.call_soon(turn)
        await answered
        return wish.outcome()

    def _alone(self, wish: _Wish[Asked, Answer]) -> bool:
        """Let it wait with the others; whether nobody sees to them, so that who asked must."""
        with self._guard:
            self._waiting.append(wish)
            alone, self._busy = not self._busy, True
        return alone

    def _see_to_all(self) -> None:
        with self._guard:
            wishes, self._waiting = self._waiting, []
        answers: Sequence[Answer | BaseException]
        try:
            answers = self._do([wish.asked for wish in wishes])
        except BaseException as error:
            answers = [error] * len(wishes)
        for wish, answer in zip(wishes, answers, strict=True):
            wish.answer = answer
        with self._guard:
            heir = self._waiting[0] if self._waiting else None
            self._busy = heir is not None
        if heir is not None:
            heir.call()
        for wish in wishes:
            wish.call()
