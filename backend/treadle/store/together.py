"""Together: what several threads want written at the same time goes into one commit.

The requests of a burst would otherwise wait for the disk one after the other.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from treadle.errors import TreadleError
from treadle.store.database import Database
from treadle.store.failing import answering

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Act:
    """Something to be written, and how that went."""

    do: Callable[[Any], Any]
    done: bool = False
    result: Any = None
    error: BaseException | None = None


class Together:
    """Writes to one database; whoever comes while another waits for the disk shares the next commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Act] = deque()
        self._leading = threading.Lock()

    def write(self, do: Callable[[Any], T]) -> T:
        """What `do` returns, called with a cursor inside a transaction, once that is on disk.

        Where it raises a TreadleError, nothing of it is written, and its neighbours go on; any other error, like one of
        the database, all are told.
        """
        act = _Act(do)
        self._waiting.append(act)
        with self._leading:  # whoever gets it does what has gathered; the others find theirs done
            if not act.done:
                self._lead([self._waiting.popleft() for _ in range(len(self._waiting))])
        if act.error is not None:
            raise act.error
        result: T = act.result
        return result

    def _lead(self, acts: list[_Act]) -> None:
        try:
            with answering(), self._database.journal(patient=True) as cursor:
                for act in acts:
                    if len(acts) == 1:
                        act.result = act.do(cursor)
                    else:
                        _do(act, cursor)
        except BaseException as error:
            for act in acts:
                act.error = act.error or error
        for act in acts:
            act.done = True


def _do(act: _Act, cursor: Any) -> None:
    cursor.execute("SAVEPOINT act")
    try:
        act.result = act.do(cursor)
    except TreadleError as error:  # of any other the database may have ended the transaction by itself
        act.error = error
        cursor.execute("ROLLBACK TO SAVEPOINT act")
    cursor.execute("RELEASE SAVEPOINT act")
