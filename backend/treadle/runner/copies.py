"""Copies: what `os.fork()` in a step makes of a worker. A copy does what its step wants, and nothing of the worker's.

`multiprocessing` runs its target in one and leaves; that is all right. A copy that comes back to the event loop of its
worker would be a twin: it has the worker's sockets and connections, would run the steps of its runs, and never end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress

WAYS_BACK = ("call_soon", "call_soon_threadsafe", "call_later", "call_at")
"""What whoever wants something of an event loop calls."""
STOPS = (signal.SIGINT, signal.SIGTERM)
"""The signals a worker listens to."""
TOLD = (
    "which a step has forked from its worker, came back from the step and ends here: who forks in a step leaves the"
    " child by os._exit(), or uses multiprocessing or subprocess."
)


def end_copies_of(loop: asyncio.AbstractEventLoop) -> None:
    """From now on a copy of this process ends when it comes back to `loop`."""
    turn = asyncio.Handle(_leave, (), loop)
    before = threading.local()

    def hold_signals() -> None:
        before.mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)

    def let_signals_pass() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before.mask)

    def become_a_copy() -> None:
        # What was to run in this very turn, steps of other runs among it, runs in the worker alone.
        ready = getattr(loop, "_ready", None)
        if ready is not None:
            ready.clear()
            ready.append(turn)
        for name in WAYS_BACK:
            setattr(loop, name, _leave)
        sys.set_asyncgen_hooks(None, None)  # the collector is not a step that comes back
        # Signals to a copy would otherwise be told to the worker, through the descriptor they share: it would stop.
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        let_signals_pass()

    os.register_at_fork(before=hold_signals, after_in_parent=let_signals_pass, after_in_child=become_a_copy)


def _leave(*_: object, **__: object) -> None:
    # No logging and no proper exit: locks and half-full buffers of the worker's threads were copied, too.
    with suppress(OSError):
        os.write(2, f"Process {os.getpid()}, {TOLD}\n".encode())
    os._exit(os.EX_SOFTWARE)
