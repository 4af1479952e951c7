"""Together: what several threads ask for while one of them waits for the disk is done in one go after that."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(slots=True, eq=False)
class _Wish(Generic[Asked, Answer]):
    """What one thread asks for, and what became of it."""

    asked: Asked
    answer: Answer | BaseException | None = None


class Together(Generic[Asked, Answer]):
    """Has `do` called for all that was asked meanwhile; it answers each, in order, if need be with an exception."""

    def __init__(self, do: Callable[[Sequence[Asked]], Sequence[Answer | BaseException]]) -> None:
        self._do = do
        self._waiting: deque[_Wish[Asked, Answer]] = deque()
        self._turn = threading.Lock()

    def ask(self, asked: Asked) -> Answer:
        """The answer to `asked`. Raises the exception that is the answer, or what `do` raised for all."""
        wish: _Wish[Asked, Answer] = _Wish(asked)
        self._waiting.append(wish)
        with self._turn:  # whoever has it sees to all that wait; they find it done
            if wish.answer is None:
                self._answer([self._waiting.popleft() for _ in range(len(self._waiting))])
        assert wish.answer is not None
        if isinstance(wish.answer, BaseException):
            raise wish.answer
        return wish.answer

    def _answer(self, wishes: list[_Wish[Asked, Answer]]) -> None:
        answers: Sequence[Answer | BaseException]
        try:
            answers = self._do([wish.asked for wish in wishes])
        except BaseException as error:
            answers = [error] * len(wishes)
        for wish, answer in zip(wishes, answers, strict=True):
            wish.answer = answer
